//! The formatter: it changes blanks and line breaks and nothing else, and has nothing to do the second time.

use proptest::prelude::*;
use watchbell_yaral::{
    format::format,
    parse,
    syntax::{lexer::lex, token::TokenKind},
};

const RULE: &str = "// Above everything.\n\n\n/* And\n   this. */\nrule   a\n{\n\n\tmeta :\n\t\tauthor=\"a\"  // who\n\n\n\t\tseverity = \"Low\"\n\t// about the events\n\tevents:\n\
    // first\n\t\t$e.metadata.event_type=\"USER_LOGIN\" $e.b . c!=1\n\t\t(\n$e.a=\"x\"or\n// why\nre.regex( $e.a ,`y` )nocase\n)\n\
    1<( $e.x-$e.y )/3600\n$e.c in%list\n$u=\n$e.d [ 0 ] . f [ \"k\" ]\nnot $e.h in cidr %t . c\n\n\n// last\n\tmatch:$u,$v over 5m\n\
    outcome:/* x */ $n=max(\n10+\nif ($s=\"HIGH\",10,5)\n)\n$m = count(metrics.f(period:1d,window :30d))\n\
    condition:\n$e and\n!$f or 2 of[ $e,#f>1 ]\n// end\n}\n// between\nrule b{meta:events:$e.a=1 $e.b=2 condition:$e} // after\n// the last\n";

const FORMATTED: &str = r#"// Above everything.

/* And
   this. */
rule a {
  meta:
    author = "a" // who

    severity = "Low"

  // about the events
  events:
    // first
    $e.metadata.event_type = "USER_LOGIN"
    $e.b.c != 1
    (
      $e.a = "x" or
      // why
      re.regex($e.a, `y`) nocase
    )
    1 < ($e.x - $e.y) / 3600
    $e.c in %list
    $u =
      $e.d[0].f["k"]
    not $e.h in cidr %t.c

  // last
  match:
    $u, $v over 5m

  outcome: /* x */
    $n = max(
      10 +
      if($s = "HIGH", 10, 5)
    )
    $m = count(metrics.f(period: 1d, window: 30d))

  condition:
    $e and
    !$f or 2 of [$e, #f > 1]
    // end
}

// between
rule b {
  meta:

  events:
    $e.a = 1
    $e.b = 2

  condition:
    $e
} // after

// the last
"#;

#[test]
fn a_rule_gets_the_one_layout() {
    let formatted = format(RULE).unwrap();
    assert_eq!(formatted, FORMATTED);
    assert_eq!(format(FORMATTED).unwrap(), FORMATTED);
}

#[test]
fn what_does_not_parse_is_refused_with_what_is_wrong() {
    let told = format("rule a {\n  meta:\n  events:\n    $e.a ==\n").unwrap_err();
    assert!(told.iter().any(|told| told.code.id() == "Y0101"));
    assert!(format("").is_err());
}

#[test]
fn line_ends_of_windows_and_a_byte_order_mark_go() {
    let text = format!("\u{feff}{}", FORMATTED.replace('\n', "\r\n"));
    assert_eq!(format(&text).unwrap(), FORMATTED);
}

/// What a text says: its tokens, and its comments without the blanks at the ends of lines.
fn content(text: &str) -> (Vec<(TokenKind, &str)>, Vec<String>) {
    let lexed = lex(text);
    let tokens = lexed.tokens.iter().map(|token| (token.kind, token.span.of(text))).collect();
    let comments =
        lexed.comments.iter().map(|comment| comment.of(text).replace('\r', "").trim_end().to_owned()).collect();
    (tokens, comments)
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    let Ok(once) = format(text) else { return Ok(()) };
    let (before, after) = (content(text), content(&once));
    prop_assert_eq!(before.0, after.0);
    prop_assert_eq!(before.1, after.1);
    prop_assert_eq!(format(&once), Ok(once.clone()));
    prop_assert!(!once.lines().any(|line| line.ends_with(' ')) || text.contains("/*"), "{}", once);
    Ok(())
}

/// Blanks and comments that may stand between any two tokens.
const GAPS: &[&str] = &[
    " ",
    " ",
    " ",
    "\n",
    "\n",
    "\n\n\n",
    "\t",
    "\r\n",
    "\n    ",
    "\n  ",
    "\n\n  // c \n",
    " // d\n",
    " /* e */ ",
    "\n/* f */\n",
    "\n      /* g\n h */",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn only_blanks_change_whatever_stands_between_the_tokens(gaps in prop::collection::vec(prop::sample::select(GAPS), 300)) {
        let lexed = lex(FORMATTED);
        let mut text = String::new();
        for (token, gap) in lexed.tokens.iter().zip(gaps.iter().cycle()) {
            text.push_str(token.span.of(FORMATTED));
            text.push_str(gap);
        }
        holds(&text)?;
    }

    #[test]
    fn gaps_where_names_allow_them(gaps in prop::collection::vec(prop::sample::select(GAPS), 300)) {
        // Paths are kept whole: a line break in one is a mistake.
        let lexed = lex(FORMATTED);
        let mut text = String::new();
        for (pair, gap) in lexed.tokens.windows(2).zip(gaps.iter().cycle()) {
            text.push_str(pair[0].span.of(FORMATTED));
            let tight = pair.iter().any(|token| matches!(token.kind, TokenKind::Dot | TokenKind::Colon));
            text.push_str(if tight { "" } else { gap });
        }
        prop_assert!(parse(&text).diagnostics.is_empty(), "{:?}\n{}", parse(&text).diagnostics, text);
        holds(&text)?;
    }
}
