//! A rule over events -> its detections.
//!
//! The four stages of the documentation: copies of events, one for each choice of their lists' items; the rows of copies that
//! satisfy `events`; groups by match variables and window, with their outcome; the groups that satisfy `condition`.

mod value;

pub use value::{Key, Value, fold};
