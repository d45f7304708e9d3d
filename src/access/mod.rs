//! Who may ask, and for what: API keys, tokens, scopes, and the record of who did what.
//!
//! Nothing here knows a protocol: a front hands in the texts of the request's credentials and learns who the caller is.

mod gate;
mod scope;

pub use gate::{Caller, Credentials, Gate, KeyCard, NewKey, Refusal};
pub use scope::{Scope, Scopes};
