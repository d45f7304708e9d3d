//! What tests of sinks share. Behind the feature `testkit`, so that no program carries it.
//!
//! * [`findings`]: findings for tests, hostile ones among them.
//! * [`identity`]: certificates that only a test trusts.
//! * [`peer`]: addresses of real peers that are tested against where they run.
//! * [`server`]: an HTTP server on the loopback that answers as it is told, well or badly.
//! * [`stream`]: the same for sinks that write bytes and read nothing.
//! * [`standin`]: stand-ins of the six destinations, for tests and to try things out.
//! * [`conformance`]: what every sink must do, as a suite of tests: [`conformance!`](crate::conformance!).

pub mod conformance;
pub mod findings;
pub mod identity;
pub mod peer;
pub mod server;
pub mod standin;
pub mod stream;
mod wire;

/// What a lock guards, also when a test panicked while holding it.
fn locked<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
