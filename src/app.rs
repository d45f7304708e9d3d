//! What a front may ask.
//!
//! A front imports nothing but this module; what it needs of the floors below for arguments and presentation is
//! re-exported here. Each file holds the calls about one thing.

mod analysis;
mod delivery;
mod demo;
mod desk;
mod error;
mod findings;
mod judgments;
mod kept;
mod keys;
mod logs;
mod models;
mod outbox;
mod query;
mod reference;
mod reports;
mod rollout;
mod rules;
mod setup;
mod sinks;
mod times;
mod udm;

use std::sync::atomic::AtomicBool;

use self::analysis::{FileAnalyzer, find_model};
pub use self::{
    delivery::{Bells, ForwardRequest, Forwarded, TakenOver, forward},
    desk::{
        Analysis, AnalyzeRequest, Arrival, BatchRequest, Change, DeadLetterPage, Delivery, Desk, EntityCount,
        Explanation, FindingView, ForwardOrder, ForwardReceipt, Health, HealthCheck, Job, JobKind, JobResult, JobState,
        LONGEST_NAME, LogFiles, LogInput, LogResult, ModelEntry, PageQuery, PlannedForward, Records, SinkEntry,
        SinkState, Summary, TrainRequest, check_name,
    },
    error::{AppError, UnreadCause, with_causes},
    findings::{Findings, read_findings},
    judgments::{
        FeedbackReport, LONGEST_SUPPRESSION, LONGEST_TEXT, ProposedSuppression, SuppressRequest, SuppressionEffect,
        Suppressions, ThreatRecord, Which, feedback, find_finding, give_feedback, lift, list_findings, suppress,
        suppressions, words,
    },
    keys::{check_access, create_key, list_keys, revoke_key},
    logs::{FieldMapping, Inspection, Scored, inspect, score},
    models::{ModelCard, show_model, train},
    outbox::{dead_letters, export, outbox_status, purge, replay, show_finding},
    query::{FindingPage, FindingQuery, JudgedFinding, LARGEST_PAGE, Order, Suppressed},
    reference::{ThreatReference, threat_reference},
    reports::{Reported, demo, report, summary_text},
    rollout::{PullRequest, Rollout, RolloutRequest, open_rollout, pull_rules, rule_sinks},
    rules::{
        ExportRequest, Exported, Issues, LaidOutFiles, Layout, LogSource, RecordAt, RuleChanges, RuleCheckup,
        RuleDetection, RuleRun, RuleTestFile, RuleTestReport, RunRequest, ShippedRule, check_rules, export_rules,
        lay_out_rules, run_rule, shipped_rules, test_rules, write_junit,
    },
    setup::{NewSink, WrittenSink, options_of, sink_types, type_in_file, write_sink},
    sinks::{Rendered, SinkFailure, SinkReport, SinkWork, render, sink_plans, work_on_sinks},
    times::{future, now, past},
    udm::{UdmReport, check_udm},
};
use crate::batch;
pub use crate::{
    access::{
        AuditEntry, AuditLog, AuditResult, Caller, Credentials, Gate, GateError, KeyCard, KeyError, KeyRequest, NewKey,
        Refusal, Scope as AccessScope, Scopes, Sessions,
    },
    batch::{BatchError, Handover, NoProgress, Nobody, Progress, Repeat, Round, RunEnd},
    config::{
        AttackVersion, Budget, ConfigError, DEFAULT_FILE, FormatChoice, Given, HostName, Listen, OutboxPlan, Overrides,
        Plan, ServePlan, Settings, SinkOption, SinkPlan, Threshold, TimeZone, example, load, schema, show,
    },
    files::FileStamp,
    judgment::{Action, Entry, Feedback, Scope, StandingSuppression, Suppression, Truth},
    outbox::{
        DeadLetter, DeliveryState, Letters, OutboxError, Pending, Progress as LaneProgress, Settled,
        Shown as ShownFinding, SinkStatus, Status,
    },
    parse::ComplaintReason,
    report::live::{Message as PageMessage, Page, Pages, Visitor},
    report::visible::plain,
    report::{AnomalyRecord, BatchSummary, ComplaintSample, ComplaintSummary, FileReport, FileResult, FileStatus},
    rollout::{
        Applied, Change as RuleChange, Edition, End as RolloutEnd, FieldChange, Plan as RulePlan, Pulled, RuleOutcome,
        RuleResult, RuleState, RuleStatus, RuleTrouble, Told as RolloutTold,
    },
    rules::folder::{FolderError, FolderProblems},
    sink::rules::ExecutionState,
    sink::{Attack, Entity, EntityKind, ErrorKind, Finding, Outcome, Severity, Step, Steps, ThreatType},
    source::SourceError,
};

/// Who is told how long work goes, and who may end it.
#[derive(Clone, Copy)]
pub struct Watch<'a> {
    /// Who is told.
    pub progress: &'a dyn Progress,
    /// Becomes true when the work is to end.
    pub stop: &'a AtomicBool,
}

/// Runs the batch job and shows each round.
///
/// # Errors
/// When the output directory can't be taken, and in [`Repeat::Once`] when the round fails.
pub fn run_batch(
    plan: &Plan,
    repeat: Repeat,
    (watch, handover): (Watch<'_>, &dyn Handover),
    show: &mut dyn FnMut(Result<&Round, &BatchError>),
) -> Result<RunEnd, AppError> {
    let model_of = |family: &str| find_model(plan, family);
    let analyzer = FileAnalyzer::new(plan, &model_of);
    let job = batch::Job { plan, analyzer: &analyzer, progress: watch.progress, stop: watch.stop, handover };
    Ok(batch::run(job, repeat, show)?)
}

/// A variable of the process's environment.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}
