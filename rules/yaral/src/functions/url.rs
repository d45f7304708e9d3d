//! `strings.extract_*` and `strings.url_decode`.
//!
//! Hosts are cut out as GoogleSQL's `NET.HOST` does it: no validation, so that `1234` and `mailto` are hosts, too.

use core::net::IpAddr;

use super::{Arguments, FunctionError, casts::digit};
use crate::eval::Value;

type Outcome = Result<Value, FunctionError>;

pub(super) fn extract_hostname(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::from(host(&arguments.text(0)?)))
}

pub(super) fn extract_domain(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::from(domain(host(&arguments.text(0)?)).unwrap_or("")))
}

fn host(url: &str) -> &str {
    const ENDS: [char; 4] = ['/', '?', '#', '\\'];
    let url = url.trim_matches(|letter: char| letter.is_ascii_whitespace() || letter.is_ascii_control());
    // Whatever stands before `://` is the scheme, unless the host has ended before: `a.com/?next=http://b.com`.
    let after_scheme = match url.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(ENDS) => rest,
        _ => url.strip_prefix("//").unwrap_or(url),
    };
    let authority = after_scheme.split(ENDS).next().unwrap_or("");
    let host = authority.rsplit('@').next().unwrap_or("");
    if host.starts_with('[')
        && let Some(end) = host.find(']')
    {
        return &host[..=end];
    }
    host.split(':').next().unwrap_or("")
}

/// The registrable domain of a host.
fn domain(host: &str) -> Option<&str> {
    const LONGEST_NAME: usize = 1024;
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.len() > LONGEST_NAME || host.split('.').any(str::is_empty) || host.parse::<IpAddr>().is_ok() {
        return None;
    }
    if host.starts_with('[') {
        return None;
    }
    // The same number of bytes in the same places.
    let lower = host.to_ascii_lowercase();
    let mut suffix = psl::suffix(lower.as_bytes())?;
    // Private domains, such as those of hosters, do not count: the suffix is the one of the part behind.
    while suffix.typ() == Some(psl::Type::Private) {
        let name = suffix.as_bytes();
        let dot = name.iter().position(|&byte| byte == b'.')?;
        suffix = psl::suffix(&name[dot + 1..])?;
    }
    let before = host.get(..host.len().checked_sub(suffix.as_bytes().len() + 1)?)?;
    let start = before.rfind('.').map_or(0, |dot| dot + 1);
    host.get(start..)
}

pub(super) fn url_decode(arguments: &Arguments<'_>) -> Outcome {
    let text = arguments.text(0)?;
    Ok(Value::from(decoded(text.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()))
}

fn decoded(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(rest.len());
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (&[high, low], after) = rest.split_first_chunk::<2>()?;
        bytes.push(digit(high)? << 4 | digit(low)?);
        rest = after;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_cut_out_of_everything() {
        let hosts = [
            ("//user:password@a.b:80/path?query", "a.b"),
            ("https://[::1]:80", "[::1]"),
            ("    www.Example.Co.UK    ", "www.Example.Co.UK"),
            ("www.a.com/?next=http://b.com", "www.a.com"),
            ("a.b:443", "a.b"),
            ("http://a@b@c.com", "c.com"),
        ];
        for (url, expected) in hosts {
            assert_eq!(host(url), expected, "{url}");
        }
    }

    #[test]
    fn domains_are_one_label_more_than_the_suffix() {
        let domains = [
            ("www.Example.Co.UK", Some("Example.Co.UK")),
            ("a.b.c.blogspot.com", Some("blogspot.com")),
            ("bucket.s3.amazonaws.com", Some("amazonaws.com")),
            ("co.uk", None),
            ("192.168.0.1", None),
            ("[::1]", None),
            ("a..com", None),
            ("www.a.com.", Some("a.com")),
            ("host.internal", Some("host.internal")),
        ];
        for (name, expected) in domains {
            assert_eq!(domain(name), expected, "{name}");
        }
    }
}
