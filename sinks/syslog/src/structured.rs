//! The structured data element of RFC 5424 section 6.3: the finding's main values, for receivers that read no text.
//!
//! Values may come from a log. Control characters become visible first; then what could end the value is escaped.

use std::fmt::Write;

use watchbell_sink::Finding;

use crate::body::{cut, visible};

/// The longest value in bytes, before it is escaped.
const LONGEST_VALUE: usize = 255;
/// The most techniques that are named.
const MOST_TECHNIQUES: usize = 4;

/// `[name key="value" ...]`.
pub(crate) fn element(name: &str, finding: &Finding) -> String {
    let mut element = format!("[{}", sd_name(name));
    let mut add = |key: &str, value: &str| {
        let value = visible(value);
        write!(element, " {}=\"{}\"", sd_name(key), escaped(cut(&value, LONGEST_VALUE)))
            .expect("writing to a String never fails");
    };
    add("finding_id", &finding.id);
    add("threat_type", finding.threat_type.name());
    add("severity", finding.severity.name());
    add("score", &finding.score.to_string());
    add("confidence", &finding.confidence.to_string());
    add("risk_score", &finding.risk_score.to_string());
    add("entity_kind", finding.entity.kind.name());
    add("entity", &finding.entity.value);
    add("event_count", &finding.event_count.to_string());
    for (key, time) in [("first_seen", finding.first_seen), ("last_seen", finding.last_seen)] {
        if let Some(time) = time {
            add(key, &time.to_string());
        }
    }
    for attack in finding.attacks.iter().take(MOST_TECHNIQUES) {
        add("technique_id", &attack.technique_id);
    }
    element.push(']');
    element
}

/// SD-NAME: at most 32 printable ASCII letters, none of `=`, space, `]`, `"`.
fn sd_name(name: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '=' | ']' | '"');
    name.chars().map(|letter| if allowed(letter) { letter } else { '_' }).take(32).collect()
}

/// PARAM-VALUE: `"`, `\` and `]` are escaped.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 8);
    for letter in value.chars() {
        if matches!(letter, '"' | '\\' | ']') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_cannot_break_out() {
        assert_eq!(sd_name("a b=c]d\"e\u{e9}\n"), "a_b_c_d_e__");
        assert_eq!(sd_name(&"x".repeat(40)).len(), 32);
        assert_eq!(escaped(r#"a"b\c]d"#), r#"a\"b\\c\]d"#);
    }
}
