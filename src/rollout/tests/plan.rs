//! Plans: what is a change, what is none, and what is not certain.

use super::{
    Tenant, desired,
    host::{archived, hosted, running},
    loud, multi, rule, run, text,
};
use crate::{
    rollout::{Desired, Edition, Plan, Scope, Step, plan},
    rules::folder::{LocalRule, WantedDeployment},
    sink::rules::{HostedRule, RunFrequency},
};

fn planned(local: &[LocalRule], there: &[HostedRule]) -> Plan {
    plan(&desired(local), there)
}

fn steps(plan: &Plan) -> Vec<String> {
    let all = plan.changes.iter().map(|change| {
        let steps: Vec<String> = change.steps.iter().map(ToString::to_string).collect();
        format!("{}: {}", change.name, steps.join(", "))
    });
    all.collect()
}

#[test]
fn a_new_rule_is_created_before_it_runs_and_runs_before_it_alerts() {
    let plan = planned(&[run(rule("a", &text("a", "us")), loud())], &[]);
    assert_eq!(steps(&plan), ["a: create, run live, enable, alerting on"]);
    assert!(plan.changes[0].diff.is_none());
}

#[test]
fn a_new_text_comes_with_its_diff() {
    let plan = planned(&[rule("a", &text("a", "them"))], &[hosted("1", &text("a", "us"))]);
    assert_eq!(steps(&plan), ["a: new text"]);
    let diff = plan.changes[0].diff.as_deref().unwrap();
    assert!(diff.contains("-    author = \"us\"\n+    author = \"them\"\n"), "{diff}");
}

/// terraform-provider-google #27881.
#[test]
fn a_trailing_line_feed_is_no_drift_27881() {
    let us = text("a", "us");
    for local in [us.clone(), us.trim_end().to_owned(), us.replace('\n', "\r\n"), format!("\u{feff}{us}\n\n")] {
        let there = hosted("1", &us);
        assert!(there.text.ends_with("}\n\n"));
        assert!(planned(&[rule("a", &local)], &[there]).is_empty(), "{local:?}");
    }
    let typed = us.replace("$e\n", "$e \n");
    assert_eq!(steps(&planned(&[rule("a", &typed)], &[hosted("1", &us)])), ["a: new text"]);
}

/// detection-rules #54.
#[test]
fn a_rename_is_no_second_rule_54() {
    let renamed =
        LocalRule { renamed_from: vec!["gone".to_owned(), "old".to_owned()], ..rule("new", &text("new", "us")) };
    let plan = planned(&[renamed], &[hosted("1", &text("old", "us"))]);
    assert_eq!(steps(&plan), ["new: new text"]);
    assert_eq!(plan.changes[0].renamed_from.as_deref(), Some("old"));
    assert!(plan.only_there.is_empty());
}

/// detection-rules #54: a name in other letters' case made the tool crash.
#[test]
fn another_case_is_a_rename_too_54() {
    let plan = planned(&[rule("Brute_Force", &text("Brute_Force", "us"))], &[hosted("1", &text("brute_force", "us"))]);
    assert_eq!(steps(&plan), ["Brute_Force: new text"]);
    assert_eq!(plan.changes[0].renamed_from.as_deref(), Some("brute_force"));
    let both = [hosted("1", &text("a", "us")), hosted("2", &text("A", "us"))];
    let plan = planned(&[rule("a", &text("a", "us"))], &both);
    assert!(plan.is_empty());
    assert_eq!(plan.only_there, ["A"]);
}

/// detection-rules #50.
#[test]
fn archived_rules_are_no_drift_and_are_fetched_back_when_a_file_wants_them_50() {
    let there: Vec<HostedRule> = (0..200).map(|n| archived(&n.to_string(), &text(&format!("r{n}"), "us"))).collect();
    let pruning = Desired { prune: true, ..desired(&[]) };
    let nothing = plan(&pruning, &there);
    assert!(nothing.is_empty() && nothing.only_there.is_empty());
    let plan = planned(&[run(rule("r7", &text("r7", "them")), loud())], &there);
    assert_eq!(steps(&plan), ["r7: unarchive, new text, enable, alerting on"]);
}

#[test]
fn an_archived_twin_does_not_disturb() {
    let there = [archived("1", &text("a", "old")), hosted("2", &text("a", "us")), archived("3", &text("a", "older"))];
    let plan = planned(&[rule("a", &text("a", "us"))], &there);
    assert!(plan.is_empty() && plan.troubles.is_empty());
}

#[test]
fn two_rules_of_one_name_are_told_with_both_ids_and_the_others_are_planned() {
    let there = [hosted("1", &text("a", "us")), hosted("2", &text("a", "us")), hosted("3", &text("b", "us"))];
    let plan = planned(&[rule("a", &text("a", "us")), rule("b", &text("b", "them"))], &there);
    assert_eq!(steps(&plan), ["b: new text"]);
    assert_eq!(plan.troubles.len(), 1);
    assert_eq!(plan.troubles[0].message, "the tenant has 2 rules named a: ru_1, ru_2");
    let twice = LocalRule { file: "rules/other.yaral".to_owned(), ..rule("a", &text("a", "us")) };
    let plan = plan_pruning(&[rule("a", &text("a", "us")), twice], &[hosted("1", &text("a", "us"))]);
    assert_eq!(plan.troubles[0].message, "2 files declare this rule: rules/a.yaral, rules/other.yaral");
    assert!(plan.is_empty(), "what is not certain is not put away: {:?}", steps(&plan));
}

fn plan_pruning(local: &[LocalRule], there: &[HostedRule]) -> Plan {
    plan(&Desired { prune: true, ..desired(local) }, there)
}

#[test]
fn a_former_name_that_two_rules_claim_is_nobodys() {
    let claims = |name: &str| LocalRule { renamed_from: vec!["old".to_owned()], ..rule(name, &text(name, "us")) };
    let plan = plan_pruning(&[claims("a"), claims("b")], &[hosted("1", &text("old", "us"))]);
    assert!(plan.is_empty());
    assert_eq!(plan.troubles.len(), 2);
    // Nobody is disturbed by a former name that is gone.
    assert_eq!(planned(&[claims("a"), claims("b")], &[]).troubles, []);
}

/// terraform-provider-google #28897.
#[test]
fn a_rule_is_retired_in_one_go_28897() {
    let away = WantedDeployment { archived: true, ..WantedDeployment::default() };
    let there = [running("1", &text("a", "us"))];
    let plan = planned(&[run(rule("a", &text("a", "them")), away)], &there);
    assert_eq!(steps(&plan), ["a: alerting off, disable, archive"]);
    let pruned = plan_pruning(&[], &there);
    assert_eq!(steps(&pruned), ["a: alerting off, disable, archive"]);
    assert!(planned(&[run(rule("a", &text("a", "them")), away)], &[archived("1", &text("a", "us"))]).is_empty());
    assert!(planned(&[run(rule("a", &text("a", "them")), away)], &[]).is_empty());
}

#[test]
fn pruning_keeps_to_its_scope_and_comes_first() {
    let there = [running("1", &text("watchbell_old", "us")), running("2", &text("zzz", "us"))];
    let local = [rule("a", &text("a", "us"))];
    let scoped = Desired { scope: Scope::Prefix("watchbell_"), prune: true, ..desired(&local) };
    let pruned = plan(&scoped, &there);
    assert_eq!(steps(&pruned), ["watchbell_old: alerting off, disable, archive", "a: create"]);
    let kept = plan(&Desired { prune: false, ..scoped }, &there);
    assert_eq!(kept.only_there, ["watchbell_old"]);
}

#[test]
fn what_no_key_says_stays() {
    let plan = planned(&[rule("a", &text("a", "us"))], &[running("1", &text("a", "us"))]);
    assert!(plan.is_empty());
    let plan = planned(&[rule("a", &text("a", "us"))], &[]);
    assert_eq!(plan.changes[0].notes, ["it does not run: deployment.toml says nothing about `enabled`"]);
}

#[test]
fn each_field_is_compared() {
    let quiet = WantedDeployment { enabled: Some(false), alerting: Some(false), ..WantedDeployment::default() };
    let plan = planned(&[run(rule("a", &text("a", "us")), quiet)], &[running("1", &text("a", "us"))]);
    assert_eq!(steps(&plan), ["a: alerting off, disable"]);
    let told: Vec<String> =
        plan.changes[0].fields.iter().map(|field| format!("{} {}", field.field, field.after)).collect();
    assert_eq!(told, ["enabled false", "alerting false"]);
}

/// terraform-provider-google #28255.
#[test]
fn text_and_frequency_come_in_the_order_that_the_boundary_wants_28255() {
    let often = |frequency| WantedDeployment { frequency: Some(frequency), ..WantedDeployment::default() };
    let (single, short, long) = (text("a", "us"), multi("a", "1h"), multi("a", "72h"));
    let run_at = |text: &str, frequency| {
        let mut rule = hosted("1", text);
        rule.deployment.frequency = Some(frequency);
        rule
    };
    use RunFrequency::{Daily, Hourly, Live};
    let table = [
        (&single, Live, &short, Hourly, "a: run hourly, new text"),
        (&short, Hourly, &single, Live, "a: new text, run live"),
        (&short, Hourly, &long, Daily, "a: run daily, new text"),
        (&long, Daily, &short, Live, "a: new text, run live"),
        (&single, Live, &short, Live, "a: new text"),
    ];
    for (before, runs, after, wanted, expected) in table {
        let plan = planned(&[run(rule("a", after), often(wanted))], &[run_at(before, runs)]);
        assert_eq!(steps(&plan), [expected]);
    }
    let plan = planned(&[rule("a", &short)], &[hosted("1", &single)]);
    assert_eq!(plan.changes[0].notes, ["it becomes a multi-event rule"]);
}

#[test]
fn the_forecast_counts_enabled_rules_and_those_over_several_events() {
    let mut there: Vec<HostedRule> = (0..75).map(|n| running(&n.to_string(), &multi(&format!("m{n}"), "1h"))).collect();
    there.push(hosted("off", &multi("off", "1h")));
    there.push(running("single", &text("single", "us")));
    let local = [run(rule("new", &multi("new", "1h")), loud()), run(rule("single", &multi("single", "5m")), loud())];
    let forecast = planned(&local, &there).forecast;
    assert_eq!((forecast.before.enabled, forecast.before.multi_event), (76, 75));
    assert_eq!((forecast.after.enabled, forecast.after.multi_event), (77, 77));
    let over: Vec<_> = forecast.exceeded.iter().map(|over| (over.edition, over.what, over.limit)).collect();
    assert_eq!(over, [(Edition::Standard, "multi_event", 75)]);
    let plus = Desired { edition: Some(Edition::EnterprisePlus), ..desired(&local) };
    assert_eq!(plan(&plus, &there).forecast.exceeded, []);
    let pruned = plan_pruning(&[], &there).forecast;
    assert_eq!((pruned.before.enabled, pruned.after.enabled), (76, 0));
}

#[test]
fn a_plan_of_a_thousand_rules_is_made_at_once() {
    let there: Vec<HostedRule> = (0..1_000).map(|n| running(&n.to_string(), &text(&format!("r{n}"), "us"))).collect();
    let local: Vec<LocalRule> =
        (0..1_000).map(|n| run(rule(&format!("r{n}"), &text(&format!("r{n}"), "us")), loud())).collect();
    let tenant = Tenant::with(there);
    let plan = tenant.plan(&desired(&local));
    assert!(plan.is_empty());
    assert_eq!(plan.unchanged, 1_000);
    assert_eq!(plan.forecast.before.enabled, 1_000);
}

#[test]
fn steps_in_json_are_words() {
    let plan = planned(&[run(rule("a", &text("a", "us")), loud())], &[]);
    let json = serde_json::to_value(&plan).unwrap();
    assert_eq!(json["changes"][0]["steps"][1], serde_json::json!({"frequency": "live"}));
    assert_eq!(json["changes"][0]["rule_id"], serde_json::Value::Null);
    assert_eq!(plan.changes[0].steps[0], Step::Create);
}
