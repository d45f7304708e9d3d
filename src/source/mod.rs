//! Where bytes come from: directories, files, standard input, compressed or not.
//!
//! A source yields raw, decompressed chunks; it knows nothing of records. Cutting chunks into whole records is the
//! parser's business, because only a format knows where a record ends.
