//! One log: how it is understood, and a score for each of its events.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::Path,
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    AppError, Watch,
    analysis::{Told, detect_settings, find_model, parse_options},
};
use crate::{
    config::Plan,
    detect::{Detector, LogPart, Run, family_of},
    parse,
    report::{ComplaintSample, ComplaintSummary},
    source::SourceFile,
};

/// What is in a file, as it is understood.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
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
