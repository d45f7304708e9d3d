//! Writing so that after a crash there is the old content or the new, never a part of either.

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
};

use super::BatchError;

/// Writes a new file and syncs its content. Its name is durable only after [`sync_folder`].
pub(super) fn write_new(path: &Path, content: &[u8]) -> Result<(), BatchError> {
    let write = || {
        let mut file = File::create(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(BatchError::write("write", path))
}

/// Replaces a file: `scratch` is written, synced and renamed; both must be on one file system.
pub(super) fn replace(path: &Path, scratch: &Path, content: &[u8]) -> Result<(), BatchError> {
    write_new(scratch, content)?;
    fs::rename(scratch, path).map_err(BatchError::write("replace", path))?;
    path.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), BatchError> {
    // Other systems than Unix do not open folders; their renames are durable by themselves or not at all.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(BatchError::write("sync", folder))?;
    }
    Ok(())
}
