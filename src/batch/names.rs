//! Names of reports, and of files in `processed_files.txt`.

use std::{fmt::Write, path::Path};

use jiff::Timestamp;

/// Longest part of a report's name that comes from the log, in bytes: with time and suffix it stays below the 255 that
/// file systems allow.
const LONGEST: usize = 180;

/// A path as one line of text: what is not UTF-8 or would break the line is written as `\xNN`.
pub(super) fn listed(path: &Path) -> String {
    let mut out = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_control() {
                let mut bytes = [0; 4];
                escape(&mut out, letter.encode_utf8(&mut bytes).as_bytes());
            } else {
                out.push(letter);
            }
        }
        escape(&mut out, chunk.invalid());
    }
    out
}

fn escape(out: &mut String, bytes: &[u8]) {
    for byte in bytes {
        write!(out, "\\x{byte:02x}").expect("writing to a String does not fail");
    }
}

/// The time in names: sorts as text, and is valid on every file system.
pub(super) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// `{name}_{timestamp}.json`. Where that is taken, by a log of the same name in another folder or by a report of the
/// same second, `-2`, `-3` ... follow the timestamp; `is_taken` decides.
pub(super) fn report(log: &Path, stamp: &str, is_taken: &mut dyn FnMut(&str) -> bool) -> String {
    let name = plain(&log.file_name().unwrap_or_default().to_string_lossy());
    unique(&name, stamp, is_taken)
}

/// `batch_summary_{timestamp}.json`, unique as the reports are.
pub(super) fn summary(stamp: &str, is_taken: &mut dyn FnMut(&str) -> bool) -> String {
    unique("batch_summary", stamp, is_taken)
}

fn unique(name: &str, stamp: &str, is_taken: &mut dyn FnMut(&str) -> bool) -> String {
    let first = format!("{name}_{stamp}.json");
    if !is_taken(&first) {
        return first;
    }
    let mut number = 2_u64;
    loop {
        let next = format!("{name}_{stamp}-{number}.json");
        if !is_taken(&next) {
            return next;
        }
        number += 1;
    }
}

/// A log's name made fit for a report's name: no control characters, not too long, and neither hidden from `*.json`
/// by a leading dot nor mistaken for a summary.
fn plain(name: &str) -> String {
    let is_odd =
        |letter: char| letter.is_control() || matches!(letter, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    let mut out: String = name.chars().map(|letter| if is_odd(letter) { '_' } else { letter }).collect();
    out.truncate((0..=LONGEST.min(out.len())).rev().find(|end| out.is_char_boundary(*end)).unwrap_or(0));
    if out.is_empty() || out.starts_with(['.', '-']) || out.starts_with("batch_summary") {
        out.insert(0, '_');
    }
    out
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn report_name(log: &str) -> String {
        report(Path::new(log), "20260115T103000Z", &mut |_| false)
    }

    #[test]
    fn a_report_is_named_after_its_log() {
        assert_eq!(report_name("logs/auth.json"), "auth.json_20260115T103000Z.json");
        assert_eq!(stamp("2026-01-15T10:30:00.9Z".parse().unwrap()), "20260115T103000Z");
    }

    #[test]
    fn odd_names_become_plain_ones() {
        assert_eq!(report_name(".hidden"), "_.hidden_20260115T103000Z.json");
        assert_eq!(report_name("batch_summary_x.json"), "_batch_summary_x.json_20260115T103000Z.json");
        assert_eq!(report_name("a\nb\u{1b}[31m"), "a_b_[31m_20260115T103000Z.json");
        assert!(report_name(&"ä".repeat(127)).len() < 255);
    }

    #[test]
    fn logs_of_the_same_name_do_not_collide() {
        let mut taken = HashSet::new();
        for folder in 0..4 {
            let name = report(Path::new(&format!("web{folder}/auth.log")), "T", &mut |name| taken.contains(name));
            assert!(taken.insert(name));
        }
        assert!(taken.contains("auth.log_T-4.json"));
    }

    #[test]
    fn a_listed_path_is_one_line() {
        assert_eq!(listed(Path::new("logs/ä b.json")), "logs/ä b.json");
        assert_eq!(listed(Path::new("a\nb")), "a\\x0ab");
    }
}
