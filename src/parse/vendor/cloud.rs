//! Audit logs of clouds: AWS CloudTrail, Google Cloud, Kubernetes.
//!
//! They log an error or nothing: a record of theirs without an error is a success.

use super::super::Outcome;
use super::super::draft::Draft;
use super::super::fields::Slot;
use super::{Note, Notes};

pub(super) fn derive(notes: &Notes, draft: &mut Draft) {
    if notes.has(Note::AwsService) {
        cloudtrail(notes, draft);
    } else if notes.has(Note::KubernetesVerb) && notes.has(Note::KubernetesResource) {
        kubernetes(notes, draft);
    } else if notes.has(Note::GcpService) {
        google(notes, draft);
    }
}

fn cloudtrail(notes: &Notes, draft: &mut Draft) {
    let console = notes.get(Note::AwsConsoleLogin);
    if notes.has(Note::ErrorCode) || notes.has(Note::ErrorMessage) || console == Some("Failure") {
        draft.set_outcome(Outcome::Failure);
    } else {
        draft.set_outcome(Outcome::Success);
    }
    // Calls that a service makes name the service where the address should be.
    if notes.get(Note::CallerAddress).is_some_and(|address| address.ends_with(".amazonaws.com")) {
        draft.clear(Slot::SourceIp);
    }
    if notes.get(Note::AwsIdentityType) == Some("Root") {
        draft.derive_text(Slot::User, "root");
    }
    if let (Some(bucket), Some(key)) = (notes.get(Note::AwsBucket), notes.get(Note::AwsObjectKey)) {
        draft.derive_text(Slot::Resource, &format!("{bucket}/{key}"));
    } else if let (false, Some(service)) = (draft.has(Slot::Resource), notes.get(Note::AwsService)) {
        draft.derive_text(Slot::Resource, service);
    }
}

fn kubernetes(notes: &Notes, draft: &mut Draft) {
    let (Some(verb), Some(resource)) = (notes.get(Note::KubernetesVerb), notes.get(Note::KubernetesResource)) else {
        return;
    };
    let kind = match notes.get(Note::KubernetesSubresource) {
        Some(part) => format!("{resource}/{part}"),
        None => resource.to_owned(),
    };
    draft.derive_text(Slot::Action, &format!("{verb} {kind}"));
    let parts = [notes.get(Note::KubernetesNamespace), Some(resource), notes.get(Note::KubernetesName)];
    draft.derive_text(Slot::Resource, &parts.into_iter().flatten().collect::<Vec<_>>().join("/"));
    if let Some(code) = notes.number(Note::KubernetesCode) {
        draft.set_outcome(if code >= 400 { Outcome::Failure } else { Outcome::Success });
    }
}

fn google(notes: &Notes, draft: &mut Draft) {
    let failed = notes.number(Note::GcpStatus).is_some_and(|code| code != 0);
    draft.set_outcome(if failed { Outcome::Failure } else { Outcome::Success });
    if let (false, Some(service)) = (draft.has(Slot::Resource), notes.get(Note::GcpService)) {
        draft.derive_text(Slot::Resource, service);
    }
}
