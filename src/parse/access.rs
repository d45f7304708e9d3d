//! The common and the combined format of web servers, with or without the virtual host before it.
//!
//! The request line is the client's own words: what is not `METHOD target PROTOCOL` is still a request, and a telling one.

use super::{
    Outcome, Slot,
    record::{Fault, Record},
};

/// Whether a line looks like one of an access log.
pub(super) fn fits(line: &str) -> bool {
    split(line).is_ok()
}

struct Line<'a> {
    host: Option<&'a str>,
    client: &'a str,
    user: &'a str,
    time: &'a str,
    request: &'a str,
    status: &'a str,
    bytes: &'a str,
    referrer: Option<&'a str>,
    agent: Option<&'a str>,
}

/// Reads one line.
pub(super) fn read(record: &mut Record<'_>) -> Result<(), Fault> {
    let line = split(record.text).map_err(Fault::malformed)?;
    let known = |value: &str| !matches!(value, "-" | "");
    record.time(line.time);
    record.text(Slot::SourceIp, line.client);
    if known(line.user) {
        record.text(Slot::User, line.user);
    }
    if let Some(host) = line.host.filter(|host| known(host)) {
        record.text(Slot::Host, host);
    }
    let mut words = line.request.splitn(3, ' ');
    match (words.next(), words.next()) {
        (Some(method), Some(target)) if method.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            record.text(Slot::Action, method);
            record.text(Slot::Resource, target);
        }
        _ if known(line.request) => record.text(Slot::Resource, line.request),
        _ => {}
    }
    record.outcome(match line.status.as_bytes().first() {
        Some(b'1'..=b'3') => Outcome::Success,
        Some(b'4' | b'5') => Outcome::Failure,
        _ => Outcome::Unknown,
    });
    if known(line.bytes) {
        record.number(Slot::Bytes, line.bytes);
    }
    if let Some(agent) = line.agent.filter(|agent| known(agent)) {
        record.text(Slot::UserAgent, agent);
    }
    record.field("http.response.status_code", line.status);
    if let Some(referrer) = line.referrer.filter(|referrer| known(referrer)) {
        record.field("http.request.referrer", referrer);
    }
    Ok(())
}

fn split(text: &str) -> Result<Line<'_>, &'static str> {
    let (head, rest) = text.split_once(" [").ok_or("expected ` [time]`")?;
    let (time, rest) = rest.split_once("] ").ok_or("expected `]` behind the time")?;
    if !time.as_bytes().first().is_some_and(u8::is_ascii_digit) || !time.contains(':') {
        return Err("expected a time such as 03/Mar/2025:00:00:00 +0000");
    }
    let mut words = head.split(' ').filter(|word| !word.is_empty());
    let (first, second, third, fourth) = (words.next(), words.next(), words.next(), words.next());
    let (host, client, user) = match (first, second, third, fourth) {
        // A user's name may hold spaces; it is what stands between.
        (Some(host), Some(client), Some(_), Some(_)) if client.parse::<std::net::IpAddr>().is_ok() => {
            (Some(host.split_once(':').map_or(host, |(name, _)| name)), client, after_words(head, 3))
        }
        (Some(client), Some(_), Some(_), _) => (None, client, after_words(head, 2)),
        _ => return Err("expected client, identity and user before the time"),
    };
    let (request, rest) = quoted(rest).ok_or("expected a quoted request")?;
    let mut words = rest.trim_start().splitn(3, ' ');
    let status = words.next().filter(|word| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit()));
    let status = status.ok_or("expected a status of three digits")?;
    let bytes = words.next().unwrap_or("-");
    let mut rest = words.next().unwrap_or("");
    let mut next = || {
        let (value, after) = quoted(rest.trim_start())?;
        rest = after;
        Some(value)
    };
    let (referrer, agent) = (next(), next());
    Ok(Line { host, client, user, time, request, status, bytes, referrer, agent })
}

/// What stands behind so many words.
fn after_words(text: &str, words: usize) -> &str {
    text.splitn(words + 1, ' ').nth(words).unwrap_or("-").trim()
}

/// A quoted text, and what stands behind it. A backslash takes the meaning of the next letter.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut from = 0;
    loop {
        let found = memchr::memchr2(b'"', b'\\', &inner.as_bytes()[from..])? + from;
        if inner.as_bytes()[found] == b'"' {
            return Some((&inner[..found], &inner[found + 1..]));
        }
        // The next letter may be longer than a byte; its other bytes are neither quote nor backslash.
        from = (found + 2).min(inner.len());
    }
}
