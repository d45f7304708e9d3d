//! A program over data: the stages in their order.

use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use super::{
    detect::{Detection, detections, plain},
    event::Event,
    graph::enriched,
    group::groups,
    input::{Dataset, EvalError, Settings},
    lists::Prepared,
    program::{Exported, Program, Source},
    scope,
    unnest::copies,
};
use crate::{functions::Environment, lists::DataTable, resolve::EventSource};

/// What a rule found.
#[derive(Debug, Clone, Default)]
pub struct Run {
    /// The detections in the order of time.
    pub detections: Vec<Detection>,
    /// The data tables that the rule would write, as they would be afterwards.
    pub exported: BTreeMap<String, DataTable>,
    /// What a user should know: rows that could not be evaluated, detections that were suppressed.
    pub notes: Vec<String>,
}

impl Program {
    /// Runs the rule over data.
    ///
    /// # Errors
    /// A list that is missing, or a limit that is reached.
    pub fn run(&self, data: &Dataset, settings: &Settings) -> Result<Run, EvalError> {
        let run = scope::Run {
            program: self,
            settings,
            records: self.records(data)?,
            tables: self.tables(data)?,
            lookups: self.lookups.iter().map(|lookup| Prepared::of(lookup, data)).collect::<Result<_, _>>()?,
            steps: Cell::new(0),
            notes: RefCell::default(),
            environment: Environment::new(settings.now, 0),
        };
        let copies: Vec<_> = (0..self.variables.len()).map(|at| copies(&run, at)).collect::<Result<_, _>>()?;
        let found = groups(&run, &copies)?;
        let (detections, suppressed) = detections(&run, found);
        let mut notes = self.notes.clone();
        notes.extend(row_notes(&run));
        if suppressed > 0 {
            let what = if suppressed == 1 { "detection was" } else { "detections were" };
            notes.push(format!("{suppressed} {what} suppressed"));
        }
        Ok(Run { exported: self.exported(data, &detections), detections, notes })
    }

    fn records<'a>(&self, data: &'a Dataset) -> Result<Vec<Cow<'a, [Event]>>, EvalError> {
        let mut records = Vec::with_capacity(self.variables.len());
        for (at, variable) in self.variables.iter().enumerate() {
            let mut own: Cow<'a, [Event]> = Cow::Borrowed(match &variable.source {
                Source::Records(EventSource::Udm) => data.events.as_slice(),
                Source::Records(EventSource::Entity) => data.entities.as_slice(),
                Source::Records(EventSource::Detection) => data.detections.as_slice(),
                Source::Table(_) => &[],
            });
            for enrichment in self.enrichments.iter().filter(|enrichment| enrichment.variable == at) {
                own = Cow::Owned(enriched(enrichment, &own, data)?);
            }
            records.push(own);
        }
        Ok(records)
    }

    fn tables<'a>(&self, data: &'a Dataset) -> Result<Vec<Option<&'a DataTable>>, EvalError> {
        let table = |variable: &super::program::Variable| {
            let Source::Table(name) = &variable.source else { return Ok(None) };
            let table = data.tables.get(name).ok_or_else(|| EvalError::MissingList(name.clone()))?;
            for slot in &variable.slots {
                if let super::program::SlotKind::Column(column) = slot
                    && table.column(column).is_none()
                {
                    return Err(EvalError::MissingColumn { table: name.clone(), column: column.clone() });
                }
            }
            Ok(Some(table))
        };
        self.variables.iter().map(table).collect()
    }

    fn exported(&self, data: &Dataset, detections: &[Detection]) -> BTreeMap<String, DataTable> {
        let mut tables: BTreeMap<String, DataTable> = BTreeMap::new();
        for export in &self.exports {
            let table = tables
                .entry(export.table.clone())
                .or_insert_with(|| data.tables.get(&export.table).cloned().unwrap_or_default());
            for detection in detections {
                let cells = export.columns.iter().filter_map(|(column, written)| {
                    let (_, value) = match written {
                        Exported::Outcome(at) => detection.outcomes.get(*at)?,
                        Exported::Key(at) => detection.keys.get(*at)?,
                    };
                    Some((column.clone(), plain(value)))
                });
                table.write(&cells.collect::<Vec<_>>());
            }
        }
        tables
    }
}

fn row_notes(run: &scope::Run<'_>) -> Vec<String> {
    let note = |(problem, count): (&String, &u64)| {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        format!("{problem}: {times}; such rows do not match")
    };
    run.notes.borrow().iter().map(note).collect()
}
