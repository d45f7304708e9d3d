//! API keys: made, listed, revoked.

use jiff::Timestamp;

use super::AppError;
use crate::{
    access::{Gate, KeyCard, KeyFile, KeyRequest, NewKey},
    config::Plan,
};

/// Makes an API key. It is in the answer and nowhere else.
///
/// # Errors
/// The request makes no sense, or the file of keys can't be changed.
pub fn create_key(plan: &Plan, request: KeyRequest) -> Result<NewKey, AppError> {
    Ok(file(plan).create(request, Timestamp::now())?)
}

/// Every API key, in the order in which they were made.
///
/// # Errors
/// The file of keys can't be read.
pub fn list_keys(plan: &Plan) -> Result<Vec<KeyCard>, AppError> {
    Ok(file(plan).cards()?)
}

/// Ends an API key, also for servers that run.
///
/// # Errors
/// There is no such key, or the file of keys can't be changed.
pub fn revoke_key(plan: &Plan, id: &str) -> Result<KeyCard, AppError> {
    Ok(file(plan).revoke(id, Timestamp::now())?)
}

/// Whether `serve` would let the right people in: that keys and tokens can be read, and that not everybody may do
/// everything from other machines.
///
/// # Errors
/// What is wrong.
pub fn check_access(plan: &Plan) -> Result<(), AppError> {
    Gate::new(&plan.serve, false)?;
    Ok(())
}

fn file(plan: &Plan) -> KeyFile {
    KeyFile::at(&plan.serve.keys_file)
}
