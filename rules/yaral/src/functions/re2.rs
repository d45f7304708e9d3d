//! Patterns: RE2's syntax, read as RE2 reads it, run by the crate `regex`, which is linear in time too.
//!
//! The two differ in what one would never suspect: here `\d` and `\w` are ASCII, a brace that repeats nothing is a brace, `\<` is
//! a sign and not the start of a word, and `[a&&b]` is a class of three characters. So a pattern is rewritten first.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use regex::{Regex, RegexBuilder};

use super::re2_syntax;

/// The most memory that one compiled pattern may take, and again as much for its states.
const SIZE_LIMIT: usize = 2 << 20;
/// The longest pattern.
const MAX_LENGTH: usize = 64 << 10;
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
    compile_within(pattern, nocase, SIZE_LIMIT)
}

/// Compiles a pattern that may take only so many bytes of memory.
///
/// # Errors
/// It is not valid, or too large.
pub(crate) fn compile_within(pattern: &str, nocase: bool, size: usize) -> Result<Regex, PatternError> {
    if pattern.len() > MAX_LENGTH {
        return Err(PatternError::TooLarge);
    }
    let translated = re2_syntax::read(pattern).map_err(|error| PatternError::Invalid(error.to_string()))?.translated;
    let mut builder = RegexBuilder::new(&translated);
    builder.case_insensitive(nocase).size_limit(size).dfa_size_limit(size).nest_limit(200);
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
            ["(?=a)", "(?<!a)b", r"(a)\1", "(?x)a", "(?u:a)", "a{1001}", "a(", "[a", r"\", r"\y", r"\Z", "*a"]
        {
            let error = compile(pattern, false).unwrap_err();
            assert!(matches!(error, PatternError::Invalid(ref reason) if !reason.contains('\n')), "{pattern}: {error}");
        }
        assert!(compile("((a{100}){100}){100}", false).is_err());
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
