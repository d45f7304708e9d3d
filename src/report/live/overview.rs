//! The overview: what a person wants to see in ten seconds.

use jiff::Timestamp;
use minijinja::{context, value::Serde};
use serde::Serialize;
use watchbell_sink::{Entity, Severity, ThreatType};

use super::{
    Page, address,
    facts::{FilterFacts, JobFacts, RowFacts, SinkFacts, SuppressionFacts},
    narrowed::{beyond, ranges, several, with},
};
use crate::report::{
    FileReport,
    html::{
        chart::{Links, kind_title, percent, time_chart},
        look::SeverityLook,
        page::{kinds, severities},
        scale::Window,
    },
    overview::Overview,
    words,
};

/// Lanes of the chart: as many as leave the list on the first screen.
const LANES: usize = 6;
/// Jobs that are shown.
const JOBS: usize = 5;
/// Names that are offered for one that was not found.
const NEAR: usize = 5;

/// Parts that are fetched again when something changes.
const PARTS: [(&str, &str); 6] = [
    ("top", "top.html"),
    ("chart", "chart.html"),
    ("list", "list.html"),
    ("delivery", "delivery.html"),
    ("jobs", "jobs.html"),
    ("decisions", "decisions.html"),
];

/// What the overview is made of.
#[derive(Debug, Clone, Copy)]
pub struct OverviewInput<'a> {
    /// The reports at hand.
    pub reports: &'a [&'a FileReport],
    /// All findings that ring.
    pub ringing: &'a Overview<'a>,
    /// The findings that the filters let through.
    pub matching: &'a Overview<'a>,
    /// How many more would match without suppressions.
    pub suppressed: usize,
    /// The filters.
    pub filter: &'a FilterFacts,
    /// The list's page.
    pub rows: &'a [RowFacts<'a>],
    /// How many findings of the list come before the page.
    pub before: usize,
    /// What could not be read or understood.
    pub notices: &'a [String],
    /// The filters' times, from and until.
    pub between: (Option<Timestamp>, Option<Timestamp>),
    /// The sinks; `None` when the outbox can't be read.
    pub sinks: Option<&'a [SinkFacts]>,
    /// The jobs, the newest first.
    pub jobs: &'a [JobFacts],
    /// Suppressions that stand.
    pub suppressions: &'a [SuppressionFacts],
    /// The time at which all this is so.
    pub now: Timestamp,
}

impl Page {
    /// The overview.
    #[must_use]
    pub fn overview(input: OverviewInput<'_>) -> Self {
        let OverviewInput { matching, filter, now, .. } = input;
        let finding = |position: usize| Some(address::finding(&matching.ranked[position].finding.id));
        let entity = |entity: &Entity| Some(with(filter, &[("entity", &entity.value)]));
        let several = |positions: &[usize], of: Option<&Entity>| several(&input, positions, of);
        let beyond = |left| beyond(filter, left);
        let (since, until) = input.between;
        let links = Links {
            finding: &finding,
            several: &several,
            entity: &entity,
            beyond: &beyond,
            window: Window { since, until },
            lanes: LANES,
        };
        let sinks: Option<Vec<_>> = input.sinks.map(|sinks| sinks.iter().map(|sink| SinkRow::new(sink, now)).collect());
        let context = context! {
            top => Serde(Top::new(input)),
            time => Serde(time_chart(input.reports, matching, &links)),
            is_narrowed => filter.narrows(),
            filter => Serde(filter),
            threats => Serde(ThreatType::ALL.map(|threat| (threat.name(), threat.title()))),
            severities => Serde([Severity::Low, Severity::Medium, Severity::High, Severity::Critical].map(SeverityLook::of)),
            list => Serde(List::new(input)),
            sinks => Serde(sinks),
            ranges => Serde(ranges(&input)),
            jobs => Serde(Jobs::new(input.jobs, now)),
            suppressions => Serde(input.suppressions.iter().map(|one| SuppressionRow::new(one, now)).collect::<Vec<_>>()),
        };
        Self { template: "overview.html", parts: &PARTS, context }
    }
}

#[derive(Debug, Serialize)]
struct Top<'a> {
    verdict: String,
    scope: String,
    /// Whether nothing has been read.
    is_empty: bool,
    notices: &'a [String],
    findings: u64,
    severities: Vec<Share>,
    entities: (String, String),
    events: (String, String),
    understood: (String, String),
    delivery: Delivery,
}

#[derive(Debug, Serialize)]
struct Share {
    look: SeverityLook,
    count: String,
    x: String,
    width: String,
    href: String,
}

/// How delivery stands in one word: `is` is a class of the page's style.
#[derive(Debug, Serialize)]
struct Delivery {
    is: &'static str,
    value: String,
    note: String,
}

impl<'a> Top<'a> {
    fn new(input: OverviewInput<'a>) -> Self {
        let ringing = input.ringing;
        let number = |number| words::grouped(number, words::THIN);
        let read = ringing.records.saturating_sub(ringing.lost);
        let logs: std::collections::BTreeSet<_> = input.reports.iter().map(|report| &report.source_file).collect();
        let logs = words::counted(logs.len() as u64, "log", words::THIN);
        let scope = match (ringing.first, ringing.last) {
            (None, None) => logs,
            (first, last) => format!("{logs}, {} UTC", words::span(first, last)),
        };
        let lost = match ringing.lost {
            0 => "no record was left out".to_owned(),
            lost => format!("{} left out", words::counted(lost, "record", words::THIN)),
        };
        let share = |share: crate::report::html::page::SeverityShare| Share {
            href: address::overview([("severity", share.look.name)]),
            look: share.look,
            count: share.count,
            x: share.x,
            width: share.width,
        };
        Self {
            verdict: if input.reports.is_empty() {
                "Nothing has been read yet".to_owned()
            } else {
                ringing.verdict(words::THIN)
            },
            scope: if input.reports.is_empty() { "Run a batch, or send logs to the API".to_owned() } else { scope },
            is_empty: input.reports.is_empty(),
            notices: input.notices,
            findings: ringing.ranked.len() as u64,
            severities: severities(ringing).into_iter().map(share).collect(),
            entities: (number(ringing.entities.len() as u64), kinds(ringing)),
            events: (
                number(ringing.events),
                format!("{} anomalous", words::percent(ringing.anomalies, ringing.events)),
            ),
            understood: (words::percent(read, ringing.records), lost),
            delivery: Delivery::new(input.sinks),
        }
    }
}

impl Delivery {
    fn new(sinks: Option<&[SinkFacts]>) -> Self {
        let Some(sinks) = sinks else {
            return Self { is: "bad", value: "Unknown".to_owned(), note: "the outbox can't be read".to_owned() };
        };
        let sum = |of: fn(&SinkFacts) -> u64| sinks.iter().map(of).fold(0, u64::saturating_add);
        let held = sinks.iter().filter(|sink| sink.held.is_some()).count() as u64;
        let failing = sinks.iter().filter(|sink| sink.is_failing).count() as u64;
        let (dead, pending) = (sum(|sink| sink.dead), sum(SinkFacts::pending));
        let delivered = format!("{} delivered", words::grouped(sum(|sink| sink.delivered), words::THIN));
        let number = |number| words::grouped(number, words::THIN);
        let waiting = || format!("{} waiting", number(pending));
        let (is, value, note) = match (sinks.len(), held, dead, pending) {
            (0, ..) => ("none", "Off".to_owned(), "no sink is set up".to_owned()),
            (_, 1.., _, _) => ("bad", format!("{} held", number(held)), waiting()),
            _ if failing > 0 => ("bad", format!("{} failing", number(failing)), waiting()),
            (_, 0, 1.., _) => ("bad", format!("{} dead", number(dead)), delivered),
            (_, 0, 0, 1..) => ("busy", format!("{} waiting", number(pending)), delivered),
            _ if sum(|sink| sink.delivered) == 0 => {
                ("none", "Nothing yet".to_owned(), "no finding was sent".to_owned())
            }
            _ => ("good", "All sent".to_owned(), delivered),
        };
        Self { is, value, note }
    }
}

impl SinkFacts {
    fn pending(&self) -> u64 {
        self.ready + self.waiting + self.awaiting_ack
    }
}

#[derive(Debug, Serialize)]
struct List<'a> {
    rows: Vec<Row<'a>>,
    from: usize,
    to: usize,
    total: usize,
    suppressed: usize,
    /// Where suppressed findings are seen.
    with_suppressed: String,
    /// What the entity that was looked for may have meant, when nothing is found: names and addresses.
    near: Vec<(&'a str, String)>,
    first: Option<String>,
    next: Option<String>,
}

impl<'a> List<'a> {
    fn new(input: OverviewInput<'a>) -> Self {
        let (filter, total) = (input.filter, input.matching.ranked.len());
        let to = input.before + input.rows.len();
        let last = input.rows.last().filter(|_| to < total).map(|row| row.finding.id.as_str());
        let after = |id| address::overview(filter.pairs().into_iter().chain([("after", id)]));
        Self {
            rows: input.rows.iter().map(|row| Row::new(row, filter)).collect(),
            from: (input.before + 1).min(to),
            to,
            total,
            suppressed: input.suppressed,
            with_suppressed: with(filter, &[("suppressed", "only")]),
            near: if total == 0 { near(input) } else { Vec::new() },
            first: (input.before > 0).then(|| address::overview(filter.pairs())),
            next: last.map(after),
        }
    }
}

/// Entities with findings whose name holds what was looked for, without the other filters.
fn near<'a>(input: OverviewInput<'a>) -> Vec<(&'a str, String)> {
    let wanted = input.filter.entity.trim().to_lowercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    let names = input.ringing.entities.iter().map(|(entity, _)| entity.value.as_str());
    let holding = names.filter(|name| name.to_lowercase().contains(&wanted));
    holding.take(NEAR).map(|name| (name, address::overview([("entity", name)]))).collect()
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    id: &'a str,
    href: String,
    look: SeverityLook,
    title: &'a str,
    threat: &'static str,
    why: Option<&'a str>,
    entity_kind: &'static str,
    entity: &'a str,
    entity_href: String,
    risk: u8,
    risk_width: String,
    events: String,
    last: Option<String>,
    suppressed_by: Option<&'a str>,
    was_right: Option<bool>,
}

impl<'a> Row<'a> {
    fn new(row: &RowFacts<'a>, filter: &FilterFacts) -> Self {
        let finding = row.finding;
        Self {
            id: &finding.id,
            href: address::finding(&finding.id),
            look: SeverityLook::of(finding.severity),
            title: &finding.title,
            threat: finding.threat_type.title(),
            why: finding.reasons.first().map(|reason| reason.text.as_str()),
            entity_kind: kind_title(finding.entity.kind),
            entity: &finding.entity.value,
            entity_href: with(filter, &[("entity", &finding.entity.value)]),
            risk: finding.risk_score,
            risk_width: percent(f64::from(finding.risk_score.min(100)) / 100.0),
            events: words::grouped(finding.event_count, words::THIN),
            last: finding.last_seen.or(finding.first_seen).map(words::instant),
            suppressed_by: row.suppressed_by,
            was_right: row.was_right,
        }
    }
}

#[derive(Debug, Serialize)]
struct SinkRow<'a> {
    name: &'a str,
    kind: &'a str,
    /// A class of the page's style, and its word.
    is: &'static str,
    state: &'static str,
    delivered: String,
    pending: String,
    pending_is: String,
    dead: u64,
    dead_text: String,
    oldest: Option<String>,
    /// What the sink suffers from, and since when.
    trouble: Option<(String, String)>,
}

impl<'a> SinkRow<'a> {
    fn new(sink: &'a SinkFacts, now: Timestamp) -> Self {
        let pending = sink.pending();
        let (is, state) = match sink {
            SinkFacts { held: Some(_), .. } => ("bad", "held"),
            SinkFacts { kind, .. } if kind.is_empty() => ("none", "not set up any more"),
            SinkFacts { is_failing: true, last_error, .. } => (
                "bad",
                if last_error.as_ref().is_some_and(|error| error.was_answered) { "failing" } else { "not reachable" },
            ),
            SinkFacts { dead: 1.., .. } => ("bad", "dead letters"),
            _ if pending > 0 => ("busy", "sending"),
            SinkFacts { delivered: 0, .. } => ("none", "nothing sent yet"),
            _ => ("good", "up to date"),
        };
        let parts = [(sink.ready, "ready"), (sink.waiting, "retried later"), (sink.awaiting_ack, "unconfirmed")];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        let held = sink.held.as_ref().map(|held| (format!("{}: {}", held.kind, held.message), ago(held.since, now)));
        let is_troubled = sink.is_failing || sink.dead > 0 || sink.waiting > 0;
        let error = sink.last_error.as_ref().filter(|_| is_troubled);
        Self {
            name: &sink.name,
            kind: &sink.kind,
            is,
            state,
            delivered: words::grouped(sink.delivered, words::THIN),
            pending: words::grouped(pending, words::THIN),
            pending_is: parts.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", "),
            dead: sink.dead,
            dead_text: words::grouped(sink.dead, words::THIN),
            oldest: sink.oldest.map(|oldest| ago(oldest, now)),
            trouble: held.or_else(|| error.map(|error| (error.message.clone(), ago(error.at, now)))),
        }
    }
}

/// The newest jobs: of both kinds, and of each, because not every key may see both.
#[derive(Debug, Serialize)]
struct Jobs<'a> {
    all: Vec<JobRow<'a>>,
    batches: Vec<JobRow<'a>>,
    trainings: Vec<JobRow<'a>>,
}

impl<'a> Jobs<'a> {
    fn new(jobs: &'a [JobFacts], now: Timestamp) -> Self {
        let rows = |wanted: fn(&JobFacts) -> bool| {
            jobs.iter().filter(|job| wanted(job)).take(JOBS).map(|job| JobRow::new(job, now)).collect()
        };
        Self { all: rows(|_| true), batches: rows(|job| !job.is_training), trainings: rows(|job| job.is_training) }
    }
}

#[derive(Debug, Serialize)]
struct JobRow<'a> {
    title: &'static str,
    is: &'static str,
    state: &'static str,
    stage: &'a str,
    by: &'a str,
    when: String,
    /// How much is done, where that is known.
    width: Option<String>,
    done: String,
    error: Option<&'a str>,
}

impl<'a> JobRow<'a> {
    fn new(job: &'a JobFacts, now: Timestamp) -> Self {
        let is = match job.state {
            "succeeded" => "good",
            "failed" => "bad",
            "cancelled" => "none",
            _ => "busy",
        };
        let (done, all) = job.bytes;
        #[expect(clippy::cast_precision_loss, reason = "a bar's width")]
        let part = if all == 0 { 0.0 } else { (done as f64 / all as f64).clamp(0.0, 1.0) };
        let (created, ended) = job.times;
        Self {
            title: job.title,
            is,
            state: job.state,
            stage: &job.stage,
            by: &job.by,
            when: ago(ended.unwrap_or(created), now),
            width: (job.state == "running" && all > 0).then(|| percent(part)),
            done: format!("{} of {}", words::bytes(done), words::bytes(all)),
            error: job.error.as_deref(),
        }
    }
}

/// A suppression as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct SuppressionRow<'a> {
    id: &'a str,
    scope: String,
    reason: &'a str,
    by: &'a str,
    made: String,
    expires: String,
    left: String,
}

impl<'a> SuppressionRow<'a> {
    pub(super) fn new(one: &'a SuppressionFacts, now: Timestamp) -> Self {
        Self {
            id: &one.id,
            scope: scope(one.threat, one.entity.as_ref(), one.max_severity),
            reason: &one.reason,
            by: &one.by,
            made: words::instant(one.made),
            expires: words::instant(one.expires),
            left: words::duration(words::seconds_between(now, one.expires)),
        }
    }
}

/// Which findings a suppression silences, in words.
pub(super) fn scope(threat: ThreatType, entity: Option<&Entity>, max_severity: Severity) -> String {
    let about = match entity {
        Some(entity) => format!("{} {}", kind_title(entity.kind), entity.value),
        None => "anybody".to_owned(),
    };
    format!("{} about {about}, up to {max_severity}", threat.title())
}

/// How long ago a time was.
pub(super) fn ago(time: Timestamp, now: Timestamp) -> String {
    match words::seconds_between(time, now) {
        0..5 => "just now".to_owned(),
        seconds => format!("{} ago", words::duration(seconds)),
    }
}
