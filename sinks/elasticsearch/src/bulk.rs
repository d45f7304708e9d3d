//! Delivery: one bulk request, one verdict per document. Nothing counts as delivered that the server did not say so of.
//!
//! Each document is a `create` under the finding's id, so that a repetition meets its first copy (409) and both are one.
//! After a data stream has rolled over, the copy is in another backing index and the repetition is a second document.

use watchbell_sink::{Batch, Delivery, ErrorKind, Receipt, SinkError, Verdict, http::Reply};

use crate::wire::{Action, BulkAnswer, Cause, Create, Failure, ItemResult};

/// The body of the request: two lines per delivery.
pub(crate) fn body(batch: &Batch) -> Vec<u8> {
    let mut body = Vec::with_capacity(batch.bytes() + batch.deliveries().len() * 64);
    for delivery in batch.deliveries() {
        let action = Action { create: Create { id: document_id(delivery) } };
        serde_json::to_writer(&mut body, &action).expect("a text always serializes");
        body.push(b'\n');
        body.extend_from_slice(delivery.payload.bytes());
        body.push(b'\n');
    }
    body
}

/// The finding's part of the key: two sinks that lead into one cluster store the finding once.
fn document_id(delivery: &Delivery) -> &str {
    delivery.key.split_once(['-', '.']).map_or(delivery.key.as_str(), |(finding, _)| finding)
}

/// The verdicts that an answer holds.
///
/// # Errors
/// The request as a whole was not taken.
pub(crate) fn receipt(batch: &Batch, reply: &Reply) -> Result<Receipt, SinkError> {
    if !reply.is_success() {
        return Err(refusal(reply));
    }
    let answer: BulkAnswer = reply.json()?;
    let kept_aside = answer.items.iter().filter(|item| item.create.failure_store.as_deref() == Some("used")).count();
    if kept_aside > 0 {
        tracing::warn!(documents = kept_aside, "the data stream did not take documents; they are in its failure store");
    }
    Ok(batch.each(|position, delivery| match answer.items.get(position) {
        Some(item) => verdict(&item.create, delivery, reply),
        None => Verdict::Failed(unclear(reply, "the answer to a bulk request leaves it out")),
    }))
}

fn verdict(item: &ItemResult, delivery: &Delivery, reply: &Reply) -> Verdict {
    let id = document_id(delivery);
    if item.id.as_deref().is_some_and(|answered| answered != id) {
        return Verdict::Failed(unclear(reply, "the answer to a bulk request is about another document in its place"));
    }
    let kind = item.error.as_ref().and_then(|cause| cause.kind.as_deref());
    match (item.status, kind) {
        (200..=299, None) => Verdict::Delivered,
        // It is there already, from an attempt whose answer did not arrive.
        (409, None | Some("version_conflict_engine_exception")) => Verdict::Delivered,
        (status, kind) => {
            let message = told(item.error.as_ref(), reply).unwrap_or_else(|| format!("the item has status {status}"));
            Verdict::Failed(SinkError::new(error_kind(status, kind), message).with_status(status))
        }
    }
}

/// What an item's status is about. Names of exceptions come first where one status stands for two things.
fn error_kind(status: u16, kind: Option<&str>) -> ErrorKind {
    match (status, kind.unwrap_or_default()) {
        (_, "es_rejected_execution_exception" | "rejected_execution_exception" | "circuit_breaking_exception") => {
            ErrorKind::Throttled
        }
        // 403 or 429: the disk is full or somebody closed the index for writing. The credentials are fine.
        (_, "cluster_block_exception" | "unavailable_shards_exception") => ErrorKind::Unavailable,
        (_, "index_not_found_exception" | "index_closed_exception") => ErrorKind::Config,
        // Success with an error, or a conflict about something else than the id.
        (0..=399 | 409, _) => ErrorKind::Unavailable,
        (status, _) => ErrorKind::from_status(status).unwrap_or(ErrorKind::Unavailable),
    }
}

/// The error that a request-level answer stands for, in the server's words.
pub(crate) fn refusal(reply: &Reply) -> SinkError {
    let named = reply.json::<Failure>().ok().map(|failure| failure.error);
    let kind = match (reply.status, named.as_ref().and_then(|cause| cause.kind.as_deref())) {
        // Not the document but the way of speaking is not taken.
        (406 | 415, _) => Some(ErrorKind::Config),
        (status @ 400.., kind @ Some(_)) => Some(error_kind(status, kind)),
        _ => None,
    };
    let error = kind.map_or_else(|| reply.error(), |kind| reply.error_of(kind));
    match told(named.as_ref(), reply) {
        Some(told) => SinkError { message: format!("the server answers {}: {told}", reply.status), ..error },
        None => error,
    }
}

fn unclear(reply: &Reply, what: &str) -> SinkError {
    SinkError::new(ErrorKind::Unavailable, what).with_status(reply.status)
}

/// `type: reason`, down to the innermost cause, which says which field it was.
fn told(cause: Option<&Cause>, reply: &Reply) -> Option<String> {
    let mut parts = Vec::new();
    let mut next = cause;
    while let Some(cause) = next {
        let part = match (&cause.kind, &cause.reason) {
            (Some(kind), Some(reason)) => format!("{kind}: {reason}"),
            (Some(text), None) | (None, Some(text)) => text.clone(),
            (None, None) => break,
        };
        parts.push(part);
        next = cause.caused_by.as_deref();
    }
    (!parts.is_empty()).then(|| reply.shown(&parts.join("; ")))
}
