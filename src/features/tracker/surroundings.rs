//! What an event is surrounded by: resource, action, address, flow, and the campaigns of strangers.

use super::{Tracker, failed_login};
use crate::{
    features::{
        Dimension, FEATURES,
        evidence::{Circumstances, Level},
        measure::{Running, log_of_count, log10, poisson_surprise},
        memory::{DAY, YOUNG, width},
        position,
    },
    parse::{ActionClass, Event, EventBatch, Outcome},
};

impl Tracker {
    /// The resource: its rarity and pace in the whole log; gives the hash of its group.
    pub(super) fn resource(
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
            features[position::MESSAGE_RARITY] = log10(self.events / thing.count);
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
        features[position::RESOURCE_RARITY] = log10(self.events / thing.count);
        features[position::RESOURCE_RATE] = log_of_count(thing.rate.add(seen.now, width::EVENTS, 1.0));
        seen.guards = thing.guards;
        thing.group
    }

    /// The action: its rarity in the whole log and how many actors ever do it.
    pub(super) fn action(
        &mut self,
        event: &Event,
        actor_key: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        if !event.action.is_present() {
            return;
        }
        let (thing, _) = self.actions.entry(event.action.hash);
        thing.count += 1.0;
        thing.last = seen.now;
        thing.actors |= 1 << (actor_key >> 58);
        seen.action_rarity = log10(self.events / thing.count);
        seen.action_spread = thing.distinct_actors() / (self.actors.len().max(1) as f32).min(250.0);
        features[position::ACTION_RARITY] = seen.action_rarity;
        features[position::ACTION_RATE] = log_of_count(thing.rate.add(seen.now, width::EVENTS, 1.0));
    }

    /// The address: its pace, failures and the accounts seen from it. Tells whether it is young.
    pub(super) fn address(
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
        features[position::ADDRESS_RATE] = log_of_count(address.rate.add(now, width::EVENTS, 1.0));
        features[position::ACTORS_PER_ADDRESS] = log_of_count(address.actors.add(now, width::VARIETY, actor_key));
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
            poisson_surprise(seen.address_failures.observed, seen.address_failures.usual);
        now.saturating_sub(address.first) < YOUNG
    }

    /// The flow from the actor to a destination: its rhythm, age and size.
    pub(super) fn flow(
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
        if seen.intervals >= 4.0 {
            features[position::REGULARITY] = (1.0 / seen.jitter.max(0.1)).min(10.0);
        }
    }

    /// Logins of strangers in the whole log: what counts per account or address can't see.
    pub(super) fn campaign(
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
            let burst = poisson_surprise(failures, self.failure_pace.expected(1.0));
            features[position::GLOBAL_FAILURE_BURST] = burst;
        }
    }
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

/// Key of an actor's usual sizes for an action.
pub(super) const fn size_key(event: &Event, actor_key: u64) -> u64 {
    actor_key ^ event.action.hash.rotate_left(17)
}
