//! How tenant and files stand.

use super::{
    desired,
    host::{archived, hosted, running},
    loud, rule, run, text,
};
use crate::{
    rollout::{RuleState, status},
    sink::rules::ExecutionError,
};

#[test]
fn each_rule_stands_somewhere() {
    let local = [
        run(rule("same", &text("same", "us")), loud()),
        rule("text", &text("text", "mine")),
        run(rule("run", &text("run", "us")), loud()),
        run(rule("both", &text("both", "mine")), loud()),
        rule("here", &text("here", "us")),
        rule("twice", &text("twice", "us")),
    ];
    let there = [
        running("1", &text("same", "us")),
        running("2", &text("text", "us")),
        hosted("3", &text("run", "us")),
        hosted("4", &text("both", "us")),
        hosted("5", &text("there", "us")),
        archived("6", &text("away", "us")),
        hosted("7", &text("twice", "us")),
        hosted("8", &text("twice", "us")),
    ];
    let error =
        |id: &str, message: &str| ExecutionError { rule_id: id.to_owned(), message: message.to_owned(), time: None };
    let errors = [error("ru_1", "the last"), error("ru_1", "the first"), error("ru_x", "another's")];
    let all = status(&desired(&local), &there, &errors);
    let states: Vec<_> = all.iter().map(|rule| (rule.name.as_str(), rule.state)).collect();
    assert_eq!(
        states,
        [
            ("both", RuleState::TextAndDeployment),
            ("here", RuleState::OnlyHere),
            ("run", RuleState::Deployment),
            ("same", RuleState::InStep),
            ("text", RuleState::Text),
            ("there", RuleState::OnlyThere),
            ("twice", RuleState::Unclear),
        ]
    );
    let same = &all[3];
    assert_eq!((same.errors, same.last_error.as_ref().unwrap().message.as_str()), (2, "the last"));
}
