//! Joins: every event variable is connected with every other by equalities, and a function reads one event only.

use std::collections::HashMap;

use super::{Checker, names, unions::Unions, walk, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::tree::{CompareOp, Expr, ExprKind},
};

/// Things that an equality ties together: events by their number, placeholders after them.
pub(super) struct Edge {
    /// The events and placeholders.
    pub(super) nodes: Vec<usize>,
    kind: EdgeKind,
}

/// How much a tie is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EdgeKind {
    /// It joins.
    Certain,
    /// It stands in an alternative of `or`, and another alternative ties nothing.
    Possible,
    /// It holds arithmetic, so it joins nothing.
    Arithmetic(Span),
}

impl<'t> Checker<'t> {
    pub(super) fn check_joins(&mut self) {
        if !self.scope.complete {
            return;
        }
        let told = self.diagnostics.len();
        for statement in self.rule.events.iter().flat_map(|section| &section.body) {
            self.check_several_events(statement);
        }
        // A function over several events is a join that can't be; it was told.
        if self.diagnostics.len() == told {
            self.check_connected();
        }
    }

    /// Looks for the outermost calls that read several events.
    fn check_several_events(&mut self, expr: &'t Expr) {
        let name = match &expr.kind {
            ExprKind::Call(call) => call.name.text.as_str(),
            ExprKind::If(_) => "if",
            _ => {
                walk::parts(expr, &mut |part| self.check_several_events(part));
                return;
            }
        };
        let events = self.scope.events_in(expr);
        if events.len() < 2 {
            return;
        }
        let variables: Vec<String> =
            events.iter().take(4).map(|&event| format!("`${}`", names::shown(self.scope.events[event].name))).collect();
        let message = format!("`{}` reads the fields of several events: {}", names::shown(name), variables.join(", "));
        let diagnostic = if name == "if" {
            warning(Code::SeveralEvents, expr.span, message)
        } else {
            Diagnostic::new(Code::SeveralEvents, expr.span, message)
        };
        self.report(
            diagnostic.help("a function in events reads one event; bind its result to a placeholder and compare that"),
        );
    }

    /// All that the statements tie together.
    pub(super) fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for statement in self.rule.events.iter().flat_map(|section| &section.body) {
            self.edges_of(statement, &mut edges);
        }
        edges
    }

    fn edges_of(&self, expr: &Expr, edges: &mut Vec<Edge>) {
        match &expr.kind {
            ExprKind::Group(inner) => self.edges_of(inner, edges),
            ExprKind::And(operands) => operands.iter().for_each(|operand| self.edges_of(operand, edges)),
            ExprKind::Or(operands) => {
                let start = edges.len();
                let mut all = true;
                for operand in operands {
                    let before = edges.len();
                    self.edges_of(operand, edges);
                    all &= edges[before..].iter().any(|edge| edge.kind == EdgeKind::Certain);
                }
                if !all {
                    let certain = edges[start..].iter_mut().filter(|edge| edge.kind == EdgeKind::Certain);
                    certain.for_each(|edge| edge.kind = EdgeKind::Possible);
                }
            }
            ExprKind::Compare(compare) if compare.op == CompareOp::Equal => {
                let mut nodes = Vec::new();
                for side in [&compare.left, &compare.right] {
                    nodes.extend(self.scope.events_in(side));
                    let placeholders = self.scope.placeholders_in(side);
                    nodes.extend(placeholders.into_iter().map(|id| self.scope.events.len() + id));
                }
                let is_sum = |side: &Expr| matches!(walk::bare(side).kind, ExprKind::Arithmetic(..));
                let kind = if is_sum(&compare.left) || is_sum(&compare.right) {
                    EdgeKind::Arithmetic(expr.span)
                } else {
                    EdgeKind::Certain
                };
                if nodes.len() > 1 {
                    edges.push(Edge { nodes, kind });
                }
            }
            _ => {}
        }
    }

    fn check_connected(&mut self) {
        let count = self.scope.events.len();
        if count < 2 {
            return;
        }
        let edges = self.edges();
        let mut sets = Unions::new(count + self.scope.placeholders.len());
        let join = |sets: &mut Unions, wanted: fn(EdgeKind) -> bool| {
            edges.iter().filter(|edge| wanted(edge.kind)).for_each(|edge| sets.join_all(&edge.nodes));
        };
        join(&mut sets, |kind| kind == EdgeKind::Certain);
        self.join_by_tables(&mut sets);
        if connected(&mut sets, count) {
            return;
        }
        let mut loose = sets.clone();
        join(&mut loose, |kind| kind == EdgeKind::Possible);
        if connected(&mut loose, count) {
            let diagnostic = self.unjoined(&mut sets);
            self.report(Diagnostic {
                level: crate::Level::Warning,
                help: Some("one alternative of an `or` joins nothing: join in every alternative".to_owned()),
                ..diagnostic
            });
            return;
        }
        let arithmetic = edges.iter().find_map(|edge| match edge.kind {
            EdgeKind::Arithmetic(span) => {
                let roots: Vec<usize> = edge.nodes.iter().map(|&node| loose.root(node)).collect();
                roots.windows(2).any(|pair| pair[0] != pair[1]).then_some(span)
            }
            _ => None,
        });
        let diagnostic = match arithmetic {
            Some(span) => Diagnostic::new(Code::ArithmeticJoin, span, "an equality with arithmetic joins no events")
                .help("join by an equality of plain fields; this comparison may stand beside it"),
            None => self.unjoined(&mut loose),
        };
        self.report(diagnostic);
    }

    /// Events that are equated with the same table's row belong together.
    fn join_by_tables(&self, sets: &mut Unions) {
        let mut tables: HashMap<&str, usize> = HashMap::new();
        for statement in self.rule.events.iter().flat_map(|section| &section.body) {
            walk::visit(statement, &mut |part| {
                let ExprKind::Compare(compare) = &part.kind else { return };
                for (side, other) in [(&compare.left, &compare.right), (&compare.right, &compare.left)] {
                    let ExprKind::Column(column) = &walk::bare(side).kind else { continue };
                    let events = self.scope.events_in(other).into_iter();
                    let placeholders = self.scope.placeholders_in(other).into_iter();
                    for node in events.chain(placeholders.map(|id| self.scope.events.len() + id)) {
                        let first = *tables.entry(&column.name.text).or_insert(node);
                        sets.join(first, node);
                    }
                }
            });
        }
    }

    fn unjoined(&self, sets: &mut Unions) -> Diagnostic {
        let main = sets.root(0);
        let (mut inside, mut outside) = (Vec::new(), Vec::new());
        for (id, event) in self.scope.events.iter().enumerate() {
            if sets.root(id) == main { inside.push(event) } else { outside.push(event) }
        }
        // The smaller part is the one that was forgotten.
        if outside.len() > inside.len() {
            std::mem::swap(&mut inside, &mut outside);
        }
        let list = |events: &[&super::scope::EventVariable<'_>]| {
            let names: Vec<String> =
                events.iter().take(4).map(|event| format!("`${}`", names::shown(event.name))).collect();
            names.join(", ")
        };
        let span = outside.first().map_or(self.rule.name.span, |event| event.span);
        let message = format!("{} is not joined with {}", list(&outside), list(&inside));
        let diagnostic = Diagnostic::new(Code::UnjoinedEvents, span, message);
        let names = outside.first().zip(inside.first());
        match names {
            Some((one, other)) => diagnostic.help(format!(
                "equate a field of each, or one placeholder with both: `${}.principal.hostname = ${}.principal.hostname`",
                names::shown(one.name),
                names::shown(other.name)
            )),
            None => diagnostic,
        }
    }
}

fn connected(sets: &mut Unions, events: usize) -> bool {
    let main = sets.root(0);
    (1..events).all(|event| sets.root(event) == main)
}
