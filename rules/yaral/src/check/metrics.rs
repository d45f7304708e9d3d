//! `metrics.*`: the names of its arguments, their values, and the fields by which a metric is broken down.

use super::{Checker, Place, names, walk, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    functions::{
        Function,
        metrics::{self, AGGREGATES, FILTER, MEASURES, Metric, PERIODS, REQUIRED},
    },
    source::Span,
    syntax::tree::{Argument, Call, Expr, ExprKind, Field, Name, Segment},
};

impl<'t> Checker<'t> {
    /// Checks the arguments of a metric.
    pub(super) fn metric(&mut self, function: &Function, call: &'t Call, place: Place) {
        let Some(metric) = metrics::find(function.name) else { return };
        let mut dimensions: Vec<&'t Name> = Vec::new();
        for argument in &call.arguments {
            let Some(name) = &argument.name else {
                if argument.value.kind != ExprKind::Error {
                    let message = "the arguments of a metric are named: `period:1d`, `principal.asset.ip:$ip`";
                    self.report(Diagnostic::new(Code::MetricArguments, argument.value.span, message));
                }
                continue;
            };
            match name.text.as_str() {
                "period" | "window" => {}
                "metric" => self.metric_word(metric, "measure", &argument.value, &MEASURES),
                "agg" => self.metric_word(metric, "aggregate", &argument.value, &AGGREGATES),
                FILTER => self.holds(&argument.value, Place::Filter),
                _ => {
                    dimensions.push(name);
                    if argument.value.kind != ExprKind::Star {
                        self.value(&argument.value, place);
                    }
                }
            }
        }
        let named = |wanted: &str| {
            let has_name = |argument: &&&Argument| argument.name.as_ref().is_some_and(|name| name.text == wanted);
            call.arguments.iter().collect::<Vec<_>>().iter().find(has_name).map(|argument| &argument.value)
        };
        let missing: Vec<&str> = REQUIRED.into_iter().filter(|name| named(name).is_none()).collect();
        if !missing.is_empty() {
            let message = format!("`{}` needs {}", function.name, missing.join(", "));
            self.report(Diagnostic::new(Code::MetricArguments, call.name.span, message));
        }
        if let (Some(period), Some(window)) = (named("period"), named("window")) {
            self.metric_period(period, window);
        }
        self.metric_dimensions(metric, &dimensions, call.name.span);
    }

    fn metric_word(&mut self, metric: &Metric, what: &str, value: &'t Expr, known: &[&'static str]) {
        let Some(word) = word_of(value) else {
            if value.kind != ExprKind::Error {
                let message = format!("expected the name of a {what}: {}", known.join(", "));
                self.report(Diagnostic::new(Code::MetricArguments, value.span, message));
            }
            return;
        };
        if !known.contains(&word.as_str()) {
            let message = format!("`{}` is no {what}, there are: {}", names::shown(&word), known.join(", "));
            let diagnostic = Diagnostic::new(Code::MetricArguments, value.span, message);
            if !self.full() {
                self.report(names::did_you_mean(diagnostic, "", &word, known.iter().copied()));
            }
        } else if word == "value_sum" && !metric.value_sum {
            let message = format!("`{}` counts events and sums no bytes, so it has no `value_sum`", metric.name);
            self.report(Diagnostic::new(Code::MetricArguments, value.span, message).help("use `event_count_sum`"));
        }
    }

    fn metric_period(&mut self, period: &'t Expr, window: &'t Expr) {
        let (Some(length), Some(range)) = (word_of(period), word_of(window)) else { return };
        match PERIODS.iter().find(|(known, _)| *known == length) {
            None => {
                let message = format!("`{}` is no period, there are: 1h, 1d", names::shown(&length));
                self.report(Diagnostic::new(Code::MetricArguments, period.span, message));
            }
            Some((_, belongs)) if *belongs != range => {
                let message = format!("the period `{length}` goes with the window `{belongs}`");
                self.report(Diagnostic::new(Code::MetricArguments, window.span, message));
            }
            Some(_) => {}
        }
    }

    fn metric_dimensions(&mut self, metric: &Metric, dimensions: &[&'t Name], call: Span) {
        let mut known = true;
        for name in dimensions {
            if self.full() {
                return;
            }
            known &= self.metric_dimension(metric, name);
        }
        let paths: Vec<&str> = dimensions.iter().map(|name| name.text.as_str()).collect();
        if paths.is_empty() {
            let message = format!("`{}` needs a field by which it is broken down", metric.name);
            let example = metric.combinations.first().and_then(|fields| fields.first());
            let diagnostic = Diagnostic::new(Code::MetricArguments, call, message);
            self.report(match example {
                Some(field) => diagnostic.help(format!("for example `{}`", field.describe())),
                None => diagnostic,
            });
        } else if known && !metric.allows(&paths) {
            let message = format!("`{}` is not documented for this combination of fields", metric.name);
            self.report(warning(Code::MetricArguments, call, message));
        }
    }

    /// Whether the metric knows a field; told if not.
    fn metric_dimension(&mut self, metric: &Metric, name: &'t Name) -> bool {
        if let Err(error) = crate::resolve::resolve(&as_field(name)) {
            let diagnostic = super::paths::told(&error);
            self.report(diagnostic);
            return false;
        }
        if metric.knows(&name.text) {
            return true;
        }
        let message = format!("`{}` is not documented by `{}`", metric.name, names::shown(&name.text));
        self.report(warning(Code::MetricArguments, name.span, message));
        false
    }

    /// A metric of hours needs one of days beside it.
    pub(super) fn check_metric_periods(&mut self) {
        let mut first_hourly: Option<Span> = None;
        let mut daily = false;
        for variable in self.rule.outcome.iter().flat_map(|section| &section.body) {
            walk::visit(&variable.value, &mut |part| {
                let ExprKind::Call(call) = &part.kind else { return };
                if metrics::find(&call.name.text).is_none() {
                    return;
                }
                for argument in &call.arguments {
                    if argument.name.as_ref().is_none_or(|name| name.text != "period") {
                        continue;
                    }
                    match word_of(&argument.value).as_deref() {
                        Some("1h") => first_hourly = first_hourly.or(Some(argument.value.span)),
                        Some("1d") => daily = true,
                        _ => {}
                    }
                }
            });
        }
        if let (Some(span), false) = (first_hourly, daily) {
            let message = "a metric of hours needs a metric of days in the same rule";
            self.report(
                Diagnostic::new(Code::MetricArguments, span, message).help("add one with `period:1d, window:30d`"),
            );
        }
    }
}

/// A path of events, as the argument's name spells it.
fn as_field(name: &Name) -> Field {
    let mut start = name.span.start;
    let segments = name.text.split('.').map(|part| {
        let end = start + part.len() as u32;
        let segment = Segment { name: Name { text: part.to_owned(), span: Span::new(start, end) }, index: None };
        start = end + 1;
        segment
    });
    Field { segments: segments.collect(), variable: name.clone() }
}

/// The word, or the duration as a word.
fn word_of(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Word(word) => Some(word.clone()),
        ExprKind::Duration(duration) => Some(match duration.seconds {
            seconds if seconds > 0 && seconds % 86_400 == 0 => format!("{}d", seconds / 86_400),
            seconds if seconds > 0 && seconds % 3600 == 0 => format!("{}h", seconds / 3600),
            seconds => format!("{}m", seconds / 60),
        }),
        // A measure that is also a function's name, such as `max`, may have been read as one.
        ExprKind::Variable(_) | ExprKind::Error => None,
        _ => None,
    }
}
