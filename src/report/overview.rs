//! The facts over all reports that the page and the terminal share.
//!
//! The same finding may stand in two reports of one file that was read twice; it is counted once, by its id, and as what it is in
//! its gravest version.

use std::collections::BTreeMap;

use jiff::Timestamp;
use watchbell_sink::{Entity, Finding, Severity};

use super::{ComplaintSample, FileReport, each_once, words};
use crate::parse::ComplaintReason;

/// Sums over a number of reports, and their findings ranked.
#[derive(Debug)]
pub struct Overview<'a> {
    /// Events read and scored.
    pub events: u64,
    /// Events whose score passes the threshold.
    pub anomalies: u64,
    /// Records seen, understood or not.
    pub records: u64,
    /// Records that were left out because they could not be read.
    pub lost: u64,
    /// Bytes read, decompressed.
    pub bytes: u64,
    /// Time of the earliest event.
    pub first: Option<Timestamp>,
    /// Time of the latest event.
    pub last: Option<Timestamp>,
    /// Findings by severity, in the order of [`Severity::ALL`].
    pub by_severity: [u64; 5],
    /// All findings, the most severe and strongest first.
    pub ranked: Vec<Ranked<'a>>,
    /// Entities that findings are about, with the positions of their findings in `ranked`; the worst first.
    pub entities: Vec<(&'a Entity, Vec<usize>)>,
    /// Complaints by reason, over all files.
    pub complaints: Vec<Complaints<'a>>,
}

/// A finding and the report it stands in.
#[derive(Debug, Clone, Copy)]
pub struct Ranked<'a> {
    /// The finding.
    pub finding: &'a Finding,
    /// The report.
    pub report: &'a FileReport,
}

/// Complaints of one reason over all files.
#[derive(Debug)]
pub struct Complaints<'a> {
    /// Why.
    pub reason: ComplaintReason,
    /// How many records.
    pub count: u64,
    /// Some of them, each with its file.
    pub samples: Vec<(&'a str, &'a ComplaintSample)>,
}

impl<'a> Overview<'a> {
    /// Looks over the reports.
    #[must_use]
    pub fn new(reports: &'a [FileReport]) -> Self {
        Self::of(&reports.iter().collect::<Vec<_>>(), &|_| true)
    }

    /// Looks over the reports as if they held only the findings that are wanted.
    #[must_use]
    pub fn of(reports: &[&'a FileReport], wanted: &dyn Fn(&Finding) -> bool) -> Self {
        let ranked = ranked(reports, wanted);
        let mut by_severity = [0; 5];
        for item in &ranked {
            by_severity[item.finding.severity as usize] += 1;
        }
        let sum =
            |number: fn(&FileReport) -> u64| reports.iter().map(|report| number(report)).fold(0, u64::saturating_add);
        let complaints = complaints(reports);
        let lost = complaints.iter().filter(|of| of.reason.loses_record()).map(|of| of.count);
        Self {
            events: sum(|report| report.total_events),
            anomalies: sum(|report| report.anomalies_detected),
            records: sum(|report| report.records),
            lost: lost.fold(0, u64::saturating_add),
            bytes: sum(|report| report.bytes),
            first: reports.iter().filter_map(|report| report.first_event).min(),
            last: reports.iter().filter_map(|report| report.last_event).max(),
            by_severity,
            entities: entities(&ranked),
            ranked,
            complaints,
        }
    }

    /// Findings that deserve a look: all but the informational.
    #[must_use]
    pub fn worth_a_look(&self) -> u64 {
        self.by_severity[Severity::Low as usize..].iter().sum()
    }

    /// What to remember of this run, in one sentence without its full stop.
    #[must_use]
    pub fn verdict(&self, separator: char) -> String {
        let events = words::counted(self.events, "event", separator);
        let worth = self.worth_a_look();
        if self.events == 0 {
            return "No events were read".to_owned();
        }
        if worth == 0 {
            return format!("Nothing worth a look in {events}");
        }
        let mut text = format!("{} worth a look in {events}", words::counted(worth, "finding", separator));
        let worst = Severity::ALL.into_iter().rev().find(|&severity| self.by_severity[severity as usize] > 0);
        if let Some(worst) = worst {
            text.push_str(&format!(", {} {worst}", words::grouped(self.by_severity[worst as usize], separator)));
        }
        text
    }
}

fn ranked<'a>(reports: &[&'a FileReport], wanted: &dyn Fn(&Finding) -> bool) -> Vec<Ranked<'a>> {
    let all = reports.iter().flat_map(|&report| report.findings.iter().map(move |finding| Ranked { finding, report }));
    let mut ranked = each_once(all, |item| item.finding);
    // The gravest version says whether a finding is wanted: a milder one must not stand in for it.
    ranked.retain(|item| wanted(item.finding));
    ranked.sort_by(|one, other| {
        let (one, other) = (one.finding, other.finding);
        (other.severity, other.risk_score)
            .cmp(&(one.severity, one.risk_score))
            .then_with(|| other.score.total_cmp(&one.score))
            .then_with(|| one.first_seen.cmp(&other.first_seen))
            .then_with(|| one.id.cmp(&other.id))
    });
    ranked
}

/// Positions come in rank order, so the first finding of an entity is its worst.
fn entities<'a>(ranked: &[Ranked<'a>]) -> Vec<(&'a Entity, Vec<usize>)> {
    let mut by_entity: BTreeMap<&Entity, Vec<usize>> = BTreeMap::new();
    for (position, item) in ranked.iter().enumerate() {
        by_entity.entry(&item.finding.entity).or_default().push(position);
    }
    let mut entities: Vec<_> = by_entity.into_iter().collect();
    entities.sort_by_key(|(_, positions)| positions[0]);
    entities
}

fn complaints<'a>(reports: &[&'a FileReport]) -> Vec<Complaints<'a>> {
    let mut by_reason: BTreeMap<ComplaintReason, Complaints<'a>> = BTreeMap::new();
    for &report in reports {
        for of in &report.complaints {
            let sum = by_reason.entry(of.reason).or_insert_with(|| Complaints {
                reason: of.reason,
                count: 0,
                samples: Vec::new(),
            });
            sum.count = sum.count.saturating_add(of.count);
            sum.samples.extend(of.samples.iter().map(|sample| (report.source_file.as_str(), sample)));
        }
    }
    let mut complaints: Vec<_> = by_reason.into_values().collect();
    complaints.sort_by_key(|of| (std::cmp::Reverse(of.reason.loses_record()), std::cmp::Reverse(of.count)));
    complaints
}

/// What a reason of complaint means, for people.
#[must_use]
pub const fn complaint_title(reason: ComplaintReason) -> &'static str {
    match reason {
        ComplaintReason::Malformed => "Malformed, left out",
        ComplaintReason::Truncated => "Cut off at the end of the file, left out",
        ComplaintReason::TooLong => "Longer than one record may be, left out",
        ComplaintReason::TooDeep => "Nested too deeply, left out",
        ComplaintReason::Encoding => "Not UTF-8, read with replacement characters",
        ComplaintReason::Nul => "NUL bytes, read without them",
        ComplaintReason::DuplicateKey => "A key twice in one object, the first one counts",
        ComplaintReason::MissingTime => "No time, scored without it",
        ComplaintReason::UnreadableTime => "Time not understood, scored without it",
        ComplaintReason::NoKnownField => "No known field",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_finding_in_two_reports_counts_once() {
        let reports = fixture::reports();
        let twice: Vec<_> = reports.iter().chain(&reports).cloned().collect();
        assert_eq!(Overview::new(&twice).ranked.len(), Overview::new(&reports).ranked.len());
    }

    #[test]
    fn a_finding_that_got_worse_counts_as_what_it_became() {
        let mut earlier = fixture::reports();
        let later = earlier.clone();
        for finding in earlier.iter_mut().flat_map(|report| &mut report.findings) {
            finding.severity = Severity::Informational;
        }
        let reports: Vec<_> = earlier.into_iter().chain(later.clone()).collect();
        let (both, last) = (Overview::new(&reports), Overview::new(&later));
        assert_eq!(both.by_severity, last.by_severity);
        let reports: Vec<&FileReport> = reports.iter().collect();
        let mild = |finding: &Finding| finding.severity < Severity::Medium;
        let mild_of_last = last.ranked.iter().filter(|item| mild(item.finding)).count();
        assert_eq!(Overview::of(&reports, &mild).ranked.len(), mild_of_last);
    }

    #[test]
    fn the_worst_comes_first_and_the_verdict_names_it() {
        let reports = fixture::reports();
        let overview = Overview::new(&reports);
        assert!(overview.ranked.windows(2).all(|pair| pair[0].finding.severity >= pair[1].finding.severity));
        assert_eq!(overview.verdict(' '), "12 findings worth a look in 1 204 311 events, 2 critical");
        assert_eq!(overview.entities[0].0, &overview.ranked[0].finding.entity);
    }

    #[test]
    fn quiet_and_empty_runs_have_their_own_verdict() {
        assert_eq!(Overview::new(&[]).verdict(' '), "No events were read");
        let mut reports = fixture::reports();
        for report in &mut reports {
            report.findings.clear();
        }
        assert_eq!(Overview::new(&reports).verdict(' '), "Nothing worth a look in 1 204 311 events");
    }
}
