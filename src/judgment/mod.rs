//! What people decided about findings: which ones they do not want to hear of for a while, which were right, which were wrong.
//!
//! * `entry`: one decision, as it stands in the journal.
//! * `scope`: which findings a suppression is about.
//! * `journal`: the file of decisions, only ever appended to, so that it is the record of who decided what as well.
//! * `reader`: the same for those who ask all the time.
//! * `book`: what holds now, folded from the journal.
//!
//! A suppression silences; it deletes nothing. Reports keep every finding, and whoever hides or holds back some says how many.

mod book;
mod entry;
mod journal;
mod reader;
mod scope;

pub use book::{Judgments, StandingSuppression};
pub use entry::{Action, Entry, Feedback, Suppression, Truth};
pub use journal::{Journal, JournalError};
pub use reader::Reader;
pub use scope::Scope;
