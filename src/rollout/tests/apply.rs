//! Plans carried out: the service's own rules kept, edits in between seen, faults outlived.

use super::{
    Tenant, desired,
    host::{BROKEN, Boundary, Fault, archived, hosted, running},
    loud, multi, rule, run, text,
};
use crate::{
    rollout::{Desired, End, RuleResult},
    rules::folder::{LocalRule, WantedDeployment},
    sink::{
        ErrorKind,
        rules::{HostedRule, RunFrequency},
    },
};

#[test]
fn a_second_run_has_nothing_to_do() {
    let local = [run(rule("a", &text("a", "us")), loud()), rule("b", &multi("b", "1h"))];
    let tenant = Tenant::default();
    let applied = tenant.apply(&desired(&local));
    assert!(applied.is_complete(), "{applied:?}");
    let a = tenant.named("a").deployment;
    assert!(a.enabled && a.alerting && !a.archived);
    assert!(!tenant.named("b").deployment.enabled);
    assert!(tenant.plan(&desired(&local)).is_empty());
    assert!(applied.left.is_none());
}

#[test]
fn a_refused_text_stops_everything_before_the_first_write() {
    let local = [rule("a", &text("a", "us")), rule("b", &text("b", BROKEN)), rule("c", &text("c", BROKEN))];
    let tenant = Tenant::default();
    let applied = tenant.apply(&desired(&local));
    assert_eq!(applied.end, End::Refused);
    let told: Vec<_> =
        applied.refusals.iter().map(|refusal| (refusal.file.as_str(), refusal.diagnostics[0].start)).collect();
    assert_eq!(told, [("rules/b.yaral", Some((3, 5))), ("rules/c.yaral", Some((3, 5)))]);
    assert_eq!(tenant.asked(), ["verify a", "verify b", "verify c"]);
    assert!(applied.rules.iter().all(|rule| rule.result == RuleResult::NotReached));
}

/// terraform-provider-google #28897.
#[test]
fn a_rule_is_retired_in_one_run_28897() {
    let tenant = Tenant::with(vec![running("1", &text("a", "us"))]);
    let pruning = Desired { prune: true, ..desired(&[]) };
    assert!(tenant.apply(&pruning).is_complete());
    let run = tenant.named("a").deployment;
    assert!(run.archived && !run.enabled && !run.alerting);
    assert!(tenant.plan(&pruning).is_empty());
}

/// detection-rules #50.
#[test]
fn an_archived_rule_is_fetched_back_and_there_is_no_second_one_50() {
    let local = [run(rule("a", &text("a", "them")), loud())];
    let tenant = Tenant::with(vec![archived("1", &text("a", "us"))]);
    assert!(tenant.apply(&desired(&local)).is_complete());
    assert_eq!(tenant.now().len(), 1);
    assert!(tenant.plan(&desired(&local)).is_empty());
}

/// detection-rules #54.
#[test]
fn a_rename_keeps_the_rule_54() {
    let local = [
        LocalRule { renamed_from: vec!["old".to_owned()], ..rule("new", &text("new", "us")) },
        rule("Case", &text("Case", "us")),
    ];
    let tenant = Tenant::with(vec![running("1", &text("old", "us")), running("2", &text("case", "us"))]);
    assert!(tenant.apply(&desired(&local)).is_complete());
    assert_eq!(
        (tenant.named("new").version.id, tenant.named("Case").version.id),
        ("ru_1".to_owned(), "ru_2".to_owned())
    );
    assert!(tenant.named("new").deployment.enabled);
    assert!(tenant.plan(&desired(&local)).is_empty());
}

/// terraform-provider-google #28255: whichever of the two the service takes first.
#[test]
fn a_rule_crosses_the_boundary_of_its_frequency_28255() {
    use RunFrequency::{Daily, Hourly, Live};
    let (single, short, long) = (text("a", "us"), multi("a", "1h"), multi("a", "72h"));
    let ways = [
        (&single, Live, &short, Hourly),
        (&single, Live, &long, Daily),
        (&short, Hourly, &single, Live),
        (&short, Live, &long, Daily),
        (&short, Hourly, &long, Daily),
        (&long, Daily, &short, Live),
        (&long, Daily, &short, Hourly),
        (&long, Daily, &single, Live),
    ];
    for boundary in [Boundary::Coerces, Boundary::RefusesTexts, Boundary::RefusesFrequencies] {
        for (before, runs, after, wanted) in ways {
            let mut there = running("1", before);
            there.deployment.frequency = Some(runs);
            let tenant = Tenant::with(vec![there]).boundary(boundary);
            let often = WantedDeployment { frequency: Some(wanted), ..WantedDeployment::default() };
            let local = [run(rule("a", after), often)];
            let applied = tenant.apply(&desired(&local));
            assert!(applied.is_complete(), "{boundary:?} {runs} -> {wanted}: {applied:?} {:?}", tenant.asked());
            assert!(tenant.plan(&desired(&local)).is_empty(), "{boundary:?} {runs} -> {wanted}");
        }
    }
}

fn revised(rules: &mut [HostedRule], id: &str, by: &str) {
    let rule = rules.iter_mut().find(|rule| rule.version.id == id).unwrap();
    rule.text = text(&rule.name, by);
    rule.version.etag = Some(format!("by {by}"));
}

#[test]
fn an_edit_after_the_plan_is_left_alone_and_the_others_go_on() {
    let local = [rule("a", &text("a", "mine")), rule("b", &text("b", "mine"))];
    let tenant = Tenant::with(vec![hosted("1", &text("a", "us")), hosted("2", &text("b", "us"))]);
    let plan = tenant.plan(&desired(&local));
    // Between the question and the answer.
    let tenant = tenant.edit_at(0, Box::new(|rules| revised(rules, "ru_1", "theirs")));
    let applied = tenant.carry_out(&plan, &desired(&local));
    let results: Vec<&RuleResult> = applied.rules.iter().map(|rule| &rule.result).collect();
    assert_eq!(results, [&RuleResult::Changed, &RuleResult::Done]);
    assert!(tenant.named("a").text.contains("theirs"));
    assert_eq!(applied.left.unwrap().changes.len(), 1);
}

#[test]
fn an_edit_between_two_requests_is_seen_by_the_etag() {
    let local = [rule("a", &text("a", "mine")), rule("b", &text("b", "mine"))];
    let there = vec![hosted("1", &text("a", "us")), hosted("2", &text("b", "us"))];
    // verify, verify, rules, revise a, revise b
    let tenant = Tenant::with(there).edit_at(4, Box::new(|rules| revised(rules, "ru_2", "theirs")));
    let applied = tenant.apply(&desired(&local));
    assert_eq!(applied.rules[1].result, RuleResult::Changed);
    assert!(tenant.named("b").text.contains("theirs") && tenant.named("a").text.contains("mine"));
}

#[test]
fn a_rule_of_this_name_that_appears_after_the_plan_is_not_made_twice() {
    let local = [rule("a", &text("a", "mine"))];
    let plan = Tenant::default().plan(&desired(&local));
    let tenant = Tenant::with(vec![hosted("1", &text("a", "theirs"))]);
    let applied = tenant.carry_out(&plan, &desired(&local));
    assert_eq!(applied.rules[0].result, RuleResult::Changed);
    assert_eq!(tenant.now().len(), 1);
}

#[test]
fn a_rule_that_is_gone_is_changed_and_not_an_error_of_the_tenant() {
    let local = [rule("a", &text("a", "mine")), rule("b", &text("b", "mine"))];
    let there = vec![hosted("1", &text("a", "us")), hosted("2", &text("b", "us"))];
    let tenant = Tenant::with(there).edit_at(3, Box::new(|rules| drop(rules.remove(0))));
    let applied = tenant.apply(&desired(&local));
    let results: Vec<&RuleResult> = applied.rules.iter().map(|rule| &rule.result).collect();
    assert_eq!(results, [&RuleResult::Changed, &RuleResult::Done]);
}

#[test]
fn a_creation_whose_answer_was_lost_is_found_again() {
    let local = [rule("a", &text("a", "us"))];
    let tenant = Tenant::default().fail(2, Fault::Died);
    assert!(tenant.apply(&desired(&local)).is_complete());
    assert_eq!(tenant.asked(), ["verify a", "rules", "create a", "rules"]);
    assert_eq!(tenant.now().len(), 1);
}

#[test]
fn our_own_revision_is_not_somebody_elses() {
    let local = [rule("a", &text("a", "mine"))];
    let tenant = Tenant::with(vec![hosted("1", &text("a", "us"))]).fail(2, Fault::Died);
    assert!(tenant.apply(&desired(&local)).is_complete());
    assert_eq!(tenant.asked(), ["verify a", "rules", "revise ru_1", "revise ru_1", "rules"]);
}

#[test]
fn a_service_that_stays_away_is_given_up_after_a_bounded_time() {
    let local: Vec<LocalRule> = (0..20).map(|n| rule(&format!("r{n}"), &text(&format!("r{n}"), "us"))).collect();
    let tenant = Tenant::default().fail_from(25, Fault::Unavailable);
    let applied = tenant.apply(&desired(&local));
    assert!(matches!(applied.end, End::Broken { kind: ErrorKind::Unavailable, .. }));
    assert!(tenant.waited().as_secs() < 120, "{:?}", tenant.waited());
    assert_eq!(applied.rules.iter().filter(|rule| rule.result == RuleResult::Done).count(), 4);
    assert_eq!(applied.rules.iter().filter(|rule| rule.result == RuleResult::NotReached).count(), 15);
    // What holds can't be learned.
    assert!(applied.left.is_none());
}

#[test]
fn credentials_that_are_no_longer_taken_end_it_at_once() {
    let local = [rule("a", &text("a", "us")), rule("b", &text("b", "us"))];
    let tenant = Tenant::default().fail_from(3, Fault::Auth);
    let applied = tenant.apply(&desired(&local));
    assert!(matches!(applied.end, End::Broken { kind: ErrorKind::Auth, .. }));
    assert_eq!(tenant.asked(), ["verify a", "verify b", "rules", "create a"]);
}

#[test]
fn what_holds_after_a_failure_is_read_again() {
    let local = [run(rule("a", &text("a", "us")), loud())];
    // verify, rules, create, enable, alerting
    let tenant = Tenant::default().fail(4, Fault::Rejected);
    let applied = tenant.apply(&desired(&local));
    let RuleResult::Failed { step, .. } = &applied.rules[0].result else { panic!("{applied:?}") };
    assert_eq!(step.to_string(), "alerting on");
    let left = applied.left.unwrap();
    assert_eq!(left.changes[0].fields.len(), 1);
    assert_eq!(left.changes[0].fields[0].field, "alerting");
}
