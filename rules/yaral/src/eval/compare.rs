//! Whether a comparison of a rule holds. Values that have nothing in common are unequal and in no order.

use std::cmp::Ordering;

use super::value::{Value, fold};
use crate::syntax::tree::CompareOp;

/// Whether a comparison holds.
pub(super) fn holds(left: &Value, op: CompareOp, right: &Value, nocase: bool) -> bool {
    let order = match (left, right) {
        (Value::String(left), Value::String(right)) if nocase => Some(fold(left).cmp(&fold(right))),
        // The data model writes bytes as text in many places, and rules compare them with texts.
        (Value::Bytes(left), Value::String(right)) => Some((**left).cmp(right.as_bytes())),
        (Value::String(left), Value::Bytes(right)) => Some(left.as_bytes().cmp(right)),
        _ => left.compare(right),
    };
    match op {
        CompareOp::Equal => order == Some(Ordering::Equal),
        CompareOp::NotEqual => order != Some(Ordering::Equal),
        CompareOp::Less => order == Some(Ordering::Less),
        CompareOp::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        CompareOp::Greater => order == Some(Ordering::Greater),
        CompareOp::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_nothing_in_common_is_unequal_and_in_no_order() {
        let (text, number) = (Value::from("1"), Value::Int(2));
        assert!(holds(&text, CompareOp::NotEqual, &number, false));
        assert!(!holds(&text, CompareOp::Less, &number, false) && !holds(&text, CompareOp::Greater, &number, false));
    }

    #[test]
    fn nocase_folds_texts() {
        assert!(holds(&Value::from("Σ"), CompareOp::Equal, &Value::from("ς"), true));
        assert!(!holds(&Value::from("a"), CompareOp::Equal, &Value::from("A"), false));
    }
}
