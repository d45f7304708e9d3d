//! The type of an expression, and what is wrong inside of it.

use super::{Checker, Place, names, paths, walk, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    functions::{self, Kind},
    resolve::resolve,
    source::Span,
    syntax::tree::{ArithmeticOp, Expr, ExprKind, Field, If, Quantifier},
    types::Type,
};

/// How deep calls may be nested.
const MAX_CALLS: usize = 20;

impl<'t> Checker<'t> {
    /// Checks something that must be true or false.
    pub(super) fn holds(&mut self, expr: &'t Expr, place: Place) {
        match &expr.kind {
            ExprKind::And(operands) | ExprKind::Or(operands) => {
                operands.iter().for_each(|operand| self.holds(operand, place));
            }
            ExprKind::Not(inner) | ExprKind::Group(inner) => self.holds(inner, place),
            _ => {
                let kind = self.value(expr, place);
                if !matches!(kind, Type::Bool | Type::Any) {
                    let message = format!("a value of type {kind} stands where something true or false is expected");
                    self.report(
                        Diagnostic::new(Code::NotBoolean, expr.span, message)
                            .help("compare it with something: `= \"..\"`, `> 0`"),
                    );
                }
            }
        }
    }

    /// Checks an expression and gives its type.
    pub(super) fn value(&mut self, expr: &'t Expr, place: Place) -> Type {
        match &expr.kind {
            ExprKind::String(_) => Type::String,
            ExprKind::Regex(pattern) => {
                self.pattern(pattern, expr.span);
                Type::String
            }
            ExprKind::Int(_) => Type::Int,
            ExprKind::Float(_) => Type::Float,
            ExprKind::Bool(_) => Type::Bool,
            ExprKind::Duration(_) | ExprKind::Star | ExprKind::Column(_) | ExprKind::Error => Type::Any,
            ExprKind::Word(word) => self.word(word, expr.span, place),
            ExprKind::Field(field) => self.field(field, place),
            ExprKind::Variable(name) => self.variable(name, expr.span, place),
            ExprKind::Call(call) => self.call(call, expr, place),
            ExprKind::If(choice) => self.choice(choice, expr.span, place),
            ExprKind::Quantified(quantifier, inner) => self.quantified(*quantifier, inner, place),
            ExprKind::Arithmetic(op, left, right) => self.arithmetic(*op, left, right, place),
            ExprKind::Group(inner) => self.value(inner, place),
            ExprKind::Compare(compare) => {
                self.compare(compare, expr.span, place);
                Type::Bool
            }
            ExprKind::In(membership) => {
                self.membership(membership, place);
                Type::Bool
            }
            ExprKind::IsNull { operand, .. } => {
                self.value(operand, place);
                Type::Bool
            }
            ExprKind::Not(_) | ExprKind::And(_) | ExprKind::Or(_) => {
                self.holds(expr, place);
                Type::Bool
            }
            ExprKind::Count(_) | ExprKind::Absent(_) | ExprKind::NOf(_) => {
                let message = "counts, `!$event` and `of [..]` stand in condition only";
                self.report(Diagnostic::new(Code::ConditionForm, expr.span, message));
                Type::Any
            }
        }
    }

    fn word(&mut self, word: &str, span: Span, place: Place) -> Type {
        let is_window = ["window_start", "window_end"].iter().any(|edge| word.eq_ignore_ascii_case(edge));
        match place {
            Place::Filter => Type::Any,
            Place::Events if is_window => {
                let message = format!("`{word}` can't stand in events: windows are made after the events are read");
                self.report(Diagnostic::new(Code::BareWord, span, message).help("use it in condition or outcome"));
                Type::Any
            }
            _ if is_window => Type::Timestamp,
            _ => {
                let message = format!("the word `{}` stands where a value is expected", names::shown(word));
                let help = format!("a text needs quotes, `\"{0}\"`; a variable its sign, `${0}`", names::shown(word));
                self.report(Diagnostic::new(Code::BareWord, span, message).help(help));
                Type::Any
            }
        }
    }

    fn field(&mut self, field: &'t Field, place: Place) -> Type {
        if place == Place::Filter {
            let message = "a metric's filter compares measures only: no field, no variable";
            self.report(Diagnostic::new(Code::MetricArguments, field.variable.span, message));
            return Type::Any;
        }
        if self.scope.event(&field.variable.text).is_none() {
            self.undefined_event(field, place);
        }
        self.path(field).map_or(Type::Any, |path| paths::kind_of(&path))
    }

    fn quantified(&mut self, quantifier: Quantifier, inner: &'t Expr, place: Place) -> Type {
        let word = match quantifier {
            Quantifier::Any => "any",
            Quantifier::All => "all",
        };
        let ExprKind::Field(field) = &inner.kind else {
            if inner.kind != ExprKind::Error {
                let message = format!("`{word}` stands directly before a repeated field, not before anything else");
                let mut diagnostic = Diagnostic::new(Code::QuantifierPlace, inner.span, message);
                if matches!(inner.kind, ExprKind::Call(_)) {
                    diagnostic = diagnostic.help(format!("put it into the call: `re.regex({word} $e.field, ..)`"));
                }
                self.report(diagnostic);
            }
            self.value(inner, place);
            return Type::Any;
        };
        let before = self.diagnostics.len();
        let kind = self.field(field, place);
        if self.diagnostics.len() > before {
            return kind;
        }
        let Ok(path) = resolve(field) else { return kind };
        if path.indexed() || path.by_key() {
            let message = format!("`{word}` asks about a whole list, and brackets pick one value");
            self.report(
                Diagnostic::new(Code::QuantifierPlace, inner.span, message).help(format!("leave out `{word}`")),
            );
        } else if !path.repeated() {
            let message = format!("`{word}` needs a repeated field, and `{}` holds one value", path.canonical());
            self.report(
                Diagnostic::new(Code::QuantifierScalar, inner.span, message).help(format!("leave out `{word}`")),
            );
        }
        kind
    }

    fn choice(&mut self, choice: &'t If, span: Span, place: Place) -> Type {
        self.holds(&choice.condition, place);
        let then = self.value(&choice.then, place);
        let Some(otherwise) = &choice.otherwise else {
            self.without_else(choice, then, span);
            return then;
        };
        let other = self.value(otherwise, place);
        match (family(then), family(other)) {
            (Family::Unknown, _) => other,
            (_, Family::Unknown) => then,
            (Family::Number, Family::Number) if then != other => Type::Float,
            (left, right) if left == right => then,
            _ => {
                let message = format!("the branches of `if` have different types: {then} and {other}");
                self.report(
                    Diagnostic::new(Code::BranchTypes, otherwise.span, message)
                        .label(other.to_string())
                        .related(choice.then.span, then.to_string()),
                );
                Type::Any
            }
        }
    }

    fn without_else(&mut self, choice: &'t If, then: Type, span: Span) {
        let is_variable = matches!(walk::bare(&choice.then).kind, ExprKind::Variable(_));
        if is_variable || family(then) == Family::Text {
            let message = "without a second branch `if` gives 0, so its first branch must be a plain number";
            self.report(
                Diagnostic::new(Code::MissingElse, span, message).help("add what it gives if the condition is false"),
            );
        }
    }

    fn arithmetic(&mut self, op: ArithmeticOp, left: &'t Expr, right: &'t Expr, place: Place) -> Type {
        let kinds = [self.operand(left, place), self.operand(right, place)];
        if kinds.contains(&Type::Any) {
            return if op == ArithmeticOp::Divide { Type::Float } else { Type::Any };
        }
        let whole = left.span.to(right.span);
        if op == ArithmeticOp::Modulo && kinds.contains(&Type::Float) {
            self.report(Diagnostic::new(Code::ArithmeticType, whole, "`%` takes whole numbers only"));
        }
        match (op, kinds) {
            (ArithmeticOp::Divide, _) => Type::Float,
            (_, kinds) if kinds.contains(&Type::Float) => Type::Float,
            (_, [Type::Uint, Type::Uint]) => Type::Uint,
            (_, [Type::Int, Type::Int]) => Type::Int,
            _ => {
                let message = "arithmetic of an unsigned field with a signed number, which the service refuses";
                // Part of a longer sum that was told already.
                let told = |known: &Diagnostic| {
                    known.code == Code::UnsignedArithmetic
                        && known.span.start >= whole.start
                        && known.span.end <= whole.end
                };
                if !self.diagnostics.iter().any(told) {
                    self.report(
                        warning(Code::UnsignedArithmetic, whole, message)
                            .help("make the number one with a point: `* (2/1)`, `+ 0.0`"),
                    );
                }
                Type::Int
            }
        }
    }

    fn operand(&mut self, expr: &'t Expr, place: Place) -> Type {
        match self.value(expr, place) {
            kind if kind.is_number() => kind,
            Type::Timestamp => {
                let message = "arithmetic with a point in time";
                self.report(warning(Code::ArithmeticType, expr.span, message).help("use its `.seconds`"));
                Type::Any
            }
            Type::List(_) => {
                self.report(warning(Code::ArithmeticType, expr.span, "arithmetic with a list"));
                Type::Any
            }
            kind => {
                let message = format!("arithmetic needs numbers, and this is of type {kind}");
                let mut diagnostic = Diagnostic::new(Code::ArithmeticType, expr.span, message);
                if kind == Type::String {
                    diagnostic =
                        diagnostic.help("texts are put together by `strings.concat`, and read by `cast.as_int`");
                }
                self.report(diagnostic);
                Type::Any
            }
        }
    }

    /// Whether an expression has one value for each item of a list.
    pub(super) fn is_repeated(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Field(field) => resolve(field).is_ok_and(|path| path.repeated()),
            ExprKind::Variable(name) => {
                self.scope.placeholder(name).is_some_and(|id| self.scope.placeholders[id].repeated)
            }
            ExprKind::Quantified(..) => false,
            ExprKind::Call(call) => {
                let function = functions::find(&call.name.text);
                call.arguments.iter().enumerate().any(|(position, argument)| {
                    let parameter = function.and_then(|function| function.parameter(position));
                    let takes_list = parameter.is_some_and(|parameter| parameter.types.contains(&Kind::List));
                    !takes_list && self.is_repeated(&argument.value)
                })
            }
            _ => {
                let mut found = false;
                walk::parts(expr, &mut |part| found = found || self.is_repeated(part));
                found
            }
        }
    }

    /// Looks for calls that are nested too deeply; `depth` is how many are around the expression.
    pub(super) fn check_depth(&mut self, expr: &'t Expr, depth: usize) {
        let is_call = matches!(expr.kind, ExprKind::Call(_) | ExprKind::If(_));
        let depth = depth + usize::from(is_call);
        if is_call && depth > MAX_CALLS {
            let message = format!("calls are nested deeper than {MAX_CALLS}");
            self.report(Diagnostic::new(Code::FunctionDepth, expr.span, message));
            return;
        }
        walk::parts(expr, &mut |part| self.check_depth(part, depth));
    }
}

/// What can be compared with, or stand in place of, each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Text,
    Number,
    Bool,
    Time,
    Bytes,
    List,
    Message,
    Unknown,
}

/// The family of a type.
pub(super) fn family(kind: Type) -> Family {
    match kind {
        Type::String | Type::Enum(_) => Family::Text,
        Type::Int | Type::Uint | Type::Float => Family::Number,
        Type::Bool => Family::Bool,
        Type::Timestamp => Family::Time,
        Type::Bytes => Family::Bytes,
        Type::List(_) => Family::List,
        Type::Message(_) => Family::Message,
        Type::Any => Family::Unknown,
    }
}
