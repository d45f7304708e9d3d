//! Text -> tokens. Whether `/` begins a pattern or divides follows from the token before it; comments are kept apart, for the
//! formatter.

use super::token::{Keyword, Token, TokenKind};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
};

/// More than anybody reads; what is broken is marked on its token all the same.
const MAX_DIAGNOSTICS: usize = 1000;

/// The tokens of a text.
#[derive(Debug, Default)]
pub struct Lexed {
    /// The tokens; the last is the end.
    pub tokens: Vec<Token>,
    /// The comments, with their signs.
    pub comments: Vec<Span>,
    /// What begins or ends wrongly.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the tokens of a text.
#[must_use]
pub fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer { text, bytes: text.as_bytes(), at: 0, fresh: true, out: Lexed::default() };
    lexer.out.tokens.reserve(text.len() / 5);
    if text.starts_with('\u{feff}') {
        lexer.at = 3;
    }
    while lexer.space() {
        lexer.token();
    }
    let at = lexer.at;
    lexer.push(TokenKind::End, at);
    lexer.out
}

struct Lexer<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    /// Whether a line has begun since the last token.
    fresh: bool,
    out: Lexed,
}

impl Lexer<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn span(&self, start: usize) -> Span {
        // The parser refuses texts that are longer than 4 MiB, so positions fit.
        Span::new(u32::try_from(start).unwrap_or(u32::MAX), u32::try_from(self.at).unwrap_or(u32::MAX))
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        let span = self.span(start);
        self.out.tokens.push(Token { kind, span, first_on_line: self.fresh, broken: false });
        self.fresh = false;
    }

    fn push_broken(&mut self, kind: TokenKind, start: usize) {
        self.push(kind, start);
        if let Some(last) = self.out.tokens.last_mut() {
            last.broken = true;
        }
    }

    fn say(&mut self, code: Code, start: usize, message: impl Into<String>, help: &str) {
        if self.out.diagnostics.len() >= MAX_DIAGNOSTICS {
            return;
        }
        let diagnostic = Diagnostic::new(code, self.span(start), message);
        self.out.diagnostics.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// Passes blanks and comments; false at the end.
    fn space(&mut self) -> bool {
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'\n' => {
                    self.fresh = true;
                    self.at += 1;
                }
                b' ' | b'\t' | b'\r' | 0x0b | 0x0c => self.at += 1,
                b'/' if self.peek(1) == b'/' => {
                    let start = self.at;
                    self.to_line_end();
                    self.out.comments.push(self.span(start));
                }
                b'/' if self.peek(1) == b'*' => self.block_comment(),
                _ => return true,
            }
        }
        false
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let length = self.text.get(start + 2..).and_then(|rest| rest.find("*/"));
        self.at = length.map_or(self.bytes.len(), |length| start + length + 4);
        if length.is_none() {
            let all = self.at;
            self.at = start + 2;
            self.say(Code::UnterminatedString, start, "the comment does not end", "close it with `*/`");
            self.at = all;
        }
        self.fresh |= self.bytes[start..self.at].contains(&b'\n');
        self.out.comments.push(self.span(start));
    }

    /// To the end of the line, which is left; trailing carriage returns too.
    fn to_line_end(&mut self) {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        self.at += length;
        while self.at > 0 && self.bytes[self.at - 1] == b'\r' && length > 0 {
            self.at -= 1;
        }
    }

    fn name(&mut self) {
        while self.peek(0).is_ascii_alphanumeric() || self.peek(0) == b'_' {
            self.at += 1;
        }
    }

    fn token(&mut self) {
        let start = self.at;
        match self.bytes[start] {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                self.name();
                let keyword = Keyword::of(&self.text[start..self.at]);
                self.push(keyword.map_or(TokenKind::Word, TokenKind::Keyword), start);
            }
            b'0'..=b'9' => self.number(),
            b'$' => self.signed(TokenKind::Variable),
            b'#' => self.signed(TokenKind::Count),
            b'%' => self.percent(),
            b'"' => self.text_token(),
            b'`' => self.raw_text(),
            b'/' => self.slash(),
            b'\'' => self.foreign_quotes('\''),
            _ => self.sign(),
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let digits = |lexer: &mut Self| {
            while lexer.peek(0).is_ascii_digit() {
                lexer.at += 1;
            }
        };
        digits(self);
        let mut kind = TokenKind::Int;
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.at += 1;
            digits(self);
            kind = TokenKind::Float;
        }
        if self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            while self.peek(0).is_ascii_digit() || matches!(self.peek(0), b'.' | b'/') && self.peek(1).is_ascii_digit()
            {
                self.at += 1;
            }
            self.say(
                Code::InvalidNumber,
                start,
                "a number has one point at most",
                "addresses and versions are texts: put them in quotes",
            );
            return self.push_broken(TokenKind::Invalid, start);
        }
        if self.peek(0).is_ascii_alphabetic() || self.peek(0) == b'_' {
            self.name();
            if kind == TokenKind::Float {
                self.say(
                    Code::InvalidNumber,
                    start,
                    "a number ends in letters",
                    "durations are whole numbers with `m`, `h` or `d`, for example `90m`",
                );
                return self.push_broken(TokenKind::Invalid, start);
            }
            kind = TokenKind::Duration;
        }
        self.push(kind, start);
    }

    /// `$name` and `#name`.
    fn signed(&mut self, kind: TokenKind) {
        let start = self.at;
        self.at += 1;
        if self.peek(0).is_ascii_alphabetic() || self.peek(0) == b'_' {
            self.name();
            return self.push(kind, start);
        }
        if kind == TokenKind::Count && (self.fresh || matches!(self.peek(0), b' ' | b'#' | b'!')) {
            self.to_line_end();
            return self.say(Code::InvalidCharacter, start, "unexpected token \"#\"", "comments begin with `//`");
        }
        self.name();
        self.say(
            Code::InvalidCharacter,
            start,
            "a variable without a name",
            "names begin with a letter or `_`, for example `$e1`",
        );
        self.push_broken(TokenKind::Invalid, start);
    }

    /// `%name` is a list, also after an operand with a blank between (the next statement); else the remainder.
    fn percent(&mut self) {
        let start = self.at;
        self.at += 1;
        let named = self.peek(0).is_ascii_alphabetic() || self.peek(0) == b'_';
        let sticks =
            self.out.tokens.last().is_some_and(|last| last.kind.ends_operand() && last.span.end as usize == start);
        if named && !sticks {
            self.name();
            return self.push(TokenKind::List, start);
        }
        self.push(TokenKind::Percent, start);
    }

    /// A text in quotes ends on its line; one that does not ends with the line, so that the next can be read.
    fn text_token(&mut self) {
        let start = self.at;
        self.at += 1;
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'"' => {
                    self.at += 1;
                    return self.push(TokenKind::Text, start);
                }
                b'\n' => break,
                b'\\' if !matches!(self.peek(1), b'\n' | 0) => self.at += 2,
                _ => self.at += 1,
            }
            // An escape may have stepped into a longer character.
            while !self.text.is_char_boundary(self.at) {
                self.at += 1;
            }
        }
        self.unterminated(
            TokenKind::Text,
            start,
            "the text does not end on its line",
            "close it with `\"`; a `\"` inside is written `\\\"`",
        );
    }

    fn raw_text(&mut self) {
        let start = self.at;
        self.at += 1;
        while self.at < self.bytes.len() && self.bytes[self.at] != b'\n' {
            self.at += 1;
            if self.bytes[self.at - 1] == b'`' {
                return self.push(TokenKind::RawText, start);
            }
        }
        self.unterminated(TokenKind::RawText, start, "the text does not end on its line", "close it with a back quote");
    }

    fn slash(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.out.tokens.last().is_some_and(|last| last.kind.ends_operand() || last.broken) {
            return self.push(TokenKind::Slash, start);
        }
        while self.at < self.bytes.len() {
            match self.bytes[self.at] {
                b'/' => {
                    self.at += 1;
                    return self.push(TokenKind::Regex, start);
                }
                b'\n' => break,
                b'\\' if !matches!(self.peek(1), b'\n' | 0) => self.at += 2,
                _ => self.at += 1,
            }
            while !self.text.is_char_boundary(self.at) {
                self.at += 1;
            }
        }
        self.unterminated(
            TokenKind::Regex,
            start,
            "the pattern does not end on its line",
            "close it with `/`; a `/` inside is written `\\/`",
        );
    }

    fn unterminated(&mut self, kind: TokenKind, start: usize, message: &str, help: &str) {
        while self.at > start + 1 && self.bytes[self.at - 1].is_ascii_whitespace() {
            self.at -= 1;
        }
        let end = self.at;
        self.at = start + 1;
        self.say(Code::UnterminatedString, start, message, help);
        self.at = end;
        self.push_broken(kind, start);
    }

    /// Quotes that editors and other languages write, read up to their partner on the line.
    fn foreign_quotes(&mut self, close: char) {
        let start = self.at;
        let line = self.text[start..].lines().next().unwrap_or_default();
        let first = line.chars().next().map_or(1, char::len_utf8);
        let inner = &line[first..];
        let length = inner.find(close).map(|length| length + close.len_utf8());
        self.at = start + first + length.unwrap_or(inner.len());
        self.say(Code::InvalidCharacter, start, "a text in quotes of another kind", "texts stand in \"..\" or `..`");
        self.push_broken(TokenKind::Text, start);
    }

    fn sign(&mut self) {
        use TokenKind as Kind;
        let (kind, length) = match (self.peek(0), self.peek(1)) {
            (b'=', b'=') => return self.foreign_sign(2, Kind::Equal, "`=`"),
            (b'=', b'~') => return self.foreign_sign(2, Kind::Equal, "`=`, also with a pattern: `= /../`"),
            (b'!', b'~') => return self.foreign_sign(2, Kind::NotEqual, "`!=`, also with a pattern: `!= /../`"),
            (b'<', b'>') => return self.foreign_sign(2, Kind::NotEqual, "`!=`"),
            (b'&', b'&') => return self.foreign_sign(2, Kind::Keyword(Keyword::And), "`and`"),
            (b'|', b'|') => return self.foreign_sign(2, Kind::Keyword(Keyword::Or), "`or`"),
            (b'!', b'=') => (Kind::NotEqual, 2),
            (b'<', b'=') => (Kind::LessOrEqual, 2),
            (b'>', b'=') => (Kind::GreaterOrEqual, 2),
            (b'=', _) => (Kind::Equal, 1),
            (b'<', _) => (Kind::Less, 1),
            (b'>', _) => (Kind::Greater, 1),
            (b'!', _) => (Kind::Bang, 1),
            (b'+', _) => (Kind::Plus, 1),
            (b'-', _) => (Kind::Minus, 1),
            (b'*', _) => (Kind::Star, 1),
            (b'(', _) => (Kind::LeftParenthesis, 1),
            (b')', _) => (Kind::RightParenthesis, 1),
            (b'[', _) => (Kind::LeftBracket, 1),
            (b']', _) => (Kind::RightBracket, 1),
            (b'{', _) => (Kind::LeftBrace, 1),
            (b'}', _) => (Kind::RightBrace, 1),
            (b',', _) => (Kind::Comma, 1),
            (b'.', _) => (Kind::Dot, 1),
            (b':', _) => (Kind::Colon, 1),
            _ => return self.stranger(),
        };
        let start = self.at;
        self.at += length;
        self.push(kind, start);
    }

    /// A sign of another language, taken for the one that is meant.
    fn foreign_sign(&mut self, length: usize, kind: TokenKind, meant: &str) {
        let start = self.at;
        self.at += length;
        let sign = &self.text[start..self.at];
        self.say(Code::UnexpectedToken, start, format!("unexpected token \"{sign}\""), &format!("write {meant}"));
        self.push(kind, start);
    }

    /// Characters that begin nothing: one message for a whole run of them.
    fn stranger(&mut self) {
        let start = self.at;
        let character = self.text[start..].chars().next().unwrap_or(' ');
        match character {
            '\u{201c}' | '\u{201d}' | '\u{201e}' => return self.foreign_quotes('\u{201d}'),
            '\u{2018}' | '\u{2019}' => return self.foreign_quotes('\u{2019}'),
            '\u{a0}' | '\u{feff}' | '\u{200b}' => {
                self.at += character.len_utf8();
                return self.say(
                    Code::InvalidCharacter,
                    start,
                    format!("an invisible character, U+{:04X}", u32::from(character)),
                    "replace it with a blank",
                );
            }
            ';' => {
                self.at += 1;
                return self.say(
                    Code::InvalidCharacter,
                    start,
                    "unexpected token \";\"",
                    "statements need no sign at their end",
                );
            }
            _ => {}
        }
        let rest = &self.text[start..];
        let run = rest.find(|next: char| {
            next.is_ascii() && !next.is_ascii_control() && !"?@\\^|&~;".contains(next) || next.is_whitespace()
        });
        let run = run.unwrap_or(rest.len()).max(character.len_utf8());
        self.at = start + run;
        let shown: String = rest[..run].chars().take(8).flat_map(char::escape_debug).collect();
        self.say(Code::InvalidCharacter, start, format!("unexpected character \"{shown}\""), "");
        self.push_broken(TokenKind::Invalid, start);
    }
}
