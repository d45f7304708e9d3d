//! Joins: rows of one copy of each variable, all predicates true, all times within one window.
//!
//! Variables are added one after the other. Wherever an equality connects the new one with those that are there, its copies
//! are found by hash, and by time within a bucket; a chain of `or` between equalities looks up each of them.

use std::collections::HashMap;

use super::{
    code::Code,
    event::{Nanos, SECOND},
    input::EvalError,
    program::{Join, Presence, Source, WindowKind},
    scope::{Copy, Run, Scope},
    value::Key,
};
use crate::{resolve::EventSource, syntax::tree::CompareOp};

/// A variable that has no copy in a row.
pub(super) const ABSENT: u32 = u32::MAX;

/// Rows: for each variable the number of its copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rows {
    width: usize,
    cells: Vec<u32>,
}

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        Self { width, cells: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.cells.chunks_exact(self.width.max(1))
    }

    pub(super) fn get(&self, at: usize) -> &[u32] {
        &self.cells[at * self.width..(at + 1) * self.width]
    }

    pub(super) fn push(&mut self, cells: &[u32]) {
        self.cells.extend_from_slice(cells);
    }

    /// The copies of a row.
    pub(super) fn copies<'c>(&self, cells: &[u32], copies: &'c [Vec<Copy>], found: &mut Vec<Option<&'c Copy>>) {
        found.clear();
        found.extend(cells.iter().zip(copies).map(|(&cell, copies)| copies.get(cell as usize)));
    }

    /// The record of a variable in a row.
    pub(super) fn record(&self, cells: &[u32], variable: usize, copies: &[Vec<Copy>]) -> Option<u32> {
        copies[variable].get(cells[variable] as usize).map(|copy| copy.record)
    }
}

/// The copies of all variables, with what joining needs to know of them.
pub(super) struct Joiner<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) copies: &'a [Vec<Copy>],
    /// The times of the copies of each variable that has some.
    pub(super) times: Vec<Option<Vec<Nanos>>>,
}

/// An equality between rows that are there and a variable that is added.
struct Equality<'a> {
    row: Side<'a>,
    added: Side<'a>,
    nocase: bool,
}

enum Side<'a> {
    Code(&'a Code),
    Placeholder(usize),
}

/// How the copies of an added variable are found: through all equalities at once, or through any of several.
struct Index {
    alternatives: Vec<HashMap<Vec<Key>, Vec<u32>>>,
}

impl<'a> Joiner<'a> {
    pub(super) fn new(run: &'a Run<'a>, copies: &'a [Vec<Copy>]) -> Self {
        let times = run.program.variables.iter().zip(copies).enumerate().map(|(at, (variable, copies))| {
            let timed = matches!(variable.source, Source::Records(EventSource::Udm | EventSource::Detection));
            timed.then(|| copies.iter().map(|copy| run.records[at][copy.record as usize].time()).collect())
        });
        Self { run, copies, times: times.collect() }
    }

    pub(super) fn time(&self, variable: usize, cell: u32) -> Option<Nanos> {
        self.times[variable].as_ref()?.get(cell as usize).copied()
    }

    /// The rows of the variables that must be there.
    pub(super) fn rows(&self, anchors: &[usize]) -> Result<Rows, EvalError> {
        let width = self.copies.len();
        let mut rows = Rows::new(width);
        rows.push(&vec![ABSENT; width]);
        let mut present: Vec<usize> = Vec::new();
        while let Some(next) = self.next(anchors, &present) {
            let mut joined = Rows::new(width);
            let index = self.index(&present, next);
            for cells in rows.iter() {
                for cell in self.partners(cells, next, index.as_ref())? {
                    let mut cells = cells.to_vec();
                    cells[next] = cell;
                    joined.push(&cells);
                }
                self.run.rows(joined.len())?;
            }
            present.push(next);
            rows = joined;
        }
        Ok(rows)
    }

    /// The copies that fit each row, for a variable that may be absent.
    pub(super) fn partners_of(&self, rows: &Rows, present: &[usize], added: usize) -> Result<Vec<Vec<u32>>, EvalError> {
        let index = self.index(present, added);
        let mut total = 0;
        let mut found = Vec::with_capacity(rows.len());
        for cells in rows.iter() {
            let partners = self.partners(cells, added, index.as_ref())?;
            total += partners.len();
            self.run.rows(total)?;
            found.push(partners);
        }
        Ok(found)
    }

    /// The variable that is added next: the pivot first, then one that an equality connects, then the smallest.
    fn next(&self, anchors: &[usize], present: &[usize]) -> Option<usize> {
        let pivot = match self.run.program.window.map(|window| window.kind) {
            Some(WindowKind::After(pivot) | WindowKind::Before(pivot)) => Some(pivot),
            _ => None,
        };
        let waiting = anchors.iter().copied().filter(|anchor| !present.contains(anchor));
        waiting.min_by_key(|&anchor| {
            let connected = !present.is_empty() && !self.equalities(present, anchor).is_empty();
            (Some(anchor) != pivot, !connected, self.copies[anchor].len())
        })
    }

    /// The equalities that connect a variable with those that are there for sure.
    fn equalities(&self, present: &[usize], added: usize) -> Vec<Equality<'a>> {
        let program = self.run.program;
        let mut found: Vec<_> =
            program.joins.iter().filter_map(|join| self.equality(&join.code, present, added)).collect();
        for (at, placeholder) in program.placeholders.iter().enumerate() {
            let shared = placeholder.bound_by.iter().any(|variable| present.contains(variable));
            if shared && placeholder.bound_by.contains(&added) {
                let equality = Equality { row: Side::Placeholder(at), added: Side::Placeholder(at), nocase: false };
                found.push(equality);
            }
        }
        found
    }

    fn equality(&self, code: &'a Code, present: &[usize], added: usize) -> Option<Equality<'a>> {
        let Code::Compare { left, op: CompareOp::Equal, right, nocase } = code else { return None };
        let of_row = |code: &Code| self.answered_by(code, |variable| present.contains(&variable));
        let of_added = |code: &Code| self.answered_by(code, |variable| variable == added);
        // A time equals a number by its seconds, which no key can say.
        let keyed = |code: &Code| !self.is_time(code);
        let sides = [(left, right), (right, left)];
        sides
            .into_iter()
            .find(|(row, new)| of_row(row) && of_added(new) && keyed(row) && keyed(new))
            .map(|(row, new)| Equality { row: Side::Code(row), added: Side::Code(new), nocase: *nocase })
    }

    fn is_time(&self, code: &Code) -> bool {
        let kind = match code {
            Code::Slot(slot) => self.run.program.variables[slot.variable].slots[slot.at].kind(),
            Code::Placeholder(at) => self.run.program.placeholders[*at].kind,
            _ => return false,
        };
        kind == crate::types::Type::Timestamp
    }

    /// Whether an expression reads something, and all of it of such variables.
    fn answered_by(&self, code: &Code, is: impl Fn(usize) -> bool) -> bool {
        let reads = code.reads();
        let bound =
            |&placeholder: &usize| self.run.program.placeholders[placeholder].bound_by.iter().any(|&one| is(one));
        (!reads.variables.is_empty() || !reads.placeholders.is_empty())
            && reads.variables.iter().all(|&variable| is(variable))
            && reads.placeholders.iter().all(bound)
    }

    fn index(&self, present: &[usize], added: usize) -> Option<(Vec<Vec<Equality<'a>>>, Index)> {
        let mut ways = Vec::new();
        let together = self.equalities(present, added);
        if together.is_empty() {
            let alternatives = |join: &'a Join| match &join.code {
                Code::Or(parts) => {
                    let ways: Option<Vec<_>> = parts
                        .iter()
                        .map(|part| self.equality(part, present, added).map(|equality| vec![equality]))
                        .collect();
                    ways
                }
                _ => None,
            };
            ways.extend(self.run.program.joins.iter().find_map(alternatives)?);
        } else {
            ways.push(together);
        }
        let mut index = Index { alternatives: Vec::new() };
        for way in &ways {
            let mut buckets: HashMap<Vec<Key>, Vec<u32>> = HashMap::new();
            let mut row = vec![None; self.copies.len()];
            for (cell, copy) in self.copies[added].iter().enumerate() {
                row[added] = Some(copy);
                let scope = Scope::new(self.run, &row);
                if let Some(key) = key_of(&scope, way.iter().map(|equality| (&equality.added, equality.nocase))) {
                    buckets.entry(key).or_default().push(u32::try_from(cell).unwrap_or(ABSENT));
                }
            }
            index.alternatives.push(buckets);
        }
        Some((ways, index))
    }

    /// The copies of a variable that fit a row.
    fn partners(
        &self,
        cells: &[u32],
        added: usize,
        index: Option<&(Vec<Vec<Equality<'a>>>, Index)>,
    ) -> Result<Vec<u32>, EvalError> {
        let mut row: Vec<Option<&Copy>> =
            cells.iter().zip(self.copies).map(|(&cell, copies)| copies.get(cell as usize)).collect();
        let span = self.span(cells, added);
        let mut candidates: Vec<u32> = Vec::new();
        match index {
            None => {
                let all: Vec<u32> = (0..u32::try_from(self.copies[added].len()).unwrap_or(ABSENT)).collect();
                candidates.extend_from_slice(self.within(added, &all, span));
            }
            Some((ways, index)) => {
                for (way, buckets) in ways.iter().zip(&index.alternatives) {
                    let scope = Scope::new(self.run, &row);
                    let key = key_of(&scope, way.iter().map(|equality| (&equality.row, equality.nocase)));
                    if let Some(bucket) = key.and_then(|key| buckets.get(&key)) {
                        candidates.extend_from_slice(self.within(added, bucket, span));
                    }
                }
                if ways.len() > 1 {
                    candidates.sort_unstable();
                    candidates.dedup();
                }
            }
        }
        self.run.work(candidates.len() as u64 + 1)?;
        let mut fitting = Vec::with_capacity(candidates.len().min(1024));
        for cell in candidates {
            row[added] = self.copies[added].get(cell as usize);
            if self.fits(&row, added)? {
                fitting.push(cell);
            }
        }
        Ok(fitting)
    }

    /// The part of a bucket within a span of time; buckets are in the order of time.
    fn within<'b>(&self, variable: usize, bucket: &'b [u32], span: Option<(Nanos, Nanos)>) -> &'b [u32] {
        let (Some((first, last)), Some(times)) = (span, &self.times[variable]) else { return bucket };
        let start = bucket.partition_point(|&cell| times[cell as usize] < first);
        let end = bucket.partition_point(|&cell| times[cell as usize] <= last);
        &bucket[start..end.max(start)]
    }

    /// The first and the last time at which an added event can lie in one window with a row.
    fn span(&self, cells: &[u32], added: usize) -> Option<(Nanos, Nanos)> {
        let window = self.run.program.window?;
        let length = Nanos::from(window.seconds) * SECOND;
        let times = || (0..cells.len()).filter_map(|variable| self.time(variable, cells[variable]));
        let (least, most) = (times().min()?, times().max()?);
        Some(match window.kind {
            WindowKind::Hop => (most - length + 1, least + length - 1),
            WindowKind::Tumbling => {
                let start = least.div_euclid(length) * length;
                (start, start + length - 1)
            }
            WindowKind::After(pivot) | WindowKind::Before(pivot) if pivot == added => (most - length, least + length),
            WindowKind::After(pivot) => {
                self.time(pivot, cells[pivot]).map_or((most - length, least + length), |time| (time, time + length))
            }
            WindowKind::Before(pivot) => {
                self.time(pivot, cells[pivot]).map_or((most - length, least + length), |time| (time - length, time))
            }
        })
    }

    /// Whether a row is one, as far as the added variable is concerned.
    pub(super) fn fits(&self, row: &[Option<&Copy>], added: usize) -> Result<bool, EvalError> {
        let program = self.run.program;
        let Some(copy) = row[added] else { return Ok(true) };
        let there = |variable: usize| row[variable].is_some();
        if !self.run.settings.record_reuse {
            let twin = |other: usize| {
                other != added
                    && program.variables[other].source == program.variables[added].source
                    && matches!(program.variables[other].source, Source::Records(_))
                    && row[other].is_some_and(|one| one.record == copy.record)
            };
            if (0..row.len()).any(twin) {
                return Ok(false);
            }
        }
        let scope = Scope::new(self.run, row);
        for binding in &program.variables[added].bindings {
            let mut others = program.placeholders[binding.placeholder].bound_by.iter().filter(|&&one| one != added);
            let differs = others.any(|&other| {
                let known = program.variables[other].bindings.iter().find(|one| one.placeholder == binding.placeholder);
                let value = row[other].zip(known).and_then(|(copy, known)| copy.values.get(known.slot));
                value.is_some_and(|value| value.key() != copy.values[binding.slot].key())
            });
            if differs {
                return Ok(false);
            }
        }
        for join in &program.joins {
            let bound = |&placeholder: &usize| program.placeholders[placeholder].bound_by.iter().any(|&one| there(one));
            let concerns = join.variables.contains(&added)
                || join.placeholders.iter().any(|&one| program.placeholders[one].bound_by.contains(&added));
            let complete = join.variables.iter().all(|&one| there(one)) && join.placeholders.iter().all(bound);
            if concerns && complete && !self.run.settled(scope.truth(&join.code))? {
                return Ok(false);
            }
        }
        Ok(self.intervals_hold(row, added))
    }

    /// An entity counts only while its interval holds the time of the events with which it is joined.
    fn intervals_hold(&self, row: &[Option<&Copy>], added: usize) -> bool {
        let entity = |at: usize| self.run.program.variables[at].source == Source::Records(EventSource::Entity);
        let time = |at: usize| {
            let copy = row[at]?;
            self.times[at].as_ref().map(|_| self.run.records[at][copy.record as usize].time())
        };
        let holds = |entity: usize, event: usize| match (row[entity], time(event)) {
            (Some(copy), Some(time)) if self.joined(entity, event) => {
                self.run.records[entity][copy.record as usize].holds(time)
            }
            _ => true,
        };
        let mut others = 0..row.len();
        if entity(added) {
            others.all(|event| holds(added, event))
        } else {
            others.all(|other| !entity(other) || holds(other, added))
        }
    }

    /// Whether a placeholder or a predicate names both variables.
    fn joined(&self, one: usize, other: usize) -> bool {
        let program = self.run.program;
        let shared =
            program.placeholders.iter().any(|known| known.bound_by.contains(&one) && known.bound_by.contains(&other));
        let reads = |join: &Join, variable: usize| {
            join.variables.contains(&variable)
                || join.placeholders.iter().any(|&at| program.placeholders[at].bound_by.contains(&variable))
        };
        shared || program.joins.iter().any(|join| reads(join, one) && reads(join, other))
    }

    /// The variables with this presence; tables are always there.
    pub(super) fn with_presence(&self, presence: Presence) -> Vec<usize> {
        let variables = self.run.program.variables.iter().enumerate();
        variables.filter(|(_, variable)| variable.presence == presence).map(|(at, _)| at).collect()
    }
}

fn key_of<'a>(scope: &Scope<'_>, sides: impl Iterator<Item = (&'a Side<'a>, bool)>) -> Option<Vec<Key>> {
    sides
        .map(|(side, nocase)| {
            let value = match side {
                Side::Code(code) => scope.value(code).ok()?,
                Side::Placeholder(at) => scope.placeholder(*at),
            };
            Some(if nocase { value.key_nocase() } else { value.key() })
        })
        .collect()
}
