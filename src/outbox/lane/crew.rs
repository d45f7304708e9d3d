//! The tasks of all lanes, in whatever runtime they were started.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{Lane, Progress, Settled, SinkProgress, acknowledge, backoff::Backoff, shared::Shared, worker::Worker};
use crate::outbox::{Outbox, OutboxError, intake, settle, status, store::Inner, writer::Durability};

/// From one look at the progress to the next.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Workers at work.
pub(in crate::outbox) struct Crew {
    lanes: Vec<Arc<Shared>>,
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Crew {
    pub(in crate::outbox) async fn start(outbox: &Outbox, lanes: Vec<Lane>) -> Result<Self, OutboxError> {
        let stop = watch::Sender::new(false);
        let mut crew = Self { lanes: Vec::new(), tasks: JoinSet::new(), stop };
        for lane in lanes {
            let number = open_lane(Arc::clone(&outbox.inner), lane.name.clone()).await?;
            let shared = Shared::new(lane.name.clone(), number, Arc::clone(&outbox.inner), Arc::clone(&lane.sink));
            crew.begin(lane, Arc::new(shared));
        }
        Ok(crew)
    }

    fn begin(&mut self, lane: Lane, shared: Arc<Shared>) {
        let seed = intake::checksum(lane.name.as_bytes()) ^ shared.now();
        let worker = Worker {
            shared: Arc::clone(&shared),
            batch: lane.batch,
            retry: lane.retry,
            renew: Arc::new(lane.renew),
            stop: self.stop.subscribe(),
            wakes: shared.store.wakes(),
            backoff: Backoff::new(lane.retry.initial, lane.retry.max, seed.cast_unsigned()),
            failures: 0,
            not_before: None,
            last_call: None,
            narrowed: None,
            hold: None,
            holds: 0,
            renewed: Instant::now(),
        };
        self.tasks.spawn(worker.run());
        self.tasks.spawn(acknowledge::run(Arc::clone(&shared), self.stop.subscribe()));
        self.lanes.push(shared);
    }

    pub(in crate::outbox) async fn progress(&self) -> Result<Progress, OutboxError> {
        let mut sinks = Vec::with_capacity(self.lanes.len());
        for lane in &self.lanes {
            let name = lane.name.clone();
            let tally = lane.read(move |connection| status::tally(connection, &name)).await?;
            sinks.push(SinkProgress {
                name: lane.name.clone(),
                delivered: tally.delivered,
                dead: tally.dead,
                pending: tally.accepted.saturating_sub(tally.delivered + tally.dead + tally.purged),
                held: lane.stays_held(),
            });
        }
        Ok(Progress { sinks })
    }

    pub(in crate::outbox) async fn settled(
        &self,
        timeout: Option<Duration>,
        on_progress: &mut dyn FnMut(&Progress),
    ) -> Result<Settled, OutboxError> {
        let begun = Instant::now();
        loop {
            let progress = self.progress().await?;
            on_progress(&progress);
            let timed_out = timeout.is_some_and(|timeout| begun.elapsed() >= timeout);
            if progress.is_settled() || timed_out {
                let complete = progress.sinks.iter().all(|sink| sink.pending == 0);
                return Ok(Settled { complete, timed_out: timed_out && !progress.is_settled(), progress });
            }
            let left = timeout.map_or(LOOK_EVERY, |timeout| timeout.saturating_sub(begun.elapsed()));
            tokio::time::sleep(left.min(LOOK_EVERY)).await;
        }
    }

    pub(in crate::outbox) async fn stop(mut self, grace: Duration) -> bool {
        self.stop.send_replace(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let in_time = tokio::time::timeout(grace, all).await.is_ok();
        self.tasks.shutdown().await;
        in_time
    }
}

/// The number of a lane's sink; what held it in an earlier run is to be seen anew.
async fn open_lane(store: Arc<Inner>, name: String) -> Result<i64, OutboxError> {
    let open = move || {
        store.write(Durability::Process, move |connection| {
            let number = intake::sink_number(connection, &name)?;
            settle::hold(connection, number, None).map_err(OutboxError::database("write to"))?;
            Ok(number)
        })
    };
    tokio::task::spawn_blocking(open).await.unwrap_or(Err(OutboxError::Closed))
}
