//! What every sink must do, as a suite of tests. A property that does not hold says what was seen and what was expected.
//!
//! In `tests/conformance.rs` of a sink:
//!
//! ```ignore
//! use watchbell_sink::{conformance, testkit::{conformance::Suite, server::Answer}};
//!
//! conformance!(http WebhookConfig, Suite::http(
//!     |address| format!("url = \"http://{address}/x\"\nallow_private = true\nsecrets = [\"whsec_aHVudGVyMi1odW50ZXIyLWh1bnRlcjI=\"]"),
//!     |_| Answer::status(204),
//! ).secret("whsec_aHVudGVyMi1odW50ZXIyLWh1bnRlcjI=").varies("webhook-timestamp").varies("webhook-signature"));
//! ```
//!
//! `http`, `stream` and `local` choose the properties; see [`Suite`] for what can be said about a destination. Each property
//! is a test of its own. For several set-ups of one sink, put each in a `mod` of its own.

mod acknowledgements;
mod checking;
mod delivering;
mod encoding;
mod failing;
mod local;
mod options;
mod secrets;
mod sinks;
mod streaming;
mod suite;
#[cfg(test)]
mod tests;

pub use acknowledgements::acknowledgements_are_never_invented;
pub use checking::*;
pub use delivering::*;
pub use encoding::*;
pub use failing::*;
pub use local::*;
pub use options::*;
pub use secrets::*;
pub use streaming::*;
pub use suite::{Expected, Suite};

/// Whether a property holds; otherwise what was seen and what was expected.
pub type Proof = Result<(), String>;

/// Fails the test when the property does not hold.
///
/// # Panics
/// When the property does not hold: that is how a test fails.
#[track_caller]
pub fn hold(proof: Proof) {
    if let Err(violation) = proof {
        panic!("{violation}");
    }
}

/// Tests of a sink: every property that fits to how it reaches its destination. See [`testkit::conformance`](crate::testkit::conformance).
#[macro_export]
macro_rules! conformance {
    (http $config:ty, $suite:expr $(,)?) => {
        $crate::conformance!(@common $config, $suite);
        $crate::conformance!(@each $config, $suite;
            what_is_taken_is_delivered
            concurrent_deliveries_are_safe
            attempts_are_alike
            partial_verdicts_fit
            bad_request_400_is_of_its_kind
            unauthorized_401_is_of_its_kind
            forbidden_403_is_of_its_kind
            not_found_404_is_of_its_kind
            too_large_413_is_of_its_kind
            too_many_429_is_of_its_kind
            internal_error_500_is_of_its_kind
            unavailable_503_is_of_its_kind
            retry_after_in_seconds_is_carried
            retry_after_as_a_date_is_carried
            retry_after_of_503_is_carried
            silence_is_unavailable
            a_closed_port_is_unavailable
            a_reset_is_unavailable
            half_an_answer_is_unavailable
            a_redirect_is_not_followed
            acknowledgements_are_never_invented
            check_passes_and_delivers_nothing
            check_that_is_refused_names_a_fix
            check_without_a_destination_names_a_fix
            setup_passes
            setup_that_is_refused_names_a_fix
            no_secret_in_errors_and_steps
            no_secret_in_logs
        );
    };
    (stream $config:ty, $suite:expr $(,)?) => {
        $crate::conformance!(@common $config, $suite);
        $crate::conformance!(@each $config, $suite;
            what_is_taken_arrives
            attempts_write_the_same
            a_closed_port_is_unavailable
            a_peer_that_resets_is_noticed
            a_peer_that_never_reads_is_noticed
            check_passes_and_writes_nothing
            check_without_a_destination_names_a_fix
        );
    };
    (local $config:ty, $suite:expr $(,)?) => {
        $crate::conformance!(@common $config, $suite);
        $crate::conformance!(@each $config, $suite;
            what_is_written_is_delivered
            a_missing_folder_is_noticed
        );
    };
    (@common $config:ty, $suite:expr) => {
        $crate::conformance!(@each $config, $suite;
            the_example_builds
            an_unknown_key_is_refused_with_its_place
            the_schema_lists_the_example
            encoding_is_pure
            encoding_keeps_the_limits
        );
    };
    (@each $config:ty, $suite:expr; $($property:ident)*) => {$(
        #[test]
        fn $property() {
            $crate::testkit::conformance::hold($crate::testkit::conformance::$property::<$config>(&$suite));
        }
    )*};
}
