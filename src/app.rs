//! What a front may ask.
