//! Patterns: RE2 read, and written in the spelling of the `regex` crate.
//!
//! The two agree on nearly everything. Where they do not, RE2 counts: it has `\Q..\E`, `\C` and octal escapes, takes `[` inside of
//! brackets and a lone `{` as they stand, means ASCII by `\w \d \s \b`, and refuses `a**` and counts above 1000.

use std::{iter::Peekable, str::CharIndices};

/// What RE2 lets a counted repetition reach, nested ones multiplied.
const MAX_REPEAT: u64 = 1000;
/// The longest pattern.
const MAX_LENGTH: usize = 64 << 10;
/// How far the end of a count, of a class's name, of a group's name is looked for. Without a bound a hostile pattern costs the
/// square of its length.
const MAX_COUNT: usize = 24;
const MAX_CLASS_NAME: usize = 16;
const MAX_GROUP_NAME: usize = 128;
/// Groups nested deeper than this are refused, so that nobody's recursion is too deep.
const MAX_DEPTH: usize = 100;

/// A pattern that RE2 takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The same for the `regex` crate.
    pub(crate) translated: String,
    /// How many groups it captures.
    pub(crate) groups: usize,
}

/// Why RE2 does not take a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SyntaxError {
    /// `(?=`, `(?!`, `(?<=`, `(?<!`.
    #[error("RE2 has no look-around: `{0}`")]
    LookAround(&'static str),
    /// `\1`, `\k<name>`, `(?P=name)`.
    #[error("RE2 has no back-references: `{0}`")]
    BackReference(String),
    /// `(?>`, `a++`, `(?#`, `(?x)` and the like.
    #[error("RE2 does not have `{0}`")]
    Unsupported(String),
    /// `a**`.
    #[error("two repetitions stand one after the other: `{0}`")]
    Stacked(String),
    /// `a{5000}`.
    #[error("RE2 repeats at most 1000 times, nested repetitions multiplied")]
    TooManyRepeats,
    /// Anything else, in the words of the `regex` crate.
    #[error("{0}")]
    Syntax(String),
}

impl SyntaxError {
    /// What to do about it.
    pub(crate) fn help(&self) -> Option<&'static str> {
        match self {
            Self::LookAround(_) => Some("say it with a second statement, for example `not re.regex(..)`"),
            Self::BackReference(_) => Some("compare two values that `re.capture` takes out"),
            Self::Stacked(_) => Some("put the first into a group: `(?:a+)+`"),
            _ => None,
        }
    }
}

/// Reads a pattern as RE2 does.
///
/// # Errors
/// What RE2 does not take about it.
pub(crate) fn read(text: &str) -> Result<Pattern, SyntaxError> {
    if text.len() > MAX_LENGTH {
        return Err(SyntaxError::Syntax(format!("it is longer than {MAX_LENGTH} bytes")));
    }
    let mut reader = Reader::new(text);
    while let Some((at, character)) = reader.rest.next() {
        reader.token(at, character)?;
    }
    let Reader { output, groups, unicode_class, .. } = reader;
    syntax(&output, unicode_class)?;
    Ok(Pattern { translated: output, groups })
}

/// Asks the crate's own parser; names of Unicode classes are looked up only where there are some, because that costs.
fn syntax(translated: &str, unicode_class: bool) -> Result<(), SyntaxError> {
    let say = |error: &regex_syntax::ast::Error| SyntaxError::Syntax(error.kind().to_string());
    regex_syntax::ast::parse::Parser::new().parse(translated).map_err(|error| say(&error))?;
    if unicode_class {
        regex_syntax::parse(translated).map_err(|error| match error {
            regex_syntax::Error::Translate(error) => SyntaxError::Syntax(error.kind().to_string()),
            other => SyntaxError::Syntax(other.to_string()),
        })?;
    }
    Ok(())
}

/// What stands before a repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Last {
    /// Nothing that can be repeated.
    Nothing,
    /// A character, class or group, with the product of the counts in it.
    Atom(u64),
    /// A repetition; a `?` makes it lazy.
    Repeat,
    /// A repetition that is lazy.
    Lazy,
}

/// What stands in a class before a hyphen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Member {
    /// A character, with which a range may begin.
    Character,
    /// The start, a class, or the end of a range: a hyphen after it is a hyphen.
    Other,
}

struct Reader<'t> {
    text: &'t str,
    rest: Peekable<CharIndices<'t>>,
    output: String,
    groups: usize,
    unicode_class: bool,
    last: Last,
    /// The greatest product of counts, at the top and in each open group.
    counts: Vec<u64>,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            text,
            rest: text.char_indices().peekable(),
            output: String::with_capacity(text.len() + 8),
            groups: 0,
            unicode_class: false,
            last: Last::Nothing,
            counts: vec![1],
        }
    }

    fn token(&mut self, at: usize, character: char) -> Result<(), SyntaxError> {
        match character {
            '\\' => {
                self.escape(at, false)?;
                self.last = Last::Atom(1);
            }
            '[' => {
                self.class()?;
                self.last = Last::Atom(1);
            }
            '(' => self.open(at)?,
            ')' => {
                self.output.push(')');
                let inside = if self.counts.len() > 1 { self.counts.pop() } else { None };
                self.last = Last::Atom(inside.unwrap_or(1));
            }
            '|' => {
                self.output.push('|');
                self.last = Last::Nothing;
            }
            '*' | '+' | '?' => {
                self.output.push(character);
                self.repeat(at, 1, character == '?')?;
            }
            '{' => self.brace(at)?,
            other => {
                self.output.push(other);
                self.last = Last::Atom(1);
            }
        }
        Ok(())
    }

    fn after(&self, at: usize) -> &'t str {
        self.text.get(at..).unwrap_or_default()
    }

    /// What stands from a place up to an end, if that is within so many bytes.
    fn up_to(&self, at: usize, end: &str, bound: usize) -> Option<&'t str> {
        let rest = self.after(at).as_bytes();
        let near = rest.get(..bound).unwrap_or(rest);
        let length = near.windows(end.len()).position(|window| window == end.as_bytes())?;
        self.text.get(at..at + length)
    }

    fn skip(&mut self, characters: usize) {
        for _ in 0..characters {
            self.rest.next();
        }
    }

    fn repeat(&mut self, at: usize, count: u64, lazy: bool) -> Result<(), SyntaxError> {
        self.last = match self.last {
            Last::Repeat if lazy => Last::Lazy,
            Last::Repeat | Last::Lazy => {
                let before = self.text.get(..at).unwrap_or_default().chars().next_back().unwrap_or_default();
                let here = self.after(at).chars().next().unwrap_or_default();
                return Err(SyntaxError::Stacked(format!("{before}{here}")));
            }
            Last::Nothing => Last::Repeat,
            Last::Atom(inside) => {
                let product = inside.saturating_mul(count.max(1));
                if product > MAX_REPEAT {
                    return Err(SyntaxError::TooManyRepeats);
                }
                if let Some(most) = self.counts.last_mut() {
                    *most = product.max(*most);
                }
                Last::Repeat
            }
        };
        Ok(())
    }

    /// `{2}`, `{2,}`, `{2,3}`; anything else is a brace.
    fn brace(&mut self, at: usize) -> Result<(), SyntaxError> {
        let counted = self.up_to(at + 1, "}", MAX_COUNT).filter(|inside| {
            let (least, most) = inside.split_once(',').unwrap_or((inside, "0"));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            !least.is_empty() && digits(least) && digits(most)
        });
        let Some(inside) = counted else {
            self.output.push_str("\\{");
            self.last = Last::Atom(1);
            return Ok(());
        };
        let count =
            inside.split(',').map(|number| number.parse().unwrap_or(if number.is_empty() { 0 } else { u64::MAX }));
        let greatest = count.max().unwrap_or(0);
        if greatest > MAX_REPEAT {
            return Err(SyntaxError::TooManyRepeats);
        }
        self.repeat(at, greatest, false)?;
        self.output.push('{');
        self.output.push_str(inside);
        self.output.push('}');
        self.skip(inside.len() + 1);
        Ok(())
    }

    fn open(&mut self, at: usize) -> Result<(), SyntaxError> {
        let rest = self.after(at);
        for look in ["(?=", "(?!", "(?<=", "(?<!"] {
            if rest.starts_with(look) {
                return Err(SyntaxError::LookAround(look));
            }
        }
        if rest.starts_with("(?P=") {
            return Err(SyntaxError::BackReference("(?P=".to_owned()));
        }
        for other in ["(?>", "(?#", "(?|", "(?(", "(?R", "(?&", "(?P>"] {
            if rest.starts_with(other) {
                return Err(SyntaxError::Unsupported(other.to_owned()));
            }
        }
        if self.counts.len() > MAX_DEPTH {
            return Err(SyntaxError::Syntax(format!("groups are nested deeper than {MAX_DEPTH}")));
        }
        self.output.push('(');
        self.last = Last::Nothing;
        let named = rest.starts_with("(?P<") || rest.starts_with("(?<");
        if named || !rest.starts_with("(?") {
            self.groups += 1;
        } else {
            self.flags(at)?;
            return Ok(());
        }
        self.counts.push(1);
        if named {
            let head = self.up_to(at, ">", MAX_GROUP_NAME).unwrap_or_default();
            self.output.push_str(head.get(1..).unwrap_or_default());
            self.skip(head.chars().count().saturating_sub(1));
        }
        Ok(())
    }

    /// `(?i)` and `(?i:`.
    fn flags(&mut self, at: usize) -> Result<(), SyntaxError> {
        let rest = self.after(at + 2);
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'-').count();
        let flags = rest.get(..length).unwrap_or_default();
        if let Some(other) = flags.chars().find(|flag| !"imsU-".contains(*flag)) {
            return Err(SyntaxError::Unsupported(format!("(?{other}")));
        }
        self.output.push('?');
        self.output.push_str(flags);
        self.skip(flags.len() + 1);
        if let Some((_, end)) = self.rest.next() {
            self.output.push(end);
            if end == ':' {
                self.counts.push(1);
            }
        }
        Ok(())
    }

    /// What follows a backslash.
    fn escape(&mut self, at: usize, in_class: bool) -> Result<(), SyntaxError> {
        let Some((_, escaped)) = self.rest.next() else {
            self.output.push('\\');
            return Ok(());
        };
        match escaped {
            'Q' if !in_class => self.quoted(at + 2),
            // RE2 means one byte; texts are matched character by character here.
            'C' if !in_class => self.output.push_str("(?s:.)"),
            'b' if !in_class => self.output.push_str("(?-u:\\b)"),
            'B' if !in_class => self.output.push_str("(?-u:\\B)"),
            'd' => self.output.push_str("[0-9]"),
            'D' => self.output.push_str("[^0-9]"),
            'w' => self.output.push_str("[0-9A-Za-z_]"),
            'W' => self.output.push_str("[^0-9A-Za-z_]"),
            's' => self.output.push_str("[\\t\\n\\f\\r ]"),
            'S' => self.output.push_str("[^\\t\\n\\f\\r ]"),
            '0'..='9' => self.octal(at)?,
            'k' => return Err(SyntaxError::BackReference("\\k".to_owned())),
            other if !other.is_ascii_alphanumeric() => {
                self.output.push_str(&regex_syntax::escape(other.encode_utf8(&mut [0; 4])));
            }
            other => {
                self.unicode_class |= matches!(other, 'p' | 'P');
                self.output.push('\\');
                self.output.push(other);
                if matches!(other, 'p' | 'P' | 'x') && self.rest.next_if(|&(_, next)| next == '{').is_some() {
                    self.output.push('{');
                    while let Some((_, inside)) = self.rest.next_if(|&(_, next)| next != '}') {
                        self.output.push(inside);
                    }
                } else if matches!(other, 'p' | 'P') {
                    // `\pL`: the letter is a name, and begins no range.
                    self.output.extend(self.rest.next().map(|(_, name)| name));
                }
            }
        }
        Ok(())
    }

    /// `\Q..\E`: as it stands.
    fn quoted(&mut self, start: usize) {
        let rest = self.after(start);
        let (literal, ended) = rest.split_once("\\E").map_or((rest, false), |(literal, _)| (literal, true));
        self.output.push_str(&regex_syntax::escape(literal));
        self.skip(literal.chars().count() + if ended { 2 } else { 0 });
    }

    /// `\012`; a single digit that is not 0 would be a back-reference.
    fn octal(&mut self, at: usize) -> Result<(), SyntaxError> {
        let digits = self.after(at + 1);
        let length = digits.bytes().take(3).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        let octal = digits.get(..length).unwrap_or_default();
        if length == 0 || (length == 1 && octal != "0") {
            return Err(SyntaxError::BackReference(format!("\\{}", digits.chars().next().unwrap_or_default())));
        }
        self.skip(length - 1);
        self.output.push_str(&format!("\\x{{{:x}}}", u32::from_str_radix(octal, 8).unwrap_or(0)));
        Ok(())
    }

    /// `[..]`; inside, RE2 knows neither nesting nor operations on sets.
    fn class(&mut self) -> Result<(), SyntaxError> {
        self.output.push('[');
        if self.rest.next_if(|&(_, next)| next == '^').is_some() {
            self.output.push('^');
        }
        let mut before = Member::Other;
        if self.rest.next_if(|&(_, next)| next == ']').is_some() {
            self.output.push_str("\\]");
            before = Member::Character;
        }
        while let Some((at, character)) = self.rest.next() {
            before = match character {
                ']' => {
                    self.output.push(']');
                    return Ok(());
                }
                '-' if before == Member::Character && self.rest.peek().is_some_and(|&(_, next)| next != ']') => {
                    self.output.push('-');
                    if let Some((at, end)) = self.rest.next() {
                        self.member(at, end)?;
                    }
                    Member::Other
                }
                '[' if self.named_class(at) => Member::Other,
                other => self.member(at, other)?,
            };
        }
        Ok(())
    }

    /// One member of a class: a character, or a class such as `\w`.
    fn member(&mut self, at: usize, character: char) -> Result<Member, SyntaxError> {
        match character {
            '\\' => {
                self.escape(at, true)?;
                let is_class = self.after(at + 1).starts_with(['d', 'D', 'w', 'W', 's', 'S', 'p', 'P']);
                return Ok(if is_class { Member::Other } else { Member::Character });
            }
            // These mean more in the crate's classes.
            '[' | '-' | '&' | '~' => {
                self.output.push('\\');
                self.output.push(character);
            }
            other => self.output.push(other),
        }
        Ok(Member::Character)
    }

    /// `[:alpha:]`, if that stands there.
    fn named_class(&mut self, at: usize) -> bool {
        let named = self.up_to(at, ":]", MAX_CLASS_NAME).and_then(|named| named.strip_prefix("[:"));
        let Some(name) = named.filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'^')) else {
            return false;
        };
        self.output.push_str(&format!("[:{name}:]"));
        self.skip(name.len() + 3);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(pattern: &str) -> usize {
        read(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}")).groups
    }

    #[test]
    fn what_re2_takes_compiles_here() {
        for pattern in [
            r"a\Q.*(\Eb",
            r"\Q",
            r"x\Cy",
            r"[[]",
            r"[]a]",
            r"[^]a]",
            r"[\w-.]",
            r"[[:alpha:]-9]",
            r"[a&&b~~d-]",
            r"{",
            r"a{,3}",
            r"\{.*\}",
            r"a{2,3}?",
            r"\012\x41\x{1F600}",
            r"\<\>\_\ \-\/\'\=",
            r"(?i)cmd\.exe",
            r"(?P<name>a)(?:b)",
            r"^$",
            r"\pN\p{Greek}",
            r"[+--]",
            "",
            r"(^|;)\s*[\w.]{1,256}@",
        ] {
            let read = read(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            regex::Regex::new(&read.translated).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        }
    }

    #[test]
    fn meanings_are_those_of_re2() {
        let matches =
            |pattern: &str, text: &str| regex::Regex::new(&read(pattern).unwrap().translated).unwrap().is_match(text);
        assert!(matches(r"^\Q.*\E$", ".*"));
        assert!(!matches(r"^\w$", "é"));
        assert!(matches(r"^[\w-.]$", "-"));
        assert!(matches(r"^[[]$", "[") && matches("^[+--]+$", "+,-") && matches("^[--/]+$", "-./"));
        assert!(!matches("^[a-c-e]$", "d") && matches("^[a-c-e]+$", "b-e") && matches("^[]-_]+$", "]^_"));
        assert!(matches(r"^\101$", "A"));
        assert!(matches(r"^\<a{,3}$", "<a{,3}"));
        assert!(matches(r"^\C$", "\n"));
    }

    #[test]
    fn what_re2_lacks_is_named() {
        assert_eq!(read("a(?=b)"), Err(SyntaxError::LookAround("(?=")));
        assert_eq!(read("(?<!a)b"), Err(SyntaxError::LookAround("(?<!")));
        assert_eq!(read(r"(a)\1"), Err(SyntaxError::BackReference(r"\1".to_owned())));
        assert_eq!(read("a++"), Err(SyntaxError::Stacked("++".to_owned())));
        assert_eq!(read("(?>a)"), Err(SyntaxError::Unsupported("(?>".to_owned())));
        assert_eq!(read("(?x) a"), Err(SyntaxError::Unsupported("(?x".to_owned())));
        assert_eq!(read("a{1001}"), Err(SyntaxError::TooManyRepeats));
        assert_eq!(read("(a{100}){11}"), Err(SyntaxError::TooManyRepeats));
        for pattern in ["(", ")", "[a", "*a", "a{3,2}", r"\Z", "[z-a]", r"\p{Nothing}", r"\", "[a", "(?P<a", "(?i"] {
            assert!(read(pattern).is_err(), "{pattern}");
        }
        assert!(read(&"(".repeat(100_000)).is_err());
    }

    #[test]
    fn groups_that_capture_are_counted() {
        assert_eq!(groups(r"\(a\)"), 0);
        assert_eq!(groups(r"(a)(?:b)([(])(?P<c>d)"), 3);
        assert_eq!(groups(r"(?i)(?s:a)"), 0);
    }
}
