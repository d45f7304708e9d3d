//! The audit log: one JSON line for each call, written before its answer goes out.
//!
//! The file is only ever appended to. When it is renamed away, the next line goes into a new one, so that any rotation
//! works without a signal. A line that can't be written is told in the log, once until it works again, and serving goes on:
//! whoever wants the calls to stop when they can't be recorded would let a full disk stop the watch.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom, Write},
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use serde::Serialize;

use crate::files;

/// One call.
#[derive(Debug, Clone, Serialize)]
pub struct AuditEntry<'a> {
    /// When its answer was ready.
    pub time: Timestamp,
    /// Its id, which the answer has too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<&'a str>,
    /// Who asked; nobody knows it of calls that were refused before that was found out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller: Option<&'a str>,
    /// From where; a client at the other end of a pipe has no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The method.
    pub method: &'a str,
    /// The route with the names of its parameters, not what a caller put there; or the tool.
    pub route: &'a str,
    /// What came of it.
    #[serde(flatten)]
    pub result: AuditResult,
    /// How long it took.
    pub duration_ms: u64,
}

/// What came of a call.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuditResult {
    /// The status of an HTTP answer.
    Status(u16),
    /// `ok`, or the word for what went wrong, of a protocol without a status.
    Outcome(&'static str),
}

/// The audit log.
#[derive(Debug)]
pub struct AuditLog {
    path: PathBuf,
    held: Mutex<Held>,
}

#[derive(Debug)]
struct Held {
    file: File,
    /// Whether the last line could not be written, which was told.
    is_failing: bool,
    /// Whether the file may end within a line, of a disk that was full or a process that was killed.
    is_torn: bool,
}

/// The audit log can't be written.
#[derive(Debug, thiserror::Error)]
#[error("can't write the audit log, {}", path.display())]
pub struct AuditError {
    path: PathBuf,
    source: io::Error,
}

impl AuditLog {
    /// Opens the file, made if need be, so that nothing is served whose record has no place.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open(path: &Path) -> Result<Self, AuditError> {
        let file = files::append(path).map_err(|source| AuditError { path: path.to_owned(), source })?;
        let held = Held { file, is_failing: false, is_torn: ends_within_a_line(path) };
        Ok(Self { path: path.to_owned(), held: Mutex::new(held) })
    }

    /// Writes a call down.
    pub fn write(&self, entry: &AuditEntry<'_>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.append(&mut held, line(entry));
        held.is_torn = written.is_err() && ends_within_a_line(&self.path);
        match written {
            Ok(()) if held.is_failing => tracing::warn!(file = %self.path.display(), "the audit log is written again"),
            Err(ref error) if !held.is_failing => {
                tracing::error!(%error, file = %self.path.display(), "calls are no longer written to the audit log");
            }
            _ => {}
        }
        held.is_failing = written.is_err();
    }

    fn append(&self, held: &mut Held, mut line: String) -> io::Result<()> {
        // The name leads to another file by now, or to none.
        if !files::is_at(&held.file, &self.path)? {
            held.file = files::append(&self.path)?;
            held.is_torn = ends_within_a_line(&self.path);
        }
        if held.is_torn {
            // The half line is lost; this one is not to be lost with it.
            line.insert(0, '\n');
        }
        // One call of the system for one line, at the end of the file: several processes do not mix their lines.
        held.file.write_all(line.as_bytes())
    }
}

/// Whether the last line of a file lacks its end. What is no file, as a pipe, has none.
fn ends_within_a_line(path: &Path) -> bool {
    let is_torn = || -> io::Result<bool> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() || metadata.len() == 0 {
            return Ok(false);
        }
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        Ok(last != *b"\n")
    };
    // Who may only write goes on as if all were well: at worst two lines are one.
    is_torn().unwrap_or(false)
}

/// The entry as one line of printable ASCII: a name can neither end the line nor turn the text of a terminal around.
fn line(entry: &AuditEntry<'_>) -> String {
    let text = serde_json::to_string(entry).expect("an entry has only text keys");
    let mut line = String::with_capacity(text.len() + 1);
    for letter in text.chars() {
        if matches!(letter, ' '..='~') {
            line.push(letter);
        } else {
            let mut units = [0; 2];
            letter.encode_utf16(&mut units).iter().for_each(|unit| line.push_str(&format!("\\u{unit:04x}")));
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::{fs, net::Ipv4Addr};

    use super::*;

    fn entry(caller: &str) -> AuditEntry<'_> {
        AuditEntry {
            time: Timestamp::UNIX_EPOCH,
            request_id: Some("1"),
            caller: Some(caller),
            client: Some(Ipv4Addr::LOCALHOST.into()),
            method: "POST",
            route: "/v1/findings/{id}/feedback",
            result: AuditResult::Status(200),
            duration_ms: 3,
        }
    }

    #[test]
    fn a_name_can_not_break_out_of_its_line() {
        for name in
            ["a\nb", "a\r\u{1b}[2J", "a\u{202e}b", "a\u{85}\u{2028}b", "a\"},{\"caller\":\"b", "\u{1f514}", "\u{7f}"]
        {
            let line = line(&entry(name));
            assert!(line.trim_end_matches('\n').bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{line}");
            let read: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert_eq!(read["caller"], name);
            assert_eq!(read["status"], 200);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_renamed_file_is_left_and_a_new_one_begun() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/audit.jsonl");
        let audit = AuditLog::open(&path).unwrap();
        audit.write(&entry("one"));
        fs::rename(&path, folder.path().join("old")).unwrap();
        audit.write(&entry("two"));
        audit.write(&entry("three"));
        assert_eq!(fs::read_to_string(folder.path().join("old")).unwrap().lines().count(), 1);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("two") && text.lines().count() == 2, "{text}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        // Appended to, also after a restart.
        AuditLog::open(&path).unwrap().write(&entry("four"));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    }

    #[test]
    fn half_a_line_takes_no_other_along() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let is_whole = |line: &str| serde_json::from_str::<serde_json::Value>(line).is_ok();
        let told = || fs::read_to_string(&path).unwrap().lines().map(is_whole).collect::<Vec<_>>();
        // Of a process that was killed.
        fs::write(&path, "{\"time\":\"20").unwrap();
        let audit = AuditLog::open(&path).unwrap();
        audit.write(&entry("one"));
        audit.write(&entry("two"));
        assert_eq!(told(), [false, true, true]);
        // Of a disk that was full: a file that is not open for writing takes its part.
        let whole = std::mem::replace(&mut audit.held.lock().unwrap().file, File::open(&path).unwrap());
        (&whole).write_all(b"{\"time\":\"20").unwrap();
        audit.write(&entry("lost"));
        audit.held.lock().unwrap().file = whole;
        audit.write(&entry("three"));
        assert_eq!(told(), [false, true, true, false, true]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_borne() {
        let audit = AuditLog::open(Path::new("/dev/full")).unwrap();
        audit.write(&entry("one"));
        assert!(audit.held.lock().unwrap().is_failing);
        audit.write(&entry("two"));
    }

    #[test]
    fn a_log_that_can_not_be_opened_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert!(AuditLog::open(folder.path()).unwrap_err().to_string().contains("audit log"));
    }
}
