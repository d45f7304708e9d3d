//! The types of sinks in this build, by name. The list is written by `build.rs` from the manifest.

use crate::sink::SinkKind;

include!(concat!(env!("OUT_DIR"), "/sinks.rs"));

/// The types in this build, in the order of the manifest.
#[must_use]
pub const fn kinds() -> &'static [SinkKind] {
    KINDS
}

/// Why there is no such type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoSuchKind {
    /// It exists, and this build was made without it.
    #[error("`{0}` is not in this build; build it with `--features {0}`")]
    NotBuilt(String),
    /// Nobody knows it.
    #[error("unknown type of sink `{0}`")]
    Unknown(String),
}

/// The type of this name.
///
/// # Errors
/// There is none in this build.
pub fn kind(name: &str) -> Result<SinkKind, NoSuchKind> {
    if let Some(kind) = KINDS.iter().find(|kind| kind.name == name) {
        return Ok(*kind);
    }
    let shown = name.escape_debug().to_string();
    Err(if ABSENT.contains(&name) { NoSuchKind::NotBuilt(shown) } else { NoSuchKind::Unknown(shown) })
}
