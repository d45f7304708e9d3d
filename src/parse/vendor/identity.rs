//! Sign-ins and audits of identity providers and office suites: Entra ID, Microsoft 365, 1Password.
//!
//! Entra's sign-in records name no action at all: that they are sign-ins shows in the fields that only they have.

use super::super::Outcome;
use super::super::draft::Draft;
use super::super::fields::Slot;
use super::{Note, Notes};

pub(super) fn derive(notes: &Notes, draft: &mut Draft) {
    let sign_in = notes.get(Note::EntraCategory).is_some_and(|category| category.contains("SignIn"));
    if notes.has(Note::EntraApplication) && (!draft.has(Slot::Action) || sign_in) {
        draft.derive_text(Slot::Action, "SignIn");
    }
    // Microsoft 365 says "Success" of the logging of a failed login.
    match notes.get(Note::OfficeOperation) {
        Some("UserLoginFailed") => draft.set_outcome(Outcome::Failure),
        Some("UserLoggedIn") => draft.set_outcome(Outcome::Success),
        _ => {}
    }
}
