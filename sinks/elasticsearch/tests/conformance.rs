//! What every sink must do, on both ways to a cluster: by the official client, and by the sinks' own, which is taken as
//! soon as a certificate is configured.

use serde_json::{Value, json};
use watchbell_sink::{
    ErrorKind,
    testkit::{
        conformance::{Expected, Suite},
        server::{Answer, Request},
    },
};

/// A cluster where everything is there already.
fn accepts(request: &Request) -> Answer {
    let ours = json!({ "managed_by": "watchbell", "version": 1_000_000 });
    Answer::json(
        200,
        match request.route() {
            "/" => json!({ "cluster_name": "soc", "version": { "number": "9.1.2", "build_flavor": "default" } }),
            "/_security/user/_has_privileges" => json!({ "has_all_requested": true }),
            "/_index_template/watchbell-findings" => {
                json!({ "index_templates": [{ "index_template": { "_meta": ours } }] })
            }
            "/_ilm/policy/watchbell-findings" => json!({ "watchbell-findings": { "policy": { "_meta": ours } } }),
            "/watchbell-findings/_bulk" => return bulk(request, &[]),
            _ => json!({}),
        },
    )
}

/// The answer to a bulk request: these results for the first documents, and 201 for the rest.
fn bulk(request: &Request, first: &[(u16, &str)]) -> Answer {
    let text = request.text();
    let item = |(place, action): (usize, &str)| {
        let action: Value = serde_json::from_str(action).unwrap_or_default();
        let mut result = json!({ "_id": action["create"]["_id"], "status": 201 });
        if let Some((status, kind)) = first.get(place) {
            result["status"] = json!(status);
            result["error"] = json!({ "type": kind, "reason": "because" });
        }
        json!({ "create": result })
    };
    let items: Vec<Value> = text.lines().step_by(2).enumerate().map(item).collect();
    Answer::json(200, json!({ "took": 3, "errors": !first.is_empty(), "items": items }))
}

fn suite(more: &'static str) -> Suite {
    let options = move |address: &str| {
        format!("nodes = [\"http://{address}\"]\nusername = \"bell\"\npassword = \"hunter2-hunter2\"\n{more}")
    };
    Suite::http(options, accepts)
        .delivers(|request| request.route().ends_with("/_bulk"))
        .refuses(|status, _| {
            let error = json!({ "type": "some_exception", "reason": "refused by the conformance suite" });
            Answer::json(status, json!({ "error": error, "status": status }))
        })
        .secret("hunter2-hunter2")
        .secret("YmVsbDpodW50ZXIyLWh1bnRlcjI=")
        .variable("ELASTICSEARCH_API_KEY", "aWQ6a2V5")
        .partial(
            "one is there already, one does not fit, one came at a bad time",
            |request| {
                bulk(
                    request,
                    &[
                        (409, "version_conflict_engine_exception"),
                        (400, "document_parsing_exception"),
                        (429, "es_rejected_execution_exception"),
                    ],
                )
            },
            &[
                Expected::Delivered,
                Expected::Failed(ErrorKind::Rejected),
                Expected::Failed(ErrorKind::Throttled),
                Expected::Delivered,
            ],
        )
}

mod official {
    watchbell_sink::conformance!(http watchbell_elasticsearch::ElasticsearchConfig, super::suite("").follows_redirects());
}

mod shared {
    watchbell_sink::conformance!(http watchbell_elasticsearch::ElasticsearchConfig, super::suite("tls.verify = false"));
}
