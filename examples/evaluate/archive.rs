//! Reads what labelled data comes in: zip archives, xz files and numpy arrays.
//!
//! Written for well-known local files, not for hostile ones: it checks what it needs and gives up with a reason.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};

/// The files of a zip archive by name, unpacked.
pub(crate) fn unzip(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    entries(&bytes).with_context(|| format!("{} is not a zip archive as expected", path.display()))
}

/// A file that is compressed when its name says so.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let file = std::fs::File::open(path).with_context(|| format!("reading {}", path.display()))?;
    let mut file = std::io::BufReader::new(file);
    let mut bytes = Vec::new();
    if path.extension().is_some_and(|end| end == "xz") {
        lzma_rs::xz_decompress(&mut file, &mut bytes).map_err(|error| anyhow!("{}: {error:?}", path.display()))?;
    } else {
        file.read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn entries(bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    // The directory at the end holds the sizes; those before each file may be missing.
    let end = bytes.windows(4).rposition(|four| four == b"PK\x05\x06").context("no end of directory")?;
    let (count, mut at) = (number(bytes, end + 10, 2)?, number(bytes, end + 16, 4)?);
    let mut files = BTreeMap::new();
    for _ in 0..count {
        let (method, packed) = (number(bytes, at + 10, 2)?, number(bytes, at + 20, 4)?);
        let (name, extra, comment) =
            (number(bytes, at + 28, 2)?, number(bytes, at + 30, 2)?, number(bytes, at + 32, 2)?);
        let local = number(bytes, at + 42, 4)?;
        let title = String::from_utf8_lossy(slice(bytes, at + 46, name)?).into_owned();
        let begin = local + 30 + number(bytes, local + 26, 2)? + number(bytes, local + 28, 2)?;
        let data = slice(bytes, begin, packed)?;
        let unpacked = match method {
            0 => data.to_vec(),
            8 => {
                let mut unpacked = Vec::new();
                flate2::read::DeflateDecoder::new(data).read_to_end(&mut unpacked)?;
                unpacked
            }
            14 => unpack_lzma(data, number(bytes, at + 24, 4)?).with_context(|| title.clone())?,
            other => bail!("{title}: compression method {other}, expected 0, 8 or 14"),
        };
        files.insert(title, unpacked);
        at += 46 + name + extra + comment;
    }
    Ok(files)
}

/// LZMA as zip archives have it: a version and the length of the properties first, the size elsewhere.
fn unpack_lzma(data: &[u8], size: usize) -> Result<Vec<u8>> {
    let size = lzma_rs::decompress::UnpackedSize::UseProvided(Some(size as u64));
    let options = lzma_rs::decompress::Options { unpacked_size: size, ..Default::default() };
    let mut unpacked = Vec::new();
    let mut stream = data.get(4..).context("a stream after the properties")?;
    lzma_rs::lzma_decompress_with_options(&mut stream, &mut unpacked, &options)
        .map_err(|error| anyhow!("{error:?}"))?;
    Ok(unpacked)
}

/// A numpy array of one or two dimensions, row-major.
#[derive(Debug)]
pub(crate) struct Array {
    pub(crate) values: Vec<f64>,
    pub(crate) columns: usize,
}

/// Reads an array in numpy's format (version 1 to 3) of little-endian numbers.
pub(crate) fn array(bytes: &[u8]) -> Result<Array> {
    if !bytes.starts_with(b"\x93NUMPY") {
        bail!("expected a numpy array");
    }
    let (width, begin) = if bytes.get(6) == Some(&1) { (2, 10) } else { (4, 12) };
    let length = number(bytes, 8, width)?;
    let header = std::str::from_utf8(slice(bytes, begin, length)?)?;
    let entry = |key: &str| header.split_once(key).map(|(_, rest)| rest).context("an array header with all keys");
    let kind = entry("'descr':")?.split('\'').nth(1).context("a type")?;
    let by_column = entry("'fortran_order':")?.trim_start().starts_with("True");
    let shape = entry("'shape':")?.split(['(', ')']).nth(1).context("a shape")?;
    let shape: Vec<usize> = shape
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    let (rows, columns) = match shape[..] {
        [rows] => (rows, 1),
        [rows, columns] => (rows, columns),
        _ => bail!("expected one or two dimensions, found {shape:?}"),
    };
    let stored = numbers(&bytes[begin + length..], kind)?;
    if stored.len() != rows * columns {
        bail!("expected {rows} x {columns} numbers, found {}", stored.len());
    }
    let place = |row, column| if by_column { column * rows + row } else { row * columns + column };
    let places = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    Ok(Array { values: places.map(|(row, column)| stored[place(row, column)]).collect(), columns })
}

fn numbers(bytes: &[u8], kind: &str) -> Result<Vec<f64>> {
    macro_rules! read {
        ($number:ty) => {{
            const SIZE: usize = size_of::<$number>();
            bytes.as_chunks::<SIZE>().0.iter().map(|chunk| <$number>::from_le_bytes(*chunk) as f64).collect()
        }};
    }
    Ok(match kind {
        "<f8" => read!(f64),
        "<f4" => read!(f32),
        "<i8" => read!(i64),
        "<i4" => read!(i32),
        "|u1" | "|b1" => read!(u8),
        other => bail!("numbers of type {other}, expected <f8, <f4, <i8, <i4, |u1"),
    })
}

fn slice(bytes: &[u8], begin: usize, length: usize) -> Result<&[u8]> {
    bytes.get(begin..begin + length).context("the file ends too early")
}

fn number(bytes: &[u8], at: usize, width: usize) -> Result<usize> {
    Ok(slice(bytes, at, width)?.iter().rev().fold(0, |number, &byte| number << 8 | usize::from(byte)))
}
