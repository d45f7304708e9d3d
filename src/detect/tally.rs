//! What is counted about a file while it is read: events, complaints, times.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    parse::{Complaint, ComplaintReason, EventBatch, NO_TIME},
    report::{ComplaintSample, ComplaintSummary, Timeline},
};

/// Samples that are kept of each kind of complaint.
const SAMPLES: usize = 5;

/// Most bins of a timeline.
const BINS: usize = 240;

/// The counts of one file.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) records: u64,
    complaints: BTreeMap<ComplaintReason, ComplaintSummary>,
    first: Option<i64>,
    last: Option<i64>,
    bins: TimeBins,
}

impl Tally {
    /// Counts a batch, or the part of it from this event and line on; what was lost before was counted when it was read
    /// first, as the events were.
    pub(super) fn add(&mut self, batch: &EventBatch, first_event: usize, first_line: u32) {
        let events = &batch.events[first_event..];
        self.events += events.len() as u64;
        let is_before = |complaint: &&Complaint| complaint.line < first_line;
        let lost_before = batch.complaints.iter().filter(is_before).filter(|complaint| complaint.reason.loses_record());
        self.records += batch.records.saturating_sub((first_event + lost_before.count()) as u64);
        for complaint in batch.complaints.iter().filter(|complaint| complaint.line >= first_line) {
            let reason = complaint.reason;
            let summary = self.complaints.entry(reason).or_insert_with(|| ComplaintSummary {
                reason,
                count: 0,
                samples: Vec::new(),
            });
            summary.count += 1;
            if summary.samples.len() < SAMPLES {
                summary.samples.push(ComplaintSample {
                    line: batch.first_line + u64::from(complaint.line),
                    detail: complaint.detail.clone(),
                    sample: complaint.sample.clone(),
                });
            }
        }
        for event in events.iter().filter(|event| event.time != NO_TIME) {
            self.first = Some(self.first.map_or(event.time, |first| first.min(event.time)));
            self.last = Some(self.last.map_or(event.time, |last| last.max(event.time)));
            self.bins.add(event.time.div_euclid(1_000));
        }
    }

    /// Records that are left out because they can't be read.
    pub(super) fn lost(&self) -> u64 {
        self.complaints.values().filter(|summary| summary.reason.loses_record()).map(|summary| summary.count).sum()
    }

    pub(super) fn complaints(&self) -> Vec<ComplaintSummary> {
        self.complaints.values().cloned().collect()
    }

    pub(super) fn first_event(&self) -> Option<Timestamp> {
        self.first.and_then(|first| Timestamp::from_millisecond(first).ok())
    }

    pub(super) fn last_event(&self) -> Option<Timestamp> {
        self.last.and_then(|last| Timestamp::from_millisecond(last).ok())
    }

    /// The timeline, with these anomalies in it.
    pub(super) fn timeline(&self, anomalies: impl Iterator<Item = Timestamp>) -> Timeline {
        let mut timeline = Timeline {
            start: Timestamp::from_second(self.bins.start).ok().filter(|_| !self.bins.counts.is_empty()),
            bin_secs: self.bins.width as u64,
            events: self.bins.counts.clone(),
            anomalies: vec![0; self.bins.counts.len()],
        };
        for time in anomalies {
            let bin = (time.as_second() - self.bins.start).div_euclid(self.bins.width.max(1));
            if let Some(count) = usize::try_from(bin).ok().and_then(|bin| timeline.anomalies.get_mut(bin)) {
                *count += 1;
            }
        }
        timeline
    }
}

/// Counts over time in at most [`BINS`] bins, whose width doubles as the span grows.
#[derive(Debug, Clone, Default)]
struct TimeBins {
    start: i64,
    width: i64,
    counts: Vec<u64>,
}

impl TimeBins {
    fn add(&mut self, second: i64) {
        if self.counts.is_empty() {
            (self.start, self.width) = (second, 1);
        }
        while second < self.start {
            let missing = (self.start - second + self.width - 1) / self.width;
            if self.counts.len() as i64 + missing <= BINS as i64 {
                self.counts.splice(0..0, std::iter::repeat_n(0, missing as usize));
                self.start -= missing * self.width;
            } else {
                self.widen();
            }
        }
        while (second - self.start) / self.width >= BINS as i64 {
            self.widen();
        }
        let bin = ((second - self.start) / self.width) as usize;
        if bin >= self.counts.len() {
            self.counts.resize(bin + 1, 0);
        }
        self.counts[bin] += 1;
    }

    fn widen(&mut self) {
        let wide = self.width * 2;
        let start = self.start.div_euclid(wide) * wide;
        let shift = ((self.start - start) / self.width) as usize;
        let mut counts = vec![0; (self.counts.len() + shift).div_ceil(2)];
        for (bin, count) in self.counts.iter().enumerate() {
            counts[(bin + shift) / 2] += count;
        }
        (self.start, self.width, self.counts) = (start, wide, counts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_keep_every_count_whatever_the_order_and_span() {
        let mut bins = TimeBins::default();
        let times = [1_000_000, 1_000_001, 900_000, 5_000_000, 1_000_000, 17, 4_999_999];
        for time in times {
            bins.add(time);
        }
        assert_eq!(bins.counts.iter().sum::<u64>(), times.len() as u64);
        assert!(bins.counts.len() <= BINS);
        assert!(bins.start <= 17 && bins.start + bins.width * bins.counts.len() as i64 > 5_000_000);
    }
}
