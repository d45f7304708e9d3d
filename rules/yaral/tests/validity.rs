//! What Google's documentation says of small pieces of rules: this one is fine, this one is not, and why.
//!
//! Each line is put into a minimal rule whose condition asks for every event variable, unless the line has its own condition. An
//! error is expected alone: one mistake, one message.

use watchbell_yaral::{
    Code, Diagnostic, Level, check,
    eval::{CompileError, Program},
    parse,
};

/// What is expected of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Expected {
    /// Neither error nor warning, advice apart.
    Fine,
    /// This error and no other.
    Error(Code),
    /// This warning, and no error.
    Warning(Code),
}
use Expected::{Error, Fine, Warning};

/// Number, statements of events, further sections, what is expected.
type Line = (&'static str, &'static str, &'static str, Expected);

/// The rule around a line.
fn rule(events: &str, rest: &str) -> String {
    let condition = if rest.contains("condition:") { String::new() } else { format!("condition: {}\n", asked(events)) };
    let (before, after) = rest
        .split_once("options:")
        .map_or((rest, String::new()), |(before, after)| (before, format!("options:{after}")));
    format!("rule t {{\nmeta:\nevents:\n{events}\n{before}\n{condition}{after}\n}}\n")
}

/// Every variable with a path, joined by `and`.
fn asked(events: &str) -> String {
    let mut names: Vec<&str> = Vec::new();
    for (at, _) in events.match_indices('$') {
        let rest = &events[at..];
        let end =
            rest[1..].find(|letter: char| !letter.is_alphanumeric() && letter != '_').map_or(rest.len(), |end| end + 1);
        if rest[end..].starts_with('.') && !names.contains(&&rest[..end]) {
            names.push(&rest[..end]);
        }
    }
    if names.is_empty() { "$e".to_owned() } else { names.join(" and ") }
}

fn told(text: &str) -> Vec<Diagnostic> {
    let parsed = parse(text);
    let mut all = parsed.diagnostics;
    all.extend(check(&parsed.file).diagnostics);
    all
}

fn is_advice(diagnostic: &Diagnostic) -> bool {
    diagnostic.level == Level::Warning && diagnostic.code.id().starts_with("Y10")
}

fn verdict(line: &Line) -> Result<(), String> {
    let (id, events, rest, expected) = line;
    let text = rule(events, rest);
    let found: Vec<Diagnostic> = told(&text).into_iter().filter(|diagnostic| !is_advice(diagnostic)).collect();
    let errors: Vec<Code> = found.iter().filter(|one| one.is_error()).map(|one| one.code).collect();
    let warnings: Vec<Code> = found.iter().filter(|one| !one.is_error()).map(|one| one.code).collect();
    let right = match expected {
        Fine => found.is_empty(),
        Error(code) => errors == [*code],
        Warning(code) => errors.is_empty() && warnings.contains(code),
    };
    let messages: Vec<String> =
        found.iter().map(|one| format!("{:?} {}: {}", one.level, one.code.id(), one.message)).collect();
    if right { Ok(()) } else { Err(format!("{id}: expected {expected:?}, got {messages:#?} of\n{text}")) }
}

fn assert_all(lines: &[Line]) {
    let wrong: Vec<String> = lines.iter().filter_map(|line| verdict(line).err()).collect();
    assert!(wrong.is_empty(), "{} of {} wrong\n{}", wrong.len(), lines.len(), wrong.join("\n"));
}

const HOST: &str = "$e.principal.hostname = $h";
const TWO: &str = "$e1.principal.hostname = $h  $e2.principal.hostname = $h";
const THREE: &str = "$e1.principal.hostname = $h  $e2.principal.hostname = $h  $e3.principal.hostname = $h";
const ENTITY: &str = "$u.udm.principal.hostname = $h  $g.graph.entity.hostname = $h";

const EVENTS: &[Line] = &[
    ("A01", "$e.principal.hostname = $h", "", Fine),
    ("A02", "$u = $e.principal.user.userid", "", Fine),
    ("A03", "1024 < $e.target.port", "", Fine),
    ("A04", "not $e.metadata.event_type = \"NETWORK_DNS\"", "", Fine),
    ("A05", "$a.principal.hostname = $b.src.hostname\n$b.principal.ip = $c.src.ip", "", Fine),
    ("A06", "re.capture($a.src.hostname, \".*\") = $b.target.hostname", "", Fine),
    ("A07", "$a.principal.hostname = $b.src.hostname or $a.principal.hostname = $b.target.hostname", "", Fine),
    ("A08", "$a.src.ip = $ip\n$b.target.ip = $ip\n$c.about.ip = $ip", "", Fine),
    ("A09", "re.capture($b.principal.application, \".*\") = $app\n$a.principal.hostname = $app", "", Fine),
    ("A10", "$a.principal.port = $b.src.port + 1", "", Error(Code::ArithmeticJoin)),
    ("A11", "$a.src.ip = $ip\n$b.target.ip = $ip\n$c.about.ip = \"192.1.2.0\"", "", Error(Code::UnjoinedEvents)),
    ("A12", "$a.src.port = $p\n$b.principal.port + 800 = $p", "", Error(Code::ArithmeticJoin)),
    ("A13", "$e.principal.hostname = \"a\"\n\"a\" = \"b\"", "", Error(Code::LiteralsCompared)),
    ("A14", "$e.target.port = \"80\"", "", Error(Code::TypeMismatch)),
    ("A15", "$e.metadata.event_type = \"LOGIN\"", "", Error(Code::UnknownEnumValue)),
    ("A16", "$e.metadata.event_typee = \"USER_LOGIN\"", "", Error(Code::UnknownField)),
    ("A17", "$e.metadata.event_type = \"NETWORK_DNS\" nocase", "", Error(Code::NocaseNotText)),
    ("A18", "$e.network.ip_protocol = \"TCP\" nocase", "", Error(Code::NocaseNotText)),
    ("A19", "$e.principal.hostname != \"http-server\" nocase", "", Fine),
    ("A20", "$a.principal.hostname = $b.target.hostname nocase", "", Fine),
    ("A21", "$e.principal.hostname = /dns-[0-9]+/ nocase", "", Fine),
    ("A22", "re.regex($e.target.hostname, `c-[0-9]+`) nocase", "", Fine),
    ("A23", "re.regex(any $e.about.hostname, `s-[0-9]+`)", "", Fine),
    ("A24", "any re.regex($e.about.hostname, `s-[0-9]+`)", "", Error(Code::QuantifierPlace)),
    ("A25", "any $a.principal.ip = $b.principal.ip", "", Error(Code::JoinQuantifier)),
    ("A26", "any $e.principal.ip = $ip", "", Error(Code::JoinQuantifier)),
    ("A27", "any $e.principal.ip in %l", "", Error(Code::QuantifierPlace)),
    ("A28", "any $e.principal.hostname = \"x\"", "", Error(Code::QuantifierScalar)),
    ("A29", "any $e.intermediary.ip[0] = \"x\"", "", Error(Code::IndexMisuse)),
    ("A29b", "any $e.principal.ip[0] = \"x\"", "", Error(Code::QuantifierPlace)),
    ("A30", "all $e.udm.additional.fields[\"pod_name\"] = \"x\"", "", Error(Code::QuantifierPlace)),
    ("A31", "$e.principal.ip[-1] = \"x\"", "", Error(Code::InvalidIndex)),
    ("A32", "$e.intermediary.ip[0] = \"x\"", "", Error(Code::IndexMisuse)),
    ("A33", "$e.additional.fields[0][\"k\"] = \"x\"", "", Error(Code::InvalidIndex)),
    ("A33b", "$e.additional.fields[0] = \"x\"", "", Error(Code::IndexMisuse)),
    ("A34", "$e.intermediary[0].ip[0] = \"x\"", "", Fine),
    ("A35", "$e.udm.additional.fields[\"pod_name\"] = \"kube\"", "", Fine),
    ("A36", "$p = $e.metadata.ingestion_labels[\"k\"]", "", Fine),
    ("A37", "$a.metadata.event_type = $b.udm.additional.fields[\"pod_name\"]", "", Fine),
    ("A38", "$e.principal.hostname != $v", "", Error(Code::UnboundPlaceholder)),
    ("A39", "$p1 = $e.principal.hostname\n$p2 = $e.src.hostname\n$p1 = strings.concat($p2, \".com\")", "", Fine),
    (
        "A40",
        "$p1 = $e.network.email.from\n$p2 = strings.concat($e.principal.hostname, \"@x.com\")\n$p1 = strings.to_lower($p2)",
        "",
        Fine,
    ),
    (
        "A41",
        "$p1 = strings.concat($e.principal.hostname, \"foo\")\n$p2 = strings.concat($p1, \"bar\")",
        "",
        Error(Code::UnboundPlaceholder),
    ),
    ("A42", "$e.principal.hostname = \"a\"\n$p = strings.concat(\"a\", \"b\")", "", Error(Code::NoEvent)),
    ("A43", "$p = strings.concat($a.principal.hostname, $b.src.hostname)", "", Error(Code::SeveralEvents)),
    ("A44", "\"t\" = strings.coalesce($a.principal.hostname, $b.principal.hostname)", "", Error(Code::SeveralEvents)),
    ("A45", "$p = strings.concat($e.principal.hostname, $e.src.hostname)", "", Fine),
    ("A46", "\"x\" = re.capture($e.principal.hostname, \"(a)(b)\")", "", Error(Code::CaptureGroups)),
    (
        "A47",
        "($e.metadata.ingested_timestamp.seconds - $e.metadata.event_timestamp.seconds) / 3600 > 1",
        "",
        Error(Code::LeadingParenthesis),
    ),
    ("A48", "1 < ($e.metadata.ingested_timestamp.seconds - $e.metadata.event_timestamp.seconds) / 3600", "", Fine),
    ("A49", "$e.metadata.ingested_timestamp.seconds / 3600 - $e.metadata.event_timestamp.seconds / 3600 > 1", "", Fine),
    ("A50", "1 / 3600 * ($e.metadata.ingested_timestamp.seconds - $e.metadata.event_timestamp.seconds) > 1", "", Fine),
    // The pages refuse it in one place and show it in another.
    ("A51", "$t = $e.network.received_bytes * 2", "", Warning(Code::UnsignedArithmetic)),
    ("A52", "$t = $e.network.received_bytes * (2/1)", "", Fine),
    ("A53", "86400 < timestamp.current_seconds() - $e.network.tls.client.certificate.not_after.seconds", "", Fine),
    ("A54", "300 < math.abs($e.metadata.event_timestamp.seconds - 1643687343)", "", Fine),
    (
        "A55",
        "math.abs($a.metadata.event_timestamp.seconds - $b.metadata.event_timestamp.seconds) > 300",
        "",
        Error(Code::SeveralEvents),
    ),
    ("A56", "strings.coalesce($e.principal.ip, $e.src.ip, $e.target.ip, \"No IP\") in %watch", "", Fine),
    ("A57", "not $e.principal.hostname in regex %l", "", Fine),
    ("A58", "$e.principal.hostname in %l nocase", "", Fine),
    ("A59", "$e.principal.ip in cidr %t.col", "", Fine),
    ("A60", "($e.principal.hostname in %a or $e.principal.hostname in %b)", "", Fine),
    ("A61", "($e.principal.hostname = \"v\" or $e.principal.hostname in %l)", "", Warning(Code::LookupMixed)),
    ("A62", "($e.principal.hostname in %a and $e.target.hostname in %b)", "", Warning(Code::LookupMixed)),
    ("A63", "$AND = $e.principal.hostname", "", Error(Code::ReservedWord)),
    ("A64", "$outcome = $e.principal.hostname", "", Error(Code::ReservedWord)),
    ("A65", "$e.principal.hostname = \"a\" OR $e.principal.hostname = \"b\"", "", Fine),
    ("A66", "$e.principal.hostname = \"a\"\n$x = \"a\"", "", Error(Code::UnboundPlaceholder)),
    ("A67a", "re.regex($e.network.email.from, `.*x\\.com`)", "", Fine),
    ("A67b", "re.regex($e.network.email.from, \".*x\\\\.com\")", "", Fine),
    ("A67c", "$e.network.email.from = /.*x\\.com/", "", Fine),
    ("A68", "re.capture($e.target.process.command_line, /-enc (\\S+)/) = $b", "", Fine),
    ("A69", "$e.principal.hostname = /(?=x)/", "", Error(Code::InvalidRegex)),
    (
        "A70",
        "$ip = if($e.target.ip != \"\", $e.target.ip, if($e.principal.ip != \"\", $e.principal.ip, \"none\"))",
        "",
        Fine,
    ),
];

const SECTIONS: &[Line] = &[
    ("A71", "$e.principal.hostname = $a  $e.src.hostname = $b", "match: $a, $b over 5m", Fine),
    ("A72", "$e.principal.user.userid = $user", "match: $user over 1h", Fine),
    ("A73", "$e.principal.hostname = $a  $e.src.hostname = $b", "match: a over 5m", Error(Code::UnexpectedToken)),
    ("A74", "$e.principal.user.userid = $user", "match: $user 1h", Error(Code::MissingWindow)),
    ("A75", TWO, "match: $h over 5m after $e1", Fine),
    ("A76", TWO, "match: $h over 1h before $e2", Fine),
    ("A77", HOST, "match: $h by 30m", Fine),
    // Pages on schedules speak of longer windows.
    ("A78", HOST, "match: $h over 49h", Warning(Code::LongWindow)),
    ("A78b", "$h = $d.detection.detection.rule_name", "match: $h over 3d", Fine),
    ("A78b", HOST, "match: $h over 15d", Error(Code::WindowLength)),
    ("A79", HOST, "match: $h over 30s", Error(Code::InvalidNumber)),
    ("A79b", HOST, "match: $h over 0m", Error(Code::WindowLength)),
    ("A80", ENTITY, "match: $h over 3h after $g", Error(Code::WindowPivot)),
    ("A81", ENTITY, "match: $h over 3h after $u", Fine),
    ("A82", TWO, "match: $h over 10m after $e1 condition: !$e1 and $e2", Error(Code::WindowPivot)),
    ("A83", HOST, "match: $h over 5m outcome: $x = array($e.principal.hostname)", Fine),
    ("A84", HOST, "match: $h over 5m outcome: $x = $e.principal.hostname", Error(Code::OutcomeAggregate)),
    ("A85", HOST, "outcome: $x = $e.principal.hostname", Fine),
    ("A86", HOST, "outcome: $x = $e.principal.ip", Error(Code::OutcomeAggregate)),
    ("A87", HOST, "outcome: $x = array_distinct($e.principal.ip)", Fine),
    ("A88", HOST, "outcome: $n = count($e.metadata.id) $s = if($n > 5, \"H\", \"L\")", Fine),
    ("A89", HOST, "outcome: $n = count($e.metadata.id) $m = max($n)", Error(Code::OutcomeReaggregated)),
    ("A90", HOST, "outcome: $s = if($n > 5, 1, 0) $n = count($e.metadata.id)", Error(Code::OutcomeOrder)),
    ("A91", HOST, "outcome: $x = if($e.principal.hostname = \"a\", 5)", Fine),
    ("A92", HOST, "outcome: $x = if($e.principal.hostname = \"a\", \"x\")", Error(Code::MissingElse)),
    (
        "A93",
        "$e.principal.hostname = $h  $p = $e.target.port",
        "outcome: $x = if($e.principal.hostname = \"a\", $p)",
        Error(Code::MissingElse),
    ),
    ("A94", HOST, "outcome: $x = if($e.principal.hostname = \"a\", 1, \"x\")", Error(Code::BranchTypes)),
    ("A95", HOST, "outcome: $x = $e.principal.user.department[0]", Error(Code::OutcomeIndex)),
    ("A96", "$d = $e.principal.user.department[0]", "outcome: $x = $d", Fine),
    (
        "A97",
        HOST,
        "outcome: $o = array_distinct($e.principal.ip) $x = arrays.length($o)",
        Error(Code::OutcomeReaggregated),
    ),
    (
        "A98",
        HOST,
        "outcome: $o1=1 $o2=1 $o3=1 $o4=1 $o5=1 $o6=1 $o7=1 $o8=1 $o9=1 $o10=1 $o11=1 $o12=1 $o13=1 $o14=1 $o15=1 \
         $o16=1 $o17=1 $o18=1 $o19=1 $o20=1 $o21=1",
        Error(Code::TooManyOutcomes),
    ),
    (
        "A99",
        "$e.principal.hostname = $h  $sev = $e.security_result.severity",
        "match: $h over 5m outcome: $x = max(100 + if($sev = \"HIGH\", 10, 5) - if($sev = \"LOW\", 20, 0))",
        Fine,
    ),
    (
        "A100",
        "$e.principal.ip = $ip  metrics.dns_queries_total(period:1d, window:30d, metric:event_count_sum, agg:max, \
         principal.asset.ip:$ip) > 5",
        "",
        Error(Code::MetricPlace),
    ),
    (
        "A101",
        HOST,
        "outcome: $risk_score = 60 $ids = array_distinct($e.metadata.id) \
         condition: $e and $risk_score > 50 and not arrays.contains($ids, \"id_1234\")",
        Fine,
    ),
    ("A102", HOST, "condition: 1 <= #e", Fine),
    ("A103", HOST, "condition: 0 < #e", Fine),
    ("A104", "$ph2 = $e.principal.hostname  $ph3 = $e.src.hostname", "condition: $ph2 or $ph3", Fine),
    ("A105", HOST, "match: $h over 5m condition: $e and $h", Error(Code::MatchInCondition)),
    ("A106", TWO, "match: $h over 5m condition: not $e1 and $e2", Error(Code::ConditionNot)),
    ("A107", ENTITY, "match: $h over 5m condition: $u or $g", Error(Code::ConditionOr)),
    ("A108", TWO, "match: $h over 5m condition: $e1 or $e2", Fine),
    ("A109", THREE, "match: $h over 5m condition: $e1 or $e2 or $e3", Error(Code::ConditionOr)),
    ("A110", TWO, "match: $h over 5m condition: $e1 or !$e2", Error(Code::ConditionOr)),
    ("A111", TWO, "match: $h by 5m condition: $e1 or $e2", Error(Code::ConditionOr)),
    (
        "A112",
        TWO,
        "match: $h over 5m outcome: $n = count($e2.metadata.id) condition: $e1 and ANY OF [$e2, $n > 3]",
        Fine,
    ),
    ("A113", THREE, "match: $h over 5m condition: 2 of [$e1, #e2 > 0, $e3]", Fine),
    (
        "A114",
        TWO,
        "match: $h over 5m outcome: $out = count($e2.metadata.id) condition: ($e1 or $e2) and $out > 0",
        Fine,
    ),
    (
        "A115",
        "$u1.principal.hostname = $h  $u2.principal.hostname = $h  $u2.target.port = $port",
        "match: $h over 5m condition: $u1, $u2, #port > 50",
        Error(Code::UnexpectedToken),
    ),
    ("A116", TWO, "match: $h over 5m condition: $e1", Error(Code::EventNotInCondition)),
    ("A117", HOST, "match: $h over 5m options: allow_zero_values = true", Fine),
    ("A118", HOST, "match: $h over 5m options: foo = true", Error(Code::UnknownOption)),
    ("A119", TWO, "match: $h over 10m options: suppression_window = 5m", Error(Code::SuppressionWindow)),
    ("A120a", "$window_start = $e.principal.hostname", "", Error(Code::ReservedWord)),
    ("A120b", "$e.principal.hostname = \"x\"\nwindow_start > \"2026-01-01 00:00:00Z\"", "", Error(Code::BareWord)),
];

/// Two events and two entities, of which some may be absent.
const PARTNERS: &str = "$u1.principal.user.userid = $user  $u1.target.port = $port  $g1.graph.entity.port = $port
    $u1.principal.ip = $ip  $u2.principal.ip = $ip  $g2.graph.entity.ip = $ip
    $u1.metadata.event_type = $u2.metadata.event_type
    $u1.principal.hostname = $g1.graph.entity.hostname
    $u1.principal.hostname = $g2.graph.entity.hostname  $u2.principal.hostname = $g2.graph.entity.hostname";

const ABSENCE: &[(&str, &str, Expected)] = &[
    ("A121", "$u1 and !$u2 and $g1 and $g2", Fine),
    ("A122", "$u1 and !$u2 and $g1 and !$g2", Fine),
    ("A123", "#port > 50 and #ip = 0", Fine),
    // Two variables are not asked for; each is told.
    ("A124", "$u1 and $g1", Error(Code::EventNotInCondition)),
    ("A125", "!$u1 and !$u2 and $g1 and $g2", Error(Code::NoBoundedEvent)),
    ("A126", "($u1 or #port < 50) and $u2 and $g1 and $g2", Error(Code::ConditionOr)),
    // An older page refuses it, a newer one allows two event variables.
    ("A127", "($u1 or $u2) and $g1 and $g2", Fine),
    ("A128", "not $u1 and $u2 and $g1 and $g2", Error(Code::ConditionNot)),
    ("A129", "#port < 50 and #ip = 0", Error(Code::NoBoundedEvent)),
];

/// What is fine must run, too.
#[test]
fn what_is_fine_runs() {
    for (id, events, rest, expected) in EVENTS.iter().chain(SECTIONS) {
        let text = rule(events, rest);
        if *expected == Fine {
            let program = Program::compile(&parse(&text).file.rules[0]);
            assert!(program.is_ok(), "{id}: {}\n{text}", program.unwrap_err());
        }
        // What has a warning runs, or the service is needed for it.
        if matches!(expected, Warning(_)) {
            let program = Program::compile(&parse(&text).file.rules[0]);
            assert!(!matches!(program, Err(CompileError::Unsound { .. })), "{id}: {}\n{text}", program.unwrap_err());
        }
    }
}

#[test]
fn events_are_judged_as_documented() {
    assert_all(EVENTS);
}

#[test]
fn sections_are_judged_as_documented() {
    assert_all(SECTIONS);
}

#[test]
fn absence_is_judged_as_documented() {
    for (id, condition, expected) in ABSENCE {
        let text = rule(PARTNERS, &format!("match: $user over 5m condition: {condition}"));
        let errors: Vec<Code> = told(&text).iter().filter(|one| one.is_error()).map(|one| one.code).collect();
        match expected {
            Error(code) => assert!(!errors.is_empty() && errors.iter().all(|one| one == code), "{id}: {errors:?}"),
            _ => assert!(errors.is_empty(), "{id}: {errors:?}"),
        }
    }
}

#[test]
fn a_sum_is_told_once() {
    let sum = "$t = $e.network.sent_bytes + 1 + $e.network.received_bytes + 2";
    let found = told(&rule(sum, ""));
    assert_eq!(found.iter().filter(|one| one.code == Code::UnsignedArithmetic).count(), 1, "{found:#?}");
}

#[test]
fn setup_joins_columns_and_not_tables() {
    let of = |join: &str| {
        let text = rule(ENTITY, "match: $h over 5m");
        told(&text.replace("events:", &format!("setup: graph_override($g.graph.entity.hostname = {join})\nevents:")))
            .into_iter()
            .filter(|one| one.is_error())
            .map(|one| one.code)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("%assets.hostname"), []);
    assert_eq!(of("%assets"), [Code::SetupForm]);
}
