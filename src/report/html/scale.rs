//! Which part of the time a chart draws, and where in it something stands.
//!
//! One event of 2099 must not squeeze a week into a column: what lies far from nearly everything else is left out and
//! counted, unless somebody asks for that time. A log with such an event has counts in bins of months, so the part of it
//! that is drawn begins and ends with the times that are known exactly: its first and last event and its findings.

use jiff::Timestamp;
use watchbell_sink::Finding;

use crate::report::{FileReport, overview::Overview};

/// Pauses up to this are no reason to leave anything out, in seconds.
const PAUSE: i64 = 7 * 86_400;
/// What is left out is further away than so many times the length of the rest.
const FAR: i64 = 3;
/// One part in so many may be left out on a side; more is no outlier.
const FEW: u64 = 20;

/// The part of the time that is asked for; an open side ends with the events.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::report) struct Window {
    /// From here on.
    pub(in crate::report) since: Option<Timestamp>,
    /// Up to here.
    pub(in crate::report) until: Option<Timestamp>,
}

impl Window {
    fn clip(self, (first, last): (i64, i64)) -> Option<(i64, i64)> {
        let first = first.max(self.since.map_or(i64::MIN, Timestamp::as_second));
        let last = last.min(self.until.map_or(i64::MAX, Timestamp::as_second));
        (first <= last).then_some((first, last))
    }
}

/// Where a time stands between the first and the last one.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Scale {
    /// The first second.
    pub(super) start: i64,
    /// How many there are, at least one.
    pub(super) seconds: f64,
}

impl Scale {
    /// A scale of so many seconds.
    pub(super) fn new(start: i64, seconds: f64) -> Self {
        Self { start, seconds: seconds.max(1.0) }
    }

    /// 0..1, clamped.
    pub(super) fn place(self, second: i64) -> f64 {
        self.free(second).clamp(0.0, 1.0)
    }

    /// Where it stands, outside too.
    #[expect(clippy::cast_precision_loss, reason = "seconds of a chart")]
    fn free(self, second: i64) -> f64 {
        second.saturating_sub(self.start) as f64 / self.seconds
    }

    /// Whether some of the time from the first to the last is drawn.
    pub(super) fn shows(self, (first, last): (i64, i64)) -> bool {
        self.free(last) >= 0.0 && self.free(first) <= 1.0
    }

    pub(super) fn first(self) -> Option<Timestamp> {
        Timestamp::from_second(self.start).ok()
    }

    #[expect(clippy::cast_possible_truncation, reason = "seconds of a chart")]
    pub(super) fn last(self) -> Option<Timestamp> {
        Timestamp::from_second(self.start.saturating_add(self.seconds as i64)).ok()
    }
}

/// What is not drawn on one side because it is far away.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Left {
    /// Where the drawn part ends on that side.
    pub(in crate::report) edge: Timestamp,
    /// Whether it is the side of what comes later.
    pub(in crate::report) is_after: bool,
    /// How many events.
    pub(in crate::report) events: u64,
    /// How many findings.
    pub(in crate::report) findings: u64,
}

/// The part that is drawn.
#[derive(Debug)]
pub(super) struct Drawn {
    pub(super) scale: Scale,
    pub(super) before: Option<Left>,
    pub(super) after: Option<Left>,
    /// For each report its runs, whole or narrowed.
    runs: Vec<Vec<Run>>,
}

/// Events of one log without a long pause: bins and the time from the first to the last of them.
#[derive(Debug, Clone, Copy)]
struct Run {
    first: i64,
    last: i64,
    bins: (usize, usize),
    events: u64,
}

/// When a finding was first and last seen.
pub(super) fn times(finding: &Finding) -> Option<(i64, i64)> {
    let first = finding.first_seen.or(finding.last_seen)?.as_second();
    let last = finding.last_seen.or(finding.first_seen)?.as_second();
    Some((first.min(last), last.max(first)))
}

impl Drawn {
    /// The part of these reports' time to draw, or nothing when nothing in the window has a time.
    pub(super) fn new(reports: &[&FileReport], overview: &Overview<'_>, window: Window) -> Option<Self> {
        let mut runs: Vec<Vec<Run>> = reports.iter().map(|report| runs(report)).collect();
        let findings: Vec<(i64, i64)> = overview.ranked.iter().filter_map(|item| times(item.finding)).collect();
        let core = core(pieces(reports, &runs, &findings, window))?;
        for (runs, report) in runs.iter_mut().zip(reports) {
            if runs.iter().any(|run| !meets(*run, core)) {
                runs.iter_mut().filter(|run| meets(**run, core)).for_each(|run| run.narrow(report));
            }
        }
        let core = self::core(pieces(reports, &runs, &findings, window))?;
        let (start, end) =
            (window.since.map_or(core.0, Timestamp::as_second), window.until.map_or(core.1, Timestamp::as_second));
        #[expect(clippy::cast_precision_loss, reason = "seconds of a chart")]
        let scale = Scale::new(start, end.saturating_sub(start) as f64);
        let left = |edge: i64, is_after: bool| {
            let is_beyond = |(first, last): (i64, i64)| if is_after { first > edge } else { last < edge };
            let beyond = runs.iter().flatten().filter(|run| is_beyond((run.first, run.last)));
            Some(Left {
                edge: Timestamp::from_second(edge).ok()?,
                is_after,
                events: beyond.map(|run| run.events).fold(0, u64::saturating_add),
                findings: findings.iter().filter(|&&times| is_beyond(times)).count() as u64,
            })
        };
        // What a person left out themselves needs no telling.
        let before = if window.since.is_none() { left(start, false) } else { None };
        let after = if window.until.is_none() { left(end, true) } else { None };
        Some(Self { scale, before, after, runs })
    }

    /// The events in so many equal bins: each of a file's bins is spread evenly over the time it stands for.
    #[expect(clippy::cast_precision_loss, reason = "counts of a chart")]
    pub(super) fn counts(&self, reports: &[&FileReport], bins: usize) -> Vec<f64> {
        let mut counts = vec![0.0; bins];
        for (report, runs) in reports.iter().zip(&self.runs) {
            for run in runs {
                for bin in run.bins.0..=run.bins.1 {
                    let Some((first, last)) = span(report, bin) else { continue };
                    let (first, last) = (first.clamp(run.first, run.last), last.clamp(run.first, run.last));
                    let place = |second| self.scale.free(second) * bins as f64;
                    spread(&mut counts, (place(first), place(last)), report.timeline.events[bin] as f64);
                }
            }
        }
        counts
    }
}

/// The last of the times that would be drawn of everything.
pub(in crate::report) fn newest(reports: &[&FileReport], overview: &Overview<'_>) -> Option<Timestamp> {
    Drawn::new(reports, overview, Window::default())?.scale.last()
}

fn meets(run: Run, (start, end): (i64, i64)) -> bool {
    run.last >= start && run.first <= end
}

impl Run {
    /// Takes the ends from what is known exactly, for the bins of a log with a wrong clock are months long.
    fn narrow(&mut self, report: &FileReport) {
        let ends = [report.first_event, report.last_event].into_iter().flatten().map(Timestamp::as_second);
        let seen = report.findings.iter().filter_map(times).flat_map(|(first, last)| [first, last]);
        let inside = |second: &i64| (self.first..=self.last).contains(second);
        let known: Vec<i64> = ends.chain(seen).filter(inside).collect();
        let (first, last) = (known.iter().min().copied(), known.iter().max().copied());
        if let Some((first, last)) = first.zip(last).filter(|(first, last)| first < last) {
            (self.first, self.last) = (first, last);
        }
    }
}

/// From when to when a bin of the report goes; never beyond what is a time, whatever a forged report says.
fn span(report: &FileReport, bin: usize) -> Option<(i64, i64)> {
    let start = report.timeline.start?.as_second();
    let width = i64::try_from(report.timeline.bin_secs.max(1)).unwrap_or(i64::MAX);
    let first = start.saturating_add(width.saturating_mul(i64::try_from(bin).unwrap_or(i64::MAX)));
    let time = |second: i64| second.clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Some((time(first), time(first.saturating_add(width))))
}

fn runs(report: &FileReport) -> Vec<Run> {
    let ends = (report.first_event.map(Timestamp::as_second), report.last_event.map(Timestamp::as_second));
    let mut runs: Vec<Run> = Vec::new();
    for (bin, &events) in report.timeline.events.iter().enumerate().filter(|&(_, &events)| events > 0) {
        let Some((first, last)) = span(report, bin) else { break };
        // No event is before the first one or after the last one, wherever its bin begins and ends.
        let (first, last) = (first.max(ends.0.unwrap_or(first)).min(last), last.min(ends.1.unwrap_or(last)).max(first));
        match runs.last_mut() {
            Some(run) if first.saturating_sub(run.last) <= PAUSE => {
                (run.last, run.bins.1) = (last, bin);
                run.events = run.events.saturating_add(events);
            }
            _ => runs.push(Run { first, last, bins: (bin, bin), events }),
        }
    }
    runs
}

/// Spans of time with what they weigh, in their order and within the window.
fn pieces(
    reports: &[&FileReport],
    runs: &[Vec<Run>],
    findings: &[(i64, i64)],
    window: Window,
) -> Vec<((i64, i64), u64)> {
    let counted = runs.iter().flatten().map(|run| ((run.first, run.last), run.events));
    // A report of which only the ends are known.
    let bare = reports.iter().zip(runs).filter(|(_, runs)| runs.is_empty()).filter_map(|(report, _)| {
        let (first, last) = (report.first_event?.as_second(), report.last_event?.as_second());
        Some(((first.min(last), last.max(first)), 1))
    });
    let all = counted.chain(bare).chain(findings.iter().map(|&times| (times, 1)));
    let mut pieces: Vec<_> = all.filter_map(|(piece, weight)| Some((window.clip(piece)?, weight))).collect();
    pieces.sort_unstable();
    pieces
}

/// From the first to the last of the pieces, without those few that lie far away from all others.
fn core(pieces: Vec<((i64, i64), u64)>) -> Option<(i64, i64)> {
    let mut groups: Vec<((i64, i64), u64)> = Vec::new();
    for ((first, last), weight) in pieces {
        match groups.last_mut() {
            Some(((_, end), sum)) if first.saturating_sub(*end) <= PAUSE => {
                *end = last.max(*end);
                *sum = sum.saturating_add(weight);
            }
            _ => groups.push(((first, last), weight)),
        }
    }
    let heaviest = (0..groups.len()).max_by_key(|&at| groups[at].1)?;
    let weight = |part: &[((i64, i64), u64)]| part.iter().map(|group| group.1).fold(0, u64::saturating_add);
    let all = weight(&groups);
    let (mut from, mut to) = (heaviest, heaviest);
    loop {
        let (start, end) = (groups[from].0.0, groups[to].0.1);
        let reach = end.saturating_sub(start).saturating_mul(FAR).max(PAUSE);
        let is_in = |gap: i64, beyond: &[((i64, i64), u64)]| gap <= reach || weight(beyond) > all / FEW;
        if from > 0 && is_in(start.saturating_sub(groups[from - 1].0.1), &groups[..from]) {
            from -= 1;
        } else if to + 1 < groups.len() && is_in(groups[to + 1].0.0.saturating_sub(end), &groups[to + 1..]) {
            to += 1;
        } else {
            return Some((start, end));
        }
    }
}

/// Adds events to the bins that their time covers; what lies outside of the bins is not theirs.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..bins")]
fn spread(counts: &mut [f64], (left, right): (f64, f64), events: f64) {
    let bins = counts.len() as f64;
    if right < 0.0 || left > bins {
        return;
    }
    let last = counts.len() - 1;
    if right - left < 1e-9 {
        counts[(left.max(0.0) as usize).min(last)] += events;
        return;
    }
    let first = (left.max(0.0) as usize).min(last);
    let end = (right.min(bins).ceil() as usize).clamp(first + 1, last + 1);
    for (count, bin) in counts[first..end].iter_mut().zip(first..) {
        let overlap = right.min(bin as f64 + 1.0) - left.max(bin as f64);
        *count += events * overlap.max(0.0) / (right - left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    const DAY: i64 = 86_400;

    #[test]
    fn merging_timelines_keeps_every_event() {
        let reports = fixture::reports();
        let overview = Overview::new(&reports);
        let reports: Vec<_> = reports.iter().collect();
        let drawn = Drawn::new(&reports, &overview, Window::default()).unwrap();
        let merged: f64 = drawn.counts(&reports, 144).iter().sum();
        let given: u64 = reports.iter().flat_map(|report| &report.timeline.events).sum();
        assert!((merged - given as f64).abs() < 1.0, "{merged} of {given}");
    }

    #[test]
    fn a_few_far_away_are_left_out_on_both_sides() {
        let usual = ((0, 7 * DAY), 1_000);
        assert_eq!(
            core(vec![((-20_000 * DAY, -20_000 * DAY), 1), usual, ((30_000 * DAY, 30_000 * DAY), 2)]),
            Some(usual.0)
        );
    }

    #[test]
    fn what_is_many_or_near_stays() {
        let many = vec![((0, 7 * DAY), 1_000), ((900 * DAY, 907 * DAY), 900)];
        assert_eq!(core(many), Some((0, 907 * DAY)));
        let near = vec![((0, 7 * DAY), 1_000), ((20 * DAY, 20 * DAY), 1)];
        assert_eq!(core(near), Some((0, 20 * DAY)));
        assert_eq!(core(Vec::new()), None);
    }

    #[test]
    fn events_outside_of_the_bins_are_not_pressed_into_the_last_one() {
        let mut counts = vec![0.0; 4];
        spread(&mut counts, (-2.0, 2.0), 8.0);
        spread(&mut counts, (3.0, 7.0), 4.0);
        spread(&mut counts, (9.0, 9.0), 5.0);
        assert_eq!(counts, [2.0, 2.0, 0.0, 1.0]);
    }
}
