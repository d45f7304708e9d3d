//! Rules over the detections of other rules, and over entities.

use super::Checker;
use crate::{
    diagnostic::{Code, Diagnostic},
    resolve::EventSource,
};

impl Checker<'_> {
    pub(super) fn check_composite(&mut self) {
        if !self.scope.complete {
            return;
        }
        let first_of = |source| self.scope.events.iter().find(|event| event.source == source).map(|event| event.span);
        let detection = first_of(EventSource::Detection);
        if let (Some(span), None) = (detection, &self.rule.matching) {
            let message = "a rule over detections needs a match section";
            self.report(
                Diagnostic::new(Code::CompositeMatch, span, message).help("add `match:`, for example `$user over 24h`"),
            );
        } else if let (Some(span), false) = (first_of(EventSource::Entity), self.scope.reads(EventSource::Udm))
            && detection.is_none()
        {
            let message = "a rule can't read entities alone";
            self.report(
                Diagnostic::new(Code::EntityOnly, span, message)
                    .help("add an event variable and join it: `$e.principal.hostname = $g.graph.entity.hostname`"),
            );
        }
    }
}
