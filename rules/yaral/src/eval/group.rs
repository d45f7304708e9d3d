//! Groups: rows by match variables and window, with the variables that may be absent joined to them; their outcome and condition.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    code::Code,
    input::EvalError,
    join::{ABSENT, Joiner, Rows},
    program::{Presence, Program, Source, WindowKind},
    scope::{Copy, Fault, Group, Run, Scope},
    value::{Key, Value},
    window::{Stretch, Times, distinct, place},
};

/// A group that satisfies the condition.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) stretch: Stretch,
    pub(super) keys: Vec<Value>,
    pub(super) outcomes: Vec<Value>,
    /// The records of each variable, sorted.
    pub(super) records: Vec<(u32, u32)>,
    key: Vec<Key>,
}

/// One way to build rows: from variables that must be there, with others joined where they are.
struct Pass {
    rows: Rows,
    anchors: Vec<usize>,
    outers: Vec<Outer>,
}

/// A variable that may be absent.
struct Outer {
    variable: usize,
    /// For each row of the pass the copies that fit.
    partners: Vec<Vec<u32>>,
    /// Whether a row with a partner was built from this variable already.
    taken: bool,
}

/// A row of a pass.
#[derive(Debug, Clone, Copy)]
struct At {
    pass: usize,
    row: usize,
}

pub(super) fn groups(run: &Run<'_>, copies: &[Vec<Copy>]) -> Result<Vec<Found>, EvalError> {
    let joiner = Joiner::new(run, copies);
    let passes = passes(&joiner)?;
    let grouping = Grouping { joiner: &joiner, passes: &passes };
    let mut found = Vec::new();
    let mut looked_at = 0_usize;
    for rows in grouping.partitions() {
        found.extend(grouping.partition(&rows, &mut looked_at)?);
    }
    found.sort_by(|one, other| (one.stretch, &one.key).cmp(&(other.stretch, &other.key)));
    Ok(found)
}

fn passes(joiner: &Joiner<'_>) -> Result<Vec<Pass>, EvalError> {
    let required = joiner.with_presence(Presence::Required);
    let alternatives = joiner.with_presence(Presence::Alternative);
    let absent = joiner.with_presence(Presence::Absent);
    let record = |at: &usize| matches!(joiner.run.program.variables[*at].source, Source::Records(_));
    if required.iter().any(record) {
        return Ok(vec![pass(joiner, required, &[alternatives, absent].concat(), &[])?]);
    }
    let mut passes = Vec::new();
    for (at, &first) in alternatives.iter().enumerate() {
        let anchors = [required.as_slice(), &[first]].concat();
        let others: Vec<_> = alternatives.iter().chain(&absent).copied().filter(|&other| other != first).collect();
        passes.push(pass(joiner, anchors, &others, &alternatives[..at])?);
    }
    Ok(passes)
}

fn pass(joiner: &Joiner<'_>, anchors: Vec<usize>, outers: &[usize], taken: &[usize]) -> Result<Pass, EvalError> {
    let rows = joiner.rows(&anchors)?;
    let outer = |&variable: &usize| {
        let partners = joiner.partners_of(&rows, &anchors, variable)?;
        Ok(Outer { variable, partners, taken: taken.contains(&variable) })
    };
    let outers = outers.iter().map(outer).collect::<Result<_, EvalError>>()?;
    Ok(Pass { rows, anchors, outers })
}

struct Grouping<'a> {
    joiner: &'a Joiner<'a>,
    passes: &'a [Pass],
}

impl Grouping<'_> {
    fn program(&self) -> &Program {
        self.joiner.run.program
    }

    /// The rows by what is known of their key before windows are looked at: match variables that the anchors bind, and,
    /// without a window, the records themselves.
    fn partitions(&self) -> Vec<Vec<At>> {
        let program = self.program();
        let bound = |pass: &Pass, placeholder: usize| {
            program.placeholders[placeholder].bound_by.iter().any(|variable| pass.anchors.contains(variable))
        };
        let early: Vec<_> =
            program.keys.iter().copied().filter(|&key| self.passes.iter().all(|pass| bound(pass, key))).collect();
        let mut partitions: Vec<Vec<At>> = Vec::new();
        let mut known: HashMap<(Vec<Key>, Vec<(usize, u32)>), usize> = HashMap::new();
        let mut copies = Vec::new();
        for (at, pass) in self.passes.iter().enumerate() {
            for (row, cells) in pass.rows.iter().enumerate() {
                pass.rows.copies(cells, self.joiner.copies, &mut copies);
                let scope = Scope::new(self.joiner.run, &copies);
                let key = early.iter().map(|&placeholder| scope.placeholder(placeholder).key()).collect();
                let records = if program.window.is_some() { Vec::new() } else { self.records_without_window(&copies) };
                let partition = *known.entry((key, records)).or_insert_with(|| {
                    partitions.push(Vec::new());
                    partitions.len() - 1
                });
                partitions[partition].push(At { pass: at, row });
            }
        }
        partitions
    }

    /// Without a window each event, or each tuple of events, is a group; entities and rows of tables only join them.
    fn records_without_window(&self, copies: &[Option<&Copy>]) -> Vec<(usize, u32)> {
        let timed = copies.iter().enumerate().filter(|(variable, _)| self.joiner.times[*variable].is_some());
        timed.filter_map(|(variable, copy)| copy.map(|copy| (variable, copy.record))).collect()
    }

    fn times(&self, at: At) -> Times {
        let cells = self.passes[at.pass].rows.get(at.row);
        let times = || (0..cells.len()).filter_map(|variable| self.joiner.time(variable, cells[variable]));
        let (first, last) = (times().min().unwrap_or(0), times().max().unwrap_or(0));
        let pivot = match self.program().window.map(|window| window.kind) {
            Some(WindowKind::After(pivot) | WindowKind::Before(pivot)) => self.joiner.time(pivot, cells[pivot]),
            _ => None,
        };
        Times { first, last, pivot: pivot.unwrap_or(first) }
    }

    fn partition(&self, rows: &[At], looked_at: &mut usize) -> Result<Vec<Found>, EvalError> {
        let run = self.joiner.run;
        let program = self.program();
        let timed: Vec<_> = rows.iter().map(|&at| (at, self.times(at))).collect();
        let hop = program.window.is_some_and(|window| window.kind == WindowKind::Hop);
        let mut found: BTreeMap<Vec<Key>, Vec<Found>> = BTreeMap::new();
        let mut last: HashMap<Vec<Key>, Rows> = HashMap::new();
        for (stretch, rows) in place(program.window, &timed) {
            for (key, rows) in self.by_key(self.extended(&rows, stretch)?) {
                *looked_at += 1;
                let most = run.settings.limits.groups;
                if *looked_at > most {
                    return Err(EvalError::TooLarge { limit: "groups", most: most as u64 });
                }
                // The same rows a step later say the same, unless the rule reads where the window lies.
                if hop && !program.reads_window && last.get(&key) == Some(&rows) {
                    continue;
                }
                if let Some(one) = self.evaluated(stretch, &key, &rows)? {
                    found.entry(key.clone()).or_default().push(one);
                }
                if hop {
                    last.insert(key, rows);
                }
            }
        }
        if !hop {
            return Ok(found.into_values().flatten().collect());
        }
        Ok(found.into_values().flat_map(collapsed).collect())
    }

    /// The rows of a window with the variables that may be absent, where they are in the window.
    fn extended(&self, rows: &[At], stretch: Stretch) -> Result<Rows, EvalError> {
        let mut all = Rows::new(self.joiner.copies.len());
        for &at in rows {
            let pass = &self.passes[at.pass];
            let cells = pass.rows.get(at.row);
            if pass.outers.is_empty() {
                all.push(cells);
                continue;
            }
            let mut extended = vec![cells.to_vec()];
            for outer in &pass.outers {
                let inside = |&&cell: &&u32| {
                    let time = self.joiner.time(outer.variable, cell);
                    self.program().window.is_none() || time.is_none_or(|time| stretch.holds(time))
                };
                let partners: Vec<u32> = outer.partners[at.row].iter().filter(inside).copied().collect();
                extended = self.with_outer(extended, outer, &partners)?;
            }
            extended.iter().for_each(|cells| all.push(cells));
            self.joiner.run.rows(all.len())?;
        }
        Ok(all)
    }

    fn with_outer(&self, rows: Vec<Vec<u32>>, outer: &Outer, partners: &[u32]) -> Result<Vec<Vec<u32>>, EvalError> {
        if partners.is_empty() {
            return Ok(rows);
        }
        let run = self.joiner.run;
        let mut extended = Vec::new();
        for cells in rows {
            run.work(partners.len() as u64)?;
            let before = extended.len();
            for &partner in partners {
                let mut more = cells.clone();
                more[outer.variable] = partner;
                let row: Vec<_> =
                    more.iter().zip(self.joiner.copies).map(|(&cell, copies)| copies.get(cell as usize)).collect();
                if self.joiner.fits(&row, outer.variable)? {
                    extended.push(more);
                }
            }
            if extended.len() == before {
                extended.push(cells);
            } else if outer.taken {
                extended.truncate(before);
            }
            run.rows(extended.len())?;
        }
        Ok(extended)
    }

    fn by_key(&self, rows: Rows) -> BTreeMap<Vec<Key>, Rows> {
        let program = self.program();
        let mut groups: BTreeMap<Vec<Key>, Rows> = BTreeMap::new();
        let mut copies = Vec::new();
        for cells in rows.iter() {
            rows.copies(cells, self.joiner.copies, &mut copies);
            let scope = Scope::new(self.joiner.run, &copies);
            let key = program.keys.iter().map(|&placeholder| scope.placeholder(placeholder).key()).collect();
            groups.entry(key).or_insert_with(|| Rows::new(self.joiner.copies.len())).push(cells);
        }
        groups
    }

    /// The outcome of a group, if its condition holds.
    fn evaluated(&self, stretch: Stretch, key: &[Key], rows: &Rows) -> Result<Option<Found>, EvalError> {
        let run = self.joiner.run;
        let program = self.program();
        let group = Group { rows, copies: self.joiner.copies, window: (stretch.start, stretch.end) };
        let mut first = Vec::new();
        rows.copies(rows.get(0), self.joiner.copies, &mut first);
        let condition_first = !program.condition.any(&|code| matches!(code, Code::Outcome(_)));
        if condition_first && !run.settled(Scope::of_group(run, &first, &group).truth(&program.condition))? {
            return Ok(None);
        }
        let mut outcomes: Vec<Value> = Vec::with_capacity(program.outcomes.len());
        for outcome in &program.outcomes {
            let scope = Scope::of_group(run, &first, &group).with_outcomes(&outcomes);
            let value = match scope.value(&outcome.code) {
                Ok(value) => value.into_owned(),
                Err(Fault::End(error)) => return Err(error),
                Err(Fault::Row(problem)) => {
                    run.note(format!("${}: {problem}", outcome.name));
                    Value::zero(outcome.kind)
                }
            };
            outcomes.push(value);
        }
        if !condition_first {
            let scope = Scope::of_group(run, &first, &group).with_outcomes(&outcomes);
            if !run.settled(scope.truth(&program.condition))? {
                return Ok(None);
            }
        }
        let scope = Scope::new(run, &first);
        let keys = program.keys.iter().map(|&placeholder| scope.placeholder(placeholder).into_owned()).collect();
        Ok(Some(Found { stretch, keys, outcomes, records: self.records(rows), key: key.to_vec() }))
    }

    fn records(&self, rows: &Rows) -> Vec<(u32, u32)> {
        let variables: Vec<_> = (0..self.joiner.copies.len())
            .filter(|&at| matches!(self.program().variables[at].source, Source::Records(_)))
            .collect();
        let mut records = HashSet::new();
        for cells in rows.iter() {
            for &variable in &variables {
                if cells[variable] != ABSENT
                    && let Some(record) = rows.record(cells, variable, self.joiner.copies)
                {
                    records.insert((u32::try_from(variable).unwrap_or(ABSENT), record));
                }
            }
        }
        let mut records: Vec<_> = records.into_iter().collect();
        records.sort_unstable();
        records
    }
}

/// Overlapping windows find the same over and over; what says nothing new goes.
fn collapsed(found: Vec<Found>) -> Vec<Found> {
    let results: Vec<_> = found.iter().map(|one| (one.stretch, one.records.clone())).collect();
    let kept = distinct(&results);
    found.into_iter().zip(kept).filter_map(|(one, kept)| kept.then_some(one)).collect()
}
