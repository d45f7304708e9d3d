//! Options, changes of the entity graph, exports.

use super::{Compiler, bare, no_field, undefined};
use crate::{
    eval::program::{CompileError, Enrichment, EnrichmentKind, Export, Exported, Outcome, Placeholder, Source},
    resolve::{EventSource, resolve},
    source::Span,
    syntax::tree::{self, CompareOp, Expr, ExprKind, Rule},
};

/// The options that change what a rule finds.
#[derive(Default)]
pub(super) struct Options {
    pub(super) allow_zero_values: bool,
    pub(super) suppression: u64,
}

pub(super) fn options(rule: &Rule) -> Result<Options, CompileError> {
    let mut options = Options::default();
    for option in rule.options.iter().flat_map(|section| &section.body) {
        match (option.name.text.as_str(), &option.value.kind) {
            ("allow_zero_values", ExprKind::Bool(allowed)) => options.allow_zero_values = *allowed,
            ("suppression_window", ExprKind::Duration(duration)) => options.suppression = duration.seconds,
            ("suppression_window", ExprKind::Int(0)) => options.suppression = 0,
            (name, _) => {
                return Err(CompileError::unsound(format!("the option {name} has no meaning here"), option.name.span));
            }
        }
    }
    Ok(options)
}

impl Compiler {
    pub(super) fn enrichments(&self, rule: &Rule) -> Result<Vec<Enrichment>, CompileError> {
        let entries = rule.setup.iter().flat_map(|section| &section.body);
        entries.map(|entry| self.enrichment(entry).and_then(|one| self.of_entity(one, entry.span))).collect()
    }

    fn of_entity(&self, enrichment: Enrichment, span: Span) -> Result<Enrichment, CompileError> {
        let variable = &self.variables[enrichment.variable];
        if variable.source == Source::Records(EventSource::Entity) {
            return Ok(enrichment);
        }
        Err(CompileError::unsound(format!("setup changes entities, and ${} is none", variable.name), span))
    }

    fn enrichment(&self, entry: &tree::Enrichment) -> Result<Enrichment, CompileError> {
        let (kind, equalities) = match &entry.kind {
            tree::EnrichmentKind::Append { variable, table } => {
                let known = self.by_name.get(&variable.text).copied();
                return Ok(Enrichment {
                    kind: EnrichmentKind::Append,
                    variable: known.ok_or_else(|| undefined(&variable.text, variable.span))?,
                    table: table.text.clone(),
                    join: Vec::new(),
                });
            }
            tree::EnrichmentKind::Override(equalities) => (EnrichmentKind::Override, equalities),
            tree::EnrichmentKind::Exclude(equalities) => (EnrichmentKind::Exclude, equalities),
        };
        let mut found: Option<Enrichment> = None;
        for equality in equalities.iter().flat_map(conjuncts) {
            let unreadable = || CompileError::unsound("setup joins a field of an entity with a column", equality.span);
            let ExprKind::Compare(compare) = &bare(equality).kind else { return Err(unreadable()) };
            let ((ExprKind::Field(field), ExprKind::Column(column))
            | (ExprKind::Column(column), ExprKind::Field(field))) =
                (&bare(&compare.left).kind, &bare(&compare.right).kind)
            else {
                return Err(unreadable());
            };
            let name = column.column.as_ref().filter(|_| compare.op == CompareOp::Equal).ok_or_else(unreadable)?;
            let path = resolve(field).map_err(no_field)?;
            let variable = self.by_name.get(&field.variable.text).copied();
            let variable = variable.ok_or_else(|| undefined(&field.variable.text, field.variable.span))?;
            let one = found.get_or_insert_with(|| Enrichment {
                kind,
                variable,
                table: column.name.text.clone(),
                join: Vec::new(),
            });
            if one.variable != variable {
                return Err(CompileError::unsound("setup joins one entity with one table", equality.span));
            }
            if one.table != column.name.text {
                let (what, needs) = (format!("%{}", column.name.text), "an entry of setup of its own".to_owned());
                return Err(CompileError::NotOffline { what, needs, span: equality.span });
            }
            one.join.push((path, name.text.clone()));
        }
        found.ok_or_else(|| CompileError::unsound("setup joins nothing", entry.span))
    }
}

fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    match &bare(expr).kind {
        ExprKind::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        _ => vec![expr],
    }
}

pub(super) fn exports(
    rule: &Rule,
    outcomes: &[Outcome],
    keys: &[usize],
    placeholders: &[Placeholder],
) -> Result<Vec<Export>, CompileError> {
    let written = |expr: &Expr| {
        let ExprKind::Variable(name) = &bare(expr).kind else {
            return Err(CompileError::unsound("export writes outcome variables only", expr.span));
        };
        let outcome = outcomes.iter().position(|outcome| outcome.name == *name).map(Exported::Outcome);
        let key = || keys.iter().position(|&key| placeholders[key].name == *name).map(Exported::Key);
        outcome.or_else(key).ok_or_else(|| undefined(name, expr.span))
    };
    let mut exports = Vec::new();
    for export in rule.export.iter().flat_map(|section| &section.body) {
        let columns = export.columns.iter().map(|(name, value)| Ok((name.text.clone(), written(value)?)));
        exports.push(Export { table: export.table.text.clone(), columns: columns.collect::<Result<_, _>>()? });
    }
    Ok(exports)
}
