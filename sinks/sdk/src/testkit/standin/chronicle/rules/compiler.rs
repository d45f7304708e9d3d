//! What the stand-in's compiler says of a text. Whoever has a real one plugs it in; this one looks at the outline only.

use crate::rules::CompileDiagnostic;

/// What compiling a text gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compiled {
    /// The name that the text declares.
    pub name: String,
    /// Whether it counts as a rule over several events.
    pub multi_event: bool,
    /// The match window in seconds.
    pub window_seconds: Option<u64>,
    /// What the compiler says; an error among it means that the text is refused.
    pub diagnostics: Vec<CompileDiagnostic>,
}

impl Compiled {
    /// Whether the text is taken.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        !self.diagnostics.iter().any(|diagnostic| diagnostic.error)
    }
}

/// Looks at the outline of a rule: `rule NAME {`, the sections that must be there, braces.
#[must_use]
pub fn plausible(text: &str) -> Compiled {
    let code = without_texts(text);
    let mut compiled = Compiled { multi_event: section(&code, "match").is_some(), ..Compiled::default() };
    compiled.window_seconds = compiled.multi_event.then(|| window(&code)).flatten();
    let trimmed = code.trim_start();
    let start = code.len() - trimmed.len();
    let declared = trimmed.strip_prefix("rule").filter(|rest| rest.starts_with(char::is_whitespace));
    let rest = declared.unwrap_or_default().trim_start();
    compiled.name = rest.chars().take_while(|&letter| letter.is_ascii_alphanumeric() || letter == '_').collect();
    let mut refuse = |message: String, at: usize| {
        let start = Some(place(text, at));
        compiled.diagnostics.push(CompileDiagnostic { message: format!("parsing: {message}"), error: true, start });
    };
    if compiled.name.is_empty() || !rest[compiled.name.len()..].trim_start().starts_with('{') {
        refuse("expected `rule NAME {`".to_owned(), start);
    }
    for required in ["meta", "events", "condition"] {
        if section(&code, required).is_none() {
            refuse(format!("missing section \"{required}\""), start);
        }
    }
    match end_of_braces(&code) {
        Ok(end) if code[end..].trim().is_empty() => {}
        Ok(end) => refuse("expected the end after the rule".to_owned(), end),
        Err(at) => refuse("unbalanced braces".to_owned(), at),
    }
    compiled
}

/// The text with spaces for whatever stands in quotes or comments; every byte keeps its place.
fn without_texts(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest {
            [b'/', b'/', ..] => rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => rest.windows(2).skip(2).position(|pair| pair == b"*/").map_or(rest.len(), |at| at + 4),
            [quote @ (b'"' | b'`'), ..] => quoted(rest, *quote),
            _ => 0,
        };
        match length {
            0 => code.push(if rest[0].is_ascii() { rest[0] } else { b'?' }),
            _ => code.extend(rest[..length].iter().map(|&byte| if byte == b'\n' { b'\n' } else { b' ' })),
        }
        at += length.max(1);
    }
    String::from_utf8(code).unwrap_or_default()
}

/// The length of a text in quotes, both of them counted.
fn quoted(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' if quote == b'"' => at += 1,
            byte if byte == quote => return at + 1,
            _ => {}
        }
        at += 1;
    }
    rest.len()
}

/// Where a section begins: its name as a word of its own, and a colon.
fn section(code: &str, name: &str) -> Option<usize> {
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || "_.$#%".contains(letter);
    code.match_indices(name)
        .map(|(at, _)| at)
        .find(|&at| !code[..at].ends_with(is_word) && code[at + name.len()..].trim_start().starts_with(':'))
}

/// The `5m` of `over 5m` in seconds.
fn window(code: &str) -> Option<u64> {
    let (_, rest) = code.split_once(" over ").or_else(|| code.split_once(" by "))?;
    let rest = rest.trim_start();
    let digits = rest.len() - rest.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
    let unit = match rest[digits..].chars().next()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    rest[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

/// The byte after the brace that closes the first one; where it goes wrong otherwise.
fn end_of_braces(code: &str) -> Result<usize, usize> {
    let mut open = 0_usize;
    for (at, byte) in code.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Err(at),
            b'}' if open == 1 => return Ok(at + 1),
            b'}' => open -= 1,
            _ => {}
        }
    }
    Err(code.len())
}

/// Line and column of a byte, from 1.
fn place(text: &str, byte: usize) -> (u32, u32) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}
