//! The pages for people: `/`, `/findings/{id}`, and what they load. What they show is the desk's matter; here it is told who
//! looks, and what a browser may do with it.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{FromRequestParts, Path, Query, Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION},
        request::Parts,
    },
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, any, get},
};

use super::{Shared, problem::Problem};
use crate::app::{AccessScope, Caller, Page, PageMessage, PageQuery, Pages, Refusal, Visitor};

/// Nothing but what this server sends, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// For answers whose address changes with their content.
const FOR_GOOD: &str = "public, max-age=31536000, immutable";

pub(super) fn routes() -> Router<Shared> {
    let pages = Pages::new().expect("the templates are compiled in, and a test renders each");
    Router::new()
        .route("/", get(overview))
        .route("/findings/{id}", get(finding))
        .route("/assets/{name}", get(asset))
        .layer(middleware::from_fn(with_headers))
        .layer(Extension(Arc::new(pages)))
}

/// The overview, or with `fragment` only those parts of it.
async fn overview(
    State(shared): State<Shared>,
    Shown(pages): Shown,
    looks: Looks,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let fragment = fragment(&pairs);
    let visitor = match looks.visitor(&pages, fragment.is_some()) {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    let query = PageQuery::new(pairs);
    let page = shared.ask(move |desk| desk.overview(query)).await;
    answer(&pages, page, fragment.as_deref(), &visitor)
}

async fn finding(
    State(shared): State<Shared>,
    Shown(pages): Shown,
    looks: Looks,
    Path(id): Path<String>,
    Query(pairs): Query<Vec<(String, String)>>,
) -> Response {
    let fragment = fragment(&pairs);
    let visitor = match looks.visitor(&pages, fragment.is_some()) {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    let page = shared.ask(move |desk| desk.finding_page(&id)).await;
    answer(&pages, page, fragment.as_deref(), &visitor)
}

async fn asset(Shown(pages): Shown, Path(name): Path<String>) -> Response {
    match pages.assets().iter().find(|asset| asset.name == name) {
        Some(asset) => {
            ([(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, FOR_GOOD)], asset.text.clone()).into_response()
        }
        None => Problem::new(StatusCode::NOT_FOUND, "there is no such asset").into_response(),
    }
}

fn fragment(pairs: &[(String, String)]) -> Option<String> {
    pairs.iter().find(|(name, _)| name == "fragment").map(|(_, names)| names.clone())
}

fn answer(pages: &Pages, page: Result<Page, Problem>, fragment: Option<&str>, visitor: &Visitor) -> Response {
    let page = match page {
        Ok(page) => page,
        Err(problem) if fragment.is_some() => return problem.into_response(),
        Err(problem) => return told(pages, &problem, visitor),
    };
    let html = match fragment {
        Some(names) => pages.render_parts(&page, names, visitor),
        None => pages.render(&page, visitor),
    };
    html.map_or_else(|error| broken(&error), |html| Html(html).into_response())
}

/// A problem as a page.
fn told(pages: &Pages, problem: &Problem, visitor: &Visitor) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let detail = problem.detail.as_deref().unwrap_or_default();
    match pages.message(PageMessage { title: problem.title, detail }, visitor) {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => broken(&error),
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Response {
    tracing::error!(error, "a page could not be made");
    Problem::internal().into_response()
}

/// The templates.
struct Shown(Arc<Pages>);

impl<S: Sync> FromRequestParts<S> for Shown {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parts.extensions.get().cloned().map(Self).ok_or_else(Problem::internal)
    }
}

/// Who looks, as the guard found out.
struct Looks {
    caller: Result<Caller, Refusal>,
    is_open: bool,
}

impl FromRequestParts<Shared> for Looks {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Problem> {
        let caller = parts.extensions.get().cloned().ok_or_else(Problem::internal)?;
        Ok(Self { caller, is_open: shared.gate.is_open() })
    }
}

impl Looks {
    /// Who looks; who may not is sent to the way in, but for a fragment, which the script asks for, only refused.
    fn visitor(self, pages: &Pages, is_fragment: bool) -> Result<Visitor, Box<Response>> {
        let refused = |status, refusal: &Refusal| Problem::new(status, refusal.to_string());
        let caller = match self.caller {
            Ok(caller) => caller,
            // No key would help, so there is no use in the way in.
            Err(refusal @ (Refusal::Unavailable | Refusal::Far)) => {
                let is_far = refusal == Refusal::Far;
                let status = if is_far { StatusCode::UNAUTHORIZED } else { StatusCode::SERVICE_UNAVAILABLE };
                let problem = refused(status, &refusal);
                return Err(Box::new(told(pages, &problem, &Visitor::default())));
            }
            Err(refusal) if is_fragment => {
                return Err(Box::new(refused(StatusCode::UNAUTHORIZED, &refusal).into_response()));
            }
            // Always there, whatever was asked for: no address of the request is part of it.
            Err(_) => return Err(Box::new((StatusCode::SEE_OTHER, [(LOCATION, "/login")]).into_response())),
        };
        let may = |scope| caller.scopes.allow(scope);
        let visitor = Visitor {
            may_judge: may(AccessScope::FindingsWrite),
            may_see_sinks: may(AccessScope::SinksRead),
            may_forward: may(AccessScope::SinksWrite),
            may_run_batches: may(AccessScope::LogsWrite),
            may_see_trainings: may(AccessScope::ModelsRead),
            name: (!self.is_open).then(|| caller.name.clone()),
        };
        if may(AccessScope::FindingsRead) {
            return Ok(visitor);
        }
        let problem = refused(StatusCode::FORBIDDEN, &Refusal::Scope(AccessScope::FindingsRead));
        Err(Box::new(if is_fragment { problem.into_response() } else { told(pages, &problem, &visitor) }))
    }
}

/// The answer to an address that is none: for a browser a page with a way back, for programs a problem.
pub(super) fn lost() -> MethodRouter<Shared> {
    any(nowhere)
        .layer(Extension(Arc::new(Pages::new().expect("the templates are compiled in, and a test renders each"))))
}

async fn nowhere(Shown(pages): Shown, request: Request) -> Response {
    let problem = Problem::new(StatusCode::NOT_FOUND, "there is no such route; see /openapi.json");
    let accepts = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if request.method() != Method::GET || !accepts.contains("text/html") {
        return problem.into_response();
    }
    let problem = Problem { detail: Some("There is no such page.".to_owned()), ..problem };
    let mut response = told(&pages, &problem, &Visitor::default());
    set_headers(response.headers_mut());
    response
}

/// What browsers are told with every page, beside what they are told with every answer.
pub(super) async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    set_headers(response.headers_mut());
    response
}

fn set_headers(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
}
