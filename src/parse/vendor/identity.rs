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
    if !draft.has(Slot::Outcome) {
        by_name(notes, draft);
    }
}

/// Okta, Auth0, GitHub and others: some names of actions say how they ended.
fn by_name(notes: &Notes, draft: &mut Draft) {
    let Some(name) = notes.get(Note::EventType) else { return };
    let name = name.to_ascii_lowercase();
    if ["fail", "denied", "invalid", "reject", "error"].iter().any(|word| name.contains(word)) {
        draft.set_outcome(Outcome::Failure);
    } else if ["success", "succeeded", "accepted"].iter().any(|word| name.contains(word)) {
        draft.set_outcome(Outcome::Success);
    }
}
