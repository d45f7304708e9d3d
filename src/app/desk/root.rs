//! Log files that somebody names from outside: only under one folder, whatever links and dots the path has.
//!
//! Folders are walked here and not handed on as they are, because a link within them may lead out too.

use std::path::{Path, PathBuf};

use super::Desk;
use crate::{
    app::AppError,
    batch,
    source::{self, DiscoverRequest, SourceError},
};

/// The log files at a path under a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFiles {
    /// The files, named through the folder as the configuration spells it, so that they are what the batch calls them.
    pub files: Vec<PathBuf>,
    /// Files that were left out because they lead out of the folder, or are no files.
    pub left_out: usize,
}

impl Desk {
    /// The log files at a path, which is relative to the folder or absolute; an empty path and `.` are the folder
    /// itself. Patterns of the configuration hold for folders.
    ///
    /// # Errors
    /// There is no such file, it is outside of the folder, or nothing is left to be read.
    pub fn logs_under(&self, folder: &Path, path: &str) -> Result<LogFiles, AppError> {
        let whole = folder.canonicalize().map_err(|source| AppError::Read { path: folder.to_owned(), source })?;
        let named = Path::new(path);
        // Both cases say the same: whether something exists out there is not told either.
        let outside = || {
            let shown = path.escape_debug();
            AppError::Request(format!("there is no log `{shown}` in the log folder, and no other place may be read"))
        };
        let target = whole.join(named).canonicalize().map_err(|_| outside())?;
        let below = target.strip_prefix(&whole).map_err(|_| outside())?;
        let start = if below.as_os_str().is_empty() { folder.to_owned() } else { folder.join(below) };
        let request = DiscoverRequest { paths: vec![start], ..batch::request(&self.plan) };
        let found = source::discover(&request)?;
        let (mut files, mut left_out) = (Vec::new(), found.problems.len());
        for file in found.files {
            if file.path.canonicalize().is_ok_and(|real| real.starts_with(&whole)) {
                files.push(file.path);
            } else {
                left_out += 1;
            }
        }
        if files.is_empty() {
            let problem = found.problems.into_iter().find(|problem| matches!(problem, SourceError::NotAFile { .. }));
            return Err(problem.map_or_else(outside, AppError::Source));
        }
        Ok(LogFiles { files, left_out })
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, num::NonZeroUsize, os::unix::fs::symlink};

    use super::*;
    use crate::{
        app::Delivery,
        config::{Plan, Settings},
    };

    fn desk() -> std::sync::Arc<Desk> {
        let plan = Plan::new(Settings::default(), NonZeroUsize::MIN).unwrap();
        Desk::open(plan, Delivery::OnDemand).unwrap()
    }

    /// A folder with logs, and a secret beside it with links to it.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().unwrap();
        let logs = place.path().join("logs");
        fs::create_dir_all(logs.join("deep")).unwrap();
        fs::create_dir_all(place.path().join("secret")).unwrap();
        fs::write(place.path().join("secret/key"), "secret").unwrap();
        fs::write(place.path().join("secret/other"), "secret").unwrap();
        fs::write(logs.join("auth.log"), "a").unwrap();
        fs::write(logs.join("deep/more.log"), "a").unwrap();
        symlink("../secret/key", logs.join("link.log")).unwrap();
        symlink("../secret", logs.join("linked")).unwrap();
        symlink("auth.log", logs.join("inner.log")).unwrap();
        (place, logs)
    }

    #[test]
    fn files_and_folders_are_found_relative_and_absolute() {
        let (_place, logs) = place();
        let desk = desk();
        let absolute = logs.join("auth.log").to_str().unwrap().to_owned();
        for path in ["auth.log", "./deep/../auth.log", &absolute] {
            assert_eq!(desk.logs_under(&logs, path).unwrap().files, [logs.join("auth.log")], "{path}");
        }
        assert_eq!(desk.logs_under(&logs, "deep").unwrap().files, [logs.join("deep/more.log")]);
        assert_eq!(desk.logs_under(&logs, "inner.log").unwrap().files, [logs.join("auth.log")]);
    }

    #[test]
    fn no_way_leads_out() {
        let (place, logs) = place();
        let desk = desk();
        let absolute = place.path().join("secret/key").to_str().unwrap().to_owned();
        for path in [
            "../secret/key",
            "..",
            "/",
            "/etc/passwd",
            "link.log",
            "linked",
            "linked/key",
            &absolute,
            "deep/../../secret/key",
        ] {
            let error = desk.logs_under(&logs, path).unwrap_err().to_string();
            assert!(error.contains("no other place may be read"), "{path}: {error}");
            assert!(!error.contains("secret") || path.contains("secret"), "{error}");
        }
    }

    #[test]
    fn a_folder_is_read_without_what_leads_out_of_it() {
        let (_place, logs) = place();
        let found = desk().logs_under(&logs, "").unwrap();
        assert_eq!(found.files, [logs.join("auth.log"), logs.join("deep/more.log")]);
        assert_eq!(found.left_out, 2);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let (_place, logs) = place();
        let made = std::process::Command::new("mkfifo").arg(logs.join("pipe")).status().unwrap();
        assert!(made.success());
        let error = desk().logs_under(&logs, "pipe").unwrap_err().to_string();
        assert!(error.contains("named pipe"), "{error}");
    }
}
