//! Detection rules in files: what they are, and how they are to be run where they are installed.

pub mod folder;
