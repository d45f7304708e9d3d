//! The labelled tables: what is learned from, what is scored, and the truth.
//!
//! Labels are cut off here and go only to the metrics. The features are plain ones that need no knowledge of the
//! attacks: logarithms of counts and sizes, logarithms of the frequency of words.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use watchbell::score::matrix::{Matrix, Table};
use watchbell::score::random::Random;

use crate::archive;

/// One labelled table.
pub(crate) struct Set {
    pub(crate) name: String,
    pub(crate) family: Family,
    /// What is learned from; `None` when it is the scored table itself.
    pub(crate) fit: Option<Matrix>,
    pub(crate) score: Matrix,
    pub(crate) truth: Vec<bool>,
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
                sets.push(ait(&name, &bytes)?);
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
    })
}

/// Log of the share of each word among the known ones; half a row for a word that is not.
struct Frequencies<K> {
    counts: HashMap<K, u32>,
    total: f64,
}

impl<K: Hash + Eq> Frequencies<K> {
    fn of(words: impl Iterator<Item = K>) -> Self {
        let mut counts = HashMap::new();
        let mut total = 0.0;
        for word in words {
            *counts.entry(word).or_insert(0) += 1;
            total += 1.0;
        }
        Self { counts, total }
    }

    fn log(&self, word: &K) -> f64 {
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
        },
        Set {
            name: "NSL-KDD 5 % attacks".into(),
            family: Family::NslMixed,
            fit: None,
            score: connections(&mixed, &mixed)?,
            truth: mixed.iter().map(attack).collect(),
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

/// One minute of one alert type on one host.
struct Cell {
    minute: i64,
    host: u32,
    alert: u32,
    count: f64,
    step: Option<String>,
}

fn ait(file: &str, bytes: &[u8]) -> Result<Set> {
    let cells = cells(bytes)?;
    let score = cell_features(&cells)?;
    let mut set = Set {
        name: format!("AIT {}", file.split('_').next().unwrap_or(file)),
        family: Family::Ait,
        fit: None,
        score,
        truth: cells.iter().map(|cell| cell.step.is_some()).collect(),
    };
    // Exfiltration that runs from the first minute to the last is the normal state of that log. Learn with it, score
    // the rest.
    let steady = |cell: &Cell| cell.step.as_deref() == Some("dnsteal");
    let share = cells.iter().filter(|cell| steady(cell)).count() as f64 / cells.len() as f64;
    if share > 0.1 {
        let kept: Vec<usize> = (0..cells.len()).filter(|&row| !steady(&cells[row])).collect();
        let rows = kept.iter().flat_map(|&row| set.score.row(row).to_vec()).collect();
        let matrix = Matrix::new(rows, set.score.columns())?;
        set.truth = kept.iter().map(|&row| set.truth[row]).collect();
        set.fit = Some(std::mem::replace(&mut set.score, matrix));
        set.name += " without dnsteal";
    }
    Ok(set)
}

/// The alerts counted per cell, by minute and then by first appearance.
fn cells(bytes: &[u8]) -> Result<Vec<Cell>> {
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers()?.clone();
    let column = |name: &str| header.iter().position(|title| title == name).with_context(|| format!("column {name}"));
    let (time, host, short, label) = (column("time")?, column("host")?, column("short")?, column("event_label")?);
    let mut names: HashMap<String, u32> = HashMap::new();
    let mut alerts = Vec::new();
    for record in reader.records() {
        let record = record?;
        let mut intern = |name: &str| {
            let next = names.len() as u32;
            *names.entry(name.to_owned()).or_insert(next)
        };
        let step = (&record[label] != "-").then(|| record[label].to_owned());
        let seconds: f64 = record[time].parse()?;
        alerts.push((seconds as i64, intern(&record[host]), intern(&record[short]), step));
    }
    alerts.sort_by_key(|alert| alert.0);
    let mut places: HashMap<(i64, u32, u32), usize> = HashMap::new();
    let mut cells: Vec<Cell> = Vec::new();
    for (seconds, host, alert, step) in alerts {
        let minute = seconds.div_euclid(60);
        let place = *places.entry((minute, host, alert)).or_insert_with(|| {
            cells.push(Cell { minute, host, alert, count: 0.0, step: None });
            cells.len() - 1
        });
        cells[place].count += 1.0;
        cells[place].step = cells[place].step.take().or(step);
    }
    Ok(cells)
}

fn cell_features(cells: &[Cell]) -> Result<Matrix> {
    let alerts = Frequencies::of(cells.iter().map(|cell| cell.alert));
    let pairs = Frequencies::of(cells.iter().map(|cell| (cell.host, cell.alert)));
    let hosts = Frequencies::of(cells.iter().map(|cell| cell.host));
    let mut minutes: BTreeMap<(i64, u32), (f64, f64)> = BTreeMap::new();
    let mut means: HashMap<(u32, u32), (f64, f64)> = HashMap::new();
    for cell in cells {
        let minute = minutes.entry((cell.minute, cell.host)).or_default();
        *minute = (minute.0 + 1.0, minute.1 + cell.count);
        let mean = means.entry((cell.host, cell.alert)).or_default();
        *mean = (mean.0 + cell.count.ln_1p(), mean.1 + 1.0);
    }
    let (mut last_pair, mut last_alert) = (HashMap::new(), HashMap::new());
    // Minutes since the same thing was last seen; a very long time when it never was.
    let since = |last: Option<i64>, now: i64| last.map_or(1e5, |last| (now - last) as f64).ln_1p();
    let mut values = Vec::with_capacity(cells.len() * 10);
    for cell in cells {
        let pair = (cell.host, cell.alert);
        let (kinds, volume) = minutes[&(cell.minute, cell.host)];
        let (sum, count) = means[&pair];
        values.extend([
            cell.count.ln_1p(),
            (cell.minute.div_euclid(60)).rem_euclid(24) as f64,
            alerts.log(&cell.alert),
            pairs.log(&pair),
            hosts.log(&cell.host),
            since(last_pair.insert(pair, cell.minute), cell.minute),
            since(last_alert.insert(cell.alert, cell.minute), cell.minute),
            kinds,
            volume.ln_1p(),
            cell.count.ln_1p() - sum / count,
        ]);
    }
    Ok(Matrix::new(values, 10)?)
}
