//! `meta`: what readers of a detection will miss.

use super::Checker;
use crate::diagnostic::{Code, Diagnostic};

const EXPECTED: [&str; 3] = ["author", "description", "severity"];

impl Checker<'_> {
    pub(super) fn check_meta(&mut self) {
        let Some(meta) = &self.rule.meta else { return };
        let has = |key: &str| meta.body.iter().any(|entry| entry.key.text.eq_ignore_ascii_case(key));
        let missing: Vec<&str> = EXPECTED.into_iter().filter(|key| !has(key)).collect();
        if !missing.is_empty() {
            let message = format!("meta has no {}", missing.join(", no "));
            self.report(Diagnostic::new(Code::MissingMeta, meta.keyword, message));
        }
    }
}
