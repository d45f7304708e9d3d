//! The pages that a server shows: the overview, one finding, the way in, and what went wrong.
//!
//! They share style, chart and parts of the card with the report. Everything is rendered here from data that comes in as
//! arguments; the browser's script only fetches parts of the same pages again and sends what a person decides. What a
//! log wrote, and what stands in an address, is hostile: every text goes through the templates' escaping and
//! [`super::visible`], and every address that is made of it through [`address`].

pub mod address;
mod assets;
mod facts;
mod finding;
mod narrowed;
mod overview;

use minijinja::{Environment, Value, context, value::Serde};

pub use assets::Asset;
pub use facts::{
    DecisionFacts, DeliveryFacts, ErrorFacts, FilterFacts, HeldFacts, JobFacts, RowFacts, SinkFacts, SuppressionFacts,
    Visitor,
};
pub use finding::FindingInput;
pub use overview::OverviewInput;

use super::{ReportError, html};

const TEMPLATES: [(&str, &str); 13] = [
    ("frame.html", include_str!("frame.html")),
    ("overview.html", include_str!("overview.html")),
    ("top.html", include_str!("top.html")),
    ("chart.html", include_str!("chart.html")),
    ("list.html", include_str!("list.html")),
    ("delivery.html", include_str!("delivery.html")),
    ("jobs.html", include_str!("jobs.html")),
    ("decisions.html", include_str!("decisions.html")),
    ("finding.html", include_str!("finding.html")),
    ("state.html", include_str!("state.html")),
    ("dialogs.html", include_str!("dialogs.html")),
    ("lift.html", include_str!("lift.html")),
    ("message.html", include_str!("message.html")),
];
const LOGIN: (&str, &str) = ("login.html", include_str!("login.html"));

/// A page, ready to be rendered as a whole or in parts.
#[derive(Debug, Clone)]
pub struct Page {
    template: &'static str,
    /// The parts that can be fetched alone, by their names.
    parts: &'static [(&'static str, &'static str)],
    context: Value,
}

/// What went wrong, for a person.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// In a few words.
    pub title: &'a str,
    /// What was expected, or what to do.
    pub detail: &'a str,
}

/// The templates and assets of the pages.
#[derive(Debug)]
pub struct Pages {
    templates: Environment<'static>,
    assets: Vec<Asset>,
}

impl Pages {
    /// Reads the templates.
    ///
    /// # Errors
    /// A template is wrong, which a test would have shown before.
    pub fn new() -> Result<Self, ReportError> {
        let assets = assets::all();
        let mut templates = html::templates(&TEMPLATES)?;
        let (part, text) = LOGIN;
        templates.add_template(part, text).map_err(|source| ReportError::Template { part, source })?;
        for asset in &assets {
            templates.add_global(asset.key, Value::from_safe_string(asset.path()));
        }
        Ok(Self { templates, assets })
    }

    /// What the pages load, each under an address that changes with its content.
    #[must_use]
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// A page as HTML.
    ///
    /// # Errors
    /// A template is wrong.
    pub fn render(&self, page: &Page, visitor: &Visitor) -> Result<String, ReportError> {
        html::render(&self.templates, page.template, with_visitor(page, visitor))
    }

    /// Only the parts with these names, one after another; names that the page has not are passed over.
    ///
    /// # Errors
    /// A template is wrong.
    pub fn render_parts(&self, page: &Page, names: &str, visitor: &Visitor) -> Result<String, ReportError> {
        let mut text = String::new();
        for (name, template) in page.parts {
            if names.split(',').any(|wanted| wanted == *name) {
                text.push_str(&html::render(&self.templates, template, with_visitor(page, visitor))?);
            }
        }
        Ok(text)
    }

    /// The way in. `failed` says what was wrong with the last try.
    ///
    /// # Errors
    /// A template is wrong.
    pub fn login(&self, failed: Option<&str>) -> Result<String, ReportError> {
        html::render(&self.templates, LOGIN.0, context! { failed => failed, visitor => Serde(Visitor::default()) })
    }

    /// A page that says what went wrong.
    ///
    /// # Errors
    /// A template is wrong.
    pub fn message(&self, message: Message<'_>, visitor: &Visitor) -> Result<String, ReportError> {
        let Message { title, detail } = message;
        html::render(&self.templates, "message.html", context! { title, detail, visitor => Serde(visitor) })
    }
}

fn with_visitor(page: &Page, visitor: &Visitor) -> Value {
    context! { visitor => Serde(visitor), ..page.context.clone() }
}

#[cfg(test)]
mod tests;
