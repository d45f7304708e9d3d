//! Scores the rows of a numeric CSV, to compare with other detectors:
//!
//! ```text
//! cargo run --release --example tabular -- INPUT.csv --algorithm iforest|ensemble --seed N [--out OUT.csv] [--label COLUMN]
//! ```
//!
//! Learns from all rows and scores the same rows, in order; higher is more anomalous. `iforest` is the isolation forest
//! with 100 trees over 256 rows each, as scikit-learn's `IsolationForest`. A header is recognized by having no number in
//! it. `--label` names a column, or gives its place from 1, that is left out and used only to print AUROC and average
//! precision to standard error. Exit code 0, or 2 with a reason.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Parser, ValueEnum};
use watchbell::score::forest::{Forest, ForestOptions};
use watchbell::score::fuse::Ensemble;
use watchbell::score::matrix::Matrix;
use watchbell::score::metrics::{auroc, average_precision};

/// Scores the rows of a numeric CSV.
#[derive(Debug, Parser)]
struct Arguments {
    /// Numbers separated by commas, with or without a header.
    input: PathBuf,
    /// What scores.
    #[arg(long, value_enum, default_value = "ensemble")]
    algorithm: Algorithm,
    /// Seed of all draws.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where the scores go; standard output unless given.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Column with the truth, 0 or 1: left out, and compared with the scores.
    #[arg(long)]
    label: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    /// The isolation forest alone.
    Iforest,
    /// Forests, tails and neighbors together.
    Ensemble,
}

/// A CSV that has been read.
struct Input {
    matrix: Matrix,
    truth: Option<Vec<bool>>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let bytes = std::fs::read(&arguments.input).with_context(|| format!("reading {}", arguments.input.display()))?;
    let input = parse(&bytes, arguments.label.as_deref()).with_context(|| arguments.input.display().to_string())?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let scores = match arguments.algorithm {
        Algorithm::Iforest => {
            let options = ForestOptions { seed: arguments.seed, ..ForestOptions::default() };
            Forest::fit(&input.matrix, options).score_all(&input.matrix, threads)
        }
        Algorithm::Ensemble => Ensemble::fit(&input.matrix, arguments.seed).score_all(&input.matrix, threads),
    };
    match &arguments.out {
        Some(path) => {
            let file = std::fs::File::create(path).with_context(|| format!("writing {}", path.display()))?;
            write(file, &scores).with_context(|| format!("writing {}", path.display()))?;
        }
        None => write(std::io::stdout().lock(), &scores).context("writing to standard output")?,
    }
    if let Some(truth) = &input.truth {
        match (auroc(&scores, truth), average_precision(&scores, truth)) {
            (Some(area), Some(precision)) => eprintln!("AUROC {area:.4}, average precision {precision:.4}"),
            _ => eprintln!("AUROC needs rows with both labels"),
        }
    }
    Ok(())
}

fn write(target: impl Write, scores: &[f64]) -> std::io::Result<()> {
    let mut target = BufWriter::new(target);
    writeln!(target, "anomaly_score")?;
    for score in scores {
        writeln!(target, "{score}")?;
    }
    target.flush()
}

fn parse(bytes: &[u8], label: Option<&str>) -> Result<Input> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(bytes);
    let (mut values, mut truth, mut columns, mut label_at) = (Vec::new(), Vec::new(), 0, None);
    let mut record = csv::StringRecord::new();
    let mut first = true;
    while reader.read_record(&mut record).context("expected lines with the same number of columns each")? {
        let line = record.position().map_or(0, csv::Position::line);
        if std::mem::take(&mut first) {
            let header = record.iter().all(|field| field.parse::<f64>().is_err());
            label_at = label.map(|label| find(&record, header, label)).transpose()?;
            columns = record.len() - usize::from(label_at.is_some());
            if header {
                continue;
            }
        }
        for (at, field) in record.iter().enumerate() {
            let number = field.parse::<f64>().ok().filter(|number| number.is_finite());
            let Some(number) = number else {
                bail!("line {line}, column {}: expected a finite number, found {field:?}", at + 1);
            };
            if label_at == Some(at) {
                truth.push(number != 0.0);
            } else {
                values.push(number);
            }
        }
    }
    if columns == 0 && !first {
        bail!("expected at least one column beside the label");
    }
    Ok(Input { matrix: Matrix::new(values, columns)?, truth: label_at.map(|_| truth) })
}

/// Place of the label column, by name in a header or by number from 1.
fn find(record: &csv::StringRecord, header: bool, label: &str) -> Result<usize> {
    let named = header.then(|| record.iter().position(|title| title == label)).flatten();
    let counted = label.parse().ok().filter(|place| (1..=record.len()).contains(place)).map(|place: usize| place - 1);
    named.or(counted).with_context(|| {
        format!("no column {label:?}: expected a title of the header or a number from 1 to {}", record.len())
    })
}
