//! A finding as one syslog message, framed: RFC 5424 or RFC 3164. Pure.
//!
//! Header fields come from options, yet are sanitized here: one space in a host's name shifts every field behind it.

use jiff::{Timestamp, tz::TimeZone};
use watchbell_sink::{Finding, Severity};

use crate::{
    body,
    config::{Content, Format},
    structured,
};

/// How findings are worded.
#[derive(Debug)]
pub(crate) struct Wording {
    pub(crate) header: Header,
    pub(crate) content: Content,
    /// SD-ID of the structured data element; `None`: there is none.
    pub(crate) structured_name: Option<String>,
    pub(crate) bom: bool,
    pub(crate) time_zone: TimeZone,
    /// The longest message in bytes, its frame not counted.
    pub(crate) limit: usize,
    pub(crate) frame: Frame,
}

/// How a message is told from the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    /// It is a datagram of its own (RFC 5426).
    Datagram,
    /// Length, space, message (RFC 6587 section 3.4.1, RFC 5425 section 4.3).
    Counted,
    /// A line end behind it, and none in it (RFC 6587 section 3.4.2).
    Lf,
    /// One line; the local socket's kind decides what stands behind it.
    Line,
}

/// The fields of the header that are the same in every message.
#[derive(Debug)]
pub(crate) struct Header {
    format: Format,
    facility: u8,
    hostname: Option<String>,
    app_name: String,
}

impl Header {
    /// Sanitizes and cuts the fields as the format asks. A local socket's messages name no host.
    pub(crate) fn new(format: Format, app_name: &str, hostname: Option<&str>, facility: syslog::Facility) -> Self {
        let app_name = match format {
            Format::Rfc5424 => printable(app_name, 48, |_| true),
            // RFC 3164 section 4.1.3: the tag ends at the first letter that is not alphanumeric. Receivers take more.
            Format::Rfc3164 => printable(app_name, 32, |byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
        };
        let hostname = hostname.map(|name| printable(name, 255, |_| true));
        Self { format, facility: facility as u8, hostname, app_name }
    }
}

/// The nearest text that is allowed in a header field: printable ASCII, no space, cut. `-` stands for nothing.
fn printable(text: &str, most: usize, allowed: impl Fn(u8) -> bool) -> String {
    let fits = |byte: u8| byte.is_ascii_graphic() && allowed(byte);
    let field: String = text
        .trim()
        .chars()
        .map(|letter| u8::try_from(letter).ok().filter(|&byte| fits(byte)).map_or('_', char::from))
        .take(most)
        .collect();
    if field.is_empty() { "-".to_owned() } else { field }
}

impl Wording {
    /// The exact bytes that go over the wire.
    pub(crate) fn message(&self, finding: &Finding) -> Vec<u8> {
        let mut message = self.header(finding);
        if self.bom {
            message.push('\u{feff}');
        }
        let room = self.limit.saturating_sub(message.len());
        message.push_str(&body::body(self.content, finding, room));
        // Text and JSON hold none of these any more; that others don't is nothing to rely on.
        message = message.replace(['\r', '\n', '\0'], " ");
        match self.frame {
            Frame::Datagram | Frame::Line => message.into_bytes(),
            Frame::Counted => format!("{} {message}", message.len()).into_bytes(),
            Frame::Lf => {
                message.push('\n');
                message.into_bytes()
            }
        }
    }

    /// All that stands before the content, the space between included.
    fn header(&self, finding: &Finding) -> String {
        let priority = self.header.facility | severity(finding.severity) as u8;
        match self.header.format {
            Format::Rfc5424 => self.header_5424(priority, finding),
            Format::Rfc3164 => self.header_3164(priority, finding.last_seen),
        }
    }

    /// `<PRI>1 TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA `. PROCID is nil: the same finding gives the same
    /// bytes whatever process sends it.
    fn header_5424(&self, priority: u8, finding: &Finding) -> String {
        let hostname = self.header.hostname.as_deref().unwrap_or("-");
        let start = format!(
            "<{priority}>1 {} {hostname} {} - {} ",
            timestamp_5424(finding.last_seen),
            self.header.app_name,
            finding.threat_type.name()
        );
        let element = self.structured_name.as_deref().map(|name| structured::element(name, finding));
        // What people read comes before what is there twice.
        match element.filter(|element| start.len() + element.len() <= self.limit / 4 * 3) {
            Some(element) => format!("{start}{element} "),
            None => format!("{start}- "),
        }
    }

    /// `<PRI>Mmm dd hh:mm:ss HOSTNAME TAG: `. A message without a time goes without time and host, which RFC 3164
    /// sections 4.2 and 4.3.3 leave to the receiver to add. CEF and LEEF stand where the tag would, as their documents ask.
    fn header_3164(&self, priority: u8, time: Option<Timestamp>) -> String {
        let tag = match self.content {
            Content::Text | Content::Json => format!("{}: ", self.header.app_name),
            Content::Cef | Content::Leef => String::new(),
        };
        let Some(time) = time else { return format!("<{priority}>{tag}") };
        let time = time.to_zoned(self.time_zone.clone()).strftime("%b %e %H:%M:%S").to_string();
        match &self.header.hostname {
            Some(hostname) => format!("<{priority}>{time} {hostname} {tag}"),
            None => format!("<{priority}>{time} {tag}"),
        }
    }
}

/// The years that receivers read. rsyslog takes a message with another one as no message of RFC 5424 at all.
const YEARS: std::ops::Range<i16> = 1970..2100;

/// In milliseconds, because QRadar reads no finer time; nil when there is none that receivers read.
fn timestamp_5424(time: Option<Timestamp>) -> String {
    let time = time.map(|time| time.to_zoned(TimeZone::UTC)).filter(|time| YEARS.contains(&time.year()));
    time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}

/// The numbers of RFC 5424 table 2. Emergency and alert are for the system itself.
const fn severity(severity: Severity) -> syslog::Severity {
    match severity {
        Severity::Critical => syslog::Severity::LOG_CRIT,
        Severity::High => syslog::Severity::LOG_ERR,
        Severity::Medium => syslog::Severity::LOG_WARNING,
        Severity::Low => syslog::Severity::LOG_NOTICE,
        Severity::Informational => syslog::Severity::LOG_INFO,
    }
}
