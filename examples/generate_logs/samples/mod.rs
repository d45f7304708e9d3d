//! The sample logs: one office's fourteen days in seven formats, with planted incidents and with honest oddities.
//!
//! Addresses outside are of the documentation ranges (RFC 5737), addresses inside private ones (RFC 1918), names end in
//! `.example`. No floating-point library function is used, so that every platform writes the same bytes.

mod application;
mod auth;
mod cloudtrail;
mod kubernetes;
mod log;
mod nginx;
mod people;
mod random;
mod sshd;
mod vpn;

pub(crate) use log::{Sample, planted_json};

/// Every sample, in the order of the file names.
pub(crate) fn all() -> Vec<Sample> {
    vec![
        application::sample(),
        auth::sample(),
        cloudtrail::sample(),
        kubernetes::sample(),
        nginx::sample(),
        sshd::sample(),
        vpn::sample(),
    ]
}
