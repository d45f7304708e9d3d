//! Why a rule stayed silent: the rule is run again with one statement left out, or with another condition; what makes it fire
//! is what kept it silent.

use watchbell_yaral::{
    Span,
    source::Lines,
    syntax::tree::{Expr, ExprKind, Rule},
};

use super::super::{
    execute::{self, Prepared},
    folder::RuleText,
};

/// Statements that are tried; a rule with more gets no explanation of the rest.
const MOST_TRIALS: usize = 60;
/// Statements that are named.
const MOST_NAMED: usize = 5;

/// Sentences that explain the silence; empty where nothing explains it.
pub(super) fn silent(text: &RuleText, rule: &Rule, inputs: &Prepared) -> Vec<String> {
    if inputs.is_empty() {
        return vec!["there is nothing to run it over: the case has no events".to_owned()];
    }
    let Some(section) = &rule.events else { return Vec::new() };
    let mut alone = Vec::new();
    for (at, statement) in section.body.iter().enumerate().take(MOST_TRIALS) {
        if fires(&without(rule, &[at]), inputs) {
            alone.push(format!("it fires without line {}", quoted(text, statement.span)));
        }
    }
    if !alone.is_empty() {
        alone.truncate(MOST_NAMED);
        return alone;
    }
    if let Some(condition) = &rule.condition {
        let mut lenient = rule.clone();
        let asked = lenient.condition.as_mut().expect("it was there a line ago");
        asked.body = only_existence(&condition.body);
        if asked.body != condition.body && fires(&lenient, inputs) {
            let place = quoted(text, condition.body.span);
            return vec![format!("the events match; what is not fulfilled is the condition, line {place}")];
        }
    }
    several(text, rule, inputs)
}

/// The first statements that suffice, when they are left out together.
fn several(text: &RuleText, rule: &Rule, inputs: &Prepared) -> Vec<String> {
    let Some(section) = &rule.events else { return Vec::new() };
    let literal: Vec<usize> =
        (0..section.body.len().min(MOST_TRIALS)).filter(|&at| is_filter(&section.body[at])).collect();
    if literal.is_empty() || !fires(&without(rule, &literal), inputs) {
        return vec!["no single statement explains it".to_owned()];
    }
    // Each that is not needed for the silence is put back.
    let mut guilty = literal;
    for at in guilty.clone() {
        let fewer: Vec<usize> = guilty.iter().copied().filter(|&other| other != at).collect();
        if fires(&without(rule, &fewer), inputs) {
            guilty = fewer;
        }
    }
    let mut told = vec![format!("{} statements keep it silent together:", guilty.len())];
    let lines = guilty.iter().take(MOST_NAMED).map(|&at| format!("  line {}", quoted(text, section.body[at].span)));
    told.extend(lines);
    told
}

/// Whether a statement compares with something fixed, so that it may be left out without losing a placeholder.
fn is_filter(statement: &Expr) -> bool {
    match &statement.kind {
        ExprKind::Compare(compare) => [&compare.left, &compare.right].iter().any(|side| {
            matches!(
                side.kind,
                ExprKind::String(_) | ExprKind::Regex(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Bool(_)
            )
        }),
        ExprKind::Not(inner) | ExprKind::Group(inner) => is_filter(inner),
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().all(is_filter),
        ExprKind::In(_) | ExprKind::Call(_) => true,
        _ => false,
    }
}

fn without(rule: &Rule, left_out: &[usize]) -> Rule {
    let mut other = rule.clone();
    if let Some(events) = &mut other.events {
        let mut at = 0;
        events.body.retain(|_| {
            at += 1;
            !left_out.contains(&(at - 1))
        });
    }
    other
}

/// A variation that does not compile explains nothing.
fn fires(rule: &Rule, inputs: &Prepared) -> bool {
    execute::run(rule, inputs).is_ok_and(|ran| !ran.detections.is_empty())
}

/// The condition with nothing asked but that events exist: comparisons of counts and outcomes are left out.
fn only_existence(condition: &Expr) -> Expr {
    match &condition.kind {
        ExprKind::Group(inner) => only_existence(inner),
        ExprKind::And(parts) => {
            let kept: Vec<Expr> = parts.iter().filter(|part| exists(part)).cloned().collect();
            match kept.len() {
                0 => condition.clone(),
                1 => kept.into_iter().next().unwrap_or_else(|| condition.clone()),
                _ => Expr { kind: ExprKind::And(kept), span: condition.span },
            }
        }
        ExprKind::Compare(compare) => match (&compare.left.kind, &compare.right.kind) {
            (ExprKind::Count(name), _) | (_, ExprKind::Count(name)) => {
                Expr { kind: ExprKind::Variable(name.clone()), span: condition.span }
            }
            _ => condition.clone(),
        },
        _ => condition.clone(),
    }
}

fn exists(part: &Expr) -> bool {
    match &part.kind {
        ExprKind::Variable(_) => true,
        ExprKind::Group(inner) => exists(inner),
        _ => false,
    }
}

/// `20: $e.metadata.product_name = "x"`, in one line.
fn quoted(text: &RuleText, span: Span) -> String {
    let line = Lines::of(&text.text).position(span.start).line;
    let words: Vec<&str> = span.of(&text.text).split_whitespace().collect();
    let shown: String = words.join(" ").chars().take(160).collect();
    format!("{line}: {shown}")
}
