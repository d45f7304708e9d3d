//! What the actor is measured against: its hours, its places, its failures, its volume.

use super::Tracker;
use crate::{
    features::{
        FEATURES,
        evidence::{self, Circumstances, Level},
        measure::{log_of_count, log2, log10, poisson_surprise},
        memory::{Actor, DAY, width},
        position,
    },
    parse::{ActionClass, Event, Outcome},
};

use super::{REACH_BANDS, VOLUME_BANDS, failed_login};

impl Tracker {
    /// The actor: hours, pace, failures, volume, novelty in every dimension. Gives its running number.
    pub(super) fn actor(
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
            entry.is_account = seen.named_actor;
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
        features[position::IDLE_TIME] = log_of_count(idle as f32);
        silence(&mut actor, idle, now, seen);
        seen.actor_irregularity = actor.gap.deviation();
        if actor.count > 0.0 {
            actor.gap.add(log_of_count(idle as f32));
        }
        if seen.timed {
            self.rhythm(&mut actor, seen, features);
        }
        self.novelties(&mut actor, event, actor_key, seen, features);
        self.country(&mut actor, event, seen, features);
        seen.actor_rate = actor.rate.add(now, width::EVENTS, 1.0);
        features[position::ACTOR_RATE] = log_of_count(seen.actor_rate);
        if event.source_ip.is_present() {
            let addresses = actor.addresses.add(now, width::VARIETY, event.source_ip.hash);
            features[position::ADDRESSES_PER_ACTOR] = log_of_count(addresses);
        }
        self.actor_failures(&mut actor, event, seen, features);
        self.denials(&mut actor, event, seen);
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
    pub(super) fn rhythm(&mut self, actor: &mut Actor, seen: &mut Circumstances, features: &mut [f32; FEATURES]) {
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
        seen.hour_surprise = (-log10(share * 24.0)).clamp(0.0, 3.0);
        let own_days: f32 = actor.weekdays.iter().map(|&count| f32::from(count)).sum();
        let all_day = (self.weekdays[weekday] + 1.0) / (self.events + 7.0);
        let day_share = (f32::from(actor.weekdays[weekday]) + PRIOR * all_day) / (own_days + PRIOR);
        seen.weekday_surprise = (-log10(day_share * 7.0)).clamp(0.0, 3.0);
        features[position::HOUR_SURPRISE] = seen.hour_surprise;
        features[position::WEEKDAY_SURPRISE] = seen.weekday_surprise;
        self.hours[hour] += 1.0;
        self.weekdays[weekday] += 1.0;
        count_in(&mut actor.hours, hour);
        count_in(&mut actor.weekdays, weekday);
    }

    /// The last country and the one before.
    pub(super) fn country(
        &mut self,
        actor: &mut Actor,
        event: &Event,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
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
            features[position::COUNTRY_CHANGE] = log10(24.0 / hours.max(0.05)).clamp(0.0, 3.0);
        }
        seen.country_change_rate = (actor.country_changes + 0.5) / (actor.count + 10.0);
    }

    /// Failed logins of the actor against its own pace.
    pub(super) fn actor_failures(
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
        features[position::ACTOR_FAILURE_BURST] = poisson_surprise(observed, usual);
    }

    /// Refused requests of the actor, and how wide it reaches, against everybody's.
    fn denials(&mut self, actor: &mut Actor, event: &Event, seen: &mut Circumstances) {
        let refused = event.outcome == Outcome::Failure && !failed_login(event);
        let observed = if refused {
            actor.denials.add(seen.now, width::VARIETY, 1.0)
        } else {
            actor.denials.read(seen.now, width::VARIETY)
        };
        if refused {
            actor.denial_pace.tell(seen.now, width::VARIETY, observed);
        }
        seen.denials = Level { observed, usual: actor.denial_pace.expected(1.0), since: 0 };
        // Each window of each actor counts once in every band that it reaches.
        let band = log2(1.0 + seen.new_resources.observed) as usize;
        let window = seen.now / width::VARIETY;
        if actor.reach_window != window {
            (actor.reach_window, actor.reach_band) = (window, 0);
            self.reaches[0] += 1.0;
        }
        for reached in usize::from(actor.reach_band) + 1..=band.min(REACH_BANDS - 1) {
            self.reaches[reached] += 1.0;
            actor.reach_band = reached as u8;
        }
        seen.reach_rarity = log10(self.reaches[0].max(1.0) / self.reaches[band.min(REACH_BANDS - 1)].max(1.0));
    }

    /// Bytes of the event and of the last half hour, against the actor's own.
    pub(super) fn volume(
        &mut self,
        actor: &mut Actor,
        event: &Event,
        actor_key: u64,
        seen: &mut Circumstances,
        features: &mut [f32; FEATURES],
    ) {
        let Some(bytes) = event.bytes else { return };
        seen.bytes = bytes as f32;
        let log_bytes = log_of_count(seen.bytes);
        let (size, _) = self.sizes.entry(super::surroundings::size_key(event, actor_key));
        if size.bytes.count >= 5.0 {
            seen.bytes_deviation = (log_bytes - size.bytes.mean) / (size.bytes.deviation() + 0.5);
        }
        size.bytes.add(log_bytes);
        size.last = seen.now;
        features[position::BYTES_DEVIATION] = seen.bytes_deviation.abs();
        let observed = actor.volume.add(seen.now, width::VOLUME, seen.bytes);
        actor.volume_pace.tell(seen.now, width::VOLUME, log_of_count(observed));
        let levels = actor.volume_pace.levels;
        seen.volume.observed = observed;
        seen.volume.since = seen.now.saturating_sub(width::VOLUME);
        if observed >= evidence::LEAST_VOLUME {
            seen.volume.usual = levels.mean.exp();
            seen.volume_highest = actor.volume_pace.highest.exp();
        }
        if levels.count >= 4.0 {
            seen.volume_deviation = (log_of_count(observed) - levels.mean) / (levels.deviation() + 0.7);
        }
        let band = ((log2(1.0 + observed) * 2.0) as usize).min(VOLUME_BANDS - 1);
        self.volumes[band] += 1.0;
        if observed >= evidence::LEAST_VOLUME {
            let above: f32 = self.volumes[band..].iter().sum();
            let all: f32 = self.volumes.iter().sum();
            seen.volume_rarity = log10(all / above);
        }
        features[position::VOLUME_BURST] = seen.volume_deviation.max(0.0);
    }
}

fn silence(actor: &mut Actor, idle: u32, now: u32, seen: &mut Circumstances) {
    if idle <= 5 * DAY && actor.returned == 0 {
        return;
    }
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
