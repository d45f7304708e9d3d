//! What only `condition` has: counts, absence, `N of [..]`.

use super::{Broken, Keyword, Parser, Place, Read, TokenKind, Wanted, expression::chain};
use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::tree::{Expr, ExprKind, NOf, Needed},
};

impl Parser<'_> {
    /// The condition: one expression.
    pub(super) fn condition(&mut self) -> Expr {
        let start = self.at;
        self.statement = start;
        self.words_are_values = false;
        let first = self.token().span;
        if self.at_end_of_section() {
            let diagnostic = self.unexpected("a condition, for example `$e`");
            self.say(diagnostic);
            return Expr { kind: ExprKind::Error, span: first };
        }
        let read = self.whole_condition();
        self.depth = 0;
        read.unwrap_or_else(|Broken| {
            self.skip_condition();
            Expr { kind: ExprKind::Error, span: first.to(self.previous()) }
        })
    }

    /// Goes on to the next section, also to one whose name is wrong.
    fn skip_condition(&mut self) {
        while !(self.at_end_of_section() || self.at_header() && self.token().first_on_line) {
            self.advance();
        }
    }

    fn whole_condition(&mut self) -> Read<Expr> {
        let mut parts = vec![self.or_chain(Wanted::Any)?];
        let mut told = false;
        while !self.at_end_of_section() && !self.at_header() {
            let diagnostic = self.unexpected("`and`, `or` or the end of the condition");
            let comma = self.kind() == TokenKind::Comma;
            if !comma && !self.begins_statement(self.token()) {
                return self.fail(diagnostic);
            }
            if !told {
                let help = if comma {
                    "join conditions with `and`, not with commas"
                } else {
                    "join conditions with `and` or `or`: line breaks don't join them here"
                };
                self.say(diagnostic.help(help));
                told = true;
            }
            if comma {
                self.advance();
            }
            parts.push(self.or_chain(Wanted::Any)?);
        }
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        Ok(chain(parts, ExprKind::And))
    }

    /// `#name`.
    pub(super) fn count(&mut self) -> Read<Expr> {
        let token = self.token();
        if self.place != Place::Condition {
            let message = format!("unexpected token \"{}\": counts stand in the condition only", self.excerpt(token));
            let diagnostic = Diagnostic::new(Code::UnexpectedToken, token.span, message);
            let help = if self.place == Place::Outcome {
                "write `count(..)` of a field or a placeholder"
            } else {
                "move it into `condition`"
            };
            self.say(diagnostic.help(help));
            self.advance();
            return Ok(Expr { kind: ExprKind::Error, span: token.span });
        }
        let name = self.variable();
        Ok(Expr { kind: ExprKind::Count(name.text), span: token.span })
    }

    /// `!$name`.
    pub(super) fn absent(&mut self) -> Read<Expr> {
        let start = self.token().span;
        if self.place != Place::Condition {
            let diagnostic = self.unexpected("an operand").help("`!` stands in the condition only; here write `not`");
            return self.fail(diagnostic);
        }
        self.advance();
        if self.kind() != TokenKind::Variable {
            let diagnostic = self.unexpected("a variable after `!`");
            let help = "`!` says of one variable that it is absent: `!$e`; before anything else write `not`";
            return self.fail(diagnostic.help(help));
        }
        let name = self.variable();
        Ok(Expr { span: start.to(name.span), kind: ExprKind::Absent(name) })
    }

    /// `any of [..]`, `all of [..]`, `2 of [..]`.
    pub(super) fn n_of(&mut self) -> Read<Expr> {
        let start = self.token();
        if self.place != Place::Condition {
            let diagnostic = Diagnostic::new(
                Code::UnexpectedToken,
                self.ahead(1).span,
                "unexpected token \"of\": it stands in the condition only",
            );
            return self.fail(diagnostic.help("join comparisons with `or`"));
        }
        let needed = match start.kind {
            TokenKind::Keyword(Keyword::Any) => Needed::Any,
            TokenKind::Keyword(Keyword::All) => Needed::All,
            _ => Needed::AtLeast(self.shown(start).parse().unwrap_or(u64::MAX)),
        };
        self.enter()?;
        self.advance();
        self.advance();
        let open = self.at;
        self.expect(TokenKind::LeftBracket, "`[` after `of`, for example `2 of [$e1, $e2, $e3]`")?;
        let mut entries = vec![self.or_chain(Wanted::Any)?];
        let mut height = self.height;
        while self.eat(TokenKind::Comma) {
            entries.push(self.or_chain(Wanted::Any)?);
            height = height.max(self.height);
        }
        self.close(open, TokenKind::RightBracket)?;
        self.leave();
        self.grow(height + 1)?;
        Ok(Expr { kind: ExprKind::NOf(NOf { needed, entries }), span: start.span.to(self.previous()) })
    }
}
