//! The plan: what is to change in the tenant so that it is as the files say.

use serde::Serialize;

use super::{
    facts::Facts,
    frequency,
    pairing::{Pair, RuleTrouble, pair},
    quota::{Edition, Forecast, forecast},
    steps::{FieldChange, FieldValue, Step, Transition, fields, steps},
    text,
};
use crate::{
    rules::folder::{LocalRule, WantedDeployment},
    sink::rules::HostedRule,
};

/// Which of the tenant's rules are looked at beside those that files name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those whose names begin so.
    Prefix(&'static str),
}

impl Scope {
    fn holds(self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Prefix(prefix) => name.starts_with(prefix),
        }
    }
}

/// What the tenant is to be like.
#[derive(Debug, Clone, Copy)]
pub struct Desired<'a> {
    /// The rules.
    pub rules: &'a [LocalRule],
    /// Which other rules are told of.
    pub scope: Scope,
    /// Whether those are put away.
    pub prune: bool,
    /// The license that the tenant has.
    pub edition: Option<Edition>,
}

/// What is to change.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// Rules that change: those that are put away first, which makes room for the others.
    pub changes: Vec<Change>,
    /// Rules that are left alone because something about them is not certain.
    pub troubles: Vec<RuleTrouble>,
    /// How many rules are as they should be.
    pub unchanged: usize,
    /// The tenant's rules that no file has, and that stay.
    pub only_there: Vec<String>,
    /// How many rules will run.
    pub forecast: Forecast,
}

impl Plan {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// What changes about one rule.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// Its name, as it will be.
    pub name: String,
    /// Its file; `None` for a rule that no file has.
    pub file: Option<String>,
    /// The name that it has, when that is another one.
    pub renamed_from: Option<String>,
    /// The fields of its deployment that change.
    pub fields: Vec<FieldChange>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What changes in its text, as a unified diff; `None` for a new rule and where the text stays.
    pub diff: Option<String>,
    /// What somebody who agrees to this should know.
    pub notes: Vec<String>,
    /// The rule as the tenant has it.
    #[serde(rename = "rule_id", serialize_with = "id_alone")]
    pub before: Option<HostedRule>,
    /// Its new text; `None` when it stays.
    #[serde(skip)]
    pub text: Option<String>,
    /// What its text says, as it will be.
    #[serde(skip)]
    pub facts: Facts,
}

fn id_alone<S: serde::Serializer>(rule: &Option<HostedRule>, serializer: S) -> Result<S::Ok, S::Error> {
    rule.as_ref().map(|rule| &rule.version.id).serialize(serializer)
}

impl Change {
    /// Whether a new rule comes to be.
    #[must_use]
    pub fn creates(&self) -> bool {
        self.before.is_none()
    }

    /// Whether the rule is put away.
    #[must_use]
    pub fn archives(&self) -> bool {
        self.steps.contains(&Step::Archive)
    }
}

/// Compares files with the tenant's rules.
#[must_use]
pub fn plan(desired: &Desired<'_>, hosted: &[HostedRule]) -> Plan {
    let pairs = pair(desired.rules, hosted);
    let mut changes: Vec<Change> = pairs.pairs.iter().filter_map(change).collect();
    let unchanged = pairs.pairs.len() - changes.len();
    let in_scope = |rule: &&HostedRule| !rule.deployment.archived && desired.scope.holds(&rule.name);
    let left: Vec<&HostedRule> = pairs.left.iter().copied().filter(in_scope).collect();
    let mut only_there = Vec::new();
    if desired.prune {
        changes.extend(left.iter().map(|rule| pruned(rule)));
    } else {
        only_there = left.iter().map(|rule| rule.name.clone()).collect();
        only_there.sort_unstable();
    }
    changes.sort_by(|left, right| right.archives().cmp(&left.archives()).then_with(|| left.name.cmp(&right.name)));
    let forecast = forecast(&changes, hosted, desired.edition);
    Plan { changes, troubles: pairs.troubles, unchanged, only_there, forecast }
}

/// What changes about one pair; `None` when nothing does.
#[must_use]
pub fn change(pair: &Pair<'_>) -> Option<Change> {
    let Pair { local, hosted } = *pair;
    if local.deployment.archived && hosted.is_none_or(|rule| rule.deployment.archived) {
        return None;
    }
    // The text of a rule that is put away helps nobody.
    let new_text = !local.deployment.archived && hosted.is_none_or(|rule| !text::is_same(&rule.text, &local.text));
    let before = hosted.map(|rule| told_by(rule, Facts::of(&rule.text))).unwrap_or_default();
    let after = if new_text { Facts::of(&local.text) } else { before };
    let fields = fields(&local.deployment, hosted.map(|rule| &rule.deployment), &after);
    if !new_text && fields.is_empty() {
        return None;
    }
    let transition = Transition { exists: hosted.is_some(), new_text, fields: &fields, before, after };
    Some(Change {
        name: local.name.clone(),
        file: Some(local.file.clone()),
        renamed_from: hosted.filter(|rule| new_text && rule.name != local.name).map(|rule| rule.name.clone()),
        steps: steps(&transition),
        diff: hosted.filter(|_| new_text).map(|rule| text::diff(&rule.text, &local.text)),
        notes: notes(pair, &transition),
        before: hosted.cloned(),
        text: new_text.then(|| local.text.clone()),
        facts: after,
        fields,
    })
}

/// What the service says of a rule goes before what its text says here.
fn told_by(rule: &HostedRule, facts: Facts) -> Facts {
    Facts { multi_event: rule.multi_event.or(facts.multi_event), ..facts }
}

fn pruned(rule: &HostedRule) -> Change {
    let wanted = WantedDeployment { archived: true, ..WantedDeployment::default() };
    let facts = told_by(rule, Facts::default());
    let fields = fields(&wanted, Some(&rule.deployment), &facts);
    let transition = Transition { exists: true, new_text: false, fields: &fields, before: facts, after: facts };
    Change {
        name: rule.name.clone(),
        file: None,
        renamed_from: None,
        steps: steps(&transition),
        diff: None,
        notes: Vec::new(),
        before: Some(rule.clone()),
        text: None,
        facts,
        fields,
    }
}

fn notes(pair: &Pair<'_>, transition: &Transition<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |text: String, applies: bool| {
        if applies {
            notes.push(text);
        }
    };
    let Transition { before, after, new_text, .. } = *transition;
    let wanted = &pair.local.deployment;
    if wanted.archived {
        note("its text is not compared: it is put away".to_owned(), true);
        return notes;
    }
    note(
        format!("the local check finds {} errors; see `watchbell rules check`", after.errors),
        new_text && after.errors > 0,
    );
    let crosses = before.multi_event.is_some() && before.multi_event != after.multi_event;
    if let (true, Some(multi_event)) = (crosses, after.multi_event) {
        note(format!("it becomes a {} rule", if multi_event { "multi-event" } else { "single-event" }), true);
    }
    note(
        "it counts as a multi-event rule only because its condition asks about an outcome".to_owned(),
        new_text && after.only_by_outcome && wanted.enabled == Some(true),
    );
    let is_off = pair.hosted.is_none_or(|rule| !rule.deployment.enabled) && wanted.enabled.is_none();
    let comes = pair.hosted.is_none_or(|rule| rule.deployment.archived);
    note("it does not run: deployment.toml says nothing about `enabled`".to_owned(), comes && is_off);
    if let Some(told) = wanted.frequency {
        let kept = frequency::as_kept(told, &after);
        let is_set = transition.fields.iter().any(|field| field.after == FieldValue::Frequency(told));
        note(format!("SecOps runs such a rule {kept} when it is told {told}"), is_set && kept != told);
        let allowed = pair.hosted.filter(|_| !new_text).map_or(&[][..], |rule| &rule.frequencies);
        let is_refused = !allowed.is_empty() && !allowed.contains(&told) && !allowed.contains(&kept);
        note(format!("SecOps may refuse: it allows {} for this rule", listed(allowed)), is_set && is_refused);
        let is_unlikely = allowed.is_empty() && frequency::is_too_often(told, &after);
        note(
            format!("SecOps may refuse: with such a window a rule runs less often than {told}"),
            is_set && is_unlikely,
        );
    }
    note(
        "the tenant says that its text does not compile".to_owned(),
        !new_text && pair.hosted.is_some_and(|rule| !rule.compiled),
    );
    notes
}

fn listed(frequencies: &[crate::sink::rules::RunFrequency]) -> String {
    frequencies.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
