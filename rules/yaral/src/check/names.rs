//! Names in messages: shortened, control characters escaped, and the nearest one that exists.

use crate::diagnostic::Diagnostic;

/// Longer names are cut.
const MAX_SHOWN: usize = 80;

/// A name or a text of the rule as a message can show it.
pub(super) fn shown(name: &str) -> String {
    let mut text: String = name.chars().take(MAX_SHOWN).flat_map(escaped).collect();
    if name.chars().nth(MAX_SHOWN).is_some() {
        text.push_str("..");
    }
    text
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}

/// With "did you mean", where something is near. The sign stands before the name: `$` of variables.
pub(super) fn did_you_mean<'a>(
    diagnostic: Diagnostic,
    sign: &str,
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Diagnostic {
    match watchbell_udm::schema::nearest(written, known) {
        Some(near) => diagnostic.help(format!("did you mean `{sign}{near}`?")),
        None => diagnostic,
    }
}

/// Some of the names, the nearest first: `a, b, c and 20 more`.
pub(super) fn some_of<'a>(written: &str, known: impl Iterator<Item = &'a str>, most: usize) -> String {
    let written = written.get(..MAX_SHOWN).unwrap_or(written).to_ascii_lowercase();
    let mut ranked: Vec<(usize, &str)> = known.map(|name| (distance(&written, name), name)).collect();
    ranked.sort_unstable();
    let names: Vec<&str> = ranked.iter().take(most).map(|&(_, name)| name).collect();
    let more = ranked.len().saturating_sub(names.len());
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", names.join(", "))
}

fn distance(written: &str, name: &str) -> usize {
    if written.len() > MAX_SHOWN { 0 } else { strsim::damerau_levenshtein(written, &name.to_ascii_lowercase()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_to_show() {
        assert_eq!(shown("a\u{1b}[31m"), "a\\u{1b}[31m");
        assert_eq!(shown(&"x".repeat(100)).len(), MAX_SHOWN + 2);
    }

    #[test]
    fn the_nearest_stand_first() {
        assert_eq!(some_of("useridd", ["email", "userid", "groups"].into_iter(), 2), "userid, groups and 1 more");
    }
}
