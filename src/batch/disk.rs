//! Whether there is room for what will be written.

use std::path::Path;

use super::BatchError;
use crate::config::{LowDisk, values::Bytes};

/// Refuses to begin on a full disk; the text of a warning on one that is nearly full.
pub(super) fn check(output_dir: &Path, limits: LowDisk) -> Result<Option<String>, BatchError> {
    let Some(Space { free, total }) = space(output_dir)? else { return Ok(None) };
    if free < limits.refuse {
        return Err(BatchError::DiskFull { output_dir: output_dir.to_owned(), free, needed: limits.refuse });
    }
    // 5 %: what file systems commonly reserve, and where they become slow.
    let is_low = free < limits.warn || free < total / 20;
    Ok(is_low.then(|| format!("only {} of {} free for {}", rounded(free), rounded(total), output_dir.display())))
}

fn rounded(bytes: u64) -> Bytes {
    Bytes(bytes >> 20 << 20)
}

struct Space {
    free: u64,
    total: u64,
}

#[cfg(unix)]
fn space(folder: &Path) -> Result<Option<Space>, BatchError> {
    let stat = rustix::fs::statvfs(folder)
        .map_err(|error| BatchError::write("measure the free space of", folder)(error.into()))?;
    // Pseudo file systems say that they have no blocks at all.
    let size = |blocks: u64| blocks.saturating_mul(stat.f_frsize);
    Ok((stat.f_blocks > 0).then(|| Space { free: size(stat.f_bavail), total: size(stat.f_blocks) }))
}

#[cfg(not(unix))]
fn space(_folder: &Path) -> Result<Option<Space>, BatchError> {
    Ok(None)
}
