//! How good a ranking is when the truth is known: area under the ROC curve and average precision.
//!
//! Both count tied scores as one step, as scikit-learn's `roc_auc_score` and `average_precision_score` do, so that
//! the numbers can be laid beside published ones.

/// Probability that a positive stands above a negative, ties counting half. `None` without both kinds.
#[must_use]
pub fn auroc(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let (mut above, mut area) = (0_u64, 0.0);
    let mut negatives = 0_u64;
    for step in steps(scores, truth) {
        area += step.negatives as f64 * (above as f64 + step.positives as f64 / 2.0);
        above += step.positives;
        negatives += step.negatives;
    }
    (above > 0 && negatives > 0).then(|| area / (above as f64 * negatives as f64))
}

/// Mean of the precision over the recall steps. `None` without positives.
#[must_use]
pub fn average_precision(scores: &[f64], truth: &[bool]) -> Option<f64> {
    let (mut hits, mut seen, mut sum) = (0_u64, 0_u64, 0.0);
    for step in steps(scores, truth) {
        hits += step.positives;
        seen += step.positives + step.negatives;
        sum += step.positives as f64 * hits as f64 / seen as f64;
    }
    (hits > 0).then(|| sum / hits as f64)
}

/// The rows that share one score.
struct Step {
    positives: u64,
    negatives: u64,
}

/// The ties, from the highest score to the lowest.
fn steps(scores: &[f64], truth: &[bool]) -> Vec<Step> {
    assert_eq!(scores.len(), truth.len(), "one score per label");
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_unstable_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    order
        .chunk_by(|&a, &b| scores[a] == scores[b])
        .map(|tie| {
            let positives = tie.iter().filter(|&&row| truth[row]).count() as u64;
            Step { positives, negatives: tie.len() as u64 - positives }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    #[test]
    fn known_values() {
        // The examples of scikit-learn's reference pages.
        let truth = [false, false, true, true];
        let scores = [0.1, 0.4, 0.35, 0.8];
        close(auroc(&scores, &truth), 0.75);
        close(average_precision(&scores, &truth), 0.833_333_333_333_333_3);
    }

    #[test]
    fn ties_are_one_step() {
        // Computed with scikit-learn 1.9.
        let scores = [0.9, 0.5, 0.5, 0.5, 0.1, 0.1];
        let truth = [true, true, false, false, true, false];
        close(auroc(&scores, &truth), 0.611_111_111_111_111_2);
        close(average_precision(&scores, &truth), 0.666_666_666_666_666_6);
        close(auroc(&[1.0; 4], &[true, false, true, false]), 0.5);
    }

    #[test]
    fn one_kind_alone_has_no_area() {
        assert_eq!(auroc(&[1.0, 2.0], &[true, true]), None);
        assert_eq!(average_precision(&[1.0], &[false]), None);
        assert_eq!(auroc(&[], &[]), None);
    }
}
