//! Reference lists and data tables: how many look-ups, where they may stand, what a join with a table needs.

use std::collections::HashMap;

use super::{Checker, names, walk};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::tree::{CompareOp, Expr, ExprKind, In, ListForm},
};

/// How many look-ups a rule may have, of all kinds. Older pages say 7, 4 and 2.
const MAX_LOOKUPS: usize = 10;
const MAX_REGEX: usize = 5;
const MAX_CIDR: usize = 5;
/// How many comparisons with columns.
const MAX_JOINS: usize = 10;

/// What a rule does with one table.
#[derive(Default)]
struct TableUse {
    first: Span,
    /// Whether a row is found by a value of an event.
    tied: bool,
}

impl<'t> Checker<'t> {
    pub(super) fn check_lists(&mut self) {
        let rule = self.rule;
        let statements = rule.events.iter().flat_map(|section| &section.body);
        let outcomes = rule.outcome.iter().flat_map(|section| &section.body).map(|variable| &variable.value);
        let mut lookups: Vec<(ListForm, Span)> = Vec::new();
        let mut joins: Vec<Span> = Vec::new();
        let mut tables: HashMap<&'t str, TableUse> = HashMap::new();
        let mut order: Vec<&'t str> = Vec::new();
        for expr in statements.clone().chain(outcomes) {
            walk::visit(expr, &mut |part| match &part.kind {
                ExprKind::In(membership) => lookups.push((membership.form, part.span)),
                ExprKind::Group(inner) => self.check_mixed(inner),
                _ => {}
            });
        }
        for statement in statements {
            walk::visit(statement, &mut |part| {
                for (name, tied) in row_uses(part) {
                    let entry = tables.entry(name).or_insert_with(|| {
                        order.push(name);
                        TableUse { first: part.span, tied: false }
                    });
                    entry.tied |= tied;
                    joins.push(part.span);
                }
            });
        }
        self.check_limits(&lookups, &joins);
        for name in order {
            self.check_table(name, &tables[name]);
        }
    }

    fn check_limits(&mut self, lookups: &[(ListForm, Span)], joins: &[Span]) {
        let of_form = |form: ListForm| -> Vec<Span> {
            lookups.iter().filter(|(other, _)| *other == form).map(|&(_, span)| span).collect()
        };
        let all: Vec<Span> = lookups.iter().map(|&(_, span)| span).collect();
        let counted = [
            (all, MAX_LOOKUPS, "look-ups in lists"),
            (of_form(ListForm::Regex), MAX_REGEX, "look-ups by `in regex`"),
            (of_form(ListForm::Cidr), MAX_CIDR, "look-ups by `in cidr`"),
            (joins.to_vec(), MAX_JOINS, "comparisons with columns of tables"),
        ];
        for (spans, most, what) in counted {
            if let Some(&span) = spans.get(most) {
                let message = format!("a rule has at most {most} {what}, {} here", spans.len());
                self.report(Diagnostic::new(Code::TooManyLists, span, message));
            }
        }
    }

    /// In one pair of parentheses, look-ups stand alone or joined by `or`.
    fn check_mixed(&mut self, inner: &'t Expr) {
        let (operands, is_and) = match &inner.kind {
            ExprKind::And(operands) => (operands, true),
            ExprKind::Or(operands) => (operands, false),
            _ => return,
        };
        let is_lookup = |expr: &&Expr| match &walk::bare(expr).kind {
            ExprKind::In(_) => true,
            ExprKind::Not(inner) => matches!(walk::bare(inner).kind, ExprKind::In(_)),
            _ => false,
        };
        let lookups = operands.iter().filter(is_lookup).count();
        let message = if lookups == 0 {
            return;
        } else if lookups < operands.len() {
            "look-ups in lists and other comparisons stand in one pair of parentheses"
        } else if is_and {
            "look-ups in lists are joined by `and` in parentheses"
        } else {
            return;
        };
        self.report(
            Diagnostic::new(Code::LookupMixed, inner.span, message).help(
                "the pages allow only look-ups joined by `or` there; write the others as statements of their own",
            ),
        );
    }

    fn check_table(&mut self, name: &str, used: &TableUse) {
        let shown = names::shown(name);
        if self.rule.matching.is_none() {
            let message = format!("a join with the table `%{shown}` needs a match section");
            self.report(
                Diagnostic::new(Code::TableJoin, used.first, message)
                    .help(format!("add `match:`, or look the value up: `in %{shown}.column`")),
            );
        } else if !used.tied {
            let message = format!("no row of the table `%{shown}` is found by a field of an event");
            self.report(
                Diagnostic::new(Code::TableJoin, used.first, message)
                    .help(format!("equate one of its columns with a field: `$e.principal.hostname = %{shown}.host`")),
            );
        }
    }
}

/// The tables whose rows an expression itself compares, and whether an event's value finds the row.
fn row_uses(expr: &Expr) -> Vec<(&str, bool)> {
    let reads_event = |expr: &Expr| !walk::fields(expr).is_empty() || !walk::variables(expr).is_empty();
    match &expr.kind {
        ExprKind::Compare(compare) => [(&compare.left, &compare.right), (&compare.right, &compare.left)]
            .into_iter()
            .filter_map(|(side, other)| match &walk::bare(side).kind {
                ExprKind::Column(column) => {
                    Some((column.name.text.as_str(), compare.op == CompareOp::Equal && reads_event(other)))
                }
                _ => None,
            })
            .collect(),
        ExprKind::Call(call) => call
            .arguments
            .iter()
            .filter_map(|argument| match &walk::bare(&argument.value).kind {
                ExprKind::Column(column) => Some((column.name.text.as_str(), reads_event(expr))),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The lists and tables that a rule reads, each once, in the order of their names.
pub(super) fn names_of<'t>(expressions: impl Iterator<Item = &'t Expr>) -> Vec<String> {
    let mut found: Vec<&str> = Vec::new();
    for expr in expressions {
        walk::visit(expr, &mut |part| match &part.kind {
            ExprKind::In(membership) => {
                let In { list, .. } = &**membership;
                found.push(&list.name.text);
            }
            ExprKind::Column(column) => found.push(&column.name.text),
            _ => {}
        });
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(str::to_owned).collect()
}
