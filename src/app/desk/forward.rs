//! Findings that are at hand handed to sinks, or first shown what that would do.

use std::{
    collections::HashSet,
    sync::{MutexGuard, PoisonError, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Change, Desk, findings::deliveries};
use crate::{
    app::{
        AppError, Bells, FindingQuery, Suppressed, TakenOver,
        delivery::route,
        query::{self, Matched},
        sink_plans,
    },
    outbox::{Accepted, Outbox, Route},
    sink::{Finding, Severity},
};

/// Findings that a receipt lists one by one.
const MOST_LISTED: usize = 1_000;
/// How often it is looked whether deliveries have arrived.
const GLANCE: Duration = Duration::from_millis(100);

/// Which findings are to go where.
#[derive(Debug, Clone, Default)]
pub struct ForwardOrder {
    /// These findings, each by its id or a clear beginning of it.
    pub ids: Vec<String>,
    /// And all that match; its page is not looked at.
    pub query: Option<FindingQuery>,
    /// To these sinks; empty: to all.
    pub sinks: Vec<String>,
    /// Nothing below this.
    pub min_severity: Option<Severity>,
    /// More findings than this are too many, and nothing is done; without it there is no bound.
    pub most: Option<usize>,
    /// Only say what would happen.
    pub dry_run: bool,
    /// How long to wait until they have arrived.
    pub wait: Option<Duration>,
}

/// What became of findings that were to be forwarded, or would.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ForwardReceipt {
    /// Findings that were named or match.
    pub findings: usize,
    /// What the outbox did with them, or would.
    #[serde(flatten)]
    pub taken: TakenOver,
    /// The sinks that were chosen.
    pub sinks: Vec<String>,
    /// Whether nothing was done.
    pub dry_run: bool,
    /// Finding by finding where it goes; if there are very many, the first thousand.
    pub planned: Vec<PlannedForward>,
    /// What has arrived; absent when it was not waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival: Option<Arrival>,
}

/// Where one finding goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlannedForward {
    /// The finding's id.
    pub finding: String,
    /// Its title.
    pub title: String,
    /// How much it matters.
    pub severity: Severity,
    /// The sinks that it goes to now.
    pub sinks: Vec<String>,
    /// The sinks that were given it before.
    pub known: Vec<String>,
    /// The suppression that holds it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<String>,
}

/// How far deliveries are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Arrival {
    /// Those that arrived.
    pub delivered: u64,
    /// Those that the sink will never take.
    pub dead: u64,
    /// Those that are still on their way.
    pub pending: u64,
}

/// What is to be done, found out without doing anything.
struct Prepared {
    findings: Vec<Finding>,
    routes: Vec<Route>,
    receipt: ForwardReceipt,
}

impl Desk {
    /// Hands findings to sinks; they are on disk when this returns. Where lanes work already they go out in the background,
    /// otherwise lanes are started for as long as this waits. Suppressed findings are held back.
    ///
    /// # Errors
    /// A finding or a sink is unknown, no finding is named or too many are, the outbox takes nothing, or the desk closes.
    pub fn forward(&self, order: &ForwardOrder) -> Result<ForwardReceipt, AppError> {
        let plans = sink_plans(&self.plan, &order.sinks)?;
        let routes: Vec<Route> = plans.iter().map(|plan| route(plan, order.min_severity)).collect();
        let Prepared { findings, routes, mut receipt } = self.prepare(order, routes)?;
        if order.dry_run {
            return Ok(receipt);
        }
        if let Some(bells) = self.bells() {
            receipt.taken = bells.accept_for(&findings, &routes)?;
            receipt.arrival = self.arrival(bells.outbox(), (&findings, &routes), order.wait)?;
        } else {
            let _alone = self.alone()?;
            let bells = Bells::start(&self.plan.outbox, &plans)?;
            let taken = bells.accept_for(&findings, &routes);
            let arrival = match &taken {
                Ok(_) => self.arrival(bells.outbox(), (&findings, &routes), order.wait),
                Err(_) => Ok(None),
            };
            // Whatever happened: lanes are ended in order, so that what they have begun is noted.
            let outbox = bells.outbox().clone();
            bells.stop()?;
            (receipt.taken, receipt.arrival) = (taken?, arrival?);
            if let Some(arrival) = &mut receipt.arrival {
                *arrival = count(&outbox, &findings, &routes)?;
            }
        }
        self.tell(Change::Deliveries);
        Ok(receipt)
    }

    fn prepare(&self, order: &ForwardOrder, routes: Vec<Route>) -> Result<Prepared, AppError> {
        if order.ids.is_empty() && order.query.is_none() {
            return Err(AppError::Request("expected ids of findings, or a query that says which".to_owned()));
        }
        let (view, judgments, now) = (self.shelf.view()?, self.judgments()?, Timestamp::now());
        let pool = view.pool();
        let mut chosen = Vec::new();
        for (number, id) in order.ids.iter().enumerate() {
            let finding = query::one(&pool, id).map_err(|error| error.at(format!("/ids/{number}")))?;
            chosen.push(Matched::of(finding, &judgments, now));
        }
        if let Some(query) = &order.query {
            // Those that are held back are told, unless they were asked for alone.
            let suppressed = if query.suppressed == Suppressed::Hidden { Suppressed::Shown } else { query.suppressed };
            let query = FindingQuery { suppressed, ..query.clone() };
            chosen.extend(query::matching(&query, &pool, &judgments, now).0);
        }
        let mut seen = HashSet::new();
        chosen.retain(|matched| seen.insert(matched.finding.id.as_str()));
        if let Some(most) = order.most.filter(|&most| chosen.len() > most) {
            return Err(AppError::TooMany { findings: chosen.len(), most });
        }
        let outbox = self.outbox_if_there()?;
        let mut accepted = Accepted::default();
        let (mut planned, mut suppressed) = (Vec::new(), 0);
        for matched in &chosen {
            let one = plan_one(matched, &routes, outbox.as_ref())?;
            match (&one.suppressed_by, one.sinks.len(), one.known.len()) {
                (Some(_), ..) => suppressed += 1,
                (None, 0, 0) => accepted.unrouted += 1,
                (None, 0, _) => accepted.known += 1,
                (None, ..) => accepted.new += 1,
            }
            accepted.deliveries += one.sinks.len() as u64;
            if planned.len() < MOST_LISTED {
                planned.push(one);
            }
        }
        let receipt = ForwardReceipt {
            findings: chosen.len(),
            taken: TakenOver { accepted, suppressed },
            sinks: routes.iter().map(|route| route.sink.clone()).collect(),
            dry_run: order.dry_run,
            planned,
            arrival: None,
        };
        let findings = chosen.into_iter().map(|matched| matched.finding.clone()).collect();
        Ok(Prepared { findings, routes, receipt })
    }

    /// Waits until these deliveries have arrived or can't, the time is over, or the desk closes.
    fn arrival(
        &self,
        outbox: &Outbox,
        (findings, routes): (&[Finding], &[Route]),
        wait: Option<Duration>,
    ) -> Result<Option<Arrival>, AppError> {
        let Some(wait) = wait.filter(|wait| !wait.is_zero()) else { return Ok(None) };
        let began = Instant::now();
        loop {
            let arrival = count(outbox, findings, routes)?;
            let left = wait.saturating_sub(began.elapsed());
            if arrival.pending == 0 || left.is_zero() || self.closing.load(Ordering::Relaxed) {
                return Ok(Some(arrival));
            }
            thread::sleep(left.min(GLANCE));
        }
    }

    /// Waits until no other call has the outbox for itself.
    ///
    /// # Errors
    /// The desk closes: it waits for the one that is at the outbox, and nobody else begins.
    pub(super) fn alone(&self) -> Result<MutexGuard<'_, ()>, AppError> {
        let alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if self.closing.load(Ordering::Relaxed) { Err(AppError::Stopped) } else { Ok(alone) }
    }
}

fn plan_one(matched: &Matched<'_>, routes: &[Route], outbox: Option<&Outbox>) -> Result<PlannedForward, AppError> {
    let finding = matched.finding;
    let given = deliveries(outbox, &finding.id)?;
    let is_known = |sink: &String| given.iter().any(|delivery| delivery.sink == *sink && delivery.is_of(finding));
    let takes = routes.iter().filter(|route| route.takes(finding)).map(|route| route.sink.clone());
    let (known, new): (Vec<_>, Vec<_>) = takes.partition(is_known);
    let is_held_back = matched.suppressed_by.is_some();
    Ok(PlannedForward {
        finding: finding.id.clone(),
        title: finding.title.clone(),
        severity: finding.severity,
        sinks: if is_held_back { Vec::new() } else { new },
        known,
        suppressed_by: matched.suppressed_by.map(str::to_owned),
    })
}

fn count(outbox: &Outbox, findings: &[Finding], routes: &[Route]) -> Result<Arrival, AppError> {
    let mut arrival = Arrival::default();
    for finding in findings {
        let given = deliveries(Some(outbox), &finding.id)?;
        for delivery in given.iter().filter(|delivery| routes.iter().any(|route| route.sink == delivery.sink)) {
            match delivery.state {
                "delivered" => arrival.delivered += 1,
                "dead" | "purged" => arrival.dead += 1,
                _ => arrival.pending += 1,
            }
        }
    }
    Ok(arrival)
}
