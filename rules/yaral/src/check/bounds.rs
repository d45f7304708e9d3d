//! What a condition must say of the events: each is asked for, and what may be absent hangs on something that exists.

use super::{
    Checker,
    condition::{Subject, Term},
    names,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    resolve::EventSource,
    source::Span,
    syntax::tree::WindowKind,
};

/// What the condition says of each event variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Asked {
    /// Nothing.
    Never,
    /// It may be absent.
    MayBeAbsent,
    /// It must exist.
    MustExist,
}

impl<'t> Checker<'t> {
    /// Checks what the condition's terms say together.
    pub(super) fn check_bounds(&mut self, terms: &[Term], keyword: Span) {
        // Without events there is nothing to ask of, and the parser has said so.
        if self.scope.events.is_empty() {
            return;
        }
        let asked = self.asked(terms);
        if self.check_all_asked(&asked, keyword) && self.check_some_event(&asked, terms, keyword) {
            self.check_partners(&asked, terms);
            self.check_matched(&asked);
            self.check_pivot_exists(&asked);
        }
    }

    fn asked(&self, terms: &[Term]) -> Vec<Asked> {
        let mut asked = vec![Asked::Never; self.scope.events.len()];
        // Placeholders first by themselves: a term for each of their events would cost the product of both.
        let mut placeholders = vec![Asked::Never; self.scope.placeholders.len()];
        for term in terms {
            let says = if term.bounded { Asked::MustExist } else { Asked::MayBeAbsent };
            let asks = match term.subject {
                Subject::Event(id) => &mut asked[id],
                Subject::Placeholder(id) => &mut placeholders[self.scope.placeholders[id].group],
                Subject::Outcome => continue,
            };
            *asks = says.max(*asks);
        }
        for (group, &says) in placeholders.iter().enumerate().filter(|&(_, &says)| says != Asked::Never) {
            for &event in self.scope.events_of_group(group) {
                asked[event] = says.max(asked[event]);
            }
        }
        asked
    }

    /// Of each placeholder's group whether some event behind it must exist.
    fn groups_that_exist(&self, asked: &[Asked]) -> Vec<bool> {
        let exists = |&id: &usize| self.is_event(id) && asked[id] == Asked::MustExist;
        (0..self.scope.placeholders.len()).map(|group| self.scope.events_of_group(group).iter().any(exists)).collect()
    }

    /// The entities that are joined with an event that must exist, or with a placeholder of one.
    fn tied_entities(&self, asked: &[Asked], groups: &[bool]) -> Vec<bool> {
        let count = asked.len();
        let mut tied = vec![false; count];
        for edge in self.edges() {
            let exists = edge.nodes.iter().any(|&node| match node.checked_sub(count) {
                None => self.is_event(node) && asked[node] == Asked::MustExist,
                Some(placeholder) => groups[self.scope.placeholders[placeholder].group],
            });
            if exists {
                edge.nodes.iter().filter(|&&node| node < count).for_each(|&node| tied[node] = true);
            }
        }
        tied
    }

    fn check_all_asked(&mut self, asked: &[Asked], keyword: Span) -> bool {
        let mut all = true;
        for (id, _) in asked.iter().enumerate().filter(|&(_, &says)| says == Asked::Never) {
            all = false;
            let event = &self.scope.events[id];
            let name = names::shown(event.name);
            let message = format!("event variable {name} and its child variables not used in condition section");
            let diagnostic = Diagnostic::new(Code::EventNotInCondition, keyword, message)
                .help(format!("ask for it: `and ${name}`, or `and !${name}` if it must be absent"))
                .related(event.span, "declared here");
            self.report(diagnostic);
        }
        all
    }

    fn is_event(&self, id: usize) -> bool {
        self.scope.events[id].source != EventSource::Entity
    }

    fn check_some_event(&mut self, asked: &[Asked], terms: &[Term], keyword: Span) -> bool {
        let reads_events = (0..asked.len()).any(|id| self.is_event(id));
        let exists = (0..asked.len()).any(|id| self.is_event(id) && asked[id] == Asked::MustExist);
        if exists || !reads_events {
            return exists;
        }
        let span = terms.iter().find(|term| term.subject != Subject::Outcome).map_or(keyword, |term| term.span);
        let message = "at least one event must exist, and here each may be absent";
        self.report(
            Diagnostic::new(Code::NoBoundedEvent, span, message)
                .help("`$e`, `#e > 0` or `#e >= 1` says that an event exists"),
        );
        false
    }

    fn check_partners(&mut self, asked: &[Asked], terms: &[Term]) {
        let groups = self.groups_that_exist(asked);
        let tied = self.tied_entities(asked, &groups);
        for term in terms.iter().filter(|term| !term.bounded) {
            let what = match term.subject {
                Subject::Placeholder(id) if !groups[self.scope.placeholders[id].group] => "placeholder",
                Subject::Event(id) if !self.is_event(id) && asked[id] == Asked::MayBeAbsent && !tied[id] => "entity",
                _ => continue,
            };
            let message = format!("this {what} may be absent, and is tied to no event that must exist");
            self.report(Diagnostic::new(Code::UnboundedPartner, term.span, message));
        }
    }

    fn check_matched(&mut self, asked: &[Asked]) {
        let Some(matching) = &self.rule.matching else { return };
        for name in &matching.body.variables {
            let Some(id) = self.scope.placeholder(&name.text) else { continue };
            let events = self.scope.events_of(id);
            if !events.is_empty() && events.iter().all(|&event| asked[event] != Asked::MustExist) {
                let message =
                    format!("every event behind the match variable `${}` may be absent", names::shown(&name.text));
                self.report(
                    Diagnostic::new(Code::UnboundedMatch, name.span, message)
                        .help("bind it to an event that must exist as well"),
                );
            }
        }
    }

    fn check_pivot_exists(&mut self, asked: &[Asked]) {
        let window = self.rule.matching.as_ref().and_then(|matching| matching.body.window.as_ref());
        let Some(WindowKind::After(pivot) | WindowKind::Before(pivot)) = window.map(|window| &window.kind) else {
            return;
        };
        let Some(id) = self.scope.event(&pivot.text) else { return };
        if self.is_event(id) && asked[id] == Asked::MayBeAbsent {
            let message = format!("the pivot `${}` may be absent", names::shown(&pivot.text));
            self.report(
                Diagnostic::new(Code::WindowPivot, pivot.span, message)
                    .help("make the event that must exist the pivot, or ask for this one in the condition"),
            );
        }
    }
}
