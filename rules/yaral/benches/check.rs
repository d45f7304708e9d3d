//! How long parsing and checking take, on one core: `cargo bench -p watchbell-yaral --bench check [-- --peer PYTHON]`.
//!
//! The corpus is made here: about 34,000 lines of rules in the manner of published ones, which is mostly comparisons with texts and
//! patterns, a third with a window, two fifths with an outcome. `--peer PYTHON` runs the package `yaraast` of that interpreter
//! over the same files in the same run. Best of several passes: the least disturbed one says most about the code.

use std::{fmt::Write as _, hint::black_box, path::Path, process::Command, time::Instant};

use watchbell_yaral::{check, parse};

const LINES: usize = 34_000;
const PASSES: usize = 15;

fn main() {
    let rules = corpus();
    let lines: usize = rules.iter().map(|rule| rule.lines().count()).sum();
    let bytes: usize = rules.iter().map(String::len).sum();
    println!("{} rules, {lines} lines, {bytes} bytes", rules.len());
    for rule in &rules {
        let told = parse(rule).diagnostics;
        assert!(told.is_empty(), "{told:?}\n{rule}");
    }
    report("parse", lines, || rules.iter().for_each(|rule| drop(black_box(parse(rule)))));
    report("parse and check", lines, || {
        for rule in &rules {
            let parsed = parse(rule);
            black_box(check(&parsed.file));
        }
    });
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--peer") {
        let python = arguments.get(at + 1).expect("--peer is followed by a Python interpreter");
        peer(python, &rules, lines);
    }
}

fn report(name: &str, lines: usize, mut pass: impl FnMut()) {
    let best = (0..PASSES)
        .map(|_| {
            let begin = Instant::now();
            pass();
            begin.elapsed()
        })
        .min()
        .unwrap_or_default();
    println!("{:>9.1} ms  {:>11.0} lines/s  {name}", best.as_secs_f64() * 1e3, lines as f64 / best.as_secs_f64());
}

/// The same files through `yaraast`, timed inside of its own process, so that starting Python does not count.
fn peer(python: &str, rules: &[String], lines: usize) {
    let directory = std::env::temp_dir().join(format!("yaral-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the corpus");
    for (index, rule) in rules.iter().enumerate() {
        std::fs::write(directory.join(format!("{index:04}.yaral")), rule).expect("the corpus is written");
    }
    run_peer(python, &directory, lines);
    std::fs::remove_dir_all(&directory).expect("the corpus is removed");
}

const PEER: &str = r#"
import pathlib, sys, time
from importlib.metadata import version
from yaraast.yaral.parser import YaraLParser
from yaraast.yaral.validator import YaraLValidator
texts = [path.read_text() for path in sorted(pathlib.Path(sys.argv[1]).iterdir())]
lines = int(sys.argv[2])
def best(work):
    times, failed = [], 0
    for _ in range(2):
        failed, begin = 0, time.perf_counter()
        for text in texts:
            try:
                work(text)
            except Exception:
                failed += 1
        times.append(time.perf_counter() - begin)
    return min(times), failed
for name, work in (("parse", lambda text: YaraLParser(text).parse()),
                   ("parse and validate", lambda text: YaraLValidator().validate(YaraLParser(text).parse()))):
    seconds, failed = best(work)
    print(f"{seconds * 1e3:>9.1f} ms  {lines / seconds:>11.0f} lines/s  yaraast {version('yaraast')}: {name}, {failed} files refused")
"#;

fn run_peer(python: &str, directory: &Path, lines: usize) {
    let status = Command::new(python).arg("-c").arg(PEER).arg(directory).arg(lines.to_string()).status();
    let status = status.expect("the interpreter of --peer starts");
    assert!(status.success(), "the peer failed: {status}");
}

/// A small generator of numbers: the corpus is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.roll(100) < chance
    }
}

const EVENT_TYPES: &[&str] = &[
    "USER_LOGIN",
    "PROCESS_LAUNCH",
    "NETWORK_CONNECTION",
    "NETWORK_DNS",
    "NETWORK_HTTP",
    "FILE_CREATION",
    "REGISTRY_MODIFICATION",
    "USER_RESOURCE_ACCESS",
];
const TEXT_FIELDS: &[&str] = &[
    "principal.hostname",
    "target.hostname",
    "principal.user.userid",
    "target.user.userid",
    "target.process.command_line",
    "principal.process.file.full_path",
    "target.file.full_path",
    "target.registry.registry_key",
    "metadata.product_name",
    "metadata.product_event_type",
    "network.http.user_agent",
    "target.url",
    "target.resource.name",
];
const PATTERNS: &[&str] = &[
    r".*\\\\powershell\.exe$",
    r"-enc(odedcommand)?\s+[a-z0-9+/=]{40,}",
    r"^(cmd|wscript|cscript)\.exe",
    r"\\\\(temp|public)\\\\[^\\\\]+\.(exe|dll|scr)$",
    r"(whoami|net1?)\s+/(all|domain)",
    r"\.(ru|top|xyz)$",
    r"schtasks.*\/create",
    r"vssadmin.*delete\s+shadows",
];
const VALUES: &[&str] = &[
    "Okta",
    "GitHub",
    "AWS CloudTrail",
    "powershell.exe",
    "admin",
    "ConsoleLogin",
    "user.session.start",
    "svchost.exe",
    "DeleteTrail",
];
const LABELS: &[&str] = &["TacticId", "risk_level", "actor_type", "policy.name", "mfa"];

fn corpus() -> Vec<String> {
    let mut dice = Dice(7);
    let mut rules = Vec::new();
    let mut lines = 0;
    while lines < LINES {
        let rule = rule(&mut dice, rules.len());
        lines += rule.lines().count();
        rules.push(rule);
    }
    rules
}

fn rule(dice: &mut Dice, number: usize) -> String {
    let mut out = String::new();
    let (windowed, joined) = (dice.percent(32), dice.percent(8));
    let outcome = dice.percent(40) || windowed;
    if dice.percent(60) {
        out.push_str(
            "/*\n * One of the rules that the benchmark reads.\n * It stands for nothing but its length.\n */\n\n",
        );
    }
    let _ = writeln!(out, "rule made_for_measuring_{number} {{\n");
    meta(dice, &mut out, number);
    out.push_str("\n  events:\n");
    statements(dice, &mut out, "$e");
    if windowed || joined {
        out.push_str("\n    $e.principal.user.userid = $user\n");
    }
    if joined {
        out.push_str("    $other.metadata.event_type = \"NETWORK_HTTP\"\n    $other.principal.user.userid = $user\n");
        out.push_str("    $e.metadata.event_timestamp.seconds < $other.metadata.event_timestamp.seconds\n");
    }
    if windowed || joined {
        let window = dice.pick(&["5m", "5m", "5m", "15m", "30m", "1h", "1h", "10m", "24h"]);
        let _ = write!(out, "\n  match:\n    $user over {window}\n");
    }
    if outcome || joined {
        outcomes(dice, &mut out, windowed || joined);
    }
    let threshold = dice.roll(9) + 1;
    let condition = match (joined, windowed) {
        (true, _) => "$e and $other".to_owned(),
        (false, true) => format!("#e > {threshold}"),
        (false, false) => "$e".to_owned(),
    };
    let _ = write!(out, "\n  condition:\n    {condition}\n}}\n");
    out
}

fn meta(dice: &mut Dice, out: &mut String, number: usize) {
    out.push_str("  meta:\n    author = \"a benchmark\"\n");
    let _ = writeln!(
        out,
        "    description = \"Finds nothing in particular; number {number}, written to have the length of a real sentence.\""
    );
    let _ = writeln!(out, "    rule_id = \"mr_{number:032x}\"\n    rule_name = \"Made for measuring {number}\"");
    let _ = writeln!(
        out,
        "    mitre_attack_tactic = \"{}\"",
        dice.pick(&["Persistence", "Discovery", "Exfiltration", "Defense Evasion"])
    );
    let _ = writeln!(out, "    mitre_attack_technique = \"T{}\"", 1000 + dice.roll(600));
    out.push_str("    type = \"Alert\"\n    data_source = \"endpoint\"\n");
    let _ = writeln!(
        out,
        "    severity = \"{}\"\n    priority = \"{}\"",
        dice.pick(&["Low", "Medium", "High"]),
        dice.pick(&["Low", "High"])
    );
}

fn statements(dice: &mut Dice, out: &mut String, event: &str) {
    let _ = writeln!(out, "    {event}.metadata.event_type = \"{}\"", dice.pick(EVENT_TYPES));
    for _ in 0..2 + dice.roll(6) {
        let (field, pattern, value) = (dice.pick(TEXT_FIELDS), dice.pick(PATTERNS), dice.pick(VALUES));
        let _ = match dice.roll(12) {
            0..=3 => writeln!(out, "    re.regex({event}.{field}, `{pattern}`) nocase"),
            4 => {
                writeln!(out, "    {event}.{field} = /{}/ nocase", pattern.replace('/', "\\/").replace("\\\\/", "\\/"))
            }
            5 => writeln!(out, "    strings.contains(strings.to_lower({event}.{field}), \"{value}\")"),
            6 => writeln!(out, "    not {event}.{field} = \"{value}\" // known and harmless"),
            7 => writeln!(out, "    {event}.security_result.detection_fields[\"{}\"] = \"{value}\"", dice.pick(LABELS)),
            8 => writeln!(out, "    any {event}.security_result.action = \"ALLOW\""),
            9 => writeln!(out, "    not net.ip_in_range_cidr({event}.principal.ip, \"10.0.0.0/8\")"),
            10 => writeln!(out, "    not {event}.{field} in %allowed_{}", dice.roll(20)),
            _ => group(dice, out, event),
        };
    }
}

fn group(dice: &mut Dice, out: &mut String, event: &str) -> std::fmt::Result {
    writeln!(out, "    (")?;
    for _ in 0..2 + dice.roll(4) {
        let (field, value) = (dice.pick(TEXT_FIELDS), dice.pick(VALUES));
        if dice.percent(50) {
            writeln!(out, "      {event}.{field} = \"{value}\" or")?;
        } else {
            writeln!(
                out,
                "      (re.regex({event}.{field}, `{}`) nocase and {event}.target.port != {}) or",
                dice.pick(PATTERNS),
                dice.roll(65_000)
            )?;
        }
    }
    writeln!(out, "      {event}.target.process.file.full_path = /rundll32\\.exe$/ nocase\n    )")
}

fn outcomes(dice: &mut Dice, out: &mut String, windowed: bool) {
    let score = dice.roll(10) * 10;
    if windowed {
        let _ = writeln!(
            out,
            "\n  outcome:\n    $risk_score = max(\n      {score} +\n      if($e.target.hostname = /^dc[0-9]+/, 30, 5) +\n      if($e.principal.user.userid = \"root\", 15)\n    )"
        );
    } else {
        let _ = writeln!(out, "\n  outcome:\n    $risk_score = {score}");
    }
    for index in 0..3 + dice.roll(6) {
        let aggregate = dice.pick(&["array_distinct", "array_distinct", "array_distinct", "count_distinct"]);
        let _ = writeln!(out, "    $kept_{index} = {aggregate}($e.{})", dice.pick(TEXT_FIELDS));
    }
}
