//! One record per line: a cut at the last line feed, without a look at any line.

use std::sync::Arc;

use super::{Cut, Framer, HeaderChange};
use crate::parse::ComplaintReason;

pub(super) struct LineFramer {
    max: usize,
    /// The buffer starts within a line that is lost or was read before.
    skipping: bool,
    headers: bool,
}

impl LineFramer {
    pub(super) fn new(max: usize, in_line: bool) -> Self {
        Self { max, skipping: in_line, headers: false }
    }

    /// Ends a piece after every line that names the columns.
    pub(super) fn with_headers(mut self) -> Self {
        self.headers = true;
        self
    }
}

impl Framer for LineFramer {
    fn cut(&mut self, buffer: &[u8], at_end: bool) -> Cut {
        if buffer.is_empty() {
            return Cut::More;
        }
        if self.skipping {
            let line_feed = memchr::memchr(b'\n', buffer);
            self.skipping = line_feed.is_none();
            return Cut::Skip { end: line_feed.map_or(buffer.len(), |at| at + 1) };
        }
        let end = match memchr::memrchr(b'\n', buffer) {
            _ if at_end => buffer.len(),
            Some(at) => at + 1,
            // One more than the limit, for a carriage return; the parser measures the others.
            None if buffer.len() > self.max + 1 => {
                self.skipping = true;
                return Cut::Lost { sample: 0..buffer.len(), end: buffer.len(), reason: ComplaintReason::TooLong };
            }
            None => return Cut::More,
        };
        if self.headers
            && let Some((end, header)) = next_header(&buffer[..end])
        {
            return Cut::Records { end, records: Vec::new(), header: HeaderChange::To(header) };
        }
        Cut::Records { end, records: Vec::new(), header: HeaderChange::None }
    }
}

/// The first line that names columns, and where it ends.
fn next_header(lines: &[u8]) -> Option<(usize, Arc<str>)> {
    memchr::memchr_iter(b'#', lines).find_map(|at| {
        let is_start = at == 0 || lines[at - 1] == b'\n';
        let line = &lines[at..];
        if !is_start || !(line.starts_with(b"#fields") || line.starts_with(b"#Fields:")) {
            return None;
        }
        let length = memchr::memchr(b'\n', line).map_or(line.len(), |end| end + 1);
        let text = String::from_utf8_lossy(&line[..length]);
        Some((at + length, Arc::from(text.trim_end_matches(['\r', '\n']))))
    })
}
