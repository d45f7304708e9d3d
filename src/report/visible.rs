//! Text from logs, made harmless to look at: what would act on the reader's screen is shown as a label instead.
//!
//! Escaping `<` is not enough: a right-to-left override turns `exe.gpj` around, an escape sequence repaints the
//! terminal, a zero-width space makes two different names look the same, a tower of accents covers the neighbors.

/// Accents on one letter that languages use; more are shown as labels, because they paint over other lines.
const MARKS_IN_A_ROW: u32 = 3;

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    /// To be shown as it is, after escaping.
    Text(&'a str),
    /// A character that must not reach the screen; show [`label`].
    Control(char),
    /// The text goes on for so many more characters.
    Cut(usize),
}

/// The pieces of a text, up to a number of characters.
#[must_use]
pub fn pieces(text: &str, limit: usize) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut start = 0;
    let mut marks = 0;
    for (count, (at, letter)) in text.char_indices().enumerate() {
        if count == limit {
            push_text(&mut found, &text[start..at]);
            found.push(Piece::Cut(text[at..].chars().count()));
            return found;
        }
        marks = if is_combining(letter) { marks + 1 } else { 0 };
        if is_control(letter) || marks > MARKS_IN_A_ROW {
            push_text(&mut found, &text[start..at]);
            found.push(Piece::Control(letter));
            start = at + letter.len_utf8();
        }
    }
    push_text(&mut found, &text[start..]);
    found
}

/// What stands for a character that is not shown: `ESC`, `U+202E`.
#[must_use]
pub fn label(letter: char) -> String {
    const NAMES: [&str; 32] = [
        "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR", "SO", "SI", "DLE",
        "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
    ];
    match letter {
        '\u{7f}' => "DEL".to_owned(),
        _ => NAMES.get(letter as usize).map_or_else(|| format!("U+{:04X}", u32::from(letter)), |&name| name.to_owned()),
    }
}

/// The text for a terminal or a plain file: on one line, at most so many characters, labels as `<ESC>`, cut with `...`.
#[must_use]
pub fn plain(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for piece in pieces(text, limit) {
        match piece {
            Piece::Text(text) => shown.push_str(text),
            Piece::Control('\t' | '\n' | '\r') => shown.push(' '),
            Piece::Control(letter) => shown.push_str(&format!("<{}>", label(letter))),
            Piece::Cut(_) => shown.push_str("..."),
        }
    }
    shown
}

/// The text as HTML: escaped, labels in `<i class="c">`, the end of a cut text said in `<i class="cut">`.
#[must_use]
pub fn html(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for piece in pieces(text, limit) {
        match piece {
            Piece::Text(text) => shown.push_str(&escaped(text)),
            Piece::Control('\t') => shown.push('\t'),
            Piece::Control('\n') => shown.push_str("<i class=\"c\">LF</i>\n"),
            Piece::Control(letter) => shown.push_str(&format!("<i class=\"c\">{}</i>", label(letter))),
            Piece::Cut(left) => shown.push_str(&format!("<i class=\"cut\">… {left} more</i>")),
        }
    }
    shown
}

/// The text with the five characters escaped that mean something in HTML.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            _ => shown.push(letter),
        }
    }
    shown
}

/// Whether a character acts on the screen instead of being seen.
#[must_use]
pub const fn is_control(letter: char) -> bool {
    matches!(letter,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' // C0, DEL, C1: terminal commands
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' // direction
        | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' // unseen
        | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{2065}' | '\u{3164}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}') // tags and variation selectors that smuggle text
}

const fn is_combining(letter: char) -> bool {
    matches!(letter,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}'
        | '\u{64b}'..='\u{65f}' | '\u{e31}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}')
}

fn push_text<'a>(found: &mut Vec<Piece<'a>>, text: &'a str) {
    if !text.is_empty() {
        found.push(Piece::Text(text));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn terminal_commands_and_turned_text_become_labels() {
        assert_eq!(plain("\u{1b}[2Jroot\u{202e}gpj.exe\0", 100), "<ESC>[2Jroot<U+202E>gpj.exe<NUL>");
        assert_eq!(plain("a\r\nb\tc", 100), "a  b c");
        assert_eq!(html("<b>\u{1b}&\u{200b}", 100), "&lt;b&gt;<i class=\"c\">ESC</i>&amp;<i class=\"c\">U+200B</i>");
    }

    #[test]
    fn a_long_text_is_cut_by_characters_and_says_so() {
        assert_eq!(plain("äöüß", 3), "äöü...");
        assert_eq!(plain("äöüß", 4), "äöüß");
        assert_eq!(html(&"x".repeat(1 << 20), 3), "xxx<i class=\"cut\">… 1048573 more</i>");
    }

    #[test]
    fn accents_pile_up_to_three() {
        assert_eq!(plain("e\u{301}", 9), "e\u{301}");
        assert_eq!(plain("e\u{301}\u{302}\u{303}\u{304}x", 9), "e\u{301}\u{302}\u{303}<U+0304>x");
    }

    proptest! {
        #[test]
        fn nothing_that_acts_is_left(text in any::<String>(), limit in 0_usize..50) {
            prop_assert!(!plain(&text, limit).chars().any(is_control));
            let page = html(&text, limit);
            prop_assert!(!page.chars().any(|letter| is_control(letter) && letter != '\n' && letter != '\t'));
            let without_labels = ["<i class=\"c\">", "<i class=\"cut\">", "</i>"]
                .iter()
                .fold(page, |page, label| page.replace(label, ""));
            prop_assert!(!without_labels.contains(['<', '>', '"']));
        }
    }
}
