//! The floors below, wired: the [`Detector`].

use std::collections::HashMap;

use crate::{
    features::{Scope, Signal, Tracker, TrackerOptions, tracker},
    parse::{ActionClass, EventBatch, Outcome},
    sink::ThreatType,
};

/// Learns from a log what is normal in it, and scores it.
#[derive(Debug, Default)]
pub struct Detector {}

/// dev
#[derive(Debug, Clone)]
pub struct Episode {
    threat: ThreatType,
    scope: Scope,
    key: u64,
    actor: u32,
    start: u32,
    end: u32,
    peak: f32,
    count: u32,
}

fn participates(threat: ThreatType, class: ActionClass, outcome: Outcome) -> bool {
    use ActionClass as C;
    use ThreatType as T;
    let login = matches!(class, C::Login | C::RemoteLogin);
    match threat {
        T::BruteForce | T::PasswordSpraying => login,
        T::CredentialStuffing => login,
        T::AccountTakeover | T::DormantAccount | T::ImpossibleTravel => outcome != Outcome::Failure || !login,
        T::PrivilegeEscalation => class == C::Privilege,
        T::DataExfiltration => matches!(class, C::Download | C::Upload | C::Read | C::Connect),
        T::SlowExfiltration => class == C::Upload,
        T::LateralMovement => class == C::RemoteLogin,
        T::Beaconing => matches!(class, C::Connect | C::Upload | C::Other),
        T::Reconnaissance => matches!(class, C::List | C::Read | C::Connect | C::Other),
        T::DefenseEvasion => matches!(class, C::Tamper | C::Configure | C::Delete),
        T::AnomalousAccess => false,
    }
}

fn gap(threat: ThreatType) -> u32 {
    match threat {
        ThreatType::SlowExfiltration => 5 * 86400,
        ThreatType::DormantAccount => 86400,
        ThreatType::Beaconing | ThreatType::AccountTakeover | ThreatType::ImpossibleTravel => 2 * 3600,
        _ => 1800,
    }
}

/// dev
pub fn dev(batch: &EventBatch) -> Vec<(f32, u8, String)> {
    let mut t = Tracker::new(TrackerOptions::default());
    let mut out: Vec<(f32, u8, String)> = Vec::new();
    let mut episodes: Vec<Episode> = vec![];
    let mut open: HashMap<(u8, u64), usize> = HashMap::new();
    let mut keys = vec![];
    for e in &batch.events {
        let o = t.observe(batch, e);
        let mut best = (0.0f32, 0u8);
        let mut text = String::new();
        let key = |scope: Scope| match scope {
            Scope::Actor => o.actor as u64 | 1 << 40,
            Scope::Address => o.address as u64 | 2 << 40,
            Scope::Visit => (o.actor as u64) | (o.address as u64) << 32 | 3 << 62,
            Scope::Flow => (o.actor as u64) | (o.group << 32) | 1 << 63,
            Scope::Campaign => 7 << 50,
        };
        let now = o.circumstances.now;
        for s in t.signals().to_vec() {
            if std::env::var_os("SHOW").is_some() {
                text += &format!("[{} {:.1} {:.1}/{:.1}]", s.threat, s.strength, s.observed, s.typical);
            }
            if s.strength > best.0 {
                best = (s.strength, s.threat as u8)
            }
            if s.strength >= 2.0 {
                let k = (s.threat as u8, key(s.scope));
                let fresh = match open.get(&k) {
                    Some(&i) if now.saturating_sub(episodes[i].end) <= gap(s.threat) => {
                        let ep = &mut episodes[i];
                        ep.end = now;
                        ep.peak = ep.peak.max(s.strength);
                        ep.count += 1;
                        false
                    }
                    _ => true,
                };
                if fresh {
                    open.insert(k, episodes.len());
                    episodes.push(Episode {
                        threat: s.threat,
                        scope: s.scope,
                        key: k.1,
                        actor: o.actor,
                        start: s.since.min(now),
                        end: now,
                        peak: s.strength,
                        count: 1,
                    });
                }
            }
        }
        keys.push((
            [key(Scope::Actor), key(Scope::Address), key(Scope::Visit), key(Scope::Flow), key(Scope::Campaign)],
            now,
            o.circumstances.stranger,
        ));
        out.push((best.0, best.1, text));
    }
    let mut by: HashMap<u64, Vec<usize>> = HashMap::new();
    for (i, ep) in episodes.iter().enumerate() {
        by.entry(ep.key).or_default().push(i);
    }
    for (i, e) in batch.events.iter().enumerate() {
        let (ks, now, stranger) = keys[i];
        let own = out[i].0;
        let mut best = (own.min(1.5), out[i].1);
        for k in ks {
            let Some(list) = by.get(&k) else { continue };
            for &x in list {
                let ep = &episodes[x];
                if now < ep.start || now > ep.end + 600 || !participates(ep.threat, e.class, e.outcome) {
                    continue;
                }
                if ep.threat == ThreatType::CredentialStuffing && !stranger {
                    continue;
                }
                if ep.peak > best.0 {
                    best = (ep.peak, ep.threat as u8)
                }
            }
        }
        out[i].0 = best.0 + 0.05 * own;
        out[i].1 = best.1;
    }
    eprintln!("{} episodes", episodes.len());
    out
}
