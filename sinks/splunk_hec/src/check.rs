//! Whether the collector answers, is well, and takes the token, without an event.
//!
//! The health page does not look at the token. A request without a body does: the collector refuses it with "no data"
//! only after the token was taken, as delivery streams in front of Splunk find out too.

use std::collections::BTreeSet;

use uuid::Uuid;
use watchbell_sink::{
    ErrorKind, SinkError, Steps,
    http::{Method, Reply},
};

use crate::{
    code::{Meaning, fix, meaning},
    endpoint::{Endpoint, Request},
    sink::SplunkHec,
    wire::{Answer, EVENT, HEALTH},
};

impl SplunkHec {
    /// Looks at each address; one that is well is enough to deliver.
    pub(crate) async fn check_all(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let mut failure = None;
        let mut well = 0;
        for endpoint in &self.endpoints {
            if self.endpoints.len() > 1 {
                steps.done("endpoint").with(endpoint.name());
            }
            match self.check_one(endpoint, steps).await {
                Ok(()) => well += 1,
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(error) if well == 0 => return Err(error),
            _ => {}
        }
        let index = self.metadata.index.as_deref().map_or_else(
            || "the token's default index is taken".to_owned(),
            |index| format!("whether the token may write to `{index}` shows only with an event"),
        );
        steps.skipped("index", index);
        Ok(())
    }

    async fn check_one(&self, endpoint: &Endpoint, steps: &mut Steps) -> Result<(), SinkError> {
        endpoint.target.reach(steps).await?;
        if self.proxied {
            steps.skipped("certificate of the collector", "the proxy was reached; the next steps go through it");
        }
        self.check_health(endpoint, steps).await?;
        self.check_token(endpoint, steps).await?;
        if self.acknowledgement.is_some() {
            self.check_acknowledgement(endpoint, steps).await?;
        }
        Ok(())
    }

    async fn check_health(&self, endpoint: &Endpoint, steps: &mut Steps) -> Result<(), SinkError> {
        let reply = self.ask_empty(endpoint, HEALTH, steps).await?;
        let code = code_of(&reply);
        match reply.status {
            200..=299 if code.is_some_and(|code| meaning(code) == Some(Meaning::NearCapacity)) => {
                steps.warned("health", fix(code.unwrap_or_default())).with(reply.excerpt());
                Ok(())
            }
            200..=299 => {
                steps.done("health").with(reply.excerpt());
                Ok(())
            }
            404 | 405 => {
                steps
                    .warned("health", "check that this is the port of the HTTP event collector, usually 8088")
                    .with("there is no health page; the next step shows whether events are taken all the same");
                Ok(())
            }
            _ => Err(failed(steps, "health", &reply, code)),
        }
    }

    async fn check_token(&self, endpoint: &Endpoint, steps: &mut Steps) -> Result<(), SinkError> {
        let reply = self.ask_empty(endpoint, EVENT, steps).await?;
        let code = code_of(&reply);
        match code.and_then(meaning) {
            Some(Meaning::Taken | Meaning::NearCapacity) if reply.is_success() => {}
            Some(Meaning::Event) => {}
            _ => return Err(failed(steps, "token", &reply, code)),
        }
        steps.done("token").with("it is taken; the request had no event in it");
        Ok(())
    }

    async fn check_acknowledgement(&self, endpoint: &Endpoint, steps: &mut Steps) -> Result<(), SinkError> {
        // On a channel of its own, because the collector tells a number once, and this one may be somebody's.
        let channel = Uuid::new_v4().hyphenated().to_string();
        match self.ask(endpoint, &channel, BTreeSet::from([0])).await {
            Ok(_) => {
                steps.done("indexer acknowledgement");
                Ok(())
            }
            Err(error) => {
                steps.failed("indexer acknowledgement", fix(14)).with(&error.message);
                Err(error)
            }
        }
    }

    /// A request without a body.
    async fn ask_empty(&self, endpoint: &Endpoint, path: &'static str, steps: &mut Steps) -> Result<Reply, SinkError> {
        let (method, step) = if path == EVENT { (Method::POST, "token") } else { (Method::GET, "health") };
        let channel = endpoint.channel();
        let request = Request { method, path, channel: &channel, fill: &|request| request };
        endpoint.send(&self.access, request).await.inspect_err(|error| {
            let advice = "check that this is the port of the HTTP event collector, usually 8088";
            steps.failed(step, advice).with(&error.message);
        })
    }
}

fn code_of(reply: &Reply) -> Option<u16> {
    reply.json::<Answer>().ok()?.code
}

/// Reports what the collector refuses, with the code's own fix.
fn failed(steps: &mut Steps, step: &str, reply: &Reply, code: Option<u16>) -> SinkError {
    let kind = match code.and_then(meaning) {
        Some(Meaning::Failed(kind)) => kind,
        _ => ErrorKind::from_status(reply.status)
            .filter(|&kind| kind != ErrorKind::Rejected)
            .unwrap_or(ErrorKind::Config),
    };
    let advice = match (code, kind) {
        (Some(code), _) => fix(code),
        (None, ErrorKind::Auth) => fix(4),
        (None, ErrorKind::Unavailable | ErrorKind::Throttled) => "wait, and look at what stands before the collector",
        (None, _) => "check that this is the port of the HTTP event collector, usually 8088",
    };
    let error = reply.error_of(kind);
    steps.failed(step, advice).with(&error.message);
    error
}
