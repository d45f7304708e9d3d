//! What can go wrong on the way to a log's bytes. Each message names the place and what helps.

use std::{io, path::PathBuf};

use super::Compression;

/// Why a source, or the rest of it, could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing to read.
    #[error(
        "0 files matched in {looked_in} ({filter}; {skipped} other entries seen): expected at least one readable log; \
         check the folder and the patterns"
    )]
    NoFiles {
        /// The paths asked for, joined.
        looked_in: String,
        /// The patterns in force, in words.
        filter: String,
        /// Entries that were seen and not taken.
        skipped: u64,
    },
    /// A path that was asked for is not there.
    #[error("{}: no such file or folder; check the spelling", path.display())]
    NotFound {
        /// The path.
        path: PathBuf,
    },
    /// It was there when the files were listed, and is no longer.
    #[error("{}: vanished before it was read; it was skipped", path.display())]
    Vanished {
        /// The path.
        path: PathBuf,
    },
    /// The rights are missing.
    #[error("{}: no permission to read it; grant it to this user, or exclude the path", path.display())]
    Denied {
        /// The path.
        path: PathBuf,
    },
    /// A folder, pipe, socket or device.
    #[error("{}: is a {kind}, not a file; it was skipped", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// A symbolic link leads back to a folder above it.
    #[error("{}: links back to {}; it was not followed again", path.display(), ancestor.display())]
    Loop {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        ancestor: PathBuf,
    },
    /// The file became shorter while it was read.
    #[error("{}: shrank from {expected} to {read} bytes while it was read; what was read counts, read it again", path.display())]
    Shrunk {
        /// The path.
        path: PathBuf,
        /// Its size when it was opened.
        expected: u64,
        /// Where it ended.
        read: u64,
    },
    /// The operating system reports an error.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What it reports.
        source: io::Error,
    },
    /// The compressed data ends early or is damaged.
    #[error("{}: the {kind} data is cut short or damaged after {offset} decompressed bytes; what came before counts", path.display())]
    Damaged {
        /// The path.
        path: PathBuf,
        /// How it is compressed.
        kind: Compression,
        /// Decompressed bytes before the damage.
        offset: u64,
        /// What the decompressor says.
        source: io::Error,
    },
    /// A compression that is not read.
    #[error("{}: is {kind} data, which is not read; expected plain text, gzip or zstd: unpack it first", path.display())]
    UnknownCompression {
        /// The path.
        path: PathBuf,
        /// Its name.
        kind: &'static str,
    },
    /// More comes out of it than a log would hold.
    #[error(
        "{}: {input} compressed bytes became more than {output}, as in a decompression bomb; what came before counts; \
         raise the limit if the file is genuine", path.display()
    )]
    Bomb {
        /// The path.
        path: PathBuf,
        /// Bytes in.
        input: u64,
        /// Bytes out.
        output: u64,
    },
    /// Not text.
    #[error("{}: is not text (NUL bytes within the first {sniffed}); exclude it, or name the format to read it anyway", path.display())]
    Binary {
        /// The path.
        path: PathBuf,
        /// Bytes looked at.
        sniffed: usize,
    },
    /// A table without a line of names.
    #[error(
        "{}: line 1 is not a header (`{found}`): expected the names of the columns, for example `time,user,source_ip,action`; \
         add one", path.display()
    )]
    NoHeader {
        /// The path.
        path: PathBuf,
        /// The beginning of the line that stands there.
        found: String,
    },
    /// A pattern that cannot be read.
    #[error("`{}`: not a pattern of file names; expected something like `*.log` or `**/auth*`", pattern.escape_debug())]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
}

impl SourceError {
    /// The error of the operating system about a path, as one of the kinds above.
    #[must_use]
    pub fn from_io(path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Vanished { path },
            io::ErrorKind::PermissionDenied => Self::Denied { path },
            io::ErrorKind::IsADirectory => Self::NotAFile { path, kind: "folder" },
            _ => Self::Read { path, source },
        }
    }
}
