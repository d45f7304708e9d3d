//! Whether the program can do its work.

use schemars::JsonSchema;
use serde::Serialize;

use super::Desk;

/// Whether the program can do its work, check by check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Health {
    /// Whether every check that counts holds.
    pub ready: bool,
    /// The checks.
    pub checks: Vec<HealthCheck>,
}

/// One check.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct HealthCheck {
    /// What was checked: `outbox`, `reports`, `model`, `sink:NAME`.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// Whether the program can't work without it.
    pub required: bool,
    /// What was seen.
    pub detail: String,
}

impl Desk {
    /// Checks what the program needs. Nothing secret is in the answer, for it is told to everybody.
    #[must_use]
    pub fn health(&self) -> Health {
        let outbox = match self.outbox() {
            Ok(status) => HealthCheck {
                name: "outbox".to_owned(),
                ok: status.bytes < status.max_bytes,
                required: true,
                detail: format!("{} of {} bytes in use", status.bytes, status.max_bytes),
            },
            Err(_) => HealthCheck {
                name: "outbox".to_owned(),
                ok: false,
                required: true,
                detail: "can't be read; the log says why".to_owned(),
            },
        };
        let checks = vec![outbox];
        Health { ready: checks.iter().all(|check| check.ok || !check.required), checks }
    }
}
