//! Findings as UDM events for Google SecOps (Chronicle).
