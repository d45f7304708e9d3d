//! Signals of one threat about one entity that belong together.
//!
//! A burst is only seen once some of it has happened. When the whole log is at hand, its first events are judged with
//! what is known at its height: each signal opens or prolongs an episode that reaches back to where the run began.

use std::collections::{BTreeMap, BTreeSet};

use watchbell_sink::ThreatType;

use super::threat;
use crate::{
    features::{Scope, Signal},
    parse::{ActionClass, Outcome},
};

/// What is kept of each event for judging it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Running number of the actor.
    pub actor: u32,
    /// Running number of the address; `u32::MAX` without one.
    pub address: u32,
    /// Seconds since 1970.
    pub time: u32,
    /// Hash of the destination, 0 without one.
    pub group: u32,
    /// What sort of action.
    pub class: ActionClass,
    /// How it ended.
    pub outcome: Outcome,
    /// Whether it is a stranger's login.
    pub stranger: bool,
    /// Threat type of the event's own strongest signal.
    pub threat: ThreatType,
    /// Strength of that signal, 0 without one.
    pub strength: f32,
}

/// A run of one threat about one entity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Episode {
    /// Of which threat.
    pub threat: ThreatType,
    /// First moment, in seconds since 1970.
    pub start: u32,
    /// Last moment.
    pub end: u32,
    /// The strongest signal's strength.
    pub strength: f32,
    /// Number of the event with the strongest signal.
    pub height: u64,
}

/// Whose an episode is: equal keys, same entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key(Scope, u32, u32);

impl Key {
    fn new(scope: Scope, candidate: &Candidate) -> Self {
        match scope {
            Scope::Actor => Self(scope, candidate.actor, 0),
            Scope::Address => Self(scope, candidate.address, 0),
            Scope::Visit => Self(scope, candidate.actor, candidate.address),
            Scope::Flow => Self(scope, candidate.actor, candidate.group),
            Scope::Campaign => Self(scope, 0, 0),
        }
    }
}

/// All episodes of a log.
#[derive(Debug, Clone, Default)]
pub struct EpisodeBook {
    episodes: Vec<Episode>,
    by_key: BTreeMap<Key, Vec<u32>>,
    actors: Vec<bool>,
    addresses: Vec<bool>,
    campaigns: bool,
    habits: BTreeSet<(u32, ThreatType)>,
}

impl EpisodeBook {
    /// Signals weaker than this open no episode: one event in a hundred may be this odd by chance.
    const BAR: f32 = 2.0;
    /// Most episodes that are kept; a log that has more of them is one where nothing stands out.
    const MOST: usize = 1 << 20;
    /// What is known of a run also holds for events so many seconds after its last signal.
    const AFTERMATH: u32 = 600;

    /// Takes in a signal that event number `event` gave.
    pub fn tell(&mut self, event: u64, candidate: &Candidate, signal: &Signal) {
        if signal.strength < Self::BAR || self.episodes.len() >= Self::MOST {
            return;
        }
        let key = Key::new(signal.scope, candidate);
        let now = candidate.time;
        let known = self.by_key.entry(key).or_default();
        let open = known.iter().rev().copied().find(|&at| self.episodes[at as usize].threat == signal.threat);
        match open.map(|at| &mut self.episodes[at as usize]) {
            Some(episode) if now.saturating_sub(episode.end) <= threat::pause(signal.threat) => {
                episode.end = episode.end.max(now);
                if signal.strength >= episode.strength {
                    episode.strength = signal.strength;
                    episode.height = event;
                }
            }
            _ => {
                known.push(self.episodes.len() as u32);
                let start = signal.since.min(now);
                let Signal { threat, strength, .. } = *signal;
                self.episodes.push(Episode { threat, start, end: now, strength, height: event });
                self.mark(key);
            }
        }
    }

    /// Takes in what actors turned out to do most days.
    pub fn know_habits(&mut self, habits: impl Iterator<Item = (u32, ThreatType)>) {
        self.habits.extend(habits);
    }

    /// Whether the actor does what the threat is made of most days.
    #[must_use]
    pub fn is_habit(&self, actor: u32, threat: ThreatType) -> bool {
        self.habits.contains(&(actor, threat))
    }

    /// The strongest episode that the event is part of.
    #[must_use]
    pub fn strongest(&self, candidate: &Candidate) -> Option<&Episode> {
        let actor = self.actors.get(candidate.actor as usize) == Some(&true);
        let address = self.addresses.get(candidate.address as usize) == Some(&true);
        let campaign = self.campaigns && candidate.stranger;
        let scopes = [
            actor.then_some(Scope::Actor),
            address.then_some(Scope::Address),
            actor.then_some(Scope::Visit),
            actor.then_some(Scope::Flow),
            campaign.then_some(Scope::Campaign),
        ];
        let keys = scopes.into_iter().flatten().map(|scope| Key::new(scope, candidate));
        keys.filter_map(|key| self.by_key.get(&key))
            .flatten()
            .map(|&at| &self.episodes[at as usize])
            .filter(|episode| {
                let reach = episode.start..=episode.end.saturating_add(Self::AFTERMATH);
                reach.contains(&candidate.time)
                    && !self.is_habit(candidate.actor, episode.threat)
                    && threat::is_made_of(episode.threat, candidate.class, candidate.outcome)
            })
            .max_by(|a, b| a.strength.total_cmp(&b.strength))
    }

    /// All episodes, in the order in which they began to show.
    #[must_use]
    pub fn episodes(&self) -> &[Episode] {
        &self.episodes
    }

    fn mark(&mut self, key: Key) {
        let set = |marks: &mut Vec<bool>, at: u32| {
            let at = at as usize;
            if marks.len() <= at {
                marks.resize(at + 1, false);
            }
            marks[at] = true;
        };
        match key.0 {
            Scope::Actor | Scope::Visit | Scope::Flow => set(&mut self.actors, key.1),
            Scope::Address if key.1 != u32::MAX => set(&mut self.addresses, key.1),
            Scope::Address => {}
            Scope::Campaign => self.campaigns = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(time: u32) -> Candidate {
        Candidate {
            actor: 3,
            address: 7,
            time,
            group: 0,
            class: ActionClass::Login,
            outcome: Outcome::Failure,
            stranger: false,
            threat: ThreatType::BruteForce,
            strength: 0.0,
        }
    }

    fn signal(strength: f32, since: u32) -> Signal {
        let (threat, scope) = (ThreatType::BruteForce, Scope::Actor);
        Signal { threat, strength, scope, since, observed: 9.0, typical: 0.3 }
    }

    #[test]
    fn the_first_event_of_a_burst_is_judged_with_the_knowledge_of_the_last() {
        let mut book = EpisodeBook::default();
        book.tell(4, &login(1_040), &signal(3.0, 1_000));
        book.tell(9, &login(1_090), &signal(8.0, 1_000));
        let episode = book.strongest(&login(1_000)).unwrap();
        assert_eq!((episode.strength, episode.height, episode.end), (8.0, 9, 1_090));
        assert_eq!(book.strongest(&login(999)), None);
        assert_eq!(book.strongest(&Candidate { actor: 4, ..login(1_050) }), None);
        assert_eq!(book.strongest(&Candidate { class: ActionClass::Read, ..login(1_050) }), None);
    }

    #[test]
    fn after_a_pause_it_is_another_episode_and_weak_signals_open_none() {
        let mut book = EpisodeBook::default();
        book.tell(1, &login(1_000), &signal(1.9, 1_000));
        assert!(book.episodes().is_empty());
        book.tell(2, &login(1_000), &signal(5.0, 1_000));
        book.tell(3, &login(1_000 + 1_801), &signal(5.0, 2_800));
        assert_eq!(book.episodes().len(), 2);
    }
}
