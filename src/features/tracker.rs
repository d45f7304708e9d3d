//! Takes an event in and tells what was unusual about it at that moment.
//!
//! The order within [`Tracker::observe`] matters: what is usual is read before the event changes it.

use serde::{Deserialize, Deserializer, Serialize};

use super::{
    DIMENSIONS, Dimension, FEATURES,
    evidence::{self, Circumstances, Level, Signal},
    measure::{Distinct, Pace, Running, Window},
    memory::{Actor, Address, DAY, Flow, NoveltyRate, Pair, Thing, YOUNG, width},
    position,
    table::Table,
};
use crate::parse::{ActionClass, Event, EventBatch, NO_TIME, Outcome, Text};

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
        features[position::BYTES] = (seen.bytes + 1.0).ln();
        self.weigh(actor_key, &seen);
        let address = self.addresses.find(event.source_ip.hash).filter(|_| event.source_ip.is_present());
        Observation { features, circumstances: seen, actor, address: address.map_or(u32::MAX, |it| it.id), group }
    }

    /// Collects the evidence, less what is a habit of the actor.
    fn weigh(&mut self, actor_key: u64, seen: &Circumstances) {
        let Self { signals, actors, .. } = self;
        signals.clear();
        evidence::signals(seen, |signal| signals.push(signal));
        for signal in signals.iter_mut() {
            if matches!(signal.scope, evidence::Scope::Actor | evidence::Scope::Visit) {
                if let Some(share) = actors.entry(actor_key).0.habit(signal.threat as usize, seen.now) {
                    signal.strength = signal.strength.min(-4.0 * share.log10());
                }
            }
        }
    }

    /// Evidence of the event that was observed last.
    #[must_use]
    pub fn signals(&self) -> &[Signal] {
        &self.signals
    }

    /// The resource: its rarity and pace in the whole log; gives the hash of its group.
    fn resource(
        &mut self,
        batch: &EventBatch,
        event: &Event,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) -> u64 {
        if event.template != 0 {
            let (thing, _) = self.templates.entry(event.template);
            thing.count += 1.0;
            thing.last = seen.now;
            features[position::MESSAGE_RARITY] = (self.events / thing.count).log10();
        }
        if !event.resource.is_present() {
            return 0;
        }
        let (thing, new) = self.resources.entry(event.resource.hash);
        if new {
            let name = batch.text(event.resource);
            thing.group = group_of(&name);
            thing.guards = speaks_of_the_watch(&name);
        }
        thing.count += 1.0;
        thing.last = seen.now;
        features[position::RESOURCE_RARITY] = (self.events / thing.count).log10();
        features[position::RESOURCE_RATE] = (1.0 + thing.rate.add(seen.now, width::EVENTS, 1.0)).ln();
        seen.guards = thing.guards;
        thing.group
    }

    /// The action: its rarity in the whole log and how many actors ever do it.
    fn action(&mut self, event: &Event, actor_key: u64, seen: &mut Circumstances, features: &mut [f32; FEATURES]) {
        if !event.action.is_present() {
            return;
        }
        let (thing, _) = self.actions.entry(event.action.hash);
        thing.count += 1.0;
        thing.last = seen.now;
        thing.actors |= 1 << (actor_key >> 58);
        seen.action_rarity = (self.events / thing.count).log10();
        seen.action_spread = thing.distinct_actors() / (self.actors.len().max(1) as f32).min(250.0);
        features[position::ACTION_RARITY] = seen.action_rarity;
        features[position::ACTION_RATE] = (1.0 + thing.rate.add(seen.now, width::EVENTS, 1.0)).ln();
    }

    /// The address: its pace, failures and the accounts seen from it. Tells whether it is young.
    fn address(
        &mut self,
        event: &Event,
        actor_key: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) -> bool {
        if !event.source_ip.is_present() {
            return false;
        }
        let now = seen.now;
        let (address, new) = self.addresses.entry(event.source_ip.hash);
        if new {
            address.id = self.next_address;
            address.first = now;
            self.next_address = self.next_address.wrapping_add(1);
        }
        address.count += 1.0;
        address.last = now;
        features[position::ADDRESS_RATE] = (1.0 + address.rate.add(now, width::EVENTS, 1.0)).ln();
        features[position::ACTORS_PER_ADDRESS] = (1.0 + address.actors.add(now, width::VARIETY, actor_key)).ln();
        if failed_login(event) {
            let before = address.failures.read(now, width::FAILURES);
            if before < 1.0 {
                address.failures_since = now;
            }
            seen.failing_actors.observed = address.failing_actors.add(now, width::VARIETY, actor_key);
            address.failing_pace.tell(now, width::VARIETY, seen.failing_actors.observed);
            seen.address_failures.observed = address.failures.add(now, width::FAILURES, 1.0);
            address.failure_pace.tell(now, width::FAILURES, seen.address_failures.observed);
        } else {
            seen.failing_actors.observed = address.failing_actors.read(now, width::VARIETY);
            seen.address_failures.observed = address.failures.read(now, width::FAILURES);
        }
        seen.failing_actors.usual = address.failing_pace.expected(1.0);
        seen.address_failures.usual = address.failure_pace.expected(1.0);
        seen.failing_actors.since = address.failures_since;
        seen.address_failures.since = address.failures_since;
        features[position::ADDRESS_FAILURE_BURST] =
            super::measure::poisson_surprise(seen.address_failures.observed, seen.address_failures.usual);
        now.saturating_sub(address.first) < YOUNG
    }

    /// The actor: hours, pace, failures, volume, novelty in every dimension. Gives its running number.
    fn actor(
        &mut self,
        event: &Event,
        actor_key: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) -> u32 {
        let now = seen.now;
        let (entry, new) = self.actors.entry(actor_key);
        if new {
            entry.id = self.next_actor;
            entry.first = now;
            entry.last = now;
            self.next_actor = self.next_actor.wrapping_add(1);
            if seen.log_age > 5 * DAY {
                entry.returned = now;
                entry.silence = seen.log_age;
            }
        }
        let mut actor = *entry;
        let today = (now / DAY) as u16;
        if actor.day != today {
            actor.day = today;
            actor.days = actor.days.saturating_add(1);
        }
        seen.actor_events = actor.count;
        seen.actor_age = now.saturating_sub(actor.first);
        let idle = now.saturating_sub(actor.last);
        features[position::IDLE_TIME] = (1.0 + idle as f32).ln();
        silence(&mut actor, idle, now, seen);
        seen.actor_irregularity = actor.gap.deviation();
        if actor.count > 0.0 {
            actor.gap.add((1.0 + idle as f32).ln());
        }
        if seen.timed {
            self.rhythm(&mut actor, seen, features);
        }
        self.novelties(&mut actor, event, actor_key, seen, features);
        self.country(&mut actor, event, seen, features);
        seen.actor_rate = actor.rate.add(now, width::EVENTS, 1.0);
        features[position::ACTOR_RATE] = (1.0 + seen.actor_rate).ln();
        if event.source_ip.is_present() {
            let addresses = actor.addresses.add(now, width::VARIETY, event.source_ip.hash);
            features[position::ADDRESSES_PER_ACTOR] = (1.0 + addresses).ln();
        }
        self.actor_failures(&mut actor, event, seen, features);
        self.volume(&mut actor, event, actor_key, seen, features);
        if event.class == ActionClass::Privilege {
            let share = actor.privileges.read(now, DAY);
            seen.privileges = Level {
                observed: actor.privileges.add(now, DAY, 1.0),
                usual: if share < 1.0 { 0.3 } else { 1.0 },
                since: now.saturating_sub(3_600),
            };
        }
        actor.count += 1.0;
        actor.last = now;
        let id = actor.id;
        *self.actors.entry(actor_key).0 = actor;
        id
    }

    /// Hour of the day and day of the week, against the actor's own habit and the log's.
    fn rhythm(&mut self, actor: &mut Actor, seen: &mut Circumstances, features: &mut [f32; FEATURES]) {
        const PRIOR: f32 = 12.0;
        let hour = (seen.now / 3_600 % 24) as usize;
        // 1970-01-01 was a Thursday, the fourth day of a week that begins on Monday.
        let weekday = ((seen.now / DAY + 3) % 7) as usize;
        let around = |hours: &dyn Fn(usize) -> f32| {
            0.25 * hours((hour + 23) % 24) + 0.5 * hours(hour) + 0.25 * hours((hour + 1) % 24)
        };
        let own = around(&|at| f32::from(actor.hours[at]));
        let own_all: f32 = actor.hours.iter().map(|&count| f32::from(count)).sum();
        let all = (around(&|at| self.hours[at]) + 1.0) / (self.events + 24.0);
        let share = (own + PRIOR * all) / (own_all + PRIOR);
        seen.hour_surprise = (-(share * 24.0).log10()).clamp(0.0, 3.0);
        let own_days: f32 = actor.weekdays.iter().map(|&count| f32::from(count)).sum();
        let all_day = (self.weekdays[weekday] + 1.0) / (self.events + 7.0);
        let day_share = (f32::from(actor.weekdays[weekday]) + PRIOR * all_day) / (own_days + PRIOR);
        seen.weekday_surprise = (-(day_share * 7.0).log10()).clamp(0.0, 3.0);
        features[position::HOUR_SURPRISE] = seen.hour_surprise;
        features[position::WEEKDAY_SURPRISE] = seen.weekday_surprise;
        self.hours[hour] += 1.0;
        self.weekdays[weekday] += 1.0;
        count_in(&mut actor.hours, hour);
        count_in(&mut actor.weekdays, weekday);
    }

    /// What the actor never did before, weighed with how often it and its peers do new things at all.
    fn novelties(
        &mut self,
        actor: &mut Actor,
        event: &Event,
        actor_key: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        let failed = failed_login(event);
        let values = [event.source_ip, event.host, event.resource, event.action, event.country];
        for (dimension, value) in values.into_iter().enumerate() {
            if !value.is_present() {
                continue;
            }
            let key = pair_key(actor_key, value, dimension);
            let birth = self.birth(actor, dimension, event);
            if failed {
                // Whoever fails to log in must not teach what is normal for the account.
                if self.pairs.find(key).is_none_or(|pair| seen.now.saturating_sub(pair.first) < YOUNG) {
                    seen.novelty[dimension] = birth;
                    seen.visit_since = if dimension == 0 { seen.now.max(1) } else { seen.visit_since };
                }
                features[position::NEW_ADDRESS + dimension] = seen.novelty[dimension];
                continue;
            }
            let (pair, new) = self.pairs.entry(key);
            if new {
                pair.first = seen.now;
                pair.birth = birth;
            }
            pair.count += 1.0;
            pair.last = seen.now;
            let young = seen.now.saturating_sub(pair.first) < YOUNG;
            let (first, count, born) = (pair.first, pair.count, pair.birth);
            self.tell_novelty(actor, dimension, new);
            if young {
                seen.novelty[dimension] = born;
            }
            if dimension == Dimension::Address as usize && young {
                seen.visit_since = first.max(1);
                seen.visit_events = count;
            }
            let rate = self.novelty_rate(actor, dimension);
            let distinct = match dimension {
                1 => Some((
                    &mut actor.new_hosts,
                    &mut actor.new_hosts_expected,
                    &mut seen.new_hosts,
                    position::NEW_HOSTS,
                )),
                2 => Some((
                    &mut actor.new_resources,
                    &mut actor.new_resources_expected,
                    &mut seen.new_resources,
                    position::NEW_RESOURCES,
                )),
                _ => None,
            };
            if let Some((counter, expected, level, at)) = distinct {
                let observed = if young {
                    counter.add(seen.now, width::VARIETY, value.hash)
                } else {
                    counter.read(seen.now, width::VARIETY)
                };
                expected.add(seen.now, width::VARIETY, rate);
                *level = Level {
                    observed,
                    usual: expected.both(seen.now, width::VARIETY).max(0.3) * 1.2,
                    since: seen.now.saturating_sub(width::VARIETY),
                };
                features[at] = (1.0 + observed).ln();
            }
            features[position::NEW_ADDRESS + dimension] = seen.novelty[dimension];
        }
    }

    /// The share of events on which this actor has something new in the dimension, leaning on its peers of equal age.
    fn novelty_rate(&self, actor: &Actor, dimension: usize) -> f32 {
        const PRIOR: f32 = 8.0;
        let peers = self.peers[dimension][maturity(actor.count)];
        let peer_rate = (peers.new + 1.0) / (peers.all + 2.0);
        let own = actor.novelty[dimension];
        (own.new + PRIOR * peer_rate) / (own.all + PRIOR)
    }

    /// How surprising a value is that the actor never had. Somebody of whom nothing is known yet is held against
    /// everybody: where the whole log comes from one country, a newcomer from another one stands out.
    fn birth(&self, actor: &Actor, dimension: usize, event: &Event) -> f32 {
        let own = (-self.novelty_rate(actor, dimension).log10()).clamp(0.0, 4.0);
        if dimension != Dimension::Country as usize || actor.count >= 20.0 || self.events < 500.0 {
            return own;
        }
        let count = self.countries.find(event.country.hash).map_or(0.0, |country| country.count);
        own.max(((self.events + 1.0) / (count + 1.0)).log10() - 1.0).clamp(0.0, 4.0)
    }

    fn tell_novelty(&mut self, actor: &mut Actor, dimension: usize, new: bool) {
        let peers = &mut self.peers[dimension][maturity(actor.count)];
        let own = &mut actor.novelty[dimension];
        // The first few values of anybody are new; they say nothing about a habit of doing new things.
        let tells = actor.count >= 8.0;
        for rate in [Some(peers), tells.then_some(own)].into_iter().flatten() {
            rate.new += f32::from(new);
            rate.all += 1.0;
            if rate.all > 4_000.0 {
                rate.new *= 0.5;
                rate.all *= 0.5;
            }
        }
    }

    /// The last country and the one before.
    fn country(&mut self, actor: &mut Actor, event: &Event, seen: &mut Circumstances, features: &mut [f32; FEATURES]) {
        if !event.country.is_present() || failed_login(event) {
            return;
        }
        let (thing, _) = self.countries.entry(event.country.hash);
        thing.count += 1.0;
        thing.last = seen.now;
        if actor.country != 0 && actor.country != event.country.hash {
            actor.country_before = actor.country;
            actor.country_before_last = actor.country_last;
            actor.country_changes += 1.0;
        }
        actor.country = event.country.hash;
        actor.country_last = seen.now;
        if actor.country_before != 0 {
            seen.country_gap = seen.now.saturating_sub(actor.country_before_last).max(1);
            let hours = seen.country_gap as f32 / 3_600.0;
            features[position::COUNTRY_CHANGE] = (24.0 / hours.max(0.05)).log10().clamp(0.0, 3.0);
        }
        seen.country_change_rate = (actor.country_changes + 0.5) / (actor.count + 10.0);
    }

    /// Failed logins of the actor against its own pace.
    fn actor_failures(
        &mut self,
        actor: &mut Actor,
        event: &Event,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        let now = seen.now;
        let mut observed = actor.failures.read(now, width::FAILURES);
        if failed_login(event) {
            if observed < 1.0 {
                actor.failures_since = now;
            }
            observed = actor.failures.add(now, width::FAILURES, 1.0);
            actor.failure_pace.tell(now, width::FAILURES, observed);
        }
        let usual = actor.failure_pace.expected(1.0);
        seen.actor_failures = Level { observed, usual, since: actor.failures_since };
        features[position::ACTOR_FAILURE_BURST] = super::measure::poisson_surprise(observed, usual);
    }

    /// Bytes of the event and of the last half hour, against the actor's own.
    fn volume(
        &mut self,
        actor: &mut Actor,
        event: &Event,
        actor_key: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        let Some(bytes) = event.bytes else { return };
        seen.bytes = bytes as f32;
        let log_bytes = (1.0 + seen.bytes).ln();
        let (size, _) = self.sizes.entry(actor_key ^ event.action.hash.rotate_left(17));
        if size.bytes.count >= 5.0 {
            seen.bytes_deviation = (log_bytes - size.bytes.mean) / (size.bytes.deviation() + 0.5);
        }
        size.bytes.add(log_bytes);
        size.last = seen.now;
        features[position::BYTES_DEVIATION] = seen.bytes_deviation.abs();
        let observed = actor.volume.add(seen.now, width::VOLUME, seen.bytes);
        actor.volume_pace.tell(seen.now, width::VOLUME, (1.0 + observed).ln());
        let levels = actor.volume_pace.levels;
        seen.volume = Level { observed, usual: levels.mean.exp(), since: seen.now.saturating_sub(width::VOLUME) };
        seen.volume_highest = actor.volume_pace.highest.exp();
        if levels.count >= 4.0 {
            seen.volume_deviation = ((1.0 + observed).ln() - levels.mean) / (levels.deviation() + 0.7);
        }
        let band = (((1.0 + observed).log2() * 2.0) as usize).min(VOLUME_BANDS - 1);
        self.volumes[band] += 1.0;
        let above: f32 = self.volumes[band..].iter().sum();
        let all: f32 = self.volumes.iter().sum();
        seen.volume_rarity = (all / above).log10();
        features[position::VOLUME_BURST] = seen.volume_deviation.max(0.0);
    }

    /// The flow from the actor to a destination: its rhythm, age and size.
    fn flow(
        &mut self,
        event: &Event,
        actor_key: u64,
        group: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        if group == 0 {
            return;
        }
        let now = seen.now;
        let (thing, _) = self.resources.entry(group ^ 0x5bd1);
        thing.actors |= 1 << (actor_key >> 58);
        thing.last = now;
        seen.destination_actors = thing.distinct_actors();
        seen.destination_share = (seen.destination_actors - 1.02).max(0.0) / self.actors.len().max(1) as f32;
        let (flow, new) = self.flows.entry(actor_key ^ group.rotate_left(29));
        if new {
            flow.first = now;
            flow.last = now;
            flow.run_since = now;
            flow.events_before = seen.actor_events;
        } else {
            let interval = now.saturating_sub(flow.last) as f32;
            let rhythm = flow.interval;
            if rhythm.count >= 3.0 && interval > 4.0 * rhythm.mean + 5.0 {
                flow.interval = Running::default();
                flow.run_since = now;
            } else {
                flow.interval.add(interval);
            }
            flow.days = flow.days.saturating_add(u16::from(now / DAY != flow.last / DAY));
        }
        flow.count += 1.0;
        flow.last = now;
        flow.total += event.bytes.unwrap_or(0) as f32;
        seen.intervals = flow.interval.count;
        seen.interval = flow.interval.mean;
        seen.jitter = flow.interval.deviation() / flow.interval.mean.max(1.0);
        seen.run_since = flow.run_since;
        seen.flow_since = flow.first;
        seen.flow_events = flow.count;
        seen.flow_days = f32::from(flow.days) + 1.0;
        seen.flow_bytes = flow.total;
        seen.events_before_flow = flow.events_before;
        if seen.intervals >= 4.0 {
            features[position::REGULARITY] = (1.0 / seen.jitter.max(0.1)).min(10.0);
        }
    }

    /// Logins of strangers in the whole log: what counts per account or address can't see.
    fn campaign(
        &mut self,
        event: &Event,
        actor_key: u64,
        young_address: bool,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        let now = seen.now;
        let login = matches!(event.class, ActionClass::Login | ActionClass::RemoteLogin);
        // A new address alone is a user on a train; one that fails, serves several accounts or lies abroad is not.
        let suspicious = event.outcome == Outcome::Failure
            || features[position::ACTORS_PER_ADDRESS] > 1.0
            || seen.novelty[Dimension::Country as usize] > 1.0;
        seen.stranger = login && young_address && seen.visit_since != 0 && seen.log_age > 2 * 3_600 && suspicious;
        let mut observed = self.strangers.read(now, width::VARIETY);
        let usual = self.stranger_pace.expected(1.0);
        if seen.stranger && event.outcome == Outcome::Failure {
            if now.saturating_sub(self.stranger_last) > width::VARIETY {
                self.strangers_since = now;
            }
            self.stranger_last = now;
            observed = self.strangers.add(now, width::VARIETY, actor_key);
            self.stranger_pace.tell(now, width::VARIETY, observed);
        }
        seen.stranger_attempts = Level { observed, usual, since: self.strangers_since };
        if failed_login(event) {
            let failures = self.failures.add(now, width::FAILURES, 1.0);
            self.failure_pace.tell(now, width::FAILURES, failures);
            let burst = super::measure::poisson_surprise(failures, self.failure_pace.expected(1.0));
            features[position::GLOBAL_FAILURE_BURST] = burst;
        }
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

fn pair_key(actor_key: u64, value: Text, dimension: usize) -> u64 {
    (actor_key.rotate_left(21) ^ value.hash).wrapping_mul(0xFF51_AFD7_ED55_8CCD + 2 * dimension as u64)
}

fn maturity(events: f32) -> usize {
    ((events + 1.0).log2() as usize).min(MATURITIES - 1)
}

fn silence(actor: &mut Actor, idle: u32, now: u32, seen: &mut Circumstances) {
    seen.usual_silence = (actor.gap.mean + 3.0 * actor.gap.deviation()).exp().clamp(3_600.0, 4.0 * DAY as f32);
    if idle > 5 * DAY && idle as f32 > 1.5 * seen.usual_silence {
        actor.returned = now;
        actor.silence = idle;
    }
    seen.returned = actor.returned;
    seen.silence = actor.silence;
}

fn count_in<const N: usize>(counts: &mut [u8; N], at: usize) {
    if counts[at] == u8::MAX {
        for count in counts.iter_mut() {
            *count /= 2;
        }
    }
    counts[at] += 1;
}

/// Hash of a resource's name without query and trailing number.
fn group_of(name: &str) -> u64 {
    let path = name.split(['?', '#']).next().unwrap_or(name);
    let stem = path.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let stem = stem.trim_end_matches(['/', '-', '_', '.', ':']);
    let kept = if stem.is_empty() { path } else { stem };
    kept.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
        | 1
}

/// Whether a name speaks of logs, audits or protection.
fn speaks_of_the_watch(name: &str) -> bool {
    const WORDS: [&str; 9] = ["audit", "log", "trail", "guardduty", "defender", "firewall", "siem", "monitor", "edr"];
    let lower = name.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

fn volume_bands<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f32>, D::Error> {
    let mut bands = Vec::<f32>::deserialize(deserializer)?;
    bands.resize(VOLUME_BANDS, 0.0);
    Ok(bands)
}
