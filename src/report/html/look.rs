//! How a severity looks: a word and a shape beside the color, because a color alone says nothing to many readers.

use serde::Serialize;
use watchbell_sink::Severity;

/// Word, class and shape of a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(in crate::report) struct SeverityLook {
    /// The name as filters and classes use it.
    pub(in crate::report) name: &'static str,
    /// The word that is shown.
    pub(in crate::report) title: &'static str,
    /// 0..4, for sorting.
    pub(in crate::report) rank: u8,
    /// The shape as a path in a box from -6 to 6.
    pub(in crate::report) shape: &'static str,
}

impl SeverityLook {
    /// The look of a severity.
    pub(in crate::report) const fn of(severity: Severity) -> Self {
        let (title, shape) = match severity {
            Severity::Critical => ("Critical", "M0-6.5 6.5 0 0 6.5-6.5 0z"),
            Severity::High => ("High", "M0-5.5 6 5H-6z"),
            Severity::Medium => ("Medium", "M-4.5-4.5h9v9h-9z"),
            Severity::Low => ("Low", "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z"),
            Severity::Informational => ("Info", "M-5-1.5h10v3H-5z"),
        };
        Self { name: severity.name(), title, rank: severity as u8, shape }
    }
}
