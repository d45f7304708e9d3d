//! `sudo` and `su`: one account taking the rights of another.

use super::{act, between, resource, user};
use crate::parse::{Outcome, record::Record};

/// `alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls`
pub(super) fn sudo(record: &mut Record<'_>, message: &str) -> bool {
    let Some((name, rest)) = message.split_once(" : ") else { return false };
    user(record, name);
    // The command may hold anything, so it is taken off before words are looked for.
    let (head, command) = rest.split_once("COMMAND=").unwrap_or((rest, ""));
    if !command.is_empty() {
        resource(record, command);
    }
    if let Some(target) = between(head, "USER=", " ;") {
        record.field("sudo.target_user", target);
    }
    let refused =
        ["NOT in sudoers", "not allowed", "incorrect password", "authentication failure", "password is required"]
            .iter()
            .any(|words| head.contains(words));
    act(record, "sudo", if refused { Outcome::Failure } else { Outcome::Success })
}

/// `Successful su for root by alice`, `FAILED SU (to root) alice on pts/0`, `+ /dev/pts/0 alice:root`
pub(super) fn su(record: &mut Record<'_>, message: &str) -> bool {
    let failed = message.starts_with("FAILED") || message.starts_with('-') || message.contains("failed");
    let outcome = if failed { Outcome::Failure } else { Outcome::Success };
    if let Some((_, rest)) = message.split_once(" su for ") {
        let (target, by) = rest.split_once(" by ").unwrap_or((rest, ""));
        user(record, by);
        resource(record, target);
        return act(record, "su", outcome);
    }
    if let Some((_, rest)) = message.split_once("(to ") {
        let (target, by) = rest.split_once(") ").unwrap_or((rest, ""));
        user(record, by.split(' ').next().unwrap_or(""));
        resource(record, target);
        return act(record, "su", outcome);
    }
    if (message.starts_with("+ ") || message.starts_with("- "))
        && let Some((by, target)) = message.rsplit(' ').next().and_then(|pair| pair.split_once(':'))
    {
        user(record, by);
        resource(record, target);
        return act(record, "su", outcome);
    }
    false
}
