//! The sink against a scripted server on the loopback interface: deliveries, set-up and check, ways of access.

#![allow(clippy::unwrap_used)] // A test may panic.

#[path = "loopback/access.rs"]
mod access;
#[path = "loopback/delivery.rs"]
mod delivery;
#[path = "loopback/provisioning.rs"]
mod provisioning;
#[path = "loopback/server.rs"]
mod server;
