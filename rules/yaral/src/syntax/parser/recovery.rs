//! Where reading goes on after a mistake. A statement ends where a line begins that stands no deeper than the statement did, or
//! outside of all parentheses; a section's word ends everything.

use super::{Parser, TokenKind};
use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::token::{Keyword, Token},
};

/// The sections in their order.
pub(super) const SECTIONS: [&str; 8] =
    ["meta", "setup", "events", "match", "outcome", "condition", "options", "export"];

/// Sections of searches.
pub(super) const SEARCH_SECTIONS: [&str; 6] = ["dedup", "order", "limit", "select", "unselect", "stage"];

impl Parser<'_> {
    /// For each opening parenthesis and bracket the token that closes it; none crosses into another section.
    pub(super) fn find_partners(&self) -> Vec<Option<u32>> {
        let mut partners = vec![None; self.tokens.len()];
        let mut open: Vec<usize> = Vec::new();
        for (index, token) in self.tokens.iter().enumerate() {
            match token.kind {
                TokenKind::LeftParenthesis | TokenKind::LeftBracket => open.push(index),
                TokenKind::RightParenthesis => {
                    Self::pair(&self.tokens, &mut open, &mut partners, (index, TokenKind::LeftParenthesis))
                }
                TokenKind::RightBracket => {
                    Self::pair(&self.tokens, &mut open, &mut partners, (index, TokenKind::LeftBracket))
                }
                TokenKind::RightBrace => open.clear(),
                TokenKind::Word if token.first_on_line && self.section_at(index).is_some() => open.clear(),
                _ => {}
            }
        }
        partners
    }

    fn pair(tokens: &[Token], open: &mut Vec<usize>, partners: &mut [Option<u32>], (close, kind): (usize, TokenKind)) {
        if open.last().is_some_and(|&index| tokens[index].kind == kind)
            && let Some(index) = open.pop()
        {
            partners[index] = u32::try_from(close).ok();
        }
    }

    /// The token after the one that closes the parenthesis at which reading stands.
    pub(super) fn after_partner(&self) -> Option<Token> {
        let close = self.partners[self.at]? as usize;
        self.tokens.get(close + 1).copied()
    }

    /// The section that a token opens: its word with a colon, or alone on a line.
    pub(super) fn section_at(&self, index: usize) -> Option<usize> {
        let token = self.tokens[index];
        if token.kind != TokenKind::Word {
            return None;
        }
        let word = self.shown(token);
        let section = SECTIONS.iter().position(|section| section.eq_ignore_ascii_case(word))?;
        let next = self.tokens.get(index + 1)?;
        (next.kind == TokenKind::Colon || token.first_on_line && next.first_on_line).then_some(section)
    }

    /// Whether a section with one of the eight names opens here.
    pub(super) fn at_section(&self) -> bool {
        self.section_at(self.at).is_some()
    }

    /// Whether a word with a colon stands here, which can only be meant as a section.
    pub(super) fn at_header(&self) -> bool {
        self.kind() == TokenKind::Word && self.ahead(1).kind == TokenKind::Colon
    }

    /// Whether another rule opens here.
    pub(super) fn at_rule(&self) -> bool {
        self.is_word("rule") && self.ahead(1).kind.is_word() && self.ahead(2).kind == TokenKind::LeftBrace
    }

    /// Whether nothing of a section can stand here.
    pub(super) fn at_end_of_section(&self) -> bool {
        matches!(self.kind(), TokenKind::End | TokenKind::RightBrace) || self.at_section() || self.at_rule()
    }

    /// Goes on to the next statement, section or rule.
    pub(super) fn skip_statement(&mut self, start: usize) {
        if self.abandoned.take() == Some(self.at) {
            return;
        }
        let margin = self.margin(self.tokens[start]);
        let mut depth = 0_i64;
        for token in &self.tokens[start..self.at] {
            depth += Self::nesting(token.kind);
        }
        while !self.at_end_of_section() {
            let token = self.token();
            if self.at > start
                && token.first_on_line
                && self.begins_statement(token)
                && (depth <= 0 || self.margin(token) <= margin)
            {
                return;
            }
            if depth <= 0 && self.at > start && self.at_header() {
                return;
            }
            depth += Self::nesting(token.kind);
            self.advance();
        }
    }

    /// Goes on to the next section or rule.
    pub(super) fn skip_section(&mut self) {
        while !self.at_end_of_section() {
            self.advance();
        }
    }

    fn nesting(kind: TokenKind) -> i64 {
        match kind {
            TokenKind::LeftParenthesis | TokenKind::LeftBracket => 1,
            TokenKind::RightParenthesis | TokenKind::RightBracket => -1,
            _ => 0,
        }
    }

    /// How far a token is indented. One that is not the first of its line counts as not indented, which keeps this from walking
    /// back over long lines again and again.
    fn margin(&self, token: Token) -> usize {
        if !token.first_on_line {
            return 0;
        }
        let before = &self.text[..token.span.start as usize];
        before.len() - before.rfind('\n').map_or(0, |at| at + 1)
    }

    /// Whether a statement can begin with a token.
    pub(super) fn begins_statement(&self, token: Token) -> bool {
        use TokenKind as Kind;
        match token.kind {
            Kind::Keyword(keyword) => {
                matches!(
                    keyword,
                    Keyword::Not | Keyword::Any | Keyword::All | Keyword::If | Keyword::True | Keyword::False
                )
            }
            kind => {
                matches!(
                    kind,
                    Kind::Word
                        | Kind::Variable
                        | Kind::Count
                        | Kind::List
                        | Kind::Text
                        | Kind::RawText
                        | Kind::Regex
                        | Kind::Int
                        | Kind::Float
                        | Kind::Duration
                        | Kind::LeftParenthesis
                        | Kind::Bang
                        | Kind::Invalid
                )
            }
        }
    }

    /// Whether an open parenthesis was given up: the line that begins here belongs to the next statement.
    fn is_abandoned(&self, open: usize) -> bool {
        self.partners[open].is_none() && self.token().first_on_line && self.begins_statement(self.token())
            || self.at_end_of_section()
    }

    /// Closes what was opened at a token.
    pub(super) fn close(&mut self, open: usize, close: TokenKind) -> super::Read<()> {
        if self.eat(close) {
            return Ok(());
        }
        let (left, right) = if close == TokenKind::RightBracket { ('[', ']') } else { ('(', ')') };
        if self.is_abandoned(open) {
            let span = self.tokens[open].span;
            let message = format!("{}: expected `{right}`", self.found());
            let mut diagnostic =
                Diagnostic::new(Code::UnclosedDelimiter, span, message).label(format!("this `{left}` is not closed"));
            if self.kind() != TokenKind::End {
                diagnostic = diagnostic.related(self.token().span, "something else begins here");
            }
            self.say(diagnostic);
            self.abandoned = Some(self.at);
            return Err(super::Broken);
        }
        let diagnostic = self.unexpected(&format!("`{right}`"));
        let diagnostic = diagnostic.related(self.tokens[open].span, format!("this `{left}` is open"));
        self.fail(diagnostic)
    }
}
