//! Windows of time: where they lie, what is in them, and which of them say the same.

use std::collections::BTreeMap;

use super::{
    event::{Nanos, SECOND},
    program::{Window, WindowKind},
};

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Stretch {
    pub(super) start: Nanos,
    pub(super) end: Nanos,
    /// Whether the end belongs to it.
    pub(super) closed: bool,
}

impl Stretch {
    pub(super) fn holds(self, time: Nanos) -> bool {
        self.start <= time && (time < self.end || (self.closed && time == self.end))
    }
}

/// The times of a row: its first, its last, and that of the pivot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) first: Nanos,
    pub(super) last: Nanos,
    pub(super) pivot: Nanos,
}

/// The windows in which rows lie as a whole, with the rows of each, in the order of time.
pub(super) fn place<T: Copy>(window: Option<Window>, rows: &[(T, Times)]) -> Vec<(Stretch, Vec<T>)> {
    let Some(window) = window else {
        let first = rows.iter().map(|(_, times)| times.first).min().unwrap_or(0);
        let last = rows.iter().map(|(_, times)| times.last).max().unwrap_or(0);
        let stretch = Stretch { start: first, end: last, closed: true };
        return vec![(stretch, rows.iter().map(|(row, _)| *row).collect())];
    };
    let length = Nanos::from(window.seconds) * SECOND;
    let mut placed: BTreeMap<Nanos, Vec<T>> = BTreeMap::new();
    for (row, times) in rows {
        match window.kind {
            WindowKind::Hop => {
                let step = step(length);
                let first = (times.last - length).div_euclid(step) + 1;
                for number in first..=times.first.div_euclid(step) {
                    placed.entry(number * step).or_default().push(*row);
                }
            }
            WindowKind::Tumbling => {
                let start = times.first.div_euclid(length) * length;
                if times.last < start + length {
                    placed.entry(start).or_default().push(*row);
                }
            }
            WindowKind::After(_) => placed.entry(times.pivot).or_default().push(*row),
            WindowKind::Before(_) => placed.entry(times.pivot - length).or_default().push(*row),
        }
    }
    let closed = matches!(window.kind, WindowKind::After(_) | WindowKind::Before(_));
    placed.into_iter().map(|(start, rows)| (Stretch { start, end: start + length, closed }, rows)).collect()
}

/// Hop windows begin a tenth of their length apart.
fn step(length: Nanos) -> Nanos {
    (length / 10).max(1)
}

/// Which results of overlapping windows stay: those whose records are not all in another one; of equal ones the earliest.
/// The results are of one key and in the order of time.
pub(super) fn distinct<R: Ord>(results: &[(Stretch, Vec<R>)]) -> Vec<bool> {
    let overlapping = |one: Stretch, other: Stretch| one.start < other.end && other.start < one.end;
    let covered = |at: usize| {
        let (stretch, records) = &results[at];
        let covers = |other: usize| {
            let (_, others) = &results[other];
            (others.len() > records.len() || (others.len() == records.len() && other < at)) && subset(records, others)
        };
        let before = (0..at).rev().take_while(|&other| overlapping(results[other].0, *stretch));
        let after = (at + 1..results.len()).take_while(|&other| overlapping(results[other].0, *stretch));
        before.chain(after).any(covers)
    };
    (0..results.len()).map(|at| !covered(at)).collect()
}

/// Whether all of a sorted list is in another.
fn subset<R: Ord>(part: &[R], whole: &[R]) -> bool {
    let mut rest = whole;
    part.iter().all(|one| {
        let at = rest.partition_point(|other| other < one);
        let found = rest.get(at) == Some(one);
        rest = rest.get(at + 1..).unwrap_or_default();
        found
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hop(seconds: u64) -> Option<Window> {
        Some(Window { seconds, kind: WindowKind::Hop })
    }

    fn at(minutes: Nanos) -> Times {
        let time = minutes * 60 * SECOND;
        Times { first: time, last: time, pivot: time }
    }

    #[test]
    fn hop_windows_step_by_a_tenth() {
        let placed = place(hop(1800), &[((), at(60)), ((), at(63)), ((), at(66))]);
        let minutes: Vec<_> = placed.iter().map(|(stretch, _)| stretch.start / 60 / SECOND).collect();
        for start in [60, 63, 66] {
            assert!(minutes.contains(&start), "{minutes:?}");
        }
        assert!(placed.iter().all(|(stretch, _)| stretch.end - stretch.start == 1800 * SECOND));
        assert_eq!(place(hop(1800), &[((), at(60))]).len(), 10);
    }

    #[test]
    fn tumbling_windows_are_half_open() {
        let window = Some(Window { seconds: 1800, kind: WindowKind::Tumbling });
        let last = Times { first: 5399 * SECOND, last: 5399 * SECOND, pivot: 0 };
        let placed = place(window, &[(1, at(60)), (2, last), (3, at(90))]);
        assert_eq!(placed.len(), 2);
        assert_eq!(placed[0].1, [1, 2]);
        assert_eq!(placed[1].1, [3]);
    }

    #[test]
    fn sliding_windows_hold_both_ends() {
        let window = Some(Window { seconds: 60, kind: WindowKind::Before(0) });
        let placed = place(window, &[((), at(10))]);
        assert!(placed[0].0.holds(9 * 60 * SECOND) && placed[0].0.holds(10 * 60 * SECOND));
        assert!(!placed[0].0.holds(9 * 60 * SECOND - 1));
    }

    #[test]
    fn results_that_say_no_more_than_another_go() {
        let stretch = |start| Stretch { start, end: start + 10, closed: false };
        let kept = distinct(&[
            (stretch(0), vec![1]),
            (stretch(1), vec![1, 2]),
            (stretch(2), vec![1, 2]),
            (stretch(3), vec![2, 3]),
            (stretch(20), vec![3]),
        ]);
        assert_eq!(kept, [false, true, false, true, true]);
    }

    proptest! {
        #[test]
        fn hop_windows_are_those_of_the_definition(
            times in proptest::collection::vec(0_i128..4000, 1..12),
            seconds in prop_oneof![Just(60_u64), Just(120), Just(600)],
        ) {
            let rows: Vec<_> = times.iter().enumerate().map(|(row, &time)| {
                let time = time * SECOND;
                (row, Times { first: time, last: time, pivot: time })
            }).collect();
            let (length, step) = (Nanos::from(seconds) * SECOND, Nanos::from(seconds) * SECOND / 10);
            let mut naive = Vec::new();
            for number in -20_i128..2000 {
                let start = number * step;
                let inside: Vec<_> =
                    rows.iter().filter(|(_, times)| start <= times.first && times.last < start + length).map(|(row, _)| *row).collect();
                if !inside.is_empty() {
                    naive.push((start, inside));
                }
            }
            let placed: Vec<_> = place(hop(seconds), &rows).into_iter().map(|(stretch, rows)| (stretch.start, rows)).collect();
            prop_assert_eq!(placed, naive);
        }
    }
}
