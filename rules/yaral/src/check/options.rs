//! `options`: known names, values that they can have.

use std::collections::HashSet;

use super::{Checker, Classification, classify, names, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    syntax::tree::{ExprKind, RuleOption},
};

const ALLOW_ZERO: &str = "allow_zero_values";
const SUPPRESSION: &str = "suppression_window";
const KNOWN: [&str; 2] = [ALLOW_ZERO, SUPPRESSION];

impl<'t> Checker<'t> {
    pub(super) fn check_options(&mut self) {
        let Some(options) = &self.rule.options else { return };
        let mut seen = HashSet::new();
        for option in &options.body {
            if !seen.insert(option.name.text.as_str()) {
                let message = format!("the option `{}` stands twice", names::shown(&option.name.text));
                self.report(warning(Code::OptionValue, option.name.span, message));
            }
            match option.name.text.as_str() {
                ALLOW_ZERO => self.check_allow_zero(option),
                SUPPRESSION => self.check_suppression(option),
                other => {
                    let message =
                        format!("no option is named `{}`, there are: {}", names::shown(other), KNOWN.join(", "));
                    let diagnostic = Diagnostic::new(Code::UnknownOption, option.name.span, message);
                    if !self.full() {
                        self.report(names::did_you_mean(diagnostic, "", other, KNOWN));
                    }
                }
            }
        }
    }

    fn check_allow_zero(&mut self, option: &'t RuleOption) {
        if !matches!(option.value.kind, ExprKind::Bool(_) | ExprKind::Error) {
            let message = format!("`{ALLOW_ZERO}` is `true` or `false`");
            self.report(Diagnostic::new(Code::OptionValue, option.value.span, message));
        }
    }

    fn check_suppression(&mut self, option: &'t RuleOption) {
        let seconds = match option.value.kind {
            ExprKind::Duration(duration) => duration.seconds,
            ExprKind::Int(0) | ExprKind::Error => return,
            _ => {
                let message = format!("`{SUPPRESSION}` is a duration such as `5m`");
                self.report(Diagnostic::new(Code::OptionValue, option.value.span, message));
                return;
            }
        };
        let facts = classify::facts(self.rule, &self.scope);
        let Some(window) = facts.window_seconds else { return };
        if facts.classification != Classification::MultiEvent || seconds == 0 || seconds > window {
            return;
        }
        let message = "the suppression window must be longer than the match window";
        let code = Code::SuppressionWindow;
        let diagnostic = if seconds == window {
            warning(code, option.value.span, message)
        } else {
            Diagnostic::new(code, option.value.span, message)
        };
        let place = self.rule.matching.as_ref().and_then(|matching| matching.body.window.as_ref());
        self.report(match place {
            Some(window) => diagnostic.related(window.length.span, "the match window"),
            None => diagnostic,
        });
    }
}
