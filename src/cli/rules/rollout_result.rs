//! What became of a plan, how tenant and files stand, and what was pulled, as text for people.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::{
    rollout::about,
    rollout_plan::{BOLD, colored, rules_are, shown, write_trouble},
};
use crate::{
    app::{Applied, ExecutionState, Pulled, RolloutEnd, RuleOutcome, RuleResult, RuleState, RuleStatus},
    cli::present::TO_STRING,
};

/// One rule, as soon as the work on it ended.
pub(super) fn outcome(outcome: &RuleOutcome, done: usize, of: usize) -> String {
    let steps: Vec<String> = outcome.done.iter().map(ToString::to_string).collect();
    let steps = if steps.is_empty() { "nothing was left to do".to_owned() } else { steps.join(", ") };
    let (word, color, detail) = match &outcome.result {
        RuleResult::Done => ("done", AnsiColor::Green, steps),
        RuleResult::Changed => {
            ("changed", AnsiColor::Yellow, "somebody else changed it meanwhile; it was left alone".to_owned())
        }
        RuleResult::Failed { step, message } => ("failed", AnsiColor::Red, format!("{step}: {message}")),
        RuleResult::NotReached => ("waits", AnsiColor::BrightBlack, "the run ended before".to_owned()),
    };
    let style = colored(color);
    let width = of.to_string().len();
    format!(
        "{done:>width$}/{of} {style}{word:<7}{style:#} {BOLD}{}{BOLD:#}: {}\n",
        shown(&outcome.name),
        shown(&detail)
    )
}

/// How it ended.
pub(super) fn applied(sink: &str, applied: &Applied) -> String {
    let mut out = String::new();
    for refusal in &applied.refusals {
        for said in &refusal.diagnostics {
            let place = said.start.map_or_else(String::new, |(line, column)| format!(":{line}:{column}"));
            let (word, style) = match said.error {
                true => ("error", colored(AnsiColor::Red)),
                false => ("warning", colored(AnsiColor::Yellow)),
            };
            writeln!(out, "{}{place}: {style}{word}{style:#}: {}", shown(&refusal.file), shown(&said.message))
                .expect(TO_STRING);
        }
    }
    let count = |is: fn(&RuleResult) -> bool| applied.rules.iter().filter(|rule| is(&rule.result)).count();
    let done = count(|result| *result == RuleResult::Done);
    let all = applied.rules.len();
    match &applied.end {
        RolloutEnd::Refused => out.push_str("the compiler refuses these rules; nothing was written\n"),
        RolloutEnd::Through if done == all => writeln!(out, "{} as planned", rules_are(done)).expect(TO_STRING),
        RolloutEnd::Through => writeln!(out, "{done} of {all} rules are as planned").expect(TO_STRING),
        RolloutEnd::Stopped => writeln!(out, "stopped: {done} of {all} rules are as planned").expect(TO_STRING),
        RolloutEnd::Broken { kind, message } => {
            writeln!(out, "{} {}: {}\n{done} of {all} rules are as planned", shown(sink), about(*kind), shown(message))
                .expect(TO_STRING);
        }
    }
    if let Some(left) = applied.left.as_ref().filter(|left| !left.is_empty()) {
        out.push_str("the tenant was read again; left to do:\n");
        for change in &left.changes {
            let steps: Vec<String> = change.steps.iter().map(ToString::to_string).collect();
            writeln!(out, "  {}: {}", shown(&change.name), steps.join(", ")).expect(TO_STRING);
        }
    }
    if !applied.is_complete() && applied.end != RolloutEnd::Refused {
        out.push_str("apply again to do the rest\n");
    }
    out
}

/// One line a rule.
pub(super) fn status(rules: &[RuleStatus]) -> String {
    let name_width = rules.iter().map(|rule| shown(&rule.name).chars().count()).max().unwrap_or(0).max(4);
    let mut out = format!(
        "{BOLD}{:<name_width$} {:<22} {:<9} {:<26} {:<8} {:>6}{BOLD:#}\n",
        "RULE", "STATE", "COMPILED", "RUNS", "SERVICE", "ERRORS"
    );
    for rule in rules {
        let (state, color) = state(rule.state);
        let style = colored(color);
        let compiled = match rule.compiled {
            Some(true) => "yes",
            Some(false) => "no",
            None => "",
        };
        let (runs, service) = rule.deployment.as_ref().map_or_else(Default::default, |run| {
            let mut words = vec![if run.archived {
                "archived"
            } else if run.enabled {
                "enabled"
            } else {
                "disabled"
            }];
            words.extend(run.alerting.then_some("alerting"));
            let frequency = run.frequency.map(|frequency| frequency.to_string());
            words.extend(frequency.as_deref().filter(|_| run.enabled));
            (words.join(", "), service(run.state))
        });
        let row = format!(
            "{:<name_width$} {style}{state:<22}{style:#} {compiled:<9} {runs:<26} {service:<8} {:>6}",
            shown(&rule.name),
            if rule.errors > 0 { rule.errors.to_string() } else { String::new() }
        );
        writeln!(out, "{}", row.trim_end()).expect(TO_STRING);
        let last = rule.last_error.as_ref().map(|error| {
            let time = error.time.map_or_else(String::new, |time| format!(" at {time}"));
            format!("last error{time}: {}", error.message)
        });
        for said in rule.about.iter().chain(&last) {
            writeln!(out, "  {}", shown(said)).expect(TO_STRING);
        }
    }
    if rules.is_empty() {
        return "there are no rules here, and none there\n".to_owned();
    }
    let off = rules.iter().filter(|rule| !matches!(rule.state, RuleState::InStep | RuleState::OnlyThere)).count();
    let there = rules.iter().filter(|rule| rule.state == RuleState::OnlyThere).count();
    writeln!(out, "{} in step, {off} not, {there} only there", rules.len() - off - there).expect(TO_STRING);
    out
}

const fn state(state: RuleState) -> (&'static str, AnsiColor) {
    match state {
        RuleState::InStep => ("in step", AnsiColor::Green),
        RuleState::Text => ("text differs", AnsiColor::Yellow),
        RuleState::Deployment => ("deployment differs", AnsiColor::Yellow),
        RuleState::TextAndDeployment => ("both differ", AnsiColor::Yellow),
        RuleState::OnlyHere => ("only here", AnsiColor::Yellow),
        RuleState::OnlyThere => ("only there", AnsiColor::BrightBlack),
        RuleState::Unclear => ("unclear", AnsiColor::Red),
    }
}

const fn service(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Default => "ok",
        ExecutionState::Limited => "LIMITED",
        ExecutionState::Paused => "PAUSED",
    }
}

/// What was written.
pub(super) fn pulled(pulled: &Pulled) -> String {
    let mut out = String::new();
    for file in &pulled.files {
        let (word, style) = match file.is_new {
            true => ("new", colored(AnsiColor::Green)),
            false => ("changed", colored(AnsiColor::Yellow)),
        };
        writeln!(out, "{style}{word:<7}{style:#} {}", shown(&file.path.to_string_lossy())).expect(TO_STRING);
    }
    let style = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
    for (name, file) in &pulled.kept {
        writeln!(out, "{style}kept{style:#}    {} differs in {}; --force overwrites it", shown(name), shown(file))
            .expect(TO_STRING);
    }
    pulled.troubles.iter().for_each(|trouble| write_trouble(&mut out, trouble));
    writeln!(out, "{} files written, {} rules were here already", pulled.files.len(), pulled.same).expect(TO_STRING);
    out
}

/// The same as JSON.
pub(super) fn pulled_json(pulled: &Pulled) -> serde_json::Value {
    let files: Vec<String> = pulled.files.iter().map(|file| file.path.to_string_lossy().into_owned()).collect();
    let kept: Vec<serde_json::Value> =
        pulled.kept.iter().map(|(name, file)| serde_json::json!({ "name": name, "file": file })).collect();
    serde_json::json!({
        "format_version": 1,
        "written": files,
        "kept": kept,
        "same": pulled.same,
        "troubles": pulled.troubles,
    })
}
