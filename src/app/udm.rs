//! Anybody's UDM events, checked offline.

use std::{
    io::{self, Read},
    path::PathBuf,
};

use serde::Serialize;
use watchbell_udm::lint::Report as UdmFindings;

use super::AppError;

/// What the check of one file found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct UdmReport {
    /// The file as the user named it, or `-`.
    pub file: String,
    /// What was found.
    #[serde(flatten)]
    pub found: UdmFindings,
}

/// Checks the UDM events of these files: one event, a list, JSON lines or a request each. `-` is standard input.
///
/// # Errors
/// When a file can't be read.
pub fn check_udm(files: &[PathBuf]) -> Result<Vec<UdmReport>, AppError> {
    let checked = files.iter().map(|path| {
        let failed = |error: io::Error| AppError::Findings { path: path.clone(), message: error.to_string() };
        let mut bytes = Vec::new();
        if path.as_os_str() == "-" {
            io::stdin().lock().read_to_end(&mut bytes).map_err(failed)?;
        } else {
            bytes = std::fs::read(path).map_err(failed)?;
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(UdmReport { file: path.display().to_string(), found: watchbell_udm::lint::lint_text(&text) })
    });
    checked.collect()
}
