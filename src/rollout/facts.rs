//! What a rule's text says about it, as far as it can be read without the service.

use watchbell_yaral::{
    check::Classification,
    syntax::tree::{Expr, ExprKind, RuleFile},
};

/// What is known of a text; a text that can't be read says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether it is counted as a rule over several events.
    pub multi_event: Option<bool>,
    /// Whether that is so only because its condition asks about outcomes.
    pub only_by_outcome: bool,
    /// The length of its match window in seconds.
    pub window_seconds: Option<u64>,
    /// How many errors the local check finds.
    pub errors: usize,
}

impl Facts {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let parsed = watchbell_yaral::parse(text);
        let checked = watchbell_yaral::check(&parsed.file);
        let told = parsed.diagnostics.iter().chain(&checked.diagnostics);
        let errors = told.filter(|diagnostic| diagnostic.is_error()).count();
        let Some(rule) = checked.facts.first() else { return Self { errors, ..Self::default() } };
        let is_multi_event = rule.classification == Classification::MultiEvent;
        Self {
            multi_event: Some(is_multi_event),
            only_by_outcome: is_multi_event && is_single_without_outcomes(parsed.file),
            window_seconds: rule.window_seconds,
            errors,
        }
    }
}

/// Whether a rule would look at one event at a time if its condition did not ask about outcomes.
fn is_single_without_outcomes(mut file: RuleFile) -> bool {
    let Some(rule) = file.rules.first_mut() else { return false };
    let Some(condition) = &mut rule.condition else { return false };
    let outcomes: Vec<&str> =
        rule.outcome.iter().flat_map(|section| &section.body).map(|variable| variable.name.text.as_str()).collect();
    let ExprKind::And(parts) = &mut condition.body.kind else { return false };
    let all = parts.len();
    parts.retain(|part| !asks_about(part, &outcomes));
    match parts.len() {
        1 if all > 1 => condition.body = parts.remove(0),
        _ => return false,
    }
    watchbell_yaral::check(&file).facts.first().is_some_and(|facts| facts.classification == Classification::SingleEvent)
}

fn asks_about(part: &Expr, outcomes: &[&str]) -> bool {
    match &part.kind {
        ExprKind::Variable(name) => outcomes.contains(&name.as_str()),
        ExprKind::Compare(compare) => asks_about(&compare.left, outcomes) || asks_about(&compare.right, outcomes),
        ExprKind::Group(inner) | ExprKind::Not(inner) => asks_about(inner, outcomes),
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().all(|part| asks_about(part, outcomes)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(condition: &str) -> Facts {
        Facts::of(&format!(
            "rule a {{\n  meta:\n    author = \"us\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n    \
             $e.principal.ip = $ip\n  match:\n    $ip over 1h\n  outcome:\n    $risk_score = max(40)\n  condition:\n    {condition}\n}}\n"
        ))
    }

    #[test]
    fn a_condition_about_outcomes_costs_quota() {
        let plain = facts("$e");
        assert_eq!((plain.multi_event, plain.only_by_outcome), (Some(false), false), "{plain:?}");
        for condition in ["$e and $risk_score > 30", "$e and ($risk_score > 30 or $risk_score < 10)"] {
            let asking = facts(condition);
            assert_eq!((asking.multi_event, asking.only_by_outcome), (Some(true), true), "{condition}: {asking:?}");
        }
        let counting = facts("#e > 5 and $risk_score > 30");
        assert_eq!((counting.multi_event, counting.only_by_outcome), (Some(true), false));
        assert_eq!(plain.window_seconds, Some(3600));
    }

    #[test]
    fn what_can_t_be_read_says_nothing() {
        assert_eq!(Facts::of("no rule").multi_event, None);
        assert_eq!(Facts::of(""), Facts { errors: Facts::of("").errors, ..Facts::default() });
    }
}
