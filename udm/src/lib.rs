//! Google SecOps' Unified Data Model (UDM) as facts, and a linter over them. Pure: no I/O, no clock.
