//! `setup`: the entity graph as a rule sees it, with the rows of data tables in place of, beside or without its entities.

use serde_json::{Value as Json, json};

use super::{
    event::{Event, first},
    input::{Dataset, EvalError},
    lists::DataTable,
    program::{Enrichment, EnrichmentKind},
};
use crate::resolve::{EventSource, FieldPath};

/// The entities of a variable after a change.
pub(super) fn enriched(enrichment: &Enrichment, entities: &[Event], data: &Dataset) -> Result<Vec<Event>, EvalError> {
    let table = data.tables.get(&enrichment.table).ok_or_else(|| EvalError::MissingList(enrichment.table.clone()))?;
    let mut join = Vec::new();
    for (path, column) in &enrichment.join {
        let at = table
            .column(column)
            .ok_or_else(|| EvalError::MissingColumn { table: enrichment.table.clone(), column: column.clone() })?;
        join.push((path, at));
    }
    let matching = |entity: &Event| -> Vec<usize> {
        let equal = |row: usize| join.iter().all(|(path, column)| holds(entity, path, table.cell(row, *column)));
        (0..table.rows.len()).filter(|&row| equal(row)).collect()
    };
    let mut changed = Vec::new();
    match enrichment.kind {
        EnrichmentKind::Exclude => {
            changed.extend(entities.iter().filter(|entity| matching(entity).is_empty()).cloned());
        }
        EnrichmentKind::Append => {
            changed.extend(entities.iter().cloned());
            for row in 0..table.rows.len() {
                changed.push(written(json!({}), table, row, &enrichment.table)?);
            }
        }
        EnrichmentKind::Override => {
            for entity in entities {
                let rows = matching(entity);
                if rows.is_empty() {
                    changed.push(entity.clone());
                }
                for row in rows {
                    changed.push(written((**entity.json()).clone(), table, row, &enrichment.table)?);
                }
            }
        }
    }
    Ok(changed)
}

/// Whether an entity has a value; of a list, any of its items.
fn holds(entity: &Event, path: &FieldPath, cell: &str) -> bool {
    let mut values = Vec::new();
    if path.repeated() {
        super::event::each(entity.root(), &path.steps, &super::value::Value::zero(path.kind), &mut values);
    } else {
        values.extend(first(entity.root(), &path.steps));
    }
    values.iter().any(|value| value.text() == cell)
}

/// An entity with the cells of a row written into it: mapped columns into their fields, others as additional fields.
fn written(mut entity: Json, table: &DataTable, row: usize, name: &str) -> Result<Event, EvalError> {
    for (at, column) in table.columns.iter().enumerate() {
        let cell = table.cell(row, at);
        let interval = matches!(column.name.as_str(), "start_time" | "end_time");
        match &column.field {
            Some(field) => write(&mut entity, field, cell),
            None if interval => write(&mut entity, &format!("metadata.interval.{}", column.name), cell),
            None => {
                let additional = entity_object(&mut entity, "additional");
                additional.insert(column.name.clone(), json!(cell));
            }
        }
    }
    Event::read(EventSource::Entity, entity, row)
        .map_err(|error| EvalError::BadList { list: name.to_owned(), problem: error.to_string() })
}

fn entity_object<'a>(entity: &'a mut Json, key: &str) -> &'a mut serde_json::Map<String, Json> {
    if !entity.is_object() {
        *entity = json!({});
    }
    let object = entity.as_object_mut().expect("it was made an object above");
    let inner = object.entry(key.to_owned()).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    inner.as_object_mut().expect("it was made an object above")
}

/// Writes a text at a path of the entity's message; a list gets it as its one item.
fn write(entity: &mut Json, path: &str, cell: &str) {
    let mut message = Some(EventSource::Entity.root());
    let mut place = entity;
    for name in path.split('.').skip_while(|&name| name == "graph") {
        let field = message.and_then(|message| message.field(name));
        let Some(field) = field else { return };
        if !place.is_object() {
            *place = json!({});
        }
        let object = place.as_object_mut().expect("it was made an object above");
        // One spelling only, or the field would stand there twice.
        if let Some(value) = object.remove(field.json_name) {
            object.insert(field.name.to_owned(), value);
        }
        let inner = object.entry(field.name.to_owned()).or_insert(Json::Null);
        let next = match field.kind {
            watchbell_udm::schema::FieldType::Message(id) => {
                Some(watchbell_udm::schema::Schema::published().message_of(id))
            }
            _ => None,
        };
        if field.repeated() {
            *inner = json!([if next.is_some() { json!({}) } else { json!(cell) }]);
            place = &mut inner[0];
        } else {
            place = inner;
        }
        message = next;
    }
    *place = json!(cell);
}
