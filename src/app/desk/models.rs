//! The models that are there, and the one that is to be used for logs that come with a call.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::Desk;
use crate::app::{AppError, ModelCard, show_model};

/// The ending of a model's file.
const ENDING: &str = "wbmodel";

/// A model that is there.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ModelEntry {
    /// Its name: the file's, without ending.
    pub name: String,
    /// Its facts; `None` when it can't be read.
    pub card: Option<ModelCard>,
    /// Why it can't be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Whether it is used for logs that come with a call and have no model of their name.
    pub is_default: bool,
}

impl Desk {
    /// The models in the model directory, by name.
    ///
    /// # Errors
    /// The directory can't be read.
    pub fn models(&self) -> Result<Vec<ModelEntry>, AppError> {
        let folder = self.model_folder();
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let unreadable = |source| AppError::Read { path: folder.clone(), source };
        let mut models = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_none_or(|ending| ending != ENDING) {
                continue;
            }
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let (card, error) = match show_model(&path) {
                Ok(card) => (Some(card), None),
                Err(error) => (None, Some(error.to_string())),
            };
            models.push(ModelEntry { name, card, error, is_default: false });
        }
        models.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(models)
    }

    /// Chooses the model for logs that come with a call and have none of their name.
    ///
    /// # Errors
    /// There is none of this name, or it can't be read.
    pub fn load_model(&self, name: &str) -> Result<ModelEntry, AppError> {
        let found = self.models()?.into_iter().find(|model| model.name == name);
        found.ok_or_else(|| AppError::NoSuchModel(name.to_owned()))
    }

    fn model_folder(&self) -> PathBuf {
        self.plan.batch.model_dir.clone().unwrap_or_else(|| PathBuf::from("models"))
    }
}
