//! One record on its way into the builder: what every format's reader is given.

use jiff::tz::TimeZone;

use super::{ComplaintReason, EventBuilder, Outcome, Scalar, Slot, time};

/// Why a record is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) reason: ComplaintReason,
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(reason: ComplaintReason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    pub(super) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(ComplaintReason::Malformed, detail)
    }
}

/// How times without zone or year are read.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    pub(super) zone: TimeZone,
    pub(super) reference: i64,
}

/// A record and the builder that takes its fields.
pub(super) struct Record<'a> {
    pub(super) builder: &'a mut EventBuilder,
    pub(super) block: &'a [u8],
    /// The record's letters, in the block where they are sound.
    pub(super) text: &'a str,
    pub(super) clock: &'a Clock,
}

impl Record<'_> {
    /// A field by its name.
    pub(super) fn field(&mut self, path: &str, value: &str) {
        self.builder.field(self.block, path, Scalar::Text(value));
    }

    /// A text whose meaning is known.
    pub(super) fn text(&mut self, slot: Slot, value: &str) {
        self.builder.set(self.block, slot, Scalar::Text(value));
    }

    /// A number whose meaning is known.
    pub(super) fn number(&mut self, slot: Slot, value: &str) {
        self.builder.set(self.block, slot, Scalar::Number(value));
    }

    pub(super) fn outcome(&mut self, outcome: Outcome) {
        self.builder.set_outcome(outcome);
    }

    /// The record's time, which may lack the year. What is not understood is complained of.
    pub(super) fn time(&mut self, text: &str) {
        match time::parse_yearless(text, &self.clock.zone, self.clock.reference) {
            Some(millis) => self.builder.set_time(millis),
            None => self.builder.set(self.block, Slot::Time, Scalar::Text(text)),
        }
    }
}
