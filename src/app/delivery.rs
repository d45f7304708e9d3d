//! Findings on their way: accepted into the outbox, carried by one lane for each sink, followed until they have arrived.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    AppError,
    findings::read_findings,
    sinks::{build, sink_plans},
    variable,
};
use crate::{
    batch::Handover,
    config::{self, OutboxPlan, Plan, SinkPlan},
    judgment,
    outbox::{
        Accepted, BatchOptions, Lane, Lanes, Outbox, OutboxError, Place, Progress as LaneProgress, Renewed,
        RetryOptions, Route, Settled, SinkStatus,
    },
    report::FileReport,
    sink::{Finding, Severity},
};

/// So long it is known that a finding was delivered, and not delivered again.
const REMEMBERED: Duration = Duration::from_secs(365 * 24 * 3600);
/// How long a lane may finish what it has begun when the program ends.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// How long their threads get after that, as [`Lanes::stop`] has it.
pub(super) const RUNTIME_ENDS: Duration = Duration::from_secs(1);
/// How often the signal to stop is looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// The outbox with its lanes at work.
#[derive(Debug)]
pub struct Bells {
    judgments: judgment::Reader,
    outbox: Outbox,
    lanes: Lanes,
    routes: Vec<Route>,
    /// Findings that suppressions held back.
    suppressed: AtomicU64,
}

impl Bells {
    /// Opens the outbox and starts a lane for each sink; what waited from earlier goes out at once.
    ///
    /// # Errors
    /// The outbox is in use, can't be opened, or a sink can't be built.
    pub fn start(plan: &OutboxPlan, sinks: &[SinkPlan]) -> Result<Self, AppError> {
        let outbox = open(plan)?;
        outbox.forget(REMEMBERED)?;
        let lanes = sinks.iter().map(|sink| lane(sink, &outbox)).collect::<Result<Vec<_>, _>>()?;
        let routes = sinks.iter().map(|sink| route(sink, None)).collect();
        let (judgments, suppressed) = (judgment::Reader::in_folder(&plan.folder), AtomicU64::new(0));
        Ok(Self { judgments, lanes: Lanes::start(&outbox, lanes)?, outbox, routes, suppressed })
    }

    /// Takes findings over, but for suppressed ones; on disk when this returns.
    ///
    /// # Errors
    /// None was taken: the outbox or the disk is full, or the decisions about findings can't be read.
    pub fn accept(&self, findings: &[Finding]) -> Result<TakenOver, AppError> {
        self.accept_for(findings, &self.routes)
    }

    /// The outbox itself.
    pub(super) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Findings that suppressions held back since the lanes were started.
    pub(super) fn suppressed(&self) -> u64 {
        self.suppressed.load(Ordering::Relaxed)
    }

    /// The same, by these routes.
    pub(super) fn accept_for(&self, findings: &[Finding], routes: &[Route]) -> Result<TakenOver, AppError> {
        let (judgments, now) = (self.judgments.read()?, Timestamp::now());
        for problem in &judgments.problems {
            tracing::warn!(%problem, "a decision about findings can't be read");
        }
        let rings = |finding: &&Finding| judgments.silenced_by(finding, now).is_none();
        let ringing: Vec<Finding> = findings.iter().filter(rings).cloned().collect();
        let accepted = self.outbox.accept(&ringing, routes)?;
        let suppressed = findings.len() - ringing.len();
        self.suppressed.fetch_add(suppressed as u64, Ordering::Relaxed);
        Ok(TakenOver { accepted, suppressed })
    }

    /// Waits until everything has arrived or can't, the time is over, or `stop` becomes true.
    ///
    /// # Errors
    /// What the outbox says.
    pub fn settle(
        &self,
        timeout: Option<Duration>,
        stop: &AtomicBool,
        show: &mut dyn FnMut(&LaneProgress),
    ) -> Result<Settled, AppError> {
        let began = Instant::now();
        loop {
            let left = timeout.map_or(GLANCE, |timeout| timeout.saturating_sub(began.elapsed()).min(GLANCE));
            let settled = self.lanes.settled(Some(left), show)?;
            let is_over = timeout.is_some_and(|timeout| began.elapsed() >= timeout);
            if !settled.timed_out || is_over || stop.load(Ordering::Relaxed) {
                return Ok(settled);
            }
        }
    }

    /// Ends the lanes; what is not delivered waits in the outbox for the next start.
    ///
    /// # Errors
    /// What the outbox says.
    pub fn stop(self) -> Result<Vec<SinkStatus>, AppError> {
        self.lanes.stop(GRACE);
        Ok(self.outbox.status()?.sinks)
    }
}

/// What became of findings that were handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TakenOver {
    /// What the outbox did.
    #[serde(flatten)]
    pub accepted: Accepted,
    /// Findings that a suppression holds back; they stay in the reports.
    pub suppressed: usize,
}

impl Handover for Bells {
    fn take(&self, reports: &[FileReport]) -> Result<(), String> {
        let findings: Vec<Finding> = reports.iter().flat_map(|report| &report.findings).cloned().collect();
        let TakenOver { accepted, suppressed } = self.accept(&findings).map_err(|error| error.to_string())?;
        let (new, known, unrouted) = (accepted.new, accepted.known, accepted.unrouted);
        tracing::info!(new, known, unrouted, suppressed, "findings accepted");
        Ok(())
    }
}

fn open(plan: &OutboxPlan) -> Result<Outbox, OutboxError> {
    Outbox::open(&place(plan))
}

fn place(plan: &OutboxPlan) -> Place {
    Place { folder: plan.folder.clone(), max_bytes: plan.max_bytes }
}

/// The outbox for looking at it, also while another process delivers.
pub(super) fn open_to_read(plan: &OutboxPlan) -> Result<Outbox, OutboxError> {
    Outbox::read_only(&place(plan))
}

/// The outbox for changing it; no other process may have it.
pub(super) fn open_to_change(plan: &OutboxPlan) -> Result<Outbox, OutboxError> {
    open(plan)
}

pub(super) fn route(sink: &SinkPlan, at_least: Option<Severity>) -> Route {
    Route {
        sink: sink.name.clone(),
        min_severity: sink.engine.min_severity.max(at_least.unwrap_or(Severity::Informational)),
        threats: sink.engine.threats.clone(),
    }
}

fn lane(plan: &SinkPlan, outbox: &Outbox) -> Result<Lane, AppError> {
    let memory = outbox.memory(&plan.name);
    let failed = |message| AppError::Sink { name: plan.name.clone(), message };
    let fingerprint = plan.build(&variable, std::sync::Arc::clone(&memory)).map(|built| built.fingerprint);
    let sink = build(plan, std::sync::Arc::clone(&memory)).map_err(|failure| failed(failure.message))?;
    let config::BatchOptions { items, bytes, wait_secs } = plan.engine.batch;
    let some = |limit: usize| (limit > 0).then_some(limit);
    let batch = BatchOptions { items: some(items), bytes: some(bytes), wait: Duration::from_secs_f64(wait_secs) };
    let config::RetryOptions { initial_secs, max_secs } = plan.engine.retry;
    let retry = RetryOptions {
        initial: Duration::from_secs_f64(initial_secs),
        max: Duration::from_secs_f64(max_secs),
        ..RetryOptions::default()
    };
    let last = Mutex::new(fingerprint.ok());
    let blueprint = plan.clone();
    let renew = Box::new(move || {
        let built = blueprint
            .build(&variable, std::sync::Arc::clone(&memory))
            .map_err(|problems| problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "))?;
        let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.replace(built.fingerprint) == Some(built.fingerprint) {
            return Ok(Renewed::Unchanged);
        }
        tracing::info!(sink = blueprint.name, "a secret or certificate has changed; the sink is built anew");
        Ok(Renewed::Sink(built.sink))
    });
    Ok(Lane { name: plan.name.clone(), sink, renew, batch, retry })
}

/// What is to be forwarded, and where.
#[derive(Debug, Clone)]
pub struct ForwardRequest {
    /// Reports, directories with reports, or files with findings.
    pub paths: Vec<PathBuf>,
    /// Only to these sinks; empty: all.
    pub sinks: Vec<String>,
    /// Nothing below this.
    pub min_severity: Option<Severity>,
    /// How long to wait until everything has arrived.
    pub timeout: Option<Duration>,
}

/// What became of it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Forwarded {
    /// Findings that were read.
    pub findings: usize,
    /// What became of them.
    #[serde(flatten)]
    pub taken: TakenOver,
    /// Whether everything has arrived, dead letters aside.
    pub complete: bool,
    /// Whether the time was over first.
    pub timed_out: bool,
    /// How each sink stands.
    pub sinks: Vec<SinkStatus>,
    /// Reports that could not be read.
    pub problems: Vec<String>,
}

/// Accepts the findings of reports and waits until they have arrived. What was accepted before is not delivered again.
///
/// # Errors
/// The findings can't be read, a sink is not configured, or the outbox takes nothing.
pub fn forward(
    plan: &Plan,
    request: &ForwardRequest,
    stop: &AtomicBool,
    show: &mut dyn FnMut(&LaneProgress),
) -> Result<Forwarded, AppError> {
    let sinks = sink_plans(plan, &request.sinks)?;
    let found = read_findings(&request.paths)?;
    let bells = Bells::start(&plan.outbox, &sinks)?;
    let routes: Vec<Route> = sinks.iter().map(|sink| route(sink, request.min_severity)).collect();
    let taken = bells.accept_for(&found.findings, &routes)?;
    let settled = bells.settle(request.timeout, stop, show)?;
    let names: Vec<String> = sinks.into_iter().map(|sink| sink.name).collect();
    let mut statuses = bells.stop()?;
    statuses.retain(|status| names.contains(&status.name));
    Ok(Forwarded {
        findings: found.findings.len(),
        taken,
        complete: settled.complete,
        timed_out: settled.timed_out,
        sinks: statuses,
        problems: found.problems,
    })
}
