//! The geometry of the page's charts; the template draws them.
//!
//! Places are per cent of the chart's width, so that a chart fits any screen without its letters shrinking, and every
//! text goes through the template's escaping.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use watchbell_sink::{Entity, EntityKind, Severity};

use super::{
    look::SeverityLook,
    scale::{self, Drawn, Left, Scale, Window},
};
use crate::report::{FileReport, overview::Overview, visible, words};

/// Bins of the merged timeline: one is about 6 pixels on a wide screen.
const BINS: usize = 144;
/// Marks in a row of the timeline; findings closer than this are one mark.
const SLOTS: usize = 72;

/// The address of the list of these findings; in an entity's lane, of those about it.
type ToList<'a> = dyn Fn(&[usize], Option<&Entity>) -> Option<String> + 'a;

/// Where the chart's marks and names lead, and how much is drawn.
#[derive(Clone, Copy)]
pub(in crate::report) struct Links<'a> {
    /// The address of the finding with this rank, from 0.
    pub(in crate::report) finding: &'a dyn Fn(usize) -> Option<String>,
    /// The address of the list of these findings, which stand behind one mark, in an entity's lane or in that of all.
    pub(in crate::report) several: &'a ToList<'a>,
    /// The address of what there is about an entity.
    pub(in crate::report) entity: &'a dyn Fn(&Entity) -> Option<String>,
    /// The address of what is left out because it is far away.
    pub(in crate::report) beyond: &'a dyn Fn(Left) -> Option<String>,
    /// The part of the time that is asked for.
    pub(in crate::report) window: Window,
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
    /// What stands so far away that it is left out.
    outliers: Vec<Outliers>,
}

/// Events and findings far before or after all others: a clock that was wrong, mostly.
#[derive(Debug, Serialize)]
struct Outliers {
    count: String,
    side: &'static str,
    /// The drawn part's end on that side.
    edge: String,
    href: Option<String>,
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
    count: String,
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

/// The time chart, or nothing when no event of the window names a time.
pub(in crate::report) fn time_chart(
    reports: &[&FileReport],
    overview: &Overview<'_>,
    links: &Links<'_>,
) -> Option<TimeChart> {
    let drawn = Drawn::new(reports, overview, links.window)?;
    let scale = drawn.scale;
    let counts = drawn.counts(reports, BINS);
    let peak = counts.iter().copied().fold(0.0, f64::max);
    let lanes = lanes(overview, scale, links);
    let sides = [(drawn.before, "before"), (drawn.after, "after")];
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, below 2^53")]
    Some(TimeChart {
        area: area(&counts, peak),
        peak: words::grouped(peak.round() as u64, words::THIN),
        bin: words::duration((scale.seconds / BINS as f64).round().max(1.0) as u64),
        bins: counts.iter().enumerate().map(|(bin, &count)| event_bin(scale, bin, count)).collect(),
        marks: marks(&(0..overview.ranked.len()).collect::<Vec<_>>(), overview, scale, (links, None)),
        lanes_left: overview.entities.len().saturating_sub(lanes.len()),
        lanes,
        ticks: ticks(scale),
        span: format!("{} UTC", words::span(scale.first(), scale.last())),
        outliers: sides.iter().filter_map(|&(left, side)| Outliers::new(left?, side, links)).collect(),
    })
}

impl Outliers {
    fn new(left: Left, side: &'static str, links: &Links<'_>) -> Option<Self> {
        let (events, findings) = (left.events, left.findings);
        let count = match (events, findings) {
            (0, 0) => return None,
            (0, findings) => words::counted(findings, "finding", words::THIN),
            (events, 0) => words::counted(events, "event", words::THIN),
            (events, findings) => format!(
                "{} and {}",
                words::counted(events, "event", words::THIN),
                words::counted(findings, "finding", words::THIN)
            ),
        };
        Some(Self { count, side, edge: words::instant(left.edge), href: (links.beyond)(left) })
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

/// One mark for each slot and severity, drawn from mild to severe so that the worst lies on top. Findings outside of the
/// drawn part have none. `of` is the entity of the lane.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..SLOTS")]
fn marks(
    positions: &[usize],
    overview: &Overview<'_>,
    scale: Scale,
    (links, of): (&Links<'_>, Option<&Entity>),
) -> Vec<Mark> {
    let mut slots: std::collections::BTreeMap<(Severity, usize), Vec<usize>> = std::collections::BTreeMap::new();
    for &position in positions {
        let finding = overview.ranked[position].finding;
        let Some((first, _)) = scale::times(finding).filter(|&times| scale.shows(times)) else { continue };
        let slot = (scale.place(first) * SLOTS as f64) as usize;
        slots.entry((finding.severity, slot)).or_default().push(position);
    }
    let mark = |severity: Severity, behind: Vec<usize>| {
        let finding = overview.ranked[behind[0]].finding;
        let (first, last) = scale::times(finding).unwrap_or_default();
        let more = if behind.len() > 1 { format!(" and {} more", behind.len() - 1) } else { String::new() };
        let when = words::span(finding.first_seen, finding.last_seen);
        let several = if behind.len() > 1 { (links.several)(&behind, of) } else { None };
        Mark {
            x: percent(scale.place(first)),
            end: percent(scale.place(last)),
            look: SeverityLook::of(severity),
            label: format!(
                "{}: {}{more}, {when} UTC",
                SeverityLook::of(severity).title,
                visible::plain(&finding.title, 48)
            ),
            target: several.or_else(|| (links.finding)(behind[0])),
        }
    };
    slots.into_iter().map(|((severity, _), behind)| mark(severity, behind)).collect()
}

fn lanes(overview: &Overview<'_>, scale: Scale, links: &Links<'_>) -> Vec<Lane> {
    let shown = overview.entities.iter().take(links.lanes);
    shown
        .map(|(entity, positions)| Lane {
            kind: kind_title(entity.kind),
            name: entity.value.clone(),
            href: (links.entity)(entity),
            count: words::grouped(positions.len() as u64, words::THIN),
            marks: marks(positions, overview, scale, (links, Some(entity))),
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

    fn links<'a>() -> Links<'a> {
        Links {
            finding: &|_| None,
            several: &|_, _| None,
            entity: &|_| None,
            beyond: &|_| None,
            window: Window::default(),
            lanes: 5,
        }
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
        let chart = time_chart(&reports.iter().collect::<Vec<_>>(), &overview, &links()).unwrap();
        assert!(!serde_json::to_string(&chart).unwrap().contains("NaN"));
        assert!(time_chart(&[], &Overview::new(&[]), &links()).is_none());
    }

    #[test]
    fn one_wrong_clock_does_not_squeeze_the_rest() {
        let mut reports = fixture::reports();
        let usual = {
            let overview = Overview::new(&reports);
            time_chart(&reports.iter().collect::<Vec<_>>(), &overview, &links()).unwrap()
        };
        // As a log's counts are when it names one event of 2099: bins of years, all others in the first.
        let far: Timestamp = "2099-01-01T00:00:00Z".parse().unwrap();
        let timeline = &mut reports[0].timeline;
        let events: u64 = timeline.events.iter().sum();
        let width = 1 << 24;
        let bins = usize::try_from((far.as_second() - timeline.start.unwrap().as_second()) / width).unwrap() + 1;
        timeline.bin_secs = width.unsigned_abs();
        timeline.events = vec![0; bins];
        (timeline.events[0], timeline.events[bins - 1]) = (events - 1, 1);
        reports[0].last_event = Some(far);
        let mut odd = reports[0].findings[7].clone();
        (odd.id, odd.first_seen, odd.last_seen) = ("odd".to_owned(), Some(far), Some(far));
        reports[0].findings.push(odd);
        let overview = Overview::new(&reports);
        let all: Vec<_> = reports.iter().collect();
        let chart = time_chart(&all, &overview, &links()).unwrap();
        assert_eq!(chart.span, usual.span);
        assert_eq!(chart.marks.len(), usual.marks.len());
        let told: Vec<_> = chart.outliers.iter().map(|one| (one.count.replace('\u{202f}', " "), one.side)).collect();
        assert_eq!(told, [("1 event and 1 finding".to_owned(), "after")]);
        assert!(usual.outliers.is_empty());
        // Who asks for that time sees it, and nothing is left out that they did not leave out themselves.
        let window = Window { since: Some(far), until: None };
        let chart = time_chart(&all, &overview, &Links { window, ..links() }).unwrap();
        assert!(chart.span.starts_with("2099-01-01") && chart.outliers.is_empty(), "{chart:?}");
    }

    #[test]
    fn since_and_until_zoom() {
        let reports = fixture::reports();
        let overview = Overview::new(&reports);
        let all: Vec<_> = reports.iter().collect();
        let time = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let window = Window { since: time("2026-11-14T03:00:00Z"), until: time("2026-11-14T05:00:00Z") };
        let chart = time_chart(&all, &overview, &Links { window, ..links() }).unwrap();
        assert_eq!(chart.span, "2026-11-14 03:00:00 to 05:00:00 UTC");
        assert_eq!(chart.bin, "50 s");
        let whole = time_chart(&all, &overview, &links()).unwrap();
        assert!(chart.marks.len() < whole.marks.len());
        assert!(chart.outliers.is_empty(), "what a person left out is not told");
        let window = Window { since: time("2031-01-01T00:00:00Z"), until: None };
        assert!(time_chart(&all, &overview, &Links { window, ..links() }).is_none());
    }

    #[test]
    fn ticks_are_round_and_few() {
        for seconds in [1.0, 59.0, 3_600.0, 86_400.0, 9_000_000.0, 3e9] {
            let ticks = ticks(Scale::new(1_763_078_411, seconds));
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
