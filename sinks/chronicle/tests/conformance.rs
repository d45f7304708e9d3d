//! What every sink must do, for both APIs.

mod support;

use watchbell_chronicle::ChronicleConfig;
use watchbell_sink::{
    ErrorKind, conformance,
    testkit::conformance::{Expected, Suite},
};

fn suite(more: &'static str) -> Suite {
    Suite::http(move |address| format!("{}{more}", support::options(address)), support::accepts)
        .delivers(support::delivers)
        .refuses(|status, _| support::refusal(status, "REFUSED", "refused by the conformance suite"))
        .secret(support::TOKEN)
        .secret(support::key_line())
        .secret("hunter2-key-id")
        .partial(
            "one event is at fault, which only splitting proves",
            |_| support::refusal(400, "INVALID_ARGUMENT", "generic::unknown: invalid event 1: LOG_PARSING_X"),
            &[Expected::Failed(ErrorKind::Rejected); 3],
        )
        .variable("credentials_file", support::key_file("127.0.0.1:9"))
}

mod modern {
    use super::*;

    conformance!(http ChronicleConfig, suite(""));
}

mod legacy {
    use super::*;

    conformance!(http ChronicleConfig, suite("api = \"legacy\"\n"));
}
