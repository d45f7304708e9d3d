//! The models that are there, and the one that is to be used for logs that come with a call.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use schemars::JsonSchema;
use serde::Serialize;

use super::Desk;
use crate::{
    app::{AppError, ModelCard, analysis::model_file},
    detect::family_of,
    files::FileStamp,
    model::{self, Model, ModelError},
};

/// The ending of a model's file.
const ENDING: &str = "wbmodel";
/// Models that are held in memory.
const MOST_LOADED: usize = 8;
/// The longest name of a log or model, in bytes; with a model's ending it stays below what file systems allow.
pub const LONGEST_NAME: usize = 200;

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

/// The model directory, and what was read of it.
#[derive(Debug)]
pub(super) struct Models {
    folder: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Those that were used last, the last one at the end.
    loaded: Vec<(PathBuf, FileStamp, Arc<Model>)>,
    /// What is known of each file without holding it.
    cards: BTreeMap<PathBuf, (FileStamp, Result<ModelCard, String>)>,
    default: Option<String>,
}

impl Models {
    pub(super) fn within(folder: PathBuf) -> Self {
        Self { folder, state: Mutex::default() }
    }

    /// The directory.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The model of a log, or else the default one, if there is one.
    pub(super) fn of(&self, family: &str) -> Result<Option<Arc<Model>>, AppError> {
        if let Some(model) = self.load(&model_file(&self.folder, family))? {
            return Ok(Some(model));
        }
        let Some(name) = self.default() else { return Ok(None) };
        let model = self.load(&model_file(&self.folder, &name))?;
        model.map(Some).ok_or(AppError::NoSuchModel(name))
    }

    /// The model of a file, from memory if the file is the same; `None` when there is no file.
    fn load(&self, file: &Path) -> Result<Option<Arc<Model>>, AppError> {
        let Some(stamp) = stamp(file)? else { return Ok(None) };
        // Held while loading, so that the same model is not loaded twice at once.
        let mut state = self.state();
        if let Some(at) = state.loaded.iter().position(|(known, ..)| known == file) {
            let known = state.loaded.remove(at);
            if known.1 == stamp {
                let model = Arc::clone(&known.2);
                state.loaded.push(known);
                return Ok(Some(model));
            }
        }
        let mut model = model::load(file).map_err(ModelError::by_name)?;
        // Each analysis goes on from what the model remembers; frozen, that costs it no copy.
        model.tracker.freeze();
        let model = Arc::new(model);
        if state.loaded.len() >= MOST_LOADED {
            state.loaded.remove(0);
        }
        state.cards.insert(file.to_owned(), (stamp, Ok(card_of(file, &model))));
        state.loaded.push((file.to_owned(), stamp, Arc::clone(&model)));
        Ok(Some(model))
    }

    fn default(&self) -> Option<String> {
        self.state().default.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name under which a model of this name is kept, if there is one: as it is given, or as the log of that name
    /// would find it.
    fn named(&self, name: &str) -> Result<Option<String>, AppError> {
        let own_name = [name.to_owned(), family_of(name)];
        for name in own_name {
            if stamp(&model_file(&self.folder, &name))?.is_some() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    fn card(&self, file: &Path, stamp: FileStamp) -> Result<ModelCard, String> {
        let mut state = self.state();
        if let Some((known, card)) = state.cards.get(file)
            && *known == stamp
        {
            return card.clone();
        }
        let card = model::load(file).map(|model| card_of(file, &model));
        let card = card.map_err(|error| error.by_name().to_string());
        state.cards.insert(file.to_owned(), (stamp, card.clone()));
        card
    }

    fn entries(&self) -> Result<Vec<ModelEntry>, AppError> {
        if !self.folder.is_dir() {
            return Ok(Vec::new());
        }
        let unreadable = |source| AppError::Read { path: self.folder.clone(), source };
        let default = self.default();
        let mut models = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_none_or(|ending| ending != ENDING) {
                continue;
            }
            let Some(stamp) = stamp(&path)? else { continue };
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let (card, error) = match self.card(&path, stamp) {
                Ok(card) => (Some(card), None),
                Err(error) => (None, Some(error)),
            };
            models.push(ModelEntry { is_default: default.as_ref() == Some(&name), name, card, error });
        }
        models.sort_by(|one, other| one.name.cmp(&other.name));
        self.state()
            .cards
            .retain(|path, _| models.iter().any(|model| path.file_stem().is_some_and(|stem| *stem == *model.name)));
        Ok(models)
    }
}

/// The name of a model, or of a log that comes with a call and may have a model of its name.
///
/// # Errors
/// It could not be a file's name, or not one within the model directory.
pub fn check_name(name: &str) -> Result<(), AppError> {
    let fits = |letter: char| letter.is_alphanumeric() || ".-_".contains(letter);
    if name.is_empty() || name.len() > LONGEST_NAME || name.starts_with('.') || !name.chars().all(fits) {
        let shown = name.escape_debug();
        let expected =
            format!("expected up to {LONGEST_NAME} letters, digits, `.`, `-` and `_`, not beginning with `.`");
        return Err(AppError::Request(format!("`{shown}` is no name of a log or model; {expected}")).at("/name"));
    }
    Ok(())
}

/// What a model is; where the directory is, is not told.
fn card_of(file: &Path, model: &Model) -> ModelCard {
    ModelCard::new(file.to_owned(), model).by_name()
}

fn stamp(file: &Path) -> Result<Option<FileStamp>, AppError> {
    match fs::metadata(file) {
        Ok(metadata) if metadata.is_file() => Ok(Some(FileStamp::of_metadata(&metadata))),
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AppError::Read { path: file.to_owned(), source }),
    }
}

impl Desk {
    /// The models in the model directory, by name.
    ///
    /// # Errors
    /// The directory can't be read.
    pub fn models(&self) -> Result<Vec<ModelEntry>, AppError> {
        self.models.entries()
    }

    /// Makes a model the one for logs that come with a call and have none of their name, until the desk is closed.
    ///
    /// # Errors
    /// The name is none, there is no such model, or it can't be read.
    pub fn load_model(&self, name: &str) -> Result<ModelEntry, AppError> {
        check_name(name)?;
        let unknown = || AppError::NoSuchModel(name.to_owned());
        let name = self.models.named(name)?.ok_or_else(unknown)?;
        let file = model_file(&self.models.folder, &name);
        let model = self.models.load(&file)?.ok_or_else(unknown)?;
        self.models.state().default = Some(name.clone());
        Ok(ModelEntry { name, card: Some(card_of(&file, &model)), error: None, is_default: true })
    }
}
