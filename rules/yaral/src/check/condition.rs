//! `condition`: what may stand in it. What it must say of the events is in [`super::bounds`].

use super::{Checker, Place, names, walk, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::tree::{Compare, CompareOp, Expr, ExprKind, NOf, Needed, WindowKind},
};

/// Something that a condition asks of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Term {
    /// Of what.
    pub(super) subject: Subject,
    /// Whether that must exist for the term to hold.
    pub(super) bounded: bool,
    /// Where.
    pub(super) span: Span,
}

/// What a condition asks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// An event variable, by its number.
    Event(usize),
    /// A placeholder, by its number.
    Placeholder(usize),
    /// An outcome variable, or the window.
    Outcome,
}

/// How many event variables `or` may stand between.
const MAX_ALTERNATIVES: usize = 2;

impl<'t> Checker<'t> {
    pub(super) fn check_condition(&mut self) {
        let Some(condition) = &self.rule.condition else { return };
        let mut terms = Vec::new();
        self.terms(&condition.body, Chain::Outside, &mut terms);
        if self.scope.complete && !walk::has_error(&condition.body) {
            self.check_bounds(&terms, condition.keyword);
        }
    }

    fn terms(&mut self, expr: &'t Expr, chain: Chain, terms: &mut Vec<Term>) {
        let start = terms.len();
        match &expr.kind {
            ExprKind::Group(inner) => self.terms(inner, chain, terms),
            ExprKind::And(operands) => operands.iter().for_each(|operand| self.terms(operand, chain, terms)),
            ExprKind::Or(operands) => {
                operands.iter().for_each(|operand| self.terms(operand, Chain::Or, terms));
                if chain == Chain::Outside {
                    self.check_or(&terms[start..], expr.span);
                }
            }
            ExprKind::NOf(n_of) => {
                n_of.entries.iter().for_each(|entry| self.terms(entry, Chain::NOf, terms));
                self.check_n_of(n_of, &terms[start..], expr.span);
            }
            ExprKind::Not(inner) => {
                self.terms(inner, chain, terms);
                if let Some(term) = terms[start..].iter().find(|term| term.subject != Subject::Outcome) {
                    let message = "`not` can't stand before an event or a placeholder";
                    let diagnostic = Diagnostic::new(Code::ConditionNot, expr.span, message)
                        .help("say that an event is absent by `!$e`, or compare its count: `#e = 0`")
                        .related(term.span, "asks of an event here");
                    self.report(diagnostic);
                }
            }
            ExprKind::Variable(name) => self.existence(name, expr.span, true, terms),
            ExprKind::Absent(name) => self.existence(&name.text, name.span, false, terms),
            ExprKind::Count(name) => {
                let message = format!("`#{}` stands alone: compare it with a number", names::shown(name));
                let diagnostic = warning(Code::ConditionCount, expr.span, message);
                self.report(diagnostic.help(format!("`#{} > 0`, or `${0}`", names::shown(name))));
                self.existence(name, expr.span, true, terms);
            }
            ExprKind::Compare(compare) => self.compared(compare, expr.span, terms),
            ExprKind::Call(_) | ExprKind::In(_) | ExprKind::IsNull { .. } => {
                self.holds(expr, Place::Condition);
                self.forbid_fields(expr);
                terms.push(Term { subject: Subject::Outcome, bounded: true, span: expr.span });
            }
            ExprKind::Error => {}
            _ => {
                let message = "a condition asks of events, placeholders and outcome variables";
                self.report(Diagnostic::new(Code::ConditionForm, expr.span, message));
            }
        }
    }

    /// What a variable without a path is, told if it is nothing that a condition can ask of.
    fn subject(&mut self, name: &'t str, span: Span) -> Option<Subject> {
        if self.scope.outcomes.contains_key(name) {
            return Some(Subject::Outcome);
        }
        if let Some(event) = self.scope.event(name) {
            return Some(Subject::Event(event));
        }
        if self.scope.matched.contains(name) {
            let message = format!("the match variable `${}` can't stand in the condition", names::shown(name));
            self.report(
                Diagnostic::new(Code::MatchInCondition, span, message)
                    .help("every detection has exactly one value of it; ask of an event or another placeholder"),
            );
            return None;
        }
        let placeholder = self.scope.placeholder(name).map(Subject::Placeholder);
        if placeholder.is_none() {
            self.undefined_variable(name, span);
        }
        placeholder
    }

    fn existence(&mut self, name: &'t str, span: Span, bounded: bool, terms: &mut Vec<Term>) {
        let Some(subject) = self.subject(name, span) else { return };
        if subject == Subject::Outcome {
            let message = format!("the outcome variable `${}` is compared with nothing", names::shown(name));
            self.report(warning(Code::ConditionForm, span, message).help("compare it: `> 0`, `= \"..\"`"));
        }
        terms.push(Term { subject, bounded, span });
    }

    fn compared(&mut self, compare: &'t Compare, span: Span, terms: &mut Vec<Term>) {
        let (left, right) = (walk::bare(&compare.left), walk::bare(&compare.right));
        match (&left.kind, &right.kind) {
            (ExprKind::Count(name), ExprKind::Count(other)) => {
                self.report(warning(Code::ConditionCount, span, "a count is compared with a number"));
                self.existence(name, left.span, true, terms);
                self.existence(other, right.span, true, terms);
            }
            (ExprKind::Count(name), _) => self.counted((name, left.span), compare.op, right, terms),
            (_, ExprKind::Count(name)) => self.counted((name, right.span), compare.op.reversed(), left, terms),
            (ExprKind::Variable(name), _) if self.is_counted(name) => {
                self.counted_without_sign((name, left.span), compare.op, right, terms);
            }
            (_, ExprKind::Variable(name)) if self.is_counted(name) => {
                self.counted_without_sign((name, right.span), compare.op.reversed(), left, terms);
            }
            _ => {
                self.compare(compare, span, Place::Condition);
                self.forbid_fields(left);
                self.forbid_fields(right);
                for name in walk::variables(left).into_iter().chain(walk::variables(right)) {
                    if !self.scope.outcomes.contains_key(name) {
                        self.subject(name, span);
                    }
                }
                terms.push(Term { subject: Subject::Outcome, bounded: true, span });
            }
        }
    }

    /// An event or a placeholder, of which only the count can be compared.
    fn is_counted(&self, name: &str) -> bool {
        !self.scope.outcomes.contains_key(name)
            && (self.scope.event(name).is_some() || self.scope.placeholder(name).is_some())
            && !self.scope.matched.contains(name)
    }

    fn counted_without_sign(
        &mut self,
        (name, span): (&'t str, Span),
        op: CompareOp,
        number: &'t Expr,
        terms: &mut Vec<Term>,
    ) {
        let shown = names::shown(name);
        if matches!(number.kind, ExprKind::Int(_)) {
            let message = format!("`${shown}` is compared with a number: its count is meant");
            self.report(Diagnostic::new(Code::CountInList, span, message).help(format!("write `#{shown}`")));
        } else {
            let message = format!("the value of `${shown}` can't be compared in the condition");
            self.report(
                Diagnostic::new(Code::ConditionForm, span, message)
                    .help("compare it in events, or give it to an outcome variable first"),
            );
        }
        self.counted((name, span), op, number, terms);
    }

    fn counted(&mut self, (name, span): (&'t str, Span), op: CompareOp, number: &'t Expr, terms: &mut Vec<Term>) {
        let Some(subject) = self.subject(name, span) else { return };
        let whole = span.to(number.span);
        let shown = names::shown(name);
        if subject == Subject::Outcome {
            let message = format!("`#{shown}` counts events or values, and `${shown}` is an outcome variable");
            self.report(Diagnostic::new(Code::ConditionCount, span, message).help(format!("write `${shown}`")));
            terms.push(Term { subject, bounded: true, span });
            return;
        }
        let number = match number.kind {
            ExprKind::Int(number) => number,
            ExprKind::Error | ExprKind::Arithmetic(..) => 1,
            _ => {
                if matches!(walk::bare(number).kind, ExprKind::Float(_) | ExprKind::String(_) | ExprKind::Bool(_)) {
                    let message = "a count is compared with a whole number";
                    self.report(Diagnostic::new(Code::ConditionCount, number.span, message));
                } else {
                    self.value(number, Place::Condition);
                }
                1
            }
        };
        let never = op == CompareOp::Less && number <= 0;
        if op == CompareOp::NotEqual {
            let message = "a count can't be compared by `!=`: it leaves open whether the event must exist";
            self.report(
                Diagnostic::new(Code::ConditionCount, whole, message)
                    .help("write `<`, `>`, or one of each, joined by `or`"),
            );
        } else if never {
            self.report(warning(Code::ConditionCount, whole, "a count is never below zero"));
        }
        terms.push(Term { subject, bounded: must_exist(op, number), span: whole });
    }

    fn forbid_fields(&mut self, expr: &'t Expr) {
        if let Some(field) = walk::fields(expr).first() {
            let message = "a field can't stand in the condition";
            self.report(
                Diagnostic::new(Code::ConditionForm, expr.span, message)
                    .help("compare it in events, or give it to an outcome variable first")
                    .related(field.variable.span, "the field's event"),
            );
        }
    }

    /// The event variables that terms name, each once.
    fn named_events(terms: &[Term]) -> Vec<usize> {
        let mut events: Vec<usize> = terms
            .iter()
            .filter_map(|term| match term.subject {
                Subject::Event(event) => Some(event),
                _ => None,
            })
            .collect();
        events.sort_unstable();
        events.dedup();
        events
    }

    fn is_tumbling(&self) -> bool {
        let window = self.rule.matching.as_ref().and_then(|matching| matching.body.window.as_ref());
        window.is_some_and(|window| window.kind == WindowKind::Tumbling)
    }

    fn check_or(&mut self, terms: &[Term], span: Span) {
        let asks = terms.iter().any(|term| term.subject != Subject::Outcome);
        if !asks {
            return;
        }
        let events = Self::named_events(terms);
        let mut sources: Vec<_> = events.iter().map(|&event| self.scope.events[event].source).collect();
        sources.dedup();
        let wrong = |message: &str| Diagnostic::new(Code::ConditionOr, span, message);
        let unbounded = terms.iter().find(|term| !term.bounded);
        let diagnostic = if let Some(term) = unbounded {
            wrong("`or` can't join what may be absent").related(term.span, "may be absent")
        } else if events.len() > MAX_ALTERNATIVES {
            wrong(&format!("`or` joins at most {MAX_ALTERNATIVES} event variables, {} here", events.len()))
        } else if sources.len() > 1 {
            wrong("`or` can't join events with entities or detections")
        } else if events.len() > 1 && self.is_tumbling() {
            wrong("`or` can't join event variables in a tumbling window").help("write `over` instead of `by`")
        } else if terms.iter().any(|term| term.subject == Subject::Outcome) {
            warning(Code::ConditionOr, span, "`or` joins events with outcome variables")
                .help("put the events into parentheses: `($e1 or $e2) and $score > 0`")
        } else {
            return;
        };
        self.report(diagnostic);
    }

    fn check_n_of(&mut self, n_of: &NOf, terms: &[Term], span: Span) {
        let events = Self::named_events(terms);
        let wrong = |message: &str| Diagnostic::new(Code::ConditionOr, span, message);
        if let Some(term) = terms.iter().find(|term| !term.bounded) {
            self.report(wrong("the list can't hold what may be absent").related(term.span, "may be absent"));
        } else if !events.is_empty() && self.is_tumbling() {
            self.report(wrong("`of [..]` can't stand with a tumbling window").help("write `over` instead of `by`"));
        } else if events.windows(2).any(|pair| self.scope.events[pair[0]].source != self.scope.events[pair[1]].source) {
            self.report(warning(Code::ConditionOr, span, "the list mixes events with entities or detections"));
        }
        let most = n_of.entries.len() as u64;
        if let Needed::AtLeast(needed) = n_of.needed
            && !(1..=most).contains(&needed)
        {
            let message = format!("{needed} of {most} entries can't be asked for");
            self.report(warning(Code::ConditionForm, span, message));
        }
    }
}

/// Whether an expression stands in a chain that was checked as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    Outside,
    Or,
    NOf,
}

/// Whether a count that compares so is above zero.
const fn must_exist(op: CompareOp, number: i64) -> bool {
    match op {
        CompareOp::Greater | CompareOp::NotEqual => true,
        CompareOp::GreaterOrEqual | CompareOp::Equal => number > 0,
        CompareOp::Less | CompareOp::LessOrEqual => false,
    }
}

impl CompareOp {
    /// The same with its sides changed.
    pub(super) const fn reversed(self) -> Self {
        match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            same => same,
        }
    }
}
