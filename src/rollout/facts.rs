//! What a rule's text says about it, as far as it can be read without the service.

use watchbell_yaral::check::Classification;

/// What is known of a text; a text that can't be read says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Whether it is counted as a rule over several events.
    pub multi_event: Option<bool>,
    /// The length of its match window in seconds.
    pub window_seconds: Option<u64>,
    /// How many errors the local check finds.
    pub errors: usize,
}

impl Facts {
    /// Reads a text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let parsed = watchbell_yaral::parse(text);
        let checked = watchbell_yaral::check(&parsed.file);
        let told = parsed.diagnostics.iter().chain(&checked.diagnostics);
        let errors = told.filter(|diagnostic| diagnostic.is_error()).count();
        let Some(rule) = checked.facts.first() else {
            let m = parsed.file.rules.first(); //TEMP
            return Self {
                errors,
                multi_event: m.map(|m| m.matching.is_some()),
                window_seconds: m.and_then(|m| m.matching.as_ref()?.body.window.as_ref().map(|w| w.length.seconds)),
            };
        };
        let multi_event = Some(rule.classification == Classification::MultiEvent);
        Self { multi_event, window_seconds: rule.window_seconds, errors }
    }
}
