//! Paths of fields: whether the data model has them, and what is written in brackets.

use watchbell_udm::schema::Schema;

use super::{Checker, names, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    resolve::{FieldPath, PathError, PathErrorKind, Pick, resolve},
    syntax::tree::Field,
    types::Type,
};

/// How many valid fields a message lists.
const LISTED: usize = 12;

impl<'t> Checker<'t> {
    /// The path of a field; `None` after telling what is wrong about it.
    pub(super) fn path(&mut self, field: &'t Field) -> Option<FieldPath> {
        // Naming the nearest field costs time; a text that is wrong everywhere must not cost much of it.
        if self.full() {
            return None;
        }
        match resolve(field) {
            Ok(path) => {
                self.warn_of_deprecated(field, &path);
                Some(path)
            }
            Err(error) => {
                let diagnostic = told(&error);
                self.report(diagnostic);
                None
            }
        }
    }

    fn warn_of_deprecated(&mut self, field: &'t Field, path: &FieldPath) {
        let Some((step, deprecated)) =
            path.steps.iter().find_map(|step| step.field.deprecated.map(|deprecated| (step, deprecated)))
        else {
            return;
        };
        let segment = field.segments.iter().find(|segment| segment.name.text == step.field.name);
        let span = segment.map_or(field.variable.span, |segment| segment.name.span);
        let mut diagnostic =
            Diagnostic::new(Code::DeprecatedField, span, format!("the field `{}` is deprecated", step.field.name));
        if let Some(instead) = deprecated.instead {
            diagnostic = diagnostic.help(format!("use `{instead}`"));
        }
        self.report(diagnostic);
    }
}

/// The type of a value that is read from a path.
pub(super) fn kind_of(path: &FieldPath) -> Type {
    match (path.kind, path.steps.last()) {
        // A whole entry of `variables` is read as a text, though no page says so.
        (Type::Message(_), Some(step)) if matches!(step.pick, Pick::Key(_)) => Type::Any,
        (kind, _) => kind,
    }
}

pub(super) fn told(error: &PathError) -> Diagnostic {
    match &error.kind {
        PathErrorKind::NoSuchField { name, before, message } => no_such_field(error, name, before, message),
        PathErrorKind::NoFields { name } => Diagnostic::new(
            Code::UnknownField,
            error.span,
            format!("`{}` does not exist: the field before it is a value and has no fields", names::shown(name)),
        ),
        PathErrorKind::NoPath => {
            Diagnostic::new(Code::UnknownField, error.span, "expected a field after `udm`, `graph` or `detection`")
        }
        PathErrorKind::NotAList => Diagnostic::new(
            Code::IndexMisuse,
            error.span,
            "a number in brackets picks an item of a list, and this field holds one value",
        )
        .help("leave the brackets out"),
        PathErrorKind::NoKeys => Diagnostic::new(
            Code::IndexMisuse,
            error.span,
            "a key in brackets reads a map or labels, and this field is neither",
        ),
        PathErrorKind::NumberBeforeKey => {
            Diagnostic::new(Code::IndexMisuse, error.span, "a path is read either by number or by key, not by both")
                .help("leave the number out: of several, the first that has the key is read")
        }
        PathErrorKind::PartlyIndexed => Diagnostic::new(
            Code::IndexMisuse,
            error.span,
            "some of the path's lists are indexed and others are not: index all or none",
        ),
    }
}

fn no_such_field(error: &PathError, name: &str, before: &str, message: &str) -> Diagnostic {
    let full = format!("{before}.{}", names::shown(name));
    let start = format!("accessing field \"{full}\": field \"{}\" does not exist", names::shown(name));
    if error.is_computed() {
        return warning(Code::UnknownField, error.span, format!("{start} in the published schema"))
            .help("the service computes this field; nothing here can check or fill it");
    }
    let Some(owner) = Schema::published().message(message) else {
        return Diagnostic::new(Code::UnknownField, error.span, start);
    };
    let valid = names::some_of(name, owner.fields.iter().map(|field| field.name), LISTED);
    let diagnostic = Diagnostic::new(Code::UnknownField, error.span, format!("{start}, valid fields are: {valid}"));
    let spelt = owner.field(name).map(|field| field.name);
    match spelt.or_else(|| watchbell_udm::schema::nearest(name, owner.fields.iter().map(|field| field.name))) {
        Some(near) => diagnostic.label("no such field").help(format!("did you mean `{near}`?")),
        None => diagnostic.label("no such field"),
    }
}
