//! What a front may ask.
//!
//! A front imports nothing but this module; what it needs of the floors below for arguments and presentation is
//! re-exported here.

mod analysis;
mod delivery;
mod demo;
mod findings;
mod outbox;
mod setup;
mod sinks;
mod udm;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, BufWriter, Write},
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::atomic::AtomicBool,
    time::Instant,
};

use jiff::Timestamp;
use serde::Serialize;

use self::analysis::{FileAnalyzer, Told, detect_settings, find_model, model_file, parse_options};
pub use self::{
    delivery::{Bells, ForwardRequest, Forwarded, forward},
    findings::{Findings, read_findings},
    outbox::{dead_letters, export, outbox_status, purge, replay, show_finding},
    setup::{NewSink, WrittenSink, options_of, sink_types, type_in_file, write_sink},
    sinks::{Rendered, SinkFailure, SinkReport, SinkWork, render, sink_plans, work_on_sinks},
    udm::{UdmReport, check_udm},
};
use crate::{
    batch::{self, Analyzer, PartError},
    detect::{DetectError, Detector, LogPart, Run, family_of},
    features::{FEATURE_LIST, Feature},
    model::{self, Model, ModelError},
    parse,
    report::{
        Choice, GlossaryEntry, ReportError, ReportInput, RunFacts, Style, load_reports, render_html, render_terminal,
    },
    source::{self, DiscoverRequest, SourceFile},
};
pub use crate::{
    batch::{BatchError, Handover, NoProgress, Nobody, Progress, Repeat, Round, RunEnd},
    config::{
        AttackVersion, Budget, ConfigError, DEFAULT_FILE, FormatChoice, Given, OutboxPlan, Overrides, Plan, Settings,
        SinkOption, SinkPlan, Threshold, TimeZone, example, load, schema, show,
    },
    outbox::{
        DeadLetter, Letters, OutboxError, Pending, Progress as LaneProgress, Settled, Shown as ShownFinding,
        SinkStatus, Status,
    },
    report::{BatchSummary, ComplaintSample, ComplaintSummary, FileReport, FileResult, FileStatus},
    sink::{ErrorKind, Finding, Outcome, Severity, Step, Steps},
    source::SourceError,
};

/// Why a front does not get what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A batch did not take place.
    #[error(transparent)]
    Batch(#[from] BatchError),
    /// A log can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The detector can't go on.
    #[error(transparent)]
    Detect(DetectError),
    /// A model can't be read or written.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Reports can't be read or made.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The outbox can't be used.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// A file can't be written.
    #[error("can't write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A log was read in part only.
    #[error("{file} was read in part only: {reason}")]
    CutShort {
        /// The log.
        file: String,
        /// Why.
        reason: String,
    },
    /// There is no sink of this name.
    #[error("there is no sink `{name}`, expected one of: {known}")]
    NoSuchSink {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
    /// There is no sink at all.
    #[error("{file} has no sink that is switched on; `watchbell setup` makes one")]
    NoSinks {
        /// The configuration.
        file: String,
    },
    /// A sink can't be built any more, though it could when the configuration was read.
    #[error("the sink `{name}`: {message}")]
    Sink {
        /// The sink.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A file holds no findings.
    #[error("{}: {message}", path.display())]
    Findings {
        /// The file.
        path: PathBuf,
        /// What was expected.
        message: String,
    },
    /// A sink can't be set up this way.
    #[error("{0}")]
    Setup(String),
    /// The threads that wait for the network can't be had.
    #[error("cannot start the network's runtime")]
    Runtime(#[source] io::Error),
    /// The work was stopped.
    #[error("stopped")]
    Stopped,
}

impl From<DetectError> for AppError {
    fn from(error: DetectError) -> Self {
        match error {
            DetectError::Stopped => Self::Stopped,
            error => Self::Detect(error),
        }
    }
}

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
    let analyzer = FileAnalyzer { plan, parse: parse_options(plan) };
    let job = batch::Job { plan, analyzer: &analyzer, progress: watch.progress, stop: watch.stop, handover };
    Ok(batch::run(job, repeat, show)?)
}

/// A variable of the process's environment.
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// What a report over several files is made of, and where it was written.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reported {
    /// The reports.
    pub reports: Vec<FileReport>,
    /// The HTML file.
    pub html: Option<PathBuf>,
}

/// Runs the detector over the logs that travel inside the program, and writes `report.html` into a folder.
///
/// # Errors
/// When the folder can't be written.
pub fn demo(folder: &Path, watch: Watch<'_>) -> Result<Reported, AppError> {
    let began = Instant::now();
    let logs = folder.join("logs");
    demo::unpack(&logs).map_err(|source| AppError::Write { path: logs.clone(), source })?;
    let plan = Plan::new(Settings::default(), std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))?;
    let found = source::discover(&DiscoverRequest { paths: vec![logs], ..DiscoverRequest::default() })?;
    let parts: Vec<batch::LogPart> = found
        .files
        .into_iter()
        .map(|file| batch::LogPart { file, from_offset: 0, first_line: 1, first_event: 0 })
        .collect();
    let analyzer = FileAnalyzer { plan: &plan, parse: parse_options(&plan) };
    let mut reports = Vec::new();
    for (part, analysis) in parts.iter().zip(analyzer.analyze(&parts, watch.progress, watch.stop)) {
        match analysis {
            Ok(analysis) => reports.push(analysis.report),
            Err(PartError::Stopped) => return Err(AppError::Stopped),
            Err(error) => return Err(AppError::CutShort { file: part.file.name.clone(), reason: error.to_string() }),
        }
    }
    let html = folder.join("report.html");
    let facts = RunFacts { elapsed_secs: Some(began.elapsed().as_secs_f64()), ..facts(&reports, "watchbell demo", "") };
    write_html(&html, &reports, None, &facts)?;
    Ok(Reported { reports, html: Some(html) })
}

/// What reports say, for a terminal of this many columns; with color, which the terminal's stream takes out again where
/// none is wanted.
#[must_use]
pub fn summary_text(reports: &[FileReport], summary: Option<&BatchSummary>, width: usize) -> String {
    let run = facts(reports, "", "");
    render_terminal(ReportInput { reports, summary, run: &run }, Style { color: true, width })
}

/// Facts about a run that ends now.
fn facts(reports: &[FileReport], command_line: &str, reports_at: &str) -> RunFacts {
    RunFacts {
        command_line: command_line.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        model: "learned from this input".to_owned(),
        threshold: reports.first().map_or(Threshold::DEFAULT.value(), |report| report.threshold),
        generated_at: Timestamp::now(),
        elapsed_secs: None,
        reports_at: reports_at.to_owned(),
        glossary: FEATURE_LIST.iter().map(glossary_entry).collect(),
    }
}

fn glossary_entry(feature: &Feature) -> GlossaryEntry {
    GlossaryEntry { feature: feature.name.to_owned(), meaning: feature.meaning.to_owned() }
}

/// Temporary files are their owner's alone; a page is made for others, as far as the umask lets them.
fn readable_by_all() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

fn write_html(
    file: &Path,
    reports: &[FileReport],
    summary: Option<&BatchSummary>,
    run: &RunFacts,
) -> Result<(), AppError> {
    let page = render_html(ReportInput { reports, summary, run })?;
    let failed = |source| AppError::Write { path: file.to_owned(), source };
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(failed)?;
    let mut written = readable_by_all().tempfile_in(folder).map_err(failed)?;
    written.write_all(page.as_bytes()).map_err(failed)?;
    written.persist(file).map_err(|error| failed(error.error))?;
    Ok(())
}

/// What is in a file, as it is understood.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// The file as the user named it.
    pub file: String,
    /// Format and dialect, for example `json lines (CloudTrail)`.
    pub format: String,
    /// Records seen, understood or not.
    pub records: u64,
    /// Events among them.
    pub events: u64,
    /// For each field of an event what fills it.
    pub fields: Vec<FieldMapping>,
    /// What was not understood.
    pub complaints: Vec<ComplaintSummary>,
}

impl Inspection {
    fn new(file: String, seen: parse::Inspection) -> Self {
        let mut fields: Vec<FieldMapping> = Vec::new();
        for mapped in seen.mapping {
            let field = mapped.slot.to_string();
            if let Some(known) = fields.iter_mut().find(|known| known.field == field) {
                known.names.push(mapped.path);
                known.filled += mapped.count;
                continue;
            }
            let values = seen.samples.iter().flat_map(|sample| &sample.fields);
            let example = values.clone().find(|(name, _)| *name == field).map(|(_, value)| value.clone());
            fields.push(FieldMapping { field, names: vec![mapped.path], filled: mapped.count, example });
        }
        let complaints = seen.complaints.into_iter().map(|(reason, (count, located))| ComplaintSummary {
            reason,
            count,
            samples: located.into_iter().map(sample_of).collect(),
        });
        Self {
            file,
            format: seen.dialect,
            records: seen.records,
            events: seen.events,
            fields,
            complaints: complaints.collect(),
        }
    }
}

fn sample_of(located: parse::LocatedComplaint) -> ComplaintSample {
    let parse::Complaint { detail, sample, .. } = located.complaint;
    ComplaintSample { line: located.line, detail, sample }
}

/// What fills one field of an event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FieldMapping {
    /// The field.
    pub field: String,
    /// The names in the records that fill it, most frequent first.
    pub names: Vec<String>,
    /// In how many events it is filled.
    pub filled: u64,
    /// The first value.
    pub example: Option<String>,
}

/// Reads the beginning of a file, or all of it, and says how it is understood.
///
/// # Errors
/// When it can't be read.
pub fn inspect(file: &Path, plan: &Plan, watch: Watch<'_>) -> Result<Inspection, AppError> {
    let log = open_source(file)?;
    watch.progress.begin("reading", log.file.size.unwrap_or(0));
    let seen = parse::inspect(&log.file, &parse_options(plan))?;
    watch.progress.end();
    if let Some(error) = &seen.error {
        tracing::warn!(error = error as &dyn std::error::Error, "read in part only");
    }
    Ok(Inspection::new(log.file.name, seen))
}

/// A file to read more than once; standard input is kept in a temporary file for that.
struct OpenSource {
    file: SourceFile,
    _kept: Option<tempfile::NamedTempFile>,
}

fn open_source(path: &Path) -> Result<OpenSource, AppError> {
    if path.as_os_str() != "-" {
        return Ok(OpenSource { file: SourceFile::at(0, path)?, _kept: None });
    }
    let failed = |source| AppError::Write { path: std::env::temp_dir(), source };
    let mut kept = tempfile::NamedTempFile::new().map_err(failed)?;
    io::copy(&mut io::stdin().lock(), &mut kept).map_err(failed)?;
    let file = SourceFile { name: "-".to_owned(), ..SourceFile::at(0, kept.path())? };
    Ok(OpenSource { file, _kept: Some(kept) })
}

/// What scoring a file gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scored {
    /// Events scored: lines written.
    pub events: u64,
    /// Those at or over the threshold.
    pub anomalies: u64,
    /// Records that were not understood.
    pub complaints: u64,
}

/// Writes one line for each event of a file, in its order: `{"id","anomaly_score","threat_type","severity"}`. `-` as
/// `out` is standard output.
///
/// # Errors
/// When the file can't be read, the model can't be loaded, or the lines can't be written.
pub fn score(file: &Path, out: &Path, plan: &Plan, watch: Watch<'_>) -> Result<Scored, AppError> {
    let log = open_source(file)?;
    let settings = detect_settings(plan);
    let detector = match find_model(plan, &family_of(&log.file.name))? {
        Some(model) => Detector::with_model(settings, model),
        None => Detector::new(settings),
    };
    let parts = [LogPart::whole(log.file.clone())];
    let told = Told::new(watch.progress, &parts);
    let parse = parse_options(plan);
    let run = Run { parse: &parse, now: Timestamp::now(), progress: &told, stop: watch.stop };
    let failed = |source| AppError::Write { path: out.to_owned(), source };
    let summary = if out.as_os_str() == "-" {
        let mut stdout = io::stdout().lock();
        detector.score(&parts[0], run, &mut |lines| stdout.write_all(lines))?
    } else {
        let mut written = BufWriter::new(File::create(out).map_err(failed)?);
        let summary = detector.score(&parts[0], run, &mut |lines| written.write_all(lines))?;
        written.flush().map_err(failed)?;
        summary
    };
    watch.progress.end();
    match summary.error {
        Some(reason) => Err(AppError::CutShort { file: summary.file, reason }),
        None => Ok(Scored { events: summary.events, anomalies: summary.anomalies, complaints: summary.lost }),
    }
}

/// What a model is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelCard {
    /// The file.
    pub file: PathBuf,
    /// Its parts by name: version, events learned from, checksum and so on, in the order in which people read them.
    pub facts: Vec<(String, String)>,
}

/// Learns from the logs of the plan and writes a model into its model directory.
///
/// # Errors
/// When no log can be read, or the model can't be written.
pub fn train(plan: &Plan, watch: Watch<'_>) -> Result<Vec<ModelCard>, AppError> {
    let folder = plan.batch.model_dir.clone().unwrap_or_else(|| PathBuf::from("models"));
    fs::create_dir_all(&folder).map_err(|source| AppError::Write { path: folder.clone(), source })?;
    let found = source::discover(&batch::request(plan))?;
    for problem in &found.problems {
        tracing::warn!(error = problem as &dyn std::error::Error, "left out");
    }
    let mut families: BTreeMap<String, Vec<SourceFile>> = BTreeMap::new();
    for file in found.files {
        families.entry(family_of(&file.name)).or_default().push(file);
    }
    let parse = parse_options(plan);
    let mut cards = Vec::new();
    for (family, mut files) in families {
        files.sort_by_key(|file| (file.modified, file.index));
        let parts: Vec<LogPart> = files.into_iter().map(LogPart::whole).collect();
        let told = Told::new(watch.progress, &parts);
        let run = Run { parse: &parse, now: Timestamp::now(), progress: &told, stop: watch.stop };
        let (model, read) = Detector::new(detect_settings(plan)).train(&family, &parts, run)?;
        watch.progress.end();
        for part in &read {
            if let Some(error) = &part.error {
                tracing::warn!(file = part.file, error, "read in part only");
            }
        }
        if model.events == 0 {
            tracing::warn!(log = family, "no event to learn from");
            continue;
        }
        let file = model_file(&folder, &family);
        model::save(&model, &file)?;
        cards.push(ModelCard::new(file, &model));
    }
    Ok(cards)
}

impl ModelCard {
    fn new(file: PathBuf, model: &Model) -> Self {
        let facts = [
            ("log", model.name.clone()),
            ("trained at", model.trained_at.to_string()),
            ("events", model.events.to_string()),
            ("actors", model.tracker.actors().to_string()),
            ("addresses", model.tracker.addresses().to_string()),
            ("pairs", model.tracker.pairs().to_string()),
            ("features", FEATURE_LIST.len().to_string()),
        ];
        Self { file, facts: facts.map(|(name, value)| (name.to_owned(), value)).into() }
    }
}

/// Reads a model and says what it is.
///
/// # Errors
/// When it can't be read or is no model.
pub fn show_model(file: &Path) -> Result<ModelCard, AppError> {
    Ok(ModelCard::new(file.to_owned(), &model::load(file)?))
}

/// Writes everything in an output directory into one HTML file.
///
/// # Errors
/// When there is no report, or the file can't be written.
pub fn report(output_dir: &Path, html: &Path) -> Result<Reported, AppError> {
    let loaded = load_reports(output_dir, Choice::Newest)?;
    for problem in &loaded.problems {
        tracing::warn!("{problem}");
    }
    let place = output_dir.display().to_string();
    let facts = facts(&loaded.reports, "watchbell batch", &place);
    write_html(html, &loaded.reports, loaded.summary.as_ref(), &facts)?;
    Ok(Reported { reports: loaded.reports, html: Some(html.to_owned()) })
}
