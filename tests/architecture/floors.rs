//! Invariant 1: a floor names no later floor. The order is the one in which `src/lib.rs` declares them.

use super::{
    File, assert_none, assert_one, files_below,
    tokens::{Token, starts_with, tokens},
};

/// Floors that are fronts, each with what it may name beside itself. `app` re-exports the types that its calls take and
/// return; fronts that listen on HTTP have the door in common; the command line also starts the other fronts.
const FRONTS: [(&str, &[&str]); 3] =
    [("api", &["app", "door"]), ("mcp", &["app", "door"]), ("cli", &["app", "api", "mcp"])];

/// The floors in the order of the data.
pub(super) fn floors(library: &str) -> Vec<String> {
    let tokens = tokens(library);
    let declared = tokens.windows(4).filter(|window| starts_with(window, &["pub", "mod"]) && window[3].text == ";");
    declared.map(|window| window[2].text.clone()).collect()
}

/// A path that begins at the crate's root: the name that follows, and the line.
#[derive(Debug, PartialEq, Eq)]
struct Mention {
    name: String,
    line: usize,
}

/// The floor that a file belongs to.
fn floor_of(path: &str) -> &str {
    let inside = path.strip_prefix("src/").unwrap_or(path);
    inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
}

/// Every `crate::name`, and every chain of `super::` that climbs to the root.
fn mentions(file: &File) -> Vec<Mention> {
    let tokens = tokens(&file.text);
    let depth_of_file = file.path.split('/').count() - 1 - usize::from(file.path.ends_with("/mod.rs"));
    let (mut found, mut braces, mut inline_modules) = (Vec::new(), 0_usize, Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => {
                if at >= 2 && tokens[at - 2].text == "mod" {
                    inline_modules.push(braces);
                }
                braces += 1;
            }
            "}" => {
                braces = braces.saturating_sub(1);
                if inline_modules.last() == Some(&braces) {
                    inline_modules.pop();
                }
            }
            "crate" if next_is(&tokens, at, "::") => found.extend(names_behind(&tokens, at + 2)),
            "super" if next_is(&tokens, at, "::") => {
                let mut climbed = 1;
                while starts_with(&tokens[at + 2..], &["super", "::"]) {
                    climbed += 1;
                    at += 2;
                }
                if climbed >= depth_of_file + inline_modules.len() {
                    found.extend(names_behind(&tokens, at + 2));
                }
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn next_is(tokens: &[Token], at: usize, text: &str) -> bool {
    tokens.get(at + 1).is_some_and(|token| token.text == text)
}

/// The name that stands here, or the first name of each branch of the group that opens here.
fn names_behind(tokens: &[Token], start: usize) -> Vec<Mention> {
    let mention = |token: &Token| Mention { name: token.text.clone(), line: token.line };
    let Some(first) = tokens.get(start) else { return Vec::new() };
    if first.text != "{" {
        return vec![mention(first)];
    }
    let (mut names, mut depth) = (Vec::new(), 0_usize);
    for pair in tokens[start..].windows(2) {
        match pair[0].text.as_str() {
            "{" => depth += 1,
            "}" if depth == 1 => break,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 1 && (pair[0].text == "{" || pair[0].text == ",") && pair[1].text != "}" {
            names.push(mention(&pair[1]));
        }
    }
    names
}

fn later_floors_named(files: &[File], floors: &[String]) -> Vec<String> {
    let mut violations = Vec::new();
    for file in files {
        let own = floor_of(&file.path);
        let Some(position) = floors.iter().position(|floor| floor == own) else { continue };
        for Mention { name, line } in mentions(file) {
            if floors[position + 1..].contains(&name) {
                violations.push(format!("{}:{line}: `{own}` names `{name}`, a later floor", file.path));
            }
            let front = FRONTS.iter().find(|(front, _)| *front == own);
            if front.is_some_and(|(_, may)| name != own && floors.contains(&name) && !may.contains(&name.as_str())) {
                violations.push(format!(
                    "{}:{line}: the front `{own}` names `{name}`, and not only what a front may",
                    file.path
                ));
            }
        }
    }
    violations
}

/// The floors that the opening comment of `src/lib.rs` tells about.
fn told_floors(library: &str) -> Vec<String> {
    let lines = library.lines().filter_map(|line| line.strip_prefix("//! * [`"));
    lines.filter_map(|line| line.split_once('`')).map(|(name, _)| name.to_owned()).collect()
}

fn library() -> String {
    let files = files_below(&["src/lib.rs"]);
    files.into_iter().next().expect("src/lib.rs exists").text
}

#[test]
fn no_floor_names_a_later_one() {
    assert_none(later_floors_named(&files_below(&["src"]), &floors(&library())));
}

#[test]
fn the_map_in_lib_tells_of_every_floor_in_order() {
    assert_eq!(told_floors(&library()), floors(&library()));
    assert!(floors(&library()).len() >= 12, "src/lib.rs declares its floors as `pub mod name;`");
}

#[test]
fn a_later_floor_is_found_however_it_is_named() {
    let floors = floors("pub mod parse; pub mod score; pub mod detect; pub mod report; pub mod app; pub mod cli;");
    let check = |path: &str, text: &str| later_floors_named(&[File::new(path, text)], &floors);
    assert_one(
        &check("src/score/tail.rs", "use crate::detect::Detector;"),
        "src/score/tail.rs:1: `score` names `detect`",
    );
    assert_one(
        &check("src/score/tail.rs", "use crate::{\n parse::Event,\n app::{run, stop}};"),
        ":3: `score` names `app`",
    );
    assert_one(&check("src/score/tail.rs", "fn f() -> crate::report::FileReport {}"), "`score` names `report`");
    assert_one(&check("src/score/mod.rs", "use super::detect;"), "`score` names `detect`");
    assert_one(&check("src/score/tail.rs", "use super::super::detect::X;"), "`score` names `detect`");
    assert_one(&check("src/detect.rs", "mod tests { use super::super::report; }"), "`detect` names `report`");
    assert_one(&check("src/cli/run.rs", "use crate::detect::Detector;"), "the front `cli` names `detect`");
}

#[test]
fn the_door_is_for_fronts_that_listen() {
    let floors = floors("pub mod parse; pub mod app; pub mod door; pub mod api; pub mod mcp; pub mod cli;");
    let check = |path: &str, text: &str| later_floors_named(&[File::new(path, text)], &floors);
    assert_none(check("src/api/server.rs", "use crate::{app::Plan, door::Door};"));
    assert_none(check("src/mcp/http.rs", "use crate::door::Door;"));
    assert_one(&check("src/cli/fronts.rs", "use crate::door::Door;"), "the front `cli` names `door`");
    assert_one(&check("src/api/server.rs", "use crate::parse::Event;"), "the front `api` names `parse`");
    assert_one(&check("src/app/desk.rs", "use crate::door::Client;"), "`app` names `door`, a later floor");
}

#[test]
fn an_earlier_floor_a_namesake_and_a_comment_are_no_violations() {
    let floors = floors("pub mod parse; pub mod score; pub mod detect; pub mod report; pub mod app; pub mod cli;");
    let files = [
        File::new(
            "src/report/mod.rs",
            "use crate::{parse::Event, score};\n/// [`crate::app`]\nfn f() { \"crate::cli\"; }",
        ),
        File::new("src/score/mod.rs", "mod tests { use super::report; }"),
        File::new("src/score/tail.rs", "use super::detect; use other::app;"),
        File::new("src/cli/mod.rs", "use crate::{app::{FileReport, run}, cli::table};"),
    ];
    assert_none(later_floors_named(&files, &floors));
}
