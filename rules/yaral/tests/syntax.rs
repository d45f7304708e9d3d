//! The grammar: what parses into which tree, what is said of what does not.

use proptest::prelude::*;
use watchbell_yaral::{
    diagnostic::{FileReport, render},
    format::format,
    parse,
    syntax::{
        Parsed,
        tree::{ArithmeticOp, ExprKind},
    },
};

const FULL: &str = r#"
// Everything at once.
rule everything_1 {
  meta:
    author = "somebody"
    description = `raw`
  setup:
    graph_override ($g.graph.entity.ip = %owners.ip and %owners.host = $g.graph.entity.hostname)
    graph_append [$g, %more]
  EVENTS:
    $e.metadata.event_type = "USER_LOGIN" // trailing
    $e.principal.hostname = /dns-[0-9]+\/x/ nocase
    any $e.principal.ip = "10.0.0.1"
    not $e.target.user.userid IN %service.accounts nocase
    $e.principal.ip in cidr %nets or $e.target.hostname in regex %hosts
    ($e.a.b = "x" OR re.regex($e.a.c[0], `y`) nocase) and $e.x.fields["k"] != ""
    1 < ($e.metadata.a.seconds - $e.metadata.b.seconds) / 3600
    $user = $e.target.user.userid
    %owners.uid = $user
    $e.x is not null
    $g.graph.entity.user.userid = $user
    if($e.x = "a", 1, 0) = 1
  match:
    $user, $host over 5m after $e
  outcome:
    $risk_score = max(100 + if($sev = "HIGH", 10, 5) - if($sev = "LOW", 20))
    $n = count($e.metadata.id)
    $m = max(metrics.auth_attempts_success(period:1d, window:30d metric:event_count_sum, agg:avg,
      principal.asset.ip: $ip, filter: event_count_sum > 10 AND value_sum != 5))
  condition:
    ($e and #g > 0 and !$x) or 2 of [$e, $n > 3, #e >= 5] and any of [$e, $g] and not arrays.contains($ids, "id") and window_start > "2026-01-01 00:00:00Z"
  options:
    allow_zero_values = true
    suppression_window = 5m
  export:
    %seen.write_row(user: $user, ip: $ip)
}
rule two{meta: events: $e.a = "b" $e.c = 1 condition: $e}
"#;

fn told(parsed: &Parsed) -> Vec<String> {
    parsed
        .diagnostics
        .iter()
        .map(|told| format!("{} {}..{} {}", told.code.id(), told.span.start, told.span.end, told.message))
        .collect()
}

#[test]
fn the_whole_language_is_read() {
    let parsed = parse(FULL);
    assert_eq!(told(&parsed), Vec::<String>::new());
    assert_eq!(parsed.file.rules.len(), 2);
    let rule = &parsed.file.rules[0];
    assert_eq!(rule.name.text, "everything_1");
    assert_eq!(rule.meta.as_ref().unwrap().body.len(), 2);
    assert_eq!(rule.setup.as_ref().unwrap().body.len(), 2);
    assert_eq!(rule.events.as_ref().unwrap().body.len(), 12);
    assert_eq!(rule.outcome.as_ref().unwrap().body.len(), 3);
    assert_eq!(rule.options.as_ref().unwrap().body.len(), 2);
    assert_eq!(rule.export.as_ref().unwrap().body[0].columns.len(), 2);
    assert_eq!(parsed.file.rules[1].events.as_ref().unwrap().body.len(), 2);
}

/// Snippets of events in the least rule around them.
fn events(snippet: &str) -> String {
    format!("rule t {{ meta: events: {snippet} condition: $e }}")
}

/// What the grammar takes; much of it is refused later, for other reasons.
const READ: &[&str] = &[
    r#"$e.principal.hostname = $h"#,
    r#"1024 < $e.target.port"#,
    r#"not $e.metadata.event_type = "NETWORK_DNS""#,
    "$a.principal.hostname = $b.src.hostname   $b.principal.ip = $c.src.ip",
    r#"re.capture($a.src.hostname, ".*") = $b.target.hostname"#,
    "$a.principal.hostname = $b.src.hostname or $a.principal.hostname = $b.target.hostname",
    r#"re.capture($b.principal.application, ".*") = $app   $a.principal.hostname = $app"#,
    "$a.principal.port = $b.src.port + 1",
    "$a.src.port = $p   $b.principal.port + 800 = $p",
    r#""a" = "b""#,
    r#"$e.target.port = "80""#,
    r#"$e.metadata.event_type = "NETWORK_DNS" nocase"#,
    "$e.principal.hostname = /dns-[0-9]+/ nocase",
    "re.regex($e.target.hostname, `c-[0-9]+`) nocase",
    "re.regex(any $e.about.hostname, `s-[0-9]+`)",
    "any re.regex($e.about.hostname, `s-[0-9]+`)",
    "any $a.principal.ip = $b.principal.ip",
    "any $e.principal.ip in %l",
    r#"any $e.intermediary.ip[0] = "x""#,
    r#"all $e.udm.additional.fields["pod_name"] = "x""#,
    r#"$e.intermediary[0].ip[0] = "x""#,
    r#"$p = $e.metadata.ingestion_labels["k"]"#,
    r#"$p1 = $e.principal.hostname  $p2 = $e.src.hostname  $p1 = strings.concat($p2, ".com")"#,
    r#""t" = strings.coalesce($a.principal.hostname, $b.principal.hostname)"#,
    "1 < ($e.metadata.ingested_timestamp.seconds - $e.metadata.event_timestamp.seconds) / 3600",
    "$e.metadata.ingested_timestamp.seconds / 3600 - $e.metadata.event_timestamp.seconds / 3600 > 1",
    "1 / 3600 * ($e.metadata.ingested_timestamp.seconds - $e.metadata.event_timestamp.seconds) > 1",
    "$t = $e.network.received_bytes * (2/1)",
    "86400 < timestamp.current_seconds() - $e.network.tls.client.certificate.not_after.seconds",
    r#"strings.coalesce($e.principal.ip, $e.src.ip, "No IP") in %watch"#,
    "not $e.principal.hostname in regex %l",
    "$e.principal.hostname in %l nocase",
    "$e.principal.hostname NOT IN %l",
    "$e.principal.ip in cidr %t.col",
    "($e.principal.hostname in %a or $e.principal.hostname in %b)",
    r#"$e.principal.hostname = "a" OR $e.principal.hostname = "b""#,
    "$x = \"a\"",
    r"re.capture($e.target.process.command_line, /-enc (\S+)/) = $b",
    "$e.principal.hostname = /(?=x)/",
    r#"$ip = if($e.target.ip != "", $e.target.ip, if($e.principal.ip != "", $e.principal.ip, "none"))"#,
    "$e.metadata.x = $userid  %t.uid = $userid",
    "$e.a % 2 = 1  $e.b%2 = 0",
];

#[test]
fn what_the_grammar_takes_is_read() {
    for snippet in READ {
        let parsed = parse(&events(snippet));
        assert_eq!(told(&parsed), Vec::<String>::new(), "{snippet}");
    }
}

#[test]
fn what_the_grammar_refuses_has_its_code() {
    let refused = [
        (r#"$e.principal.ip[-1] = "x""#, "Y0117"),
        (r#"$e.additional.fields[0]["k"] = "x""#, "Y0117"),
        ("($e.metadata.a.seconds - $e.metadata.b.seconds) / 3600 > 1", "Y0111"),
        ("$AND = $e.principal.hostname", "Y0110"),
        ("$outcome = $e.principal.hostname", "Y0110"),
        ("$window_start = $e.principal.hostname", "Y0110"),
        ("$e.target.port = -5", "Y0104"),
        ("$e.target.port = 99999999999999999999", "Y0104"),
        ("metadata.event_type = \"x\"", "Y0112"),
    ];
    for (snippet, code) in refused {
        let parsed = parse(&events(snippet));
        assert_eq!(told(&parsed).len(), 1, "{snippet}: {:?}", told(&parsed));
        assert_eq!(parsed.diagnostics[0].code.id(), code, "{snippet}");
    }
}

/// The sections after `events`, and the code that the grammar has for them; none when it takes them.
const TAILS: &[(&str, &str)] = &[
    ("match: $a, $b over 5m condition: $e", ""),
    ("match: $h over 5m after $e1 condition: $e", ""),
    ("match: $h over 1h before $e2 condition: $e", ""),
    ("match: $h by 30m condition: $e", ""),
    ("match: $h by 30m tumbling condition: $e", ""),
    ("match: $h over 49h condition: $e", ""),
    ("match: a over 5m condition: $e", "Y0101"),
    ("match: $user 1h condition: $e", "Y0116"),
    ("match: $user condition: $e", "Y0116"),
    ("match: $user over 30s condition: $e", "Y0104"),
    ("outcome: $n = count($e.metadata.id)  $s = if($n > 5, \"H\", \"L\") condition: $e", ""),
    ("outcome: $x = max(100 + if($sev = \"HIGH\", 10, 5) - if($sev = \"LOW\", 20, 0)) condition: $e", ""),
    ("outcome: $x = if($e.a = \"a\", 1, \"x\") condition: $e", ""),
    ("outcome: $x = window_start condition: $e", ""),
    ("condition: $e and $risk_score > 50 and not arrays.contains($ids, \"id_1234\")", ""),
    ("condition: 1 <= #e", ""),
    ("condition: 0 < #e", ""),
    ("condition: $ph2 or $ph3", ""),
    ("condition: not $e1 and $e2", ""),
    ("condition: $e1 or !$e2", ""),
    ("condition: $e1 and ANY OF [$e2, $n > 3]", ""),
    ("condition: 2 of [$e1, #e2 > 0, $e3]", ""),
    ("condition: all of [$e1, $e2]", ""),
    ("condition: ($e1 or $e2) and $out > 0", ""),
    ("condition: $u1, $u2, #port > 50", "Y0101"),
    ("condition: $e options: allow_zero_values = true", ""),
    ("condition: $e options: suppression_window = 5m foo = true", ""),
    ("condition: $e export: %t.write_row(a: $b) options: foo = 1", ""),
    ("condition: window_end < \"2026-01-01 00:00:00Z\"", ""),
];

#[test]
fn the_later_sections_are_read() {
    for (tail, code) in TAILS {
        let parsed = parse(&format!("rule t {{ meta: events: $e.a = $h {tail} }}"));
        let codes: Vec<_> = parsed.diagnostics.iter().map(|told| told.code.id()).collect();
        assert_eq!(codes.join(" "), *code, "{tail}");
    }
}

/// A mistake in each, as people make them; the snapshots are read as a user would.
const MISTAKES: &[(&str, &str)] = &[
    ("double_equal", "    $e.metadata.event_type == \"USER_LOGIN\""),
    ("unterminated_text", "    $e.metadata.event_type = \"USER_LOGIN\n    $e.principal.hostname = \"x\""),
    ("unterminated_regex", "    $e.principal.hostname = /a\\/b\n    $e.principal.hostname = \"x\""),
    ("unclosed_call", "    re.regex($e.principal.hostname, `a`\n    $e.principal.hostname = \"x\""),
    ("unclosed_group", "    ($e.a.b = \"a\" or $e.a.b = \"b\"\n    $e.principal.hostname = \"x\""),
    ("closed_too_often", "    strings.contains($e.a.b, \"x\"))\n    $e.c = 1"),
    ("bare_literal", "    $e.metadata.event_type = \"A\" or \"B\""),
    ("list_in_place", "    $e.principal.ip in (\"a\", \"b\")"),
    ("no_variable", "    metadata.event_type = \"A\"\n    $e.x = hostname"),
    ("right_side_missing", "    $e.a =\n    $e.b = \"x\"\n    $e.c.\n    $e.d and\n    $e.f = 1"),
    ("foreign_operators", "    $e.a contains \"x\"\n    $e.a = 'x' && $e.b <> 1;"),
    ("arithmetic_first", "    ($e.a - $e.b) / 3600 > 1"),
    ("nocase_first", "    $e.a nocase = \"x\""),
    ("implicit_and", "    ($e.a = \"x\" $e.b = \"y\")"),
    ("negative", "    $e.target.port = -1\n    $e.principal.ip[-1] = \"x\""),
    ("comment_sign", "    # a comment\n    $e.a = 1"),
    ("count_in_events", "    #e > 5\n    !$e.x = 1"),
];

#[test]
fn mistakes_in_events_are_told() {
    for (name, snippet) in MISTAKES {
        let text =
            format!("rule t {{\n  meta:\n    author = \"a\"\n\n  events:\n{snippet}\n\n  condition:\n    $e\n}}\n");
        insta::assert_snapshot!(*name, shown(&text));
    }
}

fn shown(text: &str) -> String {
    let parsed = parse(text);
    let report = FileReport { name: "t.yaral", text, diagnostics: &parsed.diagnostics };
    render::pretty(report, render::Style::Plain)
}

const SECTIONS: &[(&str, &str)] = &[
    (
        "meta_values",
        "rule t {\n  meta:\n    author = me\n    severity: \"high\"\n    a\n    b = \"1\"\n    b = \"2\"\n  events:\n    $e.a = 1\n  condition:\n    $e\n}\n",
    ),
    ("section_names", "rule t {\n  meta:\n  event:\n    $e.a = 1\n  conditon:\n    $e\n}\n"),
    (
        "section_order",
        "rule my-rule {\n  events:\n    $e.a = 1\n  meta:\n  condition\n    $e\n  condition:\n    $e\n}\n",
    ),
    ("sections_missing", "rule t {\n  meta:\n    author = \"a\"\n}\n"),
    (
        "brace_missing",
        "rule a {\n  meta:\n  events:\n    $e.a = 1\n  condition:\n    $e\n\nrule b {\n  meta:\n  events:\n    $e.a = 1\n  condition:\n    $e\n",
    ),
    (
        "match_forms",
        "rule t {\n  meta:\n  events:\n    $e.a = $u\n  match:\n    u, $e.b over 5 m\n  outcome:\n    risk_score = 50\n    $x = $e.a > 5\n  condition:\n    $e, #e > 5 and any of $e\n}\n",
    ),
    ("search", "metadata.event_type = \"USER_LOGIN\"\n$x = principal.hostname\nmatch:\n  $x over 5m\n"),
    (
        "search_sections",
        "rule t {\n  meta:\n  events:\n    $e.a = $x\n  match:\n    $x over every day\n  condition:\n    $e\n  order:\n    $x desc\n}\n",
    ),
];

#[test]
fn mistakes_in_sections_are_told() {
    for (name, text) in SECTIONS {
        insta::assert_snapshot!(*name, shown(text));
    }
}

#[test]
fn nesting_is_bounded_in_every_form() {
    let deep = |open: &str, close: &str, count: usize| format!("{}$e.a = 1{}", open.repeat(count), close.repeat(count));
    let forms = [
        (deep("(", ")", 100), deep("(", ")", 20_000)),
        (deep("not ", "", 100), deep("not ", "", 20_000)),
        (deep("if(", ", 1) = 1", 60), deep("if(", ", 1) = 1", 20_000)),
        (deep("f(", ")", 60), deep("f(", ")", 20_000)),
        (format!("1 < $e.a{}", " + 1".repeat(100)), format!("1 < $e.a{}", " + 1".repeat(20_000))),
        (format!("1 < $e.a{}", " * (2 - $e.b)".repeat(100)), format!("1 < ({}$e.a", "(1 + ".repeat(20_000))),
    ];
    for (fine, deep) in forms {
        assert_eq!(told(&parse(&events(&fine))), Vec::<String>::new(), "{fine}");
        let parsed = parse(&events(&deep));
        assert!(parsed.diagnostics.iter().any(|told| told.code.id() == "Y0113"), "{}", &deep[..40]);
        assert_eq!(parsed.diagnostics.len(), 1, "{}", &deep[..40]);
    }
}

#[test]
fn chains_are_flat_however_long() {
    let text = events(&vec!["$e.a = 1"; 5000].join(" or "));
    let parsed = parse(&text);
    assert_eq!(told(&parsed), Vec::<String>::new());
    let statement = &parsed.file.rules[0].events.as_ref().unwrap().body[0];
    assert!(matches!(&statement.kind, ExprKind::Or(operands) if operands.len() == 5000));
}

#[test]
fn statements_bind_as_documented() {
    let parsed = parse(&events("$e.a = 1 or $e.b = 2 and not $e.c = 3\n$e.d = 4 + 2 * 3"));
    let body = &parsed.file.rules[0].events.as_ref().unwrap().body;
    let ExprKind::Or(operands) = &body[0].kind else { panic!("{body:?}") };
    assert!(matches!(&operands[1].kind, ExprKind::And(inner) if matches!(inner[1].kind, ExprKind::Not(_))));
    let ExprKind::Compare(compare) = &body[1].kind else { panic!("{body:?}") };
    assert!(
        matches!(&compare.right.kind, ExprKind::Arithmetic(ArithmeticOp::Add, _, right) if matches!(right.kind, ExprKind::Arithmetic(ArithmeticOp::Multiply, ..)))
    );
}

#[test]
fn a_text_that_is_too_long_is_refused() {
    let parsed = parse(&" ".repeat((4 << 20) + 1));
    assert_eq!(parsed.diagnostics[0].code.id(), "Y0118");
}

/// Each of these was, or could have been, quadratic.
#[test]
fn time_is_linear_in_the_text() {
    let lines = [
        "((((\n",
        "$e.a = \n",
        "'",
        "\"",
        "`",
        "/* ",
        "$e.a nocase ",
        "events:\n",
        "rule a {",
        "; ",
        "$e.a[",
        "f(a:",
        "# \n",
        "\u{201c}",
        "!$e ",
        "any of [",
        "// c\n",
    ];
    for part in lines {
        let text = format!("rule t {{ meta: a = \"b\" events: {}", part.repeat(200_000 / part.len()));
        let begin = std::time::Instant::now();
        let parsed = parse(&text);
        let _ = format(&text);
        assert!(parsed.diagnostics.len() <= 500);
        assert!(begin.elapsed().as_secs() < 5, "{part:?}: {:?}", begin.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in any::<String>()) {
        shown(&text);
    }

    #[test]
    fn no_mixture_of_words_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        shown(&words.join(" "));
        shown(&format!("rule t {{ meta: events: {}", words.concat()));
        shown(&format!("rule t {{ meta: events: $e.a = 1 condition: {}", words.join("\n")));
    }

    #[test]
    fn no_prefix_panics(cut in 0..FULL.len()) {
        if let Some(prefix) = FULL.get(..cut) {
            for diagnostic in parse(prefix).diagnostics {
                prop_assert!(diagnostic.span.start <= diagnostic.span.end && diagnostic.span.end as usize <= prefix.len());
            }
            shown(prefix);
        }
    }
}

const WORDS: &[&str] = &[
    "rule",
    "t",
    "{",
    "}",
    "meta:",
    "events:",
    "match:",
    "outcome:",
    "condition:",
    "options",
    "export:",
    "setup:",
    "$e",
    "$e.a.b",
    "#e",
    "%l",
    "%",
    "(",
    ")",
    "[",
    "]",
    "=",
    "!=",
    "!",
    "<",
    "and",
    "or",
    "not",
    "in",
    "regex",
    "cidr",
    "nocase",
    "any",
    "all",
    "of",
    "if",
    "if(",
    "f(",
    ",",
    ".",
    ":",
    "5",
    "5m",
    "1.5",
    "\"x\"",
    "\"x",
    "`r`",
    "/x/",
    "/",
    "+",
    "-",
    "*",
    "over",
    "by",
    "after",
    "is",
    "null",
    "true",
    "\n",
    "// c\n",
    "/* c */",
    "/*",
    "é",
    "\u{0}",
];
