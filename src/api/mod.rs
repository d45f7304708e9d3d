//! The front for programs and browsers: a REST API, a page to look at, metrics.
//!
//! A request comes in through `frame` and `guard`, is turned into a call of the desk by the file of its resource, and
//! goes out as JSON, or as a `Problem`. Every resource file says in one place which scope its routes need.

mod analyze;
mod ask;
mod batches;
mod body;
mod changes;
mod document;
mod extract;
mod findings;
mod frame;
mod guard;
mod health;
mod idempotency;
mod jobs;
mod judgments;
mod metrics;
mod models;
mod outbox;
mod page;
mod problem;
mod records;
mod server;
mod session;
mod sinks;
mod words;

use std::sync::Arc;

use axum::Router;
use tokio_util::sync::CancellationToken;
use utoipa_axum::router::OpenApiRouter;

pub use server::{ServeError, ServeRequest, serve};

use crate::app::{Desk, Gate};

/// What every handler works with.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    desk: Arc<Desk>,
    gate: Arc<Gate>,
    guard: Arc<guard::Guard>,
    requests: Arc<metrics::Requests>,
    /// Is cancelled when the server is to end: for answers that would never end by themselves.
    stopping: CancellationToken,
}

/// Every documented route, and the document that tells about them.
fn resources() -> OpenApiRouter<Shared> {
    OpenApiRouter::new()
        .merge(analyze::routes())
        .merge(batches::routes())
        .merge(changes::routes())
        .merge(findings::routes())
        .merge(judgments::routes())
        .merge(models::routes())
        .merge(sinks::routes())
        .merge(outbox::routes())
        .merge(health::routes())
        .merge(metrics::routes())
}

/// Everything that is served.
fn router(shared: Shared) -> Router {
    let (router, document) = resources().split_for_parts();
    let document = document::complete(document);
    shared.requests.begin_with_zero(&document);
    let router = router.merge(document::routes(document)).merge(page::routes()).merge(session::routes());
    let inner = frame::inner(router, &shared);
    let outer = frame::outer(guard::around(inner, &shared));
    metrics::counted(outer, &shared).with_state(shared)
}

/// The OpenAPI document, as `watchbell openapi` prints it.
#[must_use]
pub fn openapi() -> String {
    document::text(&document::complete(resources().into_openapi()))
}
