//! Logic and comparisons: `or` over `and` over `not` over predicates. The tree keeps chains flat, so that a long list of `or` has
//! no depth.

use super::{Broken, Keyword, Parser, Place, Read, TokenKind, Wanted};
use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::tree::{Compare, CompareOp, Expr, ExprKind, In, ListForm, ListRef},
};

impl Parser<'_> {
    /// `events`: statements, all of which hold.
    pub(super) fn events(&mut self) -> Vec<Expr> {
        let mut statements = Vec::new();
        while !self.at_end_of_section() && !self.at_header() {
            statements.push(self.statement());
        }
        statements
    }

    fn statement(&mut self) -> Expr {
        let start = self.at;
        self.statement = start;
        self.words_are_values = false;
        let first = self.token().span;
        let read = self.or_chain(Wanted::Predicate).and_then(|expr| self.after_statement().map(|()| expr));
        self.depth = 0;
        let expr = read.unwrap_or_else(|Broken| {
            self.skip_statement(start);
            Expr { kind: ExprKind::Error, span: first.to(self.previous()) }
        });
        if self.at == start {
            self.advance();
        }
        expr
    }

    /// What follows a statement must begin the next.
    fn after_statement(&mut self) -> Read<()> {
        if self.at_end_of_section() || self.begins_statement(self.token()) {
            return Ok(());
        }
        let diagnostic = self.unexpected("`and`, `or` or the next statement");
        let help = match self.kind() {
            TokenKind::RightParenthesis => "no parenthesis is open here",
            TokenKind::Comma => "statements need no sign between them: a line break is an `and`",
            TokenKind::Keyword(Keyword::Nocase) => "`nocase` stands once, after the comparison",
            _ if self.touches_pattern() => {
                let diagnostic = diagnostic.related(self.previous(), "the pattern ends here");
                return self.fail(diagnostic.help("a `/` inside of a pattern is written `\\/`, in brackets too"));
            }
            _ => return self.fail(diagnostic),
        };
        self.say(diagnostic.help(help));
        self.advance();
        Ok(())
    }

    /// `a or b`.
    pub(super) fn or_chain(&mut self, wanted: Wanted) -> Read<Expr> {
        self.enter()?;
        let first = self.and_chain(wanted)?;
        if self.kind() != TokenKind::Keyword(Keyword::Or) {
            self.leave();
            return Ok(first);
        }
        let mut operands = vec![first];
        let mut height = self.height;
        while self.eat_keyword(Keyword::Or).is_some() {
            operands.push(self.and_chain(wanted)?);
            height = height.max(self.height);
        }
        self.leave();
        self.grow(height + 1)?;
        Ok(chain(operands, ExprKind::Or))
    }

    fn and_chain(&mut self, wanted: Wanted) -> Read<Expr> {
        let first = self.negation(wanted)?;
        if self.kind() != TokenKind::Keyword(Keyword::And) {
            return Ok(first);
        }
        let mut operands = vec![first];
        let mut height = self.height;
        while self.eat_keyword(Keyword::And).is_some() {
            operands.push(self.negation(wanted)?);
            height = height.max(self.height);
        }
        self.grow(height + 1)?;
        Ok(chain(operands, ExprKind::And))
    }

    fn negation(&mut self, wanted: Wanted) -> Read<Expr> {
        let Some(start) = self.eat_keyword(Keyword::Not) else {
            return self.predicate(wanted);
        };
        self.enter()?;
        let operand = self.negation(wanted)?;
        self.leave();
        self.grow(self.height + 1)?;
        Ok(Expr { span: start.to(operand.span), kind: ExprKind::Not(Box::new(operand)) })
    }

    /// A comparison, a look-up, a call, a group.
    fn predicate(&mut self, wanted: Wanted) -> Read<Expr> {
        let start = self.at;
        if wanted == Wanted::Predicate && self.kind() == TokenKind::LeftParenthesis {
            if !self.is_operand_group() {
                return self.group(Wanted::Predicate);
            }
            self.say_leading_parenthesis();
        }
        let left = self.operand()?;
        match self.kind() {
            kind if kind.is_comparison() => self.comparison(left),
            TokenKind::Keyword(Keyword::In) => self.look_up(left, false),
            TokenKind::Keyword(Keyword::Not) if self.ahead(1).kind == TokenKind::Keyword(Keyword::In) => {
                self.advance();
                self.look_up(left, true)
            }
            TokenKind::Keyword(Keyword::Is) => self.is_null(left),
            TokenKind::Keyword(Keyword::Nocase) => self.nocase_alone(left),
            _ if wanted == Wanted::Predicate && !is_boolean(&left) => self.incomplete(left, start),
            _ => Ok(left),
        }
    }

    /// Whether the parenthesis here holds an operand: what follows its end compares or computes.
    fn is_operand_group(&self) -> bool {
        self.after_partner().is_some_and(|next| {
            next.kind.is_comparison()
                || matches!(
                    next.kind,
                    TokenKind::Plus
                        | TokenKind::Minus
                        | TokenKind::Star
                        | TokenKind::Slash
                        | TokenKind::Percent
                        | TokenKind::Keyword(Keyword::In | Keyword::Is)
                )
        })
    }

    fn say_leading_parenthesis(&mut self) {
        let message = "invalid operator in events predicate: a comparison can't begin with arithmetic in parentheses";
        let diagnostic = Diagnostic::new(Code::LeadingParenthesis, self.token().span, message);
        let diagnostic = diagnostic.label("a `(` in front opens a group of comparisons");
        self.say(
            diagnostic.help("turn the comparison around, `1 < ( .. ) / 3600`, or write it without the parentheses"),
        );
    }

    /// An operand where a predicate has to be.
    fn incomplete(&mut self, operand: Expr, start: usize) -> Read<Expr> {
        let literal =
            matches!(operand.kind, ExprKind::String(_) | ExprKind::Regex(_) | ExprKind::Int(_) | ExprKind::Float(_));
        let chained =
            start > 0 && matches!(self.tokens[start - 1].kind, TokenKind::Keyword(Keyword::Or | Keyword::And));
        if literal && chained {
            let message = "invalid operator in events predicate: a literal alone is no comparison";
            let diagnostic = Diagnostic::new(Code::UnexpectedToken, operand.span, message);
            self.say(diagnostic.help("repeat the left side: `$e.field = \"a\" or $e.field = \"b\"`"));
            return Ok(Expr { kind: ExprKind::Error, span: operand.span });
        }
        let token = self.token();
        if matches!(operand.kind, ExprKind::Error) {
            return if token.first_on_line { Ok(operand) } else { Err(Broken) };
        }
        let found = if token.kind == TokenKind::End {
            "end of the text".to_owned()
        } else {
            format!("token \"{}\"", self.excerpt(token))
        };
        let shown: String = operand.span.of(self.text).chars().take(60).collect();
        let message = format!(
            "invalid operator in events predicate: unexpected {found}, expected `=`, `!=`, `<`, `>`, `in` or the like"
        );
        // Where the next line has begun, the gap is behind the operand, not in front of what follows.
        let span = if token.first_on_line || token.kind == TokenKind::End { operand.span } else { token.span };
        let diagnostic = Diagnostic::new(Code::UnexpectedToken, span, message);
        let diagnostic =
            diagnostic.label(format!("`{}` is compared with nothing", shown.lines().next().unwrap_or_default()));
        self.say(match foreign_operator(self.shown(token)) {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
        // What comes next may well be a statement of its own.
        if token.first_on_line && self.begins_statement(token) || self.at_end_of_section() {
            self.abandoned = Some(self.at);
        }
        Err(Broken)
    }

    fn comparison(&mut self, left: Expr) -> Read<Expr> {
        let height = self.height;
        let sign = self.advance();
        let op = match sign.kind {
            TokenKind::Equal => CompareOp::Equal,
            TokenKind::NotEqual => CompareOp::NotEqual,
            TokenKind::Less => CompareOp::Less,
            TokenKind::LessOrEqual => CompareOp::LessOrEqual,
            TokenKind::Greater => CompareOp::Greater,
            _ => CompareOp::GreaterOrEqual,
        };
        let begin = self.at;
        let right = self.operand()?;
        if self.kind().is_comparison() && !self.token().broken {
            return self.second_comparison(sign.span, begin);
        }
        self.grow(height.max(self.height) + 1)?;
        let nocase = self.eat_keyword(Keyword::Nocase);
        let span = left.span.to(nocase.unwrap_or(right.span));
        Ok(Expr { kind: ExprKind::Compare(Box::new(Compare { left, op, right, nocase })), span })
    }

    /// `a = b = c`: either a chain, or the right side is missing and the next line was taken for it.
    fn second_comparison(&mut self, sign: crate::source::Span, begin: usize) -> Read<Expr> {
        if self.tokens[begin].first_on_line {
            let message = format!(
                "unexpected token \"{}\": expected an operand after `{}`",
                self.excerpt(self.tokens[begin]),
                sign.of(self.text)
            );
            self.at = begin;
            self.abandoned = Some(begin);
            return self
                .fail(Diagnostic::new(Code::UnexpectedToken, sign, message).label("nothing follows on this line"));
        }
        let diagnostic = self.unexpected("`and`, `or` or the next statement");
        self.fail(diagnostic.help("comparisons are not chained: join two with `and`"))
    }

    /// Whether the token stands right behind a pattern: a `/` that was meant as a part of the pattern ended it.
    fn touches_pattern(&self) -> bool {
        let last = self.tokens[self.at.saturating_sub(1)];
        last.kind == TokenKind::Regex && last.span.end == self.token().span.start
    }

    fn look_up(&mut self, needle: Expr, negated: bool) -> Read<Expr> {
        let height = self.height;
        self.advance();
        let form = if self.eat_word("regex") {
            ListForm::Regex
        } else if self.eat_word("cidr") {
            ListForm::Cidr
        } else {
            ListForm::Plain
        };
        if self.kind() != TokenKind::List {
            let kind = self.kind();
            let diagnostic = self.unexpected("a reference list, for example `%list` or `%table.column`");
            let literal = matches!(
                kind,
                TokenKind::LeftParenthesis | TokenKind::LeftBracket | TokenKind::Text | TokenKind::RawText
            );
            return self.fail(if literal {
                diagnostic.help("a rule has no list in place: join comparisons with `or`, or make a reference list")
            } else {
                diagnostic
            });
        }
        let list = self.list_ref();
        self.grow(height + 1)?;
        let nocase = self.eat_keyword(Keyword::Nocase);
        let span = needle.span.to(self.previous());
        Ok(Expr { kind: ExprKind::In(Box::new(In { needle, negated, form, list, nocase })), span })
    }

    /// `%list` or `%table.column`.
    pub(super) fn list_ref(&mut self) -> ListRef {
        let name = self.name();
        let has_column = self.kind() == TokenKind::Dot && self.ahead(1).kind.is_word();
        let column = has_column.then(|| {
            self.advance();
            self.name()
        });
        ListRef { name, column }
    }

    fn is_null(&mut self, operand: Expr) -> Read<Expr> {
        self.advance();
        let negated = self.eat_keyword(Keyword::Not).is_some();
        let end = self.expect(TokenKind::Keyword(Keyword::Null), "`null` after `is`")?;
        self.grow(self.height + 1)?;
        let span = operand.span.to(end);
        Ok(Expr { kind: ExprKind::IsNull { operand: Box::new(operand), negated }, span })
    }

    /// `nocase` without a comparison: fine after a call, else said and passed.
    fn nocase_alone(&mut self, left: Expr) -> Read<Expr> {
        let nocase = self.token().span;
        if let ExprKind::Call(mut call) = left.kind {
            self.advance();
            call.nocase = Some(nocase);
            return Ok(Expr { kind: ExprKind::Call(call), span: left.span.to(nocase) });
        }
        let diagnostic = self.unexpected("a comparison");
        self.say(diagnostic.help("`nocase` stands at the end of the comparison: `$e.field = \"text\" nocase`"));
        self.advance();
        if self.kind().is_comparison() {
            return self.comparison(left);
        }
        Err(Broken)
    }

    /// `( .. )` of logic or of arithmetic.
    pub(super) fn group(&mut self, wanted: Wanted) -> Read<Expr> {
        let open = self.at;
        let start = self.advance().span;
        if self.kind() == TokenKind::RightParenthesis {
            let diagnostic = self.unexpected("an expression");
            self.say(diagnostic.help("nothing stands between these parentheses"));
            let end = self.advance().span;
            return Ok(Expr { kind: ExprKind::Error, span: start.to(end) });
        }
        let mut inner = self.or_chain(wanted)?;
        if self.partners[open].is_some() && wanted == Wanted::Predicate && self.place == Place::Events {
            inner = self.implicit_and(inner)?;
        }
        self.close(open, TokenKind::RightParenthesis)?;
        self.grow(self.height + 1)?;
        Ok(Expr { kind: ExprKind::Group(Box::new(inner)), span: start.to(self.previous()) })
    }

    /// Comparisons in parentheses without a word between them.
    fn implicit_and(&mut self, first: Expr) -> Read<Expr> {
        if !self.begins_statement(self.token()) || self.at_end_of_section() {
            return Ok(first);
        }
        let diagnostic = Diagnostic::new(
            Code::ImplicitAnd,
            self.token().span,
            "a comparison follows without `and` or `or` before it",
        );
        self.say(diagnostic.help("inside of parentheses write the `and`"));
        let mut operands = vec![first];
        let mut height = self.height;
        while self.begins_statement(self.token()) && !self.at_end_of_section() {
            operands.push(self.or_chain(Wanted::Predicate)?);
            height = height.max(self.height);
        }
        self.grow(height + 1)?;
        Ok(chain(operands, ExprKind::And))
    }
}

/// What to write for an operator of another language.
fn foreign_operator(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "contains" | "like" | "matches" | "regex" => Some("write `= /pattern/`, or call `strings.contains(..)`"),
        "startswith" | "starts_with" => Some("write `= /^prefix/`"),
        "endswith" | "ends_with" => Some("write `= /suffix$/`, or call `strings.ends_with(..)`"),
        _ => None,
    }
}

/// Several operands as one expression over all of them.
pub(super) fn chain(operands: Vec<Expr>, kind: impl FnOnce(Vec<Expr>) -> ExprKind) -> Expr {
    let first = operands.first().map_or_else(Default::default, |operand| operand.span);
    let span = operands.last().map_or(first, |last| first.to(last.span));
    Expr { kind: kind(operands), span }
}

/// Whether an expression can stand as a statement.
fn is_boolean(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Call(_) | ExprKind::If(_))
        || matches!(&expr.kind, ExprKind::Quantified(_, inner) if matches!(inner.kind, ExprKind::Call(_)))
}
