//! Files that hold log text, names or secrets: only their owner reads what is made here, from its first byte.
//!
//! Locks are the operating system's, on an open file: they end with the file, however its process ends, so that there is
//! no stale lock to clean up.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io,
    path::Path,
    time::SystemTime,
};

/// Opens a file for appending; it and its folder are made if need be.
///
/// # Errors
/// What the system says.
pub fn append(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().append(true))
}

/// Makes a file anew, and its folder if need be. What stood there is gone, and so is a link: nothing is written through it.
///
/// # Errors
/// What the system says.
pub fn anew(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => open(path, OpenOptions::new().write(true).create_new(true)),
    }
}

/// Waits for the lock that a file stands for; it and its folder are made if need be. The lock is held as long as the
/// file is open.
///
/// # Errors
/// What the system says.
pub fn locked(path: &Path) -> io::Result<File> {
    let file = open(path, OpenOptions::new().write(true).truncate(false))?;
    file.lock()?;
    Ok(file)
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options.create(true).open(path)
}

/// What is looked at to see that a file changed, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStamp {
    /// There is none.
    Missing,
    /// It can't be looked at.
    Hidden(io::ErrorKind),
    /// There is one.
    Seen {
        /// When it was last written.
        modified: Option<SystemTime>,
        /// Its length in bytes.
        length: u64,
        /// Its number on its disk; another one after a rename over it.
        number: u64,
    },
}

impl FileStamp {
    /// Looks at the file now.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(metadata) => Self::of_metadata(&metadata),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::Missing,
            Err(error) => Self::Hidden(error.kind()),
        }
    }

    /// The stamp of a file that was looked at already.
    #[must_use]
    pub fn of_metadata(metadata: &Metadata) -> Self {
        Self::Seen {
            modified: metadata.modified().ok(),
            length: metadata.len(),
            #[cfg(unix)]
            number: std::os::unix::fs::MetadataExt::ino(metadata),
            #[cfg(not(unix))]
            number: 0,
        }
    }
}

/// Whether the name still leads to this open file. A file that is held open keeps its number to itself, so that no other
/// one can come under it.
///
/// # Errors
/// The open file can't be looked at.
pub fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (own, there) = (file.metadata()?, fs::metadata(path));
        Ok(there.is_ok_and(|there| (own.dev(), own.ino()) == (there.dev(), there.ino())))
    }
    // Without numbers another file is told by its times and by being shorter, where that is looked at.
    #[cfg(not(unix))]
    {
        let _ = file;
        Ok(path.exists())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_made_only_its_owner_reads() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join("deep").join(name);
        append(&at("appended")).unwrap().write_all(b"one").unwrap();
        append(&at("appended")).unwrap().write_all(b"two").unwrap();
        anew(&at("anew")).unwrap().write_all(b"longer").unwrap();
        anew(&at("anew")).unwrap().write_all(b"new").unwrap();
        drop(locked(&at("locked")).unwrap());
        drop(locked(&at("locked")).unwrap());
        for (name, text) in [("appended", "onetwo"), ("anew", "new"), ("locked", "")] {
            assert_eq!(fs::read_to_string(at(name)).unwrap(), text);
            assert_eq!(fs::metadata(at(name)).unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_lock_is_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let held = locked(&path).unwrap();
        let other = OpenOptions::new().write(true).open(&path).unwrap();
        assert!(other.try_lock().is_err());
        drop(held);
        other.try_lock().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_in_place_of_another_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        assert_eq!(FileStamp::of(&path), FileStamp::Missing);
        let file = append(&path).unwrap();
        let stamp = FileStamp::of(&path);
        assert_eq!(stamp, FileStamp::of_metadata(&file.metadata().unwrap()));
        assert!(is_at(&file, &path).unwrap());
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path).unwrap());
        // As long as the old one is open, its number is not given to the new one.
        drop(append(&path).unwrap());
        assert!(!is_at(&file, &path).unwrap());
        assert_ne!(stamp, FileStamp::of(&path));
    }
}
