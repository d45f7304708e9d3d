//! The lookout: once a second it is seen whether something changed that nobody said, and those who look on are told.
//!
//! Deliveries arrive on lanes of their own, and reports and decisions may come from other processes. Nothing is looked at
//! while nobody looks on.

use std::{
    sync::{
        Arc, Weak,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use super::{Change, Desk, shelf::View};
use crate::{app::AppError, judgment::Judgments};

/// How often it is looked.
const PAUSE: Duration = Duration::from_secs(1);

/// Ends the thread when it goes.
#[derive(Debug)]
pub(super) struct Lookout {
    _until: Sender<()>,
}

/// What was last seen.
#[derive(Default)]
struct Seen {
    deliveries: Option<u64>,
    view: Option<Arc<View>>,
    judgments: Option<Arc<Judgments>>,
    running: Option<(String, u64)>,
}

impl Lookout {
    pub(super) fn begin(desk: &Arc<Desk>) -> Result<Self, AppError> {
        let (until, ended) = channel();
        let desk = Arc::downgrade(desk);
        let look = thread::Builder::new().name("lookout".to_owned()).spawn(move || look(&desk, &ended));
        look.map_err(AppError::Runtime)?;
        Ok(Self { _until: until })
    }
}

fn look(desk: &Weak<Desk>, ended: &Receiver<()>) {
    let mut seen = Seen::default();
    while ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {
        let Some(desk) = desk.upgrade() else { return };
        if desk.changes.receiver_count() == 0 {
            // Who comes later looks at everything first.
            seen = Seen::default();
            desk.told.store(0, Ordering::Relaxed);
        } else {
            seen = seen.next(&desk);
        }
    }
}

impl Seen {
    /// What is seen now; what differs is told. What can't be read is told to whoever asks for it.
    fn next(self, desk: &Desk) -> Self {
        let now = Self {
            deliveries: desk.outbox_if_there().ok().flatten().and_then(|outbox| outbox.revision().ok()),
            view: desk.shelf.view().ok(),
            judgments: desk.judgments().ok(),
            running: desk.jobs.running(),
        };
        if let (Some(before), Some(after)) = (&self.view, &now.view)
            && !Arc::ptr_eq(before, after)
        {
            // What this process found was told when it was found.
            let told = desk.told.swap(0, Ordering::Relaxed);
            let count = after.count().saturating_sub(before.count()).saturating_sub(told);
            if count > 0 {
                // An error says that nobody looks on.
                let _ = desk.changes.send(Change::Findings { count });
            }
        }
        if let (Some(before), Some(after)) = (&self.judgments, &now.judgments)
            && !Arc::ptr_eq(before, after)
        {
            desk.tell(Change::Judgments);
        }
        if self.deliveries.is_some() && self.deliveries != now.deliveries {
            desk.tell(Change::Deliveries);
        }
        if let Some((id, _)) = now.running.as_ref().filter(|running| self.running.as_ref() != Some(running)) {
            desk.tell(Change::Job { id: id.clone() });
        }
        now
    }
}
