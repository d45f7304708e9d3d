//! Tokens -> the tree, by recursive descent. A mistake is said once; then reading goes on with the next statement, for which lines
//! and their indentation are the best hint there is.

mod condition;
mod expression;
mod operand;
mod recovery;
mod rule;
mod sections;

use super::{
    MAX_DEPTH, Parsed,
    lexer::lex,
    token::{Keyword, Token, TokenKind},
    tree::{Name, RuleFile},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
};

/// More mistakes than anybody reads; a bound for texts that are no rules at all.
const MAX_DIAGNOSTICS: usize = 500;

/// Words that no variable may have as its name.
const RESERVED: &[&str] = &[
    "rule",
    "meta",
    "match",
    "over",
    "events",
    "condition",
    "outcome",
    "options",
    "and",
    "or",
    "not",
    "nocase",
    "in",
    "regex",
    "cidr",
    "before",
    "after",
    "all",
    "any",
    "if",
    "max",
    "min",
    "sum",
    "array",
    "array_distinct",
    "count",
    "count_distinct",
    "is",
    "null",
    "window_start",
    "window_end",
];

/// Something could not be read, and was said.
pub(super) struct Broken;

type Read<T> = Result<T, Broken>;

/// The section that is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Events,
    Outcome,
    Condition,
    Other,
}

/// What an expression has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// True or false.
    Predicate,
    /// Anything; the checker knows more.
    Any,
}

/// The state of reading.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    /// For each opening parenthesis or bracket the token that closes it.
    partners: Vec<Option<u32>>,
    at: usize,
    diagnostics: Vec<Diagnostic>,
    place: Place,
    /// How many calls deep reading is.
    depth: u16,
    /// The height of the expression that was read last; chains of arithmetic grow without depth.
    height: u16,
    /// Whether a bare word is a value: inside of calls that take `today`, `SECOND`, `event_count_sum`.
    words_are_values: bool,
    /// Where the statement began.
    statement: usize,
    /// Where an open parenthesis was given up, so that nothing is skipped there.
    abandoned: Option<usize>,
    /// Reserved names of variables that were said already, to say each once.
    reserved: Vec<String>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let lexed = lex(text);
        let mut parser = Self {
            text,
            partners: Vec::new(),
            tokens: lexed.tokens,
            at: 0,
            diagnostics: lexed.diagnostics,
            place: Place::Other,
            depth: 0,
            height: 0,
            words_are_values: false,
            statement: 0,
            abandoned: None,
            reserved: Vec::new(),
        };
        parser.diagnostics.truncate(MAX_DIAGNOSTICS);
        parser.partners = parser.find_partners();
        parser
    }

    /// Reads everything.
    pub(super) fn file(mut self) -> Parsed {
        let mut file = RuleFile::default();
        while self.kind() != TokenKind::End {
            if self.is_word("rule") {
                file.rules.extend(self.rule());
            } else {
                self.between_rules(!file.rules.is_empty());
            }
        }
        if file.rules.is_empty() && self.diagnostics.is_empty() {
            let message = "unexpected end of the text: expected `rule NAME {`";
            self.diagnostics.push(Diagnostic::new(Code::UnexpectedToken, self.token().span, message));
        }
        // The lexer's stand before the parser's; a stable sort by place brings them together.
        self.diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        // Of two about one place the lexer's is the closer one.
        self.diagnostics
            .dedup_by(|second, first| second.span.start == first.span.start && second.is_error() && first.is_error());
        self.diagnostics.truncate(MAX_DIAGNOSTICS);
        Parsed { file, diagnostics: self.diagnostics }
    }

    fn token(&self) -> Token {
        self.tokens[self.at]
    }

    fn kind(&self) -> TokenKind {
        self.tokens[self.at].kind
    }

    /// A later token; past the end, the end.
    fn ahead(&self, count: usize) -> Token {
        self.tokens[(self.at + count).min(self.tokens.len() - 1)]
    }

    fn shown(&self, token: Token) -> &'a str {
        token.span.of(self.text)
    }

    /// The place of the last token that was read.
    fn previous(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    /// Takes the token; the end stays.
    fn advance(&mut self) -> Token {
        let token = self.token();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.advance();
        }
        found
    }

    fn eat_keyword(&mut self, keyword: Keyword) -> Option<Span> {
        (self.kind() == TokenKind::Keyword(keyword)).then(|| self.advance().span)
    }

    fn is_word(&self, word: &str) -> bool {
        self.kind().is_word() && self.shown(self.token()).eq_ignore_ascii_case(word)
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.advance();
        }
        found
    }

    /// Takes the token as a name; the sign of a variable is left out.
    fn name(&mut self) -> Name {
        let token = self.advance();
        let signed = matches!(token.kind, TokenKind::Variable | TokenKind::Count | TokenKind::List);
        let span = Span::new(token.span.start + u32::from(signed), token.span.end);
        Name { text: span.of(self.text).to_owned(), span }
    }

    /// Takes the token as a variable's name, which no keyword may be.
    fn variable(&mut self) -> Name {
        let name = self.name();
        let lower = name.text.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) && !self.reserved.contains(&lower) {
            let message = format!("the variable ${} has the name of a keyword", name.text);
            let diagnostic = Diagnostic::new(Code::ReservedWord, name.span, message);
            self.say(diagnostic.help(format!("choose another name, for example ${lower}_value")));
            self.reserved.push(lower);
        }
        name
    }

    /// What to say when something else was expected here.
    fn unexpected(&self, expected: &str) -> Diagnostic {
        let token = self.token();
        let message = format!("{}: expected {expected}", self.found());
        if token.kind == TokenKind::End {
            return Diagnostic::new(Code::UnexpectedToken, self.previous(), message).label("the text ends after this");
        }
        Diagnostic::new(Code::UnexpectedToken, token.span, message)
    }

    /// The same where the place is behind the token before: the line ended too early.
    fn missing_here(&self, expected: &str) -> Diagnostic {
        let diagnostic = self.unexpected(expected);
        if !self.token().first_on_line || self.at <= self.statement || self.kind() == TokenKind::End {
            return diagnostic;
        }
        Diagnostic { span: self.previous(), ..diagnostic }.label("something is missing after this")
    }

    /// How a message begins: with the token that was found.
    fn found(&self) -> String {
        let token = self.token();
        match token.kind {
            TokenKind::End => "unexpected end of the text".to_owned(),
            TokenKind::Text | TokenKind::RawText => format!("unexpected text {}", self.excerpt(token)),
            _ => format!("unexpected token \"{}\"", self.excerpt(token)),
        }
    }

    /// A token as it is shown in a message: a long one cut.
    fn excerpt(&self, token: Token) -> String {
        let shown = self.shown(token);
        match shown.char_indices().nth(40) {
            Some((cut, _)) => format!("{}..", &shown[..cut]),
            None => shown.to_owned(),
        }
    }

    /// Says it, unless it follows from something broken just before, which was said.
    fn say(&mut self, diagnostic: Diagnostic) {
        let before = self.tokens[self.at.saturating_sub(1)];
        let follows = (before.broken || self.token().broken)
            && matches!(
                diagnostic.code,
                Code::UnexpectedToken | Code::UnclosedDelimiter | Code::InvalidIndex | Code::MetaValue
            );
        if !follows && self.diagnostics.len() < 2 * MAX_DIAGNOSTICS {
            self.diagnostics.push(diagnostic);
        }
    }

    fn fail<T>(&mut self, diagnostic: Diagnostic) -> Read<T> {
        self.say(diagnostic);
        Err(Broken)
    }

    fn expect(&mut self, kind: TokenKind, expected: &str) -> Read<Span> {
        if self.kind() == kind {
            return Ok(self.advance().span);
        }
        let diagnostic = self.unexpected(expected);
        self.fail(diagnostic)
    }

    /// Goes one level down.
    fn enter(&mut self) -> Read<()> {
        self.depth += 1;
        self.bounded(self.depth)
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Notes how high the last expression is.
    fn grow(&mut self, height: u16) -> Read<()> {
        self.height = height;
        self.bounded(height)
    }

    fn bounded(&mut self, depth: u16) -> Read<()> {
        if depth <= MAX_DEPTH {
            return Ok(());
        }
        let message = format!("an expression that is nested more than {MAX_DEPTH} levels deep");
        let diagnostic = Diagnostic::new(Code::TooDeep, self.token().span, message);
        self.fail(diagnostic.help("split it: bind parts to placeholders or outcome variables of their own"))
    }
}
