//! The outbox looked at and put right: how it stands, what is dead and why, once more, away with it, out of it.

use std::io::Write;

use super::{
    AppError,
    delivery::{open_to_change, open_to_read},
};
use crate::{
    config::OutboxPlan,
    outbox::{DeadLetter, Letters, Shown, Status},
};

/// How the outbox stands; also while another process delivers.
///
/// # Errors
/// There is none, or it can't be read.
pub fn outbox_status(plan: &OutboxPlan) -> Result<Status, AppError> {
    Ok(open_to_read(plan)?.status()?)
}

/// The dead letters.
///
/// # Errors
/// As [`outbox_status`].
pub fn dead_letters(plan: &OutboxPlan, which: &Letters) -> Result<Vec<DeadLetter>, AppError> {
    Ok(open_to_read(plan)?.dead(which)?)
}

/// One finding and where it stands; `None` when the outbox does not know it.
///
/// # Errors
/// As [`outbox_status`].
pub fn show_finding(plan: &OutboxPlan, id: &str) -> Result<Option<Shown>, AppError> {
    Ok(open_to_read(plan)?.show(id)?)
}

/// Gives dead letters another try; they go out with the next delivery.
///
/// # Errors
/// Another process has the outbox, or it can't be written.
pub fn replay(plan: &OutboxPlan, which: &Letters) -> Result<u64, AppError> {
    Ok(open_to_change(plan)?.replay(which)?)
}

/// Throws dead letters away. They stay counted.
///
/// # Errors
/// As [`replay`].
pub fn purge(plan: &OutboxPlan, which: &Letters) -> Result<u64, AppError> {
    Ok(open_to_change(plan)?.purge(which)?)
}

/// Writes every finding that is kept, with where it stands, as JSON lines.
///
/// # Errors
/// As [`outbox_status`], and when nothing can be written.
pub fn export(plan: &OutboxPlan, out: &mut dyn Write) -> Result<u64, AppError> {
    Ok(open_to_read(plan)?.export(out)?)
}
