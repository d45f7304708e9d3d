//! Evaluates compiled expressions: over one copy, over a joined row, over a group.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use regex::Regex;

use super::{
    calls,
    code::{Code, Whole},
    compare::holds,
    event::{Event, Nanos, SECOND, each},
    input::{EvalError, Settings},
    join::Rows,
    lists::Prepared,
    program::{Presence, Program},
    value::{Value, fold},
};
use crate::{
    functions::Environment,
    lists::DataTable,
    syntax::tree::{ArithmeticOp, Quantifier},
};

/// What stays the same for a whole run.
pub(super) struct Run<'a> {
    pub(super) program: &'a Program,
    pub(super) settings: &'a Settings,
    /// The records of each variable.
    pub(super) records: Vec<Cow<'a, [Event]>>,
    /// The table of each variable that is one.
    pub(super) tables: Vec<Option<&'a DataTable>>,
    pub(super) lookups: Vec<Prepared>,
    pub(super) steps: Cell<u64>,
    pub(super) notes: RefCell<BTreeMap<String, u64>>,
    pub(super) environment: Environment,
}

/// A copy of a record: for each choice of its lists' items one.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) record: u32,
    pub(super) values: Vec<Value>,
}

/// What is wrong with a row, or with the whole run.
#[derive(Debug)]
pub(super) enum Fault {
    /// The row can't be evaluated and does not match.
    Row(String),
    /// The run ends.
    End(EvalError),
}

impl From<EvalError> for Fault {
    fn from(error: EvalError) -> Self {
        Self::End(error)
    }
}

fn row<T>(problem: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Row(problem.into()))
}

impl Run<'_> {
    /// Counts work, and ends the run when it was too much.
    pub(super) fn work(&self, steps: u64) -> Result<(), EvalError> {
        let most = self.settings.limits.steps;
        self.steps.set(self.steps.get().saturating_add(steps));
        if self.steps.get() > most { Err(EvalError::TooLarge { limit: "steps", most }) } else { Ok(()) }
    }

    /// Whether so many rows are too many.
    pub(super) fn rows(&self, rows: usize) -> Result<(), EvalError> {
        let most = self.settings.limits.rows;
        if rows > most { Err(EvalError::TooLarge { limit: "rows", most: most as u64 }) } else { Ok(()) }
    }

    /// Keeps a note of a row that could not be evaluated.
    pub(super) fn note(&self, problem: String) {
        const KINDS: usize = 100;
        let mut notes = self.notes.borrow_mut();
        if notes.len() < KINDS || notes.contains_key(&problem) {
            *notes.entry(problem).or_default() += 1;
        }
    }

    /// A truth, a faulty row being false and noted.
    pub(super) fn settled(&self, truth: Result<bool, Fault>) -> Result<bool, EvalError> {
        match truth {
            Ok(truth) => Ok(truth),
            Err(Fault::Row(problem)) => {
                self.note(problem);
                Ok(false)
            }
            Err(Fault::End(error)) => Err(error),
        }
    }

    fn pattern(&self, source: &str, nocase: bool) -> Result<Regex, Fault> {
        let found = self.environment.patterns.borrow_mut().get(&Arc::from(source), nocase);
        found.map_err(|error| Fault::Row(error.to_string()))
    }
}

/// A group as its outcome and condition see it.
pub(super) struct Group<'a> {
    pub(super) rows: &'a Rows,
    pub(super) copies: &'a [Vec<Copy>],
    pub(super) window: (Nanos, Nanos),
}

/// Where an expression is evaluated.
pub(super) struct Scope<'a> {
    pub(super) run: &'a Run<'a>,
    /// The copy of each variable.
    pub(super) row: &'a [Option<&'a Copy>],
    pub(super) group: Option<&'a Group<'a>>,
    pub(super) outcomes: &'a [Value],
    registers: RefCell<Vec<Value>>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(run: &'a Run<'a>, row: &'a [Option<&'a Copy>]) -> Self {
        Self { run, row, group: None, outcomes: &[], registers: RefCell::default() }
    }

    pub(super) fn of_group(run: &'a Run<'a>, row: &'a [Option<&'a Copy>], group: &'a Group<'a>) -> Self {
        Self { group: Some(group), ..Self::new(run, row) }
    }

    pub(super) fn with_outcomes(self, outcomes: &'a [Value]) -> Self {
        Self { outcomes, ..self }
    }

    /// Whether an expression holds.
    pub(super) fn truth(&self, code: &Code) -> Result<bool, Fault> {
        self.run.work(1)?;
        match code {
            Code::And(parts) => {
                for part in parts {
                    if !self.truth(part)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Code::Or(parts) => {
                for part in parts {
                    if self.truth(part)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Code::AtLeast(needed, parts) => {
                let mut count = 0;
                for part in parts {
                    count += usize::from(self.truth(part)?);
                }
                Ok(count >= *needed)
            }
            Code::Not(inner) => Ok(!self.truth(inner)?),
            Code::Compare { left, op, right, nocase } => {
                Ok(holds(&*self.value(left)?, *op, &*self.value(right)?, *nocase))
            }
            Code::Matches { text, regex } => Ok(regex.is_match(&self.value(text)?.text())),
            Code::MatchesDynamic { text, pattern, nocase } => {
                // It may have to be compiled anew each time.
                self.run.work(50)?;
                let regex = self.run.pattern(&self.value(pattern)?.text(), *nocase)?;
                Ok(regex.is_match(&self.value(text)?.text()))
            }
            Code::In { needle, lookup } => self.run.lookups[*lookup].has(&*self.value(needle)?).map_err(Fault::Row),
            Code::IsZero(inner) => Ok(self.value(inner)?.is_zero()),
            Code::Quantify { quantifier, whole, register, body } => {
                self.quantified(*quantifier, whole, *register, body)
            }
            _ => match &*self.value(code)? {
                Value::Bool(truth) => Ok(*truth),
                // `$outcome` alone as a condition.
                other => Ok(!other.is_zero()),
            },
        }
    }

    fn quantified(&self, quantifier: Quantifier, whole: &Whole, register: usize, body: &Code) -> Result<bool, Fault> {
        let all = quantifier == Quantifier::All;
        for element in self.whole(whole) {
            {
                let mut registers = self.registers.borrow_mut();
                if registers.len() <= register {
                    registers.resize(register + 1, Value::Bool(false));
                }
                registers[register] = element;
            }
            if self.truth(body)? != all {
                return Ok(!all);
            }
        }
        Ok(all)
    }

    fn whole(&self, whole: &Whole) -> Vec<Value> {
        let mut found = Vec::new();
        if let Some(copy) = self.row[whole.variable]
            && let Some(record) = self.run.records[whole.variable].get(copy.record as usize)
        {
            each(record.root(), &whole.steps, &whole.zero, &mut found);
        }
        found
    }

    /// The value of an expression.
    pub(super) fn value<'s>(&'s self, code: &'s Code) -> Result<Cow<'s, Value>, Fault> {
        Ok(match code {
            Code::Constant(value) => Cow::Borrowed(value),
            Code::Slot(slot) => match self.row[slot.variable] {
                Some(copy) => Cow::Borrowed(&copy.values[slot.at]),
                None => {
                    let kind = self.run.program.variables[slot.variable].slots[slot.at].kind();
                    Cow::Owned(Value::zero(kind))
                }
            },
            Code::Placeholder(at) => self.placeholder(*at),
            Code::Outcome(at) => match self.outcomes.get(*at) {
                Some(value) => Cow::Borrowed(value),
                None => return row("an outcome variable without a value"),
            },
            Code::Whole(whole) => Cow::Owned(Value::List(self.whole(whole).into())),
            Code::Register(at) => match self.registers.borrow().get(*at) {
                Some(value) => Cow::Owned(value.clone()),
                None => return row("any or all without its field"),
            },
            Code::Arithmetic { op, left, right } => {
                Cow::Owned(arithmetic(*op, &*self.value(left)?, &*self.value(right)?).map_err(Fault::Row)?)
            }
            Code::If { condition, then, otherwise } => {
                if self.truth(condition)? {
                    self.value(then)?
                } else {
                    self.value(otherwise)?
                }
            }
            Code::Call { function, arguments, nocase } => {
                self.run.work(4)?;
                let mut values = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    let value = self.value(argument)?.into_owned();
                    values.push(if *nocase { folded(value) } else { value });
                }
                Cow::Owned(calls::scalar(function, &values, &self.run.environment).map_err(Fault::Row)?)
            }
            Code::Aggregate { function, arguments } => {
                let rows = self.arguments_of_rows(arguments)?;
                Cow::Owned(calls::aggregate(function, &rows).map_err(Fault::Row)?)
            }
            Code::EventCount(variable) => Cow::Owned(Value::Int(self.events(*variable))),
            Code::PlaceholderCount(placeholder) => Cow::Owned(Value::Int(self.values_of(*placeholder))),
            Code::WindowStart => Cow::Owned(instant(self.group.map_or(0, |group| group.window.0))),
            Code::WindowEnd => Cow::Owned(instant(self.group.map_or(0, |group| group.window.1))),
            _ => Cow::Owned(Value::Bool(self.truth(code)?)),
        })
    }

    /// The value of a placeholder: of the first variable that is there; when none is, the zero value.
    pub(super) fn placeholder(&self, at: usize) -> Cow<'_, Value> {
        let placeholder = &self.run.program.placeholders[at];
        for &variable in &placeholder.bound_by {
            if let Some(copy) = self.row[variable] {
                let bindings = &self.run.program.variables[variable].bindings;
                if let Some(value) =
                    bindings.iter().find(|one| one.placeholder == at).and_then(|one| copy.values.get(one.slot))
                {
                    return Cow::Borrowed(value);
                }
            }
        }
        Cow::Owned(Value::zero(placeholder.kind))
    }

    /// The arguments of an aggregate, row by row; rows that can't be evaluated are noted and left out.
    fn arguments_of_rows(&self, arguments: &[Code]) -> Result<Vec<Vec<Value>>, Fault> {
        let Some(group) = self.group else { return row("an aggregate outside of a group") };
        self.run.work(group.rows.len() as u64 * (1 + arguments.len() as u64))?;
        let mut found = Vec::with_capacity(group.rows.len());
        let mut copies = Vec::new();
        for cells in group.rows.iter() {
            group.rows.copies(cells, group.copies, &mut copies);
            let scope = Scope::new(self.run, &copies).with_outcomes(self.outcomes);
            let values: Result<Vec<_>, _> =
                arguments.iter().map(|argument| scope.value(argument).map(Cow::into_owned)).collect();
            match values {
                Ok(values) => found.push(values),
                Err(Fault::Row(problem)) => self.run.note(problem),
                Err(end) => return Err(end),
            }
        }
        Ok(found)
    }

    fn events(&self, variable: usize) -> i64 {
        let Some(group) = self.group else { return 0 };
        let records = group.rows.iter().filter_map(|cells| group.rows.record(cells, variable, group.copies));
        let mut records: Vec<_> = records.collect();
        records.sort_unstable();
        records.dedup();
        i64::try_from(records.len()).unwrap_or(i64::MAX)
    }

    /// How many values a placeholder has. One that a variable binds which may be absent has a value only where this variable
    /// is there: that is what `#placeholder = 0` asks.
    fn values_of(&self, placeholder: usize) -> i64 {
        let Some(group) = self.group else { return 0 };
        let program = self.run.program;
        let bound_by = &program.placeholders[placeholder].bound_by;
        let optional = |&&variable: &&usize| program.variables[variable].presence == Presence::Absent;
        let needed: Vec<usize> = bound_by.iter().filter(optional).copied().collect();
        let mut copies = Vec::new();
        let mut keys = HashSet::new();
        for cells in group.rows.iter() {
            group.rows.copies(cells, group.copies, &mut copies);
            let there = bound_by.iter().any(|&variable| copies[variable].is_some());
            if there && needed.iter().all(|&variable| copies[variable].is_some()) {
                keys.insert(Scope::new(self.run, &copies).placeholder(placeholder).key());
            }
        }
        i64::try_from(keys.len()).unwrap_or(i64::MAX)
    }
}

fn folded(value: Value) -> Value {
    match value {
        Value::String(text) => Value::from(&*fold(&text)),
        other => other,
    }
}

/// A time as a value.
pub(super) fn instant(time: Nanos) -> Value {
    let seconds = i64::try_from(time.div_euclid(SECOND)).unwrap_or(i64::MAX);
    Value::Timestamp(seconds, i32::try_from(time.rem_euclid(SECOND)).unwrap_or(0))
}

fn arithmetic(op: ArithmeticOp, left: &Value, right: &Value) -> Result<Value, String> {
    let whole = |value: &Value| match value {
        Value::Int(number) | Value::Timestamp(number, _) => Some(i128::from(*number)),
        Value::Uint(number) => Some(i128::from(*number)),
        _ => None,
    };
    let numbers = "arithmetic with something that is no number";
    if let (Some(left), Some(right)) = (whole(left), whole(right))
        && op != ArithmeticOp::Divide
    {
        let result = match op {
            ArithmeticOp::Add => left + right,
            ArithmeticOp::Subtract => left - right,
            ArithmeticOp::Multiply => left.checked_mul(right).ok_or("an overflow")?,
            ArithmeticOp::Divide | ArithmeticOp::Modulo => left.checked_rem(right).ok_or("a division by zero")?,
        };
        let signed = i64::try_from(result).map(Value::Int).ok();
        return signed.or_else(|| u64::try_from(result).map(Value::Uint).ok()).ok_or_else(|| "an overflow".to_owned());
    }
    let (left, right) = (left.number().ok_or(numbers)?, right.number().ok_or(numbers)?);
    if right == 0.0 && matches!(op, ArithmeticOp::Divide | ArithmeticOp::Modulo) {
        return Err("a division by zero".to_owned());
    }
    let result = match op {
        ArithmeticOp::Add => left + right,
        ArithmeticOp::Subtract => left - right,
        ArithmeticOp::Multiply => left * right,
        ArithmeticOp::Divide => left / right,
        ArithmeticOp::Modulo => left % right,
    };
    if result.is_finite() { Ok(Value::Float(result)) } else { Err("an overflow".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_keeps_whole_numbers_and_divides_to_floats() {
        let of = |op, left: Value, right: Value| arithmetic(op, &left, &right);
        assert_eq!(of(ArithmeticOp::Subtract, Value::Uint(3), Value::Int(5)), Ok(Value::Int(-2)));
        assert_eq!(of(ArithmeticOp::Divide, Value::Int(1), Value::Int(2)), Ok(Value::Float(0.5)));
        assert_eq!(of(ArithmeticOp::Modulo, Value::Int(7), Value::Int(4)), Ok(Value::Int(3)));
        assert_eq!(of(ArithmeticOp::Add, Value::Uint(u64::MAX), Value::Int(0)), Ok(Value::Uint(u64::MAX)));
        assert!(of(ArithmeticOp::Multiply, Value::Uint(u64::MAX), Value::Int(2)).is_err());
        assert!(of(ArithmeticOp::Divide, Value::Int(1), Value::Int(0)).is_err());
        assert!(of(ArithmeticOp::Modulo, Value::Int(1), Value::Int(0)).is_err());
        assert!(of(ArithmeticOp::Add, Value::from("x"), Value::Int(0)).is_err());
    }
}
