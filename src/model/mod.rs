//! What was learned, as a file that is safe to load.
