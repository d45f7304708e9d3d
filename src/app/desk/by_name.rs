//! Errors for those who ask from outside: files by their names, folders without what is above them. The log has the paths.

use std::{borrow::Cow, error::Error, path::Path};

use super::Desk;
use crate::{app::with_causes, source::SourceFile};

impl Desk {
    /// An error and its causes, with what is in the configured folders seen from there.
    pub(super) fn by_name(&self, error: &dyn Error) -> String {
        self.without_folders(with_causes(error))
    }

    /// What was said about a log, with its name where its path stood.
    pub(super) fn named(&self, said: &str, log: &SourceFile) -> String {
        let path = log.path.display().to_string();
        self.without_folders(if path.is_empty() { said.to_owned() } else { said.replace(&path, &log.name) })
    }

    fn without_folders(&self, said: String) -> String {
        let plan = &self.plan;
        let temporary = std::env::temp_dir();
        let configuration = Path::new(&plan.sinks.file);
        let mut known = vec![
            plan.input.log_dir.as_path(),
            plan.batch.output_dir.as_path(),
            plan.outbox.folder.as_path(),
            self.models.folder(),
            configuration,
            temporary.as_path(),
        ];
        // A folder within another one first: the outer one's path is the beginning of its own.
        known.sort_by_key(|path| std::cmp::Reverse(path.as_os_str().len()));
        known.into_iter().fold(said, |said, path| shortened(&said, path))
    }
}

/// The text with this path's last name where the whole of it stood.
fn shortened(said: &str, path: &Path) -> String {
    match path.file_name() {
        Some(name) if path.is_absolute() => {
            let name: Cow<'_, str> = name.to_string_lossy();
            said.replace(&*path.display().to_string(), &name)
        }
        _ => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_above_a_folder_is_left_out() {
        let short = |path: &str| shortened("can't read /srv/watch/logs/auth.log", Path::new(path));
        assert_eq!(short("/srv/watch/logs"), "can't read logs/auth.log");
        for path in ["/", "", "logs", "/srv/other"] {
            assert_eq!(short(path), "can't read /srv/watch/logs/auth.log", "{path}");
        }
    }
}
