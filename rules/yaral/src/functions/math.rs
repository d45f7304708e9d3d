//! `math.*`. A result that is no finite number is 0: the language has neither infinities nor errors of arithmetic here.

use std::cmp::Ordering;

use super::{Arguments, FunctionError, arguments::whole};
use crate::eval::Value;

type Outcome = Result<Value, FunctionError>;

/// Metres from the centre of the earth, as Google's examples have it.
const EARTH_RADIUS: f64 = 6_371_010.0;

fn finite(number: f64) -> Value {
    Value::Float(if number.is_finite() { number } else { 0.0 })
}

pub(super) fn abs(arguments: &Arguments<'_>) -> Outcome {
    match arguments.value(0)? {
        Value::Int(number) => number.checked_abs().map(Value::Int).ok_or(FunctionError::Overflow),
        Value::Uint(number) => Ok(Value::Uint(*number)),
        _ => Ok(Value::Float(arguments.number(0)?.abs())),
    }
}

fn rounded(arguments: &Arguments<'_>, round: fn(f64) -> f64) -> Outcome {
    match arguments.value(0)? {
        Value::Int(number) => Ok(Value::Int(*number)),
        Value::Uint(number) => Ok(Value::Int(i64::try_from(*number).unwrap_or(0))),
        _ => Ok(Value::Int(whole(round(arguments.number(0)?)).unwrap_or(0))),
    }
}

pub(super) fn ceil(arguments: &Arguments<'_>) -> Outcome {
    rounded(arguments, f64::ceil)
}

pub(super) fn floor(arguments: &Arguments<'_>) -> Outcome {
    rounded(arguments, f64::floor)
}

pub(super) fn round(arguments: &Arguments<'_>) -> Outcome {
    let number = arguments.number(0)?;
    let places = if arguments.values.len() > 1 { arguments.int(1)?.clamp(-300, 300) } else { 0 };
    let factor = 10_f64.powi(i32::try_from(places).unwrap_or(0));
    let scaled = (number * factor).round() / factor;
    // Beyond what a float holds there is nothing to round.
    Ok(finite(if scaled.is_finite() { scaled } else { number }))
}

pub(super) fn log(arguments: &Arguments<'_>) -> Outcome {
    Ok(finite(arguments.number(0)?.ln()))
}

pub(super) fn sqrt(arguments: &Arguments<'_>) -> Outcome {
    Ok(finite(arguments.number(0)?.sqrt()))
}

pub(super) fn pow(arguments: &Arguments<'_>) -> Outcome {
    Ok(finite(arguments.number(0)?.powf(arguments.number(1)?)))
}

pub(super) fn random(arguments: &Arguments<'_>) -> Outcome {
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    let number = (arguments.environment()?.draw() >> 11) as f64 / (1_u64 << 53) as f64;
    Ok(Value::Float(number))
}

pub(super) fn is_increasing(arguments: &Arguments<'_>) -> Outcome {
    for position in 0..3 {
        arguments.number(position)?;
    }
    let ascends = arguments.values.windows(2).all(|pair| pair[0].compare(&pair[1]) == Some(Ordering::Less));
    Ok(Value::Bool(ascends))
}

pub(super) fn geo_distance(arguments: &Arguments<'_>) -> Outcome {
    let [longitude1, latitude1] = [arguments.number(0)?, arguments.number(1)?];
    let [longitude2, latitude2] = [arguments.number(2)?, arguments.number(3)?];
    let exists = |longitude: f64, latitude: f64| longitude.abs() <= 180.0 && latitude.abs() <= 90.0;
    if !exists(longitude1, latitude1) || !exists(longitude2, latitude2) {
        return Ok(Value::Float(-1.0));
    }
    let half_sine = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let across = latitude1.to_radians().cos() * latitude2.to_radians().cos() * half_sine(longitude1, longitude2);
    let haversine = (half_sine(latitude1, latitude2) + across).clamp(0.0, 1.0);
    Ok(Value::Float(2.0 * EARTH_RADIUS * haversine.sqrt().asin()))
}
