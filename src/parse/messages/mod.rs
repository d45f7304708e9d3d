//! What the common daemons of a Unix machine say about logins, rights and accounts.
//!
//! The words are theirs and change with versions, so each reader looks for the few words that carry the meaning and
//! leaves the rest alone; a message that nobody knows is still an event, by its template.

mod accounts;
pub(super) mod audit;
mod pam;
mod privilege;
mod sshd;
mod system;

use super::{Outcome, Slot, record::Record};

/// Reads a program's message; whether its meaning is known.
pub(super) fn read(record: &mut Record<'_>, program: &str, message: &str) -> bool {
    let message = repeated(message).unwrap_or(message);
    if message.starts_with("pam_") && pam::read(record, message) {
        return true;
    }
    match program {
        "sshd" | "sshd-session" | "sshd-auth" | "dropbear" => sshd::read(record, message),
        "sudo" => privilege::sudo(record, message),
        "su" => privilege::su(record, message),
        "systemd-logind" => system::logind(record, message),
        "systemd" => system::systemd(record, message),
        "cron" | "CRON" | "crond" | "crontab" | "anacron" | "atd" => system::cron(record, message),
        "kernel" => system::kernel(record, message),
        "useradd" | "userdel" | "usermod" | "groupadd" | "groupdel" | "groupmod" | "gpasswd" | "passwd"
        | "chpasswd" | "chage" | "adduser" | "newusers" => accounts::read(record, program, message),
        "audit" | "auditd" | "audispd" if audit::fits(message) => audit::pairs(record, message),
        _ => false,
    }
}

/// The message inside `message repeated 2 times: [ .. ]`.
fn repeated(message: &str) -> Option<&str> {
    let rest = message.strip_prefix("message repeated ")?;
    let (_, inner) = rest.split_once(" times: [")?;
    Some(inner.strip_suffix(']').unwrap_or(inner).trim())
}

/// Sets action and outcome.
fn act(record: &mut Record<'_>, action: &str, outcome: Outcome) -> bool {
    record.text(Slot::Action, action);
    record.outcome(outcome);
    true
}

fn user(record: &mut Record<'_>, name: &str) {
    let name = name.trim_matches(['\'', '"', '`']).trim();
    // `root(uid=0)`
    let name = name.split_once("(uid=").map_or(name, |(name, _)| name);
    if !name.is_empty() {
        record.text(Slot::User, name);
    }
}

fn resource(record: &mut Record<'_>, name: &str) {
    let name = name.trim_matches(['\'', '"', '`', '.']).trim();
    if !name.is_empty() {
        record.text(Slot::Resource, name);
    }
}

/// Sets the source if the text is an address, or a name that has the place of one.
fn source(record: &mut Record<'_>, address: &str) {
    let address = address.trim_matches(['[', ']', ',', '.', '(', ')', ':']);
    if !address.is_empty() && address != "?" {
        record.text(Slot::SourceIp, address);
    }
}

/// The text between two others; to the end when the second does not follow.
fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after).map_or(rest, |(inner, _)| inner))
}

/// The word that follows.
fn word_after<'a>(text: &'a str, before: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split([' ', ',', ';']).next().filter(|word| !word.is_empty())
}
