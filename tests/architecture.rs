//! The invariants of ARCHITECTURE.md.
