//! `/v1/changes`: what happens, told while it happens, as server-sent events.
//!
//! An event says what kind of thing changed and not what it is now: whoever listens asks for what they show. So nothing is
//! lost with a stream that ended, `Last-Event-ID` needs no memory here, and a listener who was too slow is told just that.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode},
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::{Stream, StreamExt};
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Shared, extract::NoParameters, guard::guarded, problem::Problem};
use crate::app::{AccessScope, Caller, Change, Refusal};

/// What a listener needs, all the time.
const NEEDED: AccessScope = AccessScope::FindingsRead;
/// Streams at the same time; each holds a connection.
const MOST_STREAMS: usize = 64;
/// A stream ends after so long, so that who may listen is asked again.
const LONGEST: Duration = Duration::from_mins(15);
/// Between two looks at whether the caller may still listen: a revoked key counts everywhere else at once.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// A sign of life, more often than proxies cut silent connections.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

pub(super) fn routes() -> OpenApiRouter<Shared> {
    let seats = Extension(Arc::new(Semaphore::new(MOST_STREAMS)));
    guarded(NEEDED, OpenApiRouter::new().routes(routes!(follow)).layer(seats))
}

/// What happens, while it happens
///
/// Server-sent events, named after the kind of change: `findings`, `judgments`, `job`, `deliveries`; the data is the change
/// as JSON. `missed` says that the listener was too slow and should look at everything again. The stream ends when the
/// server does, when the key is over or revoked, and after fifteen minutes; connect again.
#[utoipa::path(get, path = "/v1/changes", tag = "changes", operation_id = "follow_changes", responses(
    (status = 200, description = "The events", content_type = "text/event-stream",
        body = ref("#/components/schemas/Change")),
))]
async fn follow(
    State(shared): State<Shared>,
    _: NoParameters,
    Extension(seats): Extension<Arc<Semaphore>>,
    Extension(asked): Extension<Result<Caller, Refusal>>,
) -> Result<Response, Problem> {
    let Ok(seat) = seats.try_acquire_owned() else {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too many listen already; come back later"));
    };
    let caller = asked.map_err(|_| Problem::internal())?;
    let (gate, stopping) = (Arc::clone(&shared.gate), shared.stopping.clone());
    let is_refused = async move {
        loop {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            if !gate.still_allows(&caller, NEEDED, Timestamp::now()) {
                break;
            }
        }
    };
    let ends = async move {
        tokio::select! {
            () = stopping.cancelled() => {}
            () = is_refused => {}
            () = tokio::time::sleep(LONGEST) => {}
        }
    };
    let changes = BroadcastStream::new(shared.desk.changes());
    let stream = events(changes, seat).take_until(ends);
    let mut response = Sse::new(stream).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)).into_response();
    // Proxies that gather answers would keep events back.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    Ok(response)
}

/// Changes as events, as long as the seat is taken.
fn events(
    changes: BroadcastStream<Change>,
    seat: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    changes.map(move |change| {
        let _taken = &seat;
        Ok(match change {
            Ok(change) => event(&change),
            Err(BroadcastStreamRecvError::Lagged(_)) => Event::default().event("missed").data("{}"),
        })
    })
}

fn event(change: &Change) -> Event {
    let name = match change {
        Change::Findings { .. } => "findings",
        Change::Judgments => "judgments",
        Change::Job { .. } => "job",
        Change::Deliveries => "deliveries",
    };
    Event::default().event(name).json_data(change).expect("a change is JSON")
}
