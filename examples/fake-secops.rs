//! A Google SecOps instance on this machine, to try rules and findings without a tenant: `cargo run --example fake-secops`.
//!
//! It is the test kit's stand-in with this project's own YARA-L checker as its compiler: a text that is refused here names the
//! mistake. What arrives is shown escaped, because it may hold what an attacker wrote into a log.

use std::{
    fs,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Parser;
use watchbell_sink::{
    rules::CompileDiagnostic,
    testkit::standin::{
        Record, Standin,
        chronicle::{
            self, Rules, Tenant,
            rules::{Asked, Compiled},
        },
    },
};
use watchbell_yaral::{check::Classification, source::Lines};

const PROJECT: &str = "fake-secops";
const LOCATION: &str = "us";
const INSTANCE: &str = "00000000-0000-4000-8000-000000000000";
/// As much of a body as is shown.
const WIDTH: usize = 200;

/// A stand-in for a Google SecOps instance on this machine: it takes findings and rules, and shows every request.
#[derive(Debug, Parser)]
struct Arguments {
    /// Port of 127.0.0.1 to listen on; any free one without
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Folder for the configuration, made if need be
    #[arg(long, value_name = "DIR", default_value = "target/fake-secops")]
    dir: PathBuf,
    /// End after so many seconds
    #[arg(long = "for", value_name = "SECONDS")]
    seconds: Option<f64>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let instance = Instance::start(&arguments).await?;
    println!("{}", instance.greeting());
    tokio::select! {
        () = instance.show(arguments.seconds) => {}
        stopped = tokio::signal::ctrl_c() => stopped?,
    }
    println!("{}", instance.farewell());
    Ok(())
}

/// The stand-in, its rules, and where its configuration lies.
struct Instance {
    standin: Standin,
    rules: Rules,
    configuration: PathBuf,
}

impl Instance {
    async fn start(arguments: &Arguments) -> io::Result<Self> {
        let tenant = Tenant::new(PROJECT, LOCATION, INSTANCE)?;
        let rules = Rules::compiled_by(compiled);
        let at = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
        // Requests are shown from the log of the rules, so nothing more is kept of what they bring.
        let standin = chronicle::start_with(&tenant, at, Record::new(0), rules.clone()).await?;
        fs::create_dir_all(&arguments.dir)?;
        let configuration = configure(&arguments.dir.canonicalize()?, &tenant, standin.address())?;
        Ok(Self { standin, rules, configuration })
    }

    fn greeting(&self) -> String {
        let (address, file) = (self.standin.address(), self.configuration.display());
        format!(
            "A stand-in for Google SecOps listens on {address}. It forgets everything when it ends.\n\n\
             The configuration that points at it, with throwaway credentials: {file}\nIn another terminal:\n\n  \
             watchbell --config {file} --test\n  \
             watchbell --config {file} batch --once --forward --log-dir examples/logs\n  \
             watchbell --config {file} rules plan\n  \
             watchbell --config {file} rules apply\n\nCtrl-C ends. What is asked:\n"
        )
    }

    /// Shows what is asked until it is time to end.
    async fn show(&self, seconds: Option<f64>) {
        let start = Instant::now();
        let mut next = 0;
        loop {
            for asked in self.rules.log_since(next) {
                println!("{}", line(&asked));
                next = asked.number + 1;
            }
            if seconds.is_some_and(|seconds| start.elapsed().as_secs_f64() >= seconds) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn farewell(&self) -> String {
        let rules = self.rules.all();
        let enabled = rules.iter().filter(|rule| rule.enabled).count();
        let findings = self.standin.record().total();
        format!("\n{} requests, {findings} findings, {} rules ({enabled} enabled)", self.rules.asked(), rules.len())
    }
}

/// The errors of this project's parser and checker, in the shape in which the service says them. Their warnings are about what
/// the service takes without a word.
fn compiled(text: &str) -> Compiled {
    let parsed = watchbell_yaral::parse(text);
    let checked = watchbell_yaral::check(&parsed.file);
    let lines = Lines::of(text);
    let errors = parsed.diagnostics.iter().chain(&checked.diagnostics).filter(|diagnostic| diagnostic.is_error());
    let said = errors.map(|diagnostic| {
        let place = lines.position(diagnostic.span.start);
        let number = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        CompileDiagnostic {
            message: format!("parsing: {}", diagnostic.message),
            error: true,
            start: Some((number(place.line), number(place.column))),
        }
    });
    let mut compiled = Compiled { diagnostics: said.collect(), ..Compiled::default() };
    match parsed.file.rules.as_slice() {
        [rule] => compiled.name.clone_from(&rule.name.text),
        rules => compiled.diagnostics.push(CompileDiagnostic {
            message: format!("parsing: expected one rule, found {}", rules.len()),
            error: true,
            start: None,
        }),
    }
    if let Some(facts) = checked.facts.first() {
        compiled.multi_event = facts.classification == Classification::MultiEvent;
        compiled.window_seconds = facts.window_seconds;
    }
    compiled
}

/// Writes the configuration, and the key of the service account beside it, for this user's eyes only.
fn configure(dir: &Path, tenant: &Tenant, address: SocketAddr) -> io::Result<PathBuf> {
    let key = dir.join("service_account.json");
    write_private(&key, &tenant.credentials(address))?;
    let text = format!(
        "# Points at the stand-in of one run of `cargo run --example fake-secops`.\n\n\
         [batch]\noutput_dir = {}\n\n[outbox]\noutbox_dir = {}\n\n\
         [sinks.secops]\ntype = \"chronicle\"\nendpoint = \"http://{address}\"\nproject = \"{PROJECT}\"\n\
         location = \"{LOCATION}\"\ninstance = \"{INSTANCE}\"\ncredentials_file = {}\n",
        quoted(&dir.join("reports")),
        quoted(&dir.join("outbox")),
        quoted(&key),
    );
    let file = dir.join("watchbell.toml");
    write_private(&file, &text)?;
    Ok(file)
}

fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

/// A request on one line, without anything that a terminal would obey: what it is about begins after the instance.
fn line(asked: &Asked) -> String {
    let path = asked.path.split_once(INSTANCE).map_or(asked.path.as_str(), |(_, below)| below);
    let status = asked.status.map_or_else(|| "reset".to_owned(), |status| status.to_string());
    let path = if path.is_empty() { "(the instance)" } else { path };
    format!("{status:>5}  {:<5} {}  {}", cut(&asked.method), cut(path), cut(&asked.body)).trim_end().to_owned()
}

/// The beginning of a text, with what is invisible or moves the cursor escaped; quotes stay as they are.
fn cut(text: &str) -> String {
    let harmless = |letter: char| {
        let plain = matches!(letter, '"' | '\'' | '\\').then_some(letter);
        plain.into_iter().chain(letter.escape_debug().filter(move |_| plain.is_none()))
    };
    let mut shown: String = text.chars().take(WIDTH).flat_map(harmless).take(WIDTH).collect();
    if text.chars().nth(WIDTH).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use toml::de::{DeTable, DeValue, ValueDeserializer};
    use watchbell::registry;
    use watchbell_sink::{Context, Sink, Steps, rules::DeploymentChange};

    use super::*;

    /// The sink of the written configuration. The engine reads `NAME_file`; here it is one option.
    fn sink(configuration: &Path) -> Arc<dyn Sink> {
        let table: toml::Table = fs::read_to_string(configuration).unwrap().parse().unwrap();
        let mut options = table["sinks"]["secops"].as_table().unwrap().clone();
        options.remove("type");
        let key = options.remove("credentials_file").unwrap();
        options.insert("credentials".to_owned(), fs::read_to_string(key.as_str().unwrap()).unwrap().into());
        let text = toml::to_string(&options).unwrap();
        let table = DeTable::parse(&text).unwrap();
        let options = ValueDeserializer::from(toml::Spanned::new(table.span(), DeValue::Table(table.into_inner())));
        let kind = registry::kinds().iter().find(|kind| kind.name == "chronicle").unwrap();
        kind.build(options, &Context::new("secops")).unwrap()
    }

    async fn started(dir: &Path) -> Instance {
        let arguments = Arguments { port: 0, dir: dir.to_owned(), seconds: None };
        Instance::start(&arguments).await.unwrap()
    }

    #[tokio::test]
    async fn the_written_configuration_leads_to_it_and_rules_are_really_compiled() {
        let dir = tempfile::tempdir().unwrap();
        let instance = started(dir.path()).await;
        let sink = sink(&instance.configuration);
        let mut steps = Steps::default();
        sink.check(&mut steps).await.unwrap();
        assert_eq!(
            steps.all().last().unwrap().detail.as_deref(),
            Some("a rule was compiled and not kept"),
            "{steps:?}"
        );

        let host = sink.rule_host().unwrap();
        let rule = "rule guesses {\n  meta:\n    author = \"a\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n    \
                    $e.target.user.userid = $user\n  match:\n    $user over 2h\n  condition:\n    #e > 5\n}\n";
        assert_eq!(host.verify(rule).await.unwrap(), []);
        let made = host.create(rule).await.unwrap();
        assert_eq!((made.name.as_str(), made.multi_event), ("guesses", Some(true)));
        let change = DeploymentChange { enabled: Some(true), ..DeploymentChange::default() };
        assert!(host.deploy(&made.version.id, &change).await.unwrap().enabled);
        let diagnostics = host.verify(&rule.replace("userid", "useridd")).await.unwrap();
        assert!(diagnostics[0].error && diagnostics[0].start.is_some_and(|(line, _)| line == 6), "{diagnostics:?}");
        assert!(host.create(&format!("{rule}\n{}", rule.replace("guesses", "others"))).await.is_err(), "two rules");
        assert_eq!(instance.rules.all().len(), 1);
        assert!(instance.farewell().contains("1 rules (1 enabled)"), "{}", instance.farewell());
    }

    #[tokio::test]
    async fn the_commands_of_the_greeting_name_the_configuration() {
        let dir = tempfile::tempdir().unwrap();
        let instance = started(dir.path()).await;
        let greeting = instance.greeting();
        let file = instance.configuration.display().to_string();
        assert_eq!(greeting.matches(&file).count(), 5, "{greeting}");
        #[cfg(unix)]
        for entry in fs::read_dir(dir.path()).unwrap() {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(entry.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn requests_are_shown_on_one_harmless_line() {
        let asked = Asked {
            number: 0,
            method: "PATCH".to_owned(),
            path: format!("/v1/projects/p/locations/us/instances/{INSTANCE}/rules/ru_1?update_mask=text"),
            body: format!("{{\"text\":\"\u{1b}[2J\n\u{202e}{}", "x".repeat(500)),
            status: Some(200),
        };
        let shown = line(&asked);
        let expected = "  200  PATCH /rules/ru_1?update_mask=text  {\"text\":\"\\u{1b}[2J\\n\\u{202e}xxx";
        assert!(shown.starts_with(expected) && shown.ends_with('…'), "{shown}");
        assert!(!shown.chars().any(char::is_control));
        let reset = Asked { status: None, path: format!("/v1/{INSTANCE}"), body: String::new(), ..asked };
        assert_eq!(line(&reset), "reset  PATCH (the instance)");
    }
}
