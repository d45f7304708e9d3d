//! Turns: as much work at a time as there are cores, the rest waits, and not too many wait.

use std::{
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::app::AppError;

/// How often a waiting call looks whether it is to stop.
const GLANCE: Duration = Duration::from_millis(100);

/// Turns to be taken.
#[derive(Debug)]
pub(super) struct Turns {
    state: Mutex<State>,
    freed: Condvar,
    most_waiting: usize,
}

#[derive(Debug)]
struct State {
    free: usize,
    waiting: usize,
}

/// A turn, given back when this goes.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a Turns);

impl Turns {
    pub(super) fn new(count: usize, most_waiting: usize) -> Self {
        Self { state: Mutex::new(State { free: count.max(1), waiting: 0 }), freed: Condvar::new(), most_waiting }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    /// Too many wait already, or `stop` becomes true.
    pub(super) fn take(&self, stop: &AtomicBool) -> Result<Turn<'_>, AppError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.free == 0 && state.waiting >= self.most_waiting {
            let waiting = state.waiting;
            return Err(AppError::Busy(format!("{waiting} analyses are waiting already; come back in a moment")));
        }
        state.waiting += 1;
        while state.free == 0 && !stop.load(Ordering::Relaxed) {
            state = self.freed.wait_timeout(state, GLANCE).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting -= 1;
        if state.free == 0 {
            return Err(AppError::Stopped);
        }
        state.free -= 1;
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).free += 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::atomic::AtomicUsize, thread};

    use super::*;

    static GO_ON: AtomicBool = AtomicBool::new(false);

    #[test]
    fn no_more_work_at_a_time_than_there_are_turns() {
        let (turns, at_work, most) = (Turns::new(2, 100), AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| {
                    let _turn = turns.take(&GO_ON).unwrap();
                    most.fetch_max(at_work.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::sleep(Duration::from_millis(5));
                    at_work.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(most.into_inner(), 2);
    }

    #[test]
    fn who_is_to_stop_does_not_wait_and_too_many_do_not_wait_either() {
        let turns = Turns::new(1, 0);
        let _turn = turns.take(&GO_ON).unwrap();
        assert!(matches!(turns.take(&GO_ON), Err(AppError::Busy(_))));
        let turns = Turns::new(1, 1);
        let _turn = turns.take(&GO_ON).unwrap();
        assert!(matches!(turns.take(&AtomicBool::new(true)), Err(AppError::Stopped)));
    }
}
