//! Where the next record starts within or behind a broken one.
//!
//! Layout helps: in a log that is laid out in lines, a record starts no deeper than the broken one did.

/// How far a start looks around itself; farther than any indentation.
pub(super) const LOOK: usize = 128;

pub(super) struct Restart<'a> {
    pub(super) buffer: &'a [u8],
    /// First byte that may be looked back at.
    pub(super) floor: usize,
    /// Starts are before this.
    pub(super) limit: usize,
    /// Spaces before the broken record, if it was the first on its line.
    pub(super) indent: Option<usize>,
    pub(super) at_end: bool,
}

#[derive(Debug, PartialEq)]
pub(super) enum Place {
    At(usize),
    /// More must be read to tell whether here.
    Unknown(usize),
    None,
}

impl Restart<'_> {
    /// The first start at or behind `from`.
    pub(super) fn find(&self, from: usize) -> Place {
        let from = from.min(self.limit);
        for found in memchr::memchr_iter(b'{', &self.buffer[from..self.limit]) {
            let place = from + found;
            let ahead = &self.buffer[place + 1..self.buffer.len().min(place + 1 + LOOK)];
            match ahead.iter().find(|byte| !byte.is_ascii_whitespace()) {
                None if ahead.len() < LOOK && !self.at_end => return Place::Unknown(place),
                Some(b'"' | b'}') if self.fits(place) => return Place::At(place),
                _ => {}
            }
        }
        Place::None
    }

    /// Whether what stands before an opening brace lets it open a record.
    fn fits(&self, place: usize) -> bool {
        let behind = &self.buffer[self.floor.max(place.saturating_sub(LOOK))..place];
        if let Some(indent) = self.indent {
            return first_on_line(behind).is_some_and(|spaces| spaces <= indent);
        }
        let before = behind.trim_ascii_end();
        match before.last() {
            Some(b':' | b'[') => false,
            Some(b',' | b'}') => true,
            _ => behind[before.len()..].contains(&b'\n'),
        }
    }
}

/// Spaces before a place if nothing but the end of the record before stands before it on its line.
fn first_on_line(behind: &[u8]) -> Option<usize> {
    let line_feed = memchr::memrchr(b'\n', behind)?;
    let line = &behind[line_feed + 1..];
    let spaces = line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    line[spaces..].iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b',' | b'}')).then_some(spaces)
}

/// Spaces before a place if nothing else stands before it on its line.
pub(super) fn indent(buffer: &[u8], floor: usize, place: usize) -> Option<usize> {
    let behind = &buffer[floor.max(place.saturating_sub(LOOK))..place];
    let spaces = behind.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r')).count();
    (behind.len() > spaces && behind[behind.len() - 1 - spaces] == b'\n').then_some(spaces)
}
