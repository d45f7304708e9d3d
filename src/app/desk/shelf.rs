//! The reports at hand: those of the batch, as they stand in its directory, and those of analyses that came with a call.
//!
//! Files are read again when their names, sizes or times have changed. Anomalies are left out: a report lists ten thousand
//! with their records, and what is asked here is about findings.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    app::{
        AppError,
        findings::Pool,
        kept::{Bounds, Kept},
    },
    config::Plan,
    files::FileStamp,
    report::{
        FileReport, each_once,
        load::{Content, read},
    },
    sink::Finding,
};

/// Listing the directory may take this share of the time: one part in so many.
const SHARE: u32 = 20;
/// No listing is older than this.
const OLDEST: Duration = Duration::from_secs(1);

/// Where reports are.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: PathBuf,
    state: Mutex<State>,
    kept: Mutex<Kept>,
    /// Reports that wait to be kept: whoever gets at the file writes them all, with one sync.
    waiting: Mutex<Vec<Arc<Keeping>>>,
}

#[derive(Debug)]
struct State {
    files: BTreeMap<OsString, (FileStamp, Known)>,
    view: Arc<View>,
    listed: Option<(Instant, Duration)>,
}

#[derive(Debug)]
enum Known {
    Report(Arc<FileReport>),
    Broken(String),
    Foreign,
}

/// Reports on their way into the file, and what came of it.
#[derive(Debug)]
struct Keeping {
    reports: Vec<FileReport>,
    done: OnceLock<Result<usize, io::ErrorKind>>,
}

/// All reports at one moment.
#[derive(Debug)]
pub(super) struct View {
    /// The reports without their anomalies: those of the batch by source and time, then those of analyses by time.
    pub(super) reports: Arc<[Arc<FileReport>]>,
    /// Where each finding stands in its gravest version: report and number in it.
    places: Vec<(u32, u32)>,
    /// What could not be read.
    pub(super) problems: Vec<String>,
}

impl View {
    fn new(reports: Vec<Arc<FileReport>>, problems: Vec<String>) -> Self {
        let findings = (0_u32..).zip(&reports).flat_map(|(at, report)| {
            (0_u32..).zip(&report.findings).map(move |(number, finding)| ((at, number), finding))
        });
        let places = each_once(findings, |(_, finding)| finding).into_iter().map(|(place, _)| place).collect();
        Self { reports: reports.into(), places, problems }
    }

    /// How many findings there are.
    pub(super) fn count(&self) -> usize {
        self.places.len()
    }

    /// All findings, each once, in its gravest version.
    pub(super) fn pool(&self) -> Pool<'_> {
        let at =
            |&(report, number): &(u32, u32)| -> &Finding { &self.reports[report as usize].findings[number as usize] };
        Pool { findings: self.places.iter().map(at).collect(), problems: &self.problems }
    }
}

impl Shelf {
    pub(super) fn new(plan: &Plan) -> Self {
        Self::within(&plan.batch.output_dir, Bounds::default())
    }

    pub(super) fn within(folder: &Path, bounds: Bounds) -> Self {
        let view = Arc::new(View::new(Vec::new(), Vec::new()));
        Self {
            folder: folder.to_owned(),
            state: Mutex::new(State { files: BTreeMap::new(), view, listed: None }),
            kept: Mutex::new(Kept::within(folder, bounds)),
            waiting: Mutex::default(),
        }
    }

    /// Keeps what analyses found, as far as it is new or graver than what is kept; how many findings that is, those of others that were kept
    /// with them included.
    pub(super) fn keep(&self, mut reports: Vec<FileReport>) -> Result<usize, AppError> {
        {
            let kept = lock(&self.kept);
            reports.retain(|report| !kept.knows_all(report));
        }
        if reports.is_empty() {
            return Ok(0);
        }
        let keeping = Arc::new(Keeping { reports, done: OnceLock::new() });
        lock(&self.waiting).push(Arc::clone(&keeping));
        let mut kept = lock(&self.kept);
        if keeping.done.get().is_none() {
            let waiting = std::mem::take(&mut *lock(&self.waiting));
            let all: Vec<&FileReport> = waiting.iter().flat_map(|keeping| &keeping.reports).collect();
            let done = kept.keep(&all);
            // Told by whoever wrote; the others have nothing new beside that.
            let others = done.as_ref().map(|_| 0).map_err(io::Error::kind);
            for keeping in &waiting {
                keeping.done.get_or_init(|| others);
            }
            return done.map_err(|source| self.unwritable(source));
        }
        let done = keeping.done.get().copied().unwrap_or(Ok(0));
        done.map_err(|kind| self.unwritable(kind.into()))
    }

    fn unwritable(&self, source: io::Error) -> AppError {
        AppError::Unkept { path: self.folder.clone(), source }
    }

    /// The directory is looked at again, however short ago that was.
    pub(super) fn look_again(&self) {
        lock(&self.state).listed = None;
    }

    /// All reports as they are now.
    pub(super) fn view(&self) -> Result<Arc<View>, AppError> {
        let mut state = lock(&self.state);
        let unreadable = |source| AppError::Read { path: self.folder.clone(), source };
        let is_fresh = state.listed.is_some_and(|(at, took)| at.elapsed() < (took * SHARE).min(OLDEST));
        let mut changed = false;
        if !is_fresh {
            let began = Instant::now();
            changed = state.list(&self.folder).map_err(unreadable)?;
            state.listed = Some((Instant::now(), began.elapsed()));
        }
        let mut kept = lock(&self.kept);
        // What this process keeps is read at once, so that this also tells of changes since the last view.
        kept.refresh().map_err(unreadable)?;
        if changed || kept.take_changed() {
            state.view = Arc::new(state.build(&kept));
        }
        Ok(Arc::clone(&state.view))
    }
}

impl State {
    /// Reads what is new in the directory and forgets what is gone; whether that was anything.
    fn list(&mut self, folder: &Path) -> io::Result<bool> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let held = !self.files.is_empty();
                self.files.clear();
                return Ok(held);
            }
            Err(error) => return Err(error),
        };
        let (mut changed, mut files) = (false, BTreeMap::new());
        for entry in entries {
            let entry = entry?;
            let (name, path) = (entry.file_name(), entry.path());
            // What goes away between listing and looking is gone.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            if !metadata.is_file() {
                continue;
            }
            let stamp = FileStamp::of_metadata(&metadata);
            let known = match self.files.remove(&name) {
                Some((before, known)) if before == stamp => known,
                _ => {
                    changed = true;
                    known(&path)
                }
            };
            files.insert(name, (stamp, known));
        }
        changed |= !self.files.is_empty();
        self.files = files;
        Ok(changed)
    }

    fn build(&self, kept: &Kept) -> View {
        let known = || self.files.values().map(|(_, known)| known);
        let mut reports: Vec<Arc<FileReport>> = known()
            .filter_map(|known| if let Known::Report(report) = known { Some(Arc::clone(report)) } else { None })
            .collect();
        reports.sort_by(|one, other| {
            let order = one.source_file.cmp(&other.source_file);
            order.then_with(|| (one.processed_at, one.offset).cmp(&(other.processed_at, other.offset)))
        });
        reports.extend(kept.reports().cloned());
        let broken = known().filter_map(|known| if let Known::Broken(problem) = known { Some(problem) } else { None });
        let problems = broken.chain(kept.problems()).cloned().collect();
        View::new(reports, problems)
    }
}

fn known(path: &Path) -> Known {
    match read(path) {
        Ok(Content::Report(mut report)) => {
            report.anomalies = Vec::new();
            Known::Report(Arc::from(report))
        }
        Ok(Content::Summary(_) | Content::Foreign) => Known::Foreign,
        Err(message) => Known::Broken(format!("{}: {message}", path.display())),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
