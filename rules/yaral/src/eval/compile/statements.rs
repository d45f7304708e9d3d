//! The statements of `events`: which bind placeholders, which filter one variable, which join several.

use super::{Compiler, bare};
use crate::{
    eval::{
        code::Code,
        program::{Binding, CompileError, Join, Placeholder, SlotKind},
    },
    syntax::tree::{CompareOp, Expr, ExprKind},
};

/// A statement `$placeholder = expression`.
struct Assignment<'a> {
    statement: &'a Expr,
    name: &'a str,
    value: &'a Expr,
}

impl Compiler {
    pub(super) fn statements(&mut self, statements: &[Expr]) -> Result<(), CompileError> {
        let mut flat = Vec::new();
        statements.iter().for_each(|statement| flatten(statement, &mut flat));
        let (assignments, mut predicates): (Vec<_>, Vec<_>) = {
            let mut assignments = Vec::new();
            let mut predicates = Vec::new();
            for statement in flat {
                match assignment(statement) {
                    Some(found) => assignments.push(found),
                    None => predicates.push(statement),
                }
            }
            (assignments, predicates)
        };
        for one in &assignments {
            if !self.placeholder_names.contains_key(one.name) {
                self.placeholder_names.insert(one.name.to_owned(), self.placeholders.len());
                self.placeholders.push(Placeholder {
                    name: one.name.to_owned(),
                    kind: crate::types::Type::Any,
                    bound_by: Vec::new(),
                });
            }
        }
        predicates.extend(self.bind(assignments)?);
        for placeholder in &self.placeholders {
            if placeholder.bound_by.is_empty() {
                let problem = format!("${} is never equated with fields of one event", placeholder.name);
                return Err(CompileError::unsound(
                    problem,
                    statements.first().map_or_else(Default::default, |first| first.span),
                ));
            }
        }
        for predicate in predicates {
            let code = self.boolean(predicate)?;
            self.place_predicate(code);
        }
        Ok(())
    }

    /// Binds what can be bound, in as many rounds as placeholders build on each other; gives back what is a predicate.
    fn bind<'a>(&mut self, mut assignments: Vec<Assignment<'a>>) -> Result<Vec<&'a Expr>, CompileError> {
        let mut predicates = Vec::new();
        loop {
            let mut waiting = Vec::new();
            let before = assignments.len();
            for one in assignments {
                let code = self.value(one.value)?;
                let reads = code.reads();
                let &[variable] = reads.variables.as_slice() else {
                    predicates.push(one.statement);
                    continue;
                };
                let binds = |placeholder: &usize| self.placeholders[*placeholder].bound_by.contains(&variable);
                if reads.placeholders.iter().all(binds) {
                    self.bind_one(variable, one.name, code);
                } else {
                    waiting.push(one);
                }
            }
            if waiting.is_empty() || waiting.len() == before {
                predicates.extend(waiting.into_iter().map(|one| one.statement));
                return Ok(predicates);
            }
            assignments = waiting;
        }
    }

    fn bind_one(&mut self, variable: usize, name: &str, code: Code) {
        let placeholder = self.placeholder_names[name];
        let kind = self.type_of(&code);
        if self.placeholders[placeholder].bound_by.contains(&variable) {
            // Bound by this variable already: both expressions are equal.
            let compare = Code::Compare {
                left: Box::new(Code::Placeholder(placeholder)),
                op: CompareOp::Equal,
                right: Box::new(code),
                nocase: false,
            };
            self.variables[variable].filters.push(compare);
            return;
        }
        let slot = self.variables[variable].slots.len();
        self.variables[variable].slots.push(SlotKind::Computed(kind));
        self.variables[variable].bindings.push(Binding { placeholder, slot, code, never_zero: false });
        let known = &mut self.placeholders[placeholder];
        if known.bound_by.is_empty() {
            known.kind = kind;
        }
        known.bound_by.push(variable);
    }

    /// A predicate that one variable can answer filters its copies; others join.
    fn place_predicate(&mut self, code: Code) {
        let reads = code.reads();
        let answers = |variable: usize| {
            let bound = |placeholder: &usize| self.placeholders[*placeholder].bound_by.contains(&variable);
            reads.variables.iter().all(|&read| read == variable) && reads.placeholders.iter().all(bound)
        };
        let alone: Vec<_> = (0..self.variables.len()).filter(|&variable| answers(variable)).collect();
        if reads.variables.is_empty() && reads.placeholders.is_empty() {
            // True or false for all: whatever the first variable is, it decides.
            self.variables[0].filters.push(code);
        } else if alone.is_empty() {
            self.joins.push(Join { code, variables: reads.variables, placeholders: reads.placeholders });
        } else {
            alone.into_iter().for_each(|variable| self.variables[variable].filters.push(code.clone()));
        }
    }
}

fn flatten<'a>(statement: &'a Expr, found: &mut Vec<&'a Expr>) {
    match &bare(statement).kind {
        ExprKind::And(parts) => parts.iter().for_each(|part| flatten(part, found)),
        _ => found.push(bare(statement)),
    }
}

/// `$placeholder = expression with a field`, either way round.
fn assignment(statement: &Expr) -> Option<Assignment<'_>> {
    let ExprKind::Compare(compare) = &statement.kind else { return None };
    if compare.op != CompareOp::Equal || compare.nocase.is_some() {
        return None;
    }
    let sides = [(&compare.left, &compare.right), (&compare.right, &compare.left)];
    sides.into_iter().find_map(|(variable, value)| {
        let ExprKind::Variable(name) = &bare(variable).kind else { return None };
        let mut reads = false;
        super::walk(value, &mut |expr| reads |= matches!(expr.kind, ExprKind::Field(_) | ExprKind::Column(_)));
        reads.then_some(Assignment { statement, name, value })
    })
}
