//! What a rule is for quotas: single-event or multi-event.

use super::{Classification, RuleFacts, lists, scope::Scope, walk};
use crate::{
    functions::{self, FunctionKind},
    resolve::EventSource,
    syntax::tree::{Compare, CompareOp, EnrichmentKind, Expr, ExprKind, Rule},
};

/// The facts of a rule.
pub(super) fn facts(rule: &Rule, scope: &Scope<'_>) -> RuleFacts {
    let window = rule.matching.as_ref().and_then(|matching| matching.body.window.as_ref());
    RuleFacts {
        classification: classification(rule, scope),
        window_seconds: window.map(|window| window.length.seconds),
        lists: lists_of(rule),
    }
}

fn classification(rule: &Rule, scope: &Scope<'_>) -> Classification {
    let several = scope.events.len() > 1
        || scope.reads(EventSource::Detection)
        || uses(rule, is_metric)
        || uses(rule, is_table_join)
        || rule.matching.is_some()
            && !rule.condition.as_ref().is_some_and(|condition| is_one_event(&condition.body, scope));
    if several { Classification::MultiEvent } else { Classification::SingleEvent }
}

fn expressions(rule: &Rule) -> impl Iterator<Item = &Expr> {
    let statements = rule.events.iter().flat_map(|section| &section.body);
    let outcomes = rule.outcome.iter().flat_map(|section| &section.body).map(|variable| &variable.value);
    statements.chain(outcomes).chain(rule.condition.iter().map(|section| &section.body))
}

fn uses(rule: &Rule, wanted: fn(&Expr) -> bool) -> bool {
    let mut found = false;
    expressions(rule).for_each(|expr| walk::visit(expr, &mut |part| found = found || wanted(part)));
    found
}

fn is_metric(expr: &Expr) -> bool {
    let ExprKind::Call(call) = &expr.kind else { return false };
    functions::find(&call.name.text).is_some_and(|function| function.kind == FunctionKind::Metric)
}

fn is_table_join(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Column(_))
}

/// `$e`, `#e > 0`, `#e >= 1`, also with the number first.
fn is_one_event(condition: &Expr, scope: &Scope<'_>) -> bool {
    match &walk::bare(condition).kind {
        ExprKind::Variable(name) => scope.event(name).is_some(),
        ExprKind::Compare(compare) => {
            let Compare { left, op, right, .. } = &**compare;
            let (count, op, number) = match (&left.kind, &right.kind) {
                (ExprKind::Count(name), ExprKind::Int(number)) => (name, *op, *number),
                (ExprKind::Int(number), ExprKind::Count(name)) => (name, op.reversed(), *number),
                _ => return false,
            };
            let asks = matches!((op, number), (CompareOp::Greater, 0) | (CompareOp::GreaterOrEqual, 1));
            asks && scope.event(count).is_some()
        }
        _ => false,
    }
}

fn lists_of(rule: &Rule) -> Vec<String> {
    let joins = rule.setup.iter().flat_map(|section| &section.body).flat_map(|entry| match &entry.kind {
        EnrichmentKind::Override(joins) | EnrichmentKind::Exclude(joins) => joins.as_slice(),
        EnrichmentKind::Append { .. } => &[],
    });
    let mut names = lists::names_of(expressions(rule).chain(joins));
    for entry in rule.setup.iter().flat_map(|section| &section.body) {
        if let EnrichmentKind::Append { table, .. } = &entry.kind {
            names.push(table.text.clone());
        }
    }
    names.sort_unstable();
    names.dedup();
    names
}
