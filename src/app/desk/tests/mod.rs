//! The desk, in temporary directories.
