//! Each event and its entities' past to one row of numbers. Pure: time comes in with the events.
