//! Reports for the tests: a realistic night in two logs, the same with hostile texts, and a very large run.

use jiff::{SignedDuration, Timestamp};
use watchbell_sink::{Attack, Entity, EntityKind, Evidence, Finding, Observable, Reason, Severity, Tactic, ThreatType};

use super::{
    BatchSummary, ComplaintSample, ComplaintSummary, FileReport, FileResult, FileStatus, GlossaryEntry, RunFacts,
    Timeline,
};
use crate::parse::ComplaintReason;

const START: &str = "2026-11-14T00:00:00Z";

/// Texts that attack whoever shows them.
pub(crate) const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload=alert(1)>",
    "[x](javascript:alert(1))",
    "</script><script>alert(1)</script>",
    "</style><style>body{display:none}</style>",
    "{{ 1234 * 1001 }}{% include \"x\" %}",
    "invoice\u{202e}gpj.exe\u{2066}\u{200b}",
    "\u{1b}[2J\u{1b}]8;;https://evil.example\u{7}click\u{1b}]8;;\u{7}\u{9b}31m",
    "nul\0bell\u{7}back\u{8}\u{8}",
    "broken \u{fffd}\u{fffd} utf-8 \u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
    "--><!--' onmouseover='alert(1)' x='",
];

pub(crate) fn run() -> RunFacts {
    RunFacts {
        command_line: "watchbell batch --log-dir logs --output-dir out --once --html out/report.html".to_owned(),
        version: "0.1.0".to_owned(),
        model: "learned from this input".to_owned(),
        threshold: 0.7,
        generated_at: time(30 * 3600),
        elapsed_secs: Some(1.42),
        reports_at: "out".to_owned(),
        glossary: vec![GlossaryEntry {
            feature: "failure_burst_user".to_owned(),
            meaning: "Failed logins of this account in a short window against its own usual rate.".to_owned(),
        }],
    }
}

pub(crate) fn summary() -> BatchSummary {
    let result = |source: &str, output: Option<&str>, error: Option<&str>| FileResult {
        source_file: source.to_owned(),
        status: if error.is_some() { FileStatus::Error } else { FileStatus::Success },
        output_file: output.map(str::to_owned),
        error: error.map(str::to_owned),
        total_events: 0,
        anomalies_detected: 0,
    };
    BatchSummary {
        started_at: time(30 * 3600 - 2),
        finished_at: time(30 * 3600),
        files_processed: 3,
        files_succeeded: 2,
        files_failed: 1,
        total_events: 1_204_311,
        total_anomalies: 911,
        total_findings: 13,
        results: vec![
            result("logs/auth.log", Some("out/auth_20261115T060000Z.json"), None),
            result("logs/cloudtrail.jsonl.gz", Some("out/cloudtrail_20261115T060000Z.json"), None),
            result("logs/old.zip", None, Some("zip archives are not read, expected gz or zst; unpack it first")),
        ],
    }
}

pub(crate) fn reports() -> Vec<FileReport> {
    use {EntityKind as Kind, Severity::*, ThreatType::*};
    let auth = "logs/auth.log";
    let cloud = "logs/cloudtrail.jsonl.gz";
    let one = [
        Sketch::new(auth, BruteForce, High, 0.94).about(Kind::User, "alice").at(11_520, 330).events(212),
        Sketch::new(auth, AccountTakeover, Critical, 0.98).about(Kind::User, "alice").at(11_860, 2_400).events(37),
        Sketch::new(auth, PasswordSpraying, High, 0.91).about(Kind::Ip, "203.0.113.77").at(8_000, 3_600).events(164),
        Sketch::new(auth, PrivilegeEscalation, High, 0.92).about(Kind::User, "alice").at(13_100, 60).events(4),
        Sketch::new(auth, LateralMovement, Medium, 0.86).about(Kind::Host, "build-07").at(14_900, 5_400).events(23),
        Sketch::new(auth, DefenseEvasion, Medium, 0.84).about(Kind::Host, "build-07").at(20_800, 0).events(2),
        Sketch::new(auth, DormantAccount, Low, 0.77).about(Kind::User, "svc-backup-old").at(47_000, 0).events(1),
        Sketch::new(auth, AnomalousAccess, Informational, 0.71).about(Kind::User, "m.jansen").at(60_000, 0).events(1),
    ];
    let two = [
        Sketch::new(cloud, DataExfiltration, Critical, 0.97).about(Kind::User, "alice").at(16_200, 1_900).events(318),
        Sketch::new(cloud, ImpossibleTravel, Medium, 0.82).about(Kind::User, "t.okafor").at(37_000, 1_200).events(2),
        Sketch::new(cloud, Beaconing, Medium, 0.80).about(Kind::Ip, "198.51.100.9").at(1_000, 80_000).events(133),
        Sketch::new(cloud, Reconnaissance, Low, 0.76).about(Kind::User, "ci-runner").at(70_500, 600).events(14),
        Sketch::new(cloud, SlowExfiltration, Low, 0.74).about(Kind::Host, "erp-2").at(4_000, 78_000).events(9),
    ];
    vec![
        report(auth, "syslog (sshd, sudo)", 1_100_200, one.into_iter().map(Sketch::finding).collect()),
        report(cloud, "json lines (CloudTrail)", 104_111, two.into_iter().map(Sketch::finding).collect()),
    ]
}

/// The same night with hostile text in every field that a log can reach.
pub(crate) fn hostile_reports() -> Vec<FileReport> {
    let mut texts = HOSTILE.iter().map(|text| (*text).to_owned()).cycle();
    let mut text = || texts.next().expect("the texts go round");
    let mut reports = reports();
    for report in &mut reports {
        report.source_file = text();
        report.format = text();
        for complaint in &mut report.complaints {
            for sample in &mut complaint.samples {
                (sample.detail, sample.sample) = (text(), text());
            }
        }
        for (number, finding) in report.findings.iter_mut().enumerate() {
            finding.id = format!("{}-{number}-{}", report.total_events, text());
            finding.title = text();
            finding.summary = text();
            finding.entity.value = text();
            for reason in &mut finding.reasons {
                (reason.feature, reason.text, reason.observed, reason.typical) = (text(), text(), text(), text());
            }
            for item in &mut finding.observables {
                item.value = text();
            }
            for item in &mut finding.evidence {
                (item.file, item.raw) = (text(), format!("{} {} {}", text(), text(), text()));
            }
            for attack in &mut finding.attacks {
                (attack.technique_id, attack.technique_name, attack.version) = (text(), text(), text());
                for tactic in &mut attack.tactics {
                    (tactic.id, tactic.name) = (text(), text());
                }
            }
        }
    }
    let long = "A".repeat(1 << 20);
    let finding = &mut reports[0].findings[0];
    finding.title.push_str(&long);
    finding.entity.value = long.clone();
    finding.reasons[0].feature = long.clone();
    finding.reasons[1].observed = long.clone();
    finding.evidence[0].raw = long.clone();
    finding.evidence[1].file = long;
    reports
}

/// So many findings, each with its own entity.
pub(crate) fn many_findings(count: usize) -> Vec<FileReport> {
    let findings = (0..count).map(|number| {
        let severity = Severity::ALL[1 + number % 4];
        let threat = ThreatType::ALL[number % ThreatType::ALL.len()];
        let name = format!("user-{number:05}");
        let mut finding = Sketch::new("logs/big.jsonl", threat, severity, 0.7 + (number % 300) as f64 / 1000.0)
            .about(EntityKind::User, &name)
            .at(i64::try_from(number).unwrap() * 8, 120)
            .events(12)
            .finding();
        finding.id = format!("{number:032x}");
        finding
    });
    vec![report("logs/big.jsonl", "json lines", 20_000_000, findings.collect())]
}

struct Sketch {
    file: &'static str,
    threat: ThreatType,
    severity: Severity,
    score: f64,
    entity: Entity,
    start: i64,
    seconds: i64,
    events: u64,
}

impl Sketch {
    fn new(file: &'static str, threat: ThreatType, severity: Severity, score: f64) -> Self {
        let entity = Entity { kind: EntityKind::Source, value: file.to_owned() };
        Self { file, threat, severity, score, entity, start: 0, seconds: 0, events: 1 }
    }

    fn about(mut self, kind: EntityKind, value: &str) -> Self {
        self.entity = Entity { kind, value: value.to_owned() };
        self
    }

    fn at(mut self, start: i64, seconds: i64) -> Self {
        (self.start, self.seconds) = (start, seconds);
        self
    }

    fn events(mut self, events: u64) -> Self {
        self.events = events;
        self
    }

    fn finding(self) -> Finding {
        let (summary, reasons) = story(self.threat);
        let chain = if self.entity.value == "alice" {
            vec![
                ThreatType::BruteForce,
                ThreatType::AccountTakeover,
                ThreatType::PrivilegeEscalation,
                ThreatType::DataExfiltration,
            ]
        } else {
            vec![self.threat]
        };
        Finding {
            id: format!("{:016x}{:016x}", self.threat as u64 + 1, self.start),
            threat_type: self.threat,
            severity: self.severity,
            score: self.score,
            confidence: hundredths(self.score - 0.09),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..100")]
            risk_score: (self.score * 100.0) as u8,
            title: format!("{} {} {}", self.threat.title(), preposition(self.threat), self.entity.value),
            summary: summary.to_owned(),
            first_seen: Some(time(self.start)),
            last_seen: Some(time(self.start + self.seconds)),
            event_count: self.events,
            chain,
            attacks: attacks(self.threat),
            observables: vec![
                Observable { kind: self.entity.kind, value: self.entity.value.clone(), count: self.events },
                Observable { kind: EntityKind::Ip, value: "203.0.113.77".to_owned(), count: self.events.div_ceil(2) },
                Observable { kind: EntityKind::Host, value: "bastion-1".to_owned(), count: self.events.div_ceil(3) },
                Observable { kind: EntityKind::Country, value: "RO".to_owned(), count: 1 },
            ],
            reasons: reasons.iter().map(reason).collect(),
            evidence: (0..self.events.min(4)).map(|number| self.evidence(number)).collect(),
            entity: self.entity,
        }
    }

    fn evidence(&self, number: u64) -> Evidence {
        let step = i64::try_from(number).unwrap();
        let at = time(self.start + (self.seconds * step / 4));
        let who = &self.entity.value;
        let raw = if self.file.contains("cloudtrail") {
            format!(
                "{{\"eventTime\":\"{at}\",\"eventName\":\"GetObject\",\"userIdentity\":{{\"userName\":\"{who}\"}},\
                 \"sourceIPAddress\":\"203.0.113.77\",\"requestParameters\":{{\"bucketName\":\"finance-exports\",\
                 \"key\":\"2026/q3/ledger-{number}.parquet\"}},\"additionalEventData\":{{\"bytesTransferredOut\":\
                 73400320}}}}"
            )
        } else {
            format!(
                "{} bastion-1 sshd[2214]: Failed password for {who} from 203.0.113.77 port 5{number}122 ssh2",
                at.strftime("%b %e %H:%M:%S")
            )
        };
        Evidence {
            file: self.file.to_owned(),
            line: 40_812 + number * 3,
            time: Some(at),
            score: hundredths(self.score - number as f64 / 100.0),
            raw,
        }
    }
}

const fn preposition(threat: ThreatType) -> &'static str {
    match threat {
        ThreatType::BruteForce => "against",
        ThreatType::AccountTakeover | ThreatType::DormantAccount => "of",
        ThreatType::ImpossibleTravel => "of",
        _ => "by",
    }
}

type Why = (&'static str, &'static str, &'static str, &'static str, f64);

fn reason(&(feature, text, observed, typical, share): &Why) -> Reason {
    Reason {
        feature: feature.to_owned(),
        text: text.to_owned(),
        observed: observed.to_owned(),
        typical: typical.to_owned(),
        share,
    }
}

fn story(threat: ThreatType) -> (&'static str, &'static [Why]) {
    match threat {
        ThreatType::BruteForce => (
            "212 failed logins in 5 min 30 s from 203.0.113.77, which alice had never used. She fails about once a day.",
            &[
                ("failure_burst_user", "212 failed logins in 5 minutes; usual are 0.2", "212 in 5 min", "0.2", 0.58),
                ("new_source_for_user", "a source this account never used", "203.0.113.77", "10.4.0.0/16", 0.23),
                ("hour_surprise", "active at 03:12; usually 08 to 18", "03:12", "08 to 18", 0.12),
                ("interval_regularity", "1.5 s between tries, very even", "1.5 s ± 0.1", "minutes", 0.07),
            ],
        ),
        ThreatType::DataExfiltration => (
            "23.3 GB read from finance-exports in 32 min; alice reads 40 MB on a usual day and never from this bucket.",
            &[
                ("bytes_for_user", "23.3 GB in 32 minutes; usual are 40 MB a day", "23.3 GB", "40 MB", 0.61),
                ("new_resource_for_user", "a bucket this account never read", "finance-exports", "3 others", 0.27),
                ("new_country_for_user", "from Romania; always from the Netherlands", "RO", "NL", 0.12),
            ],
        ),
        ThreatType::Beaconing => (
            "133 calls to 198.51.100.9, one every 600 s with 2 s of jitter, day and night.",
            &[
                ("interval_regularity", "600 s ± 2 s between calls", "600 s ± 2 s", "irregular", 0.74),
                ("destination_rarity", "only this host calls there", "1 of 214 hosts", "40 hosts", 0.26),
            ],
        ),
        ThreatType::AccountTakeover => (
            "alice logged in from 203.0.113.77 right after 212 failures and read mail rules and keys, \
             which she had never done.",
            &[
                (
                    "success_after_failures",
                    "a success after 212 failures from one source",
                    "after 212",
                    "after 0 to 2",
                    0.52,
                ),
                ("new_action_for_user", "9 actions this account never did", "9 in 40 min", "0 to 1 a week", 0.31),
                ("new_country_for_user", "from Romania; always from the Netherlands", "RO", "NL", 0.17),
            ],
        ),
        ThreatType::PasswordSpraying => (
            "203.0.113.77 failed once or twice against each of 96 accounts within an hour.",
            &[
                ("users_per_source", "96 accounts tried from one source; usual are 1.3", "96 in 1 h", "1.3", 0.66),
                ("failure_burst_source", "164 failed logins in an hour", "164 in 1 h", "0.8", 0.34),
            ],
        ),
        ThreatType::PrivilegeEscalation => (
            "alice ran sudo four times on bastion-1; she never had, and 2 of 41 colleagues ever did.",
            &[
                ("new_action_for_user", "sudo for the first time", "sudo", "never", 0.55),
                ("action_rarity_among_peers", "2 of 41 peers ever did this", "2 of 41", "most", 0.45),
            ],
        ),
        ThreatType::LateralMovement => (
            "build-07 opened ssh sessions to 11 hosts that it had never reached before.",
            &[
                ("new_host_for_entity", "11 hosts never reached before", "11 in 90 min", "0 to 1 a day", 0.71),
                ("weekday_surprise", "active on a Saturday", "Saturday", "Mon to Fri", 0.29),
            ],
        ),
        ThreatType::ImpossibleTravel => (
            "t.okafor acted from Lagos and 20 minutes later from Oslo, 5 800 km away.",
            &[
                ("travel_speed", "17 400 km/h between two logins", "17 400 km/h", "below 900 km/h", 0.83),
                ("new_country_for_user", "from Norway for the first time", "NO", "NG", 0.17),
            ],
        ),
        _ => (
            "Unusual in three ways at once, and unlike what others do at this time.",
            &[
                ("action_rarity_among_peers", "1 of 9 200 peers did this", "1 of 9 200", "2 100 of 9 200", 0.47),
                ("new_resource_for_entity", "11 things never touched before", "11", "0 to 1 a day", 0.34),
                ("weekday_surprise", "active on a Saturday", "Saturday", "Mon to Fri", 0.19),
            ],
        ),
    }
}

fn attacks(threat: ThreatType) -> Vec<Attack> {
    let (id, name, tactic_id, tactic) = match threat {
        ThreatType::BruteForce => ("T1110.001", "Password Guessing", "TA0006", "Credential Access"),
        ThreatType::PasswordSpraying => ("T1110.003", "Password Spraying", "TA0006", "Credential Access"),
        ThreatType::CredentialStuffing => ("T1110.004", "Credential Stuffing", "TA0006", "Credential Access"),
        ThreatType::PrivilegeEscalation => ("T1548.003", "Sudo and Sudo Caching", "TA0004", "Privilege Escalation"),
        ThreatType::DataExfiltration => ("T1567.002", "Exfiltration to Cloud Storage", "TA0010", "Exfiltration"),
        ThreatType::SlowExfiltration => ("T1030", "Data Transfer Size Limits", "TA0010", "Exfiltration"),
        ThreatType::LateralMovement => ("T1021.004", "SSH", "TA0008", "Lateral Movement"),
        ThreatType::Beaconing => ("T1071", "Application Layer Protocol", "TA0011", "Command and Control"),
        ThreatType::Reconnaissance => ("T1087", "Account Discovery", "TA0007", "Discovery"),
        ThreatType::DefenseEvasion => ("T1685.005", "Clear Windows Event Logs", "TA0112", "Defense Impairment"),
        ThreatType::AnomalousAccess => return Vec::new(),
        _ => ("T1078", "Valid Accounts", "TA0001", "Initial Access"),
    };
    vec![Attack {
        technique_id: id.to_owned(),
        technique_name: name.to_owned(),
        tactics: vec![Tactic { id: tactic_id.to_owned(), name: tactic.to_owned() }],
        version: "19".to_owned(),
    }]
}

fn report(source_file: &str, format: &str, events: u64, findings: Vec<Finding>) -> FileReport {
    let anomalies_detected = findings.iter().map(|finding| finding.event_count).sum();
    let sample = |line, detail: &str, sample: &str| ComplaintSample {
        line,
        detail: detail.to_owned(),
        sample: sample.to_owned(),
    };
    FileReport {
        source_file: source_file.to_owned(),
        processed_at: time(30 * 3600),
        total_events: events,
        anomalies_detected,
        anomaly_rate: (anomalies_detected * 10_000 / events) as f64 / 10_000.0,
        threshold: 0.7,
        anomalies: Vec::new(),
        findings,
        format: format.to_owned(),
        bytes: events * 118,
        offset: 0,
        records: events + 42,
        complaints: vec![
            ComplaintSummary {
                reason: ComplaintReason::Malformed,
                count: 42,
                samples: vec![
                    sample(
                        1_204,
                        "expected `,` or `}` at byte 88",
                        "{\"eventTime\":\"2026-11-14T01:02:03Z\" \"eventNa",
                    ),
                    sample(88_110, "expected a month name", "-- MARK --"),
                ],
            },
            ComplaintSummary {
                reason: ComplaintReason::MissingTime,
                count: 311,
                samples: vec![sample(17, "no field of the record is a time", "last message repeated 3 times")],
            },
        ],
        first_event: Some(time(3)),
        last_event: Some(time(86_390)),
        timeline: timeline(events, anomalies_detected),
        score_histogram: histogram(events, anomalies_detected),
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// A day's rhythm: quiet at night, two humps by day.
fn timeline(events: u64, anomalies: u64) -> Timeline {
    let weight = |bin: u64| 14 + (bin * 37 % 11) + if (48..=114).contains(&bin) { 60 - bin.abs_diff(78) } else { 0 };
    let total: u64 = (0..144).map(weight).sum();
    Timeline {
        start: Some(time(0)),
        bin_secs: 600,
        events: (0..144).map(|bin| events * weight(bin) / total).collect(),
        anomalies: (0..144).map(|bin| if bin == 19 { anomalies / 2 } else { u64::from(bin % 16 == 3) }).collect(),
    }
}

fn histogram(events: u64, anomalies: u64) -> Vec<u64> {
    (0..50)
        .map(|bin| match bin {
            35.. => anomalies / 15,
            _ => events >> (1 + bin.min(20)),
        })
        .collect()
}

fn time(seconds: i64) -> Timestamp {
    START.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}
