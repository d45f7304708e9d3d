//! Evidence for each threat type: what a defender would point at, weighed against the entity's own past.
//!
//! Each term is a pure function of the [`Circumstances`] of one event. Its strength is `-log10` of how probable what was
//! seen would be if nothing were wrong, so that terms can be compared and combined; each has a minimum effect below which
//! it stays silent however improbable the numbers are (constant data then a 2 -> 3 must not ring).

use watchbell_sink::ThreatType;

use super::{
    Dimension,
    measure::poisson_surprise,
    memory::{DAY, width},
};
use crate::parse::{ActionClass, Outcome};

/// Everything about an event's surroundings that the terms weigh. Rates and counts are as of the event.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances {
    /// Seconds since 1970.
    pub now: u32,
    /// Whether the record named a time.
    pub timed: bool,
    /// What sort of action.
    pub class: ActionClass,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether an account is named (and not only an address or a host).
    pub named_actor: bool,
    /// The actor's events so far.
    pub actor_events: f32,
    /// Seconds since the actor's first event.
    pub actor_age: u32,
    /// Seconds since the first event of all.
    pub log_age: u32,
    /// `-log10` of the share of the actor's activity at this hour, against an even spread.
    pub hour_surprise: f32,
    /// The same for the day of the week.
    pub weekday_surprise: f32,
    /// `-log10 p` of each dimension's value being new to the actor, 0 when it is known.
    pub novelty: [f32; super::DIMENSIONS],
    /// When the young pair of actor and address was first seen; 0 when the pair is old.
    pub visit_since: u32,
    /// Events of the young pair of actor and address.
    pub visit_events: f32,
    /// The actor's events of late.
    pub actor_rate: f32,
    /// The actor's failed logins of late, and how many are usual.
    pub actor_failures: Level,
    /// The address's failed logins of late, and how many are usual.
    pub address_failures: Level,
    /// Different accounts that failed from the address of late, and how many are usual.
    pub failing_actors: Level,
    /// Different accounts that strangers failed to enter of late, and how many are usual.
    pub stranger_attempts: Level,
    /// Whether the event is a login from an address that is new to the log or to the account.
    pub stranger: bool,
    /// Administrative acts of late, and how many are usual.
    pub privileges: Level,
    /// Share of the actors that ever did this action.
    pub action_spread: f32,
    /// `-log10` of the action's share of the log.
    pub action_rarity: f32,
    /// Whether the resource's name speaks of logs, audits or protection.
    pub guards: bool,
    /// Bytes of the event.
    pub bytes: f32,
    /// Distance of the bytes from the actor's usual for this action, in deviations.
    pub bytes_deviation: f32,
    /// Bytes within half an hour, and how many are usual in one that has any.
    pub volume: Level,
    /// The largest volume of an earlier half hour.
    pub volume_highest: f32,
    /// `-log10` of the share of half hours in the log with at least this volume.
    pub volume_rarity: f32,
    /// Distance of the logarithm of the volume from the usual, in deviations.
    pub volume_deviation: f32,
    /// Different hosts new to the actor of late, and how many are usual.
    pub new_hosts: Level,
    /// Different resources new to the actor of late, and how many are usual.
    pub new_resources: Level,
    /// Refused requests of late, and how many are usual.
    pub denials: Level,
    /// `-log10` of the share of actors' windows that reach as many new resources.
    pub reach_rarity: f32,
    /// Intervals of the flow: how many, their mean and deviation in seconds.
    pub intervals: f32,
    /// Mean interval of the flow in seconds.
    pub interval: f32,
    /// Deviation of the flow's intervals over their mean.
    pub jitter: f32,
    /// Start of the flow's present run.
    pub run_since: u32,
    /// First event of the flow.
    pub flow_since: u32,
    /// Whether the flow began with the log: it may well have been there for ever.
    pub flow_is_old: bool,
    /// Events of the flow.
    pub flow_events: f32,
    /// Days on which the flow had events.
    pub flow_days: f32,
    /// Bytes of the flow in all.
    pub flow_bytes: f32,
    /// Distinct actors that use the destination.
    pub destination_actors: f32,
    /// Their share of all actors, less the actor itself: 0 when nobody else uses it.
    pub destination_share: f32,
    /// Deviation of the actor's own intervals, as `ln(1 + seconds)`: small for machines.
    pub actor_irregularity: f32,
    /// Seconds since the actor was last seen in another country; 0 when it was not.
    pub country_gap: u32,
    /// Changes of country per event of the actor.
    pub country_change_rate: f32,
    /// Seconds of silence that ended with this visit; 0 without one.
    pub silence: u32,
    /// The actor's usual longest pause, in seconds.
    pub usual_silence: f32,
    /// When the actor came back after that silence.
    pub returned: u32,
}

/// What was observed and what is usual.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Level {
    /// Now.
    pub observed: f32,
    /// Usually.
    pub usual: f32,
    /// Start of the present run, in seconds since 1970.
    pub since: u32,
}

impl Level {
    fn surprise(self) -> f32 {
        poisson_surprise(self.observed, self.usual)
    }
}

/// Whose events a threat is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Scope {
    /// The actor's.
    Actor,
    /// The address's.
    Address,
    /// The actor's from this address.
    Visit,
    /// The actor's with this destination.
    Flow,
    /// Strangers' in the whole log.
    Campaign,
}

/// Evidence for one threat type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signal {
    /// For which.
    pub threat: ThreatType,
    /// `-log10 p`.
    pub strength: f32,
    /// Whose events it is made of.
    pub scope: Scope,
    /// Since when, in seconds since 1970.
    pub since: u32,
    /// The number that makes the case.
    pub observed: f32,
    /// What it usually is.
    pub typical: f32,
}

/// Strengths beyond this say no more.
const MOST: f32 = 12.0;

/// A campaign of strangers is told from outside only: where a narrower threat explains an event as well, that one holds.
const MOST_OF_CAMPAIGN: f32 = 11.0;

/// All evidence that an event gives, in the order of the threat types.
pub fn signals(seen: &Circumstances, mut each: impl FnMut(Signal)) {
    let terms: [fn(&Circumstances) -> Option<Signal>; 13] = [
        brute_force,
        password_spraying,
        credential_stuffing,
        account_takeover,
        impossible_travel,
        privilege_escalation,
        data_exfiltration,
        slow_exfiltration,
        lateral_movement,
        beaconing,
        reconnaissance,
        defense_evasion,
        dormant_account,
    ];
    let mut found = terms.map(|term| term(seen));
    explain_by_stranger(&mut found);
    for mut signal in found.into_iter().flatten() {
        signal.strength = signal.strength.min(MOST);
        each(signal);
    }
}

/// A stranger in an account looks around and takes things: that is part of the takeover, not a threat of its own.
fn explain_by_stranger(found: &mut [Option<Signal>]) {
    const STRANGER: [ThreatType; 3] =
        [ThreatType::DormantAccount, ThreatType::ImpossibleTravel, ThreatType::AccountTakeover];
    if found.iter().flatten().count() < 2 {
        return;
    }
    let at = |found: &[Option<Signal>], threat| {
        found.iter().position(|signal| signal.is_some_and(|signal| signal.threat == threat && signal.strength >= 2.5))
    };
    let Some(stranger) = STRANGER.into_iter().find_map(|threat| at(found, threat)) else { return };
    for part in [ThreatType::Reconnaissance, ThreatType::LateralMovement, ThreatType::AccountTakeover] {
        let Some(index) = at(found, part).filter(|&index| index != stranger) else { continue };
        let absorbed = found[index].take().map_or(0.0, |signal| signal.strength);
        if let Some(signal) = &mut found[stranger] {
            signal.strength += (0.35 * absorbed).min(3.0);
        }
    }
}

fn login(seen: &Circumstances) -> bool {
    matches!(seen.class, ActionClass::Login | ActionClass::RemoteLogin)
}

fn novelty(seen: &Circumstances, dimension: Dimension) -> f32 {
    seen.novelty[dimension as usize]
}

/// Failed logins of one account far above its own pace.
fn brute_force(seen: &Circumstances) -> Option<Signal> {
    let level = seen.actor_failures;
    (login(seen) && level.observed >= 5.0).then(|| Signal {
        threat: ThreatType::BruteForce,
        strength: level.surprise(),
        scope: Scope::Actor,
        since: level.since,
        observed: level.observed,
        typical: level.usual,
    })
}

/// Many accounts failing from one address.
fn password_spraying(seen: &Circumstances) -> Option<Signal> {
    let level = seen.failing_actors;
    (login(seen) && level.observed >= 5.0).then(|| Signal {
        threat: ThreatType::PasswordSpraying,
        strength: level.surprise() + 1.0,
        scope: Scope::Address,
        since: level.since,
        observed: level.observed,
        typical: level.usual,
    })
}

/// Many accounts failing from many new addresses: what per-address counts can't see.
fn credential_stuffing(seen: &Circumstances) -> Option<Signal> {
    let level = seen.stranger_attempts;
    (login(seen) && seen.stranger && level.observed >= 8.0).then(|| Signal {
        threat: ThreatType::CredentialStuffing,
        strength: (level.surprise() * 0.8).min(MOST_OF_CAMPAIGN),
        scope: Scope::Campaign,
        since: level.since,
        observed: level.observed,
        typical: level.usual,
    })
}

/// A stranger at work: new address, new country, odd hour, things the user never touched.
fn account_takeover(seen: &Circumstances) -> Option<Signal> {
    let place = novelty(seen, Dimension::Country);
    let address = novelty(seen, Dimension::Address);
    let works = seen.outcome != Outcome::Failure && seen.named_actor;
    (works && seen.visit_since != 0 && seen.actor_events >= 20.0 && place + address > 1.5).then(|| {
        let range = (seen.new_resources.observed - seen.new_resources.usual).clamp(0.0, 10.0) * 0.25;
        Signal {
            threat: ThreatType::AccountTakeover,
            strength: place + 0.5 * address + 0.7 * seen.hour_surprise + range - 0.7,
            scope: Scope::Visit,
            since: seen.visit_since,
            observed: place.max(address),
            typical: 0.0,
        }
    })
}

/// Two countries within less time than a flight takes.
fn impossible_travel(seen: &Circumstances) -> Option<Signal> {
    let soon = seen.country_gap > 0 && seen.country_gap < 9_000;
    let known = seen.actor_events >= 10.0 && seen.named_actor;
    (soon && known && seen.outcome != Outcome::Failure && novelty(seen, Dimension::Country) > 0.0).then(|| {
        let hours = seen.country_gap as f32 / 3_600.0;
        Signal {
            threat: ThreatType::ImpossibleTravel,
            strength: novelty(seen, Dimension::Country) + 0.5 * novelty(seen, Dimension::Address) + (2.5 - hours) * 0.8
                - 0.6,
            scope: Scope::Visit,
            since: seen.visit_since,
            observed: hours,
            typical: 12.0,
        }
    })
}

/// Administrative acts by somebody who does not do such things.
fn privilege_escalation(seen: &Circumstances) -> Option<Signal> {
    (seen.class == ActionClass::Privilege && seen.actor_events >= 5.0).then(|| {
        let stranger_to_it = novelty(seen, Dimension::Action);
        let rare = (1.0 - seen.action_spread).max(0.0) * seen.action_rarity.min(4.0) * 0.4;
        Signal {
            threat: ThreatType::PrivilegeEscalation,
            strength: stranger_to_it + rare + 0.6 * seen.privileges.surprise(),
            scope: Scope::Actor,
            since: seen.privileges.since,
            observed: seen.privileges.observed,
            typical: seen.privileges.usual,
        }
    })
}

/// Less than this within half an hour is no exfiltration worth a look, however unusual: 5 MB.
pub(super) const LEAST_VOLUME: f32 = 5e6;

/// Much more data than the actor ever moves, in a short time.
fn data_exfiltration(seen: &Circumstances) -> Option<Signal> {
    let moves =
        matches!(seen.class, ActionClass::Download | ActionClass::Upload | ActionClass::Read | ActionClass::Connect);
    (moves && seen.volume.observed >= LEAST_VOLUME && seen.bytes >= 1e5).then(|| Signal {
        threat: ThreatType::DataExfiltration,
        strength: (seen.volume.observed / seen.volume_highest.max(LEAST_VOLUME)).log10().clamp(-1.0, 2.0) * 1.5
            + (seen.volume_deviation - 1.0).clamp(0.0, 4.0) * 0.7
            + seen.volume_rarity.min(4.0) * 0.5
            + 0.5 * seen.hour_surprise,
        scope: Scope::Actor,
        since: seen.now.saturating_sub(width::VOLUME),
        observed: seen.volume.observed,
        typical: seen.volume.usual,
    })
}

/// Uploads to a destination hardly anybody uses, by somebody who does other things as well, going on for days.
fn slow_exfiltration(seen: &Circumstances) -> Option<Signal> {
    let upload = seen.class == ActionClass::Upload && seen.flow_events >= 4.0 && seen.flow_bytes >= 1e6;
    // A backup account does nothing else; a person does.
    let does_other_things = seen.actor_events - seen.flow_events >= 20.0;
    (upload && does_other_things && seen.destination_share < RARE_DESTINATION).then(|| Signal {
        threat: ThreatType::SlowExfiltration,
        strength: seen.flow_events.min(30.0).ln() * 1.2 + 1.0 - seen.destination_share / RARE_DESTINATION
            + seen.flow_days.min(5.0) * 0.2,
        scope: Scope::Flow,
        since: seen.flow_since,
        observed: seen.flow_bytes,
        typical: 0.0,
    })
}

/// A destination that fewer of the actors use is rare: one of 50, or one alone in a small log.
const RARE_DESTINATION: f32 = 0.02;

/// Many hosts that the actor was never on, in a short time.
fn lateral_movement(seen: &Circumstances) -> Option<Signal> {
    let level = seen.new_hosts;
    (login(seen) && seen.outcome != Outcome::Failure && level.observed >= 4.0).then(|| Signal {
        threat: ThreatType::LateralMovement,
        strength: level.surprise() * if seen.class == ActionClass::RemoteLogin { 1.0 } else { 0.7 },
        scope: Scope::Actor,
        since: level.since,
        observed: level.observed,
        typical: level.usual,
    })
}

/// A machine's regular pace towards a destination hardly anybody else uses. Daily and hourly jobs are no beacons.
fn beaconing(seen: &Circumstances) -> Option<Signal> {
    let regular = seen.intervals >= 8.0 && seen.jitter < 0.2 && (2.0..3_000.0).contains(&seen.interval);
    let moves =
        matches!(seen.class, ActionClass::Connect | ActionClass::Upload | ActionClass::Read | ActionClass::Other);
    (regular && moves && seen.destination_share < RARE_DESTINATION).then(|| Signal {
        threat: ThreatType::Beaconing,
        strength: ((0.25 - seen.jitter) * 10.0
            + seen.intervals.min(60.0).ln() * 0.7
            + seen.actor_irregularity.min(2.0))
            * if seen.flow_is_old { 0.5 } else { 1.0 },
        scope: Scope::Flow,
        since: seen.run_since,
        observed: seen.interval,
        typical: seen.jitter,
    })
}

/// Many things that the actor never touched, in a short time. Of somebody without a past: more than others reach, most of
/// it refused.
fn reconnaissance(seen: &Circumstances) -> Option<Signal> {
    let looks = matches!(seen.class, ActionClass::List | ActionClass::Read | ActionClass::Connect | ActionClass::Other);
    let level = seen.new_resources;
    (looks && level.observed >= 10.0).then(|| {
        let refused = (0.3 * seen.denials.surprise()).min(4.0);
        let by_reach = 1.2 * seen.reach_rarity.min(3.0) - 1.0;
        Signal {
            threat: ThreatType::Reconnaissance,
            strength: (0.9 * level.surprise()).max(if refused >= 2.5 { by_reach + refused } else { 0.0 }),
            scope: Scope::Actor,
            since: level.since,
            observed: level.observed,
            typical: level.usual,
        }
    })
}

/// The watch itself weakened: logs deleted, audits stopped, protection switched off.
fn defense_evasion(seen: &Circumstances) -> Option<Signal> {
    let weight = match seen.class {
        ActionClass::Tamper => 3.5,
        ActionClass::Configure | ActionClass::Delete if seen.guards => 0.5,
        _ => return None,
    };
    Some(Signal {
        threat: ThreatType::DefenseEvasion,
        strength: weight
            + novelty(seen, Dimension::Action)
            + 0.4 * seen.action_rarity.min(5.0)
            + 0.5 * seen.hour_surprise,
        scope: Scope::Actor,
        since: seen.now,
        observed: 1.0,
        typical: 0.0,
    })
}

/// An account at work again after a silence that is long for it.
fn dormant_account(seen: &Circumstances) -> Option<Signal> {
    let days = seen.silence as f32 / DAY as f32;
    let back = seen.returned != 0 && seen.now.saturating_sub(seen.returned) < DAY;
    (back && days >= 5.0 && seen.named_actor && seen.outcome != Outcome::Failure).then(|| {
        let place = novelty(seen, Dimension::Country) + 0.5 * novelty(seen, Dimension::Address);
        Signal {
            threat: ThreatType::DormantAccount,
            strength: (seen.silence as f32 / seen.usual_silence.max(1.0)).log10().clamp(0.0, 2.0)
                + place
                + 0.5 * seen.hour_surprise,
            scope: Scope::Visit,
            since: seen.returned,
            observed: days,
            typical: seen.usual_silence / DAY as f32,
        }
    })
}
