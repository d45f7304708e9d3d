//! The system around the accounts: `systemd`, its logins, `cron`, and the kernel's packet filter.

use super::{act, between, resource, source, user, word_after};
use crate::parse::{Outcome, record::Record};

/// `New session 3 of user alice.`
pub(super) fn logind(record: &mut Record<'_>, message: &str) -> bool {
    if let Some((_, name)) = message.split_once(" of user ") {
        user(record, name.trim_end_matches('.'));
        let opens = message.starts_with("New session");
        return act(record, if opens { "session_open" } else { "session_close" }, Outcome::Success);
    }
    if message.starts_with("Removed session") || message.contains("logged out") {
        return act(record, "logout", Outcome::Success);
    }
    if message.starts_with("Power key") || message.contains("is rebooting") || message.contains("powering down") {
        return act(record, "shutdown", Outcome::Success);
    }
    false
}

/// `Started Daily apt download activities.`
pub(super) fn systemd(record: &mut Record<'_>, message: &str) -> bool {
    let (verb, unit) = message.split_once(' ').unwrap_or((message, ""));
    let (action, outcome) = match verb {
        "Started" | "Finished" | "Starting" | "Reloaded" => ("service_start", Outcome::Success),
        "Stopped" | "Stopping" | "Closed" => ("service_stop", Outcome::Success),
        "Failed" => ("service_start", Outcome::Failure),
        _ if unit.contains("Failed with result") || unit.contains("Main process exited") => {
            resource(record, verb.trim_end_matches(':'));
            return act(record, "service_stop", Outcome::Failure);
        }
        _ => return false,
    };
    resource(record, unit.strip_prefix("to start ").unwrap_or(unit));
    act(record, action, outcome)
}

/// `(root) CMD (run-parts /etc/cron.hourly)`
pub(super) fn cron(record: &mut Record<'_>, message: &str) -> bool {
    let Some((name, rest)) = message.strip_prefix('(').and_then(|rest| rest.split_once(") ")) else { return false };
    let (verb, detail) = rest.split_once(" (").unwrap_or((rest, ""));
    user(record, name);
    resource(record, detail.strip_suffix(')').unwrap_or(detail));
    let (action, outcome) = match verb {
        "CMD" | "CMDOUT" | "CMDEND" => ("cron_run", Outcome::Success),
        "REPLACE" | "BEGIN EDIT" | "END EDIT" | "DELETE" => ("cron_edit", Outcome::Success),
        "RELOAD" | "LIST" | "STARTUP" | "INFO" => ("cron_list", Outcome::Success),
        _ if verb.contains("not allowed") || verb.contains("FAILED") || verb.contains("ERROR") => {
            ("cron_edit", Outcome::Failure)
        }
        _ => ("cron_run", Outcome::Unknown),
    };
    act(record, action, outcome)
}

/// `[UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1 DST=10.0.0.1 PROTO=TCP SPT=1 DPT=22`
pub(super) fn kernel(record: &mut Record<'_>, message: &str) -> bool {
    let Some(address) = word_after(message, "SRC=") else { return false };
    source(record, address);
    if let Some(target) = word_after(message, "DST=") {
        match word_after(message, "DPT=") {
            Some(port) => resource(record, &format!("{target}:{port}")),
            None => resource(record, target),
        }
    }
    let prefix = between(message, "", "IN=").unwrap_or("").to_ascii_uppercase();
    let refused = ["BLOCK", "DROP", "DENY", "DENIED", "REJECT", "INVALID"].iter().any(|word| prefix.contains(word));
    act(record, "connect", if refused { Outcome::Failure } else { Outcome::Success })
}
