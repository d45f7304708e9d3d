//! The grammar: what parses into which tree, what is said of what does not.

use watchbell_yaral::{parse, syntax::Parsed};

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
