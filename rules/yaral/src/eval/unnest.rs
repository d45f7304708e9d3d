//! Copies of records: one for each choice of an item of each of their lists, as far as the rule reads them item by item.
//!
//! Two paths through one list share the chosen item; lists that have nothing to do with each other multiply. A list without
//! items gives one copy with the zero value, so that the rest of the record can still match.

use super::{
    code::{Code, Slot},
    event::{Node, first},
    input::EvalError,
    program::{Binding, Program, SlotKind, Variable},
    scope::{Copy, Run, Scope},
    value::Value,
};
use crate::{
    lists::DataTable,
    resolve::{Pick, Step},
};

/// How the slots of a variable are filled.
#[derive(Debug, Default)]
struct Level {
    slots: Vec<Read>,
    lists: Vec<List>,
}

/// A slot and the way to its value.
#[derive(Debug)]
struct Read {
    slot: usize,
    steps: Vec<Step>,
    zero: Value,
}

/// A list whose items are chosen one by one.
#[derive(Debug)]
struct List {
    /// The way to it; the last step is the list's own.
    steps: Vec<Step>,
    item: Level,
}

impl Level {
    fn of(variable: &Variable) -> Self {
        let mut root = Self::default();
        for (slot, kind) in variable.slots.iter().enumerate() {
            if let SlotKind::Path(path) = kind {
                root.add(&path.steps, Read { slot, steps: Vec::new(), zero: Value::zero(path.kind) });
            }
        }
        root
    }

    fn add(&mut self, steps: &[Step], mut read: Read) {
        let after_key = steps.iter().rposition(|step| matches!(step.pick, Pick::Key(_))).map_or(0, |at| at + 1);
        let list = steps[after_key..].iter().position(|step| step.pick == Pick::Each).map(|at| after_key + at);
        let Some(list) = list else {
            read.steps = steps.to_vec();
            self.slots.push(read);
            return;
        };
        let (own, rest) = steps.split_at(list + 1);
        let known = self.lists.iter().position(|known| known.steps == own);
        let at = known.unwrap_or_else(|| {
            self.lists.push(List { steps: own.to_vec(), item: Self::default() });
            self.lists.len() - 1
        });
        self.lists[at].item.add(rest, read);
    }

    /// How many copies there are; saturates.
    fn count(&self, node: &Node) -> usize {
        self.lists.iter().fold(1_usize, |product, list| {
            let items = node.items(&list.steps).iter();
            let sum = items.fold(0_usize, |sum, item| sum.saturating_add(list.item.count(item)));
            product.saturating_mul(sum.max(1))
        })
    }

    fn fill(&self, node: &Node, values: &mut [Value]) {
        for read in &self.slots {
            values[read.slot] = first(node, &read.steps).unwrap_or_else(|| read.zero.clone());
        }
    }

    fn fill_zero(&self, values: &mut [Value]) {
        self.slots.iter().for_each(|read| values[read.slot] = read.zero.clone());
        self.lists.iter().for_each(|list| list.item.fill_zero(values));
    }

    /// All choices below a node, each written over the values that it begins with.
    fn choices(&self, node: &Node, mut values: Vec<Value>) -> Vec<Vec<Value>> {
        self.fill(node, &mut values);
        let mut rows = vec![values];
        for list in &self.lists {
            let items = node.items(&list.steps);
            rows = if items.is_empty() {
                rows.iter_mut().for_each(|row| list.item.fill_zero(row));
                rows
            } else {
                let every = |row: Vec<Value>| items.iter().flat_map(move |item| list.item.choices(item, row.clone()));
                rows.into_iter().flat_map(every).collect()
            };
        }
        rows
    }
}

/// The copies of a variable's records that satisfy what the rule says of this variable alone, in the order of time.
pub(super) fn copies(run: &Run<'_>, at: usize) -> Result<Vec<Copy>, EvalError> {
    let variable = &run.program.variables[at];
    let mut keeper = Keeper::new(run, at);
    if let Some(table) = run.tables[at] {
        for row in 0..table.rows.len() {
            for choice in cells(run, table, row, &variable.slots)? {
                keeper.keep(row, choice)?;
            }
        }
        return Ok(keeper.kept);
    }
    let level = Level::of(variable);
    let early = early_filters(variable, &level);
    let mut order: Vec<_> = (0..run.records[at].len()).collect();
    order.sort_by_key(|&record| run.records[at][record].time());
    for record in order {
        let root = run.records[at][record].root();
        let mut values: Vec<Value> = variable.slots.iter().map(|slot| Value::zero(slot.kind())).collect();
        if level.lists.is_empty() {
            level.fill(root, &mut values);
            keeper.keep(record, values)?;
            continue;
        }
        if !early.is_empty() {
            // Most records fail at a plain field; their lists need no look.
            level.fill(root, &mut values);
            let copy = Copy { record: u32::try_from(record).unwrap_or(u32::MAX), values };
            if !keeper.pass(&copy, early.iter().copied())? {
                continue;
            }
            values = copy.values;
        }
        run.rows(level.count(root).saturating_add(keeper.kept.len()))?;
        for choice in level.choices(root, values) {
            keeper.keep(record, choice)?;
        }
    }
    Ok(keeper.kept)
}

/// The values of a row of a table. A cell of a repeated column is a list like those of events.
fn cells(run: &Run<'_>, table: &DataTable, row: usize, slots: &[SlotKind]) -> Result<Vec<Vec<Value>>, EvalError> {
    let mut choices = vec![vec![Value::from(""); slots.len()]];
    for (slot, kind) in slots.iter().enumerate() {
        let SlotKind::Column(name) = kind else { continue };
        let Some(column) = table.column(name) else { continue };
        let cells: Vec<Value> = if table.columns[column].repeated {
            table.entries(row, column).map(Value::from).collect()
        } else {
            vec![table.value(row, column)]
        };
        run.rows(choices.len().saturating_mul(cells.len()))?;
        let with = |choice: &Vec<Value>, cell: &Value| {
            let mut choice = choice.clone();
            choice[slot] = cell.clone();
            choice
        };
        choices = choices.iter().flat_map(|choice| cells.iter().map(move |cell| with(choice, cell))).collect();
    }
    Ok(choices)
}

/// The filters that need no item of a list.
fn early_filters<'a>(variable: &'a Variable, level: &Level) -> Vec<&'a Code> {
    let in_list = |code: &Code| match code {
        Code::Slot(Slot { at, .. }) => !level.slots.iter().any(|read| read.slot == *at),
        Code::Placeholder(_) => true,
        _ => false,
    };
    if level.lists.is_empty() {
        return Vec::new();
    }
    variable.filters.iter().filter(|filter| !filter.any(&in_list)).collect()
}

/// Keeps the copies that pass.
struct Keeper<'a> {
    run: &'a Run<'a>,
    at: usize,
    kept: Vec<Copy>,
}

impl<'a> Keeper<'a> {
    fn new(run: &'a Run<'a>, at: usize) -> Self {
        Self { run, at, kept: Vec::new() }
    }

    fn keep(&mut self, record: usize, values: Vec<Value>) -> Result<(), EvalError> {
        let program: &Program = self.run.program;
        let variable = &program.variables[self.at];
        let mut copies = vec![Copy { record: u32::try_from(record).unwrap_or(u32::MAX), values }];
        for binding in &variable.bindings {
            let mut bound = Vec::with_capacity(copies.len());
            for copy in copies {
                self.bind(copy, binding, &mut bound)?;
                self.run.rows(self.kept.len().saturating_add(bound.len()))?;
            }
            copies = bound;
        }
        for copy in copies {
            if self.pass(&copy, variable.filters.iter())? {
                self.kept.push(copy);
            }
        }
        self.run.rows(self.kept.len())
    }

    /// A copy with the value of a placeholder: of several alternatives one copy for each value that they give.
    fn bind(&self, mut copy: Copy, binding: &Binding, bound: &mut Vec<Copy>) -> Result<(), EvalError> {
        let before = bound.len();
        for (at, code) in binding.alternatives.iter().enumerate() {
            let value = self.with(&copy, |scope| scope.value(code).map(std::borrow::Cow::into_owned));
            let value = match value {
                Ok(value) => value,
                Err(fault) => {
                    self.run.settled(Err(fault))?;
                    continue;
                }
            };
            let known = |one: &Copy| one.values[binding.slot].key() == value.key();
            if (binding.never_zero && value.is_zero()) || bound[before..].iter().any(known) {
                continue;
            }
            if at + 1 == binding.alternatives.len() {
                copy.values[binding.slot] = value;
                bound.push(copy);
                return Ok(());
            }
            let mut one = copy.clone();
            one.values[binding.slot] = value;
            bound.push(one);
        }
        Ok(())
    }

    fn pass<'f>(&self, copy: &Copy, mut filters: impl Iterator<Item = &'f Code>) -> Result<bool, EvalError> {
        self.with(copy, |scope| {
            filters.try_fold(true, |passes, filter| Ok(passes && self.run.settled(scope.truth(filter))?))
        })
    }

    fn with<T>(&self, copy: &Copy, evaluate: impl FnOnce(&Scope<'_>) -> T) -> T {
        let mut row = vec![None; self.run.program.variables.len()];
        row[self.at] = Some(copy);
        evaluate(&Scope::new(self.run, &row))
    }
}
