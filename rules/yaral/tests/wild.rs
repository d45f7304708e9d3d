//! Odd but valid: what rules in the wild do that a grammar or a check written from a manual alone tends to refuse.
//!
//! Every rule here must pass without an error; each says why it is one. What is wrong with rules stands in other files.

use watchbell_yaral::{check, parse};

/// What is told of a rule that should pass, without what merely advises.
fn errors(rule: &str) -> Vec<String> {
    let parsed = parse(rule);
    let checked = check(&parsed.file);
    let all = parsed.diagnostics.iter().chain(&checked.diagnostics);
    all.filter(|told| told.is_error())
        .map(|told| format!("{}: {} at `{}`", told.code.name(), told.message, told.span.of(rule)))
        .collect()
}

#[track_caller]
fn passes(rule: &str) {
    assert_eq!(errors(rule), Vec::<String>::new(), "{rule}");
}

/// A rule about one event with these statements.
#[track_caller]
fn events_pass(statements: &str) {
    passes(&format!("rule t {{\n meta:\n events:\n{statements}\n condition:\n $e\n}}"));
}

/// A rule that groups the events `$e` by `$h`, with these lines as its outcome.
#[track_caller]
fn outcome_passes(lines: &str) {
    passes(&format!(
        "rule t {{ meta: events: $e.metadata.event_type = \"USER_LOGIN\" $e.principal.hostname = $h \
         match: $h over 5m\n outcome:\n{lines}\n condition: $e }}"
    ));
}

mod spelling {
    use super::*;

    /// Keywords are keywords only where one can stand: the data model, tables and meta use the same words.
    #[test]
    fn keywords_are_names_elsewhere() {
        events_pass("$e.network.dhcp.options.code = 12");
        events_pass("$e.principal.hostname in %rule or $e.principal.hostname in %watch.match");
        events_pass("$e.principal.ip in cidr %nets.over");
        passes(
            "rule events { meta: rule = \"a\" condition = \"b\" match = \"c\" events = \"d\" in = \"e\" any = \"f\" \
             events: $e.principal.hostname = \"x\" condition: $e }",
        );
        // Words of searches are ordinary names in rules.
        events_pass("$order = $e.principal.hostname $limit = $e.src.hostname $stage = $e.target.hostname");
    }

    /// Any case, functions and section names too.
    #[test]
    fn case_does_not_matter_for_keywords() {
        passes(
            "RULE t { META: author = \"x\" EVENTS: $e.principal.hostname = \"a\" OR $e.principal.hostname = \"b\" NOCASE \
             NOT $e.principal.ip IN CIDR %l ANY $e.principal.ip = \"10.0.0.1\" $e.principal.hostname = $h \
             MATCH: $h OVER 5m OUTCOME: $x = COUNT($e.metadata.id) CONDITION: $e AND $x > 1 \
             OPTIONS: allow_zero_values = TRUE }",
        );
    }

    /// White space carries no meaning, so there may be none, and a comment may stand for it.
    #[test]
    fn blanks_and_comments_are_the_same() {
        passes("rule t{meta:events:$e.principal.hostname=\"x\" condition:$e}");
        passes(
            "/*1*/rule/*2*/t/*3*/{/*4*/meta/*5*/:/*6*/a/*7*/=/*8*/\"i\"/*9*/events/*10*/:/*11*/\
             $e.principal.hostname/*12*/=/*13*/\"o\"/*14*/nocase/*15*/condition/*16*/:/*17*/$e/*18*/}/*19*/",
        );
        passes(
            "\u{feff}rule t {\r\n\tmeta:\r\n\tevents:\r\n\t\tnot\r\n\t\t( // why\r\n\t\t\t$e.principal.ip = \"10.0.0.1\"\r\n\t\t)\
             \r\n\tcondition:\r\n\t\t$e // and $more\r\n}",
        );
        // A space before the parenthesis of a call, no space after a pattern, the end on the last line.
        outcome_passes("$x = max( if ( $h = \"a\" , 10) + if ($h = /b/nocase, 5) ) $y = array_distinct ($h)");
        passes("rule t { meta: events: $e.target.port = 1\n condition:\n $e }\n\n// the end");
    }

    /// `or` and `and` may stand on lines of their own, between comments: they still join what is around them.
    #[test]
    fn operators_may_stand_alone() {
        events_pass(
            "(\n $e.metadata.event_type = \"FILE_COPY\" or\n $e.metadata.event_type = \"FILE_MOVE\"\n)\n\
             // optional here\nand\n$e.target.file.full_path = /\\.lnk$/ nocase and\n// more\n\
             $e.principal.hostname != \"\"\nnot ($e.src.hostname = \"x\")",
        );
        events_pass(
            "(\n $e.principal.hostname = \"a\"\n)\n\n or\n\n /* or */\n(\n $e.principal.hostname = \"b\" and\n // inner\n\
             $e.src.hostname = \"c\"\n)",
        );
    }

    /// Behind an operator `/` opens a pattern, behind an operand it divides; a comment may follow both.
    #[test]
    fn slashes_are_told_apart() {
        events_pass("$e.principal.user.userid = /\\/i-.*$/ //tail\n$e.target.url != /[\\/]/ // /\n$e.src.hostname = /\\\\/");
        events_pass("$m = $e.metadata.event_timestamp.seconds / 60 / 60 // hours\n$m > 4");
    }

    /// `%` takes a remainder behind an operand on its line, and names a table where a statement begins.
    #[test]
    fn percent_signs_are_told_apart() {
        passes(
            "rule t { meta: events: $e.principal.user.userid = $u\n // a row of it\n%staff.uid = $u\n\
             $e.principal.port % 2 = 1\n match: $u over 1h condition: $e }",
        );
        events_pass("$e.principal.process.command_line = \"%%1793\" or $e.target.url = \"%COMSPEC%\"");
    }

    /// A column of a table may be named like a section; inside of the parentheses no section can begin.
    #[test]
    #[ignore = "read as a section"]
    fn exported_columns_may_be_named_like_sections() {
        passes(
            "rule t { meta: events: $h = $e.principal.hostname outcome: $n = $h condition: $e \
             export: %seen.write_row(events: $n, match: $n) }",
        );
    }
}
