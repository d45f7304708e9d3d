//! The same rule in the one layout, comments kept.
