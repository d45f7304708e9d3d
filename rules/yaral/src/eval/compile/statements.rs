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
        assignments.iter().for_each(|one| self.placeholder(one.name));
        for predicate in &predicates {
            self.bind_alternatives(predicate)?;
        }
        predicates.extend(self.bind(assignments)?);
        if let Some(placeholder) = self.placeholders.iter().find(|placeholder| placeholder.bound_by.is_empty()) {
            return Err(CompileError::NotOffline {
                what: format!("${}", placeholder.name),
                needs: "an equality with fields of one event in each alternative of one `or`, or outside of `or`"
                    .to_owned(),
                span: statements.first().map_or_else(Default::default, |first| first.span),
            });
        }
        for predicate in predicates {
            let code = self.boolean(predicate)?;
            self.place_predicate(code);
        }
        Ok(())
    }

    fn placeholder(&mut self, name: &str) {
        if !self.placeholder_names.contains_key(name) {
            self.placeholder_names.insert(name.to_owned(), self.placeholders.len());
            let kind = crate::types::Type::Any;
            self.placeholders.push(Placeholder { name: name.to_owned(), kind, bound_by: Vec::new() });
        }
    }

    /// `($e.a = $p or $e.b = $p)`: each alternative gives copies of its own. The statement stays a predicate, so that what else
    /// stands in an alternative chooses among them.
    fn bind_alternatives(&mut self, predicate: &Expr) -> Result<(), CompileError> {
        let mut alternatives = Vec::new();
        split(predicate, &mut alternatives);
        let equalities: Vec<Vec<Assignment<'_>>> = alternatives.iter().map(|one| equalities(one)).collect();
        let mut names: Vec<&str> = equalities.iter().flatten().map(|one| one.name).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let known = self.placeholder_names.contains_key(name);
            self.placeholder(name);
            // What is bound elsewhere needs no copies of its own.
            if !known && let Some((variable, codes)) = self.alternatives(name, &equalities)? {
                self.bind_one(variable, name, codes);
            }
        }
        Ok(())
    }

    /// What a placeholder is equated with in the alternatives, if each has it and all read one variable and no placeholder.
    fn alternatives(
        &mut self,
        name: &str,
        equalities: &[Vec<Assignment<'_>>],
    ) -> Result<Option<(usize, Vec<Code>)>, CompileError> {
        let mut codes = Vec::with_capacity(equalities.len());
        let mut variables = Vec::new();
        for alternative in equalities {
            let Some(one) = alternative.iter().find(|one| one.name == name) else { return Ok(None) };
            if reads_placeholder(one.value) {
                return Ok(None);
            }
            let code = self.value(one.value)?;
            variables.extend(code.reads().variables);
            codes.push(code);
        }
        variables.dedup();
        Ok(if let &[variable] = variables.as_slice() { Some((variable, codes)) } else { None })
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
                    self.bind_one(variable, one.name, vec![code]);
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

    fn bind_one(&mut self, variable: usize, name: &str, alternatives: Vec<Code>) {
        let placeholder = self.placeholder_names[name];
        let mut kinds: Vec<_> = alternatives.iter().map(|code| self.type_of(code)).collect();
        kinds.dedup();
        let kind = if let &[kind] = kinds.as_slice() { kind } else { crate::types::Type::Any };
        if self.placeholders[placeholder].bound_by.contains(&variable) {
            // Bound by this variable already: both expressions are equal.
            let equal = |code| Code::Compare {
                left: Box::new(Code::Placeholder(placeholder)),
                op: CompareOp::Equal,
                right: Box::new(code),
                nocase: false,
            };
            self.variables[variable].filters.extend(alternatives.into_iter().map(equal));
            return;
        }
        let slot = self.variables[variable].slots.len();
        self.variables[variable].slots.push(SlotKind::Computed(kind));
        self.variables[variable].bindings.push(Binding { placeholder, slot, alternatives, never_zero: false });
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

/// The alternatives of a statement; a statement without `or` is the only one.
fn split<'a>(statement: &'a Expr, found: &mut Vec<&'a Expr>) {
    match &bare(statement).kind {
        ExprKind::Or(parts) => parts.iter().for_each(|part| split(part, found)),
        _ => found.push(statement),
    }
}

/// The equalities of placeholders that hold whenever an alternative does.
fn equalities(alternative: &Expr) -> Vec<Assignment<'_>> {
    let mut parts = Vec::new();
    flatten(alternative, &mut parts);
    parts.into_iter().filter_map(equality).collect()
}

fn reads_placeholder(value: &Expr) -> bool {
    let mut reads = false;
    crate::syntax::walk::visit(value, &mut |expr| reads |= matches!(expr.kind, ExprKind::Variable(_)));
    reads
}

/// A statement of its own that gives a placeholder its value. One with `nocase` does so too where nothing else does, and is a
/// predicate besides.
fn assignment(statement: &Expr) -> Option<Assignment<'_>> {
    let ExprKind::Compare(compare) = &statement.kind else { return None };
    if compare.nocase.is_some() { None } else { equality(statement) }
}

/// `$placeholder = expression with a field`, either way round.
fn equality(statement: &Expr) -> Option<Assignment<'_>> {
    let ExprKind::Compare(compare) = &statement.kind else { return None };
    if compare.op != CompareOp::Equal {
        return None;
    }
    let sides = [(&compare.left, &compare.right), (&compare.right, &compare.left)];
    sides.into_iter().find_map(|(variable, value)| {
        let ExprKind::Variable(name) = &bare(variable).kind else { return None };
        let mut reads = false;
        crate::syntax::walk::visit(value, &mut |expr| {
            reads |= matches!(expr.kind, ExprKind::Field(_) | ExprKind::Column(_))
        });
        reads.then_some(Assignment { statement, name, value })
    })
}
