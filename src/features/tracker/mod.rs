//! Takes an event in and tells what was unusual about it at that moment.
//!
//! The order within [`Tracker::observe`] matters: what is usual is read before the event changes it.

mod actor;
mod novelty;
mod surroundings;

use serde::{Deserialize, Deserializer, Serialize};
use watchbell_sink::ThreatType;

use super::{
    DIMENSIONS, FEATURES,
    evidence::{self, Circumstances, Signal},
    measure::{Distinct, Pace, Running, Window, log_of_count, log10},
    memory::{Actor, Address, Flow, NoveltyRate, Pair, Thing},
    position,
    table::Table,
};
use crate::parse::{ActionClass, Event, EventBatch, NO_TIME, Outcome};

/// Limits of the memory.
#[derive(Debug, Clone, Copy)]
pub struct TrackerOptions {
    /// Most actors, addresses and resources that are remembered, each.
    pub max_entities: usize,
    /// Most pairs and flows that are remembered, each.
    pub max_pairs: usize,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self { max_entities: 1 << 18, max_pairs: 1 << 20 }
    }
}

/// What was unusual about one event.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    /// The features' values, before they are stored in bytes.
    pub features: [f32; FEATURES],
    /// What the evidence terms weigh.
    pub circumstances: Circumstances,
    /// Running number of the actor.
    pub actor: u32,
    /// Running number of the address; `u32::MAX` without one.
    pub address: u32,
    /// Hash of the destination's group, 0 without one.
    pub group: u64,
}

/// Bands of the volumes' distribution: half powers of two.
const VOLUME_BANDS: usize = 96;

/// Bands of how many new things an actor reaches within a window: powers of two.
const REACH_BANDS: usize = 10;

/// Maturity classes for peers' novelty: the logarithm of an actor's events.
const MATURITIES: usize = 14;

/// The memory of a log: everything that is remembered of its entities.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tracker {
    actors: Table<Actor>,
    addresses: Table<Address>,
    pairs: Table<Pair>,
    flows: Table<Flow>,
    sizes: Table<SizeMemory>,
    resources: Table<Thing>,
    actions: Table<Thing>,
    templates: Table<Thing>,
    countries: Table<Thing>,
    peers: [[NoveltyRate; MATURITIES]; DIMENSIONS],
    reaches: [f32; REACH_BANDS],
    hours: [f32; 24],
    weekdays: [f32; 7],
    events: f32,
    first: u32,
    now: u32,
    failures: Window,
    failure_pace: Pace,
    /// Volumes by half powers of two, [`VOLUME_BANDS`] of them.
    #[serde(deserialize_with = "volume_bands")]
    volumes: Vec<f32>,
    strangers: Distinct,
    stranger_pace: Pace,
    strangers_since: u32,
    stranger_last: u32,
    next_actor: u32,
    next_address: u32,
    #[serde(skip)]
    signals: Vec<Signal>,
}

/// Usual sizes of one actor's events of one action.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct SizeMemory {
    last: u32,
    bytes: Running,
}

impl super::table::Remembered for SizeMemory {
    fn last(&self) -> u32 {
        self.last
    }
}

impl Tracker {
    /// An empty memory.
    #[must_use]
    pub fn new(options: TrackerOptions) -> Self {
        let TrackerOptions { max_entities, max_pairs } = options;
        Self {
            actors: Table::new(max_entities),
            addresses: Table::new(max_entities),
            pairs: Table::new(max_pairs),
            flows: Table::new(max_pairs),
            sizes: Table::new(max_entities),
            resources: Table::new(max_entities),
            actions: Table::new(max_entities),
            templates: Table::new(max_entities),
            countries: Table::new(max_entities),
            peers: [[NoveltyRate::default(); MATURITIES]; DIMENSIONS],
            reaches: [0.0; REACH_BANDS],
            hours: [0.0; 24],
            weekdays: [0.0; 7],
            events: 0.0,
            first: 0,
            now: 0,
            failures: Window::default(),
            failure_pace: Pace::default(),
            volumes: vec![0.0; VOLUME_BANDS],
            strangers: Distinct::default(),
            stranger_pace: Pace::default(),
            strangers_since: 0,
            stranger_last: 0,
            next_actor: 0,
            next_address: 0,
            signals: Vec::new(),
        }
    }

    /// Entries that had to make room for others since a table reached its cap.
    #[must_use]
    pub fn evictions(&self) -> u64 {
        self.actors.evictions()
            + self.addresses.evictions()
            + self.pairs.evictions()
            + self.flows.evictions()
            + self.resources.evictions()
    }

    /// Shares what is remembered with the clones that are made from now on, so that they cost next to nothing.
    pub fn freeze(&mut self) {
        self.actors.freeze();
        self.addresses.freeze();
        self.pairs.freeze();
        self.flows.freeze();
        self.sizes.freeze();
        self.resources.freeze();
        self.actions.freeze();
        self.templates.freeze();
        self.countries.freeze();
    }

    /// Number of actors that are remembered.
    #[must_use]
    pub fn actors(&self) -> usize {
        self.actors.len()
    }

    /// Number of addresses that are remembered.
    #[must_use]
    pub fn addresses(&self) -> usize {
        self.addresses.len()
    }

    /// Number of pairs of an actor and something else that are remembered.
    #[must_use]
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    /// Takes the event in and tells what was unusual about it.
    pub fn observe(&mut self, batch: &EventBatch, event: &Event) -> Observation {
        let timed = event.time != NO_TIME;
        if timed {
            self.now = u32::try_from(event.time.max(0) / 1000).unwrap_or(u32::MAX);
        }
        let now = self.now;
        if self.first == 0 {
            self.first = now;
        }
        self.events += 1.0;
        let mut seen = Circumstances {
            now,
            timed,
            class: event.class,
            outcome: event.outcome,
            named_actor: event.user.is_present(),
            log_age: now.saturating_sub(self.first),
            ..Circumstances::default()
        };
        let mut features = [0.0; FEATURES];
        let actor_key = actor_key(event);
        let group = self.resource(batch, event, &mut seen, &mut features);
        self.action(event, actor_key, &mut seen, &mut features);
        let young_address = self.address(event, actor_key, &mut seen, &mut features);
        let actor = self.actor(event, actor_key, &mut seen, &mut features);
        self.flow(event, actor_key, group, &mut seen, &mut features);
        self.campaign(event, actor_key, young_address, &mut seen, &mut features);
        features[position::FAILURE] = f32::from(event.outcome == Outcome::Failure);
        features[position::BYTES] = log_of_count(seen.bytes);
        self.weigh(actor_key, &seen);
        let address = self.addresses.find(event.source_ip.hash).filter(|_| event.source_ip.is_present());
        Observation { features, circumstances: seen, actor, address: address.map_or(u32::MAX, |it| it.id), group }
    }

    /// Fetches what the entities of some events are remembered by, all at once. A log's memory is larger than the caches:
    /// one look-up after another would wait for each, these wait together. Optional, for a few events ahead.
    pub fn fetch(&self, events: &[Event]) {
        let mut all = 0;
        for event in events {
            let actor_key = actor_key(event);
            for (at, value) in novelty::dimensions(event).into_iter().enumerate() {
                all ^= self.pairs.touch(novelty::pair_key(actor_key, value, at));
            }
            all ^= self.actors.touch(actor_key)
                ^ self.addresses.touch(event.source_ip.hash)
                ^ self.resources.touch(event.resource.hash)
                ^ self.sizes.touch(surroundings::size_key(event, actor_key));
        }
        std::hint::black_box(all);
    }

    /// Collects the evidence, less what is a habit of the actor.
    fn weigh(&mut self, actor_key: u64, seen: &Circumstances) {
        let Self { signals, actors, .. } = self;
        signals.clear();
        evidence::signals(seen, |signal| signals.push(signal));
        for signal in signals.iter_mut() {
            if matches!(signal.scope, evidence::Scope::Actor | evidence::Scope::Visit)
                && let Some(share) = actors.entry(actor_key).0.habit(signal.threat as usize, seen.now)
            {
                signal.strength = signal.strength.min(-4.0 * log10(share));
            }
        }
    }

    /// What actors turned out to do most days: actor and threat type. Told when the whole log was seen, so that the first
    /// nights of a nightly scan are not held against the scanner either.
    pub fn habits(&self) -> impl Iterator<Item = (u32, ThreatType)> {
        // An actor of a model that this log does not name needs none.
        self.actors.changed().flat_map(|(_, actor)| {
            // Most days of many; or, for an account, every day that it ever worked, as of one made for a weekly scan.
            let is_habit = |days: u8| {
                let (days, all) = (u32::from(days), u32::from(actor.days));
                (days >= 5 && days * 2 >= all) || (actor.is_account && days >= 2 && days >= all)
            };
            let habits = ThreatType::ALL.into_iter().zip(actor.habit_days);
            habits.filter(move |(_, days)| is_habit(*days)).map(|(threat, _)| (actor.id, threat))
        })
    }

    /// Evidence of the event that was observed last.
    #[must_use]
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }
}

fn failed_login(event: &Event) -> bool {
    event.outcome == Outcome::Failure && matches!(event.class, ActionClass::Login | ActionClass::RemoteLogin)
}

/// Who acts: the account, or where none is named the address, or the host.
#[must_use]
pub fn actor_key(event: &Event) -> u64 {
    if event.user.is_present() {
        event.user.hash
    } else if event.source_ip.is_present() {
        event.source_ip.hash ^ 0xA5A5_0001
    } else {
        event.host.hash ^ 0xA5A5_0002
    }
}

fn volume_bands<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let mut bands = Vec::<f32>::deserialize(deserializer)?;
    bands.resize(VOLUME_BANDS, 0.0);
    Ok(bands)
}
