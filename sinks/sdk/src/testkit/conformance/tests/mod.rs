//! The suite holds for small good sinks, and every property fails for one that breaks it.

mod file;
mod http;
mod lines;

use super::*;
use crate::{error::ErrorKind, testkit::server::Answer};
use file::NotesConfig;
use http::{LaxConfig, TinyConfig};
use lines::LinesConfig;

const TOKEN: &str = "hunter2-hunter2";

fn tiny(fault: &'static str) -> Suite {
    Suite::http(
        move |address| format!("url = \"http://{address}/in\"\ntoken = \"{TOKEN}\"\nfault = \"{fault}\""),
        |request| match request.route() {
            "/in/acks" => Answer::json(200, r#"{"done":true}"#),
            _ => Answer::json(200, r#"{"refused":[]}"#),
        },
    )
    .delivers(|request| request.route() == "/in/findings")
    .refuses(|status, _| Answer::json(status, "{}"))
    .kind(404, ErrorKind::Rejected)
    .partial(
        "the second is refused",
        |_| Answer::json(200, r#"{"refused":[1]}"#),
        &[Expected::Accepted, Expected::Failed(ErrorKind::Rejected), Expected::Accepted],
    )
    .varies("x-time")
    .secret(TOKEN)
}

fn lines(fault: &'static str) -> Suite {
    Suite::stream(move |address| format!("address = \"{address}\"\nfault = \"{fault}\""))
}

fn notes(fault: &'static str) -> Suite {
    Suite::local(move |path| format!("path = {path:?}\nfault = \"{fault}\""))
}

mod a_good_local_sink {
    crate::conformance!(local super::NotesConfig, super::notes("none"));
}

mod a_good_http_sink {
    crate::conformance!(http super::TinyConfig, super::tiny("none"));
}

mod a_good_stream_sink {
    crate::conformance!(stream super::LinesConfig, super::lines("none"));
}

type Property = fn(&Suite) -> Proof;

/// The property fails, and says so in words that hold `told`.
#[track_caller]
fn caught(property: Property, suite: &Suite, told: &str) {
    let violation = property(suite).expect_err(told);
    assert!(violation.contains(told), "expected `{told}` in: {violation}");
}

#[track_caller]
fn faulty(fault: &'static str, property: Property, told: &str) {
    caught(property, &tiny(fault), told);
}

#[test]
fn options_that_are_wrong_are_caught() {
    let suite = Suite::http(|_| String::new(), |_| Answer::status(200));
    caught(the_example_builds::<LaxConfig>, &suite, "the example builds no sink");
    caught(an_unknown_key_is_refused_with_its_place::<LaxConfig>, &suite, "deny_unknown_fields");
    caught(the_schema_lists_the_example::<LaxConfig>, &suite, "does not list `missing`");
}

#[test]
fn encoding_that_is_wrong_is_caught() {
    faulty("impure", encoding_is_pure::<TinyConfig>, "differs from the first");
    faulty("too large", encoding_keeps_the_limits::<TinyConfig>, "are allowed");
    faulty("empty", encoding_keeps_the_limits::<TinyConfig>, "has 0 bytes");
    faulty("encoding fails", encoding_keeps_the_limits::<TinyConfig>, "can't be encoded");
}

#[test]
fn deliveries_that_are_wrong_are_caught() {
    faulty("sends nothing", what_is_taken_is_delivered::<TinyConfig>, "no request of a delivery");
    faulty("no id", what_is_taken_is_delivered::<TinyConfig>, "nowhere in the requests");
    faulty("short receipt", what_is_taken_is_delivered::<TinyConfig>, "1 verdicts for 2");
    faulty("refuses all", what_is_taken_is_delivered::<TinyConfig>, "everything was taken");
    faulty("one at a time", concurrent_deliveries_are_safe::<TinyConfig>, "everything was taken");
    faulty("attempt in the body", attempts_are_alike::<TinyConfig>, "body of the second attempt");
    faulty("attempt in a header", attempts_are_alike::<TinyConfig>, "headers of the second attempt");
    faulty("whole batch", partial_verdicts_fit::<TinyConfig>, "the second is refused");
    let silent = Suite { partials: Vec::new(), ..tiny("none") };
    caught(partial_verdicts_fit::<TinyConfig>, &silent, "say with `partial`");
}

#[test]
fn kinds_that_are_wrong_are_caught() {
    let all_but_unavailable: [(Property, &str); 10] = [
        (bad_request_400_is_of_its_kind::<TinyConfig>, "expected rejected"),
        (unauthorized_401_is_of_its_kind::<TinyConfig>, "expected auth"),
        (forbidden_403_is_of_its_kind::<TinyConfig>, "expected auth"),
        // The suite says that 404 means something else here.
        (not_found_404_is_of_its_kind::<TinyConfig>, "expected rejected"),
        (too_large_413_is_of_its_kind::<TinyConfig>, "expected rejected"),
        (too_many_429_is_of_its_kind::<TinyConfig>, "expected throttled"),
        (a_redirect_is_not_followed::<TinyConfig>, "expected config"),
        (retry_after_in_seconds_is_carried::<TinyConfig>, "expected throttled"),
        (retry_after_as_a_date_is_carried::<TinyConfig>, "expected throttled"),
        (retry_after_of_503_is_carried::<TinyConfig>, "became None"),
    ];
    for (property, told) in all_but_unavailable {
        faulty("all is unavailable", property, told);
    }
    let unavailable: [Property; 6] = [
        internal_error_500_is_of_its_kind::<TinyConfig>,
        unavailable_503_is_of_its_kind::<TinyConfig>,
        silence_is_unavailable::<TinyConfig>,
        a_closed_port_is_unavailable::<TinyConfig>,
        a_reset_is_unavailable::<TinyConfig>,
        half_an_answer_is_unavailable::<TinyConfig>,
    ];
    for property in unavailable {
        faulty("all is rejected", property, "expected unavailable");
    }
    faulty("forgets the wait", retry_after_in_seconds_is_carried::<TinyConfig>, "became None");
    faulty("forgets the wait", retry_after_as_a_date_is_carried::<TinyConfig>, "became None");
    faulty("waits forever", silence_is_unavailable::<TinyConfig>, "did not return");
    faulty("reads no body", half_an_answer_is_unavailable::<TinyConfig>, "expected a failure");
    faulty("follows", a_redirect_is_not_followed::<TinyConfig>, "was followed");
}

#[test]
fn acknowledgements_that_are_wrong_are_caught() {
    faulty("invents", acknowledgements_are_never_invented::<TinyConfig>, "counts as confirmed");
    faulty("loses acknowledgements", acknowledgements_are_never_invented::<TinyConfig>, "number of acknowledgements");
    faulty("no limits", acknowledgements_are_never_invented::<TinyConfig>, "says nothing of it");
}

#[test]
fn checks_that_are_wrong_are_caught() {
    let refused: Property = check_that_is_refused_names_a_fix::<TinyConfig>;
    let nobody: Property = check_without_a_destination_names_a_fix::<TinyConfig>;
    faulty("check delivers", check_passes_and_delivers_nothing::<TinyConfig>, "the check delivers: POST /in/findings");
    faulty("says nothing", check_passes_and_delivers_nothing::<TinyConfig>, "no step");
    faulty("asks nothing", check_passes_and_delivers_nothing::<TinyConfig>, "say `reaches_only`");
    faulty("fails at once", check_passes_and_delivers_nothing::<TinyConfig>, "the step fails");
    faulty("asks nothing", refused, "says `Ok`");
    faulty("asks nothing", nobody, "says `Ok`");
    faulty("no fix", refused, "no failed step with a fix");
    faulty("no fix", nobody, "no failed step with a fix");
    faulty("fails at once", setup_passes::<TinyConfig>, "the step fails");
    faulty("setup looks away", setup_that_is_refused_names_a_fix::<TinyConfig>, "says `Ok`");
    caught(check_passes_and_delivers_nothing::<TinyConfig>, &tiny("none").reaches_only(), "not `reaches_only`");
}

#[test]
fn secrets_that_come_out_are_caught() {
    let said: Property = no_secret_in_errors_and_steps::<TinyConfig>;
    faulty("secret in an error", said, "a secret stands in errors");
    faulty("secret in a step", said, "a secret stands in errors");
    faulty("secret in a cause", said, "a secret stands in errors");
    faulty("repeats the answer", said, "a secret stands in errors");
    faulty("secret in the log", no_secret_in_logs::<TinyConfig>, "a secret stands in the log");
    let none = Suite { secrets: Vec::new(), ..tiny("none") };
    caught(said, &none, "the options hold no secret");
}

#[test]
fn streams_that_are_wrong_are_caught() {
    let faulty = |fault, property: Property, told| caught(property, &lines(fault), told);
    faulty("writes nothing", what_is_taken_arrives::<LinesConfig>, "did not arrive");
    faulty("attempt in the bytes", attempts_write_the_same::<LinesConfig>, "other bytes");
    faulty("writes nothing", a_peer_that_resets_is_noticed::<LinesConfig>, "nothing has failed");
    faulty("waits forever", a_peer_that_never_reads_is_noticed::<LinesConfig>, "did not return");
    faulty("check writes", check_passes_and_writes_nothing::<LinesConfig>, "the check writes 6 bytes");
    faulty("check looks away", check_passes_and_writes_nothing::<LinesConfig>, "does not even connect");
    faulty("check looks away", check_without_a_destination_names_a_fix::<LinesConfig>, "says `Ok`");
    faulty("all is rejected", a_closed_port_is_unavailable::<LinesConfig>, "expected unavailable");
}

#[test]
fn files_that_are_wrong_are_caught() {
    let faulty = |fault, property: Property, told| caught(property, &notes(fault), told);
    faulty("writes nothing", what_is_written_is_delivered::<NotesConfig>, "not in the file");
    faulty("check writes", what_is_written_is_delivered::<NotesConfig>, "set-up and check write 6 bytes");
    faulty("check looks away", a_missing_folder_is_noticed::<NotesConfig>, "says `Ok`");
    faulty("looks away", a_missing_folder_is_noticed::<NotesConfig>, "nothing can be written");
}
