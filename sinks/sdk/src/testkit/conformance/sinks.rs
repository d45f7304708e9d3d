//! What the properties share: a sink that points somewhere, batches for it, and a runtime to deliver them in.

use std::{fmt::Debug, future::Future, io, sync::Arc, time::Duration};

use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::Suite;
use crate::{
    batch::{Batch, Delivery, Receipt, Verdict},
    error::{ErrorKind, SinkError},
    finding::Finding,
    kind::{BuildError, SinkKind},
    sink::{Context, Sink, SinkConfig},
    testkit::{
        findings::sample,
        server::{Answer, Request, Server},
    },
};

/// Longest wait of a sink for an answer that comes.
pub(super) const PATIENT: Duration = Duration::from_secs(10);
/// Longest wait of a sink for an answer that never comes.
pub(super) const IMPATIENT: Duration = Duration::from_millis(300);
/// Nothing that a sink does takes longer, whatever the destination does.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 3 } else { 20 });

/// Runs a property to its end, in one thread, so that what it logs can be caught.
pub(super) fn run<T>(property: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(told("no runtime"))?.block_on(property)
}

/// An error of the suite itself, with what was tried.
pub(super) fn told<E: std::fmt::Display>(what: &str) -> impl FnOnce(E) -> String {
    move |error| format!("{what}: {error}")
}

/// Builds options as the engine does, from a table that keeps its places.
pub(super) fn build<C: SinkConfig>(options: &str, timeout: Duration) -> Result<Arc<dyn Sink>, BuildError> {
    let table = DeTable::parse(options)?;
    let span = table.span();
    let options = ValueDeserializer::from(toml::Spanned::new(span, DeValue::Table(table.into_inner())));
    SinkKind::of::<C>().build(options, &Context { timeout, ..Context::new("conformance") })
}

impl Suite {
    /// A sink that points to this address.
    pub(super) fn sink<C: SinkConfig>(
        &self,
        address: impl ToString,
        timeout: Duration,
    ) -> Result<Arc<dyn Sink>, String> {
        let options = (self.options)(&address.to_string());
        build::<C>(&options, timeout).map_err(told("the suite's options build no sink"))
    }

    /// A destination that takes everything.
    pub(super) async fn accepting(&self) -> Result<Server, String> {
        start(self.accepts).await
    }

    /// A destination that is well but for deliveries.
    pub(super) async fn failing(
        &self,
        answer: impl Fn(&Request) -> Answer + Send + Sync + 'static,
    ) -> Result<Server, String> {
        let (accepts, delivers) = (self.accepts, self.delivers);
        start(move |request| if delivers(request) { answer(request) } else { accepts(request) }).await
    }

    /// The requests of these that deliver.
    pub(super) fn deliveries(&self, server: &Server) -> Vec<Request> {
        server.requests().into_iter().filter(|request| (self.delivers)(request)).collect()
    }
}

pub(super) async fn start(handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Result<Server, String> {
    Server::start(handler).await.map_err(told::<io::Error>("no server"))
}

/// The sample as so many findings, each with its own id.
pub(super) fn findings(count: usize) -> Vec<Finding> {
    (0..count).map(|n| Finding { id: format!("6f1ed002ab5595859014ebf0951{n:05x}"), ..sample() }).collect()
}

/// A batch of so many samples.
pub(super) fn batch(sink: &dyn Sink, count: usize, attempt: u32) -> Result<Batch, String> {
    let deliveries: Result<Vec<Delivery>, String> = findings(count)
        .iter()
        .map(|finding| {
            let payload = sink.encode(finding).map_err(told("the sample can't be encoded"))?;
            Ok(Delivery { key: format!("{}.conformance", finding.id), payload, attempt })
        })
        .collect();
    Batch::new(deliveries?).ok_or_else(|| "an empty batch".to_owned())
}

/// Delivers, and gives one verdict per delivery, also where one error stands for all.
pub(super) async fn deliver(sink: &dyn Sink, batch: &Batch) -> Result<Vec<Verdict>, String> {
    let count = batch.deliveries().len();
    let verdicts = match in_time("deliver", sink.deliver(batch)).await? {
        Ok(receipt) => Receipt::verdicts(&receipt).to_vec(),
        Err(error) => vec![Verdict::Failed(error); count],
    };
    expect(verdicts.len() == count, || format!("{} verdicts for {count} deliveries", verdicts.len()))?;
    Ok(verdicts)
}

/// What a sink does comes to an end.
pub(super) async fn in_time<T>(verb: &str, work: impl Future<Output = T>) -> Result<T, String> {
    let seconds = PATIENCE.as_secs();
    tokio::time::timeout(PATIENCE, work).await.map_err(|_| format!("`{verb}` did not return within {seconds} s"))
}

/// Delivers one sample that can't arrive, and gives the error.
pub(super) async fn failure(sink: &dyn Sink) -> Result<SinkError, String> {
    let batch = batch(sink, 1, 1)?;
    match deliver(sink, &batch).await?.remove(0) {
        Verdict::Failed(error) => Ok(error),
        verdict => Err(format!("expected a failure, found {verdict:?}")),
    }
}

/// The error is of this kind.
pub(super) fn expect_kind(error: &SinkError, kind: ErrorKind) -> Result<(), String> {
    expect(error.kind == kind, || format!("expected {kind}, found {}: {error}", error.kind))
}

/// The condition holds, or this is the violation.
pub(super) fn expect(holds: bool, violation: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(violation()) }
}

/// The two are alike, or this is the violation.
pub(super) fn expect_same<T: PartialEq + Debug>(found: &T, expected: &T, what: &str) -> Result<(), String> {
    expect(found == expected, || format!("{what}: expected {expected:?}, found {found:?}"))
}
