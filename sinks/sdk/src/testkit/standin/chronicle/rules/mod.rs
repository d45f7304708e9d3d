//! The rules of the stand-in: kept, compiled, deployed as the service does it, and changed by others at any time.
//!
//! Google's compiler is a closure, given at the start: the one here looks at the outline of a rule only.

mod compiler;
mod faults;
mod methods;
mod stored;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex, MutexGuard},
};

use jiff::{SignedDuration, Timestamp};

pub use compiler::{Compiled, plausible};
use faults::Log;
pub use faults::{Asked, Fault};
pub(super) use methods::Call;
pub use stored::StoredRule;

use super::{Refusal, refused};
use crate::{
    rules::ExecutionError,
    testkit::{
        locked,
        server::{Answer, Manner, Request},
    },
};

type Compiler = dyn Fn(&str) -> Compiled + Send + Sync;

/// The rules of a stand-in. Clones share them.
#[derive(Clone)]
pub struct Rules(Arc<Shared>);

struct Shared {
    compiler: Box<Compiler>,
    state: Mutex<State>,
    log: Mutex<Log>,
}

/// How many rules may be enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Of all kinds.
    pub enabled: usize,
    /// Over several events.
    pub multi_event: usize,
}

#[derive(Debug)]
struct State {
    /// By the number of their making.
    rules: BTreeMap<u64, StoredRule>,
    made: u64,
    edits: u64,
    errors: Vec<ExecutionError>,
    quota: Quota,
    forbidden: BTreeSet<String>,
    versions: Vec<&'static str>,
    largest_page: usize,
    order: [&'static str; 3],
}

impl Default for Rules {
    fn default() -> Self {
        Self::compiled_by(plausible)
    }
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("count", &self.state().rules.len()).finish_non_exhaustive()
    }
}

impl Rules {
    /// No rules yet, and this compiler. It must not ask the rules for anything.
    #[must_use]
    pub fn compiled_by(compiler: impl Fn(&str) -> Compiled + Send + Sync + 'static) -> Self {
        let state = State {
            rules: BTreeMap::new(),
            made: 0,
            edits: 0,
            errors: Vec::new(),
            // Of an Enterprise license.
            quota: Quota { enabled: 2000, multi_event: 200 },
            forbidden: BTreeSet::new(),
            versions: vec!["v1", "v1beta", "v1alpha"],
            largest_page: 1000,
            order: ["run_frequency", "enabled", "alerting"],
        };
        Self(Arc::new(Shared { compiler: Box::new(compiler), state: Mutex::new(state), log: Mutex::default() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.0.state)
    }

    fn log_book(&self) -> MutexGuard<'_, Log> {
        locked(&self.0.log)
    }

    /// All rules, in the order of their making.
    #[must_use]
    pub fn all(&self) -> Vec<StoredRule> {
        self.state().rules.values().cloned().collect()
    }

    /// The rules of this name, of which there may be several.
    #[must_use]
    pub fn named(&self, name: &str) -> Vec<StoredRule> {
        self.all().into_iter().filter(|rule| rule.compiled.name == name).collect()
    }

    /// Somebody else makes a rule, whether it compiles or not; its id.
    pub fn add(&self, text: &str) -> String {
        let compiled = (self.0.compiler)(text);
        self.state().make(text, compiled).id
    }

    /// Somebody else gives a rule another text; whether there is such a rule.
    pub fn edit(&self, id: &str, text: &str) -> bool {
        let compiled = (self.0.compiler)(text);
        self.state().revise(id, text, compiled).is_some()
    }

    /// Somebody else changes anything about a rule, past all checks; whether there is such a rule.
    pub fn change(&self, id: &str, change: impl FnOnce(&mut StoredRule)) -> bool {
        self.state().of(id).map(change).is_some()
    }

    /// Somebody else deletes a rule; whether there was one.
    pub fn remove(&self, id: &str) -> bool {
        let mut state = self.state();
        let before = state.rules.len();
        state.rules.retain(|_, rule| rule.id != id);
        state.rules.len() < before
    }

    /// Something went wrong while a rule ran.
    pub fn went_wrong(&self, error: ExecutionError) {
        self.state().errors.push(error);
    }

    /// From now on so many rules may be enabled.
    pub fn limit(&self, quota: Quota) {
        self.state().quota = quota;
    }

    /// From now on this permission is missing, for example `chronicle.rules.create`.
    pub fn forbid(&self, permission: &str) {
        self.state().forbidden.insert(permission.to_owned());
    }

    /// All permissions are there again.
    pub fn allow_all(&self) {
        self.state().forbidden.clear();
    }

    /// From now on rules are served under these versions only.
    pub fn serve(&self, versions: &[&'static str]) {
        self.state().versions = versions.to_vec();
    }

    /// From now on a page holds at most so many, whatever is asked for.
    pub fn page(&self, largest: usize) {
        self.state().largest_page = largest.max(1);
    }

    /// From now on the fields of a deployment are changed in this order; one that is refused leaves the earlier ones.
    pub fn order(&self, fields: [&'static str; 3]) {
        self.state().order = fields;
    }

    /// At the request of this number, from 0 and since the last [`Rules::forget`], this goes wrong.
    pub fn fault(&self, number: u64, fault: Fault) {
        self.log_book().faults.insert(number, fault);
    }

    /// The requests so far, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<Asked> {
        self.log_since(0)
    }

    /// The requests of this number or a later one, oldest first.
    #[must_use]
    pub fn log_since(&self, number: u64) -> Vec<Asked> {
        self.log_book().kept.iter().filter(|asked| asked.number >= number).cloned().collect()
    }

    /// How many requests there were, forgotten ones not among them.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.log_book().count
    }

    /// Forgets the requests and the faults that did not come; counting begins at 0.
    pub fn forget(&self) {
        *self.log_book() = Log::default();
    }

    /// Refuses what is forbidden.
    pub(super) fn permitted(&self, permission: &str, resource: &str) -> Result<(), Refusal> {
        if !self.state().forbidden.contains(permission) {
            return Ok(());
        }
        let message = format!(
            "Permission '{permission}' denied on resource '//chronicle.googleapis.com/{resource}' (or it may not exist)."
        );
        Err((403, "PERMISSION_DENIED", message))
    }

    /// Answers a request, unless something is to go wrong, and notes it.
    pub(super) fn with_faults(&self, request: &Request, answer: impl FnOnce() -> Answer) -> Answer {
        let (number, fault) = {
            let mut log = self.log_book();
            let number = log.count;
            log.count += 1;
            (number, log.faults.remove(&number))
        };
        let answer = match fault {
            None => answer(),
            Some(Fault::Refuse(status)) => faulty(status),
            Some(Fault::Drop) => Answer::reset(),
            Some(Fault::DropAfterwards) => {
                answer();
                Answer::reset()
            }
            Some(Fault::Delay(delay)) => answer().after(delay),
            Some(Fault::Meanwhile(act)) => {
                act(self);
                answer()
            }
        };
        let status = (answer.manner != Manner::Reset).then_some(answer.status);
        let (method, path, body) = (request.method.clone(), request.path.clone(), request.text());
        self.log_book().note(Asked { number, method, path, body, status });
        answer
    }
}

/// A refusal that has no other reason than that it was asked for.
fn faulty(status: u16) -> Answer {
    let code = match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNAVAILABLE",
    };
    let answer = refused(&(status, code, "A fault that a test asked for.".to_owned()));
    if status == 429 { answer.header("Retry-After", 1) } else { answer }
}

impl State {
    fn of(&mut self, id: &str) -> Option<&mut StoredRule> {
        self.rules.values_mut().find(|rule| rule.id == id)
    }

    /// Whatever the service adds when a text is written: the line end, a revision and an etag that were never before.
    fn written(&mut self, text: &str) -> (String, String, String, Timestamp) {
        self.edits += 1;
        let edits = i64::try_from(self.edits).unwrap_or(i64::MAX);
        // A clock of its own, that never stands still.
        let time = Timestamp::UNIX_EPOCH.saturating_add(SignedDuration::new(1_780_000_000 + edits, 1_000));
        let time = time.unwrap_or(Timestamp::MAX);
        let revision = format!("v_{:010}_{:09}", time.as_second(), time.subsec_nanosecond());
        (format!("{text}\n"), revision, format!("etag-{:016x}", self.edits), time)
    }

    fn make(&mut self, text: &str, compiled: Compiled) -> StoredRule {
        let (text, revision, etag, revised) = self.written(text);
        self.made += 1;
        let rule = StoredRule {
            id: format!("ru_{:08x}-0000-4000-8000-{:012x}", self.made, self.made),
            text,
            frequency: stored::usual(&compiled).to_owned(),
            compiled,
            revision,
            etag,
            revised,
            enabled: false,
            alerting: false,
            archived: false,
            state: "DEFAULT".to_owned(),
        };
        self.rules.insert(self.made, rule.clone());
        rule
    }

    fn revise(&mut self, id: &str, text: &str, compiled: Compiled) -> Option<&StoredRule> {
        let (text, revision, etag, revised) = self.written(text);
        let rule = self.of(id)?;
        if rule.compiled.multi_event != compiled.multi_event {
            rule.frequency = stored::usual(&compiled).to_owned();
        }
        (rule.text, rule.compiled, rule.revision, rule.etag, rule.revised) = (text, compiled, revision, etag, revised);
        Some(rule)
    }

    /// Whether one more rule may be enabled beside the others.
    fn within_quota(&self, id: &str, multi_event: bool) -> Result<(), Refusal> {
        let others = || self.rules.values().filter(|rule| rule.enabled && rule.id != id);
        let exhausted = |what: &str, most: usize| {
            let message = format!("Quota exceeded: at most {most} {what} can be enabled");
            Err((429, "RESOURCE_EXHAUSTED", message))
        };
        if others().count() >= self.quota.enabled {
            return exhausted("rules", self.quota.enabled);
        }
        if multi_event && others().filter(|rule| rule.compiled.multi_event).count() >= self.quota.multi_event {
            return exhausted("multi-event rules", self.quota.multi_event);
        }
        Ok(())
    }
}
