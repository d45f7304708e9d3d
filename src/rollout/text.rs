//! When two texts are the same rule, and how they differ.
//!
//! The service adds a line feed at the end of what it stores, and Windows writes others between lines. Whoever counts that as a
//! difference writes a new revision of every rule, every time.

use similar::TextDiff;

use crate::rules::folder::plain;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;
/// Texts with more lines than this are not compared line by line: the time grows with the square.
const MOST_LINES: usize = 5_000;

/// A text as it is compared.
fn compared(text: &str) -> String {
    let mut text = plain(text);
    text.truncate(text.trim_end_matches('\n').len());
    text
}

/// Whether two texts are the same rule. Blanks at the ends of lines count: somebody typed them.
#[must_use]
pub fn is_same(left: &str, right: &str) -> bool {
    left == right || compared(left) == compared(right)
}

/// What changes, as a unified diff without file names.
#[must_use]
pub fn diff(before: &str, after: &str) -> String {
    let (before, after) = (compared(before) + "\n", compared(after) + "\n");
    let lines = |text: &str| text.bytes().filter(|&byte| byte == b'\n').count();
    if lines(&before).max(lines(&after)) > MOST_LINES {
        return format!("@@ {} lines become {}, too many to compare @@\n", lines(&before), lines(&after));
    }
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(CONTEXT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_feeds_at_the_end_and_windows_lines_are_no_difference() {
        for same in ["rule a {\n}", "rule a {\n}\n", "rule a {\n}\n\n", "rule a {\r\n}\r\n", "\u{feff}rule a {\n}"] {
            assert!(is_same("rule a {\n}", same), "{same:?}");
        }
    }

    #[test]
    fn blanks_at_the_end_of_a_line_are_a_difference() {
        assert!(!is_same("rule a {\n}", "rule a { \n}"));
        assert!(!is_same("rule a {\n}", "rule a {\n} "));
        assert!(!is_same("rule a {\n\n}", "rule a {\n}"));
    }

    #[test]
    fn a_diff_shows_what_changes_and_three_lines_around() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n";
        let after = "1\r\n2\r\n3\r\n4\r\nfive\r\n6\r\n7\r\n8";
        assert_eq!(diff(before, after), "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
    }

    #[test]
    fn a_huge_text_is_not_compared() {
        assert_eq!(diff("a", &"x\n".repeat(6_000)), "@@ 1 lines become 6000, too many to compare @@\n");
    }
}
