//! Network monitors: Zeek's connection states, Suricata's alerts.

use super::super::Outcome;
use super::super::draft::Draft;
use super::super::fields::Slot;
use super::{Note, Notes};

pub(super) fn derive(notes: &Notes, draft: &mut Draft) {
    if let Some(state) = notes.get(Note::ZeekState) {
        zeek(state, draft);
    }
    if let Some(signature) = notes.get(Note::SuricataSignature) {
        draft.derive_text(Slot::Action, signature);
    } else if let Some(stream) = notes.get(Note::ZeekStream)
        && (!draft.has(Slot::Action) || notes.has(Note::ZeekState))
    {
        draft.derive_text(Slot::Action, stream);
    }
}

/// Zeek's `conn_state`: refused, reset or unanswered connections failed.
fn zeek(state: &str, draft: &mut Draft) {
    let outcome = match state {
        "SF" | "S1" | "S2" | "S3" => Outcome::Success,
        "S0" | "REJ" | "RSTO" | "RSTR" | "RSTOS0" | "RSTRH" | "SH" | "SHR" => Outcome::Failure,
        _ => return,
    };
    draft.set_outcome(outcome);
    if !draft.has(Slot::Action) {
        draft.derive_text(Slot::Action, "connection");
    }
}
