//! The AIT alert data as tables: one row per cell, that is one minute of one alert type on one host.
//!
//! Each cell comes with two sets of features. The plain ones are those that the figures of other detectors were
//! measured on. The others leave out the hour, of which a number makes midnight and noon the odd ones, and say what an
//! analyst asks first: is this alert new on this host, does it recur day by day, do the two go together?

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result};
use watchbell::score::episode::Place;
use watchbell::score::matrix::{Matrix, Table};

use crate::sets::{Episodes, Family, Frequencies, Set};

/// One minute of one alert type on one host.
struct Cell {
    minute: i64,
    host: u32,
    alert: u32,
    count: f64,
    step: Option<String>,
}

/// The cells of one file of alerts.
pub(crate) fn set(file: &str, bytes: &[u8]) -> Result<Set> {
    let cells = cells(bytes)?;
    let (whole, judged) = (plain_features(&cells)?, judged(&cells));
    let mut name = format!("AIT {}", file.split('_').next().unwrap_or(file));
    let (mut fit, mut score) = (None, whole);
    if judged.len() < cells.len() {
        let rows = judged.iter().flat_map(|&row| score.row(row).to_vec()).collect();
        let matrix = Matrix::new(rows, score.columns())?;
        fit = Some(std::mem::replace(&mut score, matrix));
        name += " without dnsteal";
    }
    Ok(Set {
        name,
        family: Family::Ait,
        fit,
        score,
        truth: judged.iter().map(|&row| cells[row].step.is_some()).collect(),
        episodes: Some(Episodes {
            rows: recurrence_features(&cells)?,
            places: cells.iter().map(|cell| Place { entity: cell.host, time: cell.minute as f64 }).collect(),
            judged,
        }),
    })
}

/// The cells that are judged. Exfiltration that runs from the first minute to the last is the normal state of that log:
/// it is learned from like everything else, and left out of the judgement.
fn judged(cells: &[Cell]) -> Vec<usize> {
    let steady = |row: &usize| cells[*row].step.as_deref() == Some("dnsteal");
    let share = (0..cells.len()).filter(steady).count() as f64 / cells.len() as f64;
    (0..cells.len()).filter(|row| share <= 0.1 || !steady(row)).collect()
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

/// What the features of a cell are made of.
struct Surroundings {
    alerts: Frequencies<u32>,
    pairs: Frequencies<(u32, u32)>,
    hosts: Frequencies<u32>,
    /// Alert types and alerts of each host in each minute.
    minutes: BTreeMap<(i64, u32), (f64, f64)>,
    /// Sum and number of the log counts of each host and type.
    means: HashMap<(u32, u32), (f64, f64)>,
    /// Days on which each host had each type.
    days: HashMap<(u32, u32), HashSet<i64>>,
}

impl Surroundings {
    fn of(cells: &[Cell]) -> Self {
        let mut context = Self {
            alerts: Frequencies::of(cells.iter().map(|cell| cell.alert)),
            pairs: Frequencies::of(cells.iter().map(|cell| (cell.host, cell.alert))),
            hosts: Frequencies::of(cells.iter().map(|cell| cell.host)),
            minutes: BTreeMap::new(),
            means: HashMap::new(),
            days: HashMap::new(),
        };
        for cell in cells {
            let minute = context.minutes.entry((cell.minute, cell.host)).or_default();
            *minute = (minute.0 + 1.0, minute.1 + cell.count);
            let mean = context.means.entry((cell.host, cell.alert)).or_default();
            *mean = (mean.0 + cell.count.ln_1p(), mean.1 + 1.0);
            context.days.entry((cell.host, cell.alert)).or_default().insert(cell.minute.div_euclid(24 * 60));
        }
        context
    }

    fn deviation(&self, cell: &Cell) -> f64 {
        let (sum, count) = self.means[&(cell.host, cell.alert)];
        cell.count.ln_1p() - sum / count
    }
}

/// Minutes since the same thing was last seen; a very long time when it never was.
fn since(last: Option<i64>, now: i64) -> f64 {
    last.map_or(1e5, |last| (now - last) as f64).ln_1p()
}

fn plain_features(cells: &[Cell]) -> Result<Matrix> {
    let context = Surroundings::of(cells);
    let (mut last_pair, mut last_alert) = (HashMap::new(), HashMap::new());
    let mut values = Vec::with_capacity(cells.len() * 10);
    for cell in cells {
        let pair = (cell.host, cell.alert);
        let (kinds, volume) = context.minutes[&(cell.minute, cell.host)];
        values.extend([
            cell.count.ln_1p(),
            (cell.minute.div_euclid(60)).rem_euclid(24) as f64,
            context.alerts.log(&cell.alert),
            context.pairs.log(&pair),
            context.hosts.log(&cell.host),
            since(last_pair.insert(pair, cell.minute), cell.minute),
            since(last_alert.insert(cell.alert, cell.minute), cell.minute),
            kinds,
            volume.ln_1p(),
            context.deviation(cell),
        ]);
    }
    Ok(Matrix::new(values, 10)?)
}

/// The plain features without the hour, and: how rare the pair of host and type was so far, on how many days it was
/// there at all, and how much more seldom the two go together than each of them alone lets expect.
fn recurrence_features(cells: &[Cell]) -> Result<Matrix> {
    const PLAIN: usize = 10;
    const HOUR: usize = 1;
    let (context, plain) = (Surroundings::of(cells), plain_features(cells)?);
    let mut seen: HashMap<(u32, u32), f64> = HashMap::new();
    let mut values = Vec::with_capacity(cells.len() * (PLAIN + 2));
    for (row, cell) in cells.iter().enumerate() {
        let pair = (cell.host, cell.alert);
        let before = seen.entry(pair).or_default();
        let so_far = (*before + 0.5) / (row as f64 + 1.0);
        *before += 1.0;
        values.extend((0..PLAIN).filter(|&column| column != HOUR).map(|column| plain.value(row, column)));
        values.extend([
            -so_far.ln(),
            context.days[&pair].len() as f64,
            context.pairs.log(&pair) - context.alerts.log(&cell.alert) - context.hosts.log(&cell.host),
        ]);
    }
    Ok(Matrix::new(values, PLAIN + 2)?)
}
