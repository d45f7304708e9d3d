//! Where bytes come from: directories, files, standard input, compressed or not.
//!
//! A source yields raw, decompressed chunks; it knows nothing of records. Cutting chunks into whole records is the
//! parser's business, because only a format knows where a record ends.

mod decode;
mod discover;
mod error;
mod input;

pub use discover::{Content, DiscoverRequest, Discovered, SourceFile, check_pattern, discover};
pub use error::SourceError;
pub use input::{Compression, Input, Limits, text_length};
