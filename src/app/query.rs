//! Findings asked for: filtered, in an order, a page at a time, each with what people decided about it.

use std::{cmp::Ordering, str::FromStr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{
    Deserialize, Serialize,
    de::{IntoDeserializer, value},
};

use super::{AppError, findings::Pool};
use crate::{
    judgment::{Judgments, Truth},
    sink::{Finding, Severity, ThreatType},
};

/// The most findings on one page.
pub const LARGEST_PAGE: usize = 100;
/// The shortest beginning of an id that may stand for it.
pub(super) const SHORTEST_ID: usize = 4;

/// Which findings, and how many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingQuery {
    /// Of these threats; empty: of all.
    pub threats: Vec<ThreatType>,
    /// Nothing below this.
    pub min_severity: Severity,
    /// About this account, address, host, as the log spells it.
    pub entity: Option<String>,
    /// Last seen at this time or after.
    pub since: Option<Timestamp>,
    /// Last seen before this time.
    pub until: Option<Timestamp>,
    /// What is done with suppressed ones.
    pub suppressed: Suppressed,
    /// What comes first.
    pub order: Order,
    /// Most findings, up to [`LARGEST_PAGE`].
    pub limit: usize,
    /// The id of the last finding of the page before.
    pub after: Option<String>,
}

impl Default for FindingQuery {
    fn default() -> Self {
        Self {
            threats: Vec::new(),
            min_severity: Severity::Informational,
            entity: None,
            since: None,
            until: None,
            suppressed: Suppressed::Hidden,
            order: Order::Strongest,
            limit: 20,
            after: None,
        }
    }
}

/// What is done with suppressed findings. The names are those of every front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[schemars(description = "What is done with suppressed findings.")]
pub enum Suppressed {
    /// They are left out and counted.
    #[serde(rename = "hide")]
    Hidden,
    /// They are among the others, marked.
    #[serde(rename = "show")]
    Shown,
    /// There is nothing but them.
    #[serde(rename = "only")]
    Only,
}

impl FromStr for Suppressed {
    type Err = value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}

/// What comes first. The names are those of every front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(description = "What comes first.")]
pub enum Order {
    /// The gravest, among equals the one with the highest risk score.
    Strongest,
    /// The last seen.
    Newest,
}

impl FromStr for Order {
    type Err = value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}

/// Some findings of an answer.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FindingPage {
    /// The findings.
    pub findings: Vec<JudgedFinding>,
    /// How many the whole answer has.
    pub total: usize,
    /// How many more there would be without suppressions.
    pub suppressed: usize,
    /// Gives the next page; `None` on the last.
    pub next: Option<String>,
    /// Reports and decisions that could not be read.
    pub problems: Vec<String>,
}

/// A finding and what people decided about it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct JudgedFinding {
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
    /// The suppression that silences it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suppressed_by: Option<String>,
    /// What it turned out to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Truth>,
}

impl JudgedFinding {
    pub(super) fn of(finding: Finding, judgments: &Judgments, now: Timestamp) -> Self {
        let Matched { suppressed_by, feedback, .. } = Matched::of(&finding, judgments, now);
        Self { suppressed_by: suppressed_by.map(str::to_owned), feedback, finding }
    }
}

/// The same, not copied yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matched<'a> {
    pub(super) finding: &'a Finding,
    pub(super) suppressed_by: Option<&'a str>,
    feedback: Option<Truth>,
}

impl<'a> Matched<'a> {
    pub(super) fn of(finding: &'a Finding, judgments: &'a Judgments, now: Timestamp) -> Self {
        Self {
            suppressed_by: judgments.silenced_by(finding, now).map(|standing| standing.suppression.id.as_str()),
            feedback: judgments.feedback_on(&finding.id).map(|feedback| feedback.truth),
            finding,
        }
    }

    fn to_judged(self) -> JudgedFinding {
        let Self { finding, suppressed_by, feedback } = self;
        JudgedFinding { finding: finding.clone(), suppressed_by: suppressed_by.map(str::to_owned), feedback }
    }
}

/// Answers a query. Pure: `now` is the time at which suppressions are judged.
///
/// # Errors
/// The page goes on after a finding that is no longer there at all.
pub(super) fn answer(
    query: &FindingQuery,
    found: &Pool<'_>,
    judgments: &Judgments,
    now: Timestamp,
) -> Result<FindingPage, AppError> {
    let (all, suppressed) = matching(query, found, judgments, now);
    let total = all.len();
    let begin = match &query.after {
        None => 0,
        Some(after) => {
            // Looked for among all, because meanwhile somebody may have decided that it is not in the answer any more.
            let last = found.findings.iter().find(|finding| finding.id == *after).ok_or_else(|| {
                let message = format!("no page goes on after `{}`; begin anew", after.escape_debug());
                AppError::Request(message).at("/cursor")
            })?;
            all.partition_point(|matched| query.order.compare(matched.finding, last).is_le())
        }
    };
    let limit = query.limit.clamp(1, LARGEST_PAGE);
    let findings: Vec<_> = all.into_iter().skip(begin).take(limit).map(Matched::to_judged).collect();
    let is_last = begin + findings.len() >= total;
    let next = findings.last().filter(|_| !is_last).map(|judged| judged.finding.id.clone());
    Ok(FindingPage { findings, total, suppressed, next, problems: problems(found, judgments) })
}

/// What could not be read of findings and decisions.
pub(super) fn problems(found: &Pool<'_>, judgments: &Judgments) -> Vec<String> {
    [found.problems, &judgments.problems].concat()
}

/// Every finding that the query wants, in its order, whatever its page; how many are suppressed.
pub(super) fn matching<'a>(
    query: &FindingQuery,
    found: &Pool<'a>,
    judgments: &'a Judgments,
    now: Timestamp,
) -> (Vec<Matched<'a>>, usize) {
    let wanted = found.findings.iter().filter(|finding| query.wants(finding));
    let matched = wanted.map(|finding| Matched::of(finding, judgments, now));
    let (silenced, ringing): (Vec<_>, Vec<_>) = matched.partition(|matched| matched.suppressed_by.is_some());
    let suppressed = silenced.len();
    let mut all = match query.suppressed {
        Suppressed::Hidden => ringing,
        Suppressed::Only => silenced,
        Suppressed::Shown => ringing.into_iter().chain(silenced).collect(),
    };
    all.sort_by(|one, other| query.order.compare(one.finding, other.finding));
    (all, suppressed)
}

/// Findings with what was decided about them, the gravest first.
pub(super) fn judged(findings: Vec<Finding>, judgments: &Judgments, now: Timestamp) -> Vec<JudgedFinding> {
    let mut judged: Vec<_> = findings.into_iter().map(|finding| JudgedFinding::of(finding, judgments, now)).collect();
    judged.sort_by(|one, other| Order::Strongest.compare(&one.finding, &other.finding));
    judged
}

/// The one finding whose id begins so.
///
/// # Errors
/// No finding has this id, or several begin with it.
pub(super) fn one<'a>(found: &Pool<'a>, id: &str) -> Result<&'a Finding, AppError> {
    let shown = id.escape_debug();
    let refused = |message| Err(AppError::Request(message).at("/id"));
    if id.len() < SHORTEST_ID {
        return refused(format!("`{shown}` is too short for an id, expected at least 4 digits of it"));
    }
    let mut named = found.findings.iter().filter(|finding| finding.id.starts_with(id));
    match (named.next(), named.next()) {
        (Some(finding), None) => Ok(finding),
        (Some(_), Some(_)) => refused(format!("several findings begin with `{shown}`; say more of the id")),
        (None, _) => Err(AppError::NoSuchFinding(id.to_owned())),
    }
}

impl FindingQuery {
    pub(super) fn wants(&self, finding: &Finding) -> bool {
        let seen = finding.last_seen.or(finding.first_seen);
        finding.severity >= self.min_severity
            && (self.threats.is_empty() || self.threats.contains(&finding.threat_type))
            && self.entity.as_ref().is_none_or(|entity| finding.entity.value == *entity)
            && self.since.is_none_or(|since| seen.is_some_and(|seen| seen >= since))
            && self.until.is_none_or(|until| seen.is_some_and(|seen| seen < until))
    }
}

impl Order {
    /// Ids decide last, so that pages never overlap.
    pub(super) fn compare(self, one: &Finding, other: &Finding) -> Ordering {
        let newest = || other.last_seen.cmp(&one.last_seen);
        let strongest = || {
            other
                .severity
                .cmp(&one.severity)
                .then_with(|| other.risk_score.cmp(&one.risk_score))
                .then_with(|| other.score.total_cmp(&one.score))
        };
        let order = match self {
            Self::Strongest => strongest().then_with(newest),
            Self::Newest => newest().then_with(strongest),
        };
        order.then_with(|| one.id.cmp(&other.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        app::Findings,
        judgment::{Action, Entry, Journal, Scope, Suppression},
        sink::testkit::findings::samples,
    };

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn found() -> Findings {
        Findings { findings: samples(57, 3), problems: Vec::new() }
    }

    fn ids(page: &FindingPage) -> Vec<String> {
        page.findings.iter().map(|judged| judged.finding.id.clone()).collect()
    }

    #[test]
    fn pages_hold_every_finding_once_and_in_order() {
        let mut query = FindingQuery { limit: 10, ..FindingQuery::default() };
        let mut seen = Vec::new();
        loop {
            let page = answer(&query, &found().pool(), &Judgments::default(), NOW).unwrap();
            assert_eq!(page.total, 57);
            seen.extend(page.findings.iter().map(|judged| judged.finding.clone()));
            let Some(next) = page.next else { break };
            query.after = Some(next);
        }
        assert_eq!(seen.len(), 57);
        assert!(seen.windows(2).all(|pair| pair[0].severity >= pair[1].severity));
        query.after = Some("gone".to_owned());
        assert!(answer(&query, &found().pool(), &Judgments::default(), NOW).is_err());
    }

    #[test]
    fn a_page_goes_on_though_the_finding_before_it_was_suppressed_meanwhile() {
        let (found, nothing) = (found(), Judgments::default());
        for order in [Order::Strongest, Order::Newest] {
            let all = FindingQuery { order, limit: 100, ..FindingQuery::default() };
            let all = ids(&answer(&all, &found.pool(), &nothing, NOW).unwrap());
            let query = FindingQuery { order, limit: 10, after: Some(all[9].clone()), ..FindingQuery::default() };
            let last = found.findings.iter().find(|finding| finding.id == all[9]).unwrap();
            let suppression = Suppression::new(Scope::like(last), "known".to_owned(), (NOW, Timestamp::MAX));
            let entry = Entry { time: NOW, by: "ada".to_owned(), action: Action::Suppress(suppression) };
            let judgments = nothing.with(entry);
            let page = answer(&query, &found.pool(), &judgments, NOW).unwrap();
            assert!(page.suppressed > 0);
            let silent = |id: &String| {
                let finding = found.findings.iter().find(|finding| finding.id == *id).unwrap();
                judgments.silenced_by(finding, NOW).is_some()
            };
            let rest: Vec<_> = all[10..].iter().filter(|id| !silent(id)).take(10).cloned().collect();
            assert_eq!(ids(&page), rest);
        }
    }

    #[test]
    fn the_names_of_choices_are_told_when_one_is_wrong() {
        assert_eq!(("hide".parse(), "show".parse()), (Ok(Suppressed::Hidden), Ok(Suppressed::Shown)));
        assert_eq!("newest".parse(), Ok(Order::Newest));
        assert!("hidden".parse::<Suppressed>().unwrap_err().to_string().contains("`hide`, `show`, `only`"));
        assert!("odd".parse::<Order>().unwrap_err().to_string().contains("`strongest` or `newest`"));
    }

    #[test]
    fn filters_hold_all_at_once() {
        let first = found().findings.remove(0);
        let query = FindingQuery {
            threats: vec![first.threat_type],
            entity: Some(first.entity.value.clone()),
            min_severity: first.severity,
            ..FindingQuery::default()
        };
        let page = answer(&query, &found().pool(), &Judgments::default(), NOW).unwrap();
        assert!(ids(&page).contains(&first.id));
        assert!(page.findings.iter().all(|judged| judged.finding.threat_type == first.threat_type));
    }

    #[test]
    fn suppressed_findings_are_hidden_and_counted_or_shown_and_marked() {
        let folder = tempfile::tempdir().unwrap();
        let first = found().findings.remove(0);
        let suppression = Suppression::new(Scope::like(&first), "known".to_owned(), (NOW, Timestamp::MAX));
        let journal = Journal::in_folder(folder.path());
        let action = Action::Suppress(suppression.clone());
        journal.append(&Entry { time: NOW, by: "ada".to_owned(), action }).unwrap();
        let judgments = journal.read().unwrap();
        let ask = |suppressed| {
            let query = FindingQuery { suppressed, limit: 100, ..FindingQuery::default() };
            answer(&query, &found().pool(), &judgments, NOW).unwrap()
        };
        let hidden = ask(Suppressed::Hidden);
        assert!(!ids(&hidden).contains(&first.id));
        assert_eq!(hidden.total + hidden.suppressed, 57);
        let only = ask(Suppressed::Only);
        assert!(ids(&only).contains(&first.id));
        assert!(only.findings.iter().all(|judged| judged.suppressed_by.as_ref() == Some(&suppression.id)));
        assert_eq!(ask(Suppressed::Shown).total, 57);
    }

    #[test]
    fn an_id_may_be_shortened_while_it_is_clear() {
        let found = found();
        let id = found.findings[5].id.clone();
        assert_eq!(one(&found.pool(), &id[..12]).unwrap().id, id);
        assert!(one(&found.pool(), "abc").unwrap_err().to_string().contains("too short"));
        assert!(matches!(one(&found.pool(), "ffffffffff00"), Err(AppError::NoSuchFinding(_))));
    }
}
