//! What CEF and LEEF share: a line of pairs that never outgrows what receivers of syslog take.

use watchbell_sink::{Evidence, Finding, Severity};

use crate::view::{ELLIPSIS, View, cut, distinct};

/// Most bytes of a line: RFC 5425 wants receivers to take 8,192, and the syslog header needs some of them.
pub(crate) const MOST_BYTES: usize = 7_680;

/// A line in the making. Pairs come most important first; what does not fit any more is left out whole.
#[derive(Debug)]
pub(crate) struct Line {
    text: String,
    delimiter: char,
    is_empty: bool,
}

impl Line {
    /// Begins with a header that ends where the first pair may stand.
    pub(crate) fn new(header: String, delimiter: char) -> Self {
        Self { text: header, delimiter, is_empty: true }
    }

    /// How many bytes are left for pairs.
    pub(crate) fn room(&self) -> usize {
        MOST_BYTES.saturating_sub(self.text.len())
    }

    /// Adds pairs that belong together, all or none of them. Values come escaped; one that is empty stands for a pair that
    /// there is no need of.
    pub(crate) fn add(&mut self, pairs: &[(&str, &str)]) {
        let needed: usize = pairs.iter().map(|(key, value)| key.len() + value.len() + 2).sum();
        if needed > self.room() || pairs.iter().any(|(_, value)| value.is_empty()) {
            return;
        }
        for (key, value) in pairs {
            if !std::mem::replace(&mut self.is_empty, false) {
                self.text.push(self.delimiter);
            }
            self.text.push_str(key);
            self.text.push('=');
            self.text.push_str(value);
        }
    }

    /// The line.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}

/// Without control characters and line separators but those to keep, without white space around it, cut at `most` bytes.
pub(crate) fn tamed(text: &str, most: usize, keep: &[char]) -> String {
    let is_wild = |it: char| (it.is_control() || matches!(it, '\u{2028}' | '\u{2029}')) && !keep.contains(&it);
    // Only the beginning of 100 kB is looked at, but no attacker hides the rest behind blanks.
    let text = text.trim_matches(|it: char| it.is_whitespace() || is_wild(it));
    let beginning = &text[..text.floor_char_boundary(text.len().min(most.saturating_mul(4)))];
    let mut tame: String = beginning.chars().map(|it| if is_wild(it) { ' ' } else { it }).collect();
    tame.truncate(tame.trim_end().len());
    if beginning.len() < text.len() {
        tame.push(ELLIPSIS);
    }
    cut(&tame, most).into_owned()
}

/// Severity in 1..=10, as ArcSight and QRadar count: 1 to 3 low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
pub(crate) const fn of_ten(severity: Severity) -> u8 {
    match severity {
        Severity::Informational => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 8,
        Severity::Critical => 10,
    }
}

/// Ids of the techniques, with commas.
pub(crate) fn techniques(finding: &Finding) -> String {
    distinct(finding.attacks.iter().map(|attack| attack.technique_id.as_str())).join(",")
}

/// Names of the tactics, with commas.
pub(crate) fn tactics(finding: &Finding) -> String {
    distinct(finding.attacks.iter().flat_map(|it| &it.tactics).map(|tactic| tactic.name.as_str())).join(",")
}

/// The chain of threats, with commas.
pub(crate) fn chain(finding: &Finding) -> String {
    finding.chain.iter().map(|threat| threat.name()).collect::<Vec<_>>().join(",")
}

/// All reasons in a row.
pub(crate) fn reasons(finding: &Finding) -> String {
    finding.reasons.iter().map(|reason| reason.text.as_str()).collect::<Vec<_>>().join("; ")
}

/// Where the strongest event stands, and the event. The file's name may not crowd it out.
pub(crate) fn evidence(view: View<'_>) -> String {
    let place = |event: &Evidence| format!("{}:{}: {}", cut(&event.file, 255), event.line, event.raw);
    view.strongest().map(place).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_whole_and_what_does_comes_in_order() {
        let mut line = Line::new("head|".to_owned(), ' ');
        line.add(&[("a", "1"), ("aLabel", "one")]);
        line.add(&[("b", "")]);
        line.add(&[("c", &"x".repeat(MOST_BYTES)), ("cLabel", "big")]);
        line.add(&[("d", "4")]);
        assert_eq!(line.finish(), "head|a=1 aLabel=one d=4");
    }

    #[test]
    fn nothing_wild_is_left() {
        assert_eq!(tamed(" \0a\u{85}b\u{2028}c\u{1b}[0m\n ", 100, &[]), "a b c [0m");
        assert_eq!(tamed("a\nb", 100, &['\n']), "a\nb");
        assert_eq!(tamed(&"x".repeat(100_000), 10, &[]), "xxxxxxx\u{2026}");
        assert_eq!(tamed(&format!("root{}x", " ".repeat(100)), 10, &[]), "root\u{2026}");
        assert_eq!(tamed(&format!("{}root", "\0 ".repeat(100)), 10, &[]), "root");
    }
}
