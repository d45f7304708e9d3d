//! The third pass, only when something was found: texts, circumstances and raw records of what stands out, and from them
//! the reasons, the findings and the reports.
//!
//! The log is read again from its beginning and measured again, because what was unusual about an event is a function of
//! all events before it. The measure is deterministic, so the second reading gives what the first gave; where the file
//! was changed in between, that is noticed by the events' times and told.

use std::{collections::BTreeMap, sync::atomic::Ordering};

use jiff::Timestamp;
use watchbell_sink::{EntityKind, Finding};

use super::{
    DetectError, DetectSettings, LogPart, PartAnalysis, Run, intake,
    judging::{ScoredEvent, Verdict},
    measure::{self, Measured, PartMeasure},
};
use crate::{
    classify::{
        Judgment,
        group::{self, Anomaly, GroupOptions},
        reason::{VoiceOpinion, reasons},
        severity_of,
    },
    features::{FEATURES, evidence::Circumstances, quantize, value_of},
    model::Model,
    parse::{Event, EventBatch, NO_TIME},
    report::{AnomalyRecord, FileReport},
    score::voices::Voices,
};

/// Characters of a raw record that are kept.
const RAW: usize = 4_096;

/// Characters of a field's value that are kept.
const VALUE: usize = 512;

/// What is captured of an event while the log is read again.
#[derive(Debug)]
struct Captured {
    circumstances: Circumstances,
    features: [f32; FEATURES],
    time: Option<Timestamp>,
    line: u64,
    values: Vec<(EntityKind, String)>,
    raw: String,
}

/// The anomalies of all parts, explained, with the part and number of each.
#[derive(Debug, Default)]
pub(super) struct Explained {
    anomalies: Vec<Anomaly>,
    places: Vec<(usize, u64)>,
}

/// Reads the log again and explains what stands out.
pub(super) fn explain(
    settings: &DetectSettings,
    model: Option<&Model>,
    parts: &[LogPart],
    run: Run<'_>,
    (measured, verdict, voices): (&Measured, &Verdict, &Voices),
) -> Result<Explained, DetectError> {
    let told = strongest_of_each_part(settings, measured, verdict);
    let mut wanted: Vec<u64> = told.iter().flat_map(|flag| [Some(flag.id), flag.judgment.height]).flatten().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let captured = capture(settings, model, parts, run, &wanted)?;
    let mut explained = Explained::default();
    for flag in told {
        let Some(own) = captured.get(&flag.id) else { continue };
        let part = part_of(&measured.parts, flag.id);
        let height = flag.judgment.height.and_then(|height| captured.get(&height)).unwrap_or(own);
        explained.anomalies.push(anomaly(&flag.judgment, own, height, voices, &measured.parts[part].file));
        let id = flag.id as i64 - measured.parts[part].row_of_event_0;
        explained.places.push((part, id.unsigned_abs()));
    }
    Ok(explained)
}

/// The flags that are told in full, in the order of the log.
fn strongest_of_each_part(settings: &DetectSettings, measured: &Measured, verdict: &Verdict) -> Vec<ScoredEvent> {
    let mut by_part: Vec<Vec<ScoredEvent>> = measured.parts.iter().map(|_| Vec::new()).collect();
    for flag in &verdict.flags {
        by_part[part_of(&measured.parts, flag.id)].push(*flag);
    }
    for flags in &mut by_part {
        if flags.len() > settings.max_anomalies {
            flags.sort_by(|a, b| b.judgment.strength.total_cmp(&a.judgment.strength).then(a.id.cmp(&b.id)));
            flags.truncate(settings.max_anomalies);
            flags.sort_by_key(|flag| flag.id);
        }
    }
    by_part.concat()
}

fn part_of(parts: &[PartMeasure], row: u64) -> usize {
    parts.partition_point(|part| part.first_row <= row).saturating_sub(1)
}

fn capture(
    settings: &DetectSettings,
    model: Option<&Model>,
    parts: &[LogPart],
    run: Run<'_>,
    wanted: &[u64],
) -> Result<BTreeMap<u64, Captured>, DetectError> {
    let mut captured = BTreeMap::new();
    let mut tracker = measure::first_memory(model);
    let (mut next, mut row) = (0, 0);
    for part in parts {
        if next == wanted.len() {
            break;
        }
        // A part that could not be opened the first time has no rows, so that leaving it out again keeps the count.
        let Ok((log, lines_before)) = measure::open_part(part, model.is_some(), run) else { continue };
        let each = |mut batch: EventBatch| {
            batch.first_line += lines_before;
            run.progress.bytes(batch.block.len() as u64);
            for event in &batch.events {
                if next == wanted.len() {
                    return;
                }
                let observation = tracker.observe(&batch, event);
                if wanted[next] == row {
                    let (circumstances, features) = (observation.circumstances, observation.features);
                    captured.insert(row, captured_of(&batch, event, circumstances, features));
                    next += 1;
                }
                row += 1;
            }
        };
        if part.is_small() {
            intake::read_here(log, run.stop, each);
        } else {
            intake::read(log, settings.threads().saturating_sub(1), run.stop, each);
        }
        if run.stop.load(Ordering::Relaxed) {
            return Err(DetectError::Stopped);
        }
    }
    Ok(captured)
}

fn captured_of(batch: &EventBatch, event: &Event, circumstances: Circumstances, features: [f32; FEATURES]) -> Captured {
    let fields = [
        (EntityKind::User, event.user),
        (EntityKind::Ip, event.source_ip),
        (EntityKind::Host, event.host),
        (EntityKind::Action, event.action),
        (EntityKind::Resource, event.resource),
        (EntityKind::Country, event.country),
        (EntityKind::Process, event.process),
        (EntityKind::UserAgent, event.user_agent),
    ];
    let present = fields.into_iter().filter(|(_, text)| text.is_present());
    Captured {
        circumstances,
        features,
        time: Some(event.time).filter(|&time| time != NO_TIME).and_then(|time| Timestamp::from_millisecond(time).ok()),
        line: batch.first_line + u64::from(event.line),
        values: present.map(|(kind, text)| (kind, cut(&batch.text(text), VALUE))).collect(),
        raw: cut(&String::from_utf8_lossy(batch.record(event)), RAW),
    }
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn anomaly(judgment: &Judgment, own: &Captured, height: &Captured, voices: &Voices, file: &str) -> Anomaly {
    let row = quantize(&own.features);
    let shares: [f32; FEATURES] = std::array::from_fn({
        let shares = voices.shares(&row);
        move |position| shares[position]
    });
    let medians: [f32; FEATURES] = std::array::from_fn(|position| value_of(position, voices.medians()[position]));
    let opinion =
        VoiceOpinion { strength: voices.opinion(&row), features: &own.features, shares: &shares, medians: &medians };
    Anomaly {
        threat: judgment.threat,
        strength: judgment.strength,
        score: (f64::from(judgment.score()) * 1e6).round() / 1e6,
        severity: severity_of(judgment.threat, judgment.strength),
        time: own.time,
        file: file.to_owned(),
        line: own.line,
        values: own.values.clone(),
        raw: own.raw.clone(),
        reasons: reasons(judgment, &height.circumstances, &opinion),
    }
}

/// One report per part.
pub(super) fn reports(
    settings: &DetectSettings,
    parts: &[LogPart],
    now: Timestamp,
    (measured, verdict): (Measured, Verdict),
    explained: Explained,
) -> Vec<PartAnalysis> {
    let options = GroupOptions {
        gap_secs: settings.gap_secs,
        max_evidence: settings.max_evidence,
        source: parts.first().map_or_else(String::new, |part| super::family_of(&part.file.name)),
        attack_version: settings.attack_version,
    };
    let (findings, ids) = group::group(&explained.anomalies, &options);
    // A finding that spans files is told in the file of its first anomaly.
    let mut home: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, &(part, _)) in ids.iter().zip(&explained.places) {
        home.entry(id).or_insert(part);
    }
    let rows = explained.anomalies.iter().zip(&ids).zip(&explained.places);
    let Verdict { threshold, histograms, counts, .. } = verdict;
    let mut reports = Vec::new();
    for (at, (done, score_histogram)) in measured.parts.into_iter().zip(histograms).enumerate() {
        let anomalies: Vec<AnomalyRecord> = rows
            .clone()
            .filter(|(_, (part, _))| *part == at)
            .map(|((anomaly, finding_id), (_, id))| record(anomaly, finding_id, *id))
            .collect();
        let findings: Vec<Finding> =
            findings.iter().filter(|finding| home.get(finding.id.as_str()) == Some(&at)).cloned().collect();
        let total = done.tally.events;
        let report = FileReport {
            source_file: done.file,
            processed_at: now,
            total_events: total,
            anomalies_detected: counts[at],
            anomaly_rate: if total > 0 { counts[at] as f64 / total as f64 } else { 0.0 },
            threshold,
            timeline: done.tally.timeline(anomalies.iter().filter_map(|anomaly| anomaly.timestamp)),
            anomalies,
            findings,
            format: done.format,
            bytes: done.bytes,
            offset: parts[at].report_from,
            records: done.tally.records,
            complaints: done.tally.complaints(),
            first_event: done.tally.first_event(),
            last_event: done.tally.last_event(),
            score_histogram,
        };
        reports.push(PartAnalysis {
            report,
            end_offset: done.end_offset,
            next_line: done.next_line,
            error: done.error,
        });
    }
    reports
}

fn record(anomaly: &Anomaly, finding_id: &str, id: u64) -> AnomalyRecord {
    let value = |kind| anomaly.value(kind).map(str::to_owned);
    AnomalyRecord {
        timestamp: anomaly.time,
        user: value(EntityKind::User),
        source_ip: value(EntityKind::Ip),
        threat_type: anomaly.threat,
        severity: anomaly.severity,
        anomaly_score: anomaly.score,
        id,
        line: anomaly.line,
        host: value(EntityKind::Host),
        action: value(EntityKind::Action),
        resource: value(EntityKind::Resource),
        country: value(EntityKind::Country),
        reasons: anomaly.reasons.clone(),
        finding_id: finding_id.to_owned(),
        raw: anomaly.raw.clone(),
    }
}
