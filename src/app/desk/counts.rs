//! What the desk counts while it works, for machines that watch it.
//!
//! Labels come from closed lists of words, all of them there from the start with 0: a number that appears with its first
//! event has no rise that an alert could see. No text of a log, no account and no address is ever a label.

use std::{
    collections::HashSet,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder, NoLabelSet, text::encode_registry},
    metrics::{MetricType, counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{Job, JobKind, JobState, shelf::View};
use crate::{
    parse::ComplaintReason,
    report::FileReport,
    sink::{Severity, ThreatType},
};

/// What stands before every name.
pub(super) const PREFIX: &str = "watchbell";
/// Where events come from.
const SOURCES: [&str; 2] = ["analyze", "batch"];
/// Bins of a report's histogram of scores.
const BINS: usize = 50;
/// How many of those bins make a bucket, from the lowest scores to the highest: those above 0.9 are looked at closely.
const BINS_OF_BUCKETS: [usize; 14] = [5, 5, 5, 5, 5, 5, 5, 5, 5, 1, 1, 1, 1, 1];
/// From an answer that somebody waits for to a long round of the batch.
const SECONDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// The counters.
#[derive(Debug)]
pub(super) struct Counts {
    registry: Registry,
    /// When the desk was opened.
    pub(super) opened: Timestamp,
    events: Counters<1>,
    records: Counters<1>,
    bytes: Counters<1>,
    anomalies: Counters<1>,
    failed: Counters<1>,
    complaints: Counters<2>,
    findings: Counters<2>,
    jobs: Counters<2>,
    job_success: Family<Labels<1>, Gauge>,
    scores: Scores,
    took: Family<Labels<1>, Histogram, fn() -> Histogram>,
}

/// Logs that were analyzed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Analyzed<'a> {
    /// `analyze` or `batch`.
    pub(super) source: &'static str,
    /// What was found.
    pub(super) reports: &'a [FileReport],
    /// Logs that could not be read, or not to their end.
    pub(super) failed: u64,
    /// How long it took.
    pub(super) took: Duration,
}

impl Counts {
    pub(super) fn new() -> Self {
        let mut counts = Self {
            registry: Registry::with_prefix(PREFIX),
            opened: Timestamp::now(),
            events: Family::default(),
            records: Family::default(),
            bytes: Family::default(),
            anomalies: Family::default(),
            failed: Family::default(),
            complaints: Family::default(),
            findings: Family::default(),
            jobs: Family::default(),
            job_success: Family::default(),
            scores: Scores::default(),
            took: Family::new_with_constructor(|| Histogram::new(SECONDS)),
        };
        counts.register();
        counts.begin_with_zero();
        counts
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("events", "Events read and scored", self.events.clone());
        registry.register("records", "Records seen, understood or not", self.records.clone());
        let bytes = self.bytes.clone();
        registry.register_with_unit("read", "Bytes of logs read, decompressed", Unit::Bytes, bytes);
        registry.register("anomalies", "Events whose score passes the threshold", self.anomalies.clone());
        let failed = self.failed.clone();
        registry.register("failed_logs", "Logs that could not be read, or not to their end", failed);
        let complaints = self.complaints.clone();
        registry.register("complaints", "Records, or parts of them, that were not understood", complaints);
        registry.register(
            "findings",
            "Findings that were not known before, suppressed ones too",
            self.findings.clone(),
        );
        registry.register("jobs_ended", "Jobs that are over", self.jobs.clone());
        let help = "When a job of this kind last succeeded since the start, as seconds since 1970; 0 when none did";
        registry.register_with_unit("job_success_timestamp", help, Unit::Seconds, self.job_success.clone());
        registry.register("anomaly_score", "Scores of the events, 0 to 1, in bins of 0.02", self.scores.clone());
        let help = "Time from the logs to what was found in them, for one call or one round of the batch";
        registry.register_with_unit("scoring_duration", help, Unit::Seconds, self.took.clone());
    }

    fn begin_with_zero(&self) {
        for source in SOURCES {
            let label = [("source", source)];
            for counters in [&self.events, &self.records, &self.bytes, &self.anomalies, &self.failed] {
                drop(counters.get_or_create(&label));
            }
            drop(self.took.get_or_create(&label));
            for reason in REASONS {
                drop(self.complaints.get_or_create(&[("source", source), ("reason", name_of(reason))]));
            }
        }
        for threat in ThreatType::ALL {
            for severity in Severity::ALL {
                drop(self.findings.get_or_create(&[("threat_type", threat.name()), ("severity", severity.name())]));
            }
        }
        for kind in JobKind::ALL {
            drop(self.job_success.get_or_create(&[("kind", kind.name())]));
            for state in [JobState::Succeeded, JobState::Failed, JobState::Cancelled] {
                drop(self.jobs.get_or_create(&[("kind", kind.name()), ("state", state.name())]));
            }
        }
    }

    /// Counts what was analyzed.
    pub(super) fn analyzed(&self, analyzed: Analyzed<'_>) {
        let Analyzed { source, reports, failed, took } = analyzed;
        let label = [("source", source)];
        let add = |counters: &Counters<1>, count| counters.get_or_create(&label).inc_by(count);
        for report in reports {
            add(&self.events, report.total_events);
            add(&self.records, report.records);
            add(&self.bytes, report.bytes);
            add(&self.anomalies, report.anomalies_detected);
            for complaint in &report.complaints {
                let labels = [("source", source), ("reason", name_of(complaint.reason))];
                self.complaints.get_or_create(&labels).inc_by(complaint.count);
            }
            self.scores.add(&report.score_histogram);
        }
        add(&self.failed, failed);
        self.took.get_or_create(&label).observe(took.as_secs_f64());
    }

    /// Counts the findings that were not at hand before, each once: a log that is posted again brings no news. Where it
    /// can't be told what was at hand, all of them count.
    pub(super) fn found(&self, reports: &[FileReport], before: Option<&View>) {
        let known = before.map(|view| view.pool().findings).unwrap_or_default();
        let mut known: HashSet<&str> = known.into_iter().map(|finding| finding.id.as_str()).collect();
        for finding in reports.iter().flat_map(|report| &report.findings) {
            if known.insert(&finding.id) {
                let labels = [("threat_type", finding.threat_type.name()), ("severity", finding.severity.name())];
                self.findings.get_or_create(&labels).inc();
            }
        }
    }

    /// Counts a job that is over.
    pub(super) fn job_ended(&self, job: &Job) {
        self.jobs.get_or_create(&[("kind", job.kind.name()), ("state", job.state.name())]).inc();
        if job.state == JobState::Succeeded {
            let ended = job.ended.unwrap_or(job.created).as_second();
            self.job_success.get_or_create(&[("kind", job.kind.name())]).set(ended);
        }
    }

    /// Writes them as OpenMetrics text.
    pub(super) fn write(&self, text: &mut String) -> fmt::Result {
        encode_registry(text, &self.registry)
    }
}

/// Scores, taken from the histograms of the reports: to observe them one by one would be a lock for each event.
#[derive(Debug, Clone)]
struct Scores(Arc<Mutex<[u64; BINS]>>);

impl Default for Scores {
    fn default() -> Self {
        Self(Arc::new(Mutex::new([0; BINS])))
    }
}

impl Scores {
    fn add(&self, histogram: &[u64]) {
        let mut bins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bins.iter_mut().zip(histogram).for_each(|(sum, count)| *sum += count);
    }
}

impl EncodeMetric for Scores {
    #[expect(clippy::cast_precision_loss, reason = "counts of bins, and a sum that is an estimate anyway")]
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let bins = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let width = 1.0 / BINS as f64;
        let (mut buckets, mut from) = (Vec::with_capacity(BINS_OF_BUCKETS.len() + 1), 0);
        for count in BINS_OF_BUCKETS {
            let to = from + count;
            buckets.push((to as f64 / BINS as f64, bins[from..to].iter().sum()));
            from = to;
        }
        buckets.push((f64::INFINITY, 0));
        // Each score is taken for the middle of its bin.
        let sum = bins.iter().enumerate().map(|(at, &count)| (at as f64 + 0.5) * width * count as f64).sum();
        encoder.encode_histogram::<NoLabelSet>(sum, bins.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        MetricType::Histogram
    }
}

/// All of them; `name_of` does not compile without a new one, which then belongs here too.
const REASONS: [ComplaintReason; 10] = [
    ComplaintReason::Malformed,
    ComplaintReason::Truncated,
    ComplaintReason::TooLong,
    ComplaintReason::TooDeep,
    ComplaintReason::Encoding,
    ComplaintReason::Nul,
    ComplaintReason::DuplicateKey,
    ComplaintReason::MissingTime,
    ComplaintReason::UnreadableTime,
    ComplaintReason::NoKnownField,
];

const fn name_of(reason: ComplaintReason) -> &'static str {
    match reason {
        ComplaintReason::Malformed => "malformed",
        ComplaintReason::Truncated => "truncated",
        ComplaintReason::TooLong => "too_long",
        ComplaintReason::TooDeep => "too_deep",
        ComplaintReason::Encoding => "encoding",
        ComplaintReason::Nul => "nul",
        ComplaintReason::DuplicateKey => "duplicate_key",
        ComplaintReason::MissingTime => "missing_time",
        ComplaintReason::UnreadableTime => "unreadable_time",
        ComplaintReason::NoKnownField => "no_known_field",
    }
}

#[cfg(test)]
mod tests;
