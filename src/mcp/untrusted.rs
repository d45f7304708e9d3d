//! The envelope: text that somebody else chose, made harmless to look at and cut to a length.
//!
//! [`LogText`] is the only type in an answer that carries such text, and it stands only in objects under the name
//! `untrusted`. A test walks every answer and holds this.

use schemars::JsonSchema;
use serde::Serialize;

use crate::app::plain;

/// A title, an entity's name, a reason: what stands in one line.
pub(super) const LINE: usize = 200;
/// A summary, an error's words.
pub(super) const PARAGRAPH: usize = 500;
/// A record.
pub(super) const RECORD: usize = 600;

/// Text from a log, a file's name or a destination. Characters that act instead of being seen stand as labels such as
/// `<ESC>` and `<U+202E>`; what is too long ends with `...`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(transparent)]
pub(super) struct LogText(String);

impl LogText {
    /// One line.
    pub(super) fn line(text: &str) -> Self {
        Self(plain(text, LINE))
    }

    /// Some lines.
    pub(super) fn paragraph(text: &str) -> Self {
        Self(plain(text, PARAGRAPH))
    }

    /// A whole record.
    pub(super) fn record(text: &str) -> Self {
        Self(plain(text, RECORD))
    }
}

/// Keeps as many items from the front as fit into so many bytes of JSON, but one at least; says whether some went.
pub(super) fn keep<T: Serialize>(items: &mut Vec<T>, bytes: usize) -> bool {
    let mut used = 0;
    let size = |item: &T| serde_json::to_vec(item).map_or(usize::MAX, |text| text.len() + 1);
    let fitting = items.iter().position(|item| {
        used = usize::saturating_add(used, size(item));
        used > bytes
    });
    match fitting {
        Some(count) if count.max(1) < items.len() => {
            items.truncate(count.max(1));
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_is_shown_and_what_is_long_is_cut() {
        let LogText(text) = LogText::line(&format!("\u{1b}[2J\u{202e}{}", "x".repeat(1000)));
        assert!(text.starts_with("<ESC>[2J<U+202E>x"));
        assert!(text.ends_with("...") && text.len() < 300, "{}", text.len());
    }

    #[test]
    fn what_fits_is_kept_and_never_nothing() {
        let mut items = vec!["1234567"; 5];
        assert!(!keep(&mut items, 50));
        assert!(keep(&mut items, 20) && items.len() == 2);
        assert!(keep(&mut items, 1) && items.len() == 1);
        assert!(!keep(&mut items, 1));
    }
}
