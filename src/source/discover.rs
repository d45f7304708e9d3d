//! Which files there are to read.
//!
//! The order is that of the bytes of the paths, so that two runs over the same tree read the same sequence.

use std::{
    collections::HashSet,
    fmt, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use walkdir::WalkDir;

use super::SourceError;

/// Path that stands for standard input.
const STDIN: &str = "-";

/// A file to read, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Number of the file in its run, from 0.
    pub index: u32,
    /// Where it is; `-` for standard input.
    pub path: PathBuf,
    /// How it is shown: the path as the user named it.
    pub name: String,
    /// Its size when it was found; unknown for standard input.
    pub size: Option<u64>,
    /// When it was changed last, in milliseconds since 1970.
    pub modified: Option<i64>,
    /// Its bytes, where they are in memory already and not in a file.
    pub content: Option<Content>,
    /// Most bytes that it may become when it is unpacked, if less than every log may.
    pub most_output: Option<u64>,
}

/// The bytes of a log that is not in a file. Clones are the same bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Content(Arc<Vec<u8>>);

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} bytes", self.0.len())
    }
}

impl SourceFile {
    /// Standard input, which is written now.
    #[must_use]
    pub fn stdin(index: u32) -> Self {
        let modified = millis(SystemTime::now());
        Self {
            index,
            path: PathBuf::from(STDIN),
            name: STDIN.to_owned(),
            size: None,
            modified,
            content: None,
            most_output: None,
        }
    }

    /// A log that is in memory, written now.
    #[must_use]
    pub fn in_memory(index: u32, name: String, bytes: Vec<u8>) -> Self {
        let (size, modified) = (Some(bytes.len() as u64), millis(SystemTime::now()));
        let content = Some(Content(Arc::new(bytes)));
        Self { index, path: PathBuf::from(&name), name, size, modified, content, most_output: None }
    }

    /// The file at a path.
    ///
    /// # Errors
    /// When there is none, or none that may be read.
    pub fn at(index: u32, path: &Path) -> Result<Self, SourceError> {
        let metadata = fs::metadata(path).map_err(|error| SourceError::from_io(path.to_owned(), error))?;
        if let Some(kind) = kind_of_other(&metadata) {
            return Err(SourceError::NotAFile { path: path.to_owned(), kind });
        }
        Ok(Self::from_metadata(index, path, &metadata))
    }

    /// Whether this is standard input.
    #[must_use]
    pub fn is_stdin(&self) -> bool {
        self.content.is_none() && self.path.as_os_str() == STDIN
    }

    fn from_metadata(index: u32, path: &Path, metadata: &fs::Metadata) -> Self {
        let modified = metadata.modified().ok().and_then(millis);
        let (name, size) = (path.display().to_string(), Some(metadata.len()));
        Self { index, path: path.to_owned(), name, size, modified, content: None, most_output: None }
    }
}

fn millis(time: SystemTime) -> Option<i64> {
    i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
}

/// Whether this is a pattern that [`discover`] takes.
///
/// # Errors
/// [`SourceError::Pattern`] names it and says what is wrong.
pub fn check_pattern(pattern: &str) -> Result<(), SourceError> {
    Patterns::new(&[pattern.to_owned()]).map(|_| ())
}

/// What to look for.
#[derive(Debug, Clone, Default)]
pub struct DiscoverRequest {
    /// Folders (read with all that is in them), files, or `-`.
    pub paths: Vec<PathBuf>,
    /// Patterns of which a file in a folder must match one, unless there are none. A pattern without a slash is about
    /// the file's name, one with a slash about its path below the folder. A file that is named itself needs no match.
    pub include: Vec<String>,
    /// Patterns of files and folders to leave out.
    pub exclude: Vec<String>,
    /// Files and folders never to read, such as the job's own output.
    pub own_outputs: Vec<PathBuf>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Discovered {
    /// The files, sorted by the bytes of their paths and numbered in that order.
    pub files: Vec<SourceFile>,
    /// What could not be looked at, and what is no file; the rest is not affected.
    pub problems: Vec<SourceError>,
    /// Entries left out by patterns, as own outputs, or as second ways to a file already found.
    pub left_out: u64,
}

/// Lists the files to read.
///
/// # Errors
/// When a path that was asked for does not exist, a pattern is none, or nothing is found at all.
pub fn discover(request: &DiscoverRequest) -> Result<Discovered, SourceError> {
    let mut search = Search {
        include: Patterns::new(&request.include)?,
        exclude: Patterns::new(&request.exclude)?,
        own_outputs: request.own_outputs.iter().filter_map(|path| fs::canonicalize(path).ok()).collect(),
        seen: HashSet::new(),
        found: Discovered::default(),
    };
    for path in &request.paths {
        if path.as_os_str() == STDIN {
            search.found.files.push(SourceFile::stdin(0));
            continue;
        }
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => SourceError::NotFound { path: path.clone() },
            _ => SourceError::from_io(path.clone(), error),
        })?;
        if metadata.is_dir() {
            search.folder(path);
        } else {
            search.file(path, &metadata);
        }
    }
    let mut found = search.found;
    found.files.sort_by(|a, b| a.path.as_os_str().as_encoded_bytes().cmp(b.path.as_os_str().as_encoded_bytes()));
    for (index, file) in found.files.iter_mut().enumerate() {
        file.index = index as u32;
    }
    if found.files.is_empty() {
        // A single problem says more than that there is nothing.
        if found.left_out == 0 && found.problems.len() == 1 {
            return Err(found.problems.remove(0));
        }
        return Err(nothing_found(request, &found));
    }
    Ok(found)
}

struct Search {
    include: Patterns,
    exclude: Patterns,
    own_outputs: Vec<PathBuf>,
    seen: HashSet<PathBuf>,
    found: Discovered,
}

impl Search {
    fn folder(&mut self, root: &Path) {
        let mut walk = WalkDir::new(root).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.found.problems.push(walk_problem(root, error));
                    continue;
                }
            };
            let path = entry.path();
            let below = path.strip_prefix(root).unwrap_or(path);
            let unwanted = entry.depth() > 0 && self.exclude.matches(below) || self.is_own_output(path);
            if entry.file_type().is_dir() {
                if unwanted || !self.is_first_way_to(path) {
                    self.found.left_out += 1;
                    walk.skip_current_dir();
                }
                continue;
            }
            if unwanted || !(self.include.is_empty() || self.include.matches(below)) {
                self.found.left_out += 1;
                continue;
            }
            match entry.metadata() {
                Ok(metadata) => self.file(path, &metadata),
                Err(error) => self.found.problems.push(walk_problem(root, error)),
            }
        }
    }

    fn file(&mut self, path: &Path, metadata: &fs::Metadata) {
        if let Some(kind) = kind_of_other(metadata) {
            self.found.problems.push(SourceError::NotAFile { path: path.to_owned(), kind });
        } else if self.is_own_output(path) || !self.is_first_way_to(path) {
            self.found.left_out += 1;
        } else {
            self.found.files.push(SourceFile::from_metadata(0, path, metadata));
        }
    }

    /// Whether this is the first path on which this file or folder is met: links may lead to one thing many times.
    fn is_first_way_to(&mut self, path: &Path) -> bool {
        fs::canonicalize(path).map_or(true, |path| self.seen.insert(path))
    }

    fn is_own_output(&self, path: &Path) -> bool {
        !self.own_outputs.is_empty()
            && fs::canonicalize(path).is_ok_and(|path| self.own_outputs.iter().any(|own| path.starts_with(own)))
    }
}

struct Patterns {
    names: GlobSet,
    paths: GlobSet,
}

impl Patterns {
    fn new(patterns: &[String]) -> Result<Self, SourceError> {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let fault = |pattern: &str, source| SourceError::Pattern { pattern: pattern.to_owned(), source };
        for pattern in patterns {
            let glob = GlobBuilder::new(pattern.trim_start_matches("./").trim_end_matches('/'))
                .literal_separator(true)
                .build()
                .map_err(|source| fault(pattern, source))?;
            if pattern.trim_end_matches('/').contains('/') {
                paths.add(glob)
            } else {
                names.add(glob)
            };
        }
        let build = |set: GlobSetBuilder| set.build().map_err(|source| fault(&patterns.join(", "), source));
        Ok(Self { names: build(names)?, paths: build(paths)? })
    }

    fn is_empty(&self) -> bool {
        self.names.is_empty() && self.paths.is_empty()
    }

    fn matches(&self, below: &Path) -> bool {
        below.file_name().is_some_and(|name| self.names.is_match(name)) || self.paths.is_match(below)
    }
}

/// What a thing is that is no regular file.
pub(super) fn kind_of_other(metadata: &fs::Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        return None;
    }
    if kind.is_dir() {
        return Some("folder");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return Some("named pipe");
        }
        if kind.is_socket() {
            return Some("socket");
        }
    }
    Some("device")
}

fn walk_problem(root: &Path, error: walkdir::Error) -> SourceError {
    let path = error.path().unwrap_or(root).to_owned();
    if let Some(ancestor) = error.loop_ancestor() {
        return SourceError::Loop { path, ancestor: ancestor.to_owned() };
    }
    match error.into_io_error() {
        Some(source) => SourceError::from_io(path, source),
        None => SourceError::NotFound { path },
    }
}

fn nothing_found(request: &DiscoverRequest, found: &Discovered) -> SourceError {
    let looked_in: Vec<String> = request.paths.iter().map(|path| path.display().to_string()).collect();
    // They may come from a caller elsewhere, and the message may go into a log.
    let listed = |patterns: &[String]| {
        let shown: Vec<String> = patterns.iter().map(|pattern| pattern.escape_debug().to_string()).collect();
        shown.join(", ")
    };
    let mut filter = match request.include.as_slice() {
        [] => "any name".to_owned(),
        patterns => format!("names like {}", listed(patterns)),
    };
    if !request.exclude.is_empty() {
        filter += &format!(", but not {}", listed(&request.exclude));
    }
    SourceError::NoFiles {
        looked_in: looked_in.join(", "),
        filter,
        skipped: found.left_out + found.problems.len() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x\n").unwrap();
        }
        root
    }

    fn request(root: &Path) -> DiscoverRequest {
        DiscoverRequest { paths: vec![root.to_owned()], ..DiscoverRequest::default() }
    }

    fn names(found: &Discovered, root: &Path) -> Vec<String> {
        found.files.iter().map(|file| file.path.strip_prefix(root).unwrap().display().to_string()).collect()
    }

    #[test]
    fn sorted_by_bytes_and_numbered() {
        let root = tree(&["b.log", "a/z.log", "a.log", "B.log", "a/b/c.log"]);
        let found = discover(&request(root.path())).unwrap();
        assert_eq!(names(&found, root.path()), ["B.log", "a.log", "a/b/c.log", "a/z.log", "b.log"]);
        assert_eq!(found.files.iter().map(|file| file.index).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
        assert_eq!(found.files[0].size, Some(2));
    }

    #[test]
    fn patterns_and_own_outputs() {
        let root = tree(&["a.log", "b.txt", "old/a.log", "out/report.log", "deep/er/auth.log"]);
        let mut wanted = request(root.path());
        wanted.include = vec!["*.log".to_owned()];
        wanted.exclude = vec!["old".to_owned(), "deep/*/auth*".to_owned()];
        wanted.own_outputs = vec![root.path().join("out")];
        let found = discover(&wanted).unwrap();
        assert_eq!(names(&found, root.path()), ["a.log"]);
        assert_eq!(found.left_out, 4);
    }

    #[test]
    fn nothing_is_an_error_that_says_what_was_looked_for() {
        let root = tree(&["b.txt"]);
        let mut wanted = request(root.path());
        wanted.include = vec!["*.log".to_owned()];
        let message = discover(&wanted).unwrap_err().to_string();
        assert!(message.starts_with("0 files matched in "), "{message}");
        assert!(message.contains("names like *.log; 1 other entries"), "{message}");
        wanted.exclude = vec!["x\n\u{1b}2J".to_owned()];
        let message = discover(&wanted).unwrap_err().to_string();
        assert!(message.contains(r"but not x\n\u{1b}2J;"), "{message}");
        wanted.exclude.clear();
        let missing = discover(&request(&root.path().join("missing"))).unwrap_err();
        assert!(matches!(missing, SourceError::NotFound { .. }));
        wanted.include = vec!["[".to_owned()];
        assert!(matches!(discover(&wanted).unwrap_err(), SourceError::Pattern { .. }));
    }

    #[test]
    fn standard_input_is_a_file() {
        let found = discover(&request(Path::new("-"))).unwrap();
        assert!(found.files[0].is_stdin());
    }

    #[cfg(unix)]
    #[test]
    fn loops_twins_and_pipes() {
        let root = tree(&["a/one.log", "two.log"]);
        std::os::unix::fs::symlink(root.path(), root.path().join("a/up")).unwrap();
        std::os::unix::fs::symlink(root.path().join("two.log"), root.path().join("current.log")).unwrap();
        std::os::unix::fs::symlink(root.path().join("gone.log"), root.path().join("dangling.log")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.path().join("socket")).unwrap();
        let found = discover(&request(root.path())).unwrap();
        assert_eq!(names(&found, root.path()), ["a/one.log", "current.log"]);
        assert_eq!(found.left_out, 1, "two.log is current.log");
        let kinds: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        assert_eq!(kinds.len(), 3, "{kinds:?}");
        assert!(kinds.iter().any(|text| text.contains("links back to")), "{kinds:?}");
        assert!(kinds.iter().any(|text| text.contains("is a socket")), "{kinds:?}");
        assert!(kinds.iter().any(|text| text.contains("dangling.log: vanished")), "{kinds:?}");
    }
}
