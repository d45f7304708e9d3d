//! A sink that answers what a test tells it, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;
use watchbell_sink::{
    Acknowledgement, Batch, ErrorKind, Finding, Limits, Payload, Receipt, Sink, SinkError, Steps, Verdict, async_trait,
};

/// What a scripted sink does with a batch.
pub(super) enum Answer {
    All(Verdict),
    Each(Vec<Verdict>),
    Fail(SinkError),
    /// Never answers.
    Silence,
    Panic,
}

type Script = Box<dyn FnMut(&Call) -> Answer + Send>;
type Check = Box<dyn FnMut() -> Result<(), SinkError> + Send>;
type Acknowledge = Box<dyn FnMut(&str) -> Acknowledgement + Send>;
type Encode = Box<dyn Fn(&Finding) -> Result<Payload, SinkError> + Send + Sync>;

/// One call of `deliver`.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// Counted from 0.
    pub(super) number: usize,
    pub(super) keys: Vec<String>,
    pub(super) attempts: Vec<u32>,
    pub(super) payloads: Vec<Vec<u8>>,
    pub(super) at: Instant,
}

pub(super) struct Scripted {
    limits: Limits,
    script: Mutex<Script>,
    check: Mutex<Check>,
    acknowledge: Mutex<Acknowledge>,
    encode: Encode,
    calls: Mutex<Vec<Call>>,
    checks: Mutex<Vec<Instant>>,
}

pub(super) fn error(kind: ErrorKind) -> SinkError {
    SinkError::new(kind, format!("it said {kind}"))
}

pub(super) fn delivered() -> Answer {
    Answer::All(Verdict::Delivered)
}

impl Scripted {
    pub(super) fn new(script: impl FnMut(&Call) -> Answer + Send + 'static) -> Self {
        Self {
            limits: Limits::new(100, 10 << 20),
            script: Mutex::new(Box::new(script)),
            check: Mutex::new(Box::new(|| Ok(()))),
            acknowledge: Mutex::new(Box::new(|_| Acknowledgement::Confirmed)),
            encode: Box::new(|finding| Ok(Payload::json(serde_json::to_vec(finding).unwrap()))),
            calls: Mutex::default(),
            checks: Mutex::default(),
        }
    }

    /// Takes everything.
    pub(super) fn willing() -> Arc<Self> {
        Arc::new(Self::new(|_| delivered()))
    }

    pub(super) fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    pub(super) fn check(self, check: impl FnMut() -> Result<(), SinkError> + Send + 'static) -> Self {
        Self { check: Mutex::new(Box::new(check)), ..self }
    }

    pub(super) fn acknowledge(self, answer: impl FnMut(&str) -> Acknowledgement + Send + 'static) -> Self {
        Self { acknowledge: Mutex::new(Box::new(answer)), ..self }
    }

    pub(super) fn encode(
        self,
        encode: impl Fn(&Finding) -> Result<Payload, SinkError> + Send + Sync + 'static,
    ) -> Self {
        Self { encode: Box::new(encode), ..self }
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(super) fn sizes(&self) -> Vec<usize> {
        self.calls().iter().map(|call| call.keys.len()).collect()
    }

    pub(super) fn checks(&self) -> Vec<Instant> {
        self.checks.lock().unwrap().clone()
    }
}

#[async_trait]
impl Sink for Scripted {
    fn limits(&self) -> Limits {
        self.limits
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        (self.encode)(finding)
    }

    async fn setup(&self, _: &mut Steps) -> Result<(), SinkError> {
        Ok(())
    }

    async fn check(&self, _: &mut Steps) -> Result<(), SinkError> {
        self.checks.lock().unwrap().push(Instant::now());
        (self.check.lock().unwrap())()
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        let deliveries = batch.deliveries();
        let mut call = Call {
            number: 0,
            keys: deliveries.iter().map(|delivery| delivery.key.clone()).collect(),
            attempts: deliveries.iter().map(|delivery| delivery.attempt).collect(),
            payloads: deliveries.iter().map(|delivery| delivery.payload.bytes().to_vec()).collect(),
            at: Instant::now(),
        };
        {
            let mut calls = self.calls.lock().unwrap();
            call.number = calls.len();
            calls.push(call.clone());
        }
        let answer = (self.script.lock().unwrap())(&call);
        match answer {
            Answer::All(verdict) => Ok(batch.each(|_, _| verdict.clone())),
            Answer::Each(verdicts) => Ok(batch.each(|at, _| verdicts[at].clone())),
            Answer::Fail(error) => Err(error),
            Answer::Silence => std::future::pending().await,
            Answer::Panic => panic!("a sink's defect"),
        }
    }

    async fn acknowledged(&self, references: &[String]) -> Result<Vec<Acknowledgement>, SinkError> {
        let mut answer = self.acknowledge.lock().unwrap();
        Ok(references.iter().map(|reference| answer(reference)).collect())
    }
}
