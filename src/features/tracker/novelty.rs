//! What the actor never did before, weighed with how often it and its peers do new things at all.
//!
//! Peers are actors with about as many events. So nothing is new in the first hours of a log, when everything is, and a
//! user who is somewhere else every day is no surprise anywhere.

use super::{MATURITIES, Tracker, failed_login};
use crate::{
    features::{
        DIMENSIONS, Dimension, FEATURES,
        evidence::{Circumstances, Level},
        measure::{log_of_count, log2, log10},
        memory::{Actor, YOUNG, width},
        position,
    },
    parse::{Event, Text},
};

impl Tracker {
    /// What the actor never did before, weighed with how often it and its peers do new things at all.
    pub(super) fn novelties(
        &mut self,
        actor: &mut Actor,
        event: &Event,
        actor_key: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        let failed = failed_login(event);
        for (dimension, value) in dimensions(event).into_iter().enumerate() {
            if !value.is_present() {
                continue;
            }
            let key = pair_key(actor_key, value, dimension);
            if failed {
                // Whoever fails to log in must not teach what is normal for the account.
                if self.pairs.find(key).is_none_or(|pair| seen.now.saturating_sub(pair.first) < YOUNG) {
                    seen.novelty[dimension] = self.birth(actor, dimension, event);
                    seen.visit_since = if dimension == 0 { seen.now.max(1) } else { seen.visit_since };
                }
                features[position::NEW_ADDRESS + dimension] = seen.novelty[dimension];
                continue;
            }
            let (pair, new) = self.pairs.entry(key);
            if new {
                pair.first = seen.now;
            }
            pair.count += 1.0;
            pair.last = seen.now;
            let young = seen.now.saturating_sub(pair.first) < YOUNG;
            let (first, count, mut born) = (pair.first, pair.count, pair.birth);
            if new {
                born = self.birth(actor, dimension, event);
                self.pairs.entry(key).0.birth = born;
            }
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
                features[at] = log_of_count(observed);
            }
            features[position::NEW_ADDRESS + dimension] = seen.novelty[dimension];
        }
    }

    /// The share of events on which this actor has something new in the dimension, leaning on its peers of equal age.
    pub(super) fn novelty_rate(&self, actor: &Actor, dimension: usize) -> f32 {
        const PRIOR: f32 = 8.0;
        let peers = self.peers[dimension][maturity(actor.count)];
        let peer_rate = (peers.new + 1.0) / (peers.all + 2.0);
        let own = actor.novelty[dimension];
        (own.new + PRIOR * peer_rate) / (own.all + PRIOR)
    }

    /// How surprising a value is that the actor never had. Somebody of whom nothing is known yet is held against
    /// everybody: where the whole log comes from one country, a newcomer from another one stands out.
    pub(super) fn birth(&self, actor: &Actor, dimension: usize, event: &Event) -> f32 {
        let own = (-log10(self.novelty_rate(actor, dimension))).clamp(0.0, 4.0);
        if dimension != Dimension::Country as usize || actor.count >= 20.0 || self.events < 500.0 {
            return own;
        }
        let count = self.countries.find(event.country.hash).map_or(0.0, |country| country.count);
        own.max(log10((self.events + 1.0) / (count + 1.0)) - 1.0).clamp(0.0, 4.0)
    }

    pub(super) fn tell_novelty(&mut self, actor: &mut Actor, dimension: usize, new: bool) {
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
}

/// The event's values in the order of [`Dimension`].
pub(super) const fn dimensions(event: &Event) -> [Text; DIMENSIONS] {
    [event.source_ip, event.host, event.resource, event.action, event.country]
}

pub(super) fn pair_key(actor_key: u64, value: Text, dimension: usize) -> u64 {
    (actor_key.rotate_left(21) ^ value.hash).wrapping_mul(0xFF51_AFD7_ED55_8CCD + 2 * dimension as u64)
}

fn maturity(events: f32) -> usize {
    (log2(events + 1.0) as usize).min(MATURITIES - 1)
}
