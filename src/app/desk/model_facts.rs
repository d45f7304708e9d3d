//! What is known about the models on disk, without reading each of them again every time somebody asks.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use jiff::Timestamp;

use crate::model;

/// The ending of a model's file.
const ENDING: &str = "wbmodel";
/// Models that are told about; each is a label of a metric.
const MOST: usize = 200;

/// Facts about models, each read once for every change of its file.
#[derive(Debug, Default)]
pub(super) struct ModelFacts(Mutex<BTreeMap<PathBuf, Known>>);

#[derive(Debug, Clone)]
struct Known {
    stamp: (Option<SystemTime>, u64),
    fact: Option<ModelFact>,
}

/// What is known about one model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ModelFact {
    /// The file's name without its ending.
    pub(super) name: String,
    /// When it was learned.
    pub(super) trained_at: Timestamp,
    /// From how many events.
    pub(super) events: u64,
}

/// The models of a directory.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Those that can be read, by name.
    pub(super) models: Vec<ModelFact>,
    /// How many can't.
    pub(super) unreadable: usize,
}

impl ModelFacts {
    /// Looks into a directory; one that is not there has no models.
    pub(super) fn look(&self, folder: &Path) -> std::io::Result<Found> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut seen = BTreeMap::new();
        if folder.is_dir() {
            for entry in std::fs::read_dir(folder)? {
                let path = entry?.path();
                if path.extension().is_some_and(|ending| ending == ENDING) {
                    let fresh = look_at(&path, known.remove(&path));
                    seen.insert(path, fresh);
                }
            }
        }
        let mut models: Vec<ModelFact> = seen.values().filter_map(|known| known.fact.clone()).collect();
        let unreadable = seen.len() - models.len();
        models.truncate(MOST);
        *known = seen;
        Ok(Found { models, unreadable })
    }
}

fn look_at(path: &Path, known: Option<Known>) -> Known {
    let stamp = path.metadata().map_or((None, 0), |found| (found.modified().ok(), found.len()));
    if let Some(known) = known.filter(|known| known.stamp == stamp) {
        return known;
    }
    let fact = match model::load(path) {
        Ok(model) => Some(ModelFact {
            name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            trained_at: model.trained_at,
            events: model.events,
        }),
        Err(error) => {
            tracing::warn!(model = %path.display(), error = &error as &dyn std::error::Error, "can't be read");
            None
        }
    };
    Known { stamp, fact }
}
