//! A rule and the order of its sections.

use super::{
    Parser, Place, TokenKind,
    recovery::{SEARCH_SECTIONS, SECTIONS},
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::tree::{Name, Rule, Section},
};

/// The order in which sections must stand; `export` may stand on both sides of `options`.
const ORDER: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 6];

/// What was seen of the sections of a rule.
#[derive(Default)]
struct Seen {
    words: [Option<Span>; 8],
    last: usize,
}

impl Parser<'_> {
    /// Text that belongs to no rule: said once, passed.
    pub(super) fn between_rules(&mut self, after_a_rule: bool) {
        let token = self.token();
        let next = self.ahead(1).kind;
        if token.kind == TokenKind::RightBrace {
            let diagnostic = self.unexpected("a rule or the end of the text");
            self.say(diagnostic.help("one `}` too many, or one too early"));
        } else if !after_a_rule && (next == TokenKind::Dot || token.kind == TokenKind::Variable || self.at_header()) {
            let diagnostic = Diagnostic { code: Code::SearchOnly, ..self.unexpected("`rule NAME {`") };
            self.say(
                diagnostic.help("a search has no such line; a rule needs it, with the sections inside of `{ .. }`"),
            );
        } else {
            let diagnostic = self.unexpected("`rule NAME {`");
            self.say(diagnostic);
        }
        self.advance();
        while self.kind() != TokenKind::End && !(self.is_word("rule") && self.ahead(1).kind.is_word()) {
            self.advance();
        }
    }

    /// `rule name { sections }`.
    pub(super) fn rule(&mut self) -> Option<Rule> {
        let start = self.advance().span;
        let name = self.rule_name()?;
        let open = self.token();
        if !self.eat(TokenKind::LeftBrace) {
            let diagnostic = self.missing_here("`{` after the rule's name");
            self.say(diagnostic);
            if !self.at_header() {
                self.skip_section();
            }
        }
        let mut rule = Rule {
            name,
            span: start,
            meta: None,
            setup: None,
            events: None,
            matching: None,
            outcome: None,
            condition: None,
            options: None,
            export: None,
        };
        let mut seen = Seen::default();
        while self.kind() != TokenKind::RightBrace && self.kind() != TokenKind::End && !self.at_rule() {
            self.section(&mut rule, &mut seen);
        }
        let closed = self.eat(TokenKind::RightBrace);
        if !closed {
            let diagnostic = Diagnostic { code: Code::UnclosedDelimiter, ..self.unexpected("`}`") };
            self.say(diagnostic.related(open.span, format!("the rule {} begins here", rule.name.text)));
        }
        rule.span = start.to(self.previous());
        if closed || seen.words.iter().any(Option::is_some) {
            self.missing(&rule.name, &seen);
        }
        Some(rule)
    }

    fn rule_name(&mut self) -> Option<Name> {
        if !self.kind().is_word() {
            let quoted = matches!(self.kind(), TokenKind::Text | TokenKind::RawText);
            let diagnostic = self.unexpected("the rule's name");
            self.say(if quoted { diagnostic.help("a rule's name stands without quotes") } else { diagnostic });
            if quoted || self.ahead(1).kind == TokenKind::LeftBrace {
                return Some(self.name());
            }
            if self.kind() == TokenKind::LeftBrace {
                return Some(Name { text: String::new(), span: self.token().span });
            }
            return None;
        }
        let mut name = self.name();
        let first = self.at;
        while !matches!(self.kind(), TokenKind::LeftBrace | TokenKind::End) && !self.token().first_on_line {
            self.advance();
        }
        if self.at > first {
            name.span = name.span.to(self.previous());
            let written = name.span.of(self.text);
            let better: String =
                written.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
            let shown = written.chars().take(60).collect::<String>();
            let message = format!("the rule's name \"{shown}\" has other signs than letters, digits and `_`");
            let diagnostic = Diagnostic::new(Code::UnexpectedToken, name.span, message);
            self.say(diagnostic.help(format!("write `rule {}`", better.chars().take(60).collect::<String>())));
            name.text = better;
        }
        Some(name)
    }

    fn missing(&mut self, name: &Name, seen: &Seen) {
        let missing: Vec<_> = [0, 2, 5]
            .into_iter()
            .filter(|&at| seen.words[at].is_none())
            .map(|at| format!("`{}`", SECTIONS[at]))
            .collect();
        let rest = match missing.as_slice() {
            [] => return,
            [one] => format!("the section {one} is"),
            [one, two] => format!("the sections {one} and {two} are"),
            _ => "the sections `meta`, `events` and `condition` are".to_owned(),
        };
        let message = format!("{rest} missing in rule {}", name.text);
        let diagnostic = Diagnostic::new(Code::MissingSection, name.span, message);
        self.say(diagnostic.help("a rule has `meta`, `events` and `condition`, in this order"));
    }

    /// One section, or what stands in its place.
    fn section(&mut self, rule: &mut Rule, seen: &mut Seen) {
        let token = self.token();
        let Some(kind) = self.section_at(self.at).or_else(|| self.section_meant(seen)) else {
            if !self.at_end_of_section() {
                self.advance();
            }
            return self.skip_section();
        };
        let first = self.place_in_order(kind, seen);
        self.advance();
        if !self.eat(TokenKind::Colon) {
            let diagnostic = self.missing_here(&format!("`:` after `{}`", SECTIONS[kind]));
            self.say(diagnostic);
        }
        self.place = match kind {
            2 => Place::Events,
            4 => Place::Outcome,
            5 => Place::Condition,
            _ => Place::Other,
        };
        let before = (!first).then(|| without_sections(rule));
        self.body(kind, rule, token.span);
        if let Some(before) = before {
            keep_the_first(rule, before);
        }
    }

    fn body(&mut self, kind: usize, rule: &mut Rule, keyword: Span) {
        match kind {
            0 => rule.meta = Some(self.read(keyword, Self::meta)),
            1 => rule.setup = Some(self.read(keyword, Self::setup)),
            2 => rule.events = Some(self.read(keyword, Self::events)),
            3 => rule.matching = Some(self.read(keyword, Self::matching)),
            4 => rule.outcome = Some(self.read(keyword, Self::outcome)),
            5 => rule.condition = Some(self.read(keyword, Self::condition)),
            6 => rule.options = Some(self.read(keyword, Self::options)),
            _ => rule.export = Some(self.read(keyword, Self::export)),
        }
    }

    fn read<T>(&mut self, keyword: Span, body: impl FnOnce(&mut Self) -> T) -> Section<T> {
        let body = body(self);
        Section { keyword, span: keyword.to(self.previous()), body }
    }

    /// Says when a section stands twice or too late; true for the first of its kind.
    fn place_in_order(&mut self, kind: usize, seen: &mut Seen) -> bool {
        let span = self.token().span;
        let word = SECTIONS[kind];
        if let Some(first) = seen.words[kind] {
            let diagnostic =
                Diagnostic::new(Code::DuplicateSection, span, format!("the section `{word}` stands twice"));
            self.say(diagnostic.related(first, "first here").help("join both into one"));
            return false;
        }
        seen.words[kind] = Some(span);
        if ORDER[kind] < ORDER[seen.last] {
            let later = SECTIONS[seen.last];
            let diagnostic =
                Diagnostic::new(Code::SectionOrder, span, format!("the section `{word}` must stand before `{later}`"));
            let diagnostic = match seen.words[seen.last] {
                Some(place) => diagnostic.related(place, format!("`{later}` stands here")),
                None => diagnostic,
            };
            self.say(diagnostic.help(format!("the order is {}", SECTIONS.join(", "))));
        } else {
            seen.last = kind;
        }
        true
    }

    /// The section that a wrong word is meant for; says so.
    fn section_meant(&mut self, seen: &Seen) -> Option<usize> {
        let token = self.token();
        let word = self.shown(token).to_ascii_lowercase();
        if !self.at_header() {
            let diagnostic = self.unexpected("a section, for example `events:`, or `}`");
            self.say(diagnostic);
            return None;
        }
        if SEARCH_SECTIONS.contains(&word.as_str()) {
            let message = format!("the section `{word}` is for searches, not for rules");
            self.say(Diagnostic::new(Code::SearchOnly, token.span, message));
            return None;
        }
        let near = (0..SECTIONS.len())
            .map(|kind| (strsim::damerau_levenshtein(&word, SECTIONS[kind]), seen.words[kind].is_some(), kind))
            .filter(|&(distance, _, kind)| distance * 3 <= SECTIONS[kind].len())
            .min()
            .map(|(_, _, kind)| kind);
        let diagnostic =
            Diagnostic::new(Code::UnknownSection, token.span, format!("unknown section \"{}\"", self.excerpt(token)));
        self.say(match near {
            Some(kind) => diagnostic.help(format!("did you mean `{}`?", SECTIONS[kind])),
            None => diagnostic.help(format!("sections are {}", SECTIONS.join(", "))),
        });
        near
    }
}

/// Takes the sections that were read out of a rule.
fn without_sections(rule: &mut Rule) -> Rule {
    Rule {
        name: rule.name.clone(),
        span: rule.span,
        meta: rule.meta.take(),
        setup: rule.setup.take(),
        events: rule.events.take(),
        matching: rule.matching.take(),
        outcome: rule.outcome.take(),
        condition: rule.condition.take(),
        options: rule.options.take(),
        export: rule.export.take(),
    }
}

/// Of a section that stands twice the lists are joined, so that nothing seems undefined; else the first is kept.
fn keep_the_first(rule: &mut Rule, before: Rule) {
    fn join<T>(second: &mut Option<Section<Vec<T>>>, first: Option<Section<Vec<T>>>) {
        if let Some(mut first) = first {
            first.body.extend(second.take().into_iter().flat_map(|section| section.body));
            *second = Some(first);
        }
    }
    join(&mut rule.meta, before.meta);
    join(&mut rule.setup, before.setup);
    join(&mut rule.events, before.events);
    join(&mut rule.outcome, before.outcome);
    join(&mut rule.options, before.options);
    join(&mut rule.export, before.export);
    rule.matching = before.matching.or(rule.matching.take());
    rule.condition = before.condition.or(rule.condition.take());
}
