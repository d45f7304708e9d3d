//! `/metrics`: the desk's numbers and those of this front, in the two text formats that Prometheus reads, and the layer
//! that counts requests.
//!
//! The desk writes OpenMetrics. The older format differs in the names at the head of counters only.

use std::{collections::BTreeSet, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{
        HeaderMap, Method,
        header::{ACCEPT, CONTENT_TYPE},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Shared, extract::NoParameters, frame::NO_ROUTE, guard::guarded, problem::Problem};
use crate::app::AccessScope;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PLAIN: &str = "text/plain; version=0.0.4; charset=utf-8";
/// What stands for the status of requests whose callers hung up before there was one: no answer of ours has it, and other
/// servers write it into their logs for the same.
const GONE: u16 = 499;
/// From a look at a finding to a long analysis.
const SECONDS: [f64; 12] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

pub(super) fn routes() -> OpenApiRouter<Shared> {
    guarded(AccessScope::MetricsRead, OpenApiRouter::new().routes(routes!(metrics)))
}

/// The metrics, for Prometheus
///
/// In OpenMetrics' text format for those who ask for `application/openmetrics-text`, in that of Prometheus for others.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, description = "The metrics", content(
        (String = "text/plain"), (String = "application/openmetrics-text"),
    )),
))]
async fn metrics(State(shared): State<Shared>, _: NoParameters, headers: HeaderMap) -> Result<Response, Problem> {
    let mut text = shared.ask(|desk| Ok(desk.metrics())).await?;
    encode_registry(&mut text, &shared.requests.registry).map_err(|_| Problem::internal())?;
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if wants_open_metrics(accepted) {
        text.push_str("# EOF\n");
        Ok(([(CONTENT_TYPE, OPEN_METRICS)], text).into_response())
    } else {
        Ok(([(CONTENT_TYPE, PLAIN)], plain(&text)).into_response())
    }
}

/// Whether `Accept` prefers OpenMetrics, or has it on a par with the older format.
fn wants_open_metrics<'a>(accepted: impl Iterator<Item = &'a str>) -> bool {
    let (mut open, mut older) = (0.0_f32, 0.0_f32);
    for range in accepted.flat_map(|value| value.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
        match name.as_str() {
            "application/openmetrics-text" => open = open.max(quality),
            "text/plain" | "text/*" => older = older.max(quality),
            _ => {}
        }
    }
    open > 0.0 && open >= older
}

/// OpenMetrics text without its end, as text of version 0.0.4: there a counter's head has the name of its numbers.
fn plain(text: &str) -> String {
    let counters: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter")).collect();
    let mut plain = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !line.starts_with("# UNIT ")) {
        let head = line.strip_prefix("# ").and_then(|rest| {
            let (word, rest) = rest.split_once(' ')?;
            let (name, rest) = rest.split_once(' ')?;
            counters.contains(name).then(|| format!("# {word} {name}_total {rest}"))
        });
        plain.push_str(head.as_deref().unwrap_or(line));
        plain.push('\n');
    }
    plain
}

/// What is counted about requests.
#[derive(Debug)]
pub(super) struct Requests {
    registry: Registry,
    answered: Family<Answered, Counter>,
    took: Family<Took, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Took {
    method: &'static str,
    route: String,
}

impl Default for Requests {
    fn default() -> Self {
        let answered = Family::default();
        let took = Family::new_with_constructor((|| Histogram::new(SECONDS)) as fn() -> Histogram);
        let (in_flight, mut registry) = (Gauge::default(), Registry::with_prefix("watchbell_http"));
        let help = "Requests that were answered, or, with 499 for a status, whose caller hung up before";
        registry.register("requests", help, answered.clone());
        let help = "Time until the head of the answer was ready";
        registry.register_with_unit("request_duration", help, Unit::Seconds, took.clone());
        registry.register("requests_in_flight", "Requests that are worked on", in_flight.clone());
        Self { registry, answered, took, in_flight }
    }
}

impl Requests {
    /// Every answer that the document tells of is there from the start, so that the first one is seen as a rise.
    pub(super) fn begin_with_zero(&self, document: &Value) {
        let paths = document["paths"].as_object().into_iter().flatten();
        for (route, operations) in paths {
            for (name, operation) in operations.as_object().into_iter().flatten() {
                let Ok(method) = Method::from_bytes(name.to_ascii_uppercase().as_bytes()) else { continue };
                let (method, route) = (word(&method), route.clone());
                let statuses = operation["responses"].as_object().into_iter().flatten();
                for status in statuses.filter_map(|(status, _)| status.parse().ok()) {
                    drop(self.answered.get_or_create(&Answered { method, route: route.clone(), status }));
                }
                drop(self.took.get_or_create(&Took { method, route }));
            }
        }
    }
}

/// The method, of a closed list: callers may invent their own.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

/// Counts every request, refused ones too. To be put around everything else.
pub(super) fn counted(router: Router<Shared>, shared: &Shared) -> Router<Shared> {
    router.layer(middleware::from_fn_with_state(shared.clone(), count))
}

async fn count(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let requests = &shared.requests;
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    let mut working = Working::on(requests, method, route);
    let response = next.run(request).await;
    working.status = response.status().as_u16();
    drop(working);
    response
}

/// A request that is worked on. It is counted when this is dropped, because a caller who hangs up ends the work wherever it
/// stands.
struct Working<'a> {
    requests: &'a Requests,
    method: &'static str,
    route: String,
    began: Instant,
    status: u16,
}

impl<'a> Working<'a> {
    fn on(requests: &'a Requests, method: &'static str, route: String) -> Self {
        requests.in_flight.inc();
        Self { requests, method, route, began: Instant::now(), status: GONE }
    }
}

impl Drop for Working<'_> {
    fn drop(&mut self) {
        let Self { requests, method, route, began, status } = self;
        requests.in_flight.dec();
        if *status != GONE {
            let took = Took { method, route: route.clone() };
            requests.took.get_or_create(&took).observe(began.elapsed().as_secs_f64());
        }
        requests.answered.get_or_create(&Answered { method, route: route.clone(), status: *status }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_is_what_is_not_asked_otherwise() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/plain", false),
            ("application/openmetrics-text", true),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", true),
            // Prometheus, versions 2 and 3.
            (
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                true,
            ),
            ("text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.5", false),
            ("application/openmetrics-text;q=0", false),
        ] {
            assert_eq!(wants_open_metrics(std::iter::once(accept)), expected, "{accept}");
        }
    }

    #[test]
    fn heads_of_counters_have_the_name_of_their_numbers_in_the_older_format() {
        let text = "# HELP a_read_bytes All.\n# TYPE a_read_bytes counter\n# UNIT a_read_bytes bytes\n\
                    a_read_bytes_total{source=\"x # TYPE y counter\"} 1\n# HELP b B.\n# TYPE b gauge\nb 2\n";
        let expected = "# HELP a_read_bytes_total All.\n# TYPE a_read_bytes_total counter\n\
                        a_read_bytes_total{source=\"x # TYPE y counter\"} 1\n# HELP b B.\n# TYPE b gauge\nb 2\n";
        assert_eq!(plain(text), expected);
    }

    #[test]
    fn who_hangs_up_is_counted_and_measured_as_no_answer() {
        let requests = Requests::default();
        drop(Working::on(&requests, "POST", "/analyze".to_owned()));
        let mut answered = Working::on(&requests, "POST", "/analyze".to_owned());
        answered.status = 200;
        drop(answered);
        let mut text = String::new();
        encode_registry(&mut text, &requests.registry).unwrap();
        for line in [
            "requests_total{method=\"POST\",route=\"/analyze\",status=\"499\"} 1",
            "requests_total{method=\"POST\",route=\"/analyze\",status=\"200\"} 1",
            "request_duration_seconds_count{method=\"POST\",route=\"/analyze\"} 1",
            "requests_in_flight 0",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
    }

    #[test]
    fn a_caller_invents_no_label() {
        assert_eq!(word(&Method::from_bytes(b"BREW").unwrap()), "other");
        assert_eq!(word(&Method::GET), "GET");
    }
}
