//! What stands in the sections, their expressions apart. Where a line has another form than its section wants, it is said and
//! the next line read.

use super::{Keyword, Parser, Read, TokenKind, Wanted};
use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::{
        literal,
        tree::{
            Duration, Enrichment, EnrichmentKind, Export, Expr, ExprKind, Match, MetaEntry, OutcomeVariable,
            RuleOption, Window, WindowKind,
        },
    },
};

impl Parser<'_> {
    /// Reads entries up to the end of the section; a broken one is skipped.
    fn entries<T>(&mut self, entry: impl Fn(&mut Self) -> Read<T>) -> Vec<T> {
        let mut entries = Vec::new();
        while !self.at_end_of_section() && !(self.at_header() && !self.is_literal(2)) {
            let start = self.at;
            self.statement = start;
            self.words_are_values = false;
            match entry(self) {
                Ok(entry) => entries.push(entry),
                Err(_) => self.skip_statement(start),
            }
            self.depth = 0;
            if self.at == start {
                self.advance();
            }
        }
        entries
    }

    fn is_literal(&self, ahead: usize) -> bool {
        use TokenKind as Kind;
        let kind = self.ahead(ahead).kind;
        matches!(
            kind,
            Kind::Text
                | Kind::RawText
                | Kind::Int
                | Kind::Float
                | Kind::Duration
                | Kind::Keyword(Keyword::True | Keyword::False)
        )
    }

    /// `key = "value"`.
    pub(super) fn meta(&mut self) -> Vec<MetaEntry> {
        let entries = self.entries(Self::meta_entry);
        for (index, entry) in entries.iter().enumerate() {
            // Few keys: looking back beats a map.
            if let Some(first) = entries[..index.min(200)].iter().find(|first| first.key.text == entry.key.text) {
                let message = format!("the key \"{}\" stands twice in meta", entry.key.text);
                self.say(
                    Diagnostic::new(Code::DuplicateMeta, entry.key.span, message).related(first.key.span, "first here"),
                );
            }
        }
        entries
    }

    fn meta_entry(&mut self) -> Read<MetaEntry> {
        if !self.kind().is_word() {
            let diagnostic = self.unexpected("a key of meta, for example `author = \"..\"`");
            return self.fail(diagnostic);
        }
        let key = self.name();
        self.equal_sign("the key")?;
        let token = self.token();
        let value = match token.kind {
            TokenKind::Text if self.shown(token).starts_with('"') => literal::quoted(self.shown(token)),
            TokenKind::Text | TokenKind::RawText => literal::between(self.shown(token)),
            _ => {
                let message = format!(
                    "unexpected token \"{}\": expected a text in quotes as the value of \"{}\"",
                    self.excerpt(token),
                    key.text
                );
                let diagnostic = Diagnostic::new(Code::MetaValue, token.span, message);
                let plain =
                    matches!(token.kind, TokenKind::Word | TokenKind::Keyword(_) | TokenKind::Int | TokenKind::Float);
                let help = format!("write `{} = \"{}\"`", key.text, self.excerpt(token));
                return self.fail(if plain { diagnostic.help(help) } else { diagnostic });
            }
        };
        self.advance();
        if !self.token().first_on_line && self.eat(TokenKind::Comma) {
            let diagnostic = Diagnostic::new(Code::UnexpectedToken, self.previous(), "unexpected token \",\"");
            self.say(diagnostic.help("entries of meta have no sign between them"));
        }
        Ok(MetaEntry { key, value, value_span: token.span })
    }

    /// `=`; for a colon it is said, and reading goes on.
    fn equal_sign(&mut self, after: &str) -> Read<()> {
        if self.eat(TokenKind::Equal) {
            return Ok(());
        }
        let diagnostic = self.missing_here(&format!("`=` after {after}"));
        if self.kind() == TokenKind::Colon {
            self.say(diagnostic);
            self.advance();
            return Ok(());
        }
        self.fail(diagnostic)
    }

    /// `$a, $b over 5m`.
    pub(super) fn matching(&mut self) -> Match {
        let start = self.at;
        self.statement = start;
        let mut matching = Match { variables: Vec::new(), window: None };
        if self.match_body(&mut matching).is_err() {
            self.skip_section();
        }
        matching
    }

    fn match_body(&mut self, matching: &mut Match) -> Read<()> {
        loop {
            self.match_variable(matching)?;
            if !self.eat(TokenKind::Comma) {
                break;
            }
            if self.is_word("over") || self.is_word("by") {
                let diagnostic = self.unexpected("another variable after the comma");
                self.say(diagnostic);
                break;
            }
        }
        let start = self.token();
        let over = self.eat_word("over");
        if !over && !self.eat_word("by") {
            let diagnostic = if self.at_end_of_section() {
                Diagnostic::new(Code::MissingWindow, self.previous(), "match has no window")
            } else if start.kind == TokenKind::Variable {
                let diagnostic = self.unexpected("`,` between two variables, or `over`");
                return self.fail(diagnostic);
            } else {
                let diagnostic = self.unexpected("`over` or `by`, and the window's length");
                Diagnostic { code: Code::MissingWindow, ..diagnostic }
            };
            return self.fail(diagnostic.help("for example `over 5m`, or `by 1h` for windows side by side"));
        }
        if self.is_word("every") {
            let diagnostic =
                Diagnostic::new(Code::SearchOnly, self.token().span, "`every` is for searches, not for rules");
            return self.fail(diagnostic.help("write the window's length: `over 1h`"));
        }
        let length = self.window_length()?;
        let kind = if over { self.pivot()? } else { WindowKind::Tumbling };
        if !over {
            self.eat_word("tumbling");
        }
        matching.window = Some(Window { span: start.span.to(self.previous()), length, kind });
        if self.at_end_of_section() || self.at_header() {
            return Ok(());
        }
        let diagnostic = self.unexpected("the next section: a window ends the match");
        self.fail(diagnostic)
    }

    fn match_variable(&mut self, matching: &mut Match) -> Read<()> {
        let token = self.token();
        match token.kind {
            TokenKind::Variable if self.ahead(1).kind != TokenKind::Dot => {
                let variable = self.variable();
                matching.variables.push(variable);
                Ok(())
            }
            TokenKind::Variable => {
                let diagnostic = Diagnostic::new(
                    Code::UnexpectedToken,
                    token.span.to(self.ahead(2).span),
                    "a field in match: expected a placeholder",
                );
                let event = self.shown(token);
                self.say(diagnostic.help(format!(
                    "bind it in events, for example `$key = {event}.principal.hostname`, and match `$key`"
                )));
                while !matches!(self.kind(), TokenKind::Comma)
                    && !self.is_word("over")
                    && !self.is_word("by")
                    && !self.at_end_of_section()
                {
                    self.advance();
                }
                Ok(())
            }
            TokenKind::Word if !self.is_word("over") && !self.is_word("by") => {
                let word = self.excerpt(token);
                let diagnostic = self.unexpected("a variable");
                self.say(diagnostic.help(format!("variables begin with `$`: write `${word}`")));
                let name = self.name();
                matching.variables.push(name);
                Ok(())
            }
            _ => {
                let diagnostic = self.unexpected("a variable, for example `$user`");
                self.fail(diagnostic)
            }
        }
    }

    fn window_length(&mut self) -> Read<Duration> {
        if self.kind() == TokenKind::Duration {
            return self.duration();
        }
        let (number, unit) = (self.token(), self.ahead(1));
        let diagnostic = self.unexpected("the window's length, for example `5m`, `1h` or `1d`");
        if number.kind == TokenKind::Int && unit.kind == TokenKind::Word && !unit.first_on_line {
            let together = format!("{}{}", self.shown(number), &self.shown(unit)[..1].to_ascii_lowercase());
            return self.fail(diagnostic.help(format!("number and unit stand together: `{together}`")));
        }
        self.fail(diagnostic)
    }

    fn pivot(&mut self) -> Read<WindowKind> {
        let after = self.eat_word("after");
        if !after && !self.eat_word("before") {
            return Ok(WindowKind::Hop);
        }
        if self.kind() != TokenKind::Variable {
            let diagnostic = self.unexpected("the event variable at which the windows hang, for example `$e1`");
            return self.fail(diagnostic);
        }
        let name = self.variable();
        Ok(if after { WindowKind::After(name) } else { WindowKind::Before(name) })
    }

    /// `5m`.
    pub(super) fn duration(&mut self) -> Read<Duration> {
        let token = self.token();
        let shown = self.shown(token);
        let digits = shown.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(shown.len());
        let (number, unit) = shown.split_at(digits);
        let unit_seconds: u64 = match unit {
            "m" => 60,
            "h" => 3600,
            "d" => 86400,
            _ => {
                let message = format!(
                    "unexpected token \"{}\": expected a duration in minutes, hours or days",
                    self.excerpt(token)
                );
                let better = unit
                    .chars()
                    .next()
                    .map(|letter| letter.to_ascii_lowercase())
                    .filter(|letter| "mhd".contains(*letter));
                let help = better.map_or_else(
                    || "for example `5m`, `1h` or `1d`".to_owned(),
                    |letter| format!("write `{number}{letter}`"),
                );
                self.advance();
                return self.fail(Diagnostic::new(Code::InvalidNumber, token.span, message).help(help));
            }
        };
        self.advance();
        let seconds = number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(unit_seconds);
        Ok(Duration { seconds, span: token.span })
    }

    /// `$name = value`.
    pub(super) fn outcome(&mut self) -> Vec<OutcomeVariable> {
        self.entries(Self::outcome_entry)
    }

    fn outcome_entry(&mut self) -> Read<OutcomeVariable> {
        let token = self.token();
        if token.kind != TokenKind::Variable {
            let assigned = token.kind == TokenKind::Word && self.ahead(1).kind == TokenKind::Equal;
            let diagnostic = self.unexpected("an outcome variable, for example `$risk_score = 50`");
            let help = format!("variables begin with `$`: write `${}`", self.excerpt(token));
            return self.fail(if assigned { diagnostic.help(help) } else { diagnostic });
        }
        if self.ahead(1).kind == TokenKind::Dot {
            self.advance();
            let diagnostic = self.unexpected("`=`: outcome assigns to plain variables");
            return self.fail(diagnostic);
        }
        let name = self.variable();
        self.equal_sign("the outcome variable")?;
        let value = self.operand()?;
        self.height = 0;
        let kind = self.kind();
        if kind.is_comparison()
            || matches!(kind, TokenKind::Keyword(Keyword::And | Keyword::Or | Keyword::In | Keyword::Nocase))
        {
            let diagnostic = self.unexpected("the next outcome variable or section");
            return self.fail(diagnostic.help("outcome holds values; of a comparison make one with `if(.., 1, 0)`"));
        }
        if kind == TokenKind::Comma {
            let diagnostic = self.unexpected("the next outcome variable or section");
            self.say(diagnostic.help("outcome variables have no sign between them"));
            self.advance();
        } else if kind != TokenKind::Variable
            && !self.at_end_of_section()
            && !self.at_header()
            && !self.token().first_on_line
        {
            let diagnostic = self.unexpected("an operator, the next outcome variable or section");
            return self.fail(diagnostic);
        }
        Ok(OutcomeVariable { name, value })
    }

    /// `name = value`.
    pub(super) fn options(&mut self) -> Vec<RuleOption> {
        self.entries(Self::option_entry)
    }

    fn option_entry(&mut self) -> Read<RuleOption> {
        if !self.kind().is_word() {
            let diagnostic = self.unexpected("an option, for example `allow_zero_values = true`");
            return self.fail(diagnostic);
        }
        let name = self.name();
        self.equal_sign("the option")?;
        if !self.is_literal(0) {
            let diagnostic = self.unexpected("`true`, `false`, a duration, a number or a text");
            return self.fail(diagnostic);
        }
        let value = self.operand()?;
        Ok(RuleOption { name, value })
    }

    /// `graph_override (..)`, `graph_exclude (..)`, `graph_append [..]`.
    pub(super) fn setup(&mut self) -> Vec<Enrichment> {
        self.entries(Self::enrichment)
    }

    fn enrichment(&mut self) -> Read<Enrichment> {
        let start = self.token();
        let word = self.shown(start).to_ascii_lowercase();
        let kind = match word.as_str() {
            "graph_override" | "graph_exclude" => {
                self.advance();
                let open = self.at;
                self.expect(TokenKind::LeftParenthesis, &format!("`(` after `{word}`"))?;
                let joins = match self.or_chain(Wanted::Predicate)? {
                    Expr { kind: ExprKind::And(joins), .. } => joins,
                    join => vec![join],
                };
                self.close(open, TokenKind::RightParenthesis)?;
                if word == "graph_override" { EnrichmentKind::Override(joins) } else { EnrichmentKind::Exclude(joins) }
            }
            "graph_append" => {
                self.advance();
                self.append()?
            }
            _ => {
                let diagnostic = self.unexpected("`graph_override (..)`, `graph_exclude (..)` or `graph_append [..]`");
                return self.fail(diagnostic);
            }
        };
        Ok(Enrichment { kind, span: start.span.to(self.previous()) })
    }

    fn append(&mut self) -> Read<EnrichmentKind> {
        let open = self.at;
        self.expect(TokenKind::LeftBracket, "`[` after `graph_append`")?;
        if self.kind() != TokenKind::Variable {
            let diagnostic = self.unexpected("the entity's variable, for example `$g`");
            return self.fail(diagnostic);
        }
        let variable = self.variable();
        self.expect(TokenKind::Comma, "`,` and the table")?;
        if self.kind() != TokenKind::List {
            let diagnostic = self.unexpected("a data table, for example `%table`");
            return self.fail(diagnostic);
        }
        let table = self.name();
        self.close(open, TokenKind::RightBracket)?;
        Ok(EnrichmentKind::Append { variable, table })
    }

    /// `%table.write_row(column: $variable, ..)`.
    pub(super) fn export(&mut self) -> Vec<Export> {
        self.entries(Self::export_entry)
    }

    fn export_entry(&mut self) -> Read<Export> {
        let start = self.token().span;
        if self.kind() != TokenKind::List {
            let diagnostic = self.unexpected("a data table, for example `%table.write_row(..)`");
            return self.fail(diagnostic);
        }
        let table = self.name();
        self.expect(TokenKind::Dot, "`.write_row(..)`")?;
        if !self.kind().is_word() {
            let diagnostic = self.unexpected("`write_row`");
            return self.fail(diagnostic);
        }
        let action = self.name();
        let open = self.at;
        self.expect(TokenKind::LeftParenthesis, "`(` and the columns")?;
        let mut columns = Vec::new();
        while self.kind() != TokenKind::RightParenthesis && !self.at_end_of_section() {
            if !self.kind().is_word() {
                let diagnostic = self.unexpected("a column, for example `user: $user`");
                return self.fail(diagnostic);
            }
            let column = self.name();
            self.expect(TokenKind::Colon, "`:` after the column")?;
            columns.push((column, self.operand()?));
            if !self.eat(TokenKind::Comma) {
                break;
            }
        }
        self.close(open, TokenKind::RightParenthesis)?;
        Ok(Export { table, action, columns, span: start.to(self.previous()) })
    }
}
