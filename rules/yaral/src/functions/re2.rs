//! Patterns: RE2's syntax, read as RE2 reads it, run by the crate `regex`, which is linear in time too.
//!
//! The two differ in what one would never suspect: here `\d` and `\w` are ASCII, a brace that repeats nothing is a brace, `\<` is
//! a sign and not the start of a word, and `[a&&b]` is a class of three characters. So a pattern is rewritten first.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use regex::{Regex, RegexBuilder};

/// The most memory that one compiled pattern may take, and again as much for its states.
const SIZE_LIMIT: usize = 2 << 20;
/// The longest pattern.
const MAX_LENGTH: usize = 64 << 10;
/// RE2's limit of repetitions.
const MAX_REPETITIONS: u32 = 1000;
/// How many compiled patterns are kept.
const CACHED: usize = 64;

/// A pattern that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// RE2 would refuse it.
    #[error("the pattern is not valid in RE2: {0}")]
    Invalid(String),
    /// It is too large.
    #[error("the pattern is too large; write a shorter one, or repeat less")]
    TooLarge,
}

/// Compiles a pattern as RE2 reads it.
///
/// # Errors
/// It is not valid, or too large.
pub fn compile(pattern: &str, nocase: bool) -> Result<Regex, PatternError> {
    if pattern.len() > MAX_LENGTH {
        return Err(PatternError::TooLarge);
    }
    let translated = Translation::of(pattern)?;
    let mut builder = RegexBuilder::new(&translated);
    builder.case_insensitive(nocase).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).nest_limit(200);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => PatternError::TooLarge,
        other => PatternError::Invalid(last_line(&other.to_string())),
    })
}

/// The crate draws the pattern with a mark; of that only the reason is of use here.
fn last_line(message: &str) -> String {
    let line = message.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(message);
    line.trim().trim_start_matches("error: ").to_owned()
}

/// Compiled patterns, the oldest dropped first. One for each thread that runs rules.
#[derive(Debug, Default)]
pub struct PatternCache {
    compiled: HashMap<(Arc<str>, bool), Regex>,
    order: VecDeque<(Arc<str>, bool)>,
}

impl PatternCache {
    /// The compiled pattern.
    ///
    /// # Errors
    /// As [`compile`].
    pub fn get(&mut self, pattern: &Arc<str>, nocase: bool) -> Result<Regex, PatternError> {
        let key = (Arc::clone(pattern), nocase);
        if let Some(found) = self.compiled.get(&key) {
            return Ok(found.clone());
        }
        let regex = compile(pattern, nocase)?;
        if self.order.len() >= CACHED
            && let Some(oldest) = self.order.pop_front()
        {
            self.compiled.remove(&oldest);
        }
        self.order.push_back(key.clone());
        self.compiled.insert(key, regex.clone());
        Ok(regex)
    }
}

/// A pattern on its way into the other syntax.
struct Translation<'a> {
    rest: &'a str,
    out: String,
}

impl<'a> Translation<'a> {
    fn of(pattern: &'a str) -> Result<String, PatternError> {
        let mut translation = Self { rest: pattern, out: String::with_capacity(pattern.len() + 8) };
        while let Some(letter) = translation.next() {
            match letter {
                '\\' => translation.escape(false)?,
                '[' => translation.class()?,
                '{' => translation.brace()?,
                '(' if translation.rest.starts_with('?') => translation.group()?,
                other => translation.out.push(other),
            }
        }
        Ok(translation.out)
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    /// After a backslash.
    fn escape(&mut self, in_class: bool) -> Result<(), PatternError> {
        let Some(letter) = self.next() else {
            return Err(PatternError::Invalid("a backslash at the end".to_owned()));
        };
        let bracketed = |inside: &str| if in_class { inside.to_owned() } else { format!("[{inside}]") };
        match letter {
            'd' => self.out.push_str(&bracketed("0-9")),
            'w' => self.out.push_str(&bracketed("0-9A-Za-z_")),
            's' => self.out.push_str(&bracketed("\\t\\n\\x0C\\r ")),
            'D' => self.out.push_str("[^0-9]"),
            'W' => self.out.push_str("[^0-9A-Za-z_]"),
            'S' => self.out.push_str("[^\\t\\n\\x0C\\r ]"),
            'b' if !in_class => self.out.push_str("(?-u:\\b)"),
            'B' if !in_class => self.out.push_str("(?-u:\\B)"),
            'Q' if !in_class => self.quotation(),
            'p' | 'P' | 'x' => {
                self.out.push('\\');
                self.out.push(letter);
                self.braced();
            }
            '0'..='7' => self.octal(letter)?,
            'A' | 'z' if !in_class => self.verbatim(letter),
            'a' | 'f' | 'n' | 'r' | 't' | 'v' => self.verbatim(letter),
            'C' => return Err(PatternError::Invalid("`\\C`, a single byte, is not supported here".to_owned())),
            '<' | '>' => self.out.push(letter),
            other if other.is_ascii_alphanumeric() => {
                return Err(PatternError::Invalid(format!("unknown escape `\\{other}`")));
            }
            other if other.is_ascii() => self.verbatim(other),
            other => self.out.push(other),
        }
        Ok(())
    }

    fn verbatim(&mut self, escaped: char) {
        self.out.push('\\');
        self.out.push(escaped);
    }

    /// `{Greek}` after `\p`, `{1F600}` after `\x`.
    fn braced(&mut self) {
        if self.rest.starts_with('{')
            && let Some(end) = self.rest.find('}')
        {
            self.out.push_str(&self.rest[..=end]);
            self.rest = &self.rest[end + 1..];
        }
    }

    /// `\012`: up to three digits, two of them unless the first is 0; with one alone it would name a group.
    fn octal(&mut self, first: char) -> Result<(), PatternError> {
        let digits = self.rest.bytes().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
        if digits == 0 && first != '0' {
            return Err(PatternError::Invalid(format!("`\\{first}`, a reference to a group, is not supported")));
        }
        let code = format!("{first}{}", &self.rest[..digits]);
        self.rest = &self.rest[digits..];
        let code = u32::from_str_radix(&code, 8).unwrap_or_default();
        self.out.push_str(&format!("\\x{{{code:X}}}"));
        Ok(())
    }

    /// `\Q..\E`: as it stands.
    fn quotation(&mut self) {
        let (quoted, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.out.push_str(&regex::escape(quoted));
        self.rest = rest;
    }

    /// A brace repeats only as `{2}`, `{2,}`, `{2,3}`.
    fn brace(&mut self) -> Result<(), PatternError> {
        let inside = self.rest.split_once('}').map(|(inside, _)| inside).filter(|inside| repeats(inside));
        let Some(inside) = inside else {
            self.out.push_str("\\{");
            return Ok(());
        };
        let too_often =
            |number: &str| !number.is_empty() && number.parse().map_or(true, |count: u32| count > MAX_REPETITIONS);
        if inside.split(',').any(too_often) {
            return Err(PatternError::Invalid(format!("more than {MAX_REPETITIONS} repetitions")));
        }
        self.out.push('{');
        self.out.push_str(inside);
        self.out.push('}');
        self.rest = &self.rest[inside.len() + 1..];
        Ok(())
    }

    /// `(?..`: a name, or flags among those that RE2 has; the rest `regex` refuses by itself.
    fn group(&mut self) -> Result<(), PatternError> {
        let flags: String =
            self.rest[1..].chars().take_while(|letter| letter.is_ascii_alphabetic() || *letter == '-').collect();
        let ends = self.rest[1 + flags.len()..].starts_with([':', ')']);
        if let Some(unknown) = flags.chars().find(|flag| !matches!(flag, 'i' | 'm' | 's' | 'U' | '-'))
            && ends
        {
            return Err(PatternError::Invalid(format!("RE2 has no flag `{unknown}`")));
        }
        self.out.push('(');
        Ok(())
    }

    /// After `[`.
    fn class(&mut self) -> Result<(), PatternError> {
        self.out.push('[');
        if self.rest.starts_with('^') {
            self.next();
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(letter) = self.next() else {
                return Err(PatternError::Invalid("missing closing `]`".to_owned()));
            };
            match letter {
                ']' if !first => break,
                ']' => self.out.push_str("\\]"),
                '\\' => self.escape(true)?,
                '[' if self.rest.starts_with(':') && self.rest.contains(":]") => self.named_class(),
                '[' | '&' | '~' => self.verbatim(letter),
                // Two in a row would take one class from another.
                '-' if self.out.ends_with('-') && !self.out.ends_with("\\-") => self.verbatim('-'),
                other => self.out.push(other),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:alpha:]`.
    fn named_class(&mut self) {
        let end = self.rest.find(":]").map_or(self.rest.len(), |end| end + 2);
        self.out.push('[');
        self.out.push_str(&self.rest[..end]);
        self.rest = &self.rest[end..];
    }
}

/// `2`, `2,` or `2,3`.
fn repeats(inside: &str) -> bool {
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    !least.is_empty() && digits(least) && digits(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        compile(pattern, false).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text)
    }

    #[test]
    fn classes_are_ascii() {
        assert!(matches(r"^\d\w\s$", "1a "));
        assert!(!matches(r"\d", "٣") && matches(r"\D", "٣"));
        assert!(!matches(r"\w", "é") && matches(r"[^\w]", "é") && matches(r"[\W\d]", "é"));
        assert!(matches(r"\bcaf\b", "café"));
        assert!(matches(r"a\Bb", "ab") && matches(r"\p{Greek}\pL", "λé"));
    }

    #[test]
    fn signs_that_mean_more_elsewhere_are_signs() {
        assert!(matches(r"\$\{jndi:", "${jndi:ldap"));
        assert!(matches(r"${", "") == matches(r"$\{", ""));
        assert!(matches(r"a{,3}", "a{,3}") && matches("x{y}", "x{y}") && matches("^a{2,3}$", "aaa"));
        assert!(matches(r"^\<b\>$", "<b>"));
        assert!(matches("^[a&&b]$", "&") && matches("^[a~~b]$", "~") && matches("^[[a]$", "["));
        assert!(matches("^[]a]+$", "]a") && matches("^[^]a]$", "b") && matches("^[a-c-]+$", "b-"));
        assert!(matches("^[+--]+$", "+,-") && matches("^[[:alpha:]_]+$", "ab_"));
        assert!(matches(r"^\Qa.b{\E$", "a.b{") && matches(r"\Qa.b", "a.b"));
        assert!(matches(r"^\101\x41\x{41}\0$", "AAA\0"));
        assert!(matches(r"^\é\-\/$", "é-/"));
    }

    #[test]
    fn what_re2_refuses_is_refused() {
        for pattern in
            ["(?=a)", "(?<!a)b", r"(a)\1", "(?x)a", "(?u:a)", "a{1001}", "a(", "[a", r"\", r"\y", r"\Z", r"\C", "*a"]
        {
            let error = compile(pattern, false).unwrap_err();
            assert!(matches!(error, PatternError::Invalid(ref reason) if !reason.contains('\n')), "{pattern}: {error}");
        }
        assert_eq!(compile("((a{100}){100}){100}", false).unwrap_err(), PatternError::TooLarge);
        assert_eq!(compile(&"a".repeat(100_000), false).unwrap_err(), PatternError::TooLarge);
        assert!(compile(&"(".repeat(10_000), false).is_err());
    }

    #[test]
    fn names_and_flags_of_re2_are_kept() {
        assert!(matches("(?i)abc", "ABC") && matches("(?s)a.c", "a\nc") && matches("(?im:^b)", "a\nB"));
        assert!(matches("(?P<name>a)(?<other>b)(?:c)", "abc"));
        assert!(compile("abc", true).unwrap().is_match("ABC"));
    }

    #[test]
    fn the_cache_stays_small() {
        let mut cache = PatternCache::default();
        for number in 0..500 {
            cache.get(&Arc::from(format!("a{number}")), number % 2 == 0).unwrap();
        }
        assert!(cache.compiled.len() == CACHED && cache.order.len() == CACHED);
        assert!(cache.get(&Arc::from("a499"), false).unwrap().is_match("a499"));
    }
}
