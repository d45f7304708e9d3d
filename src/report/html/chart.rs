//! The geometry of the page's charts; the template draws them.
//!
//! Places are per cent of the chart's width, so that a chart fits any screen without its letters shrinking, and every
//! text goes through the template's escaping.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use watchbell_sink::{Entity, EntityKind, Severity};

use super::look::SeverityLook;
use crate::report::{FileReport, overview::Overview, visible, words};

/// Bins of the merged timeline: one is about 6 pixels on a wide screen.
const BINS: usize = 144;
/// Marks in a row of the timeline; findings closer than this are one mark.
const SLOTS: usize = 72;

/// Where the chart's marks and names lead, and how much is drawn.
#[derive(Clone, Copy)]
pub(in crate::report) struct Links<'a> {
    /// The address of the finding with this rank, from 0.
    pub(in crate::report) finding: &'a dyn Fn(usize) -> Option<String>,
    /// The address of what there is about an entity.
    pub(in crate::report) entity: &'a dyn Fn(&Entity) -> Option<String>,
    /// Lanes, each for one entity.
    pub(in crate::report) lanes: usize,
}

/// Events over time, findings over time, and a lane for each of the worst entities.
#[derive(Debug, Serialize)]
pub(in crate::report) struct TimeChart {
    /// Outline of the events' area in a box of 1000 x 100.
    area: String,
    /// Most events in one bin, and how long a bin is.
    peak: String,
    bin: String,
    bins: Vec<EventBin>,
    marks: Vec<Mark>,
    lanes: Vec<Lane>,
    lanes_left: usize,
    ticks: Vec<Tick>,
    span: String,
}

#[derive(Debug, Serialize)]
struct EventBin {
    x: String,
    width: String,
    label: String,
}

/// One finding, or several at almost the same time.
#[derive(Debug, Serialize)]
struct Mark {
    x: String,
    end: String,
    look: SeverityLook,
    label: String,
    target: Option<String>,
}

#[derive(Debug, Serialize)]
struct Lane {
    kind: &'static str,
    name: String,
    href: Option<String>,
    count: usize,
    marks: Vec<Mark>,
}

#[derive(Debug, Serialize)]
struct Tick {
    x: String,
    label: String,
    /// `first` or `last` near an edge, where a label in the middle would be cut.
    side: &'static str,
    minor: bool,
}

/// Where a time stands between the first and the last one.
#[derive(Clone, Copy)]
struct Scale {
    start: i64,
    seconds: f64,
}

impl Scale {
    fn new(reports: &[&FileReport], overview: &Overview<'_>) -> Option<Self> {
        let ends = reports.iter().flat_map(|report| [report.first_event, report.last_event]);
        let seen = overview.ranked.iter().flat_map(|item| [item.finding.first_seen, item.finding.last_seen]);
        let times: Vec<i64> = ends.chain(seen).flatten().map(Timestamp::as_second).collect();
        let (first, last) = (*times.iter().min()?, *times.iter().max()?);
        #[expect(clippy::cast_precision_loss, reason = "seconds of a chart")]
        Some(Self { start: first, seconds: ((last - first).max(1)) as f64 })
    }

    /// 0..1, clamped.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a chart")]
    fn place(self, second: i64) -> f64 {
        ((second - self.start) as f64 / self.seconds).clamp(0.0, 1.0)
    }
}

/// The time chart, or nothing when no event names a time.
pub(in crate::report) fn time_chart(
    reports: &[&FileReport],
    overview: &Overview<'_>,
    links: &Links<'_>,
) -> Option<TimeChart> {
    let scale = Scale::new(reports, overview)?;
    let counts = merged(reports, scale);
    let peak = counts.iter().copied().fold(0.0, f64::max);
    let lanes = lanes(overview, scale, links);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, below 2^53")]
    Some(TimeChart {
        area: area(&counts, peak),
        peak: words::grouped(peak.round() as u64, words::THIN),
        bin: words::duration((scale.seconds / BINS as f64).round().max(1.0) as u64),
        bins: counts.iter().enumerate().map(|(bin, &count)| event_bin(scale, bin, count)).collect(),
        marks: marks(&(0..overview.ranked.len()).collect::<Vec<_>>(), overview, scale, links),
        lanes_left: overview.entities.len().saturating_sub(lanes.len()),
        lanes,
        ticks: ticks(scale),
        span: format!("{} UTC", words::span(overview.first, overview.last)),
    })
}

/// The files' timelines on one scale: each bin's events are spread evenly over the time it stands for.
#[expect(clippy::cast_precision_loss, reason = "counts of a chart")]
fn merged(reports: &[&FileReport], scale: Scale) -> Vec<f64> {
    let mut counts = vec![0.0; BINS];
    for timeline in reports.iter().map(|report| &report.timeline) {
        let Some(start) = timeline.start else { continue };
        let width = timeline.bin_secs.max(1) as f64;
        for (bin, &events) in timeline.events.iter().enumerate().filter(|&(_, &events)| events > 0) {
            let from = (start.as_second() - scale.start) as f64 + bin as f64 * width;
            let left = (from / scale.seconds).clamp(0.0, 1.0) * BINS as f64;
            let right = ((from + width) / scale.seconds).clamp(0.0, 1.0) * BINS as f64;
            spread(&mut counts, (left, right), events as f64);
        }
    }
    counts
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..BINS")]
fn spread(counts: &mut [f64], (left, right): (f64, f64), events: f64) {
    let last = counts.len() - 1;
    if right - left < 1e-9 {
        counts[(left as usize).min(last)] += events;
        return;
    }
    let first = (left as usize).min(last);
    let end = (right.ceil() as usize).clamp(first + 1, last + 1);
    for (count, bin) in counts[first..end].iter_mut().zip(first..) {
        let overlap = right.min(bin as f64 + 1.0) - left.max(bin as f64);
        *count += events * overlap.max(0.0) / (right - left);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of a chart")]
fn area(counts: &[f64], peak: f64) -> String {
    let mut path = String::from("M0 100");
    for (bin, count) in counts.iter().enumerate() {
        let height = if peak > 0.0 { count / peak * 96.0 } else { 0.0 };
        let (left, right) = (bin as f64 * 1000.0 / BINS as f64, (bin + 1) as f64 * 1000.0 / BINS as f64);
        path.push_str(&format!("L{left:.1} {top:.1}H{right:.1}", top = 100.0 - height));
    }
    path.push_str("L1000 100Z");
    path
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as above")]
fn event_bin(scale: Scale, bin: usize, count: f64) -> EventBin {
    let at = scale.start + (scale.seconds * bin as f64 / BINS as f64) as i64;
    let time = Timestamp::from_second(at).map(words::instant).unwrap_or_default();
    EventBin {
        x: percent(bin as f64 / BINS as f64),
        width: percent(1.0 / BINS as f64),
        label: format!("{time}: {}", words::counted(count.round() as u64, "event", words::THIN)),
    }
}

/// One mark for each slot and severity, drawn from mild to severe so that the worst lies on top.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..SLOTS")]
fn marks(positions: &[usize], overview: &Overview<'_>, scale: Scale, links: &Links<'_>) -> Vec<Mark> {
    let mut slots: std::collections::BTreeMap<(Severity, usize), Vec<usize>> = std::collections::BTreeMap::new();
    for &position in positions {
        let finding = overview.ranked[position].finding;
        let Some(first) = finding.first_seen.or(finding.last_seen) else { continue };
        let slot = (scale.place(first.as_second()) * SLOTS as f64) as usize;
        slots.entry((finding.severity, slot)).or_default().push(position);
    }
    let mark = |(severity, _): (Severity, usize), of: Vec<usize>| {
        let finding = overview.ranked[of[0]].finding;
        let first = finding.first_seen.or(finding.last_seen).map_or(0, Timestamp::as_second);
        let last = finding.last_seen.or(finding.first_seen).map_or(0, Timestamp::as_second);
        let more = if of.len() > 1 { format!(" and {} more", of.len() - 1) } else { String::new() };
        let when = words::span(finding.first_seen, finding.last_seen);
        Mark {
            x: percent(scale.place(first)),
            end: percent(scale.place(last)),
            look: SeverityLook::of(severity),
            label: format!(
                "{}: {}{more}, {when} UTC",
                SeverityLook::of(severity).title,
                visible::plain(&finding.title, 48)
            ),
            target: (links.finding)(of[0]),
        }
    };
    slots.into_iter().map(|(slot, of)| mark(slot, of)).collect()
}

fn lanes(overview: &Overview<'_>, scale: Scale, links: &Links<'_>) -> Vec<Lane> {
    let shown = overview.entities.iter().take(links.lanes);
    shown
        .map(|(entity, positions)| Lane {
            kind: kind_title(entity.kind),
            name: entity.value.clone(),
            href: (links.entity)(entity),
            count: positions.len(),
            marks: marks(positions, overview, scale, links),
        })
        .collect()
}

/// At most seven round times.
#[expect(clippy::cast_possible_truncation, reason = "seconds of a chart")]
fn ticks(scale: Scale) -> Vec<Tick> {
    const STEPS: [i64; 20] = [
        1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800, 1_209_600,
        2_592_000, 7_776_000, 31_536_000,
    ];
    let seconds = scale.seconds as i64;
    let step = STEPS.into_iter().find(|step| seconds / step <= 7).unwrap_or(seconds / 5 + 1);
    let format = if step >= 86_400 {
        "%Y-%m-%d"
    } else if seconds > 86_400 {
        "%b %-d %H:%M"
    } else {
        "%H:%M:%S"
    };
    let format = if step >= 60 && format == "%H:%M:%S" { "%H:%M" } else { format };
    let first = scale.start + (step - scale.start.rem_euclid(step)) % step;
    (0..8)
        .map(|number| first + number * step)
        .filter(|&second| second <= scale.start + seconds)
        .enumerate()
        .filter_map(|(number, second)| {
            let label = Timestamp::from_second(second).ok()?.strftime(format).to_string();
            let place = scale.place(second);
            let side = if place < 0.05 {
                "first"
            } else if place > 0.95 {
                "last"
            } else {
                ""
            };
            Some(Tick { x: percent(place), label, side, minor: number % 2 == 1 })
        })
        .collect()
}

/// How many events have which score, with the cut.
#[derive(Debug, Serialize)]
pub(in crate::report) struct ScoreChart {
    bars: Vec<ScoreBar>,
    threshold: String,
    threshold_label: String,
    /// On which side of the line its label has room.
    label_left: bool,
    above: String,
}

#[derive(Debug, Serialize)]
struct ScoreBar {
    x: String,
    y: String,
    width: String,
    height: String,
    above: bool,
    label: String,
}

/// The score chart, or nothing when the reports have no histogram. Heights are logarithmic: the tail is what matters.
#[expect(clippy::cast_precision_loss, reason = "counts of a chart")]
pub(in crate::report) fn score_chart(reports: &[FileReport], threshold: f64) -> Option<ScoreChart> {
    let bins = reports.iter().map(|report| report.score_histogram.len()).max().filter(|&bins| bins > 0)?.min(100);
    let mut counts = vec![0_u64; bins];
    for report in reports {
        for (sum, count) in counts.iter_mut().zip(&report.score_histogram) {
            *sum = sum.saturating_add(*count);
        }
    }
    let peak = counts.iter().copied().max().filter(|&peak| peak > 0)?;
    let width = 1.0 / bins as f64;
    let bar = |(bin, &count): (usize, &u64)| {
        let height = (count as f64).ln_1p() / (peak as f64).ln_1p();
        let (from, to) = (bin as f64 * width, (bin + 1) as f64 * width);
        ScoreBar {
            x: percent(from + width * 0.08),
            y: percent(1.0 - height),
            width: percent(width * 0.84),
            height: percent(height),
            above: from + width * 0.5 >= threshold,
            label: format!("score {from:.2} to {to:.2}: {}", words::counted(count, "event", words::THIN)),
        }
    };
    let bars: Vec<_> = counts.iter().enumerate().map(bar).collect();
    let above = counts.iter().zip(&bars).filter(|(_, bar)| bar.above).map(|(count, _)| count).sum();
    Some(ScoreChart {
        bars,
        threshold: percent(threshold.clamp(0.0, 1.0)),
        threshold_label: format!("threshold {threshold:.2}"),
        label_left: threshold > 0.6,
        above: words::counted(above, "event", words::THIN),
    })
}

/// 0..1 as an SVG length.
pub(in crate::report) fn percent(part: f64) -> String {
    format!("{:.2}%", part * 100.0)
}

/// A kind of entity, for people.
pub(in crate::report) const fn kind_title(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::User => "user",
        EntityKind::Ip => "address",
        EntityKind::Host => "host",
        EntityKind::Resource => "resource",
        EntityKind::Action => "action",
        EntityKind::Country => "country",
        EntityKind::Process => "process",
        EntityKind::UserAgent => "user agent",
        EntityKind::Source => "log",
    }
}

/// Seconds between the first and the last time of a finding.
pub(in crate::report) fn length(first: Option<Timestamp>, last: Option<Timestamp>) -> Option<String> {
    let (first, last) = (first?, last?);
    let length = last.duration_since(first);
    (length > SignedDuration::ZERO).then(|| words::duration(words::seconds_between(first, last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn merging_timelines_keeps_every_event() {
        let reports = fixture::reports();
        let overview = Overview::new(&reports);
        let reports: Vec<_> = reports.iter().collect();
        let scale = Scale::new(&reports, &overview).unwrap();
        let merged: f64 = merged(&reports, scale).iter().sum();
        let given: u64 = reports.iter().flat_map(|report| &report.timeline.events).sum();
        assert!((merged - given as f64).abs() < 1.0, "{merged} of {given}");
    }

    #[test]
    fn an_odd_timeline_breaks_nothing() {
        let mut reports = fixture::reports();
        reports[0].timeline.start = Some(Timestamp::MIN);
        reports[0].timeline.bin_secs = u64::MAX;
        reports[1].timeline.bin_secs = 0;
        reports[1].first_event = Some(Timestamp::MIN);
        reports[1].last_event = Some(Timestamp::MAX);
        let overview = Overview::new(&reports);
        let links = Links { finding: &|_| None, entity: &|_| None, lanes: 5 };
        let chart = time_chart(&reports.iter().collect::<Vec<_>>(), &overview, &links).unwrap();
        assert!(!serde_json::to_string(&chart).unwrap().contains("NaN"));
        assert!(time_chart(&[], &Overview::new(&[]), &links).is_none());
    }

    #[test]
    fn ticks_are_round_and_few() {
        for seconds in [1.0, 59.0, 3_600.0, 86_400.0, 9_000_000.0, 3e9] {
            let ticks = ticks(Scale { start: 1_763_078_411, seconds });
            assert!((1..=8).contains(&ticks.len()), "{seconds}: {ticks:?}");
        }
    }

    #[test]
    fn bars_above_the_threshold_are_told_apart() {
        let chart = score_chart(&fixture::reports(), 0.7).unwrap();
        assert_eq!(chart.bars.iter().filter(|bar| bar.above).count(), 15);
        assert!(score_chart(&[], 0.7).is_none());
    }
}
