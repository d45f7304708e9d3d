//! The aggregates: from the rows of a detection to one value.
//!
//! Rows are given one by one, and only what the result needs is kept: a sum is one number however many rows there are.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use super::{
    Function, FunctionError, FunctionKind,
    arguments::Arguments,
    sums::{Deviation, Sum},
};
use crate::eval::{Key, Value};

/// How many items `array` and `array_distinct` hold.
pub const ARRAY_CAP: usize = 25;

/// An aggregate that takes rows.
#[derive(Debug)]
pub struct Accumulator {
    state: State,
}

/// What is kept of the rows so far.
#[derive(Debug)]
pub(super) enum State {
    Count(i64),
    Distinct(HashSet<Key>),
    Sum(Sum),
    Extreme { wanted: Ordering, found: Option<Value> },
    Average { deviation: Deviation },
    Deviation(Deviation),
    Variance(Deviation),
    Array(Vec<Value>),
    ArrayDistinct(HashSet<Key>, Vec<Value>),
    Time { wanted: Ordering, found: Option<(i64, i32)> },
    Sorted { wanted: Ordering, found: Option<(i64, Value)> },
    Median(Vec<f64>),
    Mode(HashMap<Key, (u64, usize)>, Vec<Value>),
    Range(Option<(f64, f64)>),
}

impl State {
    /// The start of the aggregate with this name; `None`: it is not computed here.
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "count" => Self::Count(0),
            "count_distinct" => Self::Distinct(HashSet::new()),
            "sum" => Self::Sum(Sum::default()),
            "min" => Self::Extreme { wanted: Ordering::Less, found: None },
            "max" => Self::Extreme { wanted: Ordering::Greater, found: None },
            "avg" | "window.avg" => Self::Average { deviation: Deviation::default() },
            "stddev" | "window.stddev" => Self::Deviation(Deviation::default()),
            "window.variance" => Self::Variance(Deviation::default()),
            "array" => Self::Array(Vec::new()),
            "array_distinct" => Self::ArrayDistinct(HashSet::new(), Vec::new()),
            "earliest" => Self::Time { wanted: Ordering::Less, found: None },
            "latest" => Self::Time { wanted: Ordering::Greater, found: None },
            "window.first" => Self::Sorted { wanted: Ordering::Less, found: None },
            "window.last" => Self::Sorted { wanted: Ordering::Greater, found: None },
            "window.median" => Self::Median(Vec::new()),
            "window.mode" => Self::Mode(HashMap::new(), Vec::new()),
            "window.range" => Self::Range(None),
            _ => return None,
        })
    }

    fn add(&mut self, row: &Arguments<'_>) -> Result<(), FunctionError> {
        match self {
            Self::Count(count) => *count += 1,
            Self::Distinct(seen) => {
                seen.insert(row.value(0)?.key());
            }
            Self::Sum(sum) => sum.add(row)?,
            Self::Extreme { wanted, found } => {
                let value = row.value(0)?;
                row.number(0)?;
                if found.as_ref().is_none_or(|best| value.compare(best) == Some(*wanted)) && !is_nan(value) {
                    *found = Some(value.clone());
                }
            }
            Self::Average { deviation } => add_number(row, |number| deviation.add(number))?,
            Self::Deviation(deviation) | Self::Variance(deviation) => deviation.add(row.number(0)?),
            Self::Array(items) => {
                let value = row.value(0)?;
                if items.len() < ARRAY_CAP {
                    items.push(value.clone());
                }
            }
            Self::ArrayDistinct(seen, items) => {
                let value = row.value(0)?;
                if items.len() < ARRAY_CAP && seen.insert(value.key()) {
                    items.push(value.clone());
                }
            }
            Self::Time { wanted, found } => {
                let time = point(row)?;
                if found.is_none_or(|best| time.cmp(&best) == *wanted) {
                    *found = Some(time);
                }
            }
            Self::Sorted { wanted, found } => {
                let (sort, value) = (row.int(0)?, row.value(1)?);
                if found.as_ref().is_none_or(|(best, _)| sort.cmp(best) == *wanted) {
                    *found = Some((sort, value.clone()));
                }
            }
            Self::Median(numbers) => add_number(row, |number| numbers.push(number))?,
            Self::Mode(counts, values) => {
                let value = row.value(0)?;
                let place = values.len();
                let entry = counts.entry(value.key()).or_insert((0, place));
                entry.0 += 1;
                if entry.1 == place {
                    values.push(value.clone());
                }
            }
            Self::Range(range) => add_number(row, |number| {
                let (least, greatest) = range.unwrap_or((number, number));
                *range = Some((least.min(number), greatest.max(number)));
            })?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Value, FunctionError> {
        Ok(match self {
            Self::Count(count) => Value::Int(count),
            Self::Distinct(seen) => Value::Int(i64::try_from(seen.len()).unwrap_or(i64::MAX)),
            Self::Sum(sum) => return sum.finish(),
            Self::Extreme { found, .. } => found.unwrap_or(Value::Int(0)),
            Self::Average { deviation } => Value::Float(deviation.mean()),
            Self::Deviation(deviation) => Value::Float(deviation.variance().sqrt()),
            Self::Variance(deviation) => Value::Float(deviation.variance()),
            Self::Array(items) | Self::ArrayDistinct(_, items) => Value::List(items.into()),
            Self::Time { found, .. } => {
                let (seconds, nanos) = found.unwrap_or_default();
                // In microseconds, as the service has them.
                Value::Timestamp(seconds, nanos / 1000 * 1000)
            }
            Self::Sorted { found, .. } => found.map_or(Value::from(""), |(_, value)| as_text(&value)),
            Self::Median(numbers) => Value::Float(median(numbers)),
            Self::Mode(counts, values) => {
                let frequent = counts.into_values().max_by_key(|&(count, place)| (count, std::cmp::Reverse(place)));
                frequent.map_or(Value::from(""), |(_, place)| as_text(&values[place]))
            }
            Self::Range(range) => {
                range.map_or_else(|| Value::from(Vec::<f64>::new()), |(a, b)| Value::from(vec![a, b]))
            }
        })
    }
}

fn is_nan(value: &Value) -> bool {
    matches!(value, Value::Float(number) if number.is_nan())
}

fn as_text(value: &Value) -> Value {
    Value::from(value.text().as_ref())
}

/// Takes the row's number, unless it is a zero that is to be ignored.
fn add_number(row: &Arguments<'_>, mut add: impl FnMut(f64)) -> Result<(), FunctionError> {
    let number = row.number(0)?;
    let ignored = number.is_nan() || number == 0.0 && row.flag(1)?;
    if !ignored {
        add(number);
    }
    Ok(())
}

fn point(row: &Arguments<'_>) -> Result<(i64, i32), FunctionError> {
    match row.value(0)? {
        Value::Timestamp(seconds, nanos) => Ok((*seconds, *nanos)),
        _ => Err(FunctionError::Argument { position: 1, expected: "a timestamp" }),
    }
}

/// The middle one; of two, the lower. 0 of none.
fn median(mut numbers: Vec<f64>) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    let middle = (numbers.len() - 1) / 2;
    *numbers.select_nth_unstable_by(middle, f64::total_cmp).1
}

impl Accumulator {
    /// An aggregate before its first row.
    ///
    /// # Errors
    /// The function is no aggregate, or can't be computed here.
    pub fn new(function: &Function) -> Result<Self, FunctionError> {
        function.offline().map_err(FunctionError::NotHere)?;
        let state = Some(function.name).filter(|_| function.kind == FunctionKind::Aggregate).and_then(State::of);
        Ok(Self { state: state.ok_or(FunctionError::NoAggregate)? })
    }

    /// Takes the arguments of one row.
    ///
    /// # Errors
    /// An argument is missing or of another type.
    pub fn add(&mut self, row: &[Value]) -> Result<(), FunctionError> {
        self.state.add(&Arguments::of_row(row))
    }

    /// The result.
    ///
    /// # Errors
    /// The sum is too large.
    pub fn finish(self) -> Result<Value, FunctionError> {
        self.state.finish()
    }
}

/// An aggregate over rows, each with its arguments.
///
/// # Errors
/// See [`Accumulator`].
pub fn aggregate<Row: AsRef<[Value]>>(
    function: &Function,
    rows: impl IntoIterator<Item = Row>,
) -> Result<Value, FunctionError> {
    let mut accumulator = Accumulator::new(function)?;
    for row in rows {
        accumulator.add(row.as_ref())?;
    }
    accumulator.finish()
}
