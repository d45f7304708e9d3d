//! What a single value says: an address, an outcome, a number of bytes, or nothing.
//!
//! Logs write "nothing" in many ways (`-`, `(null)`, `N/A`); such a value must not win over a field that says more.

use super::event::Outcome;

/// One value of a record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Text, unescaped.
    Text(&'a str),
    /// A number as it is written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// Nothing.
    Null,
}

/// What a value was written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Bool,
}

impl<'a> Scalar<'a> {
    /// The value as letters, unless it is nothing.
    #[inline]
    pub(crate) fn letters(self) -> Option<(&'a str, Kind)> {
        match self {
            Self::Text(text) => Some((text, Kind::Text)),
            Self::Number(text) => Some((text, Kind::Number)),
            Self::Bool(true) => Some(("true", Kind::Bool)),
            Self::Bool(false) => Some(("false", Kind::Bool)),
            Self::Null => None,
        }
    }
}

/// Whether a text stands for "no value".
#[inline]
pub(crate) fn is_absent(text: &str) -> bool {
    const NOTHING: [&str; 8] = ["-", "?", "n/a", "na", "null", "(null)", "none", "undefined"];
    match text.as_bytes().first() {
        None => true,
        Some(b'-' | b'?' | b'n' | b'N' | b'(' | b'u' | b'U') if text.len() <= 9 => {
            NOTHING.iter().any(|word| text.eq_ignore_ascii_case(word))
        }
        Some(b' ' | b'\t') => text.trim().is_empty(),
        Some(_) => false,
    }
}

/// The part of a text that is an IP address: without brackets, port, zone and the `::ffff:` of a mapped IPv4 address.
pub(crate) fn address(text: &str) -> Option<&str> {
    if is_ipv4(text) {
        return Some(text);
    }
    let text = text.trim().trim_start_matches('/');
    let text = match text.strip_prefix('[') {
        Some(inner) => inner.split_once(']')?.0,
        None if text.bytes().filter(|byte| *byte == b':').count() == 1 => text.split_once(':')?.0,
        None => text.split_once(", ").map_or(text, |(first, _)| first).trim_end_matches(','),
    };
    let text = text.split_once('%').map_or(text, |(address, _)| address);
    if is_ipv4(text) {
        return Some(text);
    }
    match text.parse::<std::net::Ipv6Addr>().ok()?.to_ipv4_mapped() {
        Some(_) if text.contains('.') => text.rsplit(':').next(),
        _ => Some(text),
    }
}

fn is_ipv4(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !(7..=15).contains(&bytes.len()) {
        return false;
    }
    let (mut dots, mut digits, mut value) = (0, 0, 0_u32);
    for &byte in bytes {
        match byte {
            b'0'..=b'9' => {
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if digits > 3 || value > 255 {
                    return false;
                }
            }
            b'.' if digits > 0 => (dots, digits, value) = (dots + 1, 0, 0),
            _ => return false,
        }
    }
    dots == 3 && digits > 0
}

const SUCCESS: &[&str] = &[
    "success",
    "succeeded",
    "successful",
    "succeed",
    "ok",
    "okay",
    "allow",
    "allowed",
    "allows",
    "accept",
    "accepted",
    "pass",
    "passed",
    "permit",
    "permitted",
    "grant",
    "granted",
    "true",
    "yes",
    "completed",
    "complete",
    "approved",
    "authenticated",
    "auditsuccess",
    "succes",
    "noerror",
    "s",
    "authorized",
    "valid",
    "delivered",
    "finished",
    "sf",
    "loggedin",
    "started",
    "accepted_password",
    "created",
    "enabled",
];
const FAILURE: &[&str] = &[
    "failure",
    "failed",
    "fail",
    "failures",
    "error",
    "errored",
    "deny",
    "denied",
    "denies",
    "reject",
    "rejected",
    "block",
    "blocked",
    "forbidden",
    "unauthorized",
    "invalid",
    "refused",
    "false",
    "no",
    "drop",
    "dropped",
    "timeout",
    "fraud",
    "auditfailure",
    "expired",
    "locked",
    "cancelled",
    "canceled",
    "abandoned",
    "nxdomain",
    "servfail",
    "unsuccessful",
    "declined",
    "aborted",
    "challenge",
    "challenged",
    "f",
    "bad",
    "notfound",
    "exception",
    "quarantined",
    "killed",
    "unauthenticated",
    "authfailed",
    "loginfailed",
    "invaliduser",
];

/// How an action ended, by the word or number that a field of outcomes holds.
pub(crate) fn outcome(text: &str) -> Outcome {
    let text = text.trim();
    if let Ok(code) = text.parse::<f64>() {
        return outcome_code(code);
    }
    let word: String =
        text.chars().filter(char::is_ascii_alphanumeric).take(64).map(|letter| letter.to_ascii_lowercase()).collect();
    if SUCCESS.contains(&word.as_str()) {
        Outcome::Success
    } else if FAILURE.contains(&word.as_str()) || word.starts_with("fail") || word.ends_with("failed") {
        Outcome::Failure
    } else if word.starts_with("success") || word.ends_with("success") {
        Outcome::Success
    } else {
        Outcome::Unknown
    }
}

// 0 is the success of result codes and exit statuses; 100 to 599 are HTTP's; above are vendors' error numbers.
fn outcome_code(code: f64) -> Outcome {
    match code {
        0.0 | 100.0..400.0 => Outcome::Success,
        400.0.. => Outcome::Failure,
        _ => Outcome::Unknown,
    }
}

/// How an action ended, by the code or message that a field of errors holds.
pub(crate) fn error_outcome(text: &str) -> Outcome {
    let text = text.trim();
    match text.parse::<f64>() {
        Ok(0.0) => Outcome::Success,
        Ok(_) => Outcome::Failure,
        Err(_) if matches!(outcome(text), Outcome::Success) => Outcome::Success,
        Err(_) if text.starts_with("0x") && text.bytes().skip(2).all(|byte| byte == b'0') => Outcome::Success,
        Err(_) => Outcome::Failure,
    }
}

/// A number of bytes; negative and unreadable numbers are none.
pub(crate) fn byte_count(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let number = text.parse::<f64>().ok().filter(|number| (0.0..1.8e19).contains(number))?;
        Some(number as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_is_around_them() {
        for (text, expected) in [
            ("10.0.0.1", Some("10.0.0.1")),
            ("10.0.0.1:443", Some("10.0.0.1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("::ffff:10.0.0.1", Some("10.0.0.1")),
            ("fe80::1%eth0", Some("fe80::1")),
            ("/10.0.0.1:5000", Some("10.0.0.1")),
            ("10.0.0.1, 192.0.2.7", Some("10.0.0.1")),
            ("::1", Some("::1")),
            ("ec2.amazonaws.com", None),
            ("10.0.0", None),
            ("10.0.0.256", None),
            ("1.2.3.4.5", None),
            ("host:22", None),
            ("", None),
        ] {
            assert_eq!(address(text), expected, "{text}");
        }
    }

    #[test]
    fn outcomes_by_word_and_number() {
        for (value, expected) in [
            ("SUCCESS", Outcome::Success),
            ("Failed", Outcome::Failure),
            ("AUDIT_FAILURE", Outcome::Failure),
            ("authentication failed", Outcome::Failure),
            ("open", Outcome::Unknown),
            ("true", Outcome::Success),
            ("403", Outcome::Failure),
            ("0", Outcome::Success),
            ("1", Outcome::Unknown),
            ("50126", Outcome::Failure),
            ("", Outcome::Unknown),
        ] {
            assert_eq!(outcome(value), expected, "{value:?}");
        }
        assert_eq!(error_outcome("AccessDenied"), Outcome::Failure);
        assert_eq!(error_outcome("7"), Outcome::Failure);
        assert_eq!(error_outcome("0x0"), Outcome::Success);
    }

    #[test]
    fn byte_counts() {
        assert_eq!(byte_count("12"), Some(12));
        assert_eq!(byte_count("1.5e3"), Some(1500));
        assert_eq!(byte_count("-1"), None);
        assert_eq!(byte_count("many"), None);
        assert_eq!(byte_count("1e999"), None);
    }

    #[test]
    fn nothing_is_written_in_many_ways() {
        for text in ["", " ", "-", "N/A", "(null)", "None"] {
            assert!(is_absent(text), "{text}");
        }
        assert!(!is_absent("root") && !is_absent("--"));
    }
}
