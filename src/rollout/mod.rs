//! Rules to a tenant, by a plan that is shown first.
//!
//! Planning is pure: files and the tenant's rules in, a [`Plan`] out. Applying takes its steps one request at a time, so that
//! it can be stopped, or die, between any two of them; planning anew then gives what is left.
//!
//! * [`facts`]: what a rule's text says about it: how it is counted, how long its window is.
//! * [`text`]: when two texts are the same rule, and how they differ.
//! * [`frequency`]: what the service makes of a run frequency.
//! * [`pairing`]: which file is which rule of the tenant.
//! * [`steps`]: what is done for one rule, in the order that the service takes.
//! * [`mod@plan`]: all of it, for all rules.
//! * [`quota`]: how many rules will run, against what a license allows.
//! * [`request`]: one request, asked again where that is safe.
//! * [`mod@apply`]: the plan carried out.
//! * [`mod@status`]: how tenant and files stand.
//! * [`mod@pull`]: the tenant's rules as files.

pub mod apply;
pub mod facts;
pub mod frequency;
pub mod pairing;
pub mod plan;
pub mod pull;
pub mod quota;
pub mod request;
pub mod status;
pub mod steps;
pub mod text;

#[cfg(test)]
mod tests;

pub use self::{
    apply::{Applied, End, Refusal, RuleOutcome, RuleResult, Told, Work, apply},
    pairing::RuleTrouble,
    plan::{Change, Desired, Plan, Scope, plan},
    pull::{Existing, PullFile, Pulled, pull},
    quota::{Edition, Forecast},
    request::{Pause, Requests, Trouble},
    status::{RuleState, RuleStatus, status},
    steps::{FieldChange, FieldValue, Step},
};
