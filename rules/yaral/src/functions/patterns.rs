//! `re.*`.
//!
//! One search is linear, but all matches of a text may take its square: `.*[^A-Z]|[A-Z]` on capitals looks at the whole rest for
//! each letter. So what a search may have looked at is added up, and the work is given up before it takes long.

use std::sync::Arc;

use regex::{Captures, Regex};

use super::{Arguments, FunctionError, strings::Builder, strings::collected};
use crate::eval::Value;

type Outcome = Result<Value, FunctionError>;

/// How many bytes all searches of a call may look at, in the worst case.
const MAX_WORK: usize = 1 << 30;

pub(super) fn regex(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Bool(arguments.pattern(1)?.is_match(&arguments.text(0)?)))
}

pub(super) fn capture(arguments: &Arguments<'_>) -> Outcome {
    let regex = with_one_group(arguments)?;
    let text = arguments.text(0)?;
    Ok(Value::from(regex.captures(&text).map_or("", |found| part(&regex, &found))))
}

pub(super) fn capture_all(arguments: &Arguments<'_>) -> Outcome {
    let regex = with_one_group(arguments)?;
    let text = arguments.text(0)?;
    let mut work = Work { left: MAX_WORK, length: text.len() };
    let mut found: Vec<Arc<str>> = Vec::new();
    for captures in regex.captures_iter(&text) {
        work.searched_from(captures.get_match().end())?;
        found.push(Arc::from(part(&regex, &captures)));
    }
    collected(found.into_iter())
}

/// The pattern, unless it has several groups.
fn with_one_group(arguments: &Arguments<'_>) -> Result<Regex, FunctionError> {
    let regex = arguments.pattern(1)?;
    if regex.captures_len() > 2 {
        return Err(FunctionError::Argument { position: 2, expected: "a pattern with one group at most" });
    }
    Ok(regex)
}

/// The one group, or else the whole match.
fn part<'t>(regex: &Regex, captures: &Captures<'t>) -> &'t str {
    captures.get(regex.captures_len() - 1).map_or("", |group| group.as_str())
}

pub(super) fn replace(arguments: &Arguments<'_>) -> Outcome {
    let regex = arguments.pattern(1)?;
    let text = arguments.text(0)?;
    let replacement = arguments.text(2)?;
    let pieces = pieces(&replacement)?;
    let missing = |piece: &&Piece<'_>| matches!(piece, Piece::Group(group) if *group >= regex.captures_len());
    if let Some(Piece::Group(group)) = pieces.iter().find(missing) {
        return Err(FunctionError::ReplacementGroup { group: *group });
    }
    let mut work = Work { left: MAX_WORK, length: text.len() };
    let mut built = Builder::default();
    let mut copied = 0;
    for captures in regex.captures_iter(&text) {
        let whole = captures.get_match();
        work.searched_from(whole.end())?;
        built.push(&text[copied..whole.start()])?;
        for piece in &pieces {
            match piece {
                Piece::Text(text) => built.push(text)?,
                Piece::Group(group) => built.push(captures.get(*group).map_or("", |group| group.as_str()))?,
            }
        }
        copied = whole.end();
    }
    built.push(&text[copied..])?;
    Ok(built.done())
}

/// What the searches so far may have looked at.
struct Work {
    left: usize,
    length: usize,
}

impl Work {
    fn searched_from(&mut self, end: usize) -> Result<(), FunctionError> {
        self.left = self.left.checked_sub(self.length - end).ok_or(FunctionError::TooLarge)?;
        Ok(())
    }
}

/// A part of a replacement.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    Group(usize),
}

fn pieces(replacement: &str) -> Result<Vec<Piece<'_>>, FunctionError> {
    let mut pieces = Vec::new();
    let mut rest = replacement;
    while let Some((before, after)) = rest.split_once('\\') {
        pieces.push(Piece::Text(before));
        match after.bytes().next() {
            Some(digit @ b'0'..=b'9') => pieces.push(Piece::Group(usize::from(digit - b'0'))),
            Some(b'\\') => pieces.push(Piece::Text("\\")),
            _ => return Err(FunctionError::Replacement),
        }
        rest = &after[1..];
    }
    pieces.push(Piece::Text(rest));
    Ok(pieces)
}

/// The highest group that a replacement names: `\2` needs two groups.
///
/// # Errors
/// A backslash stands before something that is neither a digit nor a backslash.
pub fn highest_group(replacement: &str) -> Result<usize, FunctionError> {
    let groups = pieces(replacement)?.into_iter().map(|piece| match piece {
        Piece::Text(_) => 0,
        Piece::Group(group) => group,
    });
    Ok(groups.max().unwrap_or(0))
}
