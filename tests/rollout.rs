//! Rules to a tenant and back, with the program as users run it, against the stand-in of Google SecOps.

use std::{fs, path::PathBuf};

use watchbell::sink::testkit::standin::{
    Record, Standin, anywhere,
    chronicle::{
        self, Rules, Tenant,
        rules::{Compiled, Fault, plausible},
    },
};

use crate::place::{Place, Ran};

const INSTANCE: &str = "01234567-89ab-4cde-8f01-23456789abcd";
/// Texts with this do not compile.
const BROKEN: &str = "NO_SUCH_TYPE";

fn single(name: &str, author: &str) -> String {
    format!(
        "rule {name} {{\n  meta:\n    author = \"{author}\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n  condition:\n    $e\n}}\n"
    )
}

fn multi(name: &str) -> String {
    format!(
        "rule {name} {{\n  meta:\n    author = \"us\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n    $e.principal.ip = $ip\n  match:\n    $ip over 1h\n  condition:\n    #e > 5\n}}\n"
    )
}

fn compiled(text: &str) -> Compiled {
    let mut compiled = plausible(text);
    if text.contains(BROKEN) {
        let message = format!("parsing: enum value {BROKEN} does not exist");
        compiled.diagnostics.push(watchbell::sink::rules::CompileDiagnostic {
            message,
            error: true,
            start: Some((5, 33)),
        });
    }
    compiled
}

/// A tenant, a folder of rules, and a configuration that knows the tenant.
struct Tenancy {
    place: Place,
    rules: Rules,
    _standin: Standin,
    _runtime: tokio::runtime::Runtime,
}

impl Tenancy {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let rules = Rules::compiled_by(compiled);
        let tenant = Tenant::new("my-project", "eu", INSTANCE).unwrap();
        let started = chronicle::start_with(&tenant, anywhere(), Record::new(10), rules.clone());
        let standin = runtime.block_on(started).unwrap();
        let configuration = format!(
            "[sinks.secops]\ntype = \"chronicle\"\nproject = \"my-project\"\nlocation = \"eu\"\ninstance = \"{INSTANCE}\"\n\
             endpoint = \"http://{}\"\ncredentials_file = \"key.json\"\n",
            standin.address()
        );
        let place = Place::new(&configuration);
        fs::create_dir(place.path("rules")).unwrap();
        place.write("key.json", &tenant.credentials(standin.address()));
        Self { place, rules, _standin: standin, _runtime: runtime }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path(name)
    }

    fn write(&self, name: &str, text: &str) {
        self.place.write(&format!("rules/{name}"), text);
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let ran = self.place.run(arguments);
        println!("$ watchbell {}\n{}{}[exit code {}]\n", arguments.join(" "), ran.out, ran.err, ran.code);
        ran
    }

    /// The requests so far that change something.
    fn writes(&self) -> Vec<String> {
        let log = self.rules.log();
        log.iter().filter(|asked| asked.writes()).map(|asked| format!("{} {}", asked.method, asked.body)).collect()
    }
}

/// Two rules, one of them over several events.
fn with_two_rules() -> Tenancy {
    let place = Tenancy::new();
    place.write("failed_logins.yaral", &multi("failed_logins"));
    place.write("new_country.yaral", &single("new_country", "us"));
    place.write(
        "deployment.toml",
        "[defaults]\nenabled = true\nalerting = false\nrun_frequency = \"live\"\n\n[rules.failed_logins]\nalerting = true\nrun_frequency = \"hourly\"\n",
    );
    place
}

#[test]
fn plan_apply_and_then_nothing_is_left_to_do() {
    let place = with_two_rules();
    let plan = place.run(&["rules", "plan", "rules", "--detailed-exitcode"]);
    assert_eq!(plan.code, 2, "{plan:#?}");
    plan.says("secops: 2 to create");
    plan.says("enabled rules: 0 -> 2, multi-event rules among them: 0 -> 1");
    assert_eq!(place.writes(), Vec::<String>::new());
    let refused = place.run(&["rules", "apply", "rules"]);
    assert_eq!(refused.code, 2);
    refused.says("say --yes");
    let applied = place.run(&["rules", "apply", "rules", "--yes"]);
    assert_eq!(applied.code, 0, "{applied:#?}");
    applied.says("1/2 done    failed_logins: create, run hourly, enable, alerting on");
    applied.says("2 rules are as planned");
    let [rule] = place.rules.named("failed_logins").try_into().unwrap();
    assert!(rule.enabled && rule.alerting);
    let again = place.run(&["rules", "plan", "rules", "--detailed-exitcode"]);
    assert_eq!(again.code, 0, "{again:#?}");
    again.says("secops: nothing to do, 2 rules are as they should be");
    let status = place.run(&["rules", "status", "rules"]);
    assert_eq!(status.code, 0);
    status.says("2 in step, 0 not, 0 only there");
}

#[test]
fn a_drift_is_shown_and_mended() {
    let place = with_two_rules();
    assert_eq!(place.run(&["rules", "apply", "rules", "--yes"]).code, 0);
    let [rule] = place.rules.named("new_country").try_into().unwrap();
    place.rules.edit(&rule.id, &single("new_country", "somebody \u{1b}[2J else"));
    place.rules.change(&rule.id, |rule| rule.enabled = false);
    place.rules.add(&single("made_by_hand", "them"));
    let status = place.run(&["rules", "status", "rules"]);
    assert_eq!(status.code, 1);
    status.says("both differ");
    status.says("only there");
    let plan = place.run(&["rules", "plan", "rules"]);
    plan.says("-    author = \"somebody \\u{1b}[2J else\"");
    plan.says("+    author = \"us\"");
    plan.says("enabled false -> true");
    plan.says("only in the tenant: made_by_hand; they stay, --prune archives them");
    let json = place.run(&["rules", "plan", "rules", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["format_version"], 1);
    assert_eq!(json["changes"][0]["name"], "new_country");
    assert_eq!(json["changes"][0]["steps"], serde_json::json!(["text", "enable"]));
    let pruned = place.run(&["rules", "apply", "rules", "--prune", "--yes"]);
    assert_eq!(pruned.code, 0, "{pruned:#?}");
    assert!(place.rules.named("made_by_hand")[0].archived);
    assert_eq!(place.run(&["rules", "status", "rules", "--prune"]).code, 0);
}

#[test]
fn what_the_compiler_refuses_is_shown_at_its_place_and_nothing_is_written() {
    let place = with_two_rules();
    place.write("wrong.yaral", &single("wrong", "us").replace("USER_LOGIN", BROKEN));
    let applied = place.run(&["rules", "apply", "rules", "--yes"]);
    assert_eq!(applied.code, 8, "{applied:#?}");
    applied.says("rules/wrong.yaral:5:33: error: parsing: enum value NO_SUCH_TYPE does not exist");
    assert_eq!(place.writes(), Vec::<String>::new());
}

#[test]
fn what_was_pulled_is_in_step() {
    let place = with_two_rules();
    assert_eq!(place.run(&["rules", "apply", "rules", "--yes"]).code, 0);
    place.rules.add(&single("made_by_hand", "them"));
    let pulled = place.run(&["rules", "pull", "--out", "pulled"]);
    assert_eq!(pulled.code, 0, "{pulled:#?}");
    pulled.says("4 files written");
    assert_eq!(place.run(&["rules", "plan", "pulled", "--detailed-exitcode"]).code, 0);
    fs::write(place.path("pulled/made_by_hand.yaral"), single("made_by_hand", "me")).unwrap();
    let kept = place.run(&["rules", "pull", "--out", "pulled"]);
    assert_eq!(kept.code, 1);
    kept.says("made_by_hand differs in pulled/made_by_hand.yaral; --force overwrites it");
    assert_eq!(place.run(&["rules", "pull", "--out", "pulled", "--force"]).code, 0);
    assert_eq!(place.run(&["rules", "plan", "pulled", "--detailed-exitcode"]).code, 0);
}

#[test]
fn an_edit_in_between_and_a_lost_answer_are_told_apart() {
    let place = with_two_rules();
    assert_eq!(place.run(&["rules", "apply", "rules", "--yes"]).code, 0);
    place.write("failed_logins.yaral", &multi("failed_logins").replace("> 5", "> 6"));
    place.write("new_country.yaral", &single("new_country", "me"));
    place.write("third.yaral", &single("third", "us"));
    place.rules.forget();
    // 0, 1: rules and deployments; 2..4: texts; 5, 6: again; 7: the first revision, 8 its deployment; 9: the second.
    place.rules.fault(7, Fault::DropAfterwards);
    let id = place.rules.named("new_country")[0].id.clone();
    let edit = move |rules: &Rules| assert!(rules.edit(&id, &single("new_country", "them")));
    place.rules.fault(6, Fault::Meanwhile(Box::new(edit)));
    let applied = place.run(&["rules", "apply", "rules", "--yes"]);
    assert!(place.rules.named("failed_logins")[0].text.contains("> 6"));
    assert!(place.rules.named("third").len() == 1, "{applied:#?}");
    assert!([0, 1].contains(&applied.code), "{applied:#?}");
    let again = place.run(&["rules", "apply", "rules", "--yes"]);
    assert_eq!(again.code, 0, "{again:#?}");
    assert_eq!(place.run(&["rules", "plan", "rules", "--detailed-exitcode"]).code, 0);
}

#[test]
fn a_fault_at_any_request_is_mended_by_the_next_run() {
    let requests = {
        let place = with_two_rules();
        assert_eq!(place.run(&["rules", "apply", "rules", "--yes"]).code, 0);
        place.rules.asked()
    };
    assert!(requests > 10, "{requests}");
    let place = with_two_rules();
    for number in 0..requests {
        for rule in place.rules.all() {
            place.rules.remove(&rule.id);
        }
        place.rules.forget();
        let fault = match number % 4 {
            0 => Fault::Refuse(500),
            1 => Fault::DropAfterwards,
            2 => Fault::Refuse(400),
            _ => Fault::Refuse(403),
        };
        place.rules.fault(number, fault);
        place.run(&["rules", "apply", "rules", "--yes"]);
        let again = place.run(&["rules", "apply", "rules", "--yes"]);
        assert_eq!(again.code, 0, "request {number}: {again:#?}");
        assert_eq!(place.rules.all().len(), 2, "request {number}");
        assert_eq!(place.run(&["rules", "plan", "rules", "--detailed-exitcode"]).code, 0, "request {number}");
    }
}

#[test]
fn the_rules_of_the_program_are_installed_at_the_end_of_the_set_up() {
    let place = Tenancy::new();
    let set_up = place.run(&["setup", "secops", "--yes", "--install-rules"]);
    assert_eq!(set_up.code, 0, "{set_up:#?}");
    set_up.says("watchbell_brute_force");
    assert!(place.rules.named("watchbell_brute_force")[0].enabled);
    assert_eq!(place.run(&["rules", "plan", "--detailed-exitcode"]).code, 0);
}

#[test]
fn without_a_tenant_it_says_what_is_missing() {
    let place = Place::new("[sinks.hook]\ntype = \"webhook\"\nurl = \"http://127.0.0.1:9\"\n");
    let none = place.run(&["rules", "plan"]);
    assert_eq!(none.code, 3);
    none.says("no sink runs rules");
    let named = place.run(&["rules", "plan", "--sink", "hook"]);
    assert_eq!(named.code, 3);
    named.says("the sink `hook` runs no rules");
}
