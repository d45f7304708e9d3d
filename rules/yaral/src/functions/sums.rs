//! Sums and deviations, as exact as the numbers allow.

use super::{FunctionError, arguments::Arguments};
use crate::eval::Value;

/// A sum. Whole numbers are added in 128 bits, so that only the result can overflow, not the way to it.
#[derive(Debug, Default)]
pub(super) struct Sum {
    whole: i128,
    float: f64,
    has_float: bool,
    has_signed: bool,
    rows: u64,
}

impl Sum {
    pub(super) fn add(&mut self, row: &Arguments<'_>) -> Result<(), FunctionError> {
        match row.value(0)? {
            Value::Int(number) => {
                self.whole += i128::from(*number);
                self.has_signed = true;
            }
            Value::Uint(number) => self.whole += i128::from(*number),
            _ => {
                self.float += row.number(0)?;
                self.has_float = true;
            }
        }
        self.rows += 1;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "with a float among the numbers, the sum is one")]
    pub(super) fn finish(self) -> Result<Value, FunctionError> {
        if self.has_float {
            return Ok(Value::Float(self.float + self.whole as f64));
        }
        let unsigned = !self.has_signed && self.rows > 0;
        let sum = if unsigned { self.whole.try_into().map(Value::Uint) } else { self.whole.try_into().map(Value::Int) };
        sum.map_err(|_| FunctionError::Overflow)
    }
}

/// Mean and variance in one pass (Welford).
#[derive(Debug, Default)]
pub(super) struct Deviation {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Deviation {
    pub(super) fn add(&mut self, number: f64) {
        self.count += 1.0;
        let before = number - self.mean;
        self.mean += before / self.count;
        self.squares += before * (number - self.mean);
    }

    /// 0 of no numbers.
    pub(super) const fn mean(&self) -> f64 {
        self.mean
    }

    /// Of a sample: 0 of fewer than two numbers.
    pub(super) fn variance(&self) -> f64 {
        if self.count < 2.0 { 0.0 } else { self.squares / (self.count - 1.0) }
    }
}
