//! The variables of a rule: where each is defined, and what is known of it.
//!
//! Nothing is reported here. Everything is counted once, so that the checks that follow need not walk the rule again.

use std::collections::{HashMap, HashSet};

use super::{unions::Unions, walk};
use crate::{
    resolve::EventSource,
    source::Span,
    syntax::tree::{CompareOp, Expr, ExprKind, Rule},
    types::Type,
};

/// A variable with a path: an event, an entity, a detection.
#[derive(Debug)]
pub(super) struct EventVariable<'t> {
    /// Its name.
    pub(super) name: &'t str,
    /// Its first use.
    pub(super) span: Span,
    /// Where it reads from, by its first use.
    pub(super) source: EventSource,
    /// The first use that reads from elsewhere.
    pub(super) mixed: Option<(Span, EventSource)>,
}

/// A variable without a path.
#[derive(Debug)]
pub(super) struct Placeholder<'t> {
    /// Its name.
    pub(super) name: &'t str,
    /// Its first use.
    pub(super) span: Span,
    /// How often `events` uses it.
    pub(super) uses: usize,
    /// What it is equated with, as far as a field stands in it.
    pub(super) bindings: Vec<&'t Expr>,
    /// How certainly it is bound.
    pub(super) bound: Bound,
    /// Which group it belongs to; see [`Scope::events_of_group`].
    pub(super) group: usize,
    /// What it holds.
    pub(super) kind: Type,
    /// Whether it stands for one value of several.
    pub(super) repeated: bool,
}

/// How certainly a placeholder has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Bound {
    /// No equality with a field.
    Never,
    /// Only in some alternatives of an `or`.
    Sometimes,
    /// In every case.
    Always,
}

/// A variable of `outcome`.
#[derive(Debug)]
pub(super) struct Outcome {
    /// Where it is defined.
    pub(super) span: Span,
    /// What it holds; known once its definition has been checked.
    pub(super) kind: Type,
    /// Whether its definition has been checked.
    pub(super) defined: bool,
}

/// The variables of a rule.
#[derive(Debug)]
pub(super) struct Scope<'t> {
    /// Variables with paths, in the order of their first use.
    pub(super) events: Vec<EventVariable<'t>>,
    /// Placeholders, in the order of their first use.
    pub(super) placeholders: Vec<Placeholder<'t>>,
    /// Variables of `match`.
    pub(super) matched: HashSet<&'t str>,
    /// Variables of `outcome`.
    pub(super) outcomes: HashMap<&'t str, Outcome>,
    /// Whether all of `events` could be read. If not, what seems to be missing may stand where it could not.
    pub(super) complete: bool,
    /// Placeholders made of each other share a group: the events of their bindings, as positions in `events`.
    groups: Vec<Vec<usize>>,
    event_ids: HashMap<&'t str, usize>,
    placeholder_ids: HashMap<&'t str, usize>,
}

/// An equality that gives a placeholder a value.
struct Binding<'t> {
    placeholder: usize,
    value: &'t Expr,
    always: bool,
}

impl<'t> Scope<'t> {
    /// Finds the variables of a rule.
    pub(super) fn of(rule: &'t Rule) -> Self {
        let statements: &'t [Expr] = rule.events.as_ref().map_or(&[], |section| &section.body);
        let mut scope = Self {
            events: Vec::new(),
            placeholders: Vec::new(),
            matched: HashSet::new(),
            outcomes: HashMap::new(),
            complete: rule.events.is_some() && !statements.iter().any(walk::has_error),
            groups: Vec::new(),
            event_ids: HashMap::new(),
            placeholder_ids: HashMap::new(),
        };
        for statement in statements {
            walk::visit(statement, &mut |part| scope.note(part));
        }
        let mut links = Unions::new(scope.placeholders.len());
        let bindings: Vec<Binding<'t>> =
            statements.iter().flat_map(|statement| scope.bindings(statement, &mut links)).collect();
        scope.group(&mut links);
        for binding in &bindings {
            scope.bind(binding);
        }
        if let Some(matching) = &rule.matching {
            scope.matched.extend(matching.body.variables.iter().map(|name| name.text.as_str()));
        }
        for variable in rule.outcome.iter().flat_map(|section| &section.body) {
            let outcome = Outcome { span: variable.name.span, kind: Type::Any, defined: false };
            scope.outcomes.entry(&variable.name.text).or_insert(outcome);
        }
        scope
    }

    /// A variable with a path, by its name.
    pub(super) fn event(&self, name: &str) -> Option<usize> {
        self.event_ids.get(name).copied()
    }

    /// A placeholder, by its name.
    pub(super) fn placeholder(&self, name: &str) -> Option<usize> {
        self.placeholder_ids.get(name).copied()
    }

    /// The events that a placeholder is bound to, as positions in `events`.
    pub(super) fn events_of(&self, placeholder: usize) -> &[usize] {
        self.events_of_group(self.placeholders[placeholder].group)
    }

    /// The events behind a group of placeholders, as positions in `events`.
    pub(super) fn events_of_group(&self, group: usize) -> &[usize] {
        &self.groups[group]
    }

    /// Whether some variable reads from there.
    pub(super) fn reads(&self, source: EventSource) -> bool {
        self.events.iter().any(|event| event.source == source)
    }

    /// The events whose fields stand in an expression, each once.
    pub(super) fn events_in(&self, expr: &Expr) -> Vec<usize> {
        let mut found: Vec<usize> =
            walk::fields(expr).iter().filter_map(|field| self.event(&field.variable.text)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The placeholders in an expression.
    pub(super) fn placeholders_in(&self, expr: &Expr) -> Vec<usize> {
        walk::variables(expr).iter().filter_map(|name| self.placeholder(name)).collect()
    }

    fn note(&mut self, part: &'t Expr) {
        match &part.kind {
            ExprKind::Field(field) => {
                let source = EventSource::of(field);
                let name = field.variable.text.as_str();
                let fresh = EventVariable { name, span: field.variable.span, source, mixed: None };
                let id = *self.event_ids.entry(name).or_insert_with(|| {
                    self.events.push(fresh);
                    self.events.len() - 1
                });
                let event = &mut self.events[id];
                if event.source != source && event.mixed.is_none() {
                    event.mixed = Some((field.variable.span, source));
                }
            }
            ExprKind::Variable(name) => {
                let fresh = Placeholder {
                    name,
                    span: part.span,
                    uses: 0,
                    bindings: Vec::new(),
                    bound: Bound::Never,
                    group: 0,
                    kind: Type::Any,
                    repeated: false,
                };
                let id = *self.placeholder_ids.entry(name).or_insert_with(|| {
                    self.placeholders.push(fresh);
                    self.placeholders.len() - 1
                });
                self.placeholders[id].uses += 1;
            }
            _ => {}
        }
    }

    /// The equalities of an expression that hold whenever it does, and those that may hold.
    fn bindings(&self, expr: &'t Expr, links: &mut Unions) -> Vec<Binding<'t>> {
        match &expr.kind {
            ExprKind::Group(inner) => self.bindings(inner, links),
            ExprKind::And(operands) => operands.iter().flat_map(|operand| self.bindings(operand, links)).collect(),
            ExprKind::Or(operands) => {
                let alternatives: Vec<_> = operands.iter().map(|operand| self.bindings(operand, links)).collect();
                certain_in_all(alternatives)
            }
            ExprKind::Compare(compare) if compare.op == CompareOp::Equal => {
                [(&compare.left, &compare.right), (&compare.right, &compare.left)]
                    .into_iter()
                    .filter_map(|(variable, value)| self.binding(variable, value, links))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    fn binding(&self, variable: &'t Expr, value: &'t Expr, links: &mut Unions) -> Option<Binding<'t>> {
        let ExprKind::Variable(name) = &walk::bare(variable).kind else { return None };
        let placeholder = self.placeholder(name)?;
        for other in self.placeholders_in(value) {
            links.join(placeholder, other);
        }
        (!walk::fields(value).is_empty()).then_some(Binding { placeholder, value, always: true })
    }

    /// A placeholder made of another one belongs to that one's events as well.
    fn group(&mut self, links: &mut Unions) {
        self.groups = vec![Vec::new(); self.placeholders.len()];
        for (id, placeholder) in self.placeholders.iter_mut().enumerate() {
            placeholder.group = links.root(id);
        }
    }

    fn bind(&mut self, binding: &Binding<'t>) {
        let events = self.events_in(binding.value);
        let placeholder = &mut self.placeholders[binding.placeholder];
        placeholder.bindings.push(binding.value);
        placeholder.bound = placeholder.bound.max(if binding.always { Bound::Always } else { Bound::Sometimes });
        let group = &mut self.groups[placeholder.group];
        for event in events {
            if let Err(position) = group.binary_search(&event) {
                group.insert(position, event);
            }
        }
    }
}

/// Of alternatives only what each of them binds is certain.
fn certain_in_all(alternatives: Vec<Vec<Binding<'_>>>) -> Vec<Binding<'_>> {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for bindings in &alternatives {
        let certain: HashSet<usize> =
            bindings.iter().filter(|binding| binding.always).map(|binding| binding.placeholder).collect();
        for placeholder in certain {
            *counts.entry(placeholder).or_default() += 1;
        }
    }
    let needed = alternatives.len();
    let all = alternatives.into_iter().flatten();
    all.map(|binding| Binding { always: counts.get(&binding.placeholder) == Some(&needed), ..binding }).collect()
}
