//! What the lanes promise.
