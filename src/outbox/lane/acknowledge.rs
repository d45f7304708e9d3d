//! Asks a sink, again and again, what became of deliveries that it took without having them yet.
//!
//! Beside the worker, so that a slow delivery does not hold up the questions. A delivery without an acknowledgement goes
//! out again after the sink's time: a duplicate, never a loss.

use std::{sync::Arc, time::Duration};

use rusqlite::params;
use tokio::{sync::watch, time::Instant};
use watchbell_sink::{Acknowledgement, AcknowledgementLimits, SinkError};

use super::shared::{Paused, Shared, guarded, pause};
use crate::outbox::{OutboxError, clock::Millis, settle};

/// References in one question.
const QUESTION: usize = 1000;
/// How often it is looked whether a sink that gave no acknowledgements gives them now.
const NONE_WAIT: Duration = Duration::from_secs(60);
/// Longest wait after questions that failed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub(super) async fn run(shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
    let mut failures = 0_u32;
    loop {
        let wait = match shared.sink().limits().acknowledgement {
            None => {
                // The sink gave acknowledgements before it was configured otherwise; nobody can be asked any more.
                send_all_again(&shared, &mut stop).await;
                NONE_WAIT
            }
            Some(limits) => {
                if pause(&mut stop, Some(Instant::now() + waited(limits.poll, failures))).await == Paused::Stopping {
                    return;
                }
                failures = if ask_all(&shared, &mut stop, limits).await { 0 } else { failures.saturating_add(1) };
                Duration::ZERO
            }
        };
        if pause(&mut stop, Some(Instant::now() + wait)).await == Paused::Stopping {
            return;
        }
    }
}

fn waited(poll: Duration, failures: u32) -> Duration {
    let grown = poll.saturating_mul(2_u32.saturating_pow(failures.min(16)));
    grown.min(LONGEST_WAIT.max(poll)).max(Duration::from_millis(10))
}

/// Asks for every reference that is open; says whether all questions were answered.
async fn ask_all(shared: &Shared, stop: &mut watch::Receiver<bool>, limits: AcknowledgementLimits) -> bool {
    let (mut after, mut all_answered) = (String::new(), true);
    loop {
        let references = match open_references(shared, after.clone()).await {
            Ok(references) => references,
            Err(error) => {
                tracing::error!(sink = %shared.name, %error, "the open acknowledgements could not be read");
                return false;
            }
        };
        let Some(last) = references.last() else { return all_answered };
        after.clone_from(last);
        let asked = tokio::select! {
            answer = ask(shared, &references) => answer,
            _ = stop.wait_for(|&stopping| stopping) => return all_answered,
        };
        let answers = asked.unwrap_or_else(|error| {
            tracing::warn!(sink = %shared.name, kind = %error.kind, message = %error, "no word on acknowledgements");
            all_answered = false;
            vec![Acknowledgement::Pending; references.len()]
        });
        let is_last = references.len() < QUESTION;
        settle_answers(shared, stop, (references, answers), limits.timeout).await;
        if is_last {
            return all_answered;
        }
    }
}

async fn ask(shared: &Shared, references: &[String]) -> Result<Vec<Acknowledgement>, SinkError> {
    let (sink, asked) = (shared.sink(), references.to_vec());
    let call = async move { sink.acknowledged(&asked).await };
    let mut answers = guarded("answered for acknowledgements", call).await?;
    // A sink that answers less than it was asked has said nothing about the rest.
    answers.resize(references.len(), Acknowledgement::Pending);
    Ok(answers)
}

async fn open_references(shared: &Shared, after: String) -> Result<Vec<String>, OutboxError> {
    let sink = shared.number;
    let read = move |connection: &rusqlite::Connection| {
        let mut query = connection.prepare_cached(
            "SELECT DISTINCT ack_ref FROM delivery WHERE sink = ?1 AND state = 1 AND ack_ref > ?2
             ORDER BY ack_ref LIMIT ?3",
        )?;
        query.query_map(params![sink, after, QUESTION as i64], |row| row.get(0))?.collect()
    };
    shared.read(read).await
}

async fn settle_answers(
    shared: &Shared,
    stop: &mut watch::Receiver<bool>,
    (references, answers): (Vec<String>, Vec<Acknowledgement>),
    timeout: Duration,
) {
    let (sink, now, name) = (shared.number, shared.now(), shared.name.clone());
    let too_old = now.saturating_sub(Millis::try_from(timeout.as_millis()).unwrap_or(Millis::MAX));
    let work = move |connection: &rusqlite::Connection| {
        for (reference, answer) in references.iter().zip(&answers) {
            let failed = OutboxError::database("write to");
            let again = match answer {
                Acknowledgement::Confirmed => {
                    settle::confirm(connection, sink, reference, now).map_err(failed)?;
                    0
                }
                Acknowledgement::Pending => settle::send_again(connection, sink, reference, too_old).map_err(failed)?,
                Acknowledgement::Unknown => {
                    settle::send_again(connection, sink, reference, Millis::MAX).map_err(failed)?
                }
            };
            if again > 0 {
                tracing::warn!(sink = %name, deliveries = again, "not acknowledged: they go out again");
            }
        }
        Ok(())
    };
    shared.write(stop, work).await;
    shared.store.wake_lanes();
}

async fn send_all_again(shared: &Shared, stop: &mut watch::Receiver<bool>) {
    while let Ok(references) = open_references(shared, String::new()).await {
        if references.is_empty() {
            return;
        }
        let unknown = vec![Acknowledgement::Unknown; references.len()];
        settle_answers(shared, stop, (references, unknown), Duration::ZERO).await;
        if *stop.borrow() {
            return;
        }
    }
}
