//! The tables: plain forest and ensemble side by side, the means per family, and what they must reach.
//!
//! Rows that happened at some time come once more, with features of recurrence and each row lifted by its episode.
//!
//! Plain forests are laid beside scikit-learn's on the same tables (100 trees, 256 rows, seeds 0 to 4, version 1.9).

use std::path::Path;

use anyhow::{Result, bail};
use watchbell::score::episode::{EpisodeOptions, lift};
use watchbell::score::forest::{Forest, ForestOptions};
use watchbell::score::fuse::Ensemble;
use watchbell::score::matrix::Table;
use watchbell::score::metrics::{auroc, average_precision};

use crate::sets::{self, Episodes, Family, Set};

/// AUROC of scikit-learn's `IsolationForest`: mean and standard deviation over five seeds.
const SCIKIT_LEARN: [(&str, f64, f64); 21] = [
    ("1_ALOI", 0.5395, 0.0048),
    ("5_campaign", 0.7057, 0.0126),
    ("7_Cardiotocography", 0.6856, 0.0290),
    ("11_donors", 0.7770, 0.0179),
    ("15_Hepatitis", 0.7288, 0.0105),
    ("17_InternetAds", 0.6965, 0.0140),
    ("19_landsat", 0.4734, 0.0277),
    ("21_Lymphography", 0.9991, 0.0010),
    ("23_mammography", 0.8588, 0.0044),
    ("25_musk", 0.9992, 0.0012),
    ("27_PageBlocks", 0.9032, 0.0022),
    ("29_Pima", 0.6704, 0.0093),
    ("31_satimage-2", 0.9938, 0.0013),
    ("33_skin", 0.6656, 0.0119),
    ("35_SpamBase", 0.6315, 0.0233),
    ("37_Stamps", 0.8944, 0.0113),
    ("39_vertebral", 0.3596, 0.0310),
    ("41_Waveform", 0.7180, 0.0264),
    ("43_WDBC", 0.9884, 0.0032),
    ("45_wine", 0.8002, 0.0228),
    ("47_yeast", 0.3937, 0.0029),
];

/// Least AUROC and average precision, mean of a family: of the ensemble in its episodes where there are any, else of the
/// ensemble.
struct Bar {
    family: Family,
    title: &'static str,
    full: (f64, f64),
    /// For the quick part, which has fewer tables and seeds.
    quick: (f64, f64),
}

const BARS: [Bar; 4] = [
    Bar { family: Family::Adbench, title: "ADBench", full: (0.750, 0.405), quick: (0.740, 0.405) },
    Bar { family: Family::NslNormal, title: "NSL-KDD normal-only", full: (0.955, 0.0), quick: (0.95, 0.95) },
    Bar { family: Family::NslMixed, title: "NSL-KDD 5 % attacks", full: (0.0, 0.66), quick: (0.955, 0.64) },
    Bar { family: Family::Ait, title: "AIT cells", full: (0.990, 0.65), quick: (0.985, 0.65) },
];

/// An attack goes on for minutes, and its episode counts a third of what it is worth by itself.
const EPISODES: EpisodeOptions = EpisodeOptions { reach: 5.0, weight: 1.0 / 3.0 };

/// How far the ensemble may stay behind the plain forest on any ADBench table, in AUROC.
const MOST_LOSS: f64 = 0.06;

/// How far the mean of the plain forest over ADBench may be from scikit-learn's, in AUROC.
const MOST_MEAN_DIFFERENCE: f64 = 0.005;

/// Mean and standard deviation over the seeds.
#[derive(Debug, Clone, Copy, Default)]
struct Spread {
    mean: f64,
    deviation: f64,
}

/// What one table gave.
struct Outcome {
    name: String,
    family: Family,
    plain: [Spread; 2],
    ensemble: [Spread; 2],
    episodes: Option<[Spread; 2]>,
}

/// Prints the tables; whether every bar is reached.
pub(crate) fn run(directory: &Path, quick: bool, seeds: u64) -> Result<bool> {
    let sets = sets::all(directory, quick)?;
    if sets.is_empty() {
        bail!("no labelled tables below {}: expected adbench/*.npz, nslkdd/, ait_ads_dev.zip", directory.display());
    }
    println!("AUROC / average precision, mean of seeds 0 to {} (+- standard deviation)", seeds - 1);
    println!("plain forest, ensemble: a row by itself, plain features");
    println!("in episodes: the ensemble with features of recurrence, each row lifted by what happens around it");
    println!(
        "{:<30} {:>14} {:>32} {:>32} {:>32}",
        "table", "rows x columns", "plain forest", "ensemble", "in episodes"
    );
    let mut outcomes = Vec::new();
    for set in &sets {
        let outcome = measure(set, seeds);
        let size = format!("{} x {}", set.score.rows(), set.score.columns());
        let cell = |both: [Spread; 2]| {
            format!("{:.4}+-{:.4} / {:.4}+-{:.4}", both[0].mean, both[0].deviation, both[1].mean, both[1].deviation)
        };
        println!(
            "{:<30} {size:>14} {:>32} {:>32} {:>32}",
            outcome.name,
            cell(outcome.plain),
            cell(outcome.ensemble),
            outcome.episodes.map_or_else(|| "-".to_owned(), cell)
        );
        outcomes.push(outcome);
    }
    println!();
    let mut reached = true;
    for bar in &BARS {
        reached &= family(&outcomes, bar, quick);
    }
    Ok(reached & losses(&outcomes) & parity(&outcomes, quick))
}

fn measure(set: &Set, seeds: u64) -> Outcome {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let known = set.fit.as_ref().unwrap_or(&set.score);
    let (mut plain, mut ensemble, mut episodes) = (Vec::new(), Vec::new(), Vec::new());
    for seed in 0..seeds {
        let forest = Forest::fit(known, ForestOptions { seed, ..ForestOptions::default() });
        plain.push(quality(&forest.score_all(&set.score, threads), &set.truth));
        ensemble.push(quality(&Ensemble::fit(known, seed).score_all(&set.score, threads), &set.truth));
        if let Some(rows) = &set.episodes {
            episodes.push(quality(&in_episodes(rows, seed, threads), &set.truth));
        }
    }
    Outcome {
        name: set.name.clone(),
        family: set.family,
        plain: spreads(&plain),
        ensemble: spreads(&ensemble),
        episodes: set.episodes.as_ref().map(|_| spreads(&episodes)),
    }
}

/// Scores of the judged rows, each lifted by its episode. The detector meets all of them.
fn in_episodes(episodes: &Episodes, seed: u64, threads: usize) -> Vec<f64> {
    let strengths = Ensemble::fit(&episodes.rows, seed).strength_all(&episodes.rows, threads);
    let lifted = lift(&strengths, &episodes.places, EPISODES);
    episodes.judged.iter().map(|&row| lifted[row]).collect()
}

fn quality(scores: &[f64], truth: &[bool]) -> [f64; 2] {
    [auroc(scores, truth).unwrap_or(f64::NAN), average_precision(scores, truth).unwrap_or(f64::NAN)]
}

fn spreads(runs: &[[f64; 2]]) -> [Spread; 2] {
    std::array::from_fn(|which| {
        let mean = runs.iter().map(|run| run[which]).sum::<f64>() / runs.len() as f64;
        let variance = runs.iter().map(|run| (run[which] - mean).powi(2)).sum::<f64>() / runs.len() as f64;
        Spread { mean, deviation: variance.sqrt() }
    })
}

/// Prints the means of a family; whether its bar is reached. A family without tables is not judged.
fn family(outcomes: &[Outcome], bar: &Bar, quick: bool) -> bool {
    let members: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.family == bar.family).collect();
    if members.is_empty() {
        println!("{:<22} no data", bar.title);
        return true;
    }
    let mean = |pick: &dyn Fn(&Outcome) -> f64| members.iter().map(|one| pick(one)).sum::<f64>() / members.len() as f64;
    let both = |which: usize| mean(&|one| one.episodes.unwrap_or(one.ensemble)[which].mean);
    let (area, precision) = (both(0), both(1));
    let (least_area, least_precision) = if quick { bar.quick } else { bar.full };
    let reached = area >= least_area && precision >= least_precision;
    println!(
        "{:<22} {:>2} tables: plain {:.4} / {:.4}, ensemble {:.4} / {:.4}{}, at least {least_area:.3} / \
         {least_precision:.3}: {}",
        bar.title,
        members.len(),
        mean(&|one| one.plain[0].mean),
        mean(&|one| one.plain[1].mean),
        mean(&|one| one.ensemble[0].mean),
        mean(&|one| one.ensemble[1].mean),
        if members.iter().any(|one| one.episodes.is_some()) {
            format!(", in episodes {area:.4} / {precision:.4}")
        } else {
            String::new()
        },
        verdict(reached),
    );
    reached
}

fn losses(outcomes: &[Outcome]) -> bool {
    let worst = outcomes
        .iter()
        .filter(|outcome| outcome.family == Family::Adbench)
        .map(|outcome| (outcome.ensemble[0].mean - outcome.plain[0].mean, outcome.name.as_str()))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let Some((loss, name)) = worst else { return true };
    let reached = loss >= -MOST_LOSS;
    println!("worst loss of the ensemble against the plain forest: {loss:+.4} ({name}): {}", verdict(reached));
    reached
}

/// The plain forest against scikit-learn's. A table's own spread counts as well as the reference's: with five seeds
/// either may have been lucky.
fn parity(outcomes: &[Outcome], quick: bool) -> bool {
    let (mut difference, mut count, mut reached) = (0.0, 0, true);
    for outcome in outcomes {
        let Some(&(_, mean, deviation)) = SCIKIT_LEARN.iter().find(|reference| reference.0 == outcome.name) else {
            continue;
        };
        let own = outcome.plain[0];
        difference += own.mean - mean;
        count += 1;
        if (own.mean - mean).abs() > 2.0 * deviation.max(own.deviation) + 0.01 {
            println!("plain forest on {}: {:.4}, scikit-learn {mean:.4}+-{deviation:.4}", outcome.name, own.mean);
            reached = false;
        }
    }
    if count == 0 {
        return true;
    }
    let difference = difference / f64::from(count);
    reached &= difference.abs() <= if quick { 2.0 * MOST_MEAN_DIFFERENCE } else { MOST_MEAN_DIFFERENCE };
    println!(
        "plain forest against scikit-learn, {count} tables: mean difference {difference:+.4}: {}",
        verdict(reached)
    );
    reached
}

fn verdict(reached: bool) -> &'static str {
    if reached { "ok" } else { "MISSED" }
}
