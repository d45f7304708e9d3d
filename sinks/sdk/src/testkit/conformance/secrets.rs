//! No credential comes out: not in errors, not in steps, not in logs, also when the destination repeats all it was sent.

use std::{
    error::Error,
    io::{self, Write},
    sync::{Arc, Mutex},
};

use tracing::level_filters::LevelFilter;

use super::{
    Proof, Suite,
    sinks::{IMPATIENT, PATIENT, batch, deliver, expect, in_time, run, start, told},
};
use crate::{
    batch::Verdict,
    error::SinkError,
    sink::{Sink, SinkConfig},
    steps::Steps,
    testkit::{
        locked,
        server::{Answer, Request, closed_port},
    },
};

/// What a destination answers that repeats everything, in every place where a sink may look for words.
fn echo(status: u16, request: &Request, json: bool) -> Answer {
    let headers: String = request.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    // The headers come first: an error shows the beginning.
    let all = format!("{headers}{} {}\n{}", request.method, request.path, request.text());
    if !json {
        return Answer::text(status, all);
    }
    let inner = serde_json::json!({ "code": status, "status": status, "type": &all, "reason": &all, "message": &all });
    let body = serde_json::json!({
        "ok": false, "error": inner, "errors": true, "text": &all, "message": &all, "reason": &all, "detail": &all, "code": 6,
        "items": [{ "create": { "status": status, "error": inner } }],
    });
    Answer::json(status, body)
}

/// Errors and steps show no secret.
///
/// # Errors
/// What was seen otherwise.
pub fn no_secret_in_errors_and_steps<C: SinkConfig>(suite: &Suite) -> Proof {
    suite.has_secrets()?;
    let said = run(everything_goes_wrong::<C>(suite))?;
    suite.shows_none(&said, "errors and steps")
}

/// Logs of every level show no secret.
///
/// # Errors
/// What was seen otherwise.
pub fn no_secret_in_logs<C: SinkConfig>(suite: &Suite) -> Proof {
    suite.has_secrets()?;
    let logs = Logs::default();
    let writer = logs.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        // What other tests of this process have not asked for would stay switched off.
        tracing::callsite::rebuild_interest_cache();
        run(async {
            let server = suite.accepting().await?;
            let sink = suite.sink::<C>(server.address(), PATIENT)?;
            let _ = deliver(&*sink, &batch(&*sink, 1, 1)?).await?;
            everything_goes_wrong::<C>(suite).await
        })
    })?;
    let said = String::from_utf8_lossy(&locked(&logs.0)).into_owned();
    suite.shows_none(&said, "the log")
}

impl Suite {
    /// Without secrets that stand in the options the properties would always hold.
    fn has_secrets(&self) -> Proof {
        let options = (self.options)("127.0.0.1:9");
        expect(self.secrets.iter().any(|secret| options.contains(secret)), || {
            "the options hold no secret; put one in and name it with `secret`".to_owned()
        })
    }

    fn shows_none(&self, said: &str, place: &str) -> Proof {
        let shown = self.secrets.iter().find_map(|secret| said.find(secret));
        shown.map_or(Ok(()), |at| {
            let line = said[..at].rfind('\n').map_or(0, |end| end + 1);
            Err(format!("a secret stands in {place}, after: {}", &said[line..at]))
        })
    }
}

/// All that a sink says while everything goes wrong that can.
async fn everything_goes_wrong<C: SinkConfig>(suite: &Suite) -> Result<String, String> {
    let mut said = String::new();
    for json in [false, true] {
        for status in [200, 307, 400, 401, 403, 404, 409, 413, 429, 500, 503] {
            let all = start(move |request| echo(status, request, json)).await?;
            said += &tried(&*suite.sink::<C>(all.address(), PATIENT)?).await?;
            let deliveries = suite.failing(move |request| echo(status, request, json)).await?;
            said += &tried(&*suite.sink::<C>(deliveries.address(), PATIENT)?).await?;
        }
    }
    let server = start(|_| Answer::hang()).await?;
    said += &tried(&*suite.sink::<C>(server.address(), IMPATIENT)?).await?;
    let server = start(|_| Answer::reset()).await?;
    said += &tried(&*suite.sink::<C>(server.address(), PATIENT)?).await?;
    let address = closed_port().map_err(told("no port"))?;
    said += &tried(&*suite.sink::<C>(address, PATIENT)?).await?;
    Ok(said)
}

/// Delivers, checks and sets up, and gives what was said.
async fn tried(sink: &dyn Sink) -> Result<String, String> {
    let mut said = String::new();
    let verdicts = deliver(sink, &batch(sink, sink.limits().items.min(2), 1)?).await?;
    for verdict in &verdicts {
        if let Verdict::Failed(error) = verdict {
            said += &words(error);
        }
    }
    let mut steps = Steps::default();
    let checked = in_time("check", sink.check(&mut steps)).await?;
    let set_up = in_time("setup", sink.setup(&mut steps)).await?;
    for error in [checked, set_up].into_iter().filter_map(Result::err) {
        said += &words(&error);
    }
    said += &format!("{:?}\n", steps.all());
    Ok(said)
}

fn words(error: &SinkError) -> String {
    let mut said = format!("{error}\n{error:?}\n");
    let mut next = error.source();
    while let Some(cause) = next {
        said += &format!("{cause}\n{cause:?}\n");
        next = cause.source();
    }
    said
}

/// What was logged.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        locked(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
