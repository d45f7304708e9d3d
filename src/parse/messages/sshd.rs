//! The OpenSSH server.

use super::{act, source, user, word_after};
use crate::parse::{Outcome, Slot, record::Record};

/// Reads a message; whether its meaning is known.
pub(super) fn read(record: &mut Record<'_>, message: &str) -> bool {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    if let Some(rest) = message.strip_prefix("Accepted ") {
        return attempt(record, rest, Outcome::Success);
    }
    if let Some(rest) = message.strip_prefix("Failed ") {
        return attempt(record, rest, Outcome::Failure);
    }
    let first = message.split(' ').next().unwrap_or("");
    match first {
        // Names may be empty or hold spaces: what stands between is the name.
        "Invalid" | "Illegal" => {
            named_before_from(record, after_words(message, 2));
            act(record, "invalid_user", Outcome::Failure)
        }
        "input_userauth_request:" => {
            let name = message.split_once("invalid user ").map_or("", |(_, rest)| rest);
            user(record, name.strip_suffix("[preauth]").unwrap_or(name));
            act(record, "invalid_user", Outcome::Failure)
        }
        "maximum" => {
            named_before_from(record, message.split_once(" for ").map_or("", |(_, rest)| rest));
            act(record, "authentication", Outcome::Failure)
        }
        "PAM" => {
            pam_pairs(record, message);
            let failed = message.contains("authentication failure") || message.contains("max retries");
            act(record, "authentication", if failed { Outcome::Failure } else { Outcome::Unknown })
        }
        "User" if message.contains(" not allowed ") => {
            named_before_from(record, after_words(message, 1));
            act(record, "authentication", Outcome::Failure)
        }
        "Connection"
        | "Disconnected"
        | "Received"
        | "Disconnecting:"
        | "Disconnecting"
        | "Did"
        | "Bad"
        | "Unable"
        | "fatal:"
        | "Postponed"
        | "banner"
        | "kex_exchange_identification:"
        | "ssh_dispatch_run_fatal:"
        | "Timeout,"
        | "Protocol" => connection(record, message),
        "Starting" | "Close" => {
            // `Starting session: shell on pts/1 for alice from 10.0.0.1 port 1 id 0`
            let before = if first == "Starting" { " for " } else { "user " };
            if let Some((_, rest)) = message.split_once(before) {
                named_before_from(record, rest);
            }
            act(record, if first == "Starting" { "session_open" } else { "session_close" }, Outcome::Success)
        }
        "reverse" | "Address" => {
            if let Some(address) = super::between(message, "[", "]").or_else(|| word_after(message, "Address ")) {
                source(record, address);
            }
            act(record, "address_mismatch", Outcome::Failure)
        }
        "Server" if message.contains("listening") => act(record, "service_start", Outcome::Success),
        _ => false,
    }
}

/// `password for invalid user alice from 10.0.0.1 port 22 ssh2`
fn attempt(record: &mut Record<'_>, rest: &str, outcome: Outcome) -> bool {
    let Some((method, rest)) = rest.split_once(" for ") else { return false };
    named_before_from(record, rest);
    record.field("sshd.method", method);
    act(record, "ssh_login", outcome)
}

/// `[invalid user ]NAME from ADDRESS ..`; the name is the client's and may itself hold ` from `.
fn named_before_from(record: &mut Record<'_>, text: &str) {
    let text = text.strip_prefix("invalid user ").or_else(|| text.strip_prefix("illegal user ")).unwrap_or(text);
    let (name, rest) = match text.rsplit_once(" from ") {
        Some(parts) => parts,
        None => text.strip_prefix("from ").map_or((text, ""), |rest| ("", rest)),
    };
    user(record, name);
    if let Some(address) = rest.split(' ').next() {
        source(record, address);
    }
}

fn connection(record: &mut Record<'_>, message: &str) -> bool {
    let failed = ["Unable to", "Bad protocol", "Did not", "Too many", "fatal:", "kex_", "banner", "ssh_dispatch"]
        .iter()
        .any(|words| message.contains(words));
    let closes = ["closed", "reset", "isconnect", "Timeout"].iter().any(|words| message.contains(words));
    // A client that left while proving who it is, has not proved it.
    let unproven = message.contains("authenticating user") || message.contains("invalid user");
    for words in ["authenticating user ", "invalid user ", " user "] {
        if let Some(name) = word_after(message, words) {
            user(record, name);
            break;
        }
    }
    let address = [" from ", " by ", " with ", " user "]
        .iter()
        .filter_map(|words| message.rsplit_once(words))
        .flat_map(|(_, rest)| rest.split(' '))
        .find(|word| is_address(word));
    if let Some(address) = address {
        source(record, address);
    }
    let outcome = match (failed || unproven, closes) {
        (true, _) => Outcome::Failure,
        (false, true) => Outcome::Unknown,
        (false, false) => Outcome::Success,
    };
    act(record, if closes { "disconnect" } else { "connect" }, outcome)
}

fn is_address(word: &str) -> bool {
    word.trim_matches(['[', ']', ',', ':']).parse::<std::net::IpAddr>().is_ok()
}

/// `rhost=10.0.0.1  user=root`
pub(super) fn pam_pairs(record: &mut Record<'_>, message: &str) {
    let value = |key: &str| word_after(message, key);
    if let Some(address) = value(" rhost=") {
        source(record, address);
    }
    if let Some(name) = value(" user=").or_else(|| value(" logname=")) {
        record.text(Slot::User, name);
    }
}

fn after_words(text: &str, words: usize) -> &str {
    text.splitn(words + 1, ' ').nth(words).unwrap_or("")
}
