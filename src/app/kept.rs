//! Findings of analyses that came with a call, kept beside the reports of the batch: JSON lines, one report each, without
//! its anomalies. A finding that got worse stands there again; its gravest version counts.
//!
//! Several processes may write: a lock of its own stands beside the file, because compacting puts another file in its
//! place. Readers take none. They see the old file or the new one, and of a line that is being written the beginning, which
//! they leave for the next time.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File},
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    files,
    report::{FileReport, Gravity},
    sink::Finding,
};

/// The file's name in the output directory; no report is named so.
const NAME: &str = "analyses.jsonl";
/// The file that is locked.
const LOCK: &str = ".analyses.lock";
/// Where the file is written anew, always under this one name: what a crash leaves of it goes with the next time.
const ANEW: &str = ".analyses.new";

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
    /// How grave the gravest version of each finding is.
    known: HashMap<String, Gravity>,
    /// In all lines, versions that count no more included.
    findings: usize,
    /// What was read so far. Held open, so that no file that is put in its place can have its number.
    file: Option<File>,
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
    /// Where it begins.
    offset: u64,
    bytes: u64,
}

impl Kept {
    /// The file in this directory; it need not exist yet. Nothing is read before [`Kept::refresh`].
    pub(super) fn within(folder: &Path, bounds: Bounds) -> Self {
        Self {
            folder: folder.to_owned(),
            bounds,
            lines: Vec::new(),
            known: HashMap::new(),
            findings: 0,
            file: None,
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
        self.file.is_some()
    }

    /// Whether all findings of a report are kept already, as grave as they are there, as far as is known.
    pub(super) fn knows_all(&self, report: &FileReport) -> bool {
        report.findings.iter().all(|finding| self.knows(finding))
    }

    fn knows(&self, finding: &Finding) -> bool {
        self.known.get(&finding.id).is_some_and(|&known| known >= Gravity::of(finding))
    }

    /// Reads what has come since the last time.
    pub(super) fn refresh(&mut self) -> io::Result<()> {
        let Some(mut file) = self.open()? else { return Ok(()) };
        let length = file.metadata()?.len();
        if length == self.offset {
            self.changed |= self.torn.take().is_some();
            self.file = Some(file);
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        self.file = Some(file);
        let torn_before = self.torn.take();
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |last| last + 1);
        for line in bytes[..whole].split_inclusive(|&byte| byte == b'\n') {
            self.take_line(line);
        }
        if whole < bytes.len() {
            self.torn = Some(format!("{}:{}: ends in the middle", self.path().display(), self.line_count + 1));
        }
        self.changed |= whole > 0 || self.torn != torn_before;
        Ok(())
    }

    /// The file as far as it was read; another one, or one that was cut, from its beginning. `None` when there is none.
    fn open(&mut self) -> io::Result<Option<File>> {
        if let Some(file) = self.file.take()
            && files::is_at(&file, &self.path())?
            && file.metadata()?.len() >= self.offset
        {
            return Ok(Some(file));
        }
        let (file, changed) = match File::open(self.path()) {
            Ok(file) => (Some(file), true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                (None, self.changed || self.offset > 0 || self.torn.is_some())
            }
            Err(error) => return Err(error),
        };
        *self = Self { changed, ..Self::within(&self.folder, self.bounds) };
        Ok(file)
    }

    /// Keeps the findings of these reports that are not kept yet, or only as milder ones; on disk when this returns. How
    /// many they were.
    pub(super) fn keep(&mut self, reports: &[&FileReport]) -> io::Result<usize> {
        let _lock = files::locked(&self.folder.join(LOCK))?;
        self.refresh()?;
        let (mut lines, new) = self.new_lines(reports)?;
        if new == 0 {
            return Ok(0);
        }
        if self.torn.is_some() {
            // A line that a crash cut off is closed, so that it takes none of these with it.
            lines.insert(0, b'\n');
        }
        let mut file = files::append(&self.path())?;
        let before = file.metadata()?.len();
        if let Err(error) = file.write_all(&lines).and_then(|()| file.sync_all()) {
            // What a full disk took of it is no line, and nobody is told that it is kept.
            let _ = file.set_len(before);
            return Err(error);
        }
        self.refresh()?;
        if !self.bounds.hold(self.findings, self.offset)
            && let Err(error) = self.compact()
        {
            // The findings are kept; the next ones try again.
            let file = self.path();
            tracing::warn!(%error, file = %file.display(), "it can't be made smaller and grows beyond its bounds");
        }
        Ok(new)
    }

    fn new_lines(&self, reports: &[&FileReport]) -> io::Result<(Vec<u8>, usize)> {
        let (mut lines, mut seen) = (Vec::new(), HashMap::new());
        for report in reports {
            let mut findings = Vec::new();
            for finding in report.findings.iter().filter(|finding| !self.knows(finding)) {
                let gravity = Gravity::of(finding);
                if seen.get(finding.id.as_str()).is_none_or(|&seen| seen < gravity) {
                    seen.insert(finding.id.as_str(), gravity);
                    findings.push(finding.clone());
                }
            }
            if !findings.is_empty() {
                write_line(&mut lines, report, findings)?;
            }
        }
        Ok((lines, seen.len()))
    }

    fn take_line(&mut self, line: &[u8]) {
        let (offset, bytes) = (self.offset, line.len() as u64);
        self.offset += bytes;
        self.line_count += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match serde_json::from_slice::<FileReport>(line) {
            Ok(mut report) => {
                report.anomalies = Vec::new();
                self.findings += report.findings.len();
                for finding in &report.findings {
                    let gravity = Gravity::of(finding);
                    self.known
                        .entry(finding.id.clone())
                        .and_modify(|known| *known = gravity.max(*known))
                        .or_insert(gravity);
                }
                self.lines.push(Line { report: Arc::new(report), offset, bytes });
            }
            Err(error) => {
                let place = format!("{}:{}", self.path().display(), self.line_count);
                self.damaged.push(format!("{place}: no report: {error}"));
            }
        }
    }

    /// Writes the newest findings into another file and puts it in this one's place. Damaged lines go, and so do versions
    /// that count no more.
    fn compact(&mut self) -> io::Result<()> {
        let mut left = self.bounds.lowered();
        let (mut seen, mut pieces) = (HashSet::new(), Vec::new());
        for line in self.lines.iter().rev() {
            let piece = self.piece(line, &mut seen, &mut left)?;
            pieces.extend(piece);
            if left.findings == 0 || left.bytes == 0 {
                break;
            }
        }
        let path = self.folder.join(ANEW);
        let written = self.write_anew(&path, &pieces).and_then(|()| fs::rename(&path, self.path()));
        if written.is_err() {
            // It may be what fills the disk.
            let _ = fs::remove_file(&path);
        }
        written?;
        if cfg!(unix) {
            File::open(&self.folder)?.sync_all()?;
        }
        self.refresh()
    }

    /// What of a line stays, and is taken from what is left; of one that is too large the gravest findings. The first
    /// finding of all stays, however large it is.
    fn piece<'a>(
        &self,
        line: &'a Line,
        seen: &mut HashSet<&'a str>,
        left: &mut Bounds,
    ) -> io::Result<Option<Piece<'a>>> {
        let is_first = seen.is_empty();
        let all = &line.report.findings;
        let mut counts = |finding: &&'a Finding| self.is_gravest(finding) && seen.insert(&finding.id);
        let mut findings: Vec<&Finding> = all.iter().filter(|finding| counts(finding)).collect();
        if findings.is_empty() {
            return Ok(None);
        }
        if findings.len() == all.len() && left.hold(findings.len(), line.bytes) {
            *left = Bounds { findings: left.findings - findings.len(), bytes: left.bytes - line.bytes };
            return Ok(Some(Piece::Whole(line)));
        }
        findings.sort_by_key(|finding| std::cmp::Reverse(Gravity::of(finding)));
        let mut bytes = size_of_line(&line.report, Vec::new())?;
        let mut fitting = 0;
        for finding in &findings {
            // With a comma.
            let size = serde_json::to_vec(finding).map_err(io::Error::from)?.len() as u64 + 1;
            let is_needed = is_first && fitting == 0;
            if !is_needed && !left.hold(fitting + 1, bytes + size) {
                break;
            }
            (fitting, bytes) = (fitting + 1, bytes + size);
        }
        let is_cut = fitting < findings.len();
        findings.truncate(fitting);
        // What is older than something that did not fit goes, or the oldest would not be what goes first.
        *left = Bounds {
            findings: if is_cut { 0 } else { left.findings - fitting },
            bytes: left.bytes.saturating_sub(bytes),
        };
        Ok((fitting > 0).then_some(Piece::Part(&line.report, findings)))
    }

    fn is_gravest(&self, finding: &Finding) -> bool {
        self.known.get(&finding.id).is_some_and(|&known| known == Gravity::of(finding))
    }

    /// Writes pieces, the newest first, as a file with the newest last.
    fn write_anew(&self, path: &Path, pieces: &[Piece<'_>]) -> io::Result<()> {
        let mut old = self.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let mut new = BufWriter::new(files::anew(path)?);
        let mut line = Vec::new();
        for piece in pieces.iter().rev() {
            match piece {
                Piece::Whole(whole) => {
                    line.resize(usize::try_from(whole.bytes).map_err(io::Error::other)?, 0);
                    old.seek(SeekFrom::Start(whole.offset))?;
                    old.read_exact(&mut line)?;
                    new.write_all(&line)?;
                }
                Piece::Part(report, findings) => {
                    write_line(&mut new, report, findings.iter().copied().cloned().collect())?;
                }
            }
        }
        new.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }

    fn path(&self) -> PathBuf {
        self.folder.join(NAME)
    }
}

/// What of a line stays when the file is written anew.
enum Piece<'a> {
    /// All of it: its bytes are copied.
    Whole(&'a Line),
    /// Some of its findings.
    Part(&'a FileReport, Vec<&'a Finding>),
}

/// Writes a report with these findings and without its anomalies.
fn write_line(out: &mut impl Write, report: &FileReport, findings: Vec<Finding>) -> io::Result<()> {
    let stripped = FileReport {
        source_file: report.source_file.clone(),
        findings,
        anomalies: Vec::new(),
        format: report.format.clone(),
        complaints: report.complaints.clone(),
        timeline: report.timeline.clone(),
        score_histogram: report.score_histogram.clone(),
        ..*report
    };
    serde_json::to_writer(&mut *out, &stripped).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

fn size_of_line(report: &FileReport, findings: Vec<Finding>) -> io::Result<u64> {
    let mut line = Vec::new();
    write_line(&mut line, report, findings)?;
    Ok(line.len() as u64)
}

#[cfg(test)]
mod tests;
