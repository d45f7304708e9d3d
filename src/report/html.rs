//! The page: one self-contained HTML file that opens from disk, prints, and needs neither network nor script.
//!
//! What a log wrote is untrusted everywhere in it: the template escapes, [`super::visible`] disarms what escaping leaves,
//! and a content policy with the hashes of the one style and the one script refuses everything else. The parts that
//! grow with the findings are filled up to a number of bytes, so a page stays small whatever it is fed.

pub(super) mod attack;
pub(super) mod card;
pub(super) mod chart;
pub(super) mod look;
pub(super) mod page;
mod pivot;
pub(super) mod scale;

use base64::{Engine, engine::general_purpose::STANDARD};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, context, syntax::SyntaxConfig, value::Serde};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{ReportError, ReportInput, overview::Overview, visible, words};

/// The most bytes that a page may have.
pub const LARGEST_PAGE: usize = 2_000_000;

/// How much of the page a growing part may take, in items and bytes. Together with the fixed parts they stay below
/// [`LARGEST_PAGE`].
#[derive(Debug, Clone, Copy)]
struct Room {
    items: usize,
    bytes: usize,
}

const CARDS: Room = Room { items: 50, bytes: 650_000 };
const ENTITIES: Room = Room { items: 300, bytes: 100_000 };
const FILES: Room = Room { items: 300, bytes: 100_000 };
const COMPLAINTS: Room = Room { items: 20, bytes: 60_000 };
const TERMS: Room = Room { items: 100, bytes: 40_000 };

/// What the parts of a fixed size take when every text in them is as hostile as can be.
const FIXED_BYTES: usize = 400_000;

/// Templates that more than one page is made of.
const SHARED: [(&str, &str); 7] = [
    ("parts.html", include_str!("html/parts.html")),
    ("timeline.html", include_str!("html/timeline.html")),
    ("facts.html", include_str!("html/facts.html")),
    ("why.html", include_str!("html/why.html")),
    ("chips.html", include_str!("html/chips.html")),
    ("guide.html", include_str!("html/guide.html")),
    ("pivots.html", include_str!("html/pivots.html")),
];

const TEMPLATES: [(&str, &str); 7] = [
    ("page.html", include_str!("html/page.html")),
    ("card.html", include_str!("html/card.html")),
    ("row.html", include_str!("html/row.html")),
    ("entity.html", include_str!("html/entity.html")),
    ("file.html", include_str!("html/file.html")),
    ("complaint.html", include_str!("html/complaint.html")),
    ("term.html", include_str!("html/term.html")),
];

/// Lanes of the entity chart: more do not fit on a page.
const LANES: usize = 12;

/// The style that every page has.
pub(super) const STYLE: &str = include_str!("html/style.css");

/// The page for these reports. The same input gives the same bytes.
///
/// # Errors
///
/// When a template is wrong, which a test would have shown before.
pub fn render_html(input: ReportInput<'_>) -> Result<String, ReportError> {
    let templates = templates(&TEMPLATES)?;
    let overview = Overview::new(input.reports);
    let ranked = overview.ranked.iter().copied();

    let cards = ranked
        .clone()
        .enumerate()
        .map(|(position, item)| card::Card::new(position + 1, item, &card::IN_REPORT, &|_| None));
    let cards = fill(&templates, "card.html", cards, CARDS)?;
    let entities = fill(&templates, "entity.html", page::entity_rows(&overview), ENTITIES)?;
    let files = fill(&templates, "file.html", page::file_rows(input), FILES)?;
    let complaints = overview.complaints.iter().map(page::complaint_row);
    let complaints = fill(&templates, "complaint.html", complaints, COMPLAINTS)?;
    let terms = fill(&templates, "term.html", page::terms(input.run, &overview).into_iter(), TERMS)?;

    let taken: usize = [&cards, &entities, &files, &complaints, &terms].iter().map(|part| part.text.len()).sum();
    let room = Room { items: overview.ranked.len(), bytes: LARGEST_PAGE - FIXED_BYTES - taken };
    let rows = fill(&templates, "row.html", ranked.skip(cards.shown).map(card::Row::new), room)?;

    let style = unix_lines(STYLE);
    let script = unix_lines(include_str!("html/script.js"));
    let on_page = |position: usize| (position < cards.shown).then(|| format!("#f{}", position + 1));
    let links = chart::Links {
        finding: &on_page,
        several: &|_, _| None,
        entity: &|_| None,
        beyond: &|_| None,
        window: scale::Window::default(),
        lanes: LANES,
    };
    let page = context! {
        policy => policy(&style, &script),
        style => style.as_str(),
        script => script.as_str(),
        header => Serde(page::Header::new(input, &overview)),
        time => Serde(chart::time_chart(&input.reports.iter().collect::<Vec<_>>(), &overview, &links)),
        scores => Serde(chart::score_chart(input.reports, input.run.threshold)),
        findings => overview.ranked.len(),
        left_out => overview.ranked.len() - cards.shown - rows.shown,
        threats => Serde(page::threat_rows(&overview)),
        matrix => Serde(attack::matrix(&overview)),
        layer => attack::navigator_layer(&overview),
        entities_left => overview.entities.len() - entities.shown,
        files_left => page::file_rows(input).count() - files.shown,
        cards => cards.value(),
        rows => rows.value(),
        entities => entities.value(),
        files => files.value(),
        complaints => complaints.value(),
        terms => terms.value(),
    };
    render(&templates, "page.html", page)
}

/// The shared templates and these, with what escapes and disarms.
pub(super) fn templates(own: &[(&'static str, &'static str)]) -> Result<Environment<'static>, ReportError> {
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_auto_escape_callback(|_| AutoEscape::Html);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    templates.set_syntax(syntax.expect("the usual delimiters are valid"));
    templates.add_filter("shown", |text: &str, limit: usize| Value::from_safe_string(visible::html(text, limit)));
    templates.add_filter("code", |text: &str| Value::from_safe_string(visible::escaped(text)));
    templates.add_filter("grouped", |number: u64| words::grouped(number, words::THIN));
    templates.add_filter("plain", |text: &str, limit: usize| visible::plain(text, limit));
    for &(part, text) in SHARED.iter().chain(own) {
        templates.add_template(part, text).map_err(|source| ReportError::Template { part, source })?;
    }
    Ok(templates)
}

/// A part of the page that grows with the input: its text and how many items are in it.
#[derive(Debug)]
struct Filled {
    text: String,
    shown: usize,
}

impl Filled {
    /// For the page: the text is markup already.
    fn value(self) -> Value {
        context! { text => Value::from_safe_string(self.text), shown => self.shown }
    }
}

/// Renders items one by one until the room is full; what is not shown any more is never built.
fn fill<T: Serialize>(
    templates: &Environment<'_>,
    part: &'static str,
    items: impl Iterator<Item = T>,
    room: Room,
) -> Result<Filled, ReportError> {
    let mut text = String::new();
    let mut shown = 0;
    for item in items.take(room.items) {
        let one = render(templates, part, context! { item => Serde(item) })?;
        if text.len() + one.len() > room.bytes {
            break;
        }
        text.push_str(&one);
        shown += 1;
    }
    Ok(Filled { text, shown })
}

pub(super) fn render(templates: &Environment<'_>, part: &'static str, context: Value) -> Result<String, ReportError> {
    templates
        .get_template(part)
        .and_then(|template| template.render(context))
        .map_err(|source| ReportError::Template { part, source })
}

/// Browsers hash the text after they have made all line ends `\n`.
pub(super) fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

fn policy(style: &str, script: &str) -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; img-src data:; base-uri 'none'; form-action 'none'",
        hash(style),
        hash(script)
    )
}

#[cfg(test)]
mod tests;
