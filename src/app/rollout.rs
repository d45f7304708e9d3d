//! Rules to a tenant and back: one sink that runs rules of its own, and the rules that are wanted there.
//!
//! Reading, asking and applying are calls of their own, because a front shows the plan and asks before anything is written.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::runtime::Runtime;

use super::{AppError, Watch, rules::configured_names, sinks};
use crate::{
    config::{Plan, SinkPlan},
    rollout::{
        self, Applied, Desired, Edition, Existing, Pause, Plan as RulePlan, Pulled, Requests, RuleStatus, Scope, Told,
        Trouble, Work,
    },
    rules::{
        customize::{CustomFile, Customization, customize},
        folder::{DEPLOYMENT_FILE, FolderError, LocalRule, RuleText, assemble, read_folder},
    },
    sink::{ErrorKind, Forgetful, Sink, rules::RuleHost},
};

/// How the names of all rules begin that come with the program.
const OWN_PREFIX: &str = "watchbell_";
/// How soon a wait notices that the work is to end.
const GLANCE: Duration = Duration::from_millis(100);

/// Which rules are wanted, and where.
#[derive(Debug, Clone, Default)]
pub struct RolloutRequest {
    /// The folder with the rules; without one, those that come with the program.
    pub folder: Option<PathBuf>,
    /// The sink; may be left out where only one runs rules.
    pub sink: Option<String>,
    /// Whether rules that no file has are put away.
    pub prune: bool,
    /// The license.
    pub edition: Option<Edition>,
}

/// A sink that runs rules, and the rules that are wanted there.
pub struct Rollout {
    /// The name of the sink.
    pub sink: String,
    rules: Vec<LocalRule>,
    scope: Scope,
    prune: bool,
    edition: Option<Edition>,
    target: Arc<dyn Sink>,
    runtime: Runtime,
}

/// Which of these sinks run rules of their own.
#[must_use]
pub fn rule_sinks(plans: &[SinkPlan]) -> Vec<String> {
    let built = plans.iter().filter_map(|plan| Some((plan, sinks::build(plan, Arc::new(Forgetful)).ok()?)));
    built.filter(|(_, sink)| sink.rule_host().is_some()).map(|(plan, _)| plan.name.clone()).collect()
}

/// Reads the rules and builds the sink. Nothing is asked of the tenant yet.
///
/// # Errors
/// When the rules are wrong, or it is not clear which sink is meant.
pub fn open_rollout(plan: &Plan, request: &RolloutRequest) -> Result<Rollout, AppError> {
    // What is wrong with the files is told also where there is no tenant yet.
    let own = request.folder.as_deref().map(read_folder).transpose()?;
    let (sink, target) = target(plan, request.sink.as_deref())?;
    let (rules, scope) = match own {
        Some(rules) => (rules, Scope::All),
        None => (shipped_rules(plan, &sink)?, Scope::Prefix(OWN_PREFIX)),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(AppError::Runtime)?;
    let RolloutRequest { prune, edition, .. } = *request;
    Ok(Rollout { sink, rules, scope, prune, edition, target, runtime })
}

/// The rules that come with the program, about the names that this sink gives to product and vendor.
fn shipped_rules(plan: &Plan, sink: &str) -> Result<Vec<LocalRule>, AppError> {
    let (vendor_name, product_name) = configured_names(plan, Some(sink))?;
    let wanted = Customization { vendor_name, product_name, ..Customization::default() };
    let files = customize(&wanted).map_err(|error| AppError::RuleTexts(error.to_string()))?;
    let (mut texts, mut deployment) = (Vec::new(), None);
    for CustomFile { path, text } in files {
        if path == DEPLOYMENT_FILE {
            deployment = Some((path, text));
        } else if path.ends_with(".yaral") && !path.contains('/') {
            texts.push(RuleText { path: PathBuf::from(&path), file: path, text });
        }
    }
    assemble(texts, Vec::new(), deployment).map_err(|problems| FolderError::from(problems).into())
}

fn target(plan: &Plan, named: Option<&str>) -> Result<(String, Arc<dyn Sink>), AppError> {
    let names: Vec<String> = named.map(str::to_owned).into_iter().collect();
    let mut hosts = Vec::new();
    for plan in sinks::sink_plans(plan, &names)? {
        let built = sinks::build(&plan, Arc::new(Forgetful));
        let sink = built.map_err(|failure| AppError::Sink { name: plan.name.clone(), message: failure.message })?;
        if sink.rule_host().is_some() {
            hosts.push((plan.name, sink));
        }
    }
    match (hosts.len(), named) {
        (1, _) => Ok(hosts.remove(0)),
        (0, Some(name)) => {
            let all = rule_sinks(&sinks::sink_plans(plan, &[])?);
            Err(AppError::NoRuleSink { name: Some(name.to_owned()), known: all.join(", ") })
        }
        (0, None) => Err(AppError::NoRuleSink { name: None, known: String::new() }),
        _ => {
            let names: Vec<String> = hosts.into_iter().map(|(name, _)| name).collect();
            Err(AppError::SeveralRuleSinks { known: names.join(", ") })
        }
    }
}

impl Rollout {
    fn desired(&self) -> Desired<'_> {
        Desired { rules: &self.rules, scope: self.scope, prune: self.prune, edition: self.edition }
    }

    fn host(&self) -> &dyn RuleHost {
        self.target.rule_host().expect("only a sink that runs rules becomes a target")
    }

    fn failed(&self, trouble: Trouble) -> AppError {
        let sink = self.sink.clone();
        match trouble {
            Trouble::Stopped => AppError::Stopped,
            Trouble::Broken(error) => AppError::Tenant { sink, kind: error.kind, message: error.message },
            Trouble::Refused(message) => AppError::Tenant { sink, kind: ErrorKind::Rejected, message },
            Trouble::Changed | Trouble::NotCompiled(_) => {
                let message = "the listing of its rules was not answered as one".to_owned();
                AppError::Tenant { sink, kind: ErrorKind::Config, message }
            }
        }
    }

    fn ask<T>(
        &self,
        watch: Watch<'_>,
        asked: impl AsyncFnOnce(Requests<'_>) -> Result<T, Trouble>,
    ) -> Result<T, AppError> {
        let requests = Requests { host: self.host(), pause: &Sleep, stop: watch.stop };
        watch.progress.begin(&format!("reading the rules of {}", self.sink), 0);
        let answer = self.runtime.block_on(asked(requests));
        watch.progress.end();
        answer.map_err(|trouble| self.failed(trouble))
    }

    /// What would change.
    ///
    /// # Errors
    /// When the tenant's rules can't be read.
    pub fn plan(&self, watch: Watch<'_>) -> Result<RulePlan, AppError> {
        let hosted = self.ask(watch, async |requests| requests.rules().await)?;
        Ok(rollout::plan(&self.desired(), &hosted))
    }

    /// Carries a plan out.
    #[must_use]
    pub fn apply(&self, plan: &RulePlan, stop: &AtomicBool, tell: &mut dyn FnMut(Told<'_>)) -> Applied {
        let work = Work { desired: self.desired(), host: self.host(), pause: &Sleep, stop };
        self.runtime.block_on(rollout::apply(plan, &work, tell))
    }

    /// How tenant and files stand.
    ///
    /// # Errors
    /// When the tenant can't be read.
    pub fn status(&self, watch: Watch<'_>) -> Result<Vec<RuleStatus>, AppError> {
        let (hosted, errors) =
            self.ask(watch, async |requests| Ok((requests.rules().await?, requests.execution_errors().await?)))?;
        Ok(rollout::status(&self.desired(), &hosted, &errors))
    }
}

/// What is pulled, and where to.
#[derive(Debug, Clone)]
pub struct PullRequest {
    /// The folder.
    pub out: PathBuf,
    /// The sink; may be left out where only one runs rules.
    pub sink: Option<String>,
    /// Whether rules that were put away come, too.
    pub archived: bool,
    /// Whether what differs here is overwritten.
    pub force: bool,
}

/// Writes the tenant's rules into a folder.
///
/// # Errors
/// When the tenant can't be read, the folder holds what is no rule, or can't be written.
pub fn pull_rules(plan: &Plan, request: &PullRequest, watch: Watch<'_>) -> Result<Pulled, AppError> {
    let out = &request.out;
    let written = |path: &Path| {
        let path = path.to_owned();
        move |source| AppError::Write { path, source }
    };
    fs::create_dir_all(out).map_err(written(out))?;
    let folder = RolloutRequest { folder: Some(out.clone()), sink: request.sink.clone(), ..RolloutRequest::default() };
    let rollout = open_rollout(plan, &folder)?;
    let hosted = rollout.ask(watch, async |requests| requests.rules().await)?;
    let hosted: Vec<_> = hosted.iter().filter(|rule| request.archived || !rule.deployment.archived).collect();
    let file = out.join(DEPLOYMENT_FILE);
    let deployment = match fs::read_to_string(&file) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(source) => return Err(FolderError::Unreadable { path: file, source }.into()),
    };
    let existing =
        Existing { folder: out, rules: &rollout.rules, deployment: deployment.as_deref(), force: request.force };
    let pulled = rollout::pull(&hosted, &existing)
        .map_err(|error| AppError::Setup(format!("{}: {}", file.display(), error.message())))?;
    for file in &pulled.files {
        write_at_once(&file.path, &file.text).map_err(written(&file.path))?;
    }
    Ok(pulled)
}

fn write_at_once(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::Builder::new().prefix(".watchbell-").tempfile_in(folder)?;
    fs::write(file.path(), text)?;
    // A temporary file is its owner's alone; rules are for everyone who may read the folder.
    #[cfg(unix)]
    fs::set_permissions(file.path(), std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Really waits.
struct Sleep;

#[async_trait::async_trait]
impl Pause for Sleep {
    async fn pause(&self, wait: Duration, stop: &AtomicBool) {
        let until = tokio::time::Instant::now() + wait;
        while tokio::time::Instant::now() < until && !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(GLANCE.min(until - tokio::time::Instant::now())).await;
        }
    }
}
