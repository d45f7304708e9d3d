//! What every sink must do, without and with indexer acknowledgement.

use std::sync::atomic::{AtomicU64, Ordering};

use watchbell_sink::{
    ErrorKind,
    testkit::{
        conformance::{Expected, Suite},
        server::{Answer, Request},
    },
};
use watchbell_splunk_hec::SplunkHecConfig;

const TOKEN: &str = "8f1e3c5a-hunter2-4d4e";

fn collector(more: &'static str) -> Suite {
    let options = move |address: &str| format!("endpoint = \"http://{address}\"\ntoken = \"{TOKEN}\"\n{more}");
    Suite::http(options, accepts)
        .secret(TOKEN)
        .delivers(|request| request.route() == "/services/collector/event" && !request.body.is_empty())
        // Without a code it is not the collector that refuses.
        .kind(400, ErrorKind::Config)
        .partial(
            "the second of three events is refused",
            |request| refused(if request.text().lines().count() > 1 { 1 } else { 0 }),
            &[Expected::Undecided, Expected::Failed(ErrorKind::Rejected), Expected::Undecided],
        )
}

fn accepts(request: &Request) -> Answer {
    match (request.route(), request.body.is_empty()) {
        ("/services/collector/health/1.0", _) => Answer::json(200, r#"{"text":"HEC is healthy","code":17}"#),
        ("/services/collector/event", true) => Answer::json(400, r#"{"text":"No data","code":5}"#),
        ("/services/collector/event", false) => {
            static NUMBER: AtomicU64 = AtomicU64::new(0);
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            Answer::json(200, format!(r#"{{"text":"Success","code":0,"ackId":{number}}}"#))
        }
        ("/services/collector/ack", false) => Answer::json(200, r#"{"acks":{"0":false,"3":true}}"#),
        _ => Answer::status(404),
    }
}

fn refused(number: usize) -> Answer {
    let said = format!(r#"{{"text":"Event field is required","code":12,"invalid-event-number":{number}}}"#);
    Answer::json(400, said)
}

mod taken {
    use super::*;
    watchbell_sink::conformance!(http SplunkHecConfig, collector(""));
}

mod indexed {
    use super::*;
    watchbell_sink::conformance!(http SplunkHecConfig, collector("ack = true").varies("x-splunk-request-channel"));
}
