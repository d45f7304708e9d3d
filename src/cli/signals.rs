//! SIGINT and SIGTERM: the first asks the work to end, the second ends the program at once.

use std::{
    io,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use signal_hook::{
    consts::{SIGINT, SIGTERM},
    flag,
};

use super::exit::{CliError, Exit};

/// What has come in.
#[derive(Debug, Default)]
struct Signals {
    stop: Arc<AtomicBool>,
    last: Arc<AtomicUsize>,
}

/// Signals are a matter of the whole process, hence the one global of the front.
static SIGNALS: OnceLock<Signals> = OnceLock::new();

/// From now on SIGINT and SIGTERM set this flag.
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>, CliError> {
    if let Some(signals) = SIGNALS.get() {
        return Ok(Arc::clone(&signals.stop));
    }
    let signals = Signals::default();
    let catch = |signal: i32, exit: Exit| -> io::Result<()> {
        // The order matters: at the first signal the flag is still false when the shutdown looks at it.
        flag::register_conditional_shutdown(signal, i32::from(exit.code()), Arc::clone(&signals.stop))?;
        flag::register_usize(signal, Arc::clone(&signals.last), signal as usize)?;
        flag::register(signal, Arc::clone(&signals.stop))?;
        Ok(())
    };
    catch(SIGINT, Exit::Interrupted).and_then(|()| catch(SIGTERM, Exit::Terminated)).map_err(CliError::Signals)?;
    Ok(Arc::clone(&SIGNALS.get_or_init(|| signals).stop))
}

/// The exit code that tells which signal it was.
pub(super) fn exit() -> Exit {
    match SIGNALS.get().map(|signals| signals.last.load(Ordering::Relaxed)) {
        Some(signal) if signal == SIGTERM as usize => Exit::Terminated,
        _ => Exit::Interrupted,
    }
}
