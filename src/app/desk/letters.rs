//! The dead letters: looked at a page at a time, sent again.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Change, Desk};
use crate::{
    app::{AppError, LARGEST_PAGE, delivery::open_to_change},
    outbox::{DeadLetter, Letters},
};

/// Some dead letters of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DeadLetterPage {
    /// The dead letters, the oldest first.
    pub letters: Vec<DeadLetter>,
    /// Gives the next page; `None` on the last.
    pub next: Option<String>,
}

impl Desk {
    /// The dead letters, the oldest first, a page at a time: up to `which.limit` of them, at most [`LARGEST_PAGE`], after what `next` of the page
    /// before said.
    ///
    /// # Errors
    /// The outbox can't be read, or no page says so.
    pub fn dead_letter_page(&self, which: &Letters, after: Option<&str>) -> Result<DeadLetterPage, AppError> {
        let unknown = |after: &str| format!("no page goes on after `{}`; begin anew", after.escape_debug());
        let after = after.map(|after| after.parse().map_err(|_| AppError::Request(unknown(after)))).transpose()?;
        let limit = which.limit.unwrap_or(LARGEST_PAGE).clamp(1, LARGEST_PAGE);
        // One more tells whether there is another page.
        let asked = Letters { limit: Some(limit + 1), ..which.clone() };
        let outbox = self.outbox_if_there()?;
        let mut found = outbox.map(|outbox| outbox.dead_after(&asked, after)).transpose()?.unwrap_or_default();
        let is_last = found.len() <= limit;
        found.truncate(limit);
        let next = found.last().filter(|_| !is_last).map(|(number, _)| number.to_string());
        Ok(DeadLetterPage { letters: found.into_iter().map(|(_, letter)| letter).collect(), next })
    }

    /// Gives dead letters another try; says how many.
    ///
    /// # Errors
    /// Another process has the outbox, it can't be written, or the desk closes.
    pub fn replay(&self, which: &Letters) -> Result<u64, AppError> {
        let count = match self.bells() {
            Some(bells) => bells.outbox().replay(which)?,
            None => {
                let _alone = self.alone()?;
                match self.outbox_if_there() {
                    // An outbox that is not there has no dead letters, and none is made for that.
                    Ok(None) => 0,
                    _ => open_to_change(&self.plan.outbox)?.replay(which)?,
                }
            }
        };
        if count > 0 {
            self.tell(Change::Deliveries);
        }
        Ok(count)
    }
}
