//! The labelled tables: what is learned from, what is scored, and the truth.
//!
//! Labels are cut off here and go only to the metrics. The features are plain ones that need no knowledge of the
//! attacks: logarithms of counts and sizes, logarithms of the frequency of words.

use std::collections::HashMap;
use std::hash::Hash;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use watchbell::score::episode::Place;
use watchbell::score::matrix::Matrix;
use watchbell::score::random::Random;

use crate::{alerts, archive};

/// One labelled table.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) family: Family,
    /// What is learned from; `None` when it is the scored table itself.
    pub(crate) fit: Option<Matrix>,
    pub(crate) score: Matrix,
    pub(crate) truth: Vec<bool>,
    /// The same rows in time, where they have one.
    pub(crate) episodes: Option<Episodes>,
}

/// Rows that happened somewhere at some time: whole, as the detector meets them.
pub(crate) struct Episodes {
    pub(crate) rows: Matrix,
    pub(crate) places: Vec<Place>,
    /// The rows that the truth is about, in its order.
    pub(crate) judged: Vec<usize>,
}

/// Where a table comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Family {
    /// ADBench, learned from all rows.
    Adbench,
    /// NSL-KDD, learned from normal rows only.
    NslNormal,
    /// NSL-KDD, learned from a mixture with 5 % attacks.
    NslMixed,
    /// Cells (minute, host, alert type) of the AIT alert data.
    Ait,
}

/// All tables that can be found below a directory, small ones first within their family.
pub(crate) fn all(directory: &Path, quick: bool) -> Result<Vec<Set>> {
    let mut sets = adbench(directory, quick)?;
    if directory.join("nslkdd").is_dir() {
        sets.extend(nslkdd(&directory.join("nslkdd"))?);
    }
    let alerts = directory.join("ait_ads_dev.zip");
    if alerts.is_file() {
        for (name, bytes) in archive::unzip(&alerts)? {
            if !quick || name.starts_with("shaw") || name.starts_with("russell") {
                sets.push(alerts::set(&name, &bytes).with_context(|| name.clone())?);
            }
        }
    }
    Ok(sets)
}

fn adbench(directory: &Path, quick: bool) -> Result<Vec<Set>> {
    /// What a quick run reads: files up to this many bytes.
    const QUICK_BYTES: u64 = 150_000;
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    let Ok(found) = std::fs::read_dir(directory.join("adbench")) else { return Ok(Vec::new()) };
    for entry in found {
        let entry = entry?;
        let length = entry.metadata()?.len();
        if entry.path().extension().is_some_and(|end| end == "npz") && (!quick || length <= QUICK_BYTES) {
            files.push((length, entry.path()));
        }
    }
    files.sort();
    files.into_iter().map(|(_, path)| table(&path).with_context(|| format!("{}", path.display()))).collect()
}

fn table(path: &Path) -> Result<Set> {
    let files = archive::unzip(path)?;
    let array = |name: &str| archive::array(files.get(name).with_context(|| format!("expected {name}"))?);
    let (values, labels) = (array("X.npy")?, array("y.npy")?);
    Ok(Set {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        family: Family::Adbench,
        fit: None,
        score: Matrix::new(values.values, values.columns)?,
        truth: labels.values.iter().map(|&label| label != 0.0).collect(),
        episodes: None,
    })
}

/// Log of the share of each word among the known ones; half a row for a word that is not.
pub(crate) struct Frequencies<K> {
    counts: HashMap<K, u32>,
    total: f64,
}

impl<K: Hash + Eq> Frequencies<K> {
    pub(crate) fn of(words: impl Iterator<Item = K>) -> Self {
        let mut counts = HashMap::new();
        let mut total = 0.0;
        for word in words {
            *counts.entry(word).or_insert(0) += 1;
            total += 1.0;
        }
        Self { counts, total }
    }

    pub(crate) fn log(&self, word: &K) -> f64 {
        (self.counts.get(word).map_or(0.5, |&count| f64::from(count)) / self.total).ln()
    }
}

/// Columns of a NSL-KDD record: 41 features, then the name of the attack.
const NSL_COLUMNS: usize = 41;

fn nslkdd(directory: &Path) -> Result<Vec<Set>> {
    let load = |name: &str| -> Result<Vec<csv::StringRecord>> {
        let packed = directory.join(format!("{name}.xz"));
        let bytes = archive::read(&if packed.is_file() { packed } else { directory.join(name) })?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        Ok(reader.records().collect::<std::result::Result<_, _>>()?)
    };
    let attack = |record: &csv::StringRecord| &record[NSL_COLUMNS] != "normal";
    let (train, test) = (load("KDDTrain+_20Percent.txt")?, load("KDDTest+.txt")?);
    let normal: Vec<_> = train.into_iter().filter(|record| !attack(record)).collect();
    let (attacks, mut mixed): (Vec<_>, Vec<_>) = test.iter().cloned().partition(attack);
    // As many attacks as make one row in twenty.
    let count = (mixed.len() as f64 * 0.05 / 0.95) as usize;
    mixed.extend(Random::new(0).sample(attacks.len(), count).into_iter().map(|row| attacks[row].clone()));
    Ok(vec![
        Set {
            name: "NSL-KDD normal-only".into(),
            family: Family::NslNormal,
            fit: Some(connections(&normal, &normal)?),
            score: connections(&normal, &test)?,
            truth: test.iter().map(attack).collect(),
            episodes: None,
        },
        Set {
            name: "NSL-KDD 5 % attacks".into(),
            family: Family::NslMixed,
            fit: None,
            score: connections(&mixed, &mixed)?,
            truth: mixed.iter().map(attack).collect(),
            episodes: None,
        },
    ])
}

fn connections(known: &[csv::StringRecord], records: &[csv::StringRecord]) -> Result<Matrix> {
    let words: Vec<_> =
        (1..4).map(|column| Frequencies::of(known.iter().map(|record| record[column].to_owned()))).collect();
    let mut values = Vec::with_capacity(records.len() * NSL_COLUMNS);
    for record in records {
        for column in 0..NSL_COLUMNS {
            values.push(match column {
                0 | 4 | 5 => record[column].parse::<f64>()?.ln_1p(),
                1..4 => words[column - 1].log(&record[column].to_owned()),
                _ => record[column].parse()?,
            });
        }
    }
    Ok(Matrix::new(values, NSL_COLUMNS)?)
}
