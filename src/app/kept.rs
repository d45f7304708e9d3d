//! Findings of analyses that came with a call, kept beside the reports of the batch: JSON lines, one report each, without
//! its anomalies.
//!
//! Several processes may write: a lock of its own stands beside the file, because compacting puts another file in its
//! place. Readers take none. They see the old file or the new one, and of a line that is being written the beginning, which
//! they leave for the next time.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::NamedTempFile;

use crate::report::FileReport;

/// The file's name in the output directory; no report is named so.
const NAME: &str = "analyses.jsonl";
/// The file that is locked.
const LOCK: &str = ".analyses.lock";

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Findings.
    pub(super) findings: usize,
    /// Bytes of the file.
    pub(super) bytes: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        // A finding with its evidence is some kilobytes; this is what a process may well hold in memory.
        Self { findings: 10_000, bytes: 64 << 20 }
    }
}

impl Bounds {
    /// What is left after compacting: less, so that it is not done for each new finding.
    fn lowered(self) -> Self {
        Self { findings: self.findings - self.findings / 4, bytes: self.bytes - self.bytes / 4 }
    }

    fn hold(self, findings: usize, bytes: u64) -> bool {
        findings <= self.findings && bytes <= self.bytes
    }
}

/// The file, and what of it has been read.
#[derive(Debug)]
pub(super) struct Kept {
    folder: PathBuf,
    bounds: Bounds,
    lines: Vec<Line>,
    ids: HashSet<String>,
    findings: usize,
    /// Which file it was that was read so far.
    number: Option<u64>,
    offset: u64,
    line_count: usize,
    damaged: Vec<String>,
    /// A last line that does not end.
    torn: Option<String>,
    /// Whether anything came since it was last asked.
    changed: bool,
}

#[derive(Debug)]
struct Line {
    report: Arc<FileReport>,
    bytes: u64,
}

impl Kept {
    /// The file in this directory; it need not exist yet. Nothing is read before [`Kept::refresh`].
    pub(super) fn within(folder: &Path, bounds: Bounds) -> Self {
        Self {
            folder: folder.to_owned(),
            bounds,
            lines: Vec::new(),
            ids: HashSet::new(),
            findings: 0,
            number: None,
            offset: 0,
            line_count: 0,
            damaged: Vec::new(),
            torn: None,
            changed: false,
        }
    }

    /// Whether anything has come or gone since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// The reports, in the order in which they were kept.
    pub(super) fn reports(&self) -> impl Iterator<Item = &Arc<FileReport>> {
        self.lines.iter().map(|line| &line.report)
    }

    /// Lines that can't be read.
    pub(super) fn problems(&self) -> impl Iterator<Item = &String> {
        self.damaged.iter().chain(&self.torn)
    }

    /// Whether there is a file at all.
    pub(super) fn is_there(&self) -> bool {
        self.number.is_some()
    }

    /// Whether all findings of a report are kept already, as far as is known.
    pub(super) fn knows_all(&self, report: &FileReport) -> bool {
        report.findings.iter().all(|finding| self.ids.contains(&finding.id))
    }

    /// Reads what has come since the last time.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        let mut file = match File::open(self.path()) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let changed = self.changed || self.is_there();
                *self = Self { changed, ..Self::within(&self.folder, self.bounds) };
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        let number = Some(number(&metadata));
        let is_other = self.number != number || metadata.len() < self.offset;
        if is_other {
            *self = Self { number, changed: true, ..Self::within(&self.folder, self.bounds) };
        } else if metadata.len() == self.offset {
            self.changed |= self.torn.take().is_some();
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let torn_before = self.torn.take();
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |last| last + 1);
        for line in bytes[..whole].split_inclusive(|&byte| byte == b'\n') {
            self.take_line(line);
        }
        self.offset += whole as u64;
        if whole < bytes.len() {
            self.torn = Some(format!("{}:{}: ends in the middle", self.path().display(), self.line_count + 1));
        }
        self.changed |= whole > 0 || self.torn != torn_before;
        Ok(())
    }

    /// Keeps the findings of these reports that are not kept yet; on disk when this returns. How many they were.
    pub(super) fn keep(&mut self, reports: &[&FileReport]) -> io::Result<usize> {
        fs::create_dir_all(&self.folder)?;
        let lock = private(&self.folder.join(LOCK))?;
        // Ends with the file, however this process ends.
        lock.lock()?;
        self.refresh()?;
        let (lines, new) = self.new_lines(reports)?;
        if new == 0 {
            return Ok(0);
        }
        let mut file = private(&self.path())?;
        if self.torn.is_some() {
            // A line that a crash cut off is closed, so that it takes none of these with it.
            file.write_all(b"\n")?;
        }
        file.write_all(&lines)?;
        file.sync_all()?;
        self.refresh()?;
        if !self.bounds.hold(self.findings, self.offset) {
            self.compact()?;
        }
        Ok(new)
    }

    fn new_lines(&self, reports: &[&FileReport]) -> io::Result<(Vec<u8>, usize)> {
        let (mut lines, mut seen) = (Vec::new(), HashSet::new());
        for report in reports {
            let is_new = |id: &String| !self.ids.contains(id);
            let new = report.findings.iter().filter(|finding| is_new(&finding.id) && seen.insert(finding.id.clone()));
            let findings: Vec<_> = new.cloned().collect();
            if findings.is_empty() {
                continue;
            }
            let stripped = FileReport {
                source_file: report.source_file.clone(),
                findings,
                anomalies: Vec::new(),
                format: report.format.clone(),
                complaints: report.complaints.clone(),
                timeline: report.timeline.clone(),
                score_histogram: report.score_histogram.clone(),
                ..**report
            };
            serde_json::to_writer(&mut lines, &stripped).map_err(io::Error::from)?;
            lines.push(b'\n');
        }
        Ok((lines, seen.len()))
    }

    fn take_line(&mut self, line: &[u8]) {
        self.line_count += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match serde_json::from_slice::<FileReport>(line) {
            Ok(mut report) => {
                report.anomalies = Vec::new();
                self.findings += report.findings.len();
                self.ids.extend(report.findings.iter().map(|finding| finding.id.clone()));
                self.lines.push(Line { report: Arc::new(report), bytes: line.len() as u64 });
            }
            Err(error) => {
                let place = format!("{}:{}", self.path().display(), self.line_count);
                self.damaged.push(format!("{place}: no report: {error}"));
            }
        }
    }

    /// Writes the newest lines into another file and puts it in this one's place. Damaged lines go.
    fn compact(&mut self) -> io::Result<()> {
        let bounds = self.bounds.lowered();
        let (mut findings, mut bytes) = (0, 0);
        let newest = self.lines.iter().rev().take_while(|line| {
            findings += line.report.findings.len();
            bytes += line.bytes;
            bounds.hold(findings, bytes)
        });
        // The newest one stays, however large it is.
        let kept = newest.count().max(1).min(self.lines.len());
        let mut file = NamedTempFile::new_in(&self.folder)?;
        for line in &self.lines[self.lines.len() - kept..] {
            serde_json::to_writer(&mut file, &*line.report).map_err(io::Error::from)?;
            file.write_all(b"\n")?;
        }
        file.as_file().sync_all()?;
        file.persist(self.path()).map_err(|error| error.error)?;
        if cfg!(unix) {
            File::open(&self.folder)?.sync_all()?;
        }
        self.refresh()
    }

    fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }
}

/// Opens a file for appending; what is made anew only its owner reads, because log text stands there.
fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn number(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

/// Without numbers a file that was put in this one's place is known by being shorter, as compacting makes it.
#[cfg(not(unix))]
fn number(_metadata: &fs::Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests;
