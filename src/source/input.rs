//! One open log: its decompressed bytes as UTF-8, from the start to where it ended when it was opened.
//!
//! How a file is compressed is seen from its first bytes and never from its name, because logs are renamed at will.

use std::{
    fmt, fs,
    io::{self, BufReader, Cursor, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use super::{
    SourceError, SourceFile,
    decode::{BombFound, Counting, Endian, Guarded, Utf16},
    discover::kind_of_other,
};

/// Bytes that are looked at to tell compression and encoding.
const PEEK: u64 = 512;

/// How a log is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
}

impl fmt::Display for Compression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// How much one compressed log may become.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes in all.
    pub max_output: u64,
    /// Bytes out of one byte in, once 64 MiB have come out.
    pub max_ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_output: 1 << 40, max_ratio: 1_000 }
    }
}

enum Reader {
    Plain(io::Take<fs::File>),
    Other(Box<dyn Read + Send>),
}

/// An open log.
pub struct Input {
    reader: Reader,
    path: PathBuf,
    compression: Option<Compression>,
    /// Bytes handed out or skipped: the offset of the next one in the decoded text.
    offset: u64,
    /// Where an uncompressed file must end.
    expected_end: Option<u64>,
    ended: bool,
    pending: Option<SourceError>,
}

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Input").field("path", &self.path).field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl Input {
    /// Opens a file or standard input. What a file gains from now on is not read.
    ///
    /// # Errors
    /// When it is gone, may not be read, is no file, or is compressed in a way that is not known.
    pub fn open(file: &SourceFile, limits: Limits) -> Result<Self, SourceError> {
        let max_output = file.most_output.map_or(limits.max_output, |most| most.min(limits.max_output));
        let limits = Limits { max_output, ..limits };
        if file.is_stdin() {
            return Self::from_reader(file.path.clone(), Box::new(io::stdin()), limits);
        }
        // The name and not the path: what came with a call may lie in a file whose place is nobody's business.
        let shown = PathBuf::from(&file.name);
        if let Some(content) = &file.content {
            return Self::from_reader(shown, Box::new(Cursor::new(content.clone())), limits);
        }
        let fault = |error| SourceError::from_io(shown.clone(), error);
        // Before opening, because opening a pipe that nobody writes to waits forever.
        let metadata = fs::metadata(&file.path).map_err(fault)?;
        if let Some(kind) = kind_of_other(&metadata) {
            return Err(SourceError::NotAFile { path: shown, kind });
        }
        let mut opened = fs::File::open(&file.path).map_err(fault)?;
        let size = opened.metadata().map_err(fault)?.len();
        let mut head = Vec::new();
        (&mut opened).take(PEEK).read_to_end(&mut head).map_err(fault)?;
        opened.seek(SeekFrom::Start(0)).map_err(fault)?;
        let opened = opened.take(size);
        if compression(&shown, &head)?.is_some() || byte_order(&head).is_some() {
            return Self::from_parts(shown, head, Box::new(opened), limits);
        }
        Ok(Self { expected_end: Some(size), ..Self::new(shown, Reader::Plain(opened), None) })
    }

    /// A log from any reader.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub fn from_reader(path: PathBuf, mut reader: Box<dyn Read + Send>, limits: Limits) -> Result<Self, SourceError> {
        let mut head = Vec::new();
        (&mut reader).take(PEEK).read_to_end(&mut head).map_err(|error| SourceError::from_io(path.clone(), error))?;
        let whole = Box::new(Cursor::new(head.clone()).chain(reader));
        Self::from_parts(path, head, whole, limits)
    }

    fn from_parts(
        path: PathBuf,
        mut head: Vec<u8>,
        raw: Box<dyn Read + Send>,
        limits: Limits,
    ) -> Result<Self, SourceError> {
        let compression = compression(&path, &head)?;
        let mut reader = match compression {
            None => raw,
            Some(kind) => {
                let (counting, input) = Counting::new(raw);
                let buffered = BufReader::with_capacity(128 << 10, counting);
                let inner: Box<dyn Read + Send> = match kind {
                    Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(buffered)),
                    Compression::Zstd => Box::new(
                        zstd::stream::read::Decoder::with_buffer(buffered)
                            .map_err(|error| SourceError::from_io(path.clone(), error))?,
                    ),
                };
                let Limits { max_output, max_ratio } = limits;
                let mut guarded = Guarded { inner, input, output: 0, max_output, max_ratio };
                head.clear();
                // An error here comes again below, where it can be said how far the reading went.
                let result = (&mut guarded).take(PEEK).read_to_end(&mut head);
                let again: Box<dyn Read + Send> = match result {
                    Ok(_) => Box::new(guarded),
                    Err(error) => Box::new(Failing(Some(error))),
                };
                Box::new(Cursor::new(head.clone()).chain(again)) as Box<dyn Read + Send>
            }
        };
        if let Some(endian) = byte_order(&head) {
            reader = Box::new(Utf16::new(reader, endian));
        }
        Ok(Self::new(path, Reader::Other(reader), compression))
    }

    fn new(path: PathBuf, reader: Reader, compression: Option<Compression>) -> Self {
        Self { reader, path, compression, offset: 0, expected_end: None, ended: false, pending: None }
    }

    /// How the log is compressed.
    #[must_use]
    pub fn compression(&self) -> Option<Compression> {
        self.compression
    }

    /// Where the log is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Offset of the next byte, in the decompressed text.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Adds bytes to `buffer` until `wanted` have come or the log ends; how many came.
    ///
    /// # Errors
    /// When the log cannot be read further; what came before the error has been added.
    pub fn read_into(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<usize, SourceError> {
        if let Some(error) = self.pending.take() {
            return Err(error);
        }
        if self.ended {
            return Ok(0);
        }
        let before = buffer.len();
        buffer.reserve_exact(wanted);
        let result = match &mut self.reader {
            Reader::Plain(file) => file.take(wanted as u64).read_to_end(buffer),
            Reader::Other(reader) => reader.take(wanted as u64).read_to_end(buffer),
        };
        let read = buffer.len() - before;
        self.offset += read as u64;
        match result {
            Err(error) => {
                self.ended = true;
                Err(self.fault(error))
            }
            Ok(_) if read < wanted => {
                self.ended = true;
                match self.expected_end {
                    Some(expected) if self.offset < expected => {
                        Err(SourceError::Shrunk { path: self.path.clone(), expected, read: self.offset })
                    }
                    _ => Ok(read),
                }
            }
            Ok(_) => Ok(read),
        }
    }

    /// Goes on at an offset in the decompressed text; backwards only in files that are not compressed.
    ///
    /// # Errors
    /// When the log ends before it, or cannot be read.
    pub fn skip_to(&mut self, offset: u64) -> Result<(), SourceError> {
        if let (Reader::Plain(file), Some(expected)) = (&mut self.reader, self.expected_end) {
            if offset > expected {
                return Err(SourceError::Shrunk { path: self.path.clone(), expected: offset, read: expected });
            }
            let sought = file.get_mut().seek(SeekFrom::Start(offset));
            file.set_limit(expected - offset);
            self.offset = offset;
            return sought.map(drop).map_err(|error| self.fault(error));
        }
        let mut sink = Vec::new();
        while self.offset < offset {
            let step = (offset - self.offset).min(1 << 20) as usize;
            sink.clear();
            if self.read_into(&mut sink, step)? < step {
                return Err(SourceError::Shrunk { path: self.path.clone(), expected: offset, read: self.offset });
            }
        }
        Ok(())
    }

    /// Takes back bytes that were read last, to read them again.
    pub(crate) fn unread(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        self.offset -= bytes.len() as u64;
        self.ended = false;
        let rest = std::mem::replace(&mut self.reader, Reader::Other(Box::new(io::empty())));
        let bytes = Cursor::new(bytes);
        self.reader = Reader::Other(match rest {
            Reader::Plain(file) => Box::new(bytes.chain(file)),
            Reader::Other(reader) => Box::new(bytes.chain(reader)),
        });
    }

    /// Ends the log here; the next reading gives this error.
    pub(crate) fn fail_with(&mut self, error: SourceError) {
        self.pending = Some(error);
    }

    fn fault(&self, error: io::Error) -> SourceError {
        if let Some(bomb) = error.get_ref().and_then(|inner| inner.downcast_ref::<BombFound>()) {
            return SourceError::Bomb { path: self.path.clone(), input: bomb.input, output: bomb.output };
        }
        match self.compression {
            Some(kind) => SourceError::Damaged { path: self.path.clone(), kind, offset: self.offset, source: error },
            None => SourceError::from_io(self.path.clone(), error),
        }
    }
}

/// Bytes of a log's text, unpacked, counted no further than a little beyond `most`: how large a packed log is, only its
/// unpacking tells. What can't be read is no text; the length of standard input is not known and counts as endless.
#[must_use]
pub fn text_length(file: &SourceFile, most: u64) -> u64 {
    let Some(size) = file.size else { return u64::MAX };
    if size > most {
        return size;
    }
    let Ok(mut input) = Input::open(file, Limits { max_output: most, ..Limits::default() }) else { return 0 };
    if input.compression().is_none() {
        return size;
    }
    let mut piece = Vec::new();
    loop {
        piece.clear();
        match input.read_into(&mut piece, 64 << 10) {
            Ok(read) if read > 0 && input.offset() <= most => {}
            Err(SourceError::Bomb { .. }) => return u64::MAX,
            _ => return input.offset(),
        }
    }
}

/// Gives back an error that was met while peeking.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

fn compression(path: &Path, head: &[u8]) -> Result<Option<Compression>, SourceError> {
    let unknown = |kind| Err(SourceError::UnknownCompression { path: path.to_owned(), kind });
    match head {
        [0x1F, 0x8B, 8, ..] => Ok(Some(Compression::Gzip)),
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Ok(Some(Compression::Zstd)),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => unknown("xz"),
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => unknown("bzip2"),
        [b'P', b'K', 3, 4, ..] => unknown("zip"),
        [0x04, 0x22, 0x4D, 0x18, ..] => unknown("lz4"),
        [b'7', b'z', 0xBC, 0xAF, ..] => unknown("7-zip"),
        [b'E', b'l', b'f', b'F', b'i', b'l', b'e', 0, ..] => unknown("binary Windows event log"),
        _ => Ok(None),
    }
}

/// The byte order of UTF-16 text, from its mark or, without one, from where the zeros of its ASCII letters stand.
fn byte_order(head: &[u8]) -> Option<Endian> {
    match head {
        [0xFF, 0xFE, ..] => return Some(Endian::Little),
        [0xFE, 0xFF, ..] => return Some(Endian::Big),
        _ => {}
    }
    let zeros = |first: usize| head.iter().skip(first).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    // Three in four letters from ASCII and not one zero in the other half: no binary format looks like this.
    match (even, odd) {
        (0, odd) if pairs >= 8 && odd * 4 >= pairs * 3 => Some(Endian::Little),
        (even, 0) if pairs >= 8 && even * 4 >= pairs * 3 => Some(Endian::Big),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read(bytes: Vec<u8>, limits: Limits) -> (Vec<u8>, Option<SourceError>) {
        let mut input = Input::from_reader(PathBuf::from("x"), Box::new(Cursor::new(bytes)), limits).unwrap();
        let mut all = Vec::new();
        loop {
            match input.read_into(&mut all, 1_000) {
                Ok(0) => return (all, None),
                Ok(_) => {}
                Err(error) => return (all, Some(error)),
            }
        }
    }

    #[test]
    fn members_and_frames_are_joined() {
        let text = b"one two three\n".repeat(100);
        let twice = [text.clone(), text.clone()].concat();
        assert_eq!(read([gzip(&text), gzip(&text)].concat(), Limits::default()).0, twice);
        let zstd = zstd::encode_all(&*text, 3).unwrap();
        assert_eq!(read([zstd.clone(), zstd].concat(), Limits::default()).0, twice);
        assert_eq!(read(text.clone(), Limits::default()).0, text);
        assert_eq!(read(Vec::new(), Limits::default()).0, b"");
    }

    #[test]
    fn a_cut_archive_gives_what_it_has() {
        let lines: String = (0..20_000).map(|number| format!("line {number} {}\n", number * 7_919 % 10_007)).collect();
        let zstd = zstd::encode_all(lines.as_bytes(), 1).unwrap();
        for (packed, kind) in [(gzip(lines.as_bytes()), Compression::Gzip), (zstd, Compression::Zstd)] {
            let (text, error) = read(packed[..packed.len() - 20].to_vec(), Limits::default());
            assert!(text.len() > 1_000 && lines.as_bytes().starts_with(&text), "{kind}: {}", text.len());
            assert!(matches!(error, Some(SourceError::Damaged { kind: found, .. }) if found == kind), "{error:?}");
        }
    }

    #[test]
    fn bombs_are_refused() {
        let bomb = gzip(&vec![b'\n'; 80 << 20]);
        let (text, error) = read(bomb.clone(), Limits::default());
        assert!(matches!(error, Some(SourceError::Bomb { .. })), "{error:?}");
        assert!(text.len() <= 1_000 * bomb.len() + (1 << 20), "{}", text.len());
        let (_, error) = read(bomb, Limits { max_output: 1 << 20, max_ratio: u64::MAX });
        assert!(matches!(error, Some(SourceError::Bomb { .. })), "{error:?}");
    }

    #[test]
    fn the_length_of_a_packed_log_is_that_of_its_text() {
        let text = b"one two three\n".repeat(1_000);
        let length = |bytes: &[u8], most| text_length(&SourceFile::in_memory(0, "x".to_owned(), bytes.to_vec()), most);
        for packed in [gzip(&text), gzip(&text[..7_000]).into_iter().chain(gzip(&text[7_000..])).collect()] {
            assert_eq!(length(&packed, 1 << 20), 14_000);
            assert_eq!(length(&packed, 14_000), 14_000);
            assert!(length(&packed, 13_999) > 13_999);
            assert_eq!(length(&packed, 10), packed.len() as u64);
        }
        assert_eq!(length(&text, 1 << 20), 14_000);
        assert_eq!(length(&[0xFD, b'7', b'z', b'X', b'Z', 0], 1 << 20), 0);
    }

    #[test]
    fn a_log_may_have_a_limit_of_its_own() {
        let text = b"one two three\n".repeat(1_000);
        let file = SourceFile::in_memory(0, "x".to_owned(), gzip(&text));
        for (most, is_over) in [(14_000, false), (13_999, true)] {
            let file = SourceFile { most_output: Some(most), ..file.clone() };
            let mut input = Input::open(&file, Limits::default()).unwrap();
            let read = input.read_into(&mut Vec::new(), 20_000);
            assert_eq!(matches!(read, Err(SourceError::Bomb { .. })), is_over, "{read:?}");
        }
    }

    #[test]
    fn utf16_is_read() {
        let text = "{\"user\":\"Zoë 🦀\"}\r\n";
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(little.clone(), Limits::default()).0, text.as_bytes(), "without a mark");
        let marked = [vec![0xFE, 0xFF], big].concat();
        assert_eq!(read(marked, Limits::default()).0, format!("\u{feff}{text}").as_bytes());
        let broken = [&[0xFF, 0xFE], &little[..little.len() - 1], &[][..]].concat();
        assert!(read(broken, Limits::default()).0.ends_with("\r\u{fffd}".as_bytes()));
    }

    #[test]
    fn other_archives_are_named() {
        let xz = vec![0xFD, b'7', b'z', b'X', b'Z', 0, 0, 0];
        let error = Input::from_reader(PathBuf::from("a.xz"), Box::new(Cursor::new(xz)), Limits::default());
        assert!(error.unwrap_err().to_string().contains("is xz data"));
    }

    #[test]
    fn growth_waits_and_shrinking_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        fs::write(&path, "0123456789").unwrap();
        let file = SourceFile::at(0, &path).unwrap();
        let mut input = Input::open(&file, Limits::default()).unwrap();
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
        let mut text = Vec::new();
        input.read_into(&mut text, 100).unwrap();
        assert_eq!(text, b"0123456789");
        let mut input = Input::open(&file, Limits::default()).unwrap();
        fs::write(&path, "0123").unwrap();
        let error = input.read_into(&mut Vec::new(), 100).unwrap_err();
        assert!(matches!(error, SourceError::Shrunk { expected: 14, read: 4, .. }), "{error}");
        fs::remove_file(&path).unwrap();
        assert!(matches!(Input::open(&file, Limits::default()).unwrap_err(), SourceError::Vanished { .. }));
        assert!(matches!(SourceFile::at(0, folder.path()).unwrap_err(), SourceError::NotAFile { .. }));
    }
}
