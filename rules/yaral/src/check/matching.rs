//! `match`: its variables and its window. Whether the pivot must exist is said by the condition, so it is checked there.

use std::collections::HashSet;

use super::{Checker, names, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    resolve::EventSource,
    syntax::tree::{Name, Window, WindowKind},
};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// What the pages call the longest window.
const LONG: u64 = 48 * HOUR;
/// What the pages on schedules suggest at most.
const LONGEST: u64 = 14 * 24 * HOUR;

impl<'t> Checker<'t> {
    pub(super) fn check_matching(&mut self) {
        let Some(matching) = &self.rule.matching else { return };
        let mut seen = HashSet::new();
        for name in &matching.body.variables {
            if seen.insert(name.text.as_str()) {
                self.check_match_variable(name);
            } else {
                let message = format!("`${}` stands in match twice", names::shown(&name.text));
                self.report(warning(Code::DuplicateVariable, name.span, message));
            }
        }
        if let Some(window) = &matching.body.window {
            self.check_window(window);
        }
    }

    fn check_match_variable(&mut self, name: &'t Name) {
        if !self.scope.complete || self.full() {
            return;
        }
        let shown = names::shown(&name.text);
        // A placeholder that is never bound is told where it is used.
        if self.scope.placeholder(&name.text).is_some() {
            return;
        }
        if self.scope.event(&name.text).is_some() {
            let message = format!("match groups by placeholders, and `${shown}` is an event variable");
            let help = format!("bind one of its fields in events: `$host = ${shown}.principal.hostname`");
            self.report(Diagnostic::new(Code::MatchVariable, name.span, message).help(help));
            return;
        }
        let message = format!("match groups by placeholders of events, and `${shown}` is none");
        let diagnostic = Diagnostic::new(Code::MatchVariable, name.span, message)
            .help(format!("bind it in events: `${shown} = $e.principal.hostname`"));
        let known = self.scope.placeholders.iter().map(|placeholder| placeholder.name);
        self.report(names::did_you_mean(diagnostic, "$", &name.text, known));
    }

    fn check_window(&mut self, window: &'t Window) {
        let length = window.length;
        if length.seconds < MINUTE {
            let message = "a window is at least one minute long";
            self.report(Diagnostic::new(Code::WindowLength, length.span, message));
        } else if length.seconds > LONGEST {
            let message = "a window is at most 14 days long, and at most 48 hours by most pages";
            self.report(Diagnostic::new(Code::WindowLength, length.span, message));
        } else if length.seconds > LONG && !self.reads_detections_alone() {
            let message = "the window is longer than 48 hours, which most pages call the longest";
            self.report(
                Diagnostic::new(Code::LongWindow, length.span, message).help("ask the service before you rely on it"),
            );
        }
        if let WindowKind::After(pivot) | WindowKind::Before(pivot) = &window.kind {
            self.check_pivot(pivot);
        }
    }

    /// Rules over detections alone may have longer windows.
    fn reads_detections_alone(&self) -> bool {
        !self.scope.events.is_empty()
            && self.scope.events.iter().all(|event| event.source == EventSource::Detection && event.mixed.is_none())
    }

    fn check_pivot(&mut self, pivot: &'t Name) {
        if !self.scope.complete || self.full() {
            return;
        }
        let shown = names::shown(&pivot.text);
        match self.scope.event(&pivot.text).map(|id| self.scope.events[id].source) {
            Some(EventSource::Udm | EventSource::Detection) => {}
            Some(EventSource::Entity) => {
                let message = format!("the pivot `${shown}` is an entity; a sliding window begins or ends at an event");
                self.report(Diagnostic::new(Code::WindowPivot, pivot.span, message));
            }
            None => {
                let message = format!("the pivot `${shown}` is no event variable of events");
                let diagnostic = Diagnostic::new(Code::WindowPivot, pivot.span, message);
                let known = self.scope.events.iter().map(|event| event.name);
                self.report(names::did_you_mean(diagnostic, "$", &pivot.text, known));
            }
        }
    }
}
