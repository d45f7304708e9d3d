//! Expressions: names are looked up, paths followed, patterns compiled, literals made what they are compared with.

use std::sync::Arc;

use regex::Regex;

use super::{Compiler, Place, bare, is_unset, no_field, undefined};
use crate::{
    eval::{
        calls,
        code::{Code, Whole},
        program::{CompileError, Lookup, SlotKind},
        value::Value,
    },
    functions::{self, FunctionKind, Kind, re2},
    resolve::{EventSource, FieldPath, resolve},
    source::Span,
    syntax::tree::{self, Call, Compare, CompareOp, Expr, ExprKind, Field, Needed},
    types::{Element, Type},
};

impl Compiler {
    /// An expression that is true or false.
    pub(super) fn boolean(&mut self, expr: &Expr) -> Result<Code, CompileError> {
        match &expr.kind {
            ExprKind::Group(inner) => self.boolean(inner),
            ExprKind::And(parts) => Ok(Code::And(self.booleans(parts)?)),
            ExprKind::Or(parts) => Ok(Code::Or(self.booleans(parts)?)),
            ExprKind::Not(inner) => Ok(Code::Not(Box::new(self.boolean(inner)?))),
            ExprKind::NOf(one) => {
                let entries = self.booleans(&one.entries)?;
                let needed = match one.needed {
                    Needed::Any => 1,
                    Needed::All => entries.len(),
                    Needed::AtLeast(number) => usize::try_from(number).unwrap_or(usize::MAX),
                };
                Ok(Code::AtLeast(needed, entries))
            }
            ExprKind::Absent(name) => Ok(Code::Not(Box::new(self.exists(&name.text, name.span)?))),
            ExprKind::Variable(name) if self.place == Place::Condition => self.exists(name, expr.span),
            _ => self.predicate(expr),
        }
    }

    fn booleans(&mut self, parts: &[Expr]) -> Result<Vec<Code>, CompileError> {
        parts.iter().map(|part| self.boolean(part)).collect()
    }

    /// A predicate with the `any` and `all` in it around it.
    fn predicate(&mut self, expr: &Expr) -> Result<Code, CompileError> {
        let outside = std::mem::take(&mut self.quantified);
        let inside = self.plain_predicate(expr);
        let quantified = std::mem::replace(&mut self.quantified, outside);
        let mut code = inside?;
        for (quantifier, whole, register) in quantified.into_iter().rev() {
            code = Code::Quantify { quantifier, whole: Box::new(whole), register, body: Box::new(code) };
        }
        Ok(code)
    }

    fn plain_predicate(&mut self, expr: &Expr) -> Result<Code, CompileError> {
        match &expr.kind {
            ExprKind::Compare(compare) => self.comparison(compare),
            ExprKind::In(one) => {
                let needle = Box::new(self.value(&one.needle)?);
                let lookup = self.lookup(one);
                let code = Code::In { needle, lookup };
                Ok(if one.negated { Code::Not(Box::new(code)) } else { code })
            }
            ExprKind::IsNull { operand, negated } => {
                let code = Code::IsZero(Box::new(self.value(operand)?));
                Ok(if *negated { Code::Not(Box::new(code)) } else { code })
            }
            _ => self.value(expr),
        }
    }

    fn comparison(&mut self, compare: &Compare) -> Result<Code, CompileError> {
        let nocase = compare.nocase.is_some();
        for (text, pattern) in [(&compare.left, &compare.right), (&compare.right, &compare.left)] {
            if let ExprKind::Regex(source) = &bare(pattern).kind {
                let text = Box::new(self.value(text)?);
                let code = Code::Matches { text, regex: regex(source, nocase, pattern.span)? };
                return Ok(if compare.op == CompareOp::NotEqual { Code::Not(Box::new(code)) } else { code });
            }
        }
        let (left, right) = (self.value(&compare.left)?, self.value(&compare.right)?);
        let (left_kind, right_kind) = (self.type_of(&left), self.type_of(&right));
        let (left, right) = (as_compared(left, right_kind), as_compared(right, left_kind));
        Ok(Code::Compare { left: Box::new(left), op: compare.op, right: Box::new(right), nocase })
    }

    fn lookup(&mut self, one: &tree::In) -> usize {
        let lookup = Lookup {
            list: one.list.name.text.clone(),
            column: one.list.column.as_ref().map(|column| column.text.clone()),
            form: one.form,
            nocase: one.nocase.is_some(),
        };
        self.lookups.iter().position(|known| *known == lookup).unwrap_or_else(|| {
            self.lookups.push(lookup);
            self.lookups.len() - 1
        })
    }

    /// An expression with a value.
    pub(super) fn value(&mut self, expr: &Expr) -> Result<Code, CompileError> {
        match &expr.kind {
            ExprKind::String(text) | ExprKind::Regex(text) => Ok(constant(text)),
            ExprKind::Int(number) => Ok(Code::Constant(Value::Int(*number))),
            ExprKind::Float(number) => Ok(Code::Constant(Value::Float(*number))),
            ExprKind::Bool(truth) => Ok(Code::Constant(Value::Bool(*truth))),
            ExprKind::Group(inner) => self.value(inner),
            ExprKind::Field(field) if is_unset(field) => self.unset_slot(field),
            ExprKind::Field(field) => {
                let (variable, path) = self.path(field)?;
                // A typed variable of a detection has a text; other messages have no value.
                if matches!(path.kind, Type::Message(_)) && !(path.source == EventSource::Detection && path.by_key()) {
                    let needs =
                        "the service: no page says what a field with fields of its own is as a value".to_owned();
                    return Err(CompileError::NotOffline { what: path.canonical(), needs, span: expr.span });
                }
                Ok(Code::Slot(self.slot(variable, path)))
            }
            ExprKind::Variable(name) => self.variable_value(name, expr.span),
            ExprKind::Count(name) => self.count(name, expr.span),
            ExprKind::Column(column) => {
                let known = self.tables.get(&column.name.text).copied();
                let (Some(variable), Some(name)) = (known, &column.column) else {
                    let needs = "a row: no statement of events joins the table".to_owned();
                    return Err(CompileError::NotOffline {
                        what: format!("%{}", column.name.text),
                        needs,
                        span: expr.span,
                    });
                };
                Ok(Code::Slot(self.column_slot(variable, &name.text)))
            }
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::If(one) => {
                let condition = Box::new(self.boolean(&one.condition)?);
                let then = self.value(&one.then)?;
                let otherwise = match &one.otherwise {
                    Some(otherwise) => self.value(otherwise)?,
                    None => Code::Constant(Value::zero(self.type_of(&then))),
                };
                Ok(Code::If { condition, then: Box::new(then), otherwise: Box::new(otherwise) })
            }
            ExprKind::Quantified(quantifier, inner) => {
                let ExprKind::Field(field) = &bare(inner).kind else {
                    return Err(CompileError::unsound("any and all stand before a field", expr.span));
                };
                if is_unset(field) {
                    return self.unset_slot(field);
                }
                let whole = self.whole(field)?;
                let register = self.registers;
                self.registers += 1;
                self.quantified.push((*quantifier, whole, register));
                Ok(Code::Register(register))
            }
            ExprKind::Arithmetic(op, left, right) => {
                let (left, right) = (Box::new(self.value(left)?), Box::new(self.value(right)?));
                Ok(Code::Arithmetic { op: *op, left, right })
            }
            ExprKind::Word(word) if word.eq_ignore_ascii_case("window_start") => Ok(Code::WindowStart),
            ExprKind::Word(word) if word.eq_ignore_ascii_case("window_end") => Ok(Code::WindowEnd),
            ExprKind::Compare(_) | ExprKind::In(_) | ExprKind::IsNull { .. } => self.predicate(expr),
            ExprKind::Not(_) | ExprKind::And(_) | ExprKind::Or(_) | ExprKind::NOf(_) | ExprKind::Absent(_) => {
                self.boolean(expr)
            }
            ExprKind::Duration(_) | ExprKind::Word(_) | ExprKind::Star | ExprKind::Error => {
                Err(CompileError::unsound("something that has no value", expr.span))
            }
        }
    }

    fn path(&self, field: &Field) -> Result<(usize, FieldPath), CompileError> {
        let name = &field.variable;
        let variable = self.by_name.get(&name.text).copied().ok_or_else(|| undefined(&name.text, name.span))?;
        let path = resolve(field).map_err(no_field)?;
        Ok((variable, path))
    }

    fn whole(&self, field: &Field) -> Result<Whole, CompileError> {
        let (variable, path) = self.path(field)?;
        Ok(Whole { variable, zero: Value::zero(path.kind), kind: path.kind, steps: path.steps })
    }

    fn variable_value(&self, name: &str, span: Span) -> Result<Code, CompileError> {
        if self.place != Place::Events
            && let Some(at) = self.outcomes.iter().position(|(known, _)| known == name)
        {
            return Ok(Code::Outcome(at));
        }
        if self.place == Place::Condition {
            return self.count(name, span);
        }
        self.placeholder_names.get(name).map(|&at| Code::Placeholder(at)).ok_or_else(|| undefined(name, span))
    }

    fn count(&self, name: &str, span: Span) -> Result<Code, CompileError> {
        if let Some(&at) = self.placeholder_names.get(name) {
            return Ok(Code::PlaceholderCount(at));
        }
        self.by_name.get(name).map(|&at| Code::EventCount(at)).ok_or_else(|| undefined(name, span))
    }

    /// `$name` as a condition: of an outcome its truth, of all else that there is one.
    fn exists(&self, name: &str, span: Span) -> Result<Code, CompileError> {
        if let Some(at) = self.outcomes.iter().position(|(known, _)| known == name) {
            return Ok(Code::Outcome(at));
        }
        let count = Box::new(self.count(name, span)?);
        let none = Box::new(Code::Constant(Value::Int(0)));
        Ok(Code::Compare { left: count, op: CompareOp::Greater, right: none, nocase: false })
    }

    fn call(&mut self, call: &Call, span: Span) -> Result<Code, CompileError> {
        let name = call.name.text.to_ascii_lowercase();
        let Some(function) = functions::find(&name) else {
            if name == "group" {
                let problem = "group stands in searches only";
                return Err(CompileError::unsound(problem, call.name.span));
            }
            let needs = "the service: no page lists this function".to_owned();
            return Err(CompileError::NotOffline { what: call.name.text.clone(), needs, span: call.name.span });
        };
        if let Some(needs) = calls::not_offline(function) {
            return Err(CompileError::not_offline(function, needs, span));
        }
        let nocase = call.nocase.is_some();
        let mut arguments = Vec::with_capacity(call.arguments.len());
        for (position, argument) in call.arguments.iter().enumerate() {
            let takes_list = calls::parameter(function, position).is_some_and(|one| one.types.contains(&Kind::List));
            arguments.push(match &bare(&argument.value).kind {
                ExprKind::Field(field) if takes_list => Code::Whole(Box::new(self.whole(field)?)),
                _ => self.value(&argument.value)?,
            });
        }
        calls::arity(function, arguments.len()).map_err(|problem| CompileError::unsound(problem, span))?;
        if function.kind == FunctionKind::Aggregate {
            return Ok(Code::Aggregate { function, arguments });
        }
        if function.name == "re.regex" && arguments.len() == 2 {
            return pattern(arguments, nocase, call.arguments[1].value.span);
        }
        if let Some(Code::Constant(Value::String(source))) = arguments.get(1)
            && function.name.starts_with("re.")
        {
            regex(source, nocase, call.arguments[1].value.span)?;
        }
        Ok(Code::Call { function, arguments, nocase })
    }

    /// What a value of the code is, as far as it is known.
    pub(super) fn type_of(&self, code: &Code) -> Type {
        match code {
            Code::Constant(value) => value.kind(),
            Code::Slot(slot) => {
                let kind = self.variables[slot.variable].slots.get(slot.at).map(SlotKind::kind);
                if let Some(Type::Message(_)) = kind { Type::String } else { kind.unwrap_or(Type::Any) }
            }
            Code::Placeholder(at) => self.placeholders[*at].kind,
            Code::Outcome(at) => self.outcomes.get(*at).map_or(Type::Any, |(_, kind)| *kind),
            Code::Whole(_) => Type::List(Element::Any),
            Code::Register(register) => {
                let known = self.quantified.iter().find(|(_, _, known)| known == register);
                known.map_or(Type::Any, |(_, whole, _)| whole.kind)
            }
            Code::Arithmetic { op: tree::ArithmeticOp::Divide, .. } => Type::Float,
            Code::Arithmetic { left, right, .. } => match (self.type_of(left), self.type_of(right)) {
                (Type::Float, _) | (_, Type::Float) => Type::Float,
                (kind, _) => kind,
            },
            Code::If { then, .. } => self.type_of(then),
            Code::Call { function, arguments, .. } | Code::Aggregate { function, arguments } => {
                function.result(arguments.first().map_or(Type::Any, |first| self.type_of(first)))
            }
            Code::EventCount(_) | Code::PlaceholderCount(_) => Type::Int,
            Code::WindowStart | Code::WindowEnd => Type::Timestamp,
            _ => Type::Bool,
        }
    }
}

fn constant(text: &str) -> Code {
    Code::Constant(Value::String(Arc::from(text)))
}

fn pattern(mut arguments: Vec<Code>, nocase: bool, span: Span) -> Result<Code, CompileError> {
    let pattern = arguments.pop().unwrap_or(Code::TRUE);
    let text = Box::new(arguments.pop().unwrap_or(Code::TRUE));
    match pattern {
        Code::Constant(Value::String(source)) => Ok(Code::Matches { text, regex: regex(&source, nocase, span)? }),
        pattern => Ok(Code::MatchesDynamic { text, pattern: Box::new(pattern), nocase }),
    }
}

fn regex(source: &str, nocase: bool, span: Span) -> Result<Regex, CompileError> {
    re2::compile(source, nocase).map_err(|error| CompileError::unsound(error, span))
}

/// A literal text, as the value with which it is compared: the name of an enum, a point in time.
fn as_compared(code: Code, other: Type) -> Code {
    let Code::Constant(Value::String(text)) = &code else { return code };
    let value = match other {
        Type::Enum(id) => Value::of_enum(id, text),
        Type::Timestamp => timestamp(text),
        _ => None,
    };
    value.map_or(code, Code::Constant)
}

/// A timestamp as GoogleSQL writes it: `2026-01-01 00:00:00Z`, the zone UTC when there is none.
fn timestamp(text: &str) -> Option<Value> {
    let zone = text.get(10..).is_some_and(|rest| rest.contains(['Z', 'z', '+', '-']));
    let time: jiff::Timestamp = if zone { text.parse() } else { format!("{text}Z").parse() }.ok()?;
    let nanos = time.as_nanosecond();
    Some(Value::Timestamp(
        i64::try_from(nanos.div_euclid(1_000_000_000)).ok()?,
        i32::try_from(nanos.rem_euclid(1_000_000_000)).ok()?,
    ))
}
