//! `outcome`: what must be aggregated, what must not be, and in which order variables come.

use super::{
    Checker, Place,
    expression::{Family, family},
    names, walk, warning,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    functions::{self, FunctionKind, Kind},
    resolve::resolve,
    source::Span,
    syntax::tree::{Call, Expr, ExprKind, Field, OutcomeVariable},
    types::Type,
};

/// How many variables an outcome may have.
const MAX_VARIABLES: usize = 20;

/// What stands around an expression.
#[derive(Debug, Clone, Copy)]
struct Around {
    aggregate: Aggregate,
    role: Role,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    /// One row's values need an aggregate.
    Missing,
    /// There is one.
    Present,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// The whole of a variable.
    Whole,
    /// A part of it.
    Part,
    /// A part of the condition of `if`.
    Question,
}

impl<'t> Checker<'t> {
    pub(super) fn check_outcome(&mut self) {
        let Some(outcome) = &self.rule.outcome else { return };
        for (position, variable) in outcome.body.iter().enumerate() {
            if position == MAX_VARIABLES {
                let message = format!("an outcome has at most {MAX_VARIABLES} variables, {} here", outcome.body.len());
                self.report(Diagnostic::new(Code::TooManyOutcomes, variable.name.span, message));
            }
            self.check_outcome_variable(variable);
        }
    }

    fn check_outcome_variable(&mut self, variable: &'t OutcomeVariable) {
        let name = variable.name.text.as_str();
        let kind = self.value(&variable.value, Place::Outcome);
        self.check_rows(&variable.value, Around { aggregate: Aggregate::Missing, role: Role::Whole });
        self.check_depth(&variable.value, 0);
        if let Type::Message(_) = kind {
            let message = format!("this is a whole {kind}, and an outcome needs one of its fields");
            self.report(Diagnostic::new(Code::MessageAsValue, variable.value.span, message));
        }
        if name == "risk_score" {
            self.check_risk_score(&variable.value, kind);
        }
        self.define(variable, if matches!(kind, Type::Message(_)) { Type::Any } else { kind });
    }

    fn define(&mut self, variable: &'t OutcomeVariable, kind: Type) {
        let name = variable.name.text.as_str();
        let span = variable.name.span;
        let shown = names::shown(name);
        let Some(outcome) = self.scope.outcomes.get_mut(name) else { return };
        let first = outcome.span;
        let twice = outcome.defined;
        if !twice {
            outcome.defined = true;
            outcome.kind = kind;
        }
        if twice {
            let message = format!("the outcome variable `${shown}` is defined twice");
            self.report(Diagnostic::new(Code::DuplicateVariable, span, message).related(first, "first here"));
        } else if self.scope.event(name).is_some() || self.scope.placeholder(name).is_some() {
            let message = format!("the outcome variable `${shown}` has the name of a variable of events");
            self.report(warning(Code::DuplicateVariable, span, message).help("give it a name of its own"));
        }
    }

    fn check_risk_score(&mut self, value: &'t Expr, kind: Type) {
        if matches!(family(kind), Family::Text | Family::Bool | Family::List) {
            let message = format!("`$risk_score` is a number, and this is of type {kind}");
            self.report(Diagnostic::new(Code::RiskScoreType, value.span, message));
        }
        let literal = match &walk::bare(value).kind {
            ExprKind::Call(call) if call.arguments.len() == 1 => walk::bare(&call.arguments[0].value),
            _ => walk::bare(value),
        };
        let score = match literal.kind {
            ExprKind::Int(score) => score as f64,
            ExprKind::Float(score) => score,
            _ => return,
        };
        if !(0.0..=100.0).contains(&score) {
            let message = "a risk score lies between 0 and 100";
            self.report(Diagnostic::new(Code::RiskScoreRange, literal.span, message));
        }
    }

    /// Looks for values of single rows where a detection has many, and for aggregates of aggregates.
    fn check_rows(&mut self, expr: &'t Expr, around: Around) {
        let part = Around { role: if around.role == Role::Question { Role::Question } else { Role::Part }, ..around };
        match &expr.kind {
            ExprKind::Group(inner) => self.check_rows(inner, around),
            ExprKind::Field(field) => self.check_row_field(field, expr.span, around),
            ExprKind::Quantified(_, inner) => {
                // The whole list is asked about, so without match it is one value.
                if self.rule.matching.is_some() {
                    self.check_rows(inner, part);
                }
            }
            ExprKind::Variable(name) => self.check_row_variable(name, expr.span, around),
            ExprKind::Call(call) => self.check_row_call(call, part),
            ExprKind::If(choice) => {
                self.check_rows(&choice.condition, Around { role: Role::Question, ..around });
                self.check_rows(&choice.then, part);
                if let Some(otherwise) = &choice.otherwise {
                    self.check_rows(otherwise, part);
                }
            }
            _ => walk::parts(expr, &mut |inner| self.check_rows(inner, part)),
        }
    }

    fn check_row_field(&mut self, field: &'t Field, span: Span, around: Around) {
        if around.aggregate == Aggregate::Present {
            return;
        }
        let Ok(path) = resolve(field) else { return };
        if self.rule.matching.is_some() {
            let message = "a rule with match sees many events, so a field needs an aggregate";
            self.needs_aggregate(span, message, Code::OutcomeAggregate);
        } else if path.repeated() {
            let message = format!("`{}` holds a list, so it needs an aggregate", path.canonical());
            if around.role == Role::Question {
                self.report(warning(Code::OutcomeAggregate, span, message).help("ask with `any`, or aggregate it"));
            } else {
                self.needs_aggregate(span, &message, Code::OutcomeAggregate);
            }
        } else if path.indexed() && around.role == Role::Whole {
            let message = "an item that is picked by number can't stand in outcome by itself";
            self.report(
                Diagnostic::new(Code::OutcomeIndex, span, message)
                    .help("bind it to a placeholder in events, or aggregate it"),
            );
        }
    }

    fn needs_aggregate(&mut self, span: Span, message: &str, code: Code) {
        self.report(
            Diagnostic::new(code, span, message)
                .help("put it into `array_distinct(..)`, `max(..)`, `count_distinct(..)` or the like"),
        );
    }

    fn check_row_variable(&mut self, name: &'t str, span: Span, around: Around) {
        let placeholder = self.scope.placeholder(name);
        let is_outcome = self.scope.outcomes.contains_key(name);
        let shown = names::shown(name);
        match (around.aggregate, placeholder) {
            (Aggregate::Present, None) if is_outcome => {
                let message = format!("the outcome variable `${shown}` is aggregated already");
                self.report(Diagnostic::new(Code::OutcomeReaggregated, span, message).help("use it as it is"));
            }
            (Aggregate::Missing, Some(id)) if !is_outcome => {
                if self.rule.matching.is_none() {
                    if self.scope.placeholders[id].repeated {
                        let message = format!("`${shown}` stands for the items of a list, so it needs an aggregate");
                        self.needs_aggregate(span, &message, Code::OutcomeAggregate);
                    }
                } else if self.scope.matched.contains(name) {
                    let message = format!("the match variable `${shown}` stands here without an aggregate");
                    self.report(
                        warning(Code::OutcomeAggregate, span, message)
                            .help("every example of the pages aggregates it: `array_distinct(..)`, `max(..)`"),
                    );
                } else {
                    let message =
                        format!("a rule with match sees many events, so the placeholder `${shown}` needs an aggregate");
                    self.needs_aggregate(span, &message, Code::OutcomeAggregate);
                }
            }
            _ => {}
        }
    }

    fn check_row_call(&mut self, call: &'t Call, around: Around) {
        let present = Around { aggregate: Aggregate::Present, ..around };
        let Some(function) = functions::find(&call.name.text) else {
            // It may well be an aggregate that nobody has told us of.
            call.arguments.iter().for_each(|argument| self.check_rows(&argument.value, present));
            return;
        };
        let inside = match function.kind {
            FunctionKind::Aggregate => {
                if around.aggregate == Aggregate::Present {
                    self.nested_aggregate(call, around.role);
                }
                present
            }
            FunctionKind::Metric => {
                if around.aggregate == Aggregate::Missing && self.rule.matching.is_some() {
                    let message = "a metric needs an aggregate in a rule with match";
                    self.report(
                        Diagnostic::new(Code::MetricPlace, call.name.span, message)
                            .help(format!("write `max({}(..))`", function.name)),
                    );
                }
                // Its values are dimensions, not rows.
                return;
            }
            FunctionKind::Scalar | FunctionKind::SearchOnly => around,
        };
        for (position, argument) in call.arguments.iter().enumerate() {
            let takes_list =
                function.parameter(position).is_some_and(|parameter| parameter.types.contains(&Kind::List));
            let value = walk::bare(&argument.value);
            match &value.kind {
                ExprKind::Variable(name)
                    if function.name == "arrays.length" && self.scope.outcomes.contains_key(name.as_str()) =>
                {
                    let message = "`arrays.length` counts the values of a field, not of an outcome variable";
                    self.report(
                        Diagnostic::new(Code::OutcomeReaggregated, value.span, message)
                            .help("use `count` or `count_distinct` of the field"),
                    );
                }
                // A function over a list makes one value of it.
                ExprKind::Field(_) if takes_list && self.rule.matching.is_none() => {}
                _ => self.check_rows(&argument.value, inside),
            }
        }
    }

    fn nested_aggregate(&mut self, call: &'t Call, role: Role) {
        let message = format!("the aggregate `{}` stands inside of an aggregate", names::shown(&call.name.text));
        let help = "give it to an outcome variable of its own";
        self.report(if role == Role::Question {
            warning(Code::NestedAggregate, call.name.span, message).help(help)
        } else {
            Diagnostic::new(Code::NestedAggregate, call.name.span, message).help(help)
        });
    }
}
