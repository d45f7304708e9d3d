//! From a table to the engine's options and to a sink, with every mistake at once.
//!
//! Serde stops at the first mistake. So the key that it complains about is taken out, and it is asked again.

use std::{collections::BTreeSet, ops::Range, sync::Arc, time::Duration};

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::{
    Built, SinkPlan, SinkTable,
    engine::EngineOptions,
    resolve::Resolving,
    schema::{Place, engine_schema, sink_schema},
};
use crate::{
    config::{problem::Problem, read::Environment},
    sink::{BuildError, Context, Memory, SinkKind},
};

/// The engine's options of a table, and what is wrong with its keys.
pub(super) fn engine(
    table: &SinkTable,
    kind: SinkKind,
    environment: Environment<'_>,
) -> (Option<EngineOptions>, Vec<Problem>) {
    let schema = sink_schema(kind);
    let entries = table.entries();
    // Only the keys are looked at here; what variables and files hold is a matter of building.
    let empty = |_: &str| Some("x".into());
    let mut keys = Resolving::new(&empty);
    keys.unknown_keys(&entries, Place::root(&schema));
    let mut problems = keys.problems;
    let mut resolving = Resolving::new(environment);
    let own = engine_schema();
    let engine = resolving.table(&split(&entries).0, Some(Place::root(&own)));
    problems.append(&mut resolving.problems);
    let options = every_mistake(
        Asked { table: engine, span: &table.span, left_out: resolving.left_out },
        &mut problems,
        |value| EngineOptions::deserialize(value).map_err(BuildError::from),
    );
    if let Some((key, message)) = options.as_ref().and_then(EngineOptions::wrong) {
        let span = find(&entries, key).unwrap_or_else(|| table.span.clone());
        problems.push(Problem::at(span, format!("{key}: {message}")));
    }
    (options, problems)
}

/// The sink, from what variables and files hold now.
pub(super) fn sink(
    plan: &SinkPlan,
    environment: Environment<'_>,
    memory: Arc<dyn Memory>,
) -> Result<Built, Vec<Problem>> {
    let schema = plan.kind.schema().to_value();
    let mut resolving = Resolving::new(environment);
    let entries = plan.table.entries();
    let resolved = resolving.table(&split(&entries).1, Some(Place::root(&schema)));
    let mut problems = resolving.problems;
    let fingerprint = blake3::hash(format!("{resolved:?}").as_bytes());
    let timeout = Duration::from_secs(plan.engine.timeout_secs);
    let context = Context { name: plan.name.clone(), timeout, memory };
    // Keys that nobody knows were told of when the plan was made.
    let untold = problems.len();
    let sink = every_mistake(
        Asked { table: resolved, span: &plan.table.span, left_out: resolving.left_out },
        &mut problems,
        |value| plan.kind.build(value, &context),
    );
    let place = Place::root(&schema);
    for problem in &mut problems[untold..] {
        hide_secrets(problem, &entries, place);
    }
    match sink {
        Some(sink) if problems.is_empty() => Ok(Built { sink, fingerprint }),
        _ => Err(problems),
    }
}

/// The engine's entries and the sink's.
fn split<'i>(entries: &DeTable<'i>) -> (DeTable<'i>, DeTable<'i>) {
    let schema = engine_schema();
    let engine = Place::root(&schema).keys().unwrap_or_default();
    let without_type = entries.iter().filter(|(key, _)| key.get_ref() != "type");
    without_type
        .map(|(key, value)| (key.clone(), value.clone()))
        .partition(|(key, _)| engine.contains(&key.get_ref().as_ref()))
}

/// A table that is asked for its mistakes.
struct Asked<'a, 'i> {
    table: DeTable<'i>,
    span: &'a Range<usize>,
    /// Keys that are not in it though the user gave them.
    left_out: BTreeSet<String>,
}

/// Asks again and again, without what was complained about, until there is nothing left to complain about.
fn every_mistake<T>(
    asked: Asked<'_, '_>,
    problems: &mut Vec<Problem>,
    read: impl Fn(ValueDeserializer<'_>) -> Result<T, BuildError>,
) -> Option<T> {
    let Asked { mut table, span, left_out: mut taken_out } = asked;
    loop {
        let whole = Spanned::new(span.clone(), DeValue::Table(table.clone()));
        match read(whole.into()) {
            Ok(value) => return Some(value),
            Err(BuildError::Config(error)) => {
                let at = find(&table, &error.key).unwrap_or_else(|| span.clone());
                if taken_out.is_empty() {
                    problems.push(Problem::at(at, error.to_string()));
                }
                return None;
            }
            Err(BuildError::Options { span: at, message }) => {
                let key = at.as_ref().and_then(|at| key_around(&table, at));
                if let (Some(at), Some(key)) = (at, key) {
                    problems.push(Problem::at(at, format!("{key}: {message}")));
                    table.remove(key.as_str());
                    taken_out.insert(key);
                    continue;
                }
                let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
                match missing {
                    Some(name) if taken_out.contains(name) => {}
                    Some(name) => problems.push(Problem::at(span.clone(), format!("`{name}` is missing"))),
                    None => problems.push(Problem::at(span.clone(), message)),
                }
                return None;
            }
        }
    }
}

fn key_around(table: &DeTable<'_>, at: &Range<usize>) -> Option<String> {
    let contains = |span: Range<usize>| span.start <= at.start && at.end <= span.end;
    let around = table.iter().find(|(key, value)| contains(key.span()) || contains(value.span()));
    around.map(|(key, _)| key.get_ref().to_string())
}

/// The value of a dotted key, or of the part of it that is there.
fn find(table: &DeTable<'_>, key: &str) -> Option<Range<usize>> {
    let (first, rest) = key.split_once('.').map_or((key, None), |(first, rest)| (first, Some(rest)));
    let first = first.split('[').next().unwrap_or(first);
    let value = table.get(first).or_else(|| table.get(format!("{first}_file").as_str()))?;
    match (value.get_ref(), rest) {
        (DeValue::Table(inner), Some(rest)) => find(inner, rest).or_else(|| Some(value.span())),
        _ => Some(value.span()),
    }
}

/// What is said about a secret shows neither it nor its line.
fn hide_secrets(problem: &mut Problem, entries: &DeTable<'_>, place: Place<'_>) {
    let Some(at) = problem.span.clone() else { return };
    if secret_around(entries, &at, place) {
        problem.hides_value = true;
        if let Some((key, said)) = problem.message.split_once(": ")
            && (said.starts_with("invalid type") || said.starts_with("invalid value"))
        {
            problem.message = format!("{key}: expected a text");
        }
    }
}

fn secret_around(table: &DeTable<'_>, at: &Range<usize>, place: Place<'_>) -> bool {
    table.iter().any(|(key, value)| {
        let span = value.span();
        let inside = span.start <= at.start && at.end <= span.end;
        let Some(below) = place.key(key.get_ref()).filter(|_| inside) else { return false };
        below.is_secret()
            || below.item().is_some_and(Place::is_secret)
            || value.get_ref().as_table().is_some_and(|inner| secret_around(inner, at, below))
    })
}
