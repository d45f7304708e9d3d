//! Just enough of Rust's grammar to look at names without being fooled by comments and texts.

/// A word, `::`, or one sign, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) line: usize,
    pub(super) text: String,
}

/// The tokens of a file without comments, texts, characters and lifetimes.
pub(super) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let (mut tokens, mut line, mut at) = (Vec::new(), 1, 0);
    while at < chars.len() {
        let end = end_of_token(&chars, at);
        let text: String = chars[at..end].iter().collect();
        let is_name = is_name_start(chars[at]) && !text.contains(['"', '\'', '#']);
        if is_name || text == "::" || (end == at + 1 && !chars[at].is_whitespace()) {
            tokens.push(Token { line, text });
        }
        line += chars[at..end].iter().filter(|&&c| c == '\n').count();
        at = end;
    }
    tokens
}

/// The same without what is compiled for tests only.
pub(super) fn tokens_outside_tests(source: &str) -> Vec<Token> {
    let all = tokens(source);
    let (mut kept, mut at) = (Vec::new(), 0);
    while at < all.len() {
        if starts_with(&all[at..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            at = end_of_item(&all, at + 7);
        } else {
            kept.push(all[at].clone());
            at += 1;
        }
    }
    kept
}

/// The modules in files of their own that are compiled for tests only.
pub(super) fn test_modules(source: &str) -> Vec<String> {
    let all = tokens(source);
    let mut names = Vec::new();
    for position in 0..all.len() {
        if starts_with(&all[position..], &["#", "[", "cfg", "(", "test", ")", "]"]) {
            let item = &all[position + 7..end_of_item(&all, position + 7)];
            let declaration = item.windows(3).find(|window| window[0].text == "mod");
            names.extend(declaration.filter(|window| window[2].text == ";").map(|window| window[1].text.clone()));
        }
    }
    names
}

/// Whether the tokens begin with these.
pub(super) fn starts_with(tokens: &[Token], expected: &[&str]) -> bool {
    tokens.len() >= expected.len() && tokens.iter().zip(expected).all(|(token, text)| token.text == *text)
}

/// Past the `;` or the closing brace that ends the item.
fn end_of_item(tokens: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (position, token) in tokens.iter().enumerate().skip(start) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" if depth <= 1 => return position + 1,
            "}" => depth -= 1,
            ";" if depth == 0 => return position + 1,
            _ => {}
        }
    }
    tokens.len()
}

fn end_of_token(chars: &[char], at: usize) -> usize {
    let next = chars.get(at + 1).copied();
    match chars[at] {
        '/' if next == Some('/') => find(chars, at, |rest| rest[0] == '\n'),
        '/' if next == Some('*') => find(chars, at + 2, |rest| rest.starts_with(&['*', '/'])) + 2,
        '"' => end_of_text(chars, at + 1),
        '\'' => end_of_char(chars, at),
        ':' if next == Some(':') => at + 2,
        c if is_name_start(c) => {
            let end = find(chars, at, |rest| !is_name_start(rest[0]) && !rest[0].is_ascii_digit());
            let word: String = chars[at..end].iter().collect();
            match (word.as_str(), chars.get(end)) {
                ("r" | "br" | "cr", Some('"' | '#')) => end_of_raw_text(chars, end),
                ("b" | "c", Some('"')) => end_of_text(chars, end + 1),
                ("b", Some('\'')) => end_of_char(chars, end),
                _ => end,
            }
        }
        _ => at + 1,
    }
    .min(chars.len())
}

fn is_name_start(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn find(chars: &[char], from: usize, ends: impl Fn(&[char]) -> bool) -> usize {
    (from..chars.len()).find(|&at| ends(&chars[at..])).unwrap_or(chars.len())
}

fn end_of_text(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() && chars[at] != '"' {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// From the first `#` or quote behind `r`; `r#name` ends behind its `#`.
fn end_of_raw_text(chars: &[char], start: usize) -> usize {
    let quote = find(chars, start, |rest| rest[0] != '#');
    if chars.get(quote) != Some(&'"') {
        return quote;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', quote - start)).collect();
    find(chars, quote + 1, |rest| rest.starts_with(&end)) + end.len()
}

/// A character, or the sign alone where a lifetime begins.
fn end_of_char(chars: &[char], quote: usize) -> usize {
    match (chars.get(quote + 1), chars.get(quote + 2)) {
        (Some('\\'), _) => find(chars, quote + 3, |rest| rest[0] == '\'') + 1,
        (Some(_), Some('\'')) => quote + 3,
        _ => find(chars, quote + 1, |rest| !is_name_start(rest[0]) && !rest[0].is_ascii_digit()),
    }
}

#[test]
fn comments_texts_and_lifetimes_are_no_names() {
    let source =
        "// a::b\n/* c */ d::e(\"f \\\" g\", r#\"h \" i\"#, 'j', '\\'', b\"k\", b'l'); fn m<'n>(_: &'n r#type) {}";
    let found: Vec<String> = tokens(source).into_iter().map(|token| token.text).collect();
    let names: Vec<&String> =
        found.iter().filter(|text| is_name_start(text.chars().next().expect("not empty"))).collect();
    assert_eq!(names, ["d", "e", "fn", "m", "_", "type"]);
    assert_eq!(tokens(source).last().map(|token| token.line), Some(2));
}

#[test]
fn modules_for_tests_are_known_by_name() {
    let source =
        "mod a; #[cfg(test)] mod b; #[cfg(test)] pub(crate) mod c; #[cfg(test)] mod d { mod e; } #[cfg(test)] use f;";
    assert_eq!(test_modules(source), ["b", "c"]);
}

#[test]
fn test_items_are_left_out_and_the_rest_stays() {
    let source = "fn a() {} #[cfg(test)] mod tests { fn b() { if c {} } } fn d() {} #[cfg(test)] use e::f; fn g() {}";
    let kept: String = tokens_outside_tests(source).into_iter().map(|token| token.text + " ").collect();
    assert_eq!(kept, "fn a ( ) { } fn d ( ) { } fn g ( ) { } ");
}
