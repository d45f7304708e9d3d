//! The second pass: every row judged with the knowledge of the whole log, on all threads.

use std::{io, thread};

use watchbell_sink::{Severity, ThreatType};

use super::{
    DetectError, DetectSettings,
    measure::Measured,
    rows::{RowBlock, RowStore},
};
use crate::{
    classify::{EpisodeBook, Judgment, severity_of, strength_of_score},
    score::voices::{Voices, Workspace},
};

/// Bins of the score histogram.
const BINS: usize = 50;

/// Most rows above the threshold that are kept for explaining; beyond that they are counted only.
const MOST_FLAGS: usize = 1 << 20;

/// Threat type below this score: nothing is claimed.
const CLAIMED: f32 = 0.3;

/// One event's score.
#[derive(Debug, Clone, Copy)]
pub struct ScoredEvent {
    /// Number of the event in the log, from 0.
    pub id: u64,
    /// Its judgment.
    pub judgment: Judgment,
}

/// All that stands out.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// Rows at or above the threshold, in order.
    pub(super) flags: Vec<ScoredEvent>,
    /// The threshold as a score.
    pub(super) threshold: f64,
    /// By part: events by score.
    pub(super) histograms: Vec<Vec<u64>>,
    /// By part: events at or above the threshold, those beyond the cap too.
    pub(super) counts: Vec<u64>,
}

/// Judges every row in parallel and gives what `each` makes of a block, in order, to `collect`.
fn judge_all<T: Send>(
    settings: &DetectSettings,
    rows: &mut RowStore,
    (book, voices): (&EpisodeBook, &Voices),
    each: impl Fn(u64, &RowBlock, &[Judgment]) -> T + Sync,
    mut collect: impl FnMut(T) -> io::Result<()>,
) -> io::Result<()> {
    let threads = settings.threads();
    if threads == 1 {
        let mut workspace = Workspace::default();
        return rows.for_each_group(1, |group| {
            group.iter().try_for_each(|(first, block)| {
                let judgments = judge_block(block, book, voices, &mut workspace);
                collect(each(*first, block, &judgments))
            })
        });
    }
    rows.for_each_group(threads * 4, |group| {
        let mut results: Vec<Option<T>> = group.iter().map(|_| None).collect();
        thread::scope(|scope| {
            let mut lanes: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
            for (at, work) in group.iter().zip(results.iter_mut()).enumerate() {
                lanes[at % threads].push(work);
            }
            for lane in lanes {
                let each = &each;
                scope.spawn(move || {
                    let mut workspace = Workspace::default();
                    for ((first, block), result) in lane {
                        let judgments = judge_block(block, book, voices, &mut workspace);
                        *result = Some(each(*first, block, &judgments));
                    }
                });
            }
        });
        results.into_iter().flatten().try_for_each(&mut collect)
    })
}

fn judge_block(block: &RowBlock, book: &EpisodeBook, voices: &Voices, workspace: &mut Workspace) -> Vec<Judgment> {
    let mut opinions = Vec::with_capacity(block.len());
    voices.opinions(block.features(), workspace, &mut opinions);
    opinions.iter().enumerate().map(|(at, &opinion)| Judgment::of(&block.candidate(at), book, opinion)).collect()
}

/// Finds the rows at or above the threshold (with a budget: at or above 0.5, to be cut later).
pub(super) fn flag(
    settings: &DetectSettings,
    measured: &mut Measured,
    voices: &Voices,
) -> Result<Verdict, DetectError> {
    let threshold = if settings.budget_per_day.is_some() { settings.threshold.min(0.5) } else { settings.threshold };
    let starts: Vec<u64> = measured.parts.iter().map(|part| part.first_row).collect();
    let ends: Vec<u64> = measured.parts.iter().map(|part| part.first_row + part.tally.events).collect();
    let mut verdict = Verdict {
        threshold,
        histograms: vec![vec![0; BINS]; starts.len()],
        counts: vec![0; starts.len()],
        ..Verdict::default()
    };
    let bar = strength_of_score(threshold as f32);
    let Measured { rows, book, .. } = measured;
    let each = |first: u64, _: &RowBlock, judgments: &[Judgment]| {
        let mut histograms = vec![[0_u64; BINS]; starts.len()];
        let mut flags = Vec::new();
        for (id, judgment) in (first..).zip(judgments) {
            let part = starts.partition_point(|&start| start <= id).saturating_sub(1);
            if id < starts[part] || id >= ends[part] {
                continue;
            }
            histograms[part][((judgment.score() * BINS as f32) as usize).min(BINS - 1)] += 1;
            if judgment.strength >= bar {
                flags.push((part, ScoredEvent { id, judgment: *judgment }));
            }
        }
        (histograms, flags)
    };
    let collect = |(histograms, flags): (Vec<[u64; BINS]>, Vec<(usize, ScoredEvent)>)| {
        for (sum, part) in verdict.histograms.iter_mut().zip(&histograms) {
            sum.iter_mut().zip(part).for_each(|(sum, count)| *sum += count);
        }
        for (part, flag) in flags {
            verdict.counts[part] += 1;
            if verdict.flags.len() < MOST_FLAGS {
                verdict.flags.push(flag);
            }
        }
        Ok(())
    };
    judge_all(settings, rows, (book, voices), each, collect).map_err(DetectError::Rows)?;
    Ok(verdict)
}

/// Raises the threshold until the log has no more findings a day than the budget allows. A finding is approximated here
/// by its episode, or by the event where there is none.
pub(super) fn keep_to_budget(settings: &DetectSettings, measured: &Measured, verdict: &mut Verdict) {
    let Some(budget) = settings.budget_per_day else { return };
    let allowed = (budget * measured.days()).floor().max(0.0) as usize;
    let mut strongest = std::collections::BTreeMap::<(ThreatType, u64), f32>::new();
    for flag in &verdict.flags {
        let key = (flag.judgment.threat, flag.judgment.height.unwrap_or(flag.id));
        let best = strongest.entry(key).or_insert(0.0);
        *best = best.max(flag.judgment.strength);
    }
    let mut strengths: Vec<f32> = strongest.into_values().collect();
    strengths.sort_by(|a, b| b.total_cmp(a));
    let Some(&first_out) = strengths.get(allowed) else { return };
    let fits = |flag: &ScoredEvent| flag.judgment.strength > first_out;
    verdict.threshold = f64::from(crate::classify::score_of_strength(first_out));
    let ends: Vec<u64> = measured.parts.iter().map(|part| part.first_row + part.tally.events).collect();
    for flag in verdict.flags.iter().filter(|flag| !fits(flag)) {
        let part = ends.partition_point(|&end| end <= flag.id);
        verdict.counts[part] -= 1;
    }
    verdict.flags.retain(fits);
}

/// Writes one JSON line per event, in order: `{"id","anomaly_score","threat_type","severity"}`.
pub(super) fn write_scores(
    settings: &DetectSettings,
    measured: &mut Measured,
    voices: &Voices,
    write: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> Result<u64, DetectError> {
    let bar = strength_of_score(settings.threshold as f32);
    let mut anomalies = 0;
    let Measured { rows, book, parts, .. } = measured;
    let first_row = parts.first().map_or(0, |part| part.first_row);
    let each = |first: u64, _: &RowBlock, judgments: &[Judgment]| {
        let mut lines = Vec::with_capacity(judgments.len() * 96);
        let mut anomalies = 0;
        for (id, judgment) in (first..).zip(judgments).filter(|(id, _)| *id >= first_row) {
            score_line(id - first_row, judgment, &mut lines);
            anomalies += u64::from(judgment.strength >= bar);
        }
        (lines, anomalies)
    };
    let collect = |(lines, count): (Vec<u8>, u64)| {
        anomalies += count;
        write(&lines)
    };
    judge_all(settings, rows, (book, voices), each, collect).map_err(DetectError::Write)?;
    Ok(anomalies)
}

/// By hand, because a serializer's generality costs more than the whole judgment.
fn score_line(id: u64, judgment: &Judgment, out: &mut Vec<u8>) {
    let score = judgment.score();
    let (threat, severity) = if score < CLAIMED {
        ("none", Severity::Informational)
    } else {
        (judgment.threat.name(), severity_of(judgment.threat, judgment.strength))
    };
    let millionths = (f64::from(score) * 1e6).round() as u64;
    out.extend_from_slice(b"{\"id\":");
    push_number(id, 1, out);
    out.extend_from_slice(b",\"anomaly_score\":");
    push_number(millionths / 1_000_000, 1, out);
    out.push(b'.');
    push_number(millionths % 1_000_000, 6, out);
    out.extend_from_slice(b",\"threat_type\":\"");
    out.extend_from_slice(threat.as_bytes());
    out.extend_from_slice(b"\",\"severity\":\"");
    out.extend_from_slice(severity.name().as_bytes());
    out.extend_from_slice(b"\"}\n");
}

/// A number in decimal with at least so many digits.
fn push_number(mut number: u64, digits: usize, out: &mut Vec<u8>) {
    let mut buffer = [b'0'; 20];
    let mut at = buffer.len();
    while number > 0 || buffer.len() - at < digits {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
    }
    out.extend_from_slice(&buffer[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_lines_are_json() {
        let mut out = Vec::new();
        score_line(0, &Judgment { threat: ThreatType::Beaconing, strength: 7.0, height: None }, &mut out);
        score_line(1_234_567, &Judgment { threat: ThreatType::Beaconing, strength: 0.01, height: None }, &mut out);
        let lines: Vec<serde_json::Value> = out
            .split(|&byte| byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect();
        assert_eq!(lines[0]["threat_type"], "beaconing");
        assert_eq!(lines[0]["severity"], "high");
        assert!(lines[0]["anomaly_score"].as_f64().unwrap() > 0.88);
        assert_eq!((lines[1]["id"].as_u64(), lines[1]["threat_type"].as_str()), (Some(1_234_567), Some("none")));
        assert!(lines[1]["anomaly_score"].as_f64().unwrap() > 0.0);
    }
}
