//! Every kind of fault at every request: afterwards a run without faults ends in an empty plan, and no name is there twice.

use std::collections::BTreeMap;

use super::{
    Tenant, desired,
    host::{FAULTS, Fault, archived, hosted, running},
    loud, multi, rule, run, text,
};
use crate::{
    rollout::{Desired, End, RuleResult},
    rules::folder::{LocalRule, WantedDeployment},
    sink::rules::{HostedRule, RunFrequency},
};

/// Everything that can happen to a rule, once.
fn files() -> Vec<LocalRule> {
    let hourly = WantedDeployment { frequency: Some(RunFrequency::Hourly), ..loud() };
    let quiet = WantedDeployment { enabled: Some(false), alerting: Some(false), ..WantedDeployment::default() };
    let away = WantedDeployment { archived: true, ..WantedDeployment::default() };
    vec![
        run(rule("new", &text("new", "us")), loud()),
        run(rule("crossing", &multi("crossing", "1h")), hourly),
        LocalRule { renamed_from: vec!["old".to_owned()], ..rule("renamed", &text("renamed", "us")) },
        run(rule("fetched", &text("fetched", "us")), loud()),
        run(rule("quiet", &text("quiet", "us")), quiet),
        run(rule("away", &text("away", "us")), away),
        run(rule("kept", &text("kept", "us")), loud()),
    ]
}

fn there() -> Vec<HostedRule> {
    vec![
        running("crossing", &text("crossing", "us")),
        hosted("old", &text("old", "us")),
        archived("fetched", &text("fetched", "before")),
        running("quiet", &text("quiet", "us")),
        running("away", &text("away", "us")),
        running("pruned", &text("pruned", "us")),
        running("kept", &text("kept", "us")),
    ]
}

fn wanted(files: &[LocalRule]) -> Desired<'_> {
    Desired { prune: true, ..desired(files) }
}

/// How many requests a run without faults takes.
fn requests() -> usize {
    let files = files();
    let tenant = Tenant::with(there());
    assert!(tenant.apply(&wanted(&files)).is_complete());
    tenant.asked().len()
}

fn no_name_twice(tenant: &Tenant, about: &str) {
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    tenant.now().into_iter().for_each(|rule| *names.entry(rule.name).or_default() += 1);
    assert!(names.values().all(|count| *count == 1), "{about}: {names:?}");
}

fn ends_in_an_empty_plan(tenant: &Tenant, about: &str) {
    let files = files();
    no_name_twice(tenant, about);
    tenant.mend();
    let applied = tenant.apply(&wanted(&files));
    assert!(applied.is_complete(), "{about}: {applied:?}");
    let plan = tenant.plan(&wanted(&files));
    assert!(plan.is_empty() && plan.troubles.is_empty(), "{about}: {plan:?}");
    no_name_twice(tenant, about);
}

#[test]
fn any_fault_at_any_request_is_outlived() {
    let (files, count) = (files(), requests());
    assert!(count > 20, "{count} requests are too few to say anything");
    for at in 0..count {
        for fault in FAULTS {
            let about = format!("{fault:?} at request {at}");
            let tenant = Tenant::with(there()).fail(at, fault);
            let applied = tenant.apply(&wanted(&files));
            if matches!(fault, Fault::Throttled | Fault::Unavailable | Fault::Died) {
                assert!(applied.is_complete(), "{about}: {applied:?}");
            }
            let is_told = applied.is_complete() == tenant.plan(&wanted(&files)).is_empty();
            assert!(is_told, "{about}: the report is not what holds: {applied:?}");
            ends_in_an_empty_plan(&tenant, &about);
        }
    }
}

#[test]
fn a_service_that_goes_away_for_good_at_any_request_is_outlived() {
    let (files, count) = (files(), requests());
    for at in 0..count {
        for fault in [Fault::Unavailable, Fault::Died, Fault::Throttled, Fault::Auth] {
            let about = format!("{fault:?} from request {at} on");
            let tenant = Tenant::with(there()).fail_from(at, fault);
            let applied = tenant.apply(&wanted(&files));
            assert!(matches!(applied.end, End::Broken { .. }), "{about}: {applied:?}");
            ends_in_an_empty_plan(&tenant, &about);
        }
    }
}

#[test]
fn a_run_can_be_stopped_between_any_two_requests() {
    let (files, count) = (files(), requests());
    for at in 0..count {
        let about = format!("stopped at request {at}");
        let tenant = Tenant::with(there()).stop_at(at);
        let applied = tenant.apply(&wanted(&files));
        if at + 1 < count {
            assert_eq!(applied.end, End::Stopped, "{about}");
            let done = applied.rules.iter().filter(|rule| rule.result == RuleResult::Done).count();
            assert!(done < applied.rules.len(), "{about}");
            // The one that looks what holds.
            assert!(tenant.asked().len() <= at + 2, "{about}: {:?}", tenant.asked());
        }
        ends_in_an_empty_plan(&tenant, &about);
    }
}

#[test]
fn what_makes_rules_quiet_is_done_before_what_makes_them_loud() {
    let files = files();
    let tenant = Tenant::with(there());
    assert!(tenant.apply(&wanted(&files)).is_complete());
    let asked: Vec<String> = tenant.asked().into_iter().filter(|said| !said.starts_with("verify")).collect();
    let at = |said: &str| asked.iter().position(|asked| asked == said).unwrap_or_else(|| panic!("{said}: {asked:?}"));
    assert!(at("deploy ru_pruned {\"archived\":true}") < at("create new"));
    assert!(at("deploy ru_pruned {\"enabled\":false}") < at("deploy ru_pruned {\"archived\":true}"));
    assert!(at("deploy ru_fetched {\"archived\":false}") < at("revise ru_fetched"));
    assert!(at("revise ru_fetched") < at("deploy ru_fetched {\"enabled\":true}"));
    assert!(at("deploy ru_fetched {\"enabled\":true}") < at("deploy ru_fetched {\"alerting\":true}"));
}
