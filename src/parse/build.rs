//! From the fields of a record to an event.
