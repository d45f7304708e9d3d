//! What the pages of the server show: reports, decisions, sinks and jobs of one moment, put together.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use super::{Desk, JobKind, JobState, SinkEntry};
use crate::{
    app::{AppError, FindingQuery, Order, Suppressed, query::SHORTEST_ID, times::past},
    judgment::{Action, Judgments, StandingSuppression, Truth},
    outbox::{DeliveryState, SinkStatus},
    report::{
        FileReport,
        live::{
            DecisionFacts, DeliveryFacts, ErrorFacts, FilterFacts, FindingInput, HeldFacts, JobFacts, OverviewInput,
            Page, RowFacts, SinkFacts, SuppressionFacts,
        },
        overview::{Overview, Ranked},
    },
    sink::{Finding, Severity},
};

/// Findings on one page of the list.
const ROWS: usize = 25;
/// The longest value of a filter, in bytes; more is cut, for no name that is looked for is longer.
const LONGEST_VALUE: usize = 1_000;

/// The query of the overview's address, as the browser sent it.
#[derive(Debug, Clone, Default)]
pub struct PageQuery {
    fields: FilterFacts,
    after: Option<String>,
}

impl PageQuery {
    /// Takes the fields that the overview has; others are passed over, and the last of several counts.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut query = Self::default();
        for (name, value) in pairs {
            let value: String = value.chars().take(LONGEST_VALUE).collect();
            let fields = &mut query.fields;
            match name.as_str() {
                "threat" => fields.threat = value,
                "severity" => fields.severity = value,
                "entity" => fields.entity = value,
                "since" => fields.since = value,
                "until" => fields.until = value,
                "suppressed" => fields.suppressed = value,
                "order" => fields.order = value,
                "after" => query.after = Some(value).filter(|id| !id.is_empty()),
                _ => {}
            }
        }
        query
    }

    /// The query that it means. What can't be understood is dropped from the fields, and told.
    fn meant(&mut self, notices: &mut Vec<String>) -> FindingQuery {
        let fields = &mut self.fields;
        let mut query = FindingQuery { limit: ROWS, after: self.after.clone(), ..FindingQuery::default() };
        query.threats = taken(&mut fields.threat, notices, "threat", |text| text.parse().ok()).into_iter().collect();
        let severity = taken(&mut fields.severity, notices, "severity", |text| text.parse().ok());
        query.min_severity = severity.unwrap_or(Severity::Informational);
        query.entity = Some(fields.entity.clone()).filter(|entity| !entity.is_empty());
        // The form's times are those that the page shows, and these are UTC.
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        query.since = taken(&mut fields.since, notices, "time", |text| past(text, &now).ok());
        query.until = taken(&mut fields.until, notices, "time", |text| past(text, &now).ok());
        let choice = |text: &str| text.parse().ok();
        let choice = taken(&mut fields.suppressed, notices, "choice about suppressed findings", choice);
        query.suppressed = choice.unwrap_or(Suppressed::Hidden);
        let order = taken(&mut fields.order, notices, "order", |text| text.parse().ok());
        query.order = order.unwrap_or(Order::Strongest);
        for (field, time) in [(&mut fields.since, query.since), (&mut fields.until, query.until)] {
            // As the form's field wants it, whatever it was given as.
            *field = time.map(|time| time.strftime("%Y-%m-%dT%H:%M").to_string()).unwrap_or_default();
        }
        query
    }
}

/// What a field means; one that means nothing is emptied.
fn taken<T>(
    field: &mut String,
    notices: &mut Vec<String>,
    what: &str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    if field.is_empty() {
        return None;
    }
    let meant = read(field);
    if meant.is_none() {
        notices.push(format!("no {what} is `{field}`; the filter is left out"));
        field.clear();
    }
    meant
}

impl Desk {
    /// The overview.
    ///
    /// # Errors
    /// Findings or decisions can't be read.
    pub fn overview(&self, mut asked: PageQuery) -> Result<Page, AppError> {
        let now = Timestamp::now();
        let view = self.shelf.view()?;
        let reports: Vec<&FileReport> = view.reports.iter().map(Arc::as_ref).collect();
        let mut notices = view.problems.clone();
        let judgments = self.judgments()?;
        notices.extend(judgments.problems.iter().cloned());
        let query = asked.meant(&mut notices);
        let is_quiet = |finding: &Finding| judgments.silenced_by(finding, now).is_some();
        let is_in = |finding: &Finding| match query.suppressed {
            Suppressed::Hidden => !is_quiet(finding),
            Suppressed::Shown => true,
            Suppressed::Only => is_quiet(finding),
        };
        let ringing = Overview::of(&reports, &|finding| !is_quiet(finding));
        let matching = Overview::of(&reports, &|finding| query.wants(finding) && is_in(finding));
        let suppressed = Overview::of(&reports, &|finding| query.wants(finding) && is_quiet(finding)).ranked.len();
        let listed = listed(&query, (&reports, &matching), &mut notices);
        let rows: Vec<_> = listed.rows.iter().map(|&finding| row(finding, &judgments, now)).collect();
        let sinks = self.sinks_at_hand(&mut notices);
        let suppressions: Vec<_> =
            judgments.suppressions().filter(|standing| standing.stands(now)).map(suppression).collect();
        Ok(Page::overview(OverviewInput {
            reports: &reports,
            ringing: &ringing,
            matching: &matching,
            suppressed,
            filter: &asked.fields,
            rows: &rows,
            before: listed.before,
            notices: &notices,
            between: (query.since, query.until),
            sinks: sinks.as_deref(),
            jobs: &self.jobs_at_hand(),
            suppressions: &suppressions,
            now,
        }))
    }

    /// The page of a finding, by its id or a clear beginning of it.
    ///
    /// # Errors
    /// There is none, or several begin so.
    pub fn finding_page(&self, id: &str) -> Result<Page, AppError> {
        let now = Timestamp::now();
        let view = self.shelf.view()?;
        let reports: Vec<&FileReport> = view.reports.iter().map(Arc::as_ref).collect();
        let mut notices = view.problems.clone();
        let item = one(&reports, id)?;
        let judgments = self.judgments()?;
        let suppression = judgments.silenced_by(item.finding, now).map(suppression);
        let decision = decision(&judgments, &item.finding.id);
        let deliveries = self.deliveries(&item.finding.id).unwrap_or_else(|error| {
            notices.push(format!("where it was sent can't be read: {error}"));
            Vec::new()
        });
        let deliveries: Vec<_> = deliveries.into_iter().map(delivery).collect();
        let sinks = self.sinks_at_hand(&mut notices).unwrap_or_default();
        Ok(Page::finding(FindingInput {
            item,
            suppression: suppression.as_ref(),
            decision: decision.as_ref(),
            deliveries: &deliveries,
            sinks: &sinks,
            notices: &notices,
            now,
        }))
    }

    /// The sinks that are set up, then those that only the outbox knows; none with a notice when they can't be read.
    fn sinks_at_hand(&self, notices: &mut Vec<String>) -> Option<Vec<SinkFacts>> {
        let read = self.sinks().and_then(|sinks| Ok((sinks, self.outbox()?)));
        match read {
            Ok((sinks, outbox)) => {
                let is_gone = |status: &&SinkStatus| !sinks.iter().any(|sink| sink.name == status.name);
                let gone: Vec<_> = outbox.sinks.iter().filter(is_gone).map(gone_sink).collect();
                Some(sinks.into_iter().map(sink).chain(gone).collect())
            }
            Err(error) => {
                notices.push(format!("sinks can't be read: {error}"));
                None
            }
        }
    }

    fn jobs_at_hand(&self) -> Vec<JobFacts> {
        let facts = |job: &super::Job| JobFacts {
            title: match job.kind {
                JobKind::Batch => "Batch",
                JobKind::Train => "Training",
            },
            is_training: job.kind == JobKind::Train,
            state: match job.state {
                JobState::Waiting => "waiting",
                JobState::Running => "running",
                JobState::Succeeded => "succeeded",
                JobState::Failed => "failed",
                JobState::Cancelled => "cancelled",
            },
            stage: job.stage.clone(),
            bytes: (job.done_bytes, job.total_bytes),
            by: job.by.clone(),
            times: (job.created, job.ended),
            error: job.error.clone(),
        };
        self.jobs.look(facts)
    }
}

/// A page of the list.
struct Listed<'a> {
    rows: Vec<&'a Finding>,
    /// How many findings come before it.
    before: usize,
}

fn listed<'a>(
    query: &FindingQuery,
    (reports, matching): (&[&'a FileReport], &Overview<'a>),
    notices: &mut Vec<String>,
) -> Listed<'a> {
    let mut all: Vec<&Finding> = matching.ranked.iter().map(|item| item.finding).collect();
    all.sort_by(|one, other| query.order.compare(one, other));
    // Looked for among all, because meanwhile somebody may have decided that it is not in the list any more.
    let named = |after: &String| Overview::of(reports, &|finding| finding.id == *after).ranked.first().copied();
    let before = match query.after.as_ref().map(named) {
        None => 0,
        Some(Some(last)) => all.partition_point(|finding| query.order.compare(finding, last.finding).is_le()),
        Some(None) => {
            notices.push("the list has changed since; it begins anew".to_owned());
            0
        }
    };
    Listed { rows: all.into_iter().skip(before).take(query.limit).collect(), before }
}

fn row<'a>(finding: &'a Finding, judgments: &'a Judgments, now: Timestamp) -> RowFacts<'a> {
    RowFacts {
        finding,
        suppressed_by: judgments.silenced_by(finding, now).map(|standing| standing.suppression.id.as_str()),
        was_right: judgments.feedback_on(&finding.id).map(|feedback| feedback.truth == Truth::TruePositive),
    }
}

/// The one finding whose id begins so.
fn one<'a>(reports: &[&'a FileReport], id: &str) -> Result<Ranked<'a>, AppError> {
    if id.len() < SHORTEST_ID {
        return Err(AppError::NoSuchFinding(id.to_owned()));
    }
    let named = Overview::of(reports, &|finding| finding.id.starts_with(id)).ranked;
    match named[..] {
        [item] => Ok(item),
        [] => Err(AppError::NoSuchFinding(id.to_owned())),
        _ => named
            .into_iter()
            .find(|item| item.finding.id == id)
            .ok_or_else(|| AppError::Request("several findings begin so; say more of the id".to_owned())),
    }
}

fn decision(judgments: &Judgments, id: &str) -> Option<DecisionFacts> {
    judgments.feedback().into_iter().find_map(|entry| match &entry.action {
        Action::Feedback(feedback) if feedback.finding == id => Some(DecisionFacts {
            was_right: feedback.truth == Truth::TruePositive,
            by: entry.by.clone(),
            time: entry.time,
            note: feedback.note.clone(),
        }),
        _ => None,
    })
}

fn suppression(standing: &StandingSuppression) -> SuppressionFacts {
    let suppression = &standing.suppression;
    SuppressionFacts {
        id: suppression.id.clone(),
        threat: suppression.scope.threat_type,
        entity: suppression.scope.entity.clone(),
        max_severity: suppression.scope.max_severity,
        reason: suppression.reason.clone(),
        by: standing.by.clone(),
        made: standing.made,
        expires: suppression.expires,
    }
}

fn delivery(state: DeliveryState) -> DeliveryFacts {
    DeliveryFacts {
        sink: state.sink,
        state: state.state.to_owned(),
        attempts: state.attempts,
        changed: state.changed,
        error: state.error,
    }
}

fn sink(entry: SinkEntry) -> SinkFacts {
    let kind = entry.kind;
    match entry.status {
        Some(status) => SinkFacts { kind, ..gone_sink(&status) },
        None => SinkFacts { name: entry.name, kind, ..SinkFacts::default() },
    }
}

/// A sink of which only the outbox knows.
fn gone_sink(status: &SinkStatus) -> SinkFacts {
    let held = status.held.as_ref();
    SinkFacts {
        name: status.name.clone(),
        kind: String::new(),
        delivered: status.delivered,
        ready: status.pending.ready,
        waiting: status.pending.waiting,
        awaiting_ack: status.pending.awaiting_ack,
        dead: status.dead,
        oldest: status.oldest,
        held: held.map(|held| HeldFacts { kind: held.kind.clone(), message: held.message.clone(), since: held.since }),
        is_failing: status.is_failing,
        last_error: status.last_error.as_ref().map(|error| ErrorFacts {
            message: error.message.clone(),
            was_answered: error.status.is_some(),
            at: error.at,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> PageQuery {
        PageQuery::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn fields_become_a_query_and_times_the_form_s() {
        let mut notices = Vec::new();
        let mut asked = query(&[
            ("threat", "brute_force"),
            ("severity", "high"),
            ("entity", "alice"),
            ("since", "2026-11-14T03:12"),
            ("until", "2026-11-14T05:00:00+01:00"),
            ("suppressed", "only"),
            ("order", "newest"),
            ("after", ""),
            ("other", "x"),
        ]);
        let meant = asked.meant(&mut notices);
        assert_eq!(notices, Vec::<String>::new());
        assert_eq!((meant.min_severity, meant.entity.as_deref()), (Severity::High, Some("alice")));
        assert_eq!((meant.suppressed, meant.order, meant.after), (Suppressed::Only, Order::Newest, None));
        assert_eq!(meant.since.unwrap().to_string(), "2026-11-14T03:12:00Z");
        assert_eq!(asked.fields.until, "2026-11-14T04:00");
    }

    #[test]
    fn what_means_nothing_is_told_and_filters_nothing() {
        let mut notices = Vec::new();
        let mut asked =
            query(&[("threat", "<script>"), ("since", "last tuesday"), ("order", "odd"), ("severity", "x")]);
        let meant = asked.meant(&mut notices);
        assert_eq!(notices.len(), 4);
        assert!(notices[0].contains("<script>"));
        assert_eq!(meant, FindingQuery { limit: ROWS, ..FindingQuery::default() });
        assert_eq!(asked.fields, FilterFacts::default());
    }

    #[test]
    fn a_value_is_cut_before_anything_is_made_of_it() {
        assert_eq!(query(&[("entity", &"ü".repeat(5_000))]).fields.entity.chars().count(), LONGEST_VALUE);
    }
}
