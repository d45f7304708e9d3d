//! What rules find: the examples of the documentation and what follows from them, by the ids of the project's list of them:
//! B copies and filters, C windows, joins and conditions, D outcomes, T lists and tables, M metrics.

#![allow(clippy::unwrap_used, reason = "all of it is test code, the functions between the tests too")]

#[path = "semantics/conditions.rs"]
mod conditions;
#[path = "semantics/copies.rs"]
mod copies;
#[path = "semantics/house.rs"]
mod house;
#[path = "semantics/outcomes.rs"]
mod outcomes;
#[path = "semantics/properties.rs"]
mod properties;
#[path = "semantics/tables.rs"]
mod tables;
