//! A tenant in memory: as strict as the service is, or stricter, and failing where a test wants it.

use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    rollout::{Applied, Desired, Pause, Plan, Told, Work, apply, facts::Facts, frequency::as_kept, plan},
    rules::folder::only_name,
    sink::{
        ErrorKind, SinkError,
        rules::{
            CompileDiagnostic, Deployment, DeploymentChange, ExecutionError, ExecutionState, HostedRule, RuleError,
            RuleHost, RuleVersion, RunFrequency,
        },
    },
};

/// Texts with this do not compile.
pub(super) const BROKEN: &str = "does not compile";

/// What goes wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is refused.
    Rejected,
    /// It comes too early.
    Throttled,
    /// The connection dies before it arrives.
    Unavailable,
    /// The connection dies after it was carried out.
    Died,
    /// The credentials are no longer taken.
    Auth,
    /// The tenant is not there.
    Config,
    /// Somebody else was faster.
    Changed,
    /// The text is refused although it was verified.
    NotCompiled,
}

pub(super) const FAULTS: [Fault; 8] = [
    Fault::Rejected,
    Fault::Throttled,
    Fault::Unavailable,
    Fault::Died,
    Fault::Auth,
    Fault::Config,
    Fault::Changed,
    Fault::NotCompiled,
];

/// How the service treats a text and a frequency that do not go together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Boundary {
    /// It keeps what goes with the text.
    #[default]
    Coerces,
    /// A text that can't be run as often as the rule is run now is refused.
    RefusesTexts,
    /// A frequency that the text can't be run at is refused.
    RefusesFrequencies,
}

/// What somebody does between two requests.
pub(super) type Edit = Box<dyn FnOnce(&mut Vec<HostedRule>) + Send>;

#[derive(Default)]
struct State {
    rules: Vec<HostedRule>,
    boundary: Boundary,
    /// Names of what was asked, in order.
    asked: Vec<String>,
    /// Which request fails, and how; all later ones too when it is said so.
    fault: Option<(usize, Fault, bool)>,
    stop_at: Option<usize>,
    edit: Option<(usize, Edit)>,
    revisions: usize,
    waited: Duration,
}

/// The tenant.
#[derive(Default)]
pub(super) struct Tenant {
    state: Mutex<State>,
    pub(super) stop: AtomicBool,
}

impl Tenant {
    pub(super) fn with(rules: Vec<HostedRule>) -> Self {
        let tenant = Self::default();
        tenant.state().rules = rules;
        tenant
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(super) fn boundary(self, boundary: Boundary) -> Self {
        self.state().boundary = boundary;
        self
    }

    pub(super) fn fail(self, at: usize, fault: Fault) -> Self {
        self.state().fault = Some((at, fault, false));
        self
    }

    pub(super) fn fail_from(self, at: usize, fault: Fault) -> Self {
        self.state().fault = Some((at, fault, true));
        self
    }

    pub(super) fn stop_at(self, at: usize) -> Self {
        self.state().stop_at = Some(at);
        self
    }

    pub(super) fn edit_at(self, at: usize, edit: Edit) -> Self {
        self.state().edit = Some((at, edit));
        self
    }

    /// Everything works again.
    pub(super) fn mend(&self) {
        let mut state = self.state();
        (state.fault, state.stop_at, state.edit) = (None, None, None);
        state.asked.clear();
        self.stop.store(false, Ordering::Relaxed);
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.state().asked.clone()
    }

    pub(super) fn waited(&self) -> Duration {
        self.state().waited
    }

    pub(super) fn now(&self) -> Vec<HostedRule> {
        self.state().rules.clone()
    }

    pub(super) fn named(&self, name: &str) -> HostedRule {
        self.state().rules.iter().find(|rule| rule.name == name).unwrap_or_else(|| panic!("no rule {name}")).clone()
    }

    pub(super) fn plan(&self, desired: &Desired<'_>) -> Plan {
        plan(desired, &self.now())
    }

    /// Plans and applies.
    pub(super) fn apply(&self, desired: &Desired<'_>) -> Applied {
        self.carry_out(&self.plan(desired), desired)
    }

    pub(super) fn carry_out(&self, plan: &Plan, desired: &Desired<'_>) -> Applied {
        let work = Work { desired: *desired, host: self, pause: self, stop: &self.stop };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(apply(plan, &work, &mut |_: Told<'_>| ()))
    }

    /// Counts a request; what goes wrong with it before it is carried out.
    fn begin(&self, name: String) -> Result<Option<Fault>, RuleError> {
        let mut state = self.state();
        let at = state.asked.len();
        state.asked.push(name);
        if let Some((_, edit)) = state.edit.take_if(|(edit_at, _)| *edit_at == at) {
            edit(&mut state.rules);
        }
        if state.stop_at == Some(at) {
            self.stop.store(true, Ordering::Relaxed);
        }
        let fault = state.fault.filter(|(from, _, stays)| *from == at || (*stays && *from < at));
        match fault.map(|(_, fault, _)| fault) {
            Some(fault @ (Fault::Died | Fault::NotCompiled)) => Ok(Some(fault)),
            Some(Fault::Changed) => Err(RuleError::Changed { id: "ru_x".to_owned() }),
            Some(fault) => Err(failed(fault)),
            None => Ok(None),
        }
    }
}

fn failed(fault: Fault) -> RuleError {
    let kind = match fault {
        Fault::Rejected => ErrorKind::Rejected,
        Fault::Throttled => ErrorKind::Throttled,
        Fault::Auth => ErrorKind::Auth,
        Fault::Config => ErrorKind::Config,
        _ => ErrorKind::Unavailable,
    };
    SinkError::new(kind, format!("injected: {kind}")).into()
}

fn refused(message: &str) -> RuleError {
    SinkError::new(ErrorKind::Rejected, message).with_status(400).into()
}

fn ended<T>(fault: Option<Fault>, value: T) -> Result<T, RuleError> {
    match fault {
        Some(fault) => Err(failed(fault)),
        None => Ok(value),
    }
}

fn not_compiled() -> Vec<CompileDiagnostic> {
    vec![CompileDiagnostic { message: "parsing: it is broken".to_owned(), error: true, start: Some((3, 5)) }]
}

/// How often a text can be run.
fn can_run(facts: &Facts, frequency: RunFrequency) -> bool {
    match facts.multi_event {
        Some(true) if facts.window_seconds.is_some_and(|window| window > 48 * 3600) => frequency == RunFrequency::Daily,
        Some(true) => frequency != RunFrequency::Daily,
        _ => frequency == RunFrequency::Live,
    }
}

/// What the service keeps when the rule has this text.
fn kept(facts: &Facts, frequency: RunFrequency) -> RunFrequency {
    let kept = as_kept(frequency, facts);
    if can_run(facts, kept) { kept } else { RunFrequency::Daily }
}

/// A rule as the service keeps it.
pub(super) fn hosted(id: &str, text: &str) -> HostedRule {
    let facts = Facts::of(text);
    HostedRule {
        version: RuleVersion { id: format!("ru_{id}"), revision: "v_1".to_owned(), etag: Some("e1".to_owned()) },
        name: only_name(text).unwrap(),
        // It adds a line feed of its own.
        text: format!("{text}\n"),
        multi_event: facts.multi_event,
        compiled: true,
        diagnostics: Vec::new(),
        frequencies: Vec::new(),
        revised: None,
        deployment: Deployment {
            enabled: false,
            alerting: false,
            archived: false,
            frequency: Some(kept(&facts, RunFrequency::Live)),
            state: ExecutionState::Default,
        },
    }
}

/// The same, running.
pub(super) fn running(id: &str, text: &str) -> HostedRule {
    let mut rule = hosted(id, text);
    (rule.deployment.enabled, rule.deployment.alerting) = (true, true);
    rule
}

/// The same, put away.
pub(super) fn archived(id: &str, text: &str) -> HostedRule {
    let mut rule = hosted(id, text);
    rule.deployment.archived = true;
    rule
}

#[async_trait]
impl RuleHost for Tenant {
    async fn rules(&self) -> Result<Vec<HostedRule>, RuleError> {
        let fault = self.begin("rules".to_owned())?;
        ended(fault, self.now())
    }

    async fn verify(&self, text: &str) -> Result<Vec<CompileDiagnostic>, RuleError> {
        let fault = self.begin(format!("verify {}", only_name(text).unwrap()))?;
        if fault == Some(Fault::NotCompiled) || text.contains(BROKEN) {
            return Ok(not_compiled());
        }
        ended(fault, Vec::new())
    }

    async fn create(&self, text: &str) -> Result<HostedRule, RuleError> {
        let fault = self.begin(format!("create {}", only_name(text).unwrap()))?;
        if fault == Some(Fault::NotCompiled) {
            return Err(RuleError::NotCompiled(not_compiled()));
        }
        let mut state = self.state();
        let rule = hosted(&format!("new{}", state.rules.len()), text);
        state.rules.push(rule.clone());
        ended(fault, rule)
    }

    async fn revise(&self, version: &RuleVersion, text: &str) -> Result<HostedRule, RuleError> {
        let fault = self.begin(format!("revise {}", version.id))?;
        if fault == Some(Fault::NotCompiled) {
            return Err(RuleError::NotCompiled(not_compiled()));
        }
        let mut state = self.state();
        state.revisions += 1;
        let (count, boundary) = (state.revisions, state.boundary);
        let Some(rule) = state.rules.iter_mut().find(|rule| rule.version.id == version.id) else {
            return Err(SinkError::new(ErrorKind::Config, "no such rule").with_status(404).into());
        };
        if rule.version.etag != version.etag {
            return Err(RuleError::Changed { id: version.id.clone() });
        }
        if rule.deployment.archived {
            return Err(refused("an archived rule can't be changed"));
        }
        let (facts, now) = (Facts::of(text), rule.deployment.frequency.unwrap());
        // What a single-event rule is told it forgets, so it can't be held against the new text.
        if boundary == Boundary::RefusesTexts
            && rule.multi_event == Some(true)
            && !can_run(&facts, as_kept(now, &facts))
        {
            return Err(refused("the rule can't be run as often as it is"));
        }
        rule.text = format!("{text}\n");
        rule.name = only_name(text).unwrap();
        rule.multi_event = facts.multi_event;
        rule.deployment.frequency = Some(kept(&facts, now));
        rule.version.revision = format!("v_{}", count + 1);
        rule.version.etag = Some(format!("e{}", count + 1));
        ended(fault, rule.clone())
    }

    async fn deploy(&self, id: &str, change: &DeploymentChange) -> Result<Deployment, RuleError> {
        let said = serde_json::to_string(change).unwrap();
        let fault = self.begin(format!("deploy {id} {said}"))?;
        let mut state = self.state();
        let boundary = state.boundary;
        let Some(rule) = state.rules.iter_mut().find(|rule| rule.version.id == id) else {
            return Err(SinkError::new(ErrorKind::Config, "no such rule").with_status(404).into());
        };
        let (facts, run) = (Facts::of(&rule.text), &mut rule.deployment);
        let others = change.enabled.is_some() || change.alerting.is_some() || change.frequency.is_some();
        if run.archived && others {
            return Err(refused("nothing of an archived rule can be changed"));
        }
        if change.archived == Some(true) && run.enabled {
            return Err(refused("an enabled rule can't be archived"));
        }
        if change.alerting == Some(true) && !run.enabled {
            return Err(refused("a rule that does not run can't alert"));
        }
        if let Some(frequency) = change.frequency {
            if boundary == Boundary::RefusesFrequencies && !can_run(&facts, as_kept(frequency, &facts)) {
                return Err(refused("the rule can't be run so often"));
            }
            // Where texts are refused for it, the frequency is what was told.
            let is_kept = boundary == Boundary::RefusesTexts && facts.multi_event == Some(true);
            run.frequency = Some(if is_kept { frequency } else { kept(&facts, frequency) });
        }
        run.enabled = change.enabled.unwrap_or(run.enabled);
        run.alerting = change.alerting.unwrap_or(run.alerting) && change.archived != Some(true);
        run.archived = change.archived.unwrap_or(run.archived);
        ended(fault, run.clone())
    }

    async fn execution_errors(&self) -> Result<Vec<ExecutionError>, RuleError> {
        let fault = self.begin("errors".to_owned())?;
        ended(fault, Vec::new())
    }
}

#[async_trait]
impl Pause for Tenant {
    async fn pause(&self, wait: Duration, _stop: &AtomicBool) {
        self.state().waited += wait;
    }
}
