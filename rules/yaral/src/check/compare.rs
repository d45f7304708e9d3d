//! Comparisons and look-ups: which types go together, what `nocase` and patterns may stand with.

use watchbell_udm::schema::{EnumId, Schema};

use super::{
    Checker, Place,
    expression::{Family, family},
    names, walk, warning,
};
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    syntax::tree::{Compare, CompareOp, Expr, ExprKind, In, ListForm},
    types::Type,
};

/// How many values of an enum a message lists.
const LISTED: usize = 8;

/// One side of a comparison.
#[derive(Clone, Copy)]
struct Side<'t> {
    expr: &'t Expr,
    kind: Type,
}

impl<'t> Checker<'t> {
    /// Checks a comparison.
    pub(super) fn compare(&mut self, compare: &'t Compare, span: Span, place: Place) {
        let told = self.diagnostics.len();
        let left = Side { expr: walk::bare(&compare.left), kind: self.value(&compare.left, place) };
        let right = Side { expr: walk::bare(&compare.right), kind: self.value(&compare.right, place) };
        self.check_quantified_join(left, right, place);
        if self.diagnostics[told..].iter().any(Diagnostic::is_error) {
            return;
        }
        if walk::is_literal(left.expr) && walk::is_literal(right.expr) {
            let message = "both sides are literals: the comparison says nothing about an event";
            self.report(Diagnostic::new(Code::LiteralsCompared, span, message));
            return;
        }
        if let Some(nocase) = compare.nocase
            && !self.nocase_fits(nocase, [left, right])
        {
            return;
        }
        for (side, other) in [(left, right), (right, left)] {
            if matches!(side.expr.kind, ExprKind::Regex(_)) {
                self.compare_with_pattern(other, compare.op);
                return;
            }
            if let (ExprKind::String(text), Type::Enum(id)) = (&side.expr.kind, other.kind) {
                self.enum_value(id, text, side.expr.span);
                return;
            }
        }
        self.compare_types(left, right, compare.op);
    }

    /// Any and all ask about one event's list: no join, no assignment.
    fn check_quantified_join(&mut self, left: Side<'t>, right: Side<'t>, place: Place) {
        if place != Place::Events {
            return;
        }
        for (side, other) in [(left, right), (right, left)] {
            let ExprKind::Quantified(_, inner) = &side.expr.kind else { continue };
            let own = self.scope.events_in(inner);
            let joins = self.scope.events_in(other.expr).iter().any(|event| !own.contains(event));
            let assigns = matches!(other.expr.kind, ExprKind::Variable(_));
            if joins || assigns {
                let message = "`any` and `all` can't stand in a join or an assignment";
                self.report(
                    Diagnostic::new(Code::JoinQuantifier, side.expr.span, message)
                        .help("leave it out: each value is then tried by itself"),
                );
                return;
            }
        }
    }

    fn nocase_fits(&mut self, nocase: Span, sides: [Side<'t>; 2]) -> bool {
        let wrong = sides.iter().find(|side| matches!(side.kind, Type::Enum(_))).or_else(|| {
            let no_text =
                |side: &&Side<'_>| !matches!(family(side.kind), Family::Text | Family::List | Family::Unknown);
            sides.iter().find(no_text)
        });
        let Some(side) = wrong else { return true };
        let message = match side.kind {
            Type::Enum(_) => "nocase can't stand with an enum: its values are compared as they are spelt".to_owned(),
            kind => format!("nocase needs texts, and this is of type {kind}"),
        };
        self.report(
            Diagnostic::new(Code::NocaseNotText, nocase, message)
                .help("leave out `nocase`")
                .related(side.expr.span, side.kind.to_string()),
        );
        false
    }

    fn compare_with_pattern(&mut self, side: Side<'t>, op: CompareOp) {
        if !matches!(op, CompareOp::Equal | CompareOp::NotEqual) {
            let message = "a pattern is compared by `=` or `!=`";
            self.report(Diagnostic::new(Code::TypeMismatch, side.expr.span, message));
            return;
        }
        let message = match (side.kind, family(side.kind)) {
            (Type::Enum(_), _) => "a pattern can't be matched with an enum".to_owned(),
            (_, Family::Text | Family::Unknown | Family::List) => return,
            (kind, _) => format!("a pattern needs a text, and this is of type {kind}"),
        };
        let mut diagnostic = Diagnostic::new(Code::RegexNotText, side.expr.span, message);
        if matches!(side.kind, Type::Enum(_)) {
            diagnostic = diagnostic.help("compare with its values, joined by `or`");
        }
        self.report(diagnostic);
    }

    /// Whether an enum has a value, told if not.
    pub(super) fn enum_value(&mut self, id: EnumId, written: &str, span: Span) {
        let found = Schema::published().enum_of(id);
        if found.value(written).is_some() || self.full() {
            return;
        }
        let all = || found.values.iter().map(|value| value.name);
        let message = format!(
            "\"{}\" is no value of {}, valid values are: {}",
            names::shown(written),
            found.name,
            names::some_of(written, all(), LISTED)
        );
        let diagnostic = Diagnostic::new(Code::UnknownEnumValue, span, message);
        self.report(names::did_you_mean(diagnostic, "", written, all()));
    }

    fn compare_types(&mut self, left: Side<'t>, right: Side<'t>, op: CompareOp) {
        let whole = left.expr.span.to(right.expr.span);
        let ordered = !matches!(op, CompareOp::Equal | CompareOp::NotEqual);
        for side in [left, right] {
            if let Type::Message(_) = side.kind {
                let message = format!("this is a whole {}, and a comparison needs one of its fields", side.kind);
                self.report(Diagnostic::new(Code::MessageAsValue, side.expr.span, message));
                return;
            }
        }
        match (family(left.kind), family(right.kind)) {
            (Family::Unknown, _) | (_, Family::Unknown) => {}
            (Family::Text, Family::Text) => {
                if ordered && left.kind == Type::String && right.kind == Type::String {
                    let message = "texts are compared by order; no page says how";
                    self.report(Diagnostic::new(Code::TextOrder, whole, message));
                }
            }
            (Family::Bool, Family::Bool) if ordered => {
                self.report(Diagnostic::new(Code::TypeMismatch, whole, "truth values have no order"));
            }
            (Family::Time, _) | (_, Family::Time) => self.compare_times(left, right),
            (Family::List, _) | (_, Family::List) => self.compare_lists(left, right),
            (one, other) if one == other => {}
            _ => self.mismatch(left, right),
        }
    }

    fn compare_times(&mut self, left: Side<'t>, right: Side<'t>) {
        for side in [left, right] {
            if side.kind == Type::Timestamp && matches!(side.expr.kind, ExprKind::Field(_)) {
                let message = "a point in time is compared by its seconds";
                self.report(warning(Code::TypeMismatch, side.expr.span, message).help("add `.seconds`"));
                return;
            }
        }
    }

    fn compare_lists(&mut self, left: Side<'t>, right: Side<'t>) {
        let list = if matches!(left.kind, Type::List(_)) { left } else { right };
        let message = "a list is compared with a single value, which is never equal";
        self.report(warning(Code::TypeMismatch, list.expr.span, message).help("ask `arrays.contains(list, value)`"));
    }

    fn mismatch(&mut self, left: Side<'t>, right: Side<'t>) {
        let whole = left.expr.span.to(right.expr.span);
        let message = format!("{} can't be compared with {}", left.kind, right.kind);
        let literal = [left, right].into_iter().any(|side| walk::is_literal(side.expr));
        let has_enum = [left, right].into_iter().any(|side| matches!(side.kind, Type::Enum(_)));
        // Only comparisons with literals are documented as errors.
        let mut diagnostic = if literal && !has_enum {
            Diagnostic::new(Code::TypeMismatch, whole, message)
        } else {
            warning(Code::TypeMismatch, whole, message)
        };
        for side in [left, right] {
            if let ExprKind::String(text) = &side.expr.kind
                && text.len() < 20
                && (text.parse::<u64>().is_ok() || text.parse::<bool>().is_ok())
            {
                diagnostic = diagnostic.help(format!("leave out the quotes: `{text}`"));
            }
        }
        self.report(diagnostic);
    }

    /// Checks a look-up in a list.
    pub(super) fn membership(&mut self, membership: &'t In, place: Place) {
        let kind = self.value(&membership.needle, place);
        let needle = walk::bare(&membership.needle);
        if walk::is_literal(needle) {
            let message = "a literal is looked up: the look-up says nothing about an event";
            self.report(warning(Code::LiteralsCompared, needle.span, message));
        }
        if let (Type::Message(_), ExprKind::Field(_)) = (kind, &needle.kind) {
            let message = format!("this is a whole {kind}, and a look-up needs one of its fields");
            self.report(Diagnostic::new(Code::MessageAsValue, needle.span, message));
        }
        if let ExprKind::Quantified(..) = needle.kind {
            let message = "`any` and `all` can't stand with a look-up in a list";
            self.report(
                Diagnostic::new(Code::QuantifierPlace, needle.span, message)
                    .help("leave it out: each value is then looked up by itself"),
            );
        }
        if let (Some(nocase), ListForm::Cidr) = (membership.nocase, membership.form) {
            self.report(warning(Code::NocaseNotText, nocase, "networks have no case").help("leave out `nocase`"));
        }
    }
}
