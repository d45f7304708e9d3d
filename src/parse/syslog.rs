//! Syslog: RFC 5424, RFC 3164, and the files that daemons write of them, with or without priority.
//!
//! RFC 3164 only describes what was seen in the wild, so this reads what is seen: a time of either kind, perhaps a host,
//! perhaps a program with its number, then words.

use super::{
    Slot, cef, json, logfmt, messages,
    record::{Fault, Record},
};

/// Whether a line looks like syslog.
pub(super) fn fits(line: &str) -> bool {
    split(line).is_ok_and(|header| header.has_priority || header.is_bsd || header.has_tag && header.host.is_some())
}

struct Header<'a> {
    has_priority: bool,
    is_bsd: bool,
    has_tag: bool,
    time: Option<&'a str>,
    host: Option<&'a str>,
    program: Option<&'a str>,
    structured: &'a str,
    message: &'a str,
}

/// Reads one line.
pub(super) fn read(record: &mut Record<'_>, scratch: &mut Vec<u8>) -> Result<(), Fault> {
    let header = split(record.text).map_err(Fault::malformed)?;
    if let Some(time) = header.time {
        record.time(time);
    }
    if let Some(host) = header.host {
        record.text(Slot::Host, host);
    }
    if let Some(program) = header.program {
        record.text(Slot::Process, program);
    }
    structured(record, header.structured);
    let message = header.message.trim_start_matches("\u{feff}").trim();
    record.builder.set_template(super::template::hash(message, scratch));
    body(record, header.program.unwrap_or(""), message);
    Ok(())
}

/// What the program said: fields in a format of their own, or words.
fn body(record: &mut Record<'_>, program: &str, message: &str) {
    let inner = message.strip_prefix("@cee:").unwrap_or(message).trim_start();
    if inner.starts_with('{') && inner.ends_with('}') {
        // Zero when the record was cleaned and its letters stand elsewhere.
        let start = (inner.as_ptr() as usize).wrapping_sub(record.block.as_ptr() as usize);
        let range = start..start.wrapping_add(inner.len());
        if record.block.get(range.clone()) == Some(inner.as_bytes())
            && json::read_record(record.builder, record.block, range).is_ok()
        {
            return;
        }
    }
    if let Some(at) = message.find("CEF:").filter(|at| *at < 16)
        && cef::read(record, &message[at..])
    {
        return;
    }
    if messages::read(record, program, message) {
        return;
    }
    if logfmt::fits(message) {
        logfmt::feed(record, message);
    }
    record.text(Slot::Message, message);
}

fn split(line: &str) -> Result<Header<'_>, &'static str> {
    let (has_priority, rest) = priority(line);
    if has_priority && let Some(rest) = rest.strip_prefix("1 ") {
        return rfc5424(rest);
    }
    let rest = rest.trim_start_matches(['*', ' ']);
    let (time, is_bsd, rest) = match time_prefix(rest) {
        Some((time, is_bsd, rest)) => (Some(time), is_bsd, rest),
        None if has_priority => (None, false, rest),
        None => return Err("expected a time such as `Mar  3 12:00:00` or `2025-03-03T12:00:00Z`"),
    };
    let rest = rest.trim_start_matches(':').trim_start();
    // A host is one word that is no tag.
    let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
    let (host, rest) = if time.is_none() || first.ends_with(':') || is_tag(first) {
        (None, rest)
    } else {
        (Some(first).filter(|host| !host.is_empty()), after)
    };
    let (program, message) = tag(rest.trim_start());
    Ok(Header { has_priority, is_bsd, has_tag: program.is_some(), time, host, program, structured: "", message })
}

/// `<34>`; whether it is there, and what follows.
fn priority(line: &str) -> (bool, &str) {
    let inner = line.strip_prefix('<').and_then(|rest| rest.split_once('>'));
    match inner {
        Some((digits, rest)) if (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            (true, rest)
        }
        _ => (false, line),
    }
}

/// The time that a line begins with, whether it is of RFC 3164's kind, and what follows.
fn time_prefix(text: &str) -> Option<(&str, bool, &str)> {
    let bytes = text.as_bytes();
    if bytes.len() >= 19 && bytes[0].is_ascii_digit() && bytes[4] == b'-' && matches!(bytes[10], b'T' | b' ') {
        let end = bytes[11..].iter().position(|byte| *byte == b' ').map_or(bytes.len(), |at| at + 11);
        return text.is_char_boundary(end).then(|| (&text[..end], false, &text[end..]));
    }
    if bytes.len() < 15 || !bytes[0].is_ascii_uppercase() || !bytes[1].is_ascii_lowercase() || bytes[3] != b' ' {
        return None;
    }
    // `Mar  3 12:00:00`, `Mar 3 12:00:00.123`, `Mar  3 2025 12:00:00`, `Mar 3 12:00:00 2025`.
    let clock = memchr::memchr(b':', &bytes[..bytes.len().min(24)])?;
    let end = bytes[clock..].iter().position(|byte| *byte == b' ').map_or(bytes.len(), |at| clock + at);
    let mut time = text.get(..end)?;
    let mut rest = text.get(end..)?;
    time = time.strip_suffix(':').unwrap_or(time);
    let year = rest.as_bytes().get(1..5).is_some_and(|year| year.iter().all(u8::is_ascii_digit) && year[0] == b'2');
    if year && matches!(rest.as_bytes().get(5), None | Some(b' ' | b':')) && rest.starts_with(" 20") {
        time = text.get(..end + 5)?;
        rest = text.get(end + 5..)?;
    }
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    MONTHS.contains(&time.get(..3)?).then_some((time, true, rest))
}

/// `VERSION` is behind us: `TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG`.
fn rfc5424(text: &str) -> Result<Header<'_>, &'static str> {
    let mut words = text.splitn(6, ' ');
    let mut next = || words.next().ok_or("expected time, host, program, process, message id and structured data");
    let (time, host, program, _process, _id) = (next()?, next()?, next()?, next()?, next()?);
    let rest = words.next().unwrap_or("-");
    let (structured, message) = match rest.strip_prefix('-') {
        Some(message) => ("", message),
        None => rest.split_at(structured_end(rest)),
    };
    let value = |word: &str| word != "-" && !word.is_empty();
    Ok(Header {
        has_priority: true,
        is_bsd: false,
        has_tag: true,
        time: Some(time).filter(|word| value(word)),
        host: Some(host).filter(|word| value(word)),
        program: Some(program).filter(|word| value(word)),
        structured,
        message: message.strip_prefix(' ').unwrap_or(message),
    })
}

/// Where the last `]` of the structured data stands, and one more.
fn structured_end(text: &str) -> usize {
    let (mut in_quotes, mut escaped, mut end) = (false, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_quotes => escaped = true,
            b'"' => in_quotes = !in_quotes,
            b']' if !in_quotes => end = at + 1,
            b'[' if !in_quotes && at == end => {}
            _ if !in_quotes && at == end => return end,
            _ => {}
        }
    }
    end
}

fn structured(record: &mut Record<'_>, text: &str) {
    for element in elements(text) {
        let (id, parameters) = element.split_once(' ').unwrap_or((element, ""));
        let id = id.split('@').next().unwrap_or(id);
        for token in logfmt::Pairs::new(parameters) {
            if let logfmt::Token::Pair { key, value, .. } = token {
                record.field(&format!("sd.{id}.{key}"), value);
            }
        }
    }
}

/// The insides of the brackets.
fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let inner = rest.strip_prefix('[')?;
        let (mut in_quotes, mut escaped) = (false, false);
        let end = inner.bytes().position(|byte| {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_quotes => escaped = true,
                b'"' => in_quotes = !in_quotes,
                b']' => return !in_quotes,
                _ => {}
            }
            false
        })?;
        rest = &inner[end + 1..];
        Some(&inner[..end])
    })
}

/// `sshd[123]:`, `sudo:`, `kernel:`; the program, and what follows.
fn tag(text: &str) -> (Option<&str>, &str) {
    if text.starts_with("CEF:") {
        return (None, text);
    }
    let end = text.bytes().position(|byte| matches!(byte, b' ' | b':' | b'[')).unwrap_or(text.len());
    let program = &text[..end];
    let rest = &text[end..];
    let after = match rest.strip_prefix('[') {
        Some(inner) => inner.find(']').map(|close| &inner[close + 1..]),
        None => Some(rest),
    };
    match after.and_then(|after| after.strip_prefix(':')) {
        Some(message) if !program.is_empty() => {
            // systemd writes `(name)` for what it is about to start; paths are shortened to their last part.
            let program = program.trim_matches(['(', ')']).rsplit('/').next().unwrap_or(program);
            (Some(program), message.trim_start())
        }
        _ => (None, text),
    }
}

fn is_tag(word: &str) -> bool {
    word.ends_with("]:") || word.starts_with("CEF:") || word.strip_suffix(':').is_some_and(|name| !name.contains(':'))
}
