//! Who may ask, and for what: API keys, tokens, scopes, and the record of who did what.
//!
//! Nothing here knows a protocol: a front hands in the texts of the request's credentials and learns who the caller is.

mod audit;
mod gate;
mod key;
mod key_file;
mod ring;
mod scope;
mod session;
mod token;

pub use audit::{AuditEntry, AuditError, AuditLog, AuditResult};
pub use gate::{Caller, Credentials, Gate, GateError, Reach, Refusal};
pub use key::{KeyCard, KeyRequest, NewKey};
pub use key_file::{KeyError, KeyFile};
pub use scope::{Scope, Scopes};
pub use session::Sessions;
pub use token::TokenError;
