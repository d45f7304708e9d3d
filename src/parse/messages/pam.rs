//! Pluggable authentication modules: `pam_unix(sshd:session): session opened for user alice by (uid=0)`.

use super::{act, between, resource, sshd, user};
use crate::parse::{Outcome, record::Record};

/// Reads a message; whether its meaning is known.
pub(super) fn read(record: &mut Record<'_>, message: &str) -> bool {
    let Some((module, words)) = message.split_once("): ") else { return false };
    let service = module.split_once('(').map_or("", |(_, inner)| inner.split(':').next().unwrap_or(""));
    if let Some(rest) = words.strip_prefix("session opened for user ") {
        let (target, by) = rest.split_once(" by ").unwrap_or((rest, ""));
        switch(record, service, target, by);
        return act(record, "session_open", Outcome::Success);
    }
    if let Some(target) = words.strip_prefix("session closed for user ") {
        user(record, target);
        return act(record, "session_close", Outcome::Success);
    }
    if words.starts_with("authentication failure") || words.starts_with("check pass") {
        sshd::pam_pairs(record, words);
        return act(record, "authentication", Outcome::Failure);
    }
    if let Some(name) = words.strip_prefix("password changed for ") {
        resource(record, name);
        return act(record, "password_change", Outcome::Success);
    }
    if module.contains("chauthtok") {
        if let Some(name) = between(words, "user \"", "\"") {
            resource(record, name);
        }
        return act(record, "password_change", Outcome::Failure);
    }
    if let Some(name) =
        between(words, "account ", " ").filter(|_| words.contains("expired") || words.contains("locked"))
    {
        user(record, name);
        return act(record, "authentication", Outcome::Failure);
    }
    if module.starts_with("pam_faillock") || module.starts_with("pam_tally") {
        if let Some(name) = between(words, "user ", " ") {
            user(record, name);
        }
        return act(record, "account_lock", Outcome::Failure);
    }
    false
}

/// Who becomes whom: with `sudo` and `su` the one who acts stands behind `by`.
fn switch(record: &mut Record<'_>, service: &str, target: &str, by: &str) {
    let actor = by.split_once('(').map_or(by, |(name, _)| name).trim();
    if matches!(service, "sudo" | "su" | "su-l" | "sudo-i" | "pkexec" | "polkit-1" | "runuser") && !actor.is_empty() {
        user(record, actor);
        resource(record, target.split_once("(uid=").map_or(target, |(name, _)| name));
    } else {
        user(record, target);
    }
}
