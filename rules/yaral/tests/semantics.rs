//! What rules find: the examples of the documentation and what follows from them, by the ids of the project's list of them:
//! B copies and filters, C windows, joins and conditions, D outcomes, T lists and tables, M metrics.

#[path = "semantics/conditions.rs"]
mod conditions;
#[path = "semantics/copies.rs"]
mod copies;
#[path = "semantics/house.rs"]
mod house;
