//! The same rule in the one layout, comments kept. Works on tokens, so it can't change what a rule says: only blanks and line
//! breaks between tokens are written anew. Line breaks inside of statements stay where their author put them.

use std::collections::HashSet;

use crate::{
    diagnostic::Diagnostic,
    source::Span,
    syntax::{
        self, lexer,
        token::{Keyword, TokenKind},
        tree::{Rule, RuleFile},
    },
};

/// How far a section's word is indented, and one level of parentheses.
const STEP: usize = 2;
/// How far a section's content is indented.
const CONTENT: usize = 2 * STEP;

/// Formats a file of rules.
///
/// # Errors
///
/// What is wrong with the grammar: a file that can't be read is left alone.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = syntax::parse(text);
    if parsed.diagnostics.iter().any(Diagnostic::is_error) {
        return Err(parsed.diagnostics);
    }
    Ok(Layout::of(text, &parsed.file).written())
}

/// A token or a comment.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    text: &'a str,
    /// The token; of a comment nothing.
    token: Option<TokenKind>,
    start: u32,
    /// How many lines end between the item before and this.
    breaks: usize,
    /// How many bytes stand before it on its line.
    column: usize,
}

impl Item<'_> {
    fn is(&self, kind: TokenKind) -> bool {
        self.token == Some(kind)
    }

    fn is_line_comment(&self) -> bool {
        self.token.is_none() && self.text.starts_with("//")
    }

    fn opens(&self) -> bool {
        self.is(TokenKind::LeftParenthesis) || self.is(TokenKind::LeftBracket)
    }

    fn closes(&self) -> bool {
        self.is(TokenKind::RightParenthesis) || self.is(TokenKind::RightBracket)
    }
}

/// What stands where, while it is written.
struct Layout<'a> {
    items: Vec<Item<'a>>,
    /// For each item the token before it.
    before: Vec<Option<usize>>,
    /// For each item the token that it is or that follows.
    from: Vec<Option<usize>>,
    /// Where the words of sections begin.
    sections: HashSet<u32>,
    /// Where statements and entries begin.
    statements: HashSet<u32>,
    out: String,
    in_rule: bool,
    /// Whether a rule ended on the last line.
    after_rule: bool,
    any_section: bool,
    /// Whether a brace or a section's colon was the last to open something: nothing stands below it yet.
    fresh: bool,
    /// Of each open bracket how far the line is indented on which it opened.
    open: Vec<usize>,
    /// How far the current line is indented.
    indent: usize,
    /// Whether the last line is a comment that belongs to the section below it.
    above_section: bool,
    /// Whether a comment leads its line, so that what follows may stay there.
    led_by_comment: bool,
}

impl<'a> Layout<'a> {
    fn of(text: &'a str, file: &RuleFile) -> Self {
        let (mut sections, mut statements) = (HashSet::new(), HashSet::new());
        for rule in &file.rules {
            places(rule, &mut sections, &mut statements);
        }
        let items = items(text);
        let (before, from) = neighbours(&items);
        Self {
            items,
            before,
            from,
            sections,
            statements,
            out: String::with_capacity(text.len() + text.len() / 8),
            in_rule: false,
            after_rule: false,
            any_section: false,
            fresh: false,
            open: Vec::new(),
            indent: 0,
            above_section: false,
            led_by_comment: false,
        }
    }

    fn written(mut self) -> String {
        for index in 0..self.items.len() {
            self.write(index);
        }
        if !self.out.is_empty() {
            self.out.push('\n');
        }
        self.out
    }

    fn write(&mut self, index: usize) {
        let item = self.items[index];
        let begins_line = self.begins_line(index);
        if begins_line {
            self.new_line(index);
        } else if index > 0 && self.is_spaced(index) {
            self.out.push(' ');
        }
        self.led_by_comment = item.token.is_none() && !item.is_line_comment() && begins_line;
        match item.token {
            // Line ends are the formatter's, also inside of comments.
            None => self.out.push_str(&item.text.replace("\r\n", "\n").trim_end().replace('\r', "")),
            Some(_) => self.out.push_str(item.text),
        }
        self.fresh = (self.fresh && item.token.is_none() && !begins_line) || self.opens_block(index);
        match item.token {
            Some(TokenKind::LeftBrace) => (self.in_rule, self.any_section) = (true, false),
            Some(TokenKind::RightBrace) => (self.in_rule, self.after_rule) = (false, true),
            Some(_) if item.opens() => self.open.push(self.indent),
            Some(_) if item.closes() => drop(self.open.pop()),
            _ => {}
        }
        if item.token.is_some() {
            self.any_section |= self.sections.contains(&item.start);
        }
    }

    /// Whether a brace or a section's colon stands here.
    fn opens_block(&self, index: usize) -> bool {
        let item = self.items[index];
        item.is(TokenKind::LeftBrace)
            || item.is(TokenKind::Colon)
                && self.token_before(index).is_some_and(|word| self.sections.contains(&self.items[word].start))
    }

    fn token_before(&self, index: usize) -> Option<usize> {
        self.before[index]
    }

    /// The item, or of a comment the token after it.
    fn token_from(&self, index: usize) -> Option<Item<'a>> {
        self.from[index].map(|at| self.items[at])
    }

    fn begins_line(&self, index: usize) -> bool {
        let item = self.items[index];
        let Some(before) = index.checked_sub(1).map(|before| self.items[before]) else { return true };
        if before.is_line_comment() {
            return true;
        }
        if item.token.is_none() {
            return item.breaks > 0;
        }
        let must = self.fresh
            || self.sections.contains(&item.start)
            || self.statements.contains(&item.start)
            || item.is(TokenKind::RightBrace)
            || before.is(TokenKind::RightBrace)
            || !self.in_rule
                && item.start > 0
                && self.token_before(index).is_none_or(|at| self.items[at].is(TokenKind::RightBrace));
        if must {
            return !(self.led_by_comment && item.breaks == 0);
        }
        let heads = !self.in_rule || item.is(TokenKind::Colon) && self.opens_block(index);
        item.breaks > 0 && (!heads || before.token.is_none() && item.breaks > 0)
    }

    /// Ends the line and indents the next.
    fn new_line(&mut self, index: usize) {
        let item = self.items[index];
        let blank = index > 0 && self.blank_before(index);
        self.after_rule = false;
        self.above_section = self.is_above_section(index);
        self.indent = self.indent_of(index);
        if index > 0 {
            self.out.push_str(if blank { "\n\n" } else { "\n" });
        }
        self.out.extend(std::iter::repeat_n(' ', self.indent));
        if item.token.is_some() {
            self.above_section = false;
        }
    }

    fn blank_before(&self, index: usize) -> bool {
        let item = self.items[index];
        let wanted = item.breaks > 1;
        if self.fresh || item.is(TokenKind::RightBrace) || item.closes() || self.items[index - 1].opens() {
            return false;
        }
        if !self.in_rule {
            return wanted || self.after_rule;
        }
        if self.any_section
            && !self.above_section
            && (self.sections.contains(&item.start) || self.is_above_section(index))
        {
            return true;
        }
        wanted
    }

    /// Whether a comment on its own line belongs to the section below: it stands no deeper than the section's word.
    fn is_above_section(&self, index: usize) -> bool {
        let item = self.items[index];
        if item.token.is_some() || !self.in_rule {
            return false;
        }
        let Some(next) = self.token_from(index) else { return false };
        self.sections.contains(&next.start) && (self.above_section || !self.any_section || item.column <= next.column)
    }

    fn indent_of(&self, index: usize) -> usize {
        let item = self.items[index];
        if !self.in_rule || item.is(TokenKind::RightBrace) {
            return 0;
        }
        if self.sections.contains(&item.start) || self.above_section {
            return STEP;
        }
        let Some(next) = self.token_from(index) else { return 0 };
        if next.is(TokenKind::RightBrace) || self.sections.contains(&next.start) {
            return if self.any_section { CONTENT } else { STEP };
        }
        if self.statements.contains(&next.start) {
            return CONTENT;
        }
        match self.open.last() {
            Some(&indent) if item.closes() => indent,
            Some(&indent) => indent + STEP,
            None if self.is_joint(index, next) => CONTENT,
            None => CONTENT + STEP,
        }
    }

    /// Whether a line break stands between whole parts of a chain.
    fn is_joint(&self, index: usize, next: Item<'_>) -> bool {
        let joins = |token: Option<TokenKind>| {
            matches!(token, Some(TokenKind::Keyword(Keyword::And | Keyword::Or) | TokenKind::Comma))
        };
        joins(next.token) || self.token_before(index).is_some_and(|at| joins(self.items[at].token))
    }

    /// Whether a blank stands between an item and the one before on its line.
    fn is_spaced(&self, index: usize) -> bool {
        use TokenKind as Kind;
        let (before, item) = (self.items[index - 1], self.items[index]);
        let (Some(left), Some(right)) = (before.token, item.token) else { return true };
        match (left, right) {
            (_, Kind::Comma | Kind::Colon | Kind::RightParenthesis | Kind::RightBracket | Kind::Dot) => false,
            (Kind::LeftParenthesis | Kind::LeftBracket | Kind::Dot | Kind::Bang, _) => false,
            (Kind::Word, Kind::LeftParenthesis | Kind::LeftBracket) => {
                let enrichment = ["graph_override", "graph_exclude", "graph_append"];
                enrichment.iter().any(|word| word.eq_ignore_ascii_case(before.text))
            }
            (Kind::Keyword(Keyword::If), Kind::LeftParenthesis) => false,
            // A field may have the name of a keyword: `$e.all[0]`.
            (Kind::Keyword(_), Kind::LeftBracket) => !(index > 1 && self.items[index - 2].is(Kind::Dot)),
            _ => true,
        }
    }
}

/// For each item the token before it, and the token that it is or that follows.
fn neighbours(items: &[Item<'_>]) -> (Vec<Option<usize>>, Vec<Option<usize>>) {
    let mut last = None;
    let mut before = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        before.push(last);
        last = if item.token.is_some() { Some(index) } else { last };
    }
    let mut next = None;
    let mut from = vec![None; items.len()];
    for (index, item) in items.iter().enumerate().rev() {
        next = if item.token.is_some() { Some(index) } else { next };
        from[index] = next;
    }
    (before, from)
}

/// Tokens and comments in the order of the text.
fn items(text: &str) -> Vec<Item<'_>> {
    let lexed = lexer::lex(text);
    let tokens =
        lexed.tokens.iter().filter(|token| token.kind != TokenKind::End).map(|token| (token.span, Some(token.kind)));
    let mut all: Vec<(Span, Option<TokenKind>)> =
        tokens.chain(lexed.comments.iter().map(|&span| (span, None))).collect();
    all.sort_by_key(|(span, _)| span.start);
    let mut end = 0;
    let mut line = 0;
    let mut seen = 0;
    let mut items = Vec::with_capacity(all.len());
    for (span, token) in all {
        let start = span.start as usize;
        let gap = &text[end..start];
        // Only what came since the last item: a long line must not be walked again for each of its items.
        if let Some(last) = text[seen..start].rfind('\n') {
            line = seen + last + 1;
        }
        seen = start;
        items.push(Item {
            text: span.of(text),
            token,
            start: span.start,
            breaks: gap.matches('\n').count(),
            column: start - line,
        });
        end = span.end as usize;
    }
    items
}

/// Where a rule's sections and their entries begin.
fn places(rule: &Rule, sections: &mut HashSet<u32>, statements: &mut HashSet<u32>) {
    if let Some(section) = &rule.meta {
        sections.insert(section.keyword.start);
        statements.extend(section.body.iter().map(|entry| entry.key.span.start));
    }
    if let Some(section) = &rule.setup {
        sections.insert(section.keyword.start);
        statements.extend(section.body.iter().map(|entry| entry.span.start));
    }
    if let Some(section) = &rule.events {
        sections.insert(section.keyword.start);
        statements.extend(section.body.iter().map(|statement| statement.span.start));
    }
    if let Some(section) = &rule.matching {
        sections.insert(section.keyword.start);
        // A variable's name begins behind its sign.
        statements.extend(section.body.variables.first().map(|first| first.span.start - 1));
    }
    if let Some(section) = &rule.outcome {
        sections.insert(section.keyword.start);
        statements.extend(section.body.iter().map(|variable| variable.name.span.start - 1));
    }
    if let Some(section) = &rule.condition {
        sections.insert(section.keyword.start);
        statements.insert(section.body.span.start);
    }
    if let Some(section) = &rule.options {
        sections.insert(section.keyword.start);
        statements.extend(section.body.iter().map(|option| option.name.span.start));
    }
    if let Some(section) = &rule.export {
        sections.insert(section.keyword.start);
        statements.extend(section.body.iter().map(|export| export.span.start));
    }
}
