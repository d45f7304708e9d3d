//! Variables: of one source, bound before they are used, used after they are bound.

use std::collections::{HashMap, HashSet};

use super::{
    Checker, Place,
    expression::{Family, family},
    names,
    scope::Bound,
    walk, warning,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    resolve::EventSource,
    source::Span,
    syntax::tree::{ExprKind, Field},
    types::Type,
};

impl<'t> Checker<'t> {
    pub(super) fn check_variables(&mut self) {
        self.check_sources();
        self.find_types();
        self.check_bound();
        self.check_used();
        for statement in self.rule.events.iter().flat_map(|section| &section.body) {
            self.check_depth(statement, 0);
        }
    }

    fn check_sources(&mut self) {
        for position in 0..self.scope.events.len() {
            let event = &self.scope.events[position];
            if let Some((span, source)) = event.mixed {
                let message =
                    format!("`${}` reads {} and {} at once", event.name, plural(event.source), plural(source));
                let diagnostic = Diagnostic::new(Code::MixedSources, span, message)
                    .related(event.span, format!("reads {} here", plural(event.source)))
                    .help("use a second variable");
                self.report(diagnostic);
            }
        }
    }

    /// What each placeholder holds, by what it is equated with. What is wrong there is told when events are checked.
    fn find_types(&mut self) {
        for position in 0..self.scope.placeholders.len() {
            let bindings = self.scope.placeholders[position].bindings.clone();
            let mut kind = None;
            let mut repeated = false;
            for value in bindings {
                let told = self.diagnostics.len();
                let next = self.value(value, Place::Events);
                self.diagnostics.truncate(told);
                repeated |= self.is_repeated(value);
                kind = Some(kind.map_or(next, |kind| both(kind, next)));
            }
            let placeholder = &mut self.scope.placeholders[position];
            placeholder.kind = kind.unwrap_or(Type::Any);
            placeholder.repeated = repeated;
        }
        self.undefined.clear();
    }

    fn check_bound(&mut self) {
        if !self.scope.complete {
            return;
        }
        let literal_calls = self.literal_calls();
        for position in 0..self.scope.placeholders.len() {
            if self.full() {
                return;
            }
            let placeholder = &self.scope.placeholders[position];
            let (name, span, bound) = (placeholder.name, placeholder.span, placeholder.bound);
            let shown = names::shown(name);
            if self.scope.event(name).is_some() {
                let message = format!("`${shown}` is an event variable, and stands here without a field");
                self.report(
                    Diagnostic::new(Code::DuplicateVariable, span, message)
                        .help(format!("write a field after it: `${shown}.principal.hostname`")),
                );
                continue;
            }
            match bound {
                Bound::Always => {}
                Bound::Never if literal_calls.contains_key(name) => {
                    self.assigned_without_event(name, span, literal_calls[name]);
                }
                Bound::Never => {
                    let message = format!("the placeholder `${shown}` is never equated with a field of an event");
                    let known = self.scope.placeholders.iter().filter(|other| other.bound == Bound::Always);
                    let diagnostic = Diagnostic::new(Code::UnboundPlaceholder, span, message)
                        .help(format!("bind it: `${shown} = $e.principal.hostname`"));
                    self.report(names::did_you_mean(diagnostic, "$", name, known.map(|other| other.name)));
                }
                Bound::Sometimes => {
                    let message = format!("the placeholder `${shown}` is bound in some alternatives of `or` only");
                    self.report(
                        warning(Code::UnboundPlaceholder, span, message)
                            .help("bind it in every alternative, or in a statement of its own"),
                    );
                }
            }
        }
    }

    /// `$p = strings.concat("a", "b")`: told in the words of that mistake.
    fn assigned_without_event(&mut self, name: &str, span: Span, value: Span) {
        let message = format!("`${}` is assigned a call that reads no event", names::shown(name));
        self.report(
            Diagnostic::new(Code::NoEvent, value, message)
                .help("write the value itself where it is needed, or read a field in the call")
                .related(span, "the placeholder"),
        );
    }

    /// The placeholders that are assigned a call without field and variable.
    fn literal_calls(&self) -> HashMap<&'t str, Span> {
        let mut found = HashMap::new();
        for statement in self.rule.events.iter().flat_map(|section| &section.body) {
            let ExprKind::Compare(compare) = &statement.kind else { continue };
            for (side, value) in [(&compare.left, &compare.right), (&compare.right, &compare.left)] {
                if let (ExprKind::Variable(name), ExprKind::Call(_)) = (&walk::bare(side).kind, &walk::bare(value).kind)
                    && walk::variables(value).is_empty()
                    && walk::fields(value).is_empty()
                {
                    found.entry(name.as_str()).or_insert(value.span);
                }
            }
        }
        found
    }

    fn check_used(&mut self) {
        let mut used: HashSet<&'t str> = HashSet::new();
        let rule = self.rule;
        let outcomes = rule.outcome.iter().flat_map(|section| &section.body).map(|variable| &variable.value);
        let exports = rule.export.iter().flat_map(|section| &section.body);
        let written = exports.flat_map(|export| export.columns.iter().map(|(_, value)| value));
        for expr in outcomes.chain(rule.condition.iter().map(|section| &section.body)).chain(written) {
            walk::visit(expr, &mut |part| match &part.kind {
                ExprKind::Variable(name) | ExprKind::Count(name) => {
                    used.insert(name);
                }
                ExprKind::Absent(name) => {
                    used.insert(&name.text);
                }
                _ => {}
            });
        }
        for position in 0..self.scope.placeholders.len() {
            let placeholder = &self.scope.placeholders[position];
            let name = placeholder.name;
            if placeholder.uses == 1
                && placeholder.bound == Bound::Always
                && !used.contains(name)
                && !self.scope.matched.contains(name)
            {
                let message = format!("the placeholder `${}` is never used", names::shown(name));
                let diagnostic = Diagnostic::new(Code::UnusedPlaceholder, placeholder.span, message);
                self.report(diagnostic);
            }
        }
    }

    /// The type of a variable without a path.
    pub(super) fn variable(&mut self, name: &'t str, span: Span, place: Place) -> Type {
        let placeholder = self.scope.placeholder(name).map(|id| self.scope.placeholders[id].kind);
        let outcome = self.scope.outcomes.get(name).map(|outcome| (outcome.defined, outcome.kind, outcome.span));
        match (place, placeholder, outcome) {
            (Place::Filter, ..) => {
                let message = "a metric's filter compares measures only: no field, no variable";
                self.report(Diagnostic::new(Code::MetricArguments, span, message));
                Type::Any
            }
            (Place::Events, kind, _) => kind.unwrap_or(Type::Any),
            (_, _, Some((true, kind, _))) | (_, Some(kind), _) => kind,
            (_, None, Some((false, _, defined))) => {
                if self.undefined.insert(name) {
                    let message = format!("`${}` is used before it is defined", names::shown(name));
                    self.report(
                        Diagnostic::new(Code::OutcomeOrder, span, message).related(defined, "defined here, later"),
                    );
                }
                Type::Any
            }
            (_, None, None) => {
                self.undefined_variable(name, span);
                Type::Any
            }
        }
    }

    /// Tells once that nothing defines a variable.
    pub(super) fn undefined_variable(&mut self, name: &'t str, span: Span) {
        if !self.scope.complete || self.full() || !self.undefined.insert(name) {
            return;
        }
        if self.scope.event(name).is_some() {
            let message = format!("`${}` is an event variable, and a value is expected", names::shown(name));
            self.report(
                Diagnostic::new(Code::UndefinedVariable, span, message)
                    .help(format!("write a field after it: `${}.principal.hostname`", names::shown(name))),
            );
            return;
        }
        let message = format!("nothing defines the variable `${}`", names::shown(name));
        let known: Vec<&str> = self.known_variables();
        let diagnostic = Diagnostic::new(Code::UndefinedVariable, span, message);
        self.report(names::did_you_mean(diagnostic, "$", name, known));
    }

    fn known_variables(&self) -> Vec<&'t str> {
        let scope = &self.scope;
        let events = scope.events.iter().map(|event| event.name);
        let placeholders = scope.placeholders.iter().map(|placeholder| placeholder.name);
        events.chain(placeholders).chain(scope.outcomes.keys().copied()).collect()
    }

    /// Tells once that `events` does not have an event variable.
    pub(super) fn undefined_event(&mut self, field: &'t Field, place: Place) {
        let name = field.variable.text.as_str();
        if place == Place::Events || !self.scope.complete || self.full() || !self.undefined.insert(name) {
            return;
        }
        let message = format!("the event variable `${}` is not declared in events", names::shown(name));
        let diagnostic = Diagnostic::new(Code::UndefinedVariable, field.variable.span, message);
        let known: Vec<&str> = self.scope.events.iter().map(|event| event.name).collect();
        self.report(names::did_you_mean(diagnostic, "$", name, known));
    }
}

fn plural(source: EventSource) -> &'static str {
    match source {
        EventSource::Udm => "events",
        EventSource::Entity => "entities",
        EventSource::Detection => "detections",
    }
}

/// The type of a placeholder that is equated with two values.
fn both(one: Type, other: Type) -> Type {
    match (family(one), family(other)) {
        _ if one == other => one,
        (Family::Text, Family::Text) => Type::String,
        (Family::Number, Family::Number) => Type::Float,
        _ => Type::Any,
    }
}
