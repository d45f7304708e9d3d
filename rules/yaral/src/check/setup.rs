//! `setup` and `export`: what changes the entity graph before a rule, and a table after it.

use super::{Checker, Place, names, walk, warning};
use crate::{
    diagnostic::{Code, Diagnostic},
    resolve::EventSource,
    source::Span,
    syntax::tree::{CompareOp, EnrichmentKind, Export, Expr, ExprKind},
};

/// How many entries `setup` may have.
const MAX_ENTRIES: usize = 2;
/// How many columns `export` may write.
const MAX_COLUMNS: usize = 20;

impl<'t> Checker<'t> {
    pub(super) fn check_setup(&mut self) {
        let Some(setup) = &self.rule.setup else { return };
        let mut enriched: Vec<&'t str> = Vec::new();
        for (position, entry) in setup.body.iter().enumerate().take(64) {
            if position == MAX_ENTRIES {
                let message = format!("setup has at most {MAX_ENTRIES} entries, {} here", setup.body.len());
                self.report(Diagnostic::new(Code::SetupForm, entry.span, message));
            }
            let variables = match &entry.kind {
                EnrichmentKind::Override(joins) | EnrichmentKind::Exclude(joins) => {
                    joins.iter().for_each(|join| self.setup_join(join));
                    let fields = joins.iter().flat_map(walk::fields);
                    fields.map(|field| (field.variable.text.as_str(), field.variable.span)).collect()
                }
                EnrichmentKind::Append { variable, .. } => vec![(variable.text.as_str(), variable.span)],
            };
            self.setup_variables(&variables, &mut enriched);
        }
    }

    fn setup_join(&mut self, join: &'t Expr) {
        let ExprKind::Compare(compare) = &walk::bare(join).kind else {
            if join.kind != ExprKind::Error {
                let message = "setup joins by equalities of an entity's field with a table's column";
                self.report(Diagnostic::new(Code::SetupForm, join.span, message));
            }
            return;
        };
        let (left, right) = (walk::bare(&compare.left), walk::bare(&compare.right));
        if left.kind == ExprKind::Error || right.kind == ExprKind::Error {
            return;
        }
        let pair = matches!(
            (&left.kind, &right.kind),
            (ExprKind::Field(_), ExprKind::Column(_)) | (ExprKind::Column(_), ExprKind::Field(_))
        );
        let whole_table = |side: &Expr| matches!(&side.kind, ExprKind::Column(column) if column.column.is_none());
        if !pair || whole_table(left) || whole_table(right) || compare.op != CompareOp::Equal {
            let message = "setup joins by equalities of an entity's field with a table's column";
            self.report(
                Diagnostic::new(Code::SetupForm, join.span, message)
                    .help("for example `$g.graph.entity.hostname = %assets.hostname`"),
            );
            return;
        }
        self.value(left, Place::Events);
        self.value(right, Place::Events);
    }

    /// One entry is about one entity variable, and each has one entry.
    fn setup_variables(&mut self, variables: &[(&'t str, Span)], enriched: &mut Vec<&'t str>) {
        let Some(&(name, span)) = variables.first() else { return };
        let shown = names::shown(name);
        if let Some(&(_, other)) = variables.iter().find(|(other, _)| *other != name) {
            let message = "one entry of setup is about one entity variable";
            self.report(Diagnostic::new(Code::SetupForm, other, message));
        }
        if enriched.contains(&name) {
            let message = format!("the entity variable `${shown}` has an entry of setup already");
            self.report(Diagnostic::new(Code::SetupForm, span, message));
        }
        enriched.push(name);
        if !self.scope.complete || self.full() {
            return;
        }
        match self.scope.event(name).map(|id| self.scope.events[id].source) {
            Some(EventSource::Entity) => {}
            Some(_) => {
                let message = format!("setup changes the entity graph, and `${shown}` reads no entities");
                self.report(Diagnostic::new(Code::SetupForm, span, message));
            }
            None => {
                let message = format!("the entity variable `${shown}` is not declared in events");
                let known = self.scope.events.iter().map(|event| event.name);
                let diagnostic = Diagnostic::new(Code::SetupForm, span, message);
                self.report(names::did_you_mean(diagnostic, "$", name, known));
            }
        }
    }

    pub(super) fn check_export(&mut self) {
        for export in self.rule.export.iter().flat_map(|section| &section.body) {
            if export.action.text != "write_row" {
                let message =
                    format!("a table has no action `{}`, only `write_row`", names::shown(&export.action.text));
                self.report(Diagnostic::new(Code::ExportForm, export.action.span, message));
            }
            self.check_columns(export);
        }
    }

    fn check_columns(&mut self, export: &'t Export) {
        for (position, (column, value)) in export.columns.iter().enumerate() {
            if position == MAX_COLUMNS {
                let message = format!("export writes at most {MAX_COLUMNS} columns, {} here", export.columns.len());
                self.report(Diagnostic::new(Code::ExportForm, column.span, message));
            }
            match &value.kind {
                ExprKind::Error => {}
                ExprKind::Variable(name) if self.scope.outcomes.contains_key(name.as_str()) => {}
                ExprKind::Variable(name) if self.scope.matched.contains(name.as_str()) => {
                    let message = format!(
                        "`${}` is a match variable; most pages export outcome variables only",
                        names::shown(name)
                    );
                    self.report(warning(Code::ExportForm, value.span, message));
                }
                ExprKind::Variable(name) if self.scope.placeholder(name).is_none() => {
                    self.undefined_variable(name, value.span);
                }
                _ => {
                    let message = "export writes outcome variables only";
                    self.report(
                        Diagnostic::new(Code::ExportForm, value.span, message)
                            .help("give the value to an outcome variable first"),
                    );
                }
            }
        }
    }
}
