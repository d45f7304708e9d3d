//! The reports of an output directory, read back.
//!
//! The directory may hold anything else: what is not ours is counted and left alone, what is ours and broken is told
//! with its place. A file that grew has one report for each part that was read; the parts belong together, so the
//! newest *reading* of a source is its newest report from the first byte and those of the parts after it.

use std::{
    collections::BTreeMap,
    fs,
    io::BufReader,
    path::{Path, PathBuf},
};

use serde::{Deserialize, de::IgnoredAny};

use super::{BatchSummary, FileReport, ReportError};

/// Which reports to take when a source has several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Choice {
    /// Those of the newest reading of each source file.
    #[default]
    Newest,
    /// All.
    All,
}

/// What a directory holds.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The reports, by source file and then by time.
    pub reports: Vec<FileReport>,
    /// The newest batch summary.
    pub summary: Option<BatchSummary>,
    /// Reports that were passed over for a newer one.
    pub superseded: usize,
    /// Files that are not reports.
    pub foreign: usize,
    /// Reports that can't be read.
    pub problems: Vec<Problem>,
}

/// A report that can't be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: {message}", path.display())]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it, with line and column, and what to do.
    pub message: String,
}

/// Reads the reports of a directory (not of those below it).
///
/// # Errors
///
/// When the directory can't be listed, or when it holds neither a report nor the ruin of one.
pub fn load(directory: &Path, choice: Choice) -> Result<Loaded, ReportError> {
    let at = |source| ReportError::Read { path: directory.to_owned(), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(at)? {
        paths.push(entry.map_err(at)?.path());
    }
    paths.sort();

    let mut loaded = Loaded::default();
    let mut summaries: Vec<BatchSummary> = Vec::new();
    for path in paths {
        match read(&path) {
            Ok(Content::Report(report)) => loaded.reports.push(*report),
            Ok(Content::Summary(summary)) => summaries.push(summary),
            Ok(Content::Foreign) => loaded.foreign += 1,
            Err(message) => loaded.problems.push(Problem { path, message }),
        }
    }
    if loaded.reports.is_empty() && loaded.problems.is_empty() {
        return Err(ReportError::NoReports { path: directory.to_owned() });
    }
    loaded.summary = summaries.into_iter().max_by_key(|summary| summary.finished_at);
    let found = loaded.reports.len();
    loaded.reports = choose(std::mem::take(&mut loaded.reports), choice);
    loaded.superseded = found - loaded.reports.len();
    Ok(loaded)
}

/// What a file of an output directory is.
#[derive(Debug)]
pub enum Content {
    /// A report.
    Report(Box<FileReport>),
    /// A batch summary.
    Summary(BatchSummary),
    /// Something else.
    Foreign,
}

/// The keys by which a file is known as ours, whatever else is wrong with it.
#[derive(Deserialize)]
struct Marks {
    source_file: Option<IgnoredAny>,
    processed_at: Option<IgnoredAny>,
    files_processed: Option<IgnoredAny>,
    results: Option<IgnoredAny>,
}

/// Reads one file of an output directory.
///
/// # Errors
/// When it is ours and can't be read: what is wrong with it.
pub fn read(path: &Path) -> Result<Content, String> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if name.starts_with('.') || !has_extension(path, "json") || path.is_dir() {
        return Ok(Content::Foreign);
    }
    let text = fs::read(path).map_err(|error| format!("can't be read: {error}"))?;
    let marks: Marks = match serde_json::from_slice(&text) {
        Ok(marks) => marks,
        // An object of another shape, or no JSON at all: ours only if its name is.
        Err(_) if !is_our_name(name) => return Ok(Content::Foreign),
        Err(error) if error.is_eof() || text.is_empty() => {
            return Err(format!("ends in the middle ({error}); delete it and run the batch again"));
        }
        Err(error) => return Err(format!("is not a report ({error})")),
    };
    let not_readable =
        |error| format!("looks like a report but can't be read ({error}); was it written by another version?");
    if marks.files_processed.is_some() && marks.results.is_some() {
        serde_json::from_slice(&text).map(Content::Summary).map_err(not_readable)
    } else if marks.source_file.is_some() && marks.processed_at.is_some() {
        serde_json::from_reader(BufReader::new(text.as_slice()))
            .map(|report| Content::Report(Box::new(report)))
            .map_err(not_readable)
    } else {
        Ok(Content::Foreign)
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|is| is == extension)
}

/// `NAME_TIMESTAMP.json`: after the last `_` (a time may hold one more) stand digits and the marks of a time.
fn is_our_name(name: &str) -> bool {
    let stem = name.strip_suffix(".json").unwrap_or(name);
    stem.rsplit_once('_').is_some_and(|(_, time)| {
        time.len() >= 6
            && time.starts_with(|letter: char| letter.is_ascii_digit())
            && time.chars().all(|letter| letter.is_ascii_digit() || "TZ-:.+".contains(letter))
    })
}

fn choose(reports: Vec<FileReport>, choice: Choice) -> Vec<FileReport> {
    let mut by_source: BTreeMap<String, Vec<FileReport>> = BTreeMap::new();
    for report in reports {
        by_source.entry(report.source_file.clone()).or_default().push(report);
    }
    for of_source in by_source.values_mut() {
        of_source.sort_by_key(|report| (report.processed_at, report.offset));
        if choice == Choice::Newest {
            let start = of_source.iter().rposition(|report| report.offset == 0).unwrap_or(0);
            of_source.drain(..start);
        }
    }
    by_source.into_values().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;
    use crate::report::fixture;

    fn directory_with(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (name, content) in files {
            fs::write(directory.path().join(name), content).unwrap();
        }
        directory
    }

    fn report(source: &str, processed_at: &str, offset: u64) -> String {
        let report = FileReport {
            source_file: source.to_owned(),
            processed_at: processed_at.parse().unwrap(),
            offset,
            ..fixture::reports()[0].clone()
        };
        serde_json::to_string_pretty(&report).unwrap()
    }

    #[test]
    fn the_newest_reading_of_each_source_is_taken_with_its_later_parts() {
        let directory = directory_with(&[
            ("a_20261114T000000Z.json", &report("logs/a.log", "2026-11-14T00:00:00Z", 0)),
            ("a_20261115T000000Z.json", &report("logs/a.log", "2026-11-15T00:00:00Z", 0)),
            ("a_20261116T000000Z.json", &report("logs/a.log", "2026-11-16T00:00:00Z", 4096)),
            ("b_20261101T000000Z.json", &report("logs/b.log", "2026-11-01T00:00:00Z", 0)),
        ]);
        let newest = load(directory.path(), Choice::Newest).unwrap();
        let taken: Vec<_> = newest.reports.iter().map(|of| (of.source_file.as_str(), of.offset)).collect();
        assert_eq!(taken, [("logs/a.log", 0), ("logs/a.log", 4096), ("logs/b.log", 0)]);
        assert_eq!(newest.reports[0].processed_at, "2026-11-15T00:00:00Z".parse().unwrap());
        assert_eq!(newest.superseded, 1);
        assert_eq!(load(directory.path(), Choice::All).unwrap().reports.len(), 4);
    }

    #[test]
    fn what_was_written_comes_back_whole() {
        let reports = fixture::reports();
        let summary = fixture::summary();
        let directory = directory_with(&[
            ("auth_20261115T060000Z.json", &serde_json::to_string(&reports[0]).unwrap()),
            ("batch_summary_20261115T060000Z.json", &serde_json::to_string(&summary).unwrap()),
        ]);
        let loaded = load(directory.path(), Choice::Newest).unwrap();
        assert_eq!(loaded.reports, reports[..1]);
        assert_eq!(loaded.summary, Some(summary));
    }

    #[test]
    fn foreign_files_are_left_alone_and_broken_ones_named() {
        let whole = report("logs/a.log", "2026-11-14T00:00:00Z", 0);
        let directory = directory_with(&[
            ("a_20261114T000000Z.json", &whole),
            ("b_20261114T000000Z.json", &whole[..whole.len() / 2]),
            ("c_20261114T000000Z.json", &whole.replacen("\"total_events\"", "\"totals\"", 1)),
            ("notes.json", "{\"todo\": []}"),
            ("list.json", "[1, 2"),
            ("processed_files.txt", "logs/a.log\n"),
            ("report.html", "<p>"),
        ]);
        fs::create_dir(directory.path().join("d_20261114T000000Z.json")).unwrap();
        let loaded = load(directory.path(), Choice::Newest).unwrap();
        assert_eq!((loaded.reports.len(), loaded.foreign), (1, 5));
        let problems: Vec<_> = loaded.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("b_20261114T000000Z.json: ends in the middle"), "{}", problems[0]);
        assert!(problems[0].contains("line"), "{}", problems[0]);
        assert!(problems[1].contains("missing field `total_events`"), "{}", problems[1]);
    }

    #[test]
    fn an_empty_or_absent_directory_is_an_error_that_names_it() {
        let directory = directory_with(&[("processed_files.txt", "")]);
        let error = load(directory.path(), Choice::Newest).unwrap_err().to_string();
        assert!(error.starts_with("no report in `") && error.contains("NAME_TIMESTAMP.json"), "{error}");
        let error = load(&directory.path().join("absent"), Choice::Newest).unwrap_err();
        assert!(error.to_string().contains("absent") && error.source().is_some());
    }
}
