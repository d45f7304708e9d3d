//! What was learned, kept as files.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    AppError, Watch,
    analysis::{Told, detect_settings, model_file, parse_options},
};
use crate::{
    batch,
    config::Plan,
    detect::{Detector, LogPart, Run, family_of},
    features::FEATURE_LIST,
    model::{self, Model},
    source::{self, SourceFile},
};

/// What a model is.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ModelCard {
    /// The file.
    pub file: PathBuf,
    /// Its parts by name: version, events learned from, checksum and so on, in the order in which people read them.
    pub facts: Vec<(String, String)>,
}

/// Where models are kept when nobody says where; the help of `serve`, `mcp` and `train` names it.
const MODEL_DIR: &str = "models";

/// The directory of the models that are made, and of those that a desk judges logs of calls with.
pub(super) fn model_dir(plan: &Plan) -> PathBuf {
    plan.batch.model_dir.clone().unwrap_or_else(|| PathBuf::from(MODEL_DIR))
}

/// Learns from the logs of the plan and writes a model into its model directory.
///
/// # Errors
/// When no log can be read, or the model can't be written.
pub fn train(plan: &Plan, watch: Watch<'_>) -> Result<Vec<ModelCard>, AppError> {
    train_on(plan, (&[], None), watch)
}

/// The same from these files and directories, or from the plan's logs when there is none; under one name, or each log
/// under its own.
pub(super) fn train_on(
    plan: &Plan,
    (paths, name): (&[PathBuf], Option<&str>),
    watch: Watch<'_>,
) -> Result<Vec<ModelCard>, AppError> {
    let folder = model_dir(plan);
    fs::create_dir_all(&folder).map_err(|source| AppError::Write { path: folder.clone(), source })?;
    let mut request = batch::request(plan);
    if !paths.is_empty() {
        request.paths = paths.to_vec();
    }
    let found = source::discover(&request)?;
    for problem in &found.problems {
        tracing::warn!(error = problem as &dyn std::error::Error, "left out");
    }
    let mut families: BTreeMap<String, Vec<SourceFile>> = BTreeMap::new();
    for file in found.files {
        let family = name.map_or_else(|| family_of(&file.name), str::to_owned);
        families.entry(family).or_default().push(file);
    }
    let parse = parse_options(plan);
    let mut cards = Vec::new();
    for (family, mut files) in families {
        files.sort_by_key(|file| (file.modified, file.index));
        let parts: Vec<LogPart> = files.into_iter().map(LogPart::whole).collect();
        let told = Told::new(watch.progress, &parts);
        let run = Run { parse: &parse, now: Timestamp::now(), progress: &told, stop: watch.stop };
        let (model, read) = Detector::new(detect_settings(plan)).train(&family, &parts, run)?;
        watch.progress.end();
        for part in &read {
            if let Some(error) = &part.error {
                tracing::warn!(file = part.file, error, "read in part only");
            }
        }
        if model.events == 0 {
            tracing::warn!(log = family, "no event to learn from");
            continue;
        }
        let file = model_file(&folder, &family);
        model::save(&model, &file)?;
        cards.push(ModelCard::new(file, &model));
    }
    Ok(cards)
}

impl ModelCard {
    pub(super) fn new(file: PathBuf, model: &Model) -> Self {
        let facts = [
            ("log", model.name.clone()),
            ("trained at", model.trained_at.to_string()),
            ("events", model.events.to_string()),
            ("actors", model.tracker.actors().to_string()),
            ("addresses", model.tracker.addresses().to_string()),
            ("pairs", model.tracker.pairs().to_string()),
            ("features", FEATURE_LIST.len().to_string()),
        ];
        Self { file, facts: facts.map(|(name, value)| (name.to_owned(), value)).into() }
    }
}

impl ModelCard {
    /// The same with the file's name alone, for those who are not to know where it lies.
    pub(super) fn by_name(self) -> Self {
        Self { file: self.file.file_name().map_or_else(PathBuf::new, PathBuf::from), ..self }
    }
}

/// Reads a model and says what it is.
///
/// # Errors
/// When it can't be read or is no model.
pub fn show_model(file: &Path) -> Result<ModelCard, AppError> {
    Ok(ModelCard::new(file.to_owned(), &model::load(file)?))
}
