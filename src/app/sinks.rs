//! One sink at a time, without the outbox: what it would send, whether it can be reached, what must exist there.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::{AppError, findings::read_findings, variable};
use crate::{
    config::{EngineOptions, Plan, SinkPlan},
    sink::{
        Batch, Delivery, ErrorKind, Finding, Forgetful, Sink, SinkError, Steps, ThreatType, Verdict,
        finding::{Entity, EntityKind, Reason},
        threat::Severity,
    },
};

/// What became of setting a sink up or checking it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SinkReport {
    /// The name that the user gave the sink.
    pub sink: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What was done.
    pub steps: Steps,
    /// Why it ended early.
    pub failure: Option<SinkFailure>,
}

/// Why a sink can't be used as it is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SinkFailure {
    /// What it is about.
    #[serde(serialize_with = "kind_name")]
    #[schemars(with = "String")]
    pub kind: ErrorKind,
    /// What was expected.
    pub message: String,
}

fn kind_name<S: serde::Serializer>(kind: &ErrorKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.name())
}

impl From<&SinkError> for SinkFailure {
    fn from(error: &SinkError) -> Self {
        Self { kind: error.kind, message: error.message.clone() }
    }
}

/// The sinks of these names, or all that are switched on.
///
/// # Errors
/// When one of them is not configured, or when the configuration is wrong.
pub fn sink_plans(plan: &Plan, names: &[String]) -> Result<Vec<SinkPlan>, AppError> {
    let mut plans = plan.sinks.plans(&variable)?;
    if let Some(unknown) = names.iter().find(|name| !plans.iter().any(|plan| plan.name == **name)) {
        let known: Vec<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
        return Err(AppError::NoSuchSink { name: unknown.clone(), known: known.join(", ") });
    }
    if plans.is_empty() {
        return Err(AppError::NoSinks { file: plan.sinks.file.clone() });
    }
    plans.retain(|plan| names.is_empty() || names.contains(&plan.name));
    Ok(plans)
}

/// A sink as the configuration has it now.
pub(super) fn build(plan: &SinkPlan, memory: Arc<dyn crate::sink::Memory>) -> Result<Arc<dyn Sink>, SinkFailure> {
    match plan.build(&variable, memory) {
        Ok(built) => Ok(built.sink),
        Err(problems) => {
            let told: Vec<String> = problems.into_iter().map(|problem| problem.message).collect();
            Err(SinkFailure { kind: ErrorKind::Config, message: told.join("; ") })
        }
    }
}

/// What is done with each sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkWork {
    /// It is made ready to take findings.
    Setup,
    /// It is checked without delivering anything.
    Check,
    /// It is checked, and gets one finding that says that it is a test.
    CheckAndSend,
}

/// Sets sinks up or checks them, one after another.
///
/// # Errors
/// When there is no runtime to wait with.
pub fn work_on_sinks(
    plans: &[SinkPlan],
    work: SinkWork,
    show: &mut dyn FnMut(&SinkReport),
) -> Result<Vec<SinkReport>, AppError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(AppError::Runtime)?;
    let mut reports = Vec::new();
    for plan in plans {
        let report = runtime.block_on(one(plan, work));
        show(&report);
        reports.push(report);
    }
    Ok(reports)
}

async fn one(plan: &SinkPlan, work: SinkWork) -> SinkReport {
    let mut steps = Steps::default();
    let failure = match build(plan, Arc::new(Forgetful)) {
        Err(failure) => {
            steps.failed("configuration", "run `watchbell config check`").with(&failure.message);
            Some(failure)
        }
        Ok(sink) => {
            steps.done("configuration");
            let done = match work {
                SinkWork::Setup => sink.setup(&mut steps).await,
                SinkWork::Check => sink.check(&mut steps).await,
                SinkWork::CheckAndSend => match sink.check(&mut steps).await {
                    Ok(()) => send(sink.as_ref(), plan, &mut steps).await,
                    Err(error) => Err(error),
                },
            };
            done.as_ref().err().map(SinkFailure::from)
        }
    };
    if let Some(failure) = &failure
        && !steps.has_failed()
    {
        steps.failed("answer", fix_for(failure.kind)).with(&failure.message);
    }
    SinkReport { sink: plan.name.clone(), kind: plan.kind.name, steps, failure }
}

/// Sends one finding that says that it is a test.
async fn send(sink: &dyn Sink, plan: &SinkPlan, steps: &mut Steps) -> Result<(), SinkError> {
    let finding = test_finding();
    let key = format!("{}-{}", finding.id, plan.name);
    let payload = sink.encode(&finding)?;
    let batch = Batch::new(vec![Delivery { key, payload, attempt: 1 }]).expect("the batch holds one delivery");
    let failure = match sink.deliver(&batch).await {
        Ok(receipt) => match receipt.verdicts().first() {
            Some(Verdict::Failed(error)) => error.clone(),
            Some(Verdict::Accepted { .. }) => {
                steps.done("test finding").with(format!("{} was taken; it is acknowledged later", finding.id));
                return Ok(());
            }
            Some(Verdict::Delivered) => {
                steps.done("test finding").with(format!("{} was taken", finding.id));
                return Ok(());
            }
            Some(Verdict::Undecided) | None => {
                SinkError::new(ErrorKind::Unavailable, "nothing was decided about the finding")
            }
        },
        Err(error) => error,
    };
    steps.failed("test finding", fix_for(failure.kind)).with(&failure.message);
    Err(failure)
}

const fn fix_for(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Rejected => "compare what `watchbell render` prints with what the destination expects",
        ErrorKind::Throttled => "wait, or ask for a higher limit there",
        ErrorKind::Unavailable => "check that the service runs and can be reached from here",
        ErrorKind::Auth => "check the credentials and what they are allowed to do",
        ErrorKind::Config => "check the names that the configuration gives: address, index, channel",
    }
}

/// A finding that nobody mistakes for a real one. Its id is new each time, so that it is never taken for a repetition.
fn test_finding() -> Finding {
    let now = jiff::Timestamp::now();
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Finding {
        id: format!("{:032x}", nanos),
        threat_type: ThreatType::AnomalousAccess,
        severity: Severity::Informational,
        score: 0.0,
        confidence: 0.0,
        risk_score: 0,
        title: "Watchbell test: nothing happened".to_owned(),
        summary:
            "This is a test of the connection between Watchbell and this destination. No log line stands behind it."
                .to_owned(),
        entity: Entity { kind: EntityKind::Host, value: "watchbell-test".to_owned() },
        first_seen: Some(now),
        last_seen: Some(now),
        event_count: 0,
        chain: vec![ThreatType::AnomalousAccess],
        attacks: Vec::new(),
        observables: Vec::new(),
        reasons: vec![Reason {
            feature: "test".to_owned(),
            text: "somebody ran a connection test".to_owned(),
            observed: "1 test".to_owned(),
            typical: "0 tests".to_owned(),
            share: 1.0,
        }],
        evidence: Vec::new(),
    }
}

/// What rendering gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rendered {
    /// Findings that were written.
    pub findings: usize,
    /// Findings that the sink can't say.
    pub rejected: usize,
}

/// Writes the exact bytes that a sink would send for the findings in these files, each followed by a line feed; sends
/// nothing.
///
/// # Errors
/// When findings can't be read, or nothing can be written.
pub fn render(plan: &Plan, sink: &str, paths: &[PathBuf], out: &mut dyn Write) -> Result<Rendered, AppError> {
    let plans = sink_plans(plan, &[sink.to_owned()])?;
    let mut rendered = Rendered { findings: 0, rejected: 0 };
    for plan in &plans {
        let sink = build(plan, Arc::new(Forgetful))
            .map_err(|failure| AppError::Sink { name: plan.name.clone(), message: failure.message })?;
        for finding in read_findings(paths)?.findings.iter().filter(|finding| passes(&plan.engine, finding)) {
            match sink.encode(finding) {
                Ok(payload) => {
                    let written = out.write_all(payload.bytes()).and_then(|()| out.write_all(b"\n"));
                    written.map_err(|source| AppError::Write { path: Path::new("-").to_owned(), source })?;
                    rendered.findings += 1;
                }
                Err(error) => {
                    tracing::error!(finding = finding.id, reason = error.message, "the sink can't say this finding");
                    rendered.rejected += 1;
                }
            }
        }
    }
    Ok(rendered)
}

/// Whether a finding goes to a sink with these options.
fn passes(options: &EngineOptions, finding: &Finding) -> bool {
    finding.severity >= options.min_severity
        && (options.threats.is_empty() || options.threats.contains(&finding.threat_type))
}
