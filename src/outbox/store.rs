//! The store: who may open it, and what can be asked of it.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::watch;
use watchbell_sink::{Finding, Memory};

use super::{
    OutboxError,
    clock::{Clock, Millis, SystemClock},
    failpoint::Failpoints,
    failures::Failures,
    intake::{self, Accepted, Incoming, Route},
    letters::{self, DeadLetter, Letters, Shown},
    lock::{Lock, NotLocked},
    memory::{self, DurableMemory},
    schema,
    status::{self, Status},
    writer::{Durability, Writer},
};

/// Where an outbox is, and how large it may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its folder; made when it is not there.
    pub folder: PathBuf,
    /// Above so many bytes findings are refused. What was accepted stays and is delivered.
    pub max_bytes: u64,
}

/// Findings on disk, and where each of them still has to go.
///
/// Clones are the same outbox. It is closed when the last one is gone.
#[derive(Clone)]
pub struct Outbox {
    pub(super) inner: Arc<Inner>,
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("folder", &self.inner.place.folder).finish_non_exhaustive()
    }
}

impl Outbox {
    /// Opens an outbox to accept and deliver; one process at a time.
    ///
    /// A damaged database is set aside under another name, an empty one started, and that told as an error in the log
    /// and in [`Outbox::status`].
    ///
    /// # Errors
    /// [`OutboxError::Busy`] when another process has it; what the file system or the database says.
    pub fn open(place: &Place) -> Result<Self, OutboxError> {
        Self::open_with(place, Arc::new(SystemClock))
    }

    /// The same with another source of time.
    ///
    /// # Errors
    /// Those of [`Outbox::open`].
    pub fn open_with(place: &Place, clock: Arc<dyn Clock>) -> Result<Self, OutboxError> {
        make_folder(&place.folder)?;
        let lock = take_lock(&place.folder)?;
        let connection = schema::open_or_quarantine(&place.folder, clock.now())?;
        let failpoints = Arc::new(Failpoints::from_environment());
        let writer = Writer::start(connection, &place.folder, Arc::clone(&failpoints))?;
        Ok(Self { inner: Arc::new(Inner::new(place, clock, failpoints, Some((writer, lock)))) })
    }

    /// Opens an outbox to look, also while another process delivers from it. Nothing is written.
    ///
    /// # Errors
    /// [`OutboxError::Absent`] when there is none; what the file system or the database says.
    pub fn read_only(place: &Place) -> Result<Self, OutboxError> {
        let path = place.folder.join(schema::FILE);
        if !path.exists() {
            return Err(OutboxError::Absent { folder: place.folder.clone() });
        }
        let inner = Inner::new(place, Arc::new(SystemClock), Arc::default(), None);
        let connection = inner.reader()?;
        schema::refuse_newer(&connection, &path)?;
        inner.give_back(connection);
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Accepts findings for the sinks whose routes take them. When it returns they are on disk; when it fails none of
    /// them is. A finding that a sink was given before is not given to it again.
    ///
    /// # Errors
    /// [`OutboxError::Full`] and [`OutboxError::DiskFull`] when there is no room; what the database says.
    pub fn accept(&self, findings: &[Finding], routes: &[Route]) -> Result<Accepted, OutboxError> {
        let incoming: Vec<Incoming> = findings.iter().map(|finding| Incoming::new(finding, routes)).collect();
        let sinks: Vec<String> = routes.iter().map(|route| route.sink.clone()).collect();
        let (now, place) = (self.inner.clock.now(), self.inner.place.clone());
        let accepted = self.inner.write(Durability::Power, move |connection| {
            let accepted = intake::accept(connection, &incoming, &sinks, now)?;
            let used = intake::used_bytes(connection).map_err(OutboxError::database("measure"))?;
            if accepted.deliveries > 0 && used > place.max_bytes {
                return Err(OutboxError::Full { folder: place.folder, used, max: place.max_bytes });
            }
            Ok(accepted)
        })?;
        self.inner.wake_lanes();
        Ok(accepted)
    }

    /// How every sink stands.
    ///
    /// # Errors
    /// What the database says.
    pub fn status(&self) -> Result<Status, OutboxError> {
        let now = self.inner.clock.now();
        let (sinks, bytes) = self
            .inner
            .read("read", |connection| Ok((status::sinks(connection, now)?, intake::used_bytes(connection)?)))?;
        let place = &self.inner.place;
        Ok(Status { sinks, bytes, max_bytes: place.max_bytes, quarantined: schema::quarantined(&place.folder) })
    }

    /// Deliveries that failed since the outbox was opened, by kind of error; every kind is named.
    #[must_use]
    pub fn failures(&self, sink: &str) -> Vec<(&'static str, u64)> {
        self.inner.failures.of(sink)
    }

    /// Writes and commits something, so that it is known whether findings could be accepted now.
    ///
    /// # Errors
    /// Why they could not.
    pub fn probe(&self) -> Result<(), OutboxError> {
        let now = self.inner.clock.now().to_string();
        self.inner.write(Durability::Process, move |connection| {
            // No sink has an empty name.
            memory::keep(connection, "", "probe", &now).map_err(OutboxError::database("write to"))
        })
    }

    /// Dead letters, the oldest first.
    ///
    /// # Errors
    /// What the database says.
    pub fn dead(&self, letters: &Letters) -> Result<Vec<DeadLetter>, OutboxError> {
        self.inner.read("read", |connection| letters::dead(connection, letters))
    }

    /// Dead letters after one that was given before, the oldest first, each with the number that goes on after it.
    ///
    /// # Errors
    /// What the database says.
    pub fn dead_after(&self, letters: &Letters, after: Option<u64>) -> Result<Vec<(u64, DeadLetter)>, OutboxError> {
        self.inner.read("read", |connection| letters::dead_after(connection, letters, after))
    }

    /// A number that changes whenever a delivery goes on; cheap enough to be asked all the time.
    ///
    /// # Errors
    /// What the database says.
    pub fn revision(&self) -> Result<u64, OutboxError> {
        self.inner.read("read", status::revision)
    }

    /// One finding and where it stands at each sink; `None` when it is not known.
    ///
    /// # Errors
    /// What the database says.
    pub fn show(&self, id: &str) -> Result<Option<Shown>, OutboxError> {
        self.inner.read("read", |connection| letters::show(connection, id))
    }

    /// Sends dead letters again; says how many.
    ///
    /// # Errors
    /// What the database says.
    pub fn replay(&self, letters: &Letters) -> Result<u64, OutboxError> {
        let (letters, now) = (letters.clone(), self.inner.clock.now());
        let count = self.inner.write(Durability::Power, move |connection| {
            letters::replay(connection, &letters, now).map_err(OutboxError::database("write to"))
        })?;
        self.inner.wake_lanes();
        Ok(count)
    }

    /// Throws dead letters away; says how many. They stay counted, and known: the same findings are not taken again.
    ///
    /// # Errors
    /// What the database says.
    pub fn purge(&self, letters: &Letters) -> Result<u64, OutboxError> {
        let (letters, now) = (letters.clone(), self.inner.clock.now());
        self.inner.write(Durability::Power, move |connection| {
            letters::purge(connection, &letters, now).map_err(OutboxError::database("write to"))
        })
    }

    /// Writes the findings that are not delivered everywhere, one JSON document a line; says how many.
    ///
    /// # Errors
    /// What the database or the writer says.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64, OutboxError> {
        let connection = self.inner.reader()?;
        let written = letters::export(&connection, out);
        self.inner.give_back(connection);
        written
    }

    /// Forgets the ids of what was delivered or purged longer ago than this; says how many deliveries. A finding that
    /// comes again after that is delivered again.
    ///
    /// # Errors
    /// What the database says.
    pub fn forget(&self, older_than: Duration) -> Result<u64, OutboxError> {
        let age = Millis::try_from(older_than.as_millis()).unwrap_or(Millis::MAX);
        let before = self.inner.clock.now().saturating_sub(age);
        self.inner.write(Durability::Process, move |connection| {
            letters::forget(connection, before).map_err(OutboxError::database("write to"))
        })
    }

    /// What this sink wants to know again after a restart.
    #[must_use]
    pub fn memory(&self, sink: &str) -> Arc<dyn Memory> {
        Arc::new(DurableMemory { inner: Arc::clone(&self.inner), sink: sink.to_owned() })
    }
}

/// What all clones share.
pub(super) struct Inner {
    pub(super) place: Place,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) failpoints: Arc<Failpoints>,
    pub(super) failures: Failures,
    /// Changes whenever there may be more to deliver.
    woken: watch::Sender<u64>,
    readers: Mutex<Vec<Connection>>,
    // In this order: the lock goes last, when the database is closed.
    writer: Option<Writer>,
    _lock: Option<Lock>,
}

impl Inner {
    fn new(place: &Place, clock: Arc<dyn Clock>, failpoints: Arc<Failpoints>, writer: Option<(Writer, Lock)>) -> Self {
        let (writer, lock) = writer.unzip();
        let readers = Mutex::default();
        let (failures, woken) = (Failures::default(), watch::Sender::new(0));
        Self { place: place.clone(), clock, failpoints, failures, woken, readers, writer, _lock: lock }
    }

    /// Writes in a transaction; returns after its commit.
    pub(super) fn write<T: Send + 'static>(
        &self,
        durability: Durability,
        work: impl FnOnce(&Connection) -> Result<T, OutboxError> + Send + 'static,
    ) -> Result<T, OutboxError> {
        self.writer.as_ref().ok_or(OutboxError::ReadOnly)?.run(durability, work)
    }

    /// Reads beside the writer.
    pub(super) fn read<T>(
        &self,
        action: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, OutboxError> {
        let connection = self.reader()?;
        let result = work(&connection);
        // A connection that failed may be within a transaction; it is not used again.
        if result.is_ok() {
            self.give_back(connection);
        }
        result.map_err(OutboxError::database(action))
    }

    pub(super) fn reader(&self) -> Result<Connection, OutboxError> {
        let kept = self.readers.lock().ok().and_then(|mut readers| readers.pop());
        kept.map_or_else(|| schema::open_reader(&self.place.folder), Ok)
    }

    pub(super) fn give_back(&self, connection: Connection) {
        if let Ok(mut readers) = self.readers.lock() {
            readers.push(connection);
        }
    }

    /// To be told when there may be more to deliver.
    pub(super) fn wakes(&self) -> watch::Receiver<u64> {
        self.woken.subscribe()
    }

    pub(super) fn wake_lanes(&self) {
        self.woken.send_modify(|count| *count = count.wrapping_add(1));
    }
}

fn make_folder(folder: &Path) -> Result<(), OutboxError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    // Findings hold log text.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(OutboxError::file("make the folder", folder))
}

fn take_lock(folder: &Path) -> Result<Lock, OutboxError> {
    let path = folder.join("outbox.lock");
    Lock::take(&path).map_err(|error| match error {
        NotLocked::Busy(holder) => OutboxError::Busy { folder: folder.to_owned(), holder },
        NotLocked::Failed(action, source) => OutboxError::file(action, &path)(source),
    })
}
