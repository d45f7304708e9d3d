//! What is remembered of each entity: plain data of a fixed size, one record per account, address, pair and flow.

use serde::{Deserialize, Serialize};

use super::{
    measure::{Distinct, Pace, Running, Window, log2},
    table::Remembered,
};

/// Seconds in a day.
pub const DAY: u32 = 86_400;

/// How long a pair that was never seen before counts as new: an intruder's whole visit, not only the first event.
pub const YOUNG: u32 = 2 * 3_600;

/// Window widths in seconds, by what they count.
pub mod width {
    /// Failed logins: the pace of a password guesser.
    pub const FAILURES: u32 = 300;
    /// Distinct accounts, hosts and resources: the pace of somebody looking around.
    pub const VARIETY: u32 = 1_200;
    /// Bytes moved: the length of a copy job.
    pub const VOLUME: u32 = 1_800;
    /// Events: the pace of ordinary work.
    pub const EVENTS: u32 = 600;
}

/// An account, or where no account is named the address or host that acts.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Actor {
    /// Running number, the same for the actor's whole life.
    pub id: u32,
    /// Whether it is an account.
    pub is_account: bool,
    /// First event.
    pub first: u32,
    /// Last event.
    pub last: u32,
    /// Number of events.
    pub count: f32,
    /// Share of novelties among the events, by dimension: new ones and all.
    pub novelty: [NoveltyRate; super::DIMENSIONS],
    /// Events by hour of the day, halved when one is full.
    pub hours: [u8; 24],
    /// Events by day of the week, Monday first.
    pub weekdays: [u8; 7],
    /// Events of late.
    pub rate: Window,
    /// Failed logins of late.
    pub failures: Window,
    /// Failed logins in the windows that had any: what is usual.
    pub failure_pace: Pace,
    /// Start of the present run of failures.
    pub failures_since: u32,
    /// Bytes of late.
    pub volume: Window,
    /// Logarithm of the bytes in the windows that had any.
    pub volume_pace: Pace,
    /// Distinct hosts that are new to it, of late.
    pub new_hosts: Distinct,
    /// How many hosts new to it were to be expected.
    pub new_hosts_expected: Window,
    /// Distinct resources that are new to it, of late.
    pub new_resources: Distinct,
    /// How many resources new to it were to be expected.
    pub new_resources_expected: Window,
    /// Refused requests of late that were no logins.
    pub denials: Window,
    /// Refused requests in the windows that had any.
    pub denial_pace: Pace,
    /// Window in which its reach was counted last.
    pub reach_window: u32,
    /// How far it reached in that window: the logarithm to base 2 of the new things.
    pub reach_band: u8,
    /// Distinct addresses of late.
    pub addresses: Distinct,
    /// Administrative acts of late.
    pub privileges: Window,
    /// Logarithm of the seconds between events.
    pub gap: Running,
    /// When it came back after long silence; 0 when it never did.
    pub returned: u32,
    /// How long that silence was, in seconds.
    pub silence: u32,
    /// Last country, by hash; 0 when none was named.
    pub country: u64,
    /// Last event from that country.
    pub country_last: u32,
    /// The country before that.
    pub country_before: u64,
    /// Last event from the country before.
    pub country_before_last: u32,
    /// Changes of country.
    pub country_changes: f32,
    /// Days with events, at most 255.
    pub days: u8,
    /// The last such day, counted from 1970, in 16 bits.
    pub day: u16,
    /// Days on which it did what each threat type is made of, at most 255.
    pub habit_days: [u8; 14],
    /// The last such day of each.
    pub habit_day: [u16; 14],
}

impl Actor {
    /// Counts today as a day on which it did what this threat type is made of, and gives the share of its earlier days
    /// on which it did the same: `None` before it is a habit.
    pub fn habit(&mut self, threat: usize, now: u32) -> Option<f32> {
        let today = (now / DAY) as u16;
        let earlier = self.habit_days[threat].saturating_sub(u8::from(self.habit_day[threat] == today));
        if self.habit_day[threat] != today {
            self.habit_day[threat] = today;
            self.habit_days[threat] = self.habit_days[threat].saturating_add(1);
        }
        (earlier >= 3).then(|| f32::from(earlier) / f32::from(self.days.max(earlier)))
    }
}

/// How often something new came up: of `all` events, `new` had a value never seen with this actor.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct NoveltyRate {
    /// Events with a new value.
    pub new: f32,
    /// Events with any value.
    pub all: f32,
}

/// A source address.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Address {
    /// Running number, the same for the address's whole life.
    pub id: u32,
    /// First event.
    pub first: u32,
    /// Last event.
    pub last: u32,
    /// Number of events.
    pub count: f32,
    /// Events of late.
    pub rate: Window,
    /// Failed logins of late.
    pub failures: Window,
    /// Failed logins in the windows that had any.
    pub failure_pace: Pace,
    /// Distinct accounts that failed to log in, of late.
    pub failing_actors: Distinct,
    /// Number of such accounts in the windows that had any.
    pub failing_pace: Pace,
    /// Distinct accounts of late.
    pub actors: Distinct,
    /// Start of the present run of failures.
    pub failures_since: u32,
    /// Distinct resources that are new to it, of late.
    pub new_resources: Distinct,
}

/// An actor together with an address, host, country, resource or kind of action.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Pair {
    /// First event.
    pub first: u32,
    /// Last event.
    pub last: u32,
    /// Number of events.
    pub count: f32,
    /// How surprising it was that the pair came up, `-log10 p`.
    pub birth: f32,
}

/// An actor and what it sends to or fetches from: its rhythm and its sizes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Flow {
    /// First event.
    pub first: u32,
    /// Last event.
    pub last: u32,
    /// Number of events.
    pub count: f32,
    /// Seconds between events within the present run.
    pub interval: Running,
    /// Start of the present run: the flow has not paused longer than its rhythm explains.
    pub run_since: u32,
    /// Logarithm of the bytes.
    pub bytes: Running,
    /// Sum of the bytes.
    pub total: f32,
    /// Number of distinct days.
    pub days: u16,
}

/// A resource, an action, a country or a message template among all events.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Thing {
    /// Last event.
    pub last: u32,
    /// Number of events.
    pub count: f32,
    /// Events of late.
    pub rate: Window,
    /// Distinct actors ever, in 64 bits of linear counting.
    pub actors: u64,
    /// For a resource: hash of its name without query and trailing number, so that `/share/1` and `/share/2` are one.
    pub group: u64,
    /// For a resource: whether its name speaks of logs, audits or protection.
    pub guards: bool,
}

impl Thing {
    /// Estimated number of distinct actors, saturating near 250.
    #[must_use]
    pub fn distinct_actors(&self) -> f32 {
        let free = self.actors.count_zeros().max(1) as f32;
        -64.0 * std::f32::consts::LN_2 * log2(free / 64.0)
    }
}

macro_rules! remembered {
    ($($entity:ty),*) => { $(impl Remembered for $entity { fn last(&self) -> u32 { self.last } })* };
}
remembered!(Actor, Address, Pair, Flow, Thing);
