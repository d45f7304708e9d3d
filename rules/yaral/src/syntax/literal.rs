//! The values of literals. An escape that nobody knows keeps its backslash: patterns written in quotes rely on it.

/// The content of a text in double quotes, quotes included.
pub(super) fn quoted(token: &str) -> String {
    let inner = token.strip_prefix('"').unwrap_or(token);
    let inner = inner.strip_suffix('"').unwrap_or(inner);
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut value = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            value.push(character);
            continue;
        }
        match characters.next() {
            Some('t') => value.push('\t'),
            Some('n') => value.push('\n'),
            Some('r') => value.push('\r'),
            Some(known @ ('\\' | '"')) => value.push(known),
            Some(unknown) => value.extend(['\\', unknown]),
            None => value.push('\\'),
        }
    }
    value
}

/// The content of a text in back quotes, of a text in foreign quotes.
pub(super) fn between(token: &str) -> String {
    let mut characters = token.chars();
    let open = characters.next();
    let inner = characters.as_str();
    let close = match open {
        Some('\u{201c}' | '\u{201d}' | '\u{201e}') => '\u{201d}',
        Some('\u{2018}' | '\u{2019}') => '\u{2019}',
        Some(other) => other,
        None => return String::new(),
    };
    inner.strip_suffix(close).unwrap_or(inner).to_owned()
}

/// The pattern between slashes; only `\/` is resolved.
pub(super) fn pattern(token: &str) -> String {
    let inner = token.strip_prefix('/').unwrap_or(token);
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if !inner.contains("\\/") {
        return inner.to_owned();
    }
    let mut value = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('/') => value.push('/'),
                Some(other) => value.extend(['\\', other]),
                None => value.push('\\'),
            },
            (plain, false) => value.push(plain),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_resolved_and_unknown_ones_kept() {
        assert_eq!(quoted(r#""a\tb\\c\"d\.e""#), "a\tb\\c\"d\\.e");
        assert_eq!(quoted("\"\""), "");
    }

    #[test]
    fn a_pattern_keeps_all_but_its_slashes() {
        assert_eq!(pattern(r"/a\/b\\\.c/"), r"a/b\\\.c");
        assert_eq!(pattern(r"/a\\/"), r"a\\");
    }

    #[test]
    fn raw_texts_have_no_escapes() {
        assert_eq!(between(r"`a\n`"), r"a\n");
        assert_eq!(between("\u{201c}a\u{201d}"), "a");
    }
}
