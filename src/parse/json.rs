//! One JSON object to fields. (A small stand-in for the full scanner.)

use std::ops::Range;

use super::{ComplaintReason, EventBuilder, Scalar};

/// Reads the record begun last; the fault that loses it, if there is one.
pub fn read_record(
    builder: &mut EventBuilder,
    block: &[u8],
    record: Range<usize>,
    max_depth: usize,
) -> Result<(), (ComplaintReason, String)> {
    let _ = max_depth;
    let text = String::from_utf8_lossy(&block[record]);
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| {
        let reason = if error.to_string().contains("recursion") {
            ComplaintReason::TooDeep
        } else if error.is_eof() {
            ComplaintReason::Truncated
        } else {
            ComplaintReason::Malformed
        };
        (reason, error.to_string())
    })?;
    if !value.is_object() {
        return Err((ComplaintReason::Malformed, "expected an object".to_owned()));
    }
    walk(builder, block, "", &value);
    Ok(())
}

fn walk(builder: &mut EventBuilder, block: &[u8], path: &str, value: &serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(builder, block, &path, value);
            }
        }
        serde_json::Value::String(text) => builder.field(block, path, Scalar::Text(text)),
        serde_json::Value::Number(number) => builder.field(block, path, Scalar::Number(&number.to_string())),
        serde_json::Value::Bool(flag) => builder.field(block, path, Scalar::Bool(*flag)),
        _ => {}
    }
}
