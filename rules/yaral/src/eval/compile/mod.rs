//! A rule's tree -> a program.
//!
//! A rule that the checker refuses may come here too. Nothing panics then: the first thing without a meaning is an error.

mod condition;
mod expression;
mod sections;
mod statements;

use std::collections::{BTreeMap, HashMap};

use super::{
    code::{Code, Slot},
    program::{
        CompileError, Join, Lookup, Outcome, Placeholder, Presence, Program, SlotKind, Source, Variable, Window,
        WindowKind,
    },
};
use crate::{
    resolve::{EventSource, FieldPath, PathError, PathErrorKind, resolve},
    source::Span,
    syntax::tree::{self, Expr, ExprKind, Rule},
    types::Type,
};

pub(super) fn compile(rule: &Rule) -> Result<Program, CompileError> {
    let mut compiler = Compiler::default();
    let statements = rule.events.as_ref().map(|section| section.body.as_slice()).unwrap_or_default();
    compiler.declare(statements, rule)?;
    compiler.statements(statements)?;
    let (keys, window) = compiler.matching(rule)?;
    let outcomes = compiler.outcomes(rule)?;
    let condition =
        rule.condition.as_ref().ok_or_else(|| CompileError::unsound("it has no condition", rule.name.span))?;
    compiler.presence(&condition.body, rule.name.span)?;
    compiler.place = Place::Condition;
    let code = compiler.boolean(&condition.body)?;
    compiler.pivot(window, rule)?;
    let options = sections::options(rule)?;
    if !options.allow_zero_values {
        compiler.never_zero(&keys);
    }
    let reads_window = |code: &Code| code.any(&|code| matches!(code, Code::WindowStart | Code::WindowEnd));
    let meta = rule.meta.iter().flat_map(|section| &section.body);
    Ok(Program {
        name: rule.name.text.clone(),
        meta: meta.map(|entry| (entry.key.text.clone(), entry.value.clone())).collect(),
        enrichments: compiler.enrichments(rule)?,
        exports: sections::exports(rule, &outcomes, &keys, &compiler.placeholders)?,
        reads_window: reads_window(&code) || outcomes.iter().any(|outcome| reads_window(&outcome.code)),
        variables: compiler.variables,
        placeholders: compiler.placeholders,
        joins: compiler.joins,
        keys,
        window,
        outcomes,
        condition: code,
        lookups: compiler.lookups,
        suppression: options.suppression,
        notes: compiler.notes,
    })
}

/// The section that is compiled; it decides what a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Place {
    #[default]
    Events,
    Outcome,
    Condition,
}

#[derive(Default)]
struct Compiler {
    place: Place,
    variables: Vec<Variable>,
    by_name: HashMap<String, usize>,
    tables: BTreeMap<String, usize>,
    placeholders: Vec<Placeholder>,
    placeholder_names: HashMap<String, usize>,
    outcomes: Vec<(String, Type)>,
    joins: Vec<Join>,
    lookups: Vec<Lookup>,
    registers: usize,
    notes: Vec<String>,
    /// `any` and `all` of the predicate that is compiled.
    quantified: Vec<(tree::Quantifier, super::code::Whole, usize)>,
}

impl Compiler {
    /// Finds the variables: whatever has a path, and tables whose columns stand as values.
    fn declare(&mut self, statements: &[Expr], rule: &Rule) -> Result<(), CompileError> {
        let mut fields = Vec::new();
        let mut columns = Vec::new();
        for statement in statements {
            crate::syntax::walk::visit(statement, &mut |expr| match &expr.kind {
                ExprKind::Field(field) => fields.push(field.clone()),
                ExprKind::Column(column) => columns.push(column.clone()),
                _ => {}
            });
        }
        for field in &fields {
            let source = Source::Records(EventSource::of(field));
            let at = self.variable(&field.variable.text, source.clone());
            if self.variables[at].source != source {
                let problem = format!("${} reads two kinds of records", field.variable.text);
                return Err(CompileError::unsound(problem, field.variable.span));
            }
        }
        for column in &columns {
            if !self.tables.contains_key(&column.name.text) {
                let name = &column.name.text;
                let at = self.variable(&format!("%{name}"), Source::Table(name.clone()));
                self.tables.insert(name.clone(), at);
            }
        }
        if !self.variables.iter().any(|variable| matches!(variable.source, Source::Records(_))) {
            return Err(CompileError::unsound("its events name no event", rule.name.span));
        }
        Ok(())
    }

    fn variable(&mut self, name: &str, source: Source) -> usize {
        if let Some(&at) = self.by_name.get(name) {
            return at;
        }
        let at = self.variables.len();
        self.variables.push(Variable {
            name: name.to_owned(),
            source,
            presence: Presence::Required,
            slots: Vec::new(),
            bindings: Vec::new(),
            filters: Vec::new(),
        });
        self.by_name.insert(name.to_owned(), at);
        at
    }

    /// The slot of a path; there is one for each path that is read copy by copy.
    fn slot(&mut self, variable: usize, path: FieldPath) -> Slot {
        let slots = &mut self.variables[variable].slots;
        let known = slots.iter().position(|slot| matches!(slot, SlotKind::Path(known) if *known == path));
        let at = known.unwrap_or_else(|| {
            slots.push(SlotKind::Path(path));
            slots.len() - 1
        });
        Slot { variable, at }
    }

    /// The slot of a field that only the service sets.
    fn unset_slot(&mut self, field: &tree::Field) -> Result<Code, CompileError> {
        let name = &field.variable;
        let variable = self.by_name.get(&name.text).copied().ok_or_else(|| undefined(&name.text, name.span))?;
        let path: Vec<&str> = field.segments.iter().map(|segment| segment.name.text.as_str()).collect();
        let note = format!("{} is computed by the service, and is read as unset here", path.join("."));
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
        let slots = &mut self.variables[variable].slots;
        let known = slots.iter().position(|slot| matches!(slot, SlotKind::Unset));
        let at = known.unwrap_or_else(|| {
            slots.push(SlotKind::Unset);
            slots.len() - 1
        });
        Ok(Code::Slot(Slot { variable, at }))
    }

    fn column_slot(&mut self, variable: usize, column: &str) -> Slot {
        let slots = &mut self.variables[variable].slots;
        let known = slots.iter().position(|slot| matches!(slot, SlotKind::Column(known) if known == column));
        let at = known.unwrap_or_else(|| {
            slots.push(SlotKind::Column(column.to_owned()));
            slots.len() - 1
        });
        Slot { variable, at }
    }

    fn matching(&self, rule: &Rule) -> Result<(Vec<usize>, Option<Window>), CompileError> {
        let Some(section) = &rule.matching else { return Ok((Vec::new(), None)) };
        let mut keys = Vec::new();
        for name in &section.body.variables {
            let Some(&placeholder) = self.placeholder_names.get(&name.text) else {
                let problem = format!("${} of match is no placeholder of events", name.text);
                return Err(CompileError::unsound(problem, name.span));
            };
            if !keys.contains(&placeholder) {
                keys.push(placeholder);
            }
        }
        let Some(window) = &section.body.window else {
            return Err(CompileError::unsound("match has no window", section.span));
        };
        if window.length.seconds == 0 {
            return Err(CompileError::unsound("the window has no length", window.length.span));
        }
        let pivot = |name: &tree::Name| {
            let known = self.by_name.get(&name.text).copied();
            known.ok_or_else(|| CompileError::unsound(format!("${} is no event", name.text), name.span))
        };
        let kind = match &window.kind {
            tree::WindowKind::Hop => WindowKind::Hop,
            tree::WindowKind::Tumbling => WindowKind::Tumbling,
            tree::WindowKind::After(name) => WindowKind::After(pivot(name)?),
            tree::WindowKind::Before(name) => WindowKind::Before(pivot(name)?),
        };
        Ok((keys, Some(Window { seconds: window.length.seconds, kind })))
    }

    /// The pivot of a sliding window must be an event that every group has.
    fn pivot(&self, window: Option<Window>, rule: &Rule) -> Result<(), CompileError> {
        let Some(WindowKind::After(pivot) | WindowKind::Before(pivot)) = window.map(|window| window.kind) else {
            return Ok(());
        };
        let variable = &self.variables[pivot];
        let timed = matches!(variable.source, Source::Records(EventSource::Udm | EventSource::Detection));
        if timed && variable.presence == Presence::Required {
            return Ok(());
        }
        let span = rule.matching.as_ref().map_or(rule.name.span, |section| section.span);
        if timed && variable.presence == Presence::Alternative {
            let needs = "a condition that asks for this event in every case".to_owned();
            return Err(CompileError::NotOffline {
                what: format!("the window around ${}", variable.name),
                needs,
                span,
            });
        }
        Err(CompileError::unsound(
            format!("${}, the pivot of the window, is no event that must exist", variable.name),
            span,
        ))
    }

    fn outcomes(&mut self, rule: &Rule) -> Result<Vec<Outcome>, CompileError> {
        self.place = Place::Outcome;
        let mut outcomes = Vec::new();
        for variable in rule.outcome.iter().flat_map(|section| &section.body) {
            let code = self.value(&variable.value)?;
            let kind = self.type_of(&code);
            self.outcomes.push((variable.name.text.clone(), kind));
            outcomes.push(Outcome { name: variable.name.text.clone(), code, kind });
        }
        Ok(outcomes)
    }

    /// Match variables that stand for a plain field keep out what is unset.
    fn never_zero(&mut self, keys: &[usize]) {
        for variable in &mut self.variables {
            for binding in &mut variable.bindings {
                let plain = binding.alternatives.iter().all(|code| matches!(code, Code::Slot(_)));
                binding.never_zero = keys.contains(&binding.placeholder) && plain;
            }
        }
    }
}

/// Takes parentheses off.
fn bare(mut expr: &Expr) -> &Expr {
    while let ExprKind::Group(inner) = &expr.kind {
        expr = inner;
    }
    expr
}

fn is_unset(field: &tree::Field) -> bool {
    resolve(field).is_err_and(|error| error.is_computed())
}

fn no_field(error: PathError) -> CompileError {
    let problem = match &error.kind {
        PathErrorKind::NoSuchField { name, before, .. } if error.is_computed() => {
            let (what, needs) = (format!("{before}.{name}"), "the service, which computes this field".to_owned());
            return CompileError::NotOffline { what, needs, span: error.span };
        }
        PathErrorKind::NoSuchField { name, before, .. } => format!("{before} has no field {name}"),
        PathErrorKind::NoFields { name } => format!("{name} follows a value that has no fields"),
        PathErrorKind::NoPath => "a field is missing after the variable".to_owned(),
        PathErrorKind::NotAList | PathErrorKind::NoKeys => "brackets follow a field that has no such items".to_owned(),
        PathErrorKind::NumberBeforeKey => "a number in brackets stands before a key".to_owned(),
        PathErrorKind::PartlyIndexed => "some lists of the path have a number in brackets and others do not".to_owned(),
    };
    CompileError::unsound(problem, error.span)
}

fn undefined(name: &str, span: Span) -> CompileError {
    CompileError::unsound(format!("${name} is used and never defined"), span)
}
