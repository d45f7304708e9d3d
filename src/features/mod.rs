//! Each event and its entities' past to one row of numbers. Pure: time comes in with the events.
//!
//! * [`measure`]: windows, distinct counts, running means, surprise.
//! * [`table`]: a hash table of bounded size.
//! * [`memory`]: what is remembered of each entity.
//! * [`tracker`]: takes an event in and tells what was unusual about it at that moment.
//! * [`evidence`]: from there the evidence for each threat type.
//!
//! Nothing here looks ahead: a row is a function of the events before it and of its own.

pub mod evidence;
pub mod measure;
pub mod memory;
pub mod table;
pub mod tracker;

pub use evidence::{Scope, Signal};
pub use tracker::{Observation, Tracker, TrackerOptions};

/// Dimensions in which an actor can do something for the first time.
pub const DIMENSIONS: usize = 5;

/// A dimension in which an actor can do something for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Dimension {
    /// From a new address.
    Address,
    /// On a new host.
    Host,
    /// With a new resource.
    Resource,
    /// A new action.
    Action,
    /// From a new country.
    Country,
}

/// Number of features in a row.
pub const FEATURES: usize = 28;

/// What one feature means and how it is stored.
#[derive(Debug, Clone, Copy)]
pub struct Feature {
    /// `snake_case` name, used in reports.
    pub name: &'static str,
    /// What it measures, for people.
    pub meaning: &'static str,
    /// The value that is stored as 255; 0 is stored as 0 and what lies beyond is cut.
    pub top: f32,
    /// How a stored value is shown.
    pub shown: Shown,
}

/// How a feature's value is told to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As `once in N`, from `log10 N`.
    OnceIn,
    /// As a count, from `ln(1 + n)`.
    Count,
    /// As a time span, from `ln(1 + seconds)`.
    Duration,
    /// As an amount of data, from `ln(1 + bytes)`.
    Bytes,
    /// As a number of standard deviations.
    Deviations,
    /// As yes or no.
    Flag,
}

const fn feature(name: &'static str, meaning: &'static str, top: f32, shown: Shown) -> Feature {
    Feature { name, meaning, top, shown }
}

/// The features, in the order of a row.
pub const FEATURE_LIST: [Feature; FEATURES] = [
    feature("hour_surprise", "how rarely the actor is active at this hour of the day", 3.0, Shown::OnceIn),
    feature("weekday_surprise", "how rarely the actor is active on this day of the week", 3.0, Shown::OnceIn),
    feature("failure", "whether the action failed", 1.0, Shown::Flag),
    feature("bytes", "data moved by the event", 24.0, Shown::Bytes),
    feature("bytes_deviation", "distance from the actor's usual amount for this action", 10.0, Shown::Deviations),
    feature("idle_time", "time since the actor's last event", 16.0, Shown::Duration),
    feature("actor_rate", "the actor's events within 10 minutes", 9.0, Shown::Count),
    feature("address_rate", "the address's events within 10 minutes", 9.0, Shown::Count),
    feature("resource_rate", "events on the resource within 10 minutes", 9.0, Shown::Count),
    feature("action_rate", "events with this action within 10 minutes", 12.0, Shown::Count),
    feature("new_address", "how surprising it is that the actor comes from this address", 4.0, Shown::OnceIn),
    feature("new_host", "how surprising it is that the actor is on this host", 4.0, Shown::OnceIn),
    feature("new_resource", "how surprising it is that the actor touches this resource", 4.0, Shown::OnceIn),
    feature("new_action", "how surprising it is that the actor does this", 4.0, Shown::OnceIn),
    feature("new_country", "how surprising it is that the actor comes from this country", 4.0, Shown::OnceIn),
    feature("actors_per_address", "different actors from the address within 20 to 40 minutes", 5.0, Shown::Count),
    feature("addresses_per_actor", "different addresses of the actor within 20 to 40 minutes", 5.0, Shown::Count),
    feature("new_hosts", "different hosts new to the actor within 20 to 40 minutes", 5.0, Shown::Count),
    feature("new_resources", "different resources new to the actor within 20 to 40 minutes", 5.0, Shown::Count),
    feature("actor_failure_burst", "failed logins of the actor, against its usual pace", 12.0, Shown::OnceIn),
    feature("address_failure_burst", "failed logins from the address, against its usual pace", 12.0, Shown::OnceIn),
    feature("global_failure_burst", "failed logins in the whole log, against the usual pace", 12.0, Shown::OnceIn),
    feature("regularity", "how regular the intervals on this flow are, in deviations", 10.0, Shown::Deviations),
    feature("country_change", "how soon after another country the event came, as 1 in hours", 3.0, Shown::OnceIn),
    feature("action_rarity", "how rare the action is in the log", 6.0, Shown::OnceIn),
    feature("resource_rarity", "how rare the resource is in the log", 6.0, Shown::OnceIn),
    feature(
        "volume_burst",
        "data moved within 30 minutes against the actor's usual, in deviations",
        12.0,
        Shown::Deviations,
    ),
    feature("message_rarity", "how rare the message's wording is in the log", 6.0, Shown::OnceIn),
];

/// Position of a feature in a row, by name.
macro_rules! positions {
    ($($name:ident)*) => {
        /// Positions of the features in a row.
        pub mod position {
            positions!(@ 0usize; $($name)*);
        }
    };
    (@ $at:expr; $name:ident $($rest:ident)*) => {
        #[doc = concat!("Position of `", stringify!($name), "`.")]
        pub const $name: usize = $at;
        positions!(@ $at + 1; $($rest)*);
    };
    (@ $at:expr;) => {};
}

positions! {
    HOUR_SURPRISE WEEKDAY_SURPRISE FAILURE BYTES BYTES_DEVIATION IDLE_TIME ACTOR_RATE ADDRESS_RATE RESOURCE_RATE
    ACTION_RATE NEW_ADDRESS NEW_HOST NEW_RESOURCE NEW_ACTION NEW_COUNTRY ACTORS_PER_ADDRESS ADDRESSES_PER_ACTOR
    NEW_HOSTS NEW_RESOURCES ACTOR_FAILURE_BURST ADDRESS_FAILURE_BURST GLOBAL_FAILURE_BURST REGULARITY COUNTRY_CHANGE
    ACTION_RARITY RESOURCE_RARITY VOLUME_BURST MESSAGE_RARITY
}

/// The features of one event as they are kept: each in a byte, linear from 0 to its [`Feature::top`].
pub type Row = [u8; FEATURES];

/// Stores feature values in bytes.
#[must_use]
pub fn quantize(values: &[f32; FEATURES]) -> Row {
    std::array::from_fn(|position| {
        let scaled = values[position] * (255.0 / FEATURE_LIST[position].top);
        // A cast to a byte cuts at both ends, and turns what is no number into 0.
        (scaled + 0.5) as u8
    })
}

/// The value that a stored byte stands for.
#[must_use]
pub fn value_of(position: usize, stored: u8) -> f32 {
    f32::from(stored) * FEATURE_LIST[position].top / 255.0
}
