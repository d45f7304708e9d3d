//! What holds now, folded from the journal.

use std::collections::HashMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Action, Entry, Feedback, Suppression};
use crate::sink::Finding;

/// All decisions that could be read.
#[derive(Debug, Clone, Default)]
pub struct Judgments {
    suppressions: Vec<StandingSuppression>,
    feedback: HashMap<String, Entry>,
    /// Lines of the journal that can't be read, with their places.
    pub problems: Vec<String>,
}

/// A suppression, who made it, and whether it was lifted.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StandingSuppression {
    /// The suppression.
    #[serde(flatten)]
    pub suppression: Suppression,
    /// When it was made.
    pub made: Timestamp,
    /// By whom.
    pub by: String,
    /// When it was lifted, if it was.
    pub lifted: Option<Timestamp>,
}

impl StandingSuppression {
    /// Whether it silences findings at this time.
    #[must_use]
    pub fn stands(&self, now: Timestamp) -> bool {
        self.lifted.is_none() && now < self.suppression.expires
    }
}

impl Judgments {
    /// Adds a decision; a later one about the same thing replaces an earlier one.
    pub(super) fn add(&mut self, entry: Entry) {
        match entry.action {
            Action::Suppress(suppression) => {
                let Entry { time: made, by, .. } = entry;
                self.suppressions.push(StandingSuppression { suppression, made, by, lifted: None });
            }
            Action::Lift { suppression: id, .. } => {
                let named = self.suppressions.iter_mut().filter(|standing| standing.suppression.id == id);
                named.for_each(|standing| standing.lifted = standing.lifted.or(Some(entry.time)));
            }
            Action::Feedback(ref feedback) => {
                self.feedback.insert(feedback.finding.clone(), entry);
            }
        }
    }

    /// The same with one more decision, as if it had been made: for those who want to know what it would do.
    #[must_use]
    pub fn with(&self, entry: Entry) -> Self {
        let mut more = self.clone();
        more.add(entry);
        more
    }

    /// All suppressions, in the order in which they were made.
    pub fn suppressions(&self) -> impl Iterator<Item = &StandingSuppression> {
        self.suppressions.iter()
    }

    /// The suppression that silences this finding now, if one does. What a person called a true positive always rings.
    #[must_use]
    pub fn silenced_by(&self, finding: &Finding, now: Timestamp) -> Option<&StandingSuppression> {
        if self.feedback_on(&finding.id).is_some_and(|feedback| feedback.truth == super::Truth::TruePositive) {
            return None;
        }
        self.suppressions.iter().find(|standing| standing.stands(now) && standing.suppression.scope.covers(finding))
    }

    /// What was last said about a finding.
    #[must_use]
    pub fn feedback_on(&self, id: &str) -> Option<&Feedback> {
        self.feedback.get(id).and_then(|entry| match &entry.action {
            Action::Feedback(feedback) => Some(feedback),
            _ => None,
        })
    }

    /// The last word about each finding, the newest first.
    #[must_use]
    pub fn feedback(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.feedback.values().collect();
        let id = |entry: &Entry| match &entry.action {
            Action::Feedback(feedback) => feedback.finding.clone(),
            _ => String::new(),
        };
        entries.sort_by(|one, other| other.time.cmp(&one.time).then_with(|| id(one).cmp(&id(other))));
        entries
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::{
        judgment::{Scope, Truth},
        sink::testkit::findings,
    };

    const MADE: Timestamp = Timestamp::UNIX_EPOCH;

    fn hours(count: i64) -> Timestamp {
        MADE + SignedDuration::from_hours(count)
    }

    fn entry(time: Timestamp, action: Action) -> Entry {
        Entry { time, by: "ada".to_owned(), action }
    }

    #[test]
    fn a_suppression_ends_with_its_time_or_when_it_is_lifted() {
        let finding = findings::sample();
        let suppression = Suppression::new(Scope::like(&finding), "backup".to_owned(), (MADE, hours(10)));
        let mut judgments = Judgments::default();
        judgments.add(entry(MADE, Action::Suppress(suppression.clone())));
        assert!(judgments.silenced_by(&finding, hours(9)).is_some());
        assert!(judgments.silenced_by(&finding, hours(10)).is_none());
        let lift = Action::Lift { suppression: suppression.id, reason: "moved".to_owned() };
        judgments.add(entry(hours(5), lift));
        assert!(judgments.silenced_by(&finding, hours(6)).is_none());
        assert_eq!(judgments.suppressions().next().unwrap().lifted, Some(hours(5)));
    }

    #[test]
    fn what_was_called_right_rings_and_the_last_word_counts() {
        let finding = findings::sample();
        let suppression = Suppression::new(Scope::like(&finding), "backup".to_owned(), (MADE, hours(10)));
        let mut judgments = Judgments::default();
        judgments.add(entry(MADE, Action::Suppress(suppression)));
        let say = |truth| Action::Feedback(Feedback::on(&finding, truth, None));
        judgments.add(entry(hours(1), say(Truth::FalsePositive)));
        assert!(judgments.silenced_by(&finding, hours(2)).is_some());
        judgments.add(entry(hours(2), say(Truth::TruePositive)));
        assert!(judgments.silenced_by(&finding, hours(3)).is_none());
        assert_eq!(judgments.feedback().len(), 1);
    }
}
