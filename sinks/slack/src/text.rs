//! Log text made harmless and short. Pure.
//!
//! Most of it goes out as `plain_text`, which Slack makes nothing of. Short values stand in markup as code: there `&`, `<`
//! and `>` are escaped, so that no mention, link or date can begin, and a backtick can't end the code.

/// Shown instead of an empty text, which Slack refuses.
const NOTHING: &str = "(empty)";

/// Length as Slack counts it at worst: in UTF-16 units, the escapes counted.
pub(crate) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Text for a `plain_text` object of at most so many units: one line, whatever is invisible or turns the writing around
/// spelled out.
pub(crate) fn plain(text: &str, most: usize) -> String {
    within(text, most, spelled)
}

/// A value as code, in markup, of at most so many units.
pub(crate) fn code(text: &str, most: usize) -> String {
    let inner = within(text, most.saturating_sub(2), |letter| match letter {
        '`' => "\u{2b9}".to_owned(),
        _ => escaped(letter),
    });
    format!("`{inner}`")
}

/// Text for markup of at most so many units, in which nothing is marked up.
pub(crate) fn inert(text: &str, most: usize) -> String {
    within(text, most, |letter| match letter {
        // Formatting begins and ends with these; their look-alikes don't format.
        '*' => "\u{2217}".to_owned(),
        '_' => "\u{2cd}".to_owned(),
        '~' => "\u{223c}".to_owned(),
        '`' => "\u{2b9}".to_owned(),
        _ => escaped(letter),
    })
}

fn escaped(letter: char) -> String {
    match letter {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        _ => spelled(letter),
    }
}

fn spelled(letter: char) -> String {
    let hidden =
        matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    match letter {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => " ".to_owned(),
        _ if letter.is_control() || hidden => letter.escape_unicode().to_string(),
        _ => letter.to_string(),
    }
}

/// Letter by letter until the next one would not fit; a letter's spelling is never cut.
fn within(text: &str, most: usize, spelling: impl Fn(char) -> String) -> String {
    let text = text.trim();
    if text.is_empty() {
        return NOTHING.chars().take(most).collect();
    }
    let (mut out, mut used) = (String::new(), 0);
    // Where to cut when it turns out too long: one unit is for the ellipsis.
    let mut last_fit = 0;
    for letter in text.chars() {
        let next = spelling(letter);
        used += length(&next);
        if used > most {
            out.truncate(last_fit);
            out.push('…');
            return out;
        }
        out.push_str(&next);
        if used < most {
            last_fit = out.len();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_letters() {
        assert_eq!(plain("abcdef", 6), "abcdef");
        assert_eq!(plain("abcdef", 5), "abcd…");
        assert_eq!(plain(" \n ", 10), "(empty)");
        assert_eq!(code("a<b", 12), "`a&lt;b`");
        assert_eq!(code("a<<<<", 10), "`a&lt;…`");
        assert_eq!(plain("\u{1f469}\u{1f469}\u{1f469}", 5), "\u{1f469}\u{1f469}…");
        for most in 1..40 {
            for text in ["<!channel> <@U1> `x` & \u{202e}gnp", "\u{1f469}\u{1f469}\u{1f469}\u{1f469}", "abc"] {
                assert!(length(&plain(text, most)) <= most);
                assert!(length(&inert(text, most)) <= most);
                assert!(length(&code(text, most + 2)) <= most + 2);
            }
        }
    }

    #[test]
    fn nothing_means_anything_any_more() {
        assert_eq!(code("`<!channel>`\u{202e}", 80), "`\u{2b9}&lt;!channel&gt;\u{2b9}\\u{202e}`");
        assert_eq!(inert("*b* :x: <@U1>", 80), "\u{2217}b\u{2217} :x: &lt;@U1&gt;");
        assert_eq!(plain("a\nb\u{1b}[2J", 80), "a\\nb\\u{1b}[2J");
    }
}
