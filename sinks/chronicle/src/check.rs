//! The steps by which a connection is proven, from the configuration to a read of the instance. Nothing is delivered.
//!
//! The clock comes before the token: a token service says `invalid_grant` of a wrong clock and of a deleted key alike.

use std::time::{Duration, SystemTime};

use watchbell_sink::{
    ErrorKind, SinkError, Steps,
    http::{Method, header},
    rules::{RuleError, RuleHost},
};

use crate::{config::Api, rules::VERIFY_PERMISSION, sink::Chronicle};

/// When the legacy API stops (docs.cloud.google.com/chronicle/docs/administration/migrate-from-legacy-api-to-chronicle-api).
pub(crate) const LEGACY_END: &str = "2027-07-20";

/// Google refuses assertions whose times are off by more.
const MOST_SKEW: Duration = Duration::from_secs(300);

const INSTANCE_PERMISSION: &str = "chronicle.instances.get";

/// A rule that is compiled and not kept.
const PROBE: &str = "rule watchbell_probe { meta: author = \"Watchbell\" events: $e.metadata.event_type = \"GENERIC_EVENT\" \
                     condition: $e }";

pub(crate) async fn run(sink: &Chronicle, steps: &mut Steps) -> Result<(), SinkError> {
    let parts = &sink.parts;
    steps.done("configuration").with(format!("{} at {}", parts.parent, parts.target.host));
    if parts.api == Api::Legacy {
        let fix = format!(
            "the legacy API ends on {LEGACY_END}: remove `api = \"legacy\"` and use a service account with the role \
             roles/chronicle.editor"
        );
        steps.warned("API", fix);
    }
    steps.done("credentials").with(parts.tokens.who());
    if parts.proxied {
        steps.skipped("DNS, TCP, TLS", "a proxy makes the connection");
    } else {
        parts.target.reach(steps).await?;
    }
    clock(sink, steps).await?;
    token(sink, steps).await?;
    match parts.api {
        Api::V1 => {
            instance(sink, steps).await?;
            rules(sink, steps).await;
            Ok(())
        }
        Api::Legacy => {
            steps.skipped("instance", "the legacy API has nothing that can be read");
            Ok(())
        }
    }
}

/// Compares the clocks by the date that every answer carries, whatever its status.
async fn clock(sink: &Chronicle, steps: &mut Steps) -> Result<(), SinkError> {
    let request = sink.parts.http.request(Method::GET, sink.parts.base.url().clone());
    let reply = sink.parts.http.send(request).await.inspect_err(|error| {
        steps.failed("clock", "check the connection, and the proxy if there is one").with(&error.message);
    })?;
    let date = reply.headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else {
        steps.skipped("clock", "the answer has no date");
        return Ok(());
    };
    let ours = SystemTime::now();
    let skew = ours.duration_since(theirs).or_else(|_| theirs.duration_since(ours)).unwrap_or_default();
    if skew > MOST_SKEW {
        let message = format!("this machine's clock is off by {} s", skew.as_secs());
        steps.failed("clock", "set the clock (NTP); tokens are refused above 300 s").with(&message);
        return Err(SinkError::new(ErrorKind::Auth, message));
    }
    steps.done("clock").with(format!("off by {} s at most", skew.as_secs() + 1));
    Ok(())
}

async fn token(sink: &Chronicle, steps: &mut Steps) -> Result<(), SinkError> {
    match sink.parts.tokens.token().await {
        Ok(_) => {
            steps.done("token").with("the token service takes the credentials");
            Ok(())
        }
        Err(error) => {
            let fix = match error.kind {
                ErrorKind::Auth => "make a new key for the service account and give it as credentials_file",
                _ => "check that the token service (oauth2.googleapis.com) can be reached from here",
            };
            steps.failed("token", fix).with(&error.message);
            Err(error)
        }
    }
}

/// Reads the instance, the cheapest thing that proves place and permission.
async fn instance(sink: &Chronicle, steps: &mut Steps) -> Result<(), SinkError> {
    let mut answered = sink.call(Method::GET, sink.url("v1", ""), None, INSTANCE_PERMISSION).await;
    if matches!(&answered, Ok(reply) if reply.status == 404) {
        answered = sink.call(Method::GET, sink.url("v1beta", ""), None, INSTANCE_PERMISSION).await;
    }
    let error = match answered {
        Ok(reply) if reply.is_success() => {
            steps.done("instance").with("it answers and lets us read");
            steps.skipped("permission to write", "only a real event shows it: test with --send");
            return Ok(());
        }
        Ok(_) => sink.not_found(),
        Err(error) => error,
    };
    let fix = match error.status {
        Some(401) => "the token was taken by nobody: make a new key for the service account",
        Some(403) => {
            "give the service account the role roles/chronicle.editor (it has chronicle.instances.get and \
             chronicle.events.import) in the project that is linked to the instance, and enable the Chronicle API there"
        }
        Some(404) => {
            "check `location` (the instance answers only where it lives), `project` and `instance`; SecOps shows them under \
             Settings, SIEM Settings, Profile"
        }
        _ => "try again later; Google's status page is status.cloud.google.com",
    };
    steps.failed("instance", fix).with(&error.message);
    Err(error)
}

/// Compiles a rule, which keeps nothing. Findings are delivered without this permission, so nothing fails here.
async fn rules(sink: &Chronicle, steps: &mut Steps) {
    const STEP: &str = "permission to manage rules";
    match sink.verify(PROBE).await {
        Ok(_) => steps.done(STEP).with("a rule was compiled and not kept"),
        Err(RuleError::Failed(error)) if error.status == Some(403) => steps.skipped(
            STEP,
            format!(
                "it needs {VERIFY_PERMISSION} (role roles/chronicle.editor); only `watchbell rules` does, findings are \
                 delivered without"
            ),
        ),
        Err(error) => steps.skipped(STEP, format!("nothing could be learned: {error}")),
    };
}
