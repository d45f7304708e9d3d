//! A [`watchbell_sink::Finding`] in the words of others. Pure: same finding, same bytes.
//!
//! * [`product`]: what Watchbell calls itself in every schema.
//! * [`ecs`]: Elastic Common Schema 9.4, with the index mappings for exactly that document.
//! * [`cim`]: Splunk's Common Information Model, data model Alerts, with the fields of risk-based alerting.
//! * [`ocsf`]: Open Cybersecurity Schema Framework 1.8, Detection Finding.
//! * [`cef`]: Common Event Format 0, one line.
//! * [`leef`]: Log Event Extended Format 2.0, one line.
//!
//! Text of a finding may come from a log and is hostile. It stands in values only, never in a key; the line formats
//! escape or replace whatever could end a value, and cut what is longer than their dictionaries allow.

mod attack;
pub mod cef;
pub mod cim;
pub mod ecs;
pub mod leef;
mod line;
pub mod ocsf;
pub mod product;
mod view;
