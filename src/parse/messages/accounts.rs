//! The tools that make, change and remove accounts and groups.

use super::{act, between, resource, user, word_after};
use crate::parse::{Outcome, record::Record};

/// Reads a message; whether its meaning is known.
pub(super) fn read(record: &mut Record<'_>, program: &str, message: &str) -> bool {
    let quoted = || between(message, "'", "'").filter(|name| *name != message);
    let name = word_after(message, "name=").or_else(quoted);
    if let Some(name) = name {
        resource(record, name);
    }
    if let Some(actor) = between(message, " by ", " ").filter(|name| !name.contains('=')) {
        user(record, actor);
    }
    let failed = ["failed", "cannot", "not found", "does not exist", "already exists"];
    let outcome = if failed.iter().any(|words| message.contains(words)) { Outcome::Failure } else { Outcome::Success };
    let joins = message.starts_with("add '") || message.contains("added to group") || message.contains(" to group '");
    let action = match program {
        _ if joins || program == "gpasswd" && message.contains("added") => {
            if let Some(group) = between(message, "group '", "'").or_else(|| word_after(message, "to group ")) {
                record.field("group.name", group);
            }
            "group_member_add"
        }
        _ if message.contains("password changed")
            || message.starts_with("change user") && message.contains("password") =>
        {
            "password_change"
        }
        "useradd" | "adduser" | "newusers" if message.starts_with("new group") => "group_add",
        "useradd" | "adduser" | "newusers" => "user_add",
        "userdel" => "user_delete",
        "usermod" | "chage" => "user_modify",
        "groupadd" => "group_add",
        "groupdel" => "group_delete",
        "groupmod" | "gpasswd" => "group_modify",
        _ => "password_change",
    };
    act(record, action, outcome)
}
