//! A block: a piece of a log that holds whole records, ready to be parsed by any worker.
//!
//! A block carries all that its parsing needs, the names of its columns included, so that blocks may be parsed in any
//! order and by anyone.

use std::{ops::Range, sync::Arc};

use super::ComplaintReason;

/// A piece of a log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Block {
    /// Which of the run's files this is.
    pub file: u32,
    /// Offset of the first byte in the file's decompressed text.
    pub offset: u64,
    /// Line of the first byte in its file, from 1; in formats without lines, number of the first record.
    pub first_line: u64,
    /// The letters.
    pub bytes: Vec<u8>,
    /// Where the records are; empty when every line that is not blank is one.
    pub records: Vec<Range<u32>>,
    /// The line that names the columns, where the format has one that may change on the way.
    pub header: Option<Arc<str>>,
    /// The block is the beginning of a record that is lost, for this reason.
    pub fault: Option<ComplaintReason>,
    /// The log ends in the last record, without the end of a line.
    pub unterminated: bool,
}
