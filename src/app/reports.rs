//! What was found, for people: in the terminal, and as one HTML file.

use std::{
    fs,
    io::Write,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    time::Instant,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{AppError, Watch, analysis::FileAnalyzer, demo as sample_logs, findings::Directory};
use crate::{
    batch::{self, Analyzer, PartError},
    config::{Plan, Settings, Threshold},
    features::{FEATURE_LIST, Feature},
    report::{
        BatchSummary, Choice, FileReport, GlossaryEntry, ReportInput, RunFacts, Style, render_html, render_terminal,
    },
    source::{self, DiscoverRequest},
};

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
    sample_logs::unpack(&logs).map_err(|source| AppError::Write { path: logs.clone(), source })?;
    let plan = Plan::new(Settings::default(), std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))?;
    let found = source::discover(&DiscoverRequest { paths: vec![logs], ..DiscoverRequest::default() })?;
    let parts: Vec<batch::LogPart> = found
        .files
        .into_iter()
        .map(|file| batch::LogPart { file, from_offset: 0, first_line: 1, first_event: 0 })
        .collect();
    let analyzer = FileAnalyzer::new(&plan, &|_| Ok(None));
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

/// Writes everything in an output directory into one HTML file, what analyses left there too.
///
/// # Errors
/// When there is no report, or the file can't be written.
pub fn report(output_dir: &Path, html: &Path) -> Result<Reported, AppError> {
    let loaded = Directory::load(output_dir, Choice::Newest)?;
    for problem in &loaded.problems {
        tracing::warn!("{problem}");
    }
    let place = output_dir.display().to_string();
    let facts = facts(&loaded.reports, "watchbell batch", &place);
    write_html(html, &loaded.reports, loaded.summary.as_ref(), &facts)?;
    Ok(Reported { reports: loaded.reports, html: Some(html.to_owned()) })
}
