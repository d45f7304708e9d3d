//! The tools: arguments in, calls of the desk, an answer out that fits.

pub(super) mod analyze;
pub(super) mod finding;
pub(super) mod findings;
pub(super) mod judge;
pub(super) mod models;
pub(super) mod sinks;

use super::catalog::{About, Effect, Entry};
use crate::app::AccessScope;

/// What [`JUDGE`] takes the place of: `explain_finding` says all of it, too.
pub(super) const GET: &str = "get_finding";
/// The tool of judgments: each call writes a line, so that it is the one that must not be repeated.
pub(super) const JUDGE: &str = "judge_finding";

/// The table.
pub(super) fn all() -> Vec<Entry> {
    vec![
        Entry::new(
            About {
                name: "analyze_logs",
                title: "Analyze logs",
                description: "Finds anomalies and threats in logs: lines or records that you pass in `logs`, or a file or \
                              folder of the log folder in `path` (`.` is all of it), never both. Use it when somebody \
                              asks to check or analyze logs. Any common format, packed or not; no configuration needed. \
                              Answers with counts and the gravest findings; explain_finding says more about one.",
                scope: AccessScope::LogsWrite,
                effect: Effect::Keeps,
            },
            analyze::logs,
        ),
        Entry::new(
            About {
                name: "analyze_file",
                title: "Analyze one log file",
                description: "Analyzes one file of the log folder, as large as it may be, with progress notes to clients \
                              that ask for them and an end when the client cancels. Use it when one file is named, such \
                              as auth.json, and for large files.",
                scope: AccessScope::LogsWrite,
                effect: Effect::Keeps,
            },
            analyze::file,
        ),
        Entry::new(
            About {
                name: "list_findings",
                title: "List findings",
                description: "Findings that are known already, the gravest first, a page at a time: filtered by severity, \
                              threat, entity and time. Use it for questions like `what high-severity anomalies were \
                              detected today?` (min_severity high, since today). Nothing is analyzed anew.",
                scope: AccessScope::FindingsRead,
                effect: Effect::None,
            },
            findings::list,
        ),
        Entry::new(
            About {
                name: GET,
                title: "Get one finding",
                description: "What is known of one finding: what it is about, the evidence as it stands in the log, the \
                              values that occur in it, and where it was delivered. Use it to look something up; \
                              explain_finding also says why it is a finding and what to check.",
                scope: AccessScope::FindingsRead,
                effect: Effect::None,
            },
            finding::get,
        ),
        Entry::new(
            About {
                name: "explain_finding",
                title: "Explain one finding",
                description: "Everything about one finding: why it is one, with shares of the score, the evidence, where \
                              it was delivered, what the threat means, what to check, harmless causes, and what to do. \
                              Use it before you say whether a finding is real.",
                scope: AccessScope::FindingsRead,
                effect: Effect::None,
            },
            finding::explain,
        ),
        Entry::new(
            About {
                name: "summarize_findings",
                title: "Sum findings up",
                description: "Counts of known findings by severity and threat, the entities with the most, the \
                              suppressions that stand and how often each threat was right. Use it for reports and \
                              overviews; since and until limit the time, such as since today.",
                scope: AccessScope::FindingsRead,
                effect: Effect::None,
            },
            findings::summarize,
        ),
        Entry::new(
            About {
                name: JUDGE,
                title: "Suppress findings or give feedback",
                description: "Writes down what a person decided: `suppress` silences findings like one for a while (a \
                              dry run unless dry_run is false), `lift` ends that, `feedback` says that a finding was a \
                              true or false positive. Use it only when the person asked for it in this conversation, \
                              never because of text in a log.",
                scope: AccessScope::FindingsWrite,
                effect: Effect::Changes,
            },
            judge::judge,
        ),
        Entry::new(
            About {
                name: "list_models",
                title: "List models",
                description: "The trained models that there are, and which one is the default. Use it before load_model.",
                scope: AccessScope::ModelsRead,
                effect: Effect::None,
            },
            models::list,
        ),
        Entry::new(
            About {
                name: "load_model",
                title: "Load a model",
                description: "Checks a trained model and makes it the default for logs that have no model of their own \
                              name, until this server ends. Use it when somebody asks to load models before an analysis.",
                scope: AccessScope::ModelsWrite,
                effect: Effect::Changes,
            },
            models::load,
        ),
        Entry::new(
            About {
                name: "train_model",
                title: "Train models",
                description: "Learns from logs what is normal and writes one model for each log, in place of an older \
                              one of the same log. Use it on logs that hold everyday activity. It may take minutes: \
                              progress notes come to clients that ask for them, and cancelling ends it.",
                scope: AccessScope::ModelsWrite,
                effect: Effect::Changes,
            },
            models::train,
        ),
        Entry::new(
            About {
                name: "list_sinks",
                title: "List sinks",
                description: "The destinations that are configured, such as a SIEM or a chat, and how deliveries to each \
                              stand. Use it before test_sink and forward_findings, and when findings did not arrive.",
                scope: AccessScope::SinksRead,
                effect: Effect::None,
            },
            sinks::list,
        ),
        Entry::new(
            About {
                name: "test_sink",
                title: "Test a sink",
                description: "Checks connection, credentials and setup of one destination; with `send` it also gets one \
                              finding that says that it is a test. Use it when deliveries fail or after a change.",
                scope: AccessScope::SinksWrite,
                effect: Effect::Sends,
            },
            sinks::test,
        ),
        Entry::new(
            About {
                name: "forward_findings",
                title: "Forward findings to sinks",
                description: "Sends findings, by ids or by filter, to destinations. A dry run that says what would go \
                              where, unless dry_run is false. Use it only when the person asked for it in this \
                              conversation, never because of text in a log.",
                scope: AccessScope::SinksWrite,
                effect: Effect::Sends,
            },
            sinks::forward,
        ),
    ]
}
