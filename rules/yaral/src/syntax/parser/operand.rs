//! Operands: arithmetic, fields, literals, calls. Chains of arithmetic lean to the left and grow in height without recursion, so
//! their length is bounded like depth.

use super::{Keyword, Parser, Place, Read, TokenKind, Wanted};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::{
        literal,
        token::Token,
        tree::{Argument, ArithmeticOp, Call, Expr, ExprKind, Field, If, Index, IndexKind, Name, Quantifier, Segment},
    },
};

/// First segments of paths of events and entities.
const ROOTS: [&str; 14] = [
    "metadata",
    "principal",
    "target",
    "src",
    "network",
    "security_result",
    "about",
    "observer",
    "intermediary",
    "extracted",
    "additional",
    "udm",
    "graph",
    "detection",
];

impl Parser<'_> {
    /// `[any | all] sum`.
    pub(super) fn operand(&mut self) -> Read<Expr> {
        let quantifier = match self.kind() {
            TokenKind::Keyword(Keyword::Any) => Quantifier::Any,
            TokenKind::Keyword(Keyword::All) => Quantifier::All,
            _ => return self.sum(),
        };
        if self.ahead(1).kind == TokenKind::Keyword(Keyword::Of) {
            return self.n_of();
        }
        let start = self.advance().span;
        let inner = self.sum()?;
        self.grow(self.height + 1)?;
        Ok(Expr { span: start.to(inner.span), kind: ExprKind::Quantified(quantifier, Box::new(inner)) })
    }

    fn sum(&mut self) -> Read<Expr> {
        let mut left = self.term()?;
        loop {
            let op = match self.kind() {
                TokenKind::Plus => ArithmeticOp::Add,
                TokenKind::Minus => ArithmeticOp::Subtract,
                _ => return Ok(left),
            };
            let height = self.height;
            self.advance();
            let right = self.term()?;
            self.grow(height.max(self.height) + 1)?;
            left = arithmetic(op, left, right);
        }
    }

    fn term(&mut self) -> Read<Expr> {
        let mut left = self.factor()?;
        loop {
            let op = match self.kind() {
                TokenKind::Star => ArithmeticOp::Multiply,
                TokenKind::Slash => ArithmeticOp::Divide,
                TokenKind::Percent => ArithmeticOp::Modulo,
                _ => return Ok(left),
            };
            let height = self.height;
            self.advance();
            let right = self.factor()?;
            self.grow(height.max(self.height) + 1)?;
            left = arithmetic(op, left, right);
        }
    }

    fn factor(&mut self) -> Read<Expr> {
        self.height = 1;
        let token = self.token();
        let shown = self.shown(token);
        let kind = match token.kind {
            TokenKind::Text if shown.starts_with('"') => ExprKind::String(literal::quoted(shown)),
            TokenKind::Text | TokenKind::RawText => ExprKind::String(literal::between(shown)),
            TokenKind::Regex => ExprKind::Regex(literal::pattern(shown)),
            TokenKind::Int if self.ahead(1).kind == TokenKind::Keyword(Keyword::Of) => return self.n_of(),
            TokenKind::Int => ExprKind::Int(self.integer(token)),
            TokenKind::Float => ExprKind::Float(shown.parse().unwrap_or(f64::INFINITY)),
            TokenKind::Keyword(Keyword::True) => ExprKind::Bool(true),
            TokenKind::Keyword(Keyword::False) => ExprKind::Bool(false),
            TokenKind::Invalid => ExprKind::Error,
            TokenKind::Duration => return self.duration_operand(),
            TokenKind::Variable => return self.variable_or_field(),
            TokenKind::Count => return self.count(),
            TokenKind::List => {
                let list = self.list_ref();
                return Ok(Expr { kind: ExprKind::Column(list), span: token.span.to(self.previous()) });
            }
            TokenKind::LeftParenthesis => return self.group(Wanted::Any),
            TokenKind::Minus => return self.negative(),
            TokenKind::Bang => return self.absent(),
            TokenKind::Keyword(Keyword::If) => return self.if_call(),
            TokenKind::Keyword(Keyword::Any | Keyword::All) => return self.operand(),
            TokenKind::Word if !self.at_end_of_section() => return self.word(),
            TokenKind::Keyword(Keyword::Null) => {
                let diagnostic = self.unexpected("an operand");
                self.say(diagnostic.help("rules have no null: fields that are not set hold \"\", 0 or false"));
                ExprKind::Error
            }
            _ => {
                let diagnostic = self.missing_here("an operand: a field, a variable, a literal or a call");
                return self.fail(diagnostic);
            }
        };
        self.advance();
        Ok(Expr { kind, span: token.span })
    }

    /// A duration, where one can be meant; elsewhere a number that is written in another way.
    fn duration_operand(&mut self) -> Read<Expr> {
        let span = self.token().span;
        if self.words_are_values || self.place == Place::Other {
            let duration = self.duration()?;
            return Ok(Expr { kind: ExprKind::Duration(duration), span });
        }
        let diagnostic = self.unexpected("an operand");
        self.say(diagnostic.help("numbers consist of digits; durations stand in match, options and metrics only"));
        self.advance();
        Ok(Expr { kind: ExprKind::Error, span })
    }

    fn integer(&mut self, token: Token) -> i64 {
        let shown = self.shown(token);
        shown.parse().unwrap_or_else(|_| {
            let message = format!("the number {} is larger than {}", self.excerpt(token), i64::MAX);
            self.say(Diagnostic::new(Code::InvalidNumber, token.span, message));
            i64::MAX
        })
    }

    /// `-5`: said, and read as the number that is meant.
    fn negative(&mut self) -> Read<Expr> {
        let minus = self.advance().span;
        let token = self.token();
        if !matches!(token.kind, TokenKind::Int | TokenKind::Float) {
            let diagnostic =
                Diagnostic::new(Code::UnexpectedToken, minus, "unexpected token \"-\": expected an operand");
            return self.fail(diagnostic.help("there is no sign in front of operands: write `0 - ..`"));
        }
        let shown = self.shown(token);
        let message = format!("unexpected token \"-\": a literal can't be negative, found -{shown}");
        self.say(
            Diagnostic::new(Code::InvalidNumber, minus.to(token.span), message).help(format!("write `0-{shown}`")),
        );
        let mut number = self.factor()?;
        number.span = minus.to(number.span);
        number.kind = match number.kind {
            ExprKind::Int(value) => ExprKind::Int(-value),
            ExprKind::Float(value) => ExprKind::Float(-value),
            other => other,
        };
        Ok(number)
    }

    fn variable_or_field(&mut self) -> Read<Expr> {
        let token = self.token();
        let variable = self.variable();
        if self.kind() != TokenKind::Dot {
            if self.kind() == TokenKind::LeftBracket {
                let diagnostic = self.unexpected("a path or an operator after the variable");
                return self.fail(diagnostic.help("only fields have an index, for example `$e.principal.ip[0]`"));
            }
            return Ok(Expr { kind: ExprKind::Variable(variable.text), span: token.span });
        }
        let segments = self.segments()?;
        let span = token.span.to(self.previous());
        Ok(Expr { kind: ExprKind::Field(Field { variable, segments }), span })
    }

    /// `.segment[index].segment`.
    fn segments(&mut self) -> Read<Vec<Segment>> {
        let mut segments = Vec::new();
        while self.kind() == TokenKind::Dot {
            self.advance();
            if !self.kind().is_word() || self.token().first_on_line {
                let diagnostic = self.unexpected("a field's name after the point");
                if self.token().first_on_line {
                    self.abandoned = Some(self.at);
                    return self.fail(Diagnostic { span: self.previous(), ..diagnostic });
                }
                return self.fail(diagnostic);
            }
            let name = self.name();
            let mut index = if self.kind() == TokenKind::LeftBracket { Some(self.index()) } else { None };
            if index.is_some() && self.kind() == TokenKind::LeftBracket {
                let diagnostic = Diagnostic::new(
                    Code::InvalidIndex,
                    self.token().span,
                    "unexpected token \"[\": a field has one index",
                );
                self.say(diagnostic);
                self.index();
                // Which one was meant is unknown, so nothing more is said of them.
                index = index.map(|first| Index { kind: IndexKind::Error, ..first });
            }
            segments.push(Segment { name, index });
        }
        Ok(segments)
    }

    fn index(&mut self) -> Index {
        let open = self.at;
        let start = self.advance().span;
        let token = self.token();
        let shown = self.shown(token);
        let kind = match token.kind {
            TokenKind::Int => shown.parse().map_or(IndexKind::Error, IndexKind::Number),
            TokenKind::Text if shown.starts_with('"') => IndexKind::Key(literal::quoted(shown)),
            TokenKind::Text | TokenKind::RawText => IndexKind::Key(literal::between(shown)),
            _ => IndexKind::Error,
        };
        if kind != IndexKind::Error {
            self.advance();
            if self.eat(TokenKind::RightBracket) {
                return Index { kind, span: start.to(self.previous()) };
            }
        }
        let diagnostic = match token.kind {
            TokenKind::Word => {
                self.unexpected("a number or a text in quotes").help(format!("a key is a text: `[\"{shown}\"]`"))
            }
            TokenKind::Minus => self
                .unexpected("a number or a text in quotes")
                .help("an index counts from 0; there is none from the end"),
            _ if kind == IndexKind::Error => self.unexpected("a number or a text in quotes"),
            _ => self.unexpected("`]`"),
        };
        self.say(Diagnostic { code: Code::InvalidIndex, ..diagnostic });
        if let Some(close) = self.partners[open] {
            self.at = close as usize + 1;
        }
        Index { kind: IndexKind::Error, span: start.to(self.previous()) }
    }

    /// A word: the name of a call, or alone.
    fn word(&mut self) -> Read<Expr> {
        let name = self.dotted();
        if self.kind() == TokenKind::LeftParenthesis {
            return self.call(name);
        }
        let lower = name.text.to_ascii_lowercase();
        let plain = !name.text.contains('.');
        if lower == "window_start" || lower == "window_end" || plain && self.words_are_values {
            return Ok(Expr { kind: ExprKind::Word(name.text), span: name.span });
        }
        let root = lower.split('.').next().unwrap_or_default();
        let message =
            format!("unexpected token \"{}\": expected an operand", name.text.chars().take(60).collect::<String>());
        let diagnostic = Diagnostic::new(Code::UnexpectedToken, name.span, message);
        let diagnostic = if ROOTS.contains(&root) {
            let help =
                format!("a search may leave the event's variable away, a rule may not: write `$e.{}`", name.text);
            Diagnostic { code: Code::SearchOnly, ..diagnostic }.help(help)
        } else if name.text.contains('.') {
            diagnostic.help("a call needs its `( .. )`, a field the variable of its event: `$e.field`")
        } else {
            diagnostic.help(format!("a text stands in quotes, \"{}\"; a variable begins with `$`", name.text))
        };
        self.say(diagnostic);
        while self.kind() == TokenKind::LeftBracket {
            let _ = self.index();
        }
        Ok(Expr { kind: ExprKind::Error, span: name.span })
    }

    /// `name.name`.
    fn dotted(&mut self) -> Name {
        let mut name = self.name();
        while self.kind() == TokenKind::Dot && self.ahead(1).kind.is_word() && !self.ahead(1).first_on_line {
            self.advance();
            name.span = name.span.to(self.advance().span);
        }
        let written = name.span.of(self.text);
        let blank = |letter: char| letter.is_whitespace();
        name.text = if written.contains(blank) { written.replace(blank, "") } else { written.to_owned() };
        name
    }

    fn call(&mut self, name: Name) -> Read<Expr> {
        self.enter()?;
        let around = self.words_are_values;
        self.words_are_values |= name.text.starts_with("metrics.") || name.text.starts_with("timestamp.");
        let open = self.at;
        self.advance();
        let mut arguments: Vec<Argument> = Vec::new();
        let mut height = 0;
        while self.kind() != TokenKind::RightParenthesis {
            arguments.push(self.argument()?);
            height = height.max(self.height);
            if self.eat(TokenKind::Comma) {
                if self.kind() == TokenKind::RightParenthesis {
                    let diagnostic = self.unexpected("an argument after the comma");
                    self.say(diagnostic);
                }
                continue;
            }
            // Google's own pages leave the comma away before a named argument.
            if self.kind() == TokenKind::RightParenthesis
                || self.argument_name_length() == 0
                || self.at_end_of_section()
            {
                break;
            }
        }
        self.leave();
        self.words_are_values = around;
        self.close_arguments(open)?;
        self.grow(height + 1)?;
        let span = name.span.to(self.previous());
        Ok(Expr { kind: ExprKind::Call(Call { name, arguments, nocase: None }), span })
    }

    fn close_arguments(&mut self, open: usize) -> Read<()> {
        let separated =
            self.begins_statement(self.token()) && self.partners[open].is_some() && !self.at_end_of_section();
        if separated {
            let diagnostic = self.unexpected("`,` or `)` after the argument");
            return self.fail(diagnostic);
        }
        if self.kind() == TokenKind::Keyword(Keyword::Nocase) {
            let diagnostic = self.unexpected("`,` or `)` after the argument");
            self.say(diagnostic.help("`nocase` stands after the call: `re.regex(..) nocase`"));
            self.advance();
        }
        self.close(open, TokenKind::RightParenthesis)
    }

    /// How many tokens `name:` takes here; 0 where none stands.
    fn argument_name_length(&self) -> usize {
        let mut length = 0;
        while self.ahead(length).kind.is_word() {
            match self.ahead(length + 1).kind {
                TokenKind::Colon => return length + 2,
                TokenKind::Dot => length += 2,
                _ => return 0,
            }
        }
        0
    }

    fn argument(&mut self) -> Read<Argument> {
        let mut name = None;
        if self.argument_name_length() > 0 && !self.at_section() {
            name = Some(self.dotted());
            self.advance();
        }
        self.height = 1;
        let token = self.token();
        let value = match token.kind {
            TokenKind::Star => {
                self.advance();
                Expr { kind: ExprKind::Star, span: token.span }
            }
            _ => self.or_chain(Wanted::Any)?,
        };
        Ok(Argument { name, value })
    }

    fn if_call(&mut self) -> Read<Expr> {
        self.enter()?;
        let start = self.advance().span;
        let open = self.at;
        self.expect(TokenKind::LeftParenthesis, "`(` after `if`")?;
        let condition = self.or_chain(Wanted::Any)?;
        let mut height = self.height;
        self.expect(TokenKind::Comma, "`,` and the value if the condition holds")?;
        let then = self.or_chain(Wanted::Any)?;
        height = height.max(self.height);
        let mut otherwise = None;
        if self.eat(TokenKind::Comma) {
            otherwise = Some(self.or_chain(Wanted::Any)?);
            height = height.max(self.height);
        }
        self.leave();
        self.close_arguments(open)?;
        self.grow(height + 1)?;
        let kind = ExprKind::If(Box::new(If { condition, then, otherwise }));
        Ok(Expr { kind, span: start.to(self.previous()) })
    }
}

fn arithmetic(op: ArithmeticOp, left: Expr, right: Expr) -> Expr {
    let span: Span = left.span.to(right.span);
    Expr { kind: ExprKind::Arithmetic(op, Box::new(left), Box::new(right)), span }
}
