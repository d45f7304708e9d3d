//! The Linux audit log: `type=USER_LOGIN msg=audit(1604994496.155:92733): pid=1 .. msg='op=login .. res=success'`.

use super::{act, source, user};
use crate::parse::{
    Outcome, Slot,
    logfmt::{Pairs, Token},
    record::{Fault, Record},
    time,
};

/// Whether a text is a record of it.
pub(in crate::parse) fn fits(text: &str) -> bool {
    text.get(..text.len().min(256)).unwrap_or(text).contains("audit(")
        && (text.starts_with("type=") || text.starts_with("node=") || text.starts_with("audit"))
}

/// Reads one line.
pub(in crate::parse) fn read(record: &mut Record<'_>) -> Result<(), Fault> {
    let text = record.text;
    if pairs(record, text) { Ok(()) } else { Err(Fault::malformed("expected `type=.. msg=audit(seconds:number): ..`")) }
}

#[derive(Default)]
struct Seen<'a> {
    kind: Option<&'a str>,
    account: Option<&'a str>,
    login_id: Option<&'a str>,
    user_id: Option<&'a str>,
    address: Option<&'a str>,
    program: Option<&'a str>,
    command: Option<&'a str>,
    name: Option<&'a str>,
    arguments: Vec<&'a str>,
    outcome: Outcome,
}

/// Reads the pairs of one record; whether they are one.
pub(in crate::parse) fn pairs(record: &mut Record<'_>, text: &str) -> bool {
    let Some((head, rest)) = text.split_once("audit(") else { return false };
    let Some((stamp, rest)) = rest.split_once("):") else { return false };
    let seconds = stamp.split_once(':').map_or(stamp, |(seconds, _)| seconds);
    match time::parse_epoch(seconds) {
        Some(millis) => record.builder.set_time(millis),
        None => record.text(Slot::Time, seconds),
    }
    let mut seen = Seen { kind: super::word_after(head, "type="), ..Seen::default() };
    if let Some(node) = super::word_after(head, "node=") {
        record.text(Slot::Host, node);
    }
    // The enriched form repeats ids as names behind a separator of its own.
    let (plain, enriched) = rest.split_once('\u{1d}').unwrap_or((rest, ""));
    collect(plain, &mut seen);
    let mut names = Seen::default();
    collect(enriched, &mut names);
    fill(record, &seen, &names);
    true
}

fn collect<'a>(text: &'a str, seen: &mut Seen<'a>) {
    for token in Pairs::new(text) {
        let Token::Pair { key, value, .. } = token else { continue };
        let value = value.trim_matches(['\'', '"']);
        if value.is_empty() || matches!(value, "?" | "(none)" | "(null)") {
            continue;
        }
        match key {
            "msg" => collect(value, seen),
            "acct" => seen.account = Some(value),
            "auid" | "AUID" if value != "4294967295" && value != "unset" => seen.login_id = Some(value),
            "uid" | "UID" => seen.user_id = Some(value),
            "addr" | "SADDR" => seen.address = Some(value),
            "hostname" if seen.address.is_none() => seen.address = Some(value),
            "exe" => seen.program = Some(value),
            "cmd" => seen.command = Some(value),
            "name" | "unit" => seen.name = Some(value),
            "type" if seen.kind.is_none() => seen.kind = Some(value),
            "res" | "success" | "result" => {
                seen.outcome = match value {
                    "success" | "yes" | "1" => Outcome::Success,
                    "failed" | "no" | "0" => Outcome::Failure,
                    _ => Outcome::Unknown,
                }
            }
            _ if key.len() > 1 && key.starts_with('a') && key[1..].bytes().all(|byte| byte.is_ascii_digit()) => {
                seen.arguments.push(value);
            }
            _ => {}
        }
    }
}

fn fill(record: &mut Record<'_>, seen: &Seen<'_>, names: &Seen<'_>) {
    let kind = seen.kind.unwrap_or("unknown");
    let name = seen.account.or(names.login_id).or(names.user_id).or(seen.login_id).or(seen.user_id);
    if let Some(name) = name {
        user(record, name);
    }
    if let Some(address) = seen.address {
        source(record, address);
    }
    if let Some(program) = seen.program {
        record.text(Slot::Process, program);
    }
    let lower = kind.to_ascii_lowercase();
    let action = match kind {
        "USER_LOGIN" => "login",
        "USER_LOGOUT" => "logout",
        "USER_AUTH" | "USER_ACCT" | "USER_ERR" => "authentication",
        "USER_START" => "session_open",
        "USER_END" => "session_close",
        "USER_CMD" => "sudo",
        "ADD_USER" => "user_add",
        "DEL_USER" => "user_delete",
        "ADD_GROUP" => "group_add",
        "DEL_GROUP" => "group_delete",
        "USER_CHAUTHTOK" => "password_change",
        "EXECVE" => "execute",
        "SERVICE_START" => "service_start",
        "SERVICE_STOP" => "service_stop",
        "CONFIG_CHANGE" => "audit_config_change",
        _ => &lower,
    };
    act(record, action, seen.outcome);
    let command = seen.command.and_then(hexadecimal).or(seen.command.map(str::to_owned));
    let arguments = (kind == "EXECVE" && !seen.arguments.is_empty()).then(|| seen.arguments.join(" "));
    if let Some(resource) = command.or(arguments).or(seen.name.map(str::to_owned)) {
        record.text(Slot::Resource, &resource);
    }
}

/// Texts that hold spaces are written in hexadecimal.
fn hexadecimal(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    if bytes.len() < 8 || bytes.len() % 2 == 1 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
    let plain: Vec<u8> = bytes.chunks_exact(2).map(|pair| digit(pair[0]) * 16 + digit(pair[1])).collect();
    Some(String::from_utf8_lossy(&plain).replace('\0', " "))
}
