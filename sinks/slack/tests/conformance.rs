//! The conformance suite, once through each of the two ways in.

use watchbell_sink::testkit::server::Request;

/// Posts that put something into a channel: they have a text, or are `chat.postMessage`.
fn delivers(request: &Request) -> bool {
    request.json().get("text").is_some()
}

mod webhook {
    use watchbell_sink::{
        conformance,
        testkit::{
            conformance::{Expected, Suite},
            server::{Answer, Request},
        },
    };
    use watchbell_slack::SlackConfig;

    fn accepts(request: &Request) -> Answer {
        if super::delivers(request) { Answer::text(200, "ok") } else { Answer::text(400, "no_text") }
    }

    fn suite() -> Suite {
        let options = |address: &str| format!("webhook_url = 'http://{address}/services/T0/B0/hunter2webhook'");
        Suite::http(options, accepts).delivers(super::delivers).secret("hunter2webhook").partial(
            "a digest is taken",
            accepts,
            &[Expected::Delivered, Expected::Delivered],
        )
    }

    conformance!(http SlackConfig, suite());
}

mod bot {
    use watchbell_sink::{
        ErrorKind, conformance,
        testkit::{
            conformance::{Expected, Suite},
            server::{Answer, Request},
        },
    };
    use watchbell_slack::SlackConfig;

    fn accepts(request: &Request) -> Answer {
        Answer::json(
            200,
            match request.route() {
                "/api/chat.postMessage" => r#"{"ok":true,"channel":"C1","ts":"1.2"}"#,
                "/api/conversations.info" => r#"{"ok":true,"channel":{"id":"C1","is_member":true}}"#,
                _ => r#"{"ok":true,"team":"T","user":"watchbell"}"#,
            },
        )
    }

    fn unreadable(_: &Request) -> Answer {
        Answer::json(200, r#"{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["[ERROR] no"]}}"#)
    }

    fn suite() -> Suite {
        let options =
            |address: &str| format!("token = 'xoxb-hunter2-token'\nchannel = 'C1'\napi_url = 'http://{address}/api'");
        let rejected = Expected::Failed(ErrorKind::Rejected);
        Suite::http(options, accepts)
            .delivers(super::delivers)
            .secret("xoxb-hunter2-token")
            .partial("a digest is taken", accepts, &[Expected::Delivered, Expected::Delivered])
            .partial("a digest is refused", unreadable, &[rejected, rejected])
    }

    conformance!(http SlackConfig, suite());
}
