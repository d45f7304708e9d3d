//! Which files have something new, and from where.
//!
//! A file is known by its path and by its content. By path it is unchanged, grown, or changed; a file whose path is new,
//! or whose content is not what was read under it, may still be one that was read elsewhere: log rotation renames,
//! copies and compresses. Then it is read on from where it ended under its former name.

use std::{collections::HashSet, fs, io, path::Path};

use super::{
    fingerprint::{Fingerprint, head_hash, head_of_content, head_of_file},
    ledger::{Entry, Ledger, Origin, Stat},
    names::listed,
    seam::LogPart,
};
use crate::source::{Limits, SourceFile};

/// A file with something new in it.
#[derive(Debug)]
pub(super) struct Task {
    /// What to analyze.
    pub(super) part: LogPart,
    /// Its key in the ledger.
    pub(super) key: String,
    /// What it was like before the analysis.
    pub(super) stat: Stat,
    /// Its content then.
    pub(super) fingerprint: Fingerprint,
    /// What is known of its beginning.
    pub(super) basis: Basis,
}

/// What is known of the beginning of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Basis {
    /// Nothing: it is read as a whole.
    Nothing,
    /// It was read under the same path.
    SamePath,
    /// It was read under another path.
    Elsewhere(Origin),
}

/// The files of a round, sorted out.
#[derive(Debug, Default)]
pub(super) struct Triage {
    /// Something new.
    pub(super) tasks: Vec<Task>,
    /// Nothing new.
    pub(super) skipped: Vec<SourceFile>,
    /// Not readable.
    pub(super) failed: Vec<(SourceFile, String)>,
}

/// A file as it is now.
struct Seen {
    file: SourceFile,
    key: String,
    stat: Stat,
}

/// Sorts files out. Where only the path or the times of a file have changed, the ledger is brought up to date.
pub(super) fn triage(files: Vec<SourceFile>, ledger: &mut Ledger) -> Triage {
    let mut triage = Triage::default();
    let mut strangers = Vec::new();
    let mut present = HashSet::new();
    for file in files {
        let seen = match look(&file) {
            Ok((key, stat)) => Seen { file, key, stat },
            Err(error) => {
                triage.failed.push((file, explain(&error)));
                continue;
            }
        };
        match ledger.files.get_mut(&seen.key).and_then(|entry| continues(entry, &seen).then_some(entry)) {
            None => strangers.push(seen),
            Some(entry) => {
                present.insert(seen.key.clone());
                if entry.fingerprint.bytes == seen.stat.size && !entry.is_incomplete {
                    entry.stat = seen.stat;
                    triage.skipped.push(seen.file);
                } else {
                    let entry = entry.clone();
                    triage.plan(seen, Some(&entry), Basis::SamePath);
                }
            }
        }
    }
    if !strangers.is_empty() {
        let mut orphans = orphans(ledger, &present, &strangers);
        for seen in strangers {
            triage.stranger(seen, &mut orphans, ledger);
        }
    }
    triage.tasks.sort_by_key(|task| task.part.file.index);
    triage
}

/// Whether the file still is, or begins with, what was read under its path.
fn continues(entry: &Entry, seen: &Seen) -> bool {
    let covered = entry.fingerprint.bytes;
    entry.stat == seen.stat
        || seen.stat.size >= covered
            && Fingerprint::of_file(&seen.file.path, covered).is_ok_and(|now| now == entry.fingerprint)
}

impl Triage {
    fn stranger(&mut self, seen: Seen, orphans: &mut Vec<Orphan>, ledger: &mut Ledger) {
        let Some(Orphan { entry, origin }) = claim(orphans, &seen) else {
            return self.plan(seen, None, Basis::Nothing);
        };
        // Same length and same bytes: it was only renamed or copied, not written to.
        let is_whole = !entry.is_incomplete
            && entry.fingerprint.bytes == seen.stat.size
            && Fingerprint::of_file(&seen.file.path, seen.stat.size).is_ok_and(|now| now == entry.fingerprint);
        if is_whole {
            ledger.forget(&origin);
            let entry = Entry { name: listed(Path::new(&seen.file.name)), stat: seen.stat, ..entry };
            ledger.note(seen.key, entry, false);
            self.skipped.push(seen.file);
        } else {
            self.plan(seen, Some(&entry), Basis::Elsewhere(origin));
        }
    }

    fn plan(&mut self, seen: Seen, entry: Option<&Entry>, basis: Basis) {
        let Seen { file, key, stat } = seen;
        match Fingerprint::of_file(&file.path, stat.size) {
            Err(error) => self.failed.push((file, explain(&error))),
            Ok(fingerprint) => {
                let (from_offset, first_line, first_event) =
                    entry.map_or((0, 1, 0), |entry| (entry.offset, entry.next_line, entry.events));
                let part = LogPart { file, from_offset, first_line, first_event };
                self.tasks.push(Task { part, key, stat, fingerprint, basis });
            }
        }
    }
}

/// A content that was read, and is no longer where it was.
struct Orphan {
    entry: Entry,
    origin: Origin,
}

fn orphans(ledger: &Ledger, present: &HashSet<String>, strangers: &[Seen]) -> Vec<Orphan> {
    let replaced: HashSet<&str> = strangers.iter().map(|seen| seen.key.as_str()).collect();
    let is_gone = |key: &String| {
        !present.contains(key)
            && (replaced.contains(key.as_str())
                || fs::metadata(key).is_err_and(|error| error.kind() == io::ErrorKind::NotFound))
    };
    let moved = ledger.files.iter().filter(|(key, _)| is_gone(key)).map(|(key, entry)| (key.clone(), entry));
    let former = ledger.former.iter().map(|entry| (String::new(), entry));
    // An empty file is the beginning of every file, which says nothing.
    let says_something = |(_, entry): &(String, &Entry)| entry.fingerprint.bytes > 0;
    let orphan = |(key, entry): (String, &Entry)| Orphan {
        entry: entry.clone(),
        origin: Origin { key, fingerprint: entry.fingerprint.clone() },
    };
    moved.chain(former).filter(says_something).map(orphan).collect()
}

/// The longest of the orphans that the file begins with.
fn claim(orphans: &mut Vec<Orphan>, seen: &Seen) -> Option<Orphan> {
    if orphans.is_empty() {
        return None;
    }
    let raw = head_of_file(&seen.file.path).unwrap_or_default();
    let content = head_of_content(&seen.file, Limits::default());
    let begins_with = |orphan: &Orphan, head: &[u8]| {
        head.get(..orphan.entry.fingerprint.head_bytes())
            .is_some_and(|head| head_hash(head) == orphan.entry.fingerprint.head)
    };
    let is_same = |orphan: &Orphan| {
        let (known, bytes) = (&orphan.entry.fingerprint, orphan.entry.fingerprint.bytes);
        let as_it_lies = || Fingerprint::of_file(&seen.file.path, bytes).is_ok_and(|now| now == *known);
        let unpacked = || Fingerprint::of_content(&seen.file, Limits::default(), bytes).is_ok_and(|now| now == *known);
        begins_with(orphan, &raw) && as_it_lies()
            || content.as_ref().is_some_and(|head| begins_with(orphan, head)) && unpacked()
    };
    let longest = (0..orphans.len())
        .filter(|position| is_same(&orphans[*position]))
        .max_by_key(|position| orphans[*position].entry.fingerprint.bytes)?;
    Some(orphans.remove(longest))
}

fn look(file: &SourceFile) -> io::Result<(String, Stat)> {
    let path = fs::canonicalize(&file.path)?;
    Ok((listed(&path), Stat::of(&path)?))
}

pub(super) fn explain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "vanished before it was read".to_owned(),
        io::ErrorKind::UnexpectedEof => {
            "became shorter while it was looked at; it is read in the next round".to_owned()
        }
        _ => error.to_string(),
    }
}
