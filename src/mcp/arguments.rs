//! What tools take. The comments are the descriptions that clients and models see.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{call::Call, failure::Failure};
use crate::app::{
    FindingQuery, LARGEST_PAGE, LONGEST_NAME, LONGEST_TEXT, Order, Severity, Suppressed, ThreatType, Truth, now, past,
};

/// Logs that come with the call, or a place where they are.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Logs {
    /// Log lines as text, or records as JSON objects, in their order. Give these or `path`, never both.
    #[schemars(length(max = 20_000))]
    pub(super) logs: Option<Vec<LineOrRecord>>,
    /// A file or folder, relative to the log folder or absolute within it; `.` is the whole log folder. Give this or
    /// `logs`, never both.
    #[schemars(length(max = 4096))]
    pub(super) path: Option<String>,
}

/// A log line, or a record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum LineOrRecord {
    /// A line of any format.
    Line(String),
    /// A record with its fields.
    Record(serde_json::Map<String, serde_json::Value>),
}

/// One log.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OneFile {
    /// The file, relative to the log folder or absolute within it, packed or not.
    #[schemars(length(min = 1, max = 4096))]
    pub(super) path: String,
}

/// Which findings.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    /// Nothing below this severity; `high` means high and critical.
    pub(super) min_severity: Option<Severity>,
    /// Of these threats only.
    pub(super) threat_types: Option<Vec<ThreatType>>,
    /// About this account, address or host only, spelled as in the log.
    #[schemars(length(max = 1000))]
    pub(super) entity: Option<String>,
    /// Last seen at this time or later: `today`, `yesterday`, a length like `24h` or `7d`, a date, or an RFC 3339 time.
    #[schemars(length(max = 64))]
    pub(super) since: Option<String>,
    /// Last seen before this time, in the same words.
    #[schemars(length(max = 64))]
    pub(super) until: Option<String>,
    /// What is done with suppressed findings; without it they are left out and counted.
    pub(super) suppressed: Option<Suppressed>,
}

impl Filter {
    /// Whether everything is meant.
    pub(super) fn is_empty(&self) -> bool {
        self.min_severity.is_none()
            && self.threat_types.is_none()
            && self.entity.is_none()
            && self.since.is_none()
            && self.until.is_none()
    }

    /// The question to the desk.
    pub(super) fn query(self, call: &Call<'_>) -> Result<FindingQuery, Failure> {
        let now = now(call.office.desk.plan());
        let time = |name: &str, text: Option<String>| {
            let read = |text: String| {
                past(&text, &now).map_err(|error| Failure::arguments(format!("`{name}`: {error}; found `{text}`")))
            };
            text.map(read).transpose()
        };
        Ok(FindingQuery {
            threats: self.threat_types.unwrap_or_default(),
            min_severity: self.min_severity.unwrap_or(Severity::Informational),
            entity: self.entity,
            since: time("since", self.since)?,
            until: time("until", self.until)?,
            suppressed: self.suppressed.unwrap_or(Suppressed::Hidden),
            ..FindingQuery::default()
        })
    }
}

/// A page of findings. The first six are those of [`Filter`]: what is flattened can't refuse names that it does not know.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Page {
    /// Nothing below this severity; `high` means high and critical.
    pub(super) min_severity: Option<Severity>,
    /// Of these threats only.
    pub(super) threat_types: Option<Vec<ThreatType>>,
    /// About this account, address or host only, spelled as in the log.
    #[schemars(length(max = 1000))]
    pub(super) entity: Option<String>,
    /// Last seen at this time or later: `today`, `yesterday`, a length like `24h` or `7d`, a date, or an RFC 3339 time.
    #[schemars(length(max = 64))]
    pub(super) since: Option<String>,
    /// Last seen before this time, in the same words.
    #[schemars(length(max = 64))]
    pub(super) until: Option<String>,
    /// What is done with suppressed findings; without it they are left out and counted.
    pub(super) suppressed: Option<Suppressed>,
    /// What comes first; without it the strongest.
    pub(super) order: Option<Order>,
    /// Most findings on the page, 1 to 100; without it 20.
    #[schemars(range(min = 1, max = 100))]
    pub(super) limit: Option<i64>,
    /// `next_cursor` of the page before; the filters must be the same.
    #[schemars(length(max = 100))]
    pub(super) cursor: Option<String>,
}

impl Page {
    /// The question to the desk.
    pub(super) fn query(self, call: &Call<'_>) -> Result<FindingQuery, Failure> {
        let Self { min_severity, threat_types, entity, since, until, suppressed, order, limit: most, cursor } = self;
        let filter = Filter { min_severity, threat_types, entity, since, until, suppressed };
        let (order, limit) = (order.unwrap_or(Order::Strongest), limit(most, 20)?);
        Ok(FindingQuery { limit, order, after: cursor, ..filter.query(call)? })
    }
}

pub(super) fn limit(given: Option<i64>, usual: usize) -> Result<usize, Failure> {
    let Some(limit) = given else { return Ok(usual) };
    usize::try_from(limit)
        .ok()
        .filter(|limit| (1..=LARGEST_PAGE).contains(limit))
        .ok_or_else(|| Failure::arguments(format!("`limit`: expected 1 to {LARGEST_PAGE}, found {limit}")))
}

/// Which finding.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OneFinding {
    /// The finding's id, or a clear beginning of it.
    #[schemars(length(min = 4, max = 64))]
    pub(super) id: String,
}

/// What somebody decided about findings.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Judgment {
    /// What is to be done.
    pub(super) action: JudgmentAction,
    /// The finding's id, or a clear beginning of it; for `suppress`, `feedback`, and `lift` of whatever silences it.
    #[schemars(length(min = 4, max = 64))]
    pub(super) finding_id: Option<String>,
    /// The suppression's id, for `lift`.
    #[schemars(length(max = 64))]
    pub(super) suppression_id: Option<String>,
    /// Why, in the words of the person who decides; needed for `suppress` and `lift`, a note for `feedback`.
    #[schemars(length(max = LONGEST_TEXT))]
    pub(super) reason: Option<String>,
    /// For `suppress`: when it ends, within a year: a length from now on such as `8h` or `30d`, a date, or an RFC 3339 time.
    #[schemars(length(max = 64))]
    pub(super) expires: Option<String>,
    /// For `suppress`: findings above this severity still ring; without it the finding's own severity.
    pub(super) max_severity: Option<Severity>,
    /// For `feedback`: what the finding turned out to be.
    pub(super) truth: Option<Truth>,
    /// For `suppress`: only say what it would silence. True unless it is set to false.
    pub(super) dry_run: Option<bool>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum JudgmentAction {
    /// Findings like this one do not ring for a while.
    Suppress,
    /// They ring again.
    Lift,
    /// The finding was right or wrong.
    Feedback,
}

/// Nothing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// Which model.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OneModel {
    /// The model's name as list_models shows it.
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    pub(super) name: String,
}

/// What to learn from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lesson {
    /// A file or folder within the log folder; without it all of the log folder.
    #[schemars(length(max = 4096))]
    pub(super) path: Option<String>,
    /// One name for what is learned from all of it; without it each log has a model of its own name.
    #[schemars(length(min = 1, max = LONGEST_NAME))]
    pub(super) name: Option<String>,
}

/// Which sink.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OneSink {
    /// The sink's name as list_sinks shows it.
    #[schemars(length(min = 1, max = 255))]
    pub(super) sink: String,
    /// Whether it also gets one finding that says that it is a test; without it nothing is sent.
    pub(super) send: Option<bool>,
}

/// Findings on their way to sinks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Forwarding {
    /// The findings' ids, or clear beginnings of them. Give these or `filter`, never both.
    #[schemars(length(min = 1, max = 100))]
    pub(super) ids: Option<Vec<String>>,
    /// All findings that match, at most 1000. Give this or `ids`, never both.
    pub(super) filter: Option<Filter>,
    /// The sinks' names; without them all that are switched on.
    #[schemars(length(max = 100))]
    pub(super) sinks: Option<Vec<String>>,
    /// Only say what would go where. True unless it is set to false.
    pub(super) dry_run: Option<bool>,
}
