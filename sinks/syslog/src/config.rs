//! The options of a syslog sink, and what they build. Defaults that depend on the transport are resolved here and
//! nowhere else, so that the rest of the crate knows no "not given".

use std::{borrow::Cow, path::PathBuf, str::FromStr, sync::Arc};

use jiff::tz::TimeZone;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};
use watchbell_sink::{ConfigError, Context, SinkConfig, Tls};

use crate::{
    link::{Endpoint, Link},
    message::{Frame, Header, Wording},
    sink::Syslog,
};

/// RFC 5424 section 6.1: receivers should take 2048 octets; on UDP nobody can say that a longer one was cut.
const DATAGRAM_BYTES: usize = 2048;
/// RFC 5425 section 4.3.1: receivers on TLS should take 8192 octets, which those on TCP do as well.
const STREAM_BYTES: usize = 8192;
/// The length that RFC 3164 allows.
const LEAST_BYTES: usize = 1024;
/// What fits into one UDP datagram over IPv4.
const LARGEST_DATAGRAM: usize = 65_507;
/// No receiver is known to take more by default.
const LARGEST_MESSAGE: usize = 1 << 20;

/// With messages of the usual length, this is 80 MB of memory.
const MOST_RESENT: usize = 10_000;

/// Findings as syslog messages.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SyslogConfig {
    /// How the messages travel: `udp`, `tcp`, `tls`, or `local` (the socket of this machine's own syslog).
    pub transport: Transport,
    /// Host and port of the receiver, for example `siem.example:6514`. Without a port: 514 (udp), 601 (tcp), 6514 (tls).
    /// Needed by every transport but `local`.
    pub address: Option<String>,
    /// Path of the local socket. Default: the first of `/dev/log`, `/var/run/syslog`, `/var/run/log` that exists.
    pub socket: Option<PathBuf>,
    /// Authorities and client certificate, for `tls`.
    pub tls: Option<Tls>,
    /// The message's frame: `rfc5424` or `rfc3164`. Default: `rfc5424`, for `local` `rfc3164`, which is what local
    /// sockets are read as.
    pub format: Option<Format>,
    /// What the message says: `text`, `json`, `cef` or `leef`.
    #[serde(default)]
    pub payload: Content,
    /// Whether RFC 5424 messages carry the finding's main values as structured data. Default: with `text` only, because
    /// the other payloads hold them already.
    pub structured_data: Option<bool>,
    /// The private enterprise number in the name of the structured data element, `watchbell@32473`. The default is the
    /// number that RFC 5612 sets apart for everybody; who has an own number gives it here.
    #[serde(default = "documentation_number")]
    pub enterprise_id: u32,
    /// Facility, for example `local0` or `authpriv`.
    #[serde(default)]
    pub facility: Facility,
    /// APP-NAME, or TAG in RFC 3164.
    #[serde(default = "product")]
    pub app_name: String,
    /// HOSTNAME. Many receivers tell sources apart by it: give the name of this machine. `-` says nothing (RFC 5424).
    #[serde(default = "product")]
    pub hostname: String,
    /// How messages are told apart on tcp and tls: `octet_counting` or `lf`. With `lf`, line ends in a message are replaced.
    #[serde(default)]
    pub framing: Framing,
    /// Whether a byte order mark precedes the text (RFC 5424). Receivers that don't know it keep it in the text.
    #[serde(default)]
    pub bom: bool,
    /// The longest message in bytes, from 1024. Default: 2048 for udp, else 8192. What is longer is shortened.
    pub max_message_bytes: Option<usize>,
    /// Time zone of the times in RFC 3164 messages, which name none; for example `Europe/Berlin`.
    #[serde(default = "utc")]
    pub time_zone: String,
    /// How many of the last messages are written again when a tcp or tls connection breaks, because nobody can say
    /// whether they arrived. 0: none; at most 10000.
    #[serde(default = "resend_last")]
    pub resend_last: usize,
}

/// How the messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// One datagram per message (RFC 5426). Nobody can say whether it arrived.
    Udp,
    /// A plain stream (RFC 6587).
    Tcp,
    /// An encrypted stream (RFC 5425).
    Tls,
    /// The socket of this machine's own syslog.
    Local,
}

/// The message's frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// RFC 5424, with year, zone and structured data.
    Rfc5424,
    /// RFC 3164, the older one.
    Rfc3164,
}

/// What the message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// One line for people.
    #[default]
    Text,
    /// The finding as JSON.
    Json,
    /// ArcSight's Common Event Format.
    Cef,
    /// QRadar's Log Event Extended Format.
    Leef,
}

/// How messages are told apart on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Framing {
    /// Length, space, message (RFC 6587 section 3.4.1).
    #[default]
    OctetCounting,
    /// A line end after each (RFC 6587 section 3.4.2).
    Lf,
}

/// The facility of every message.
#[derive(Debug, Clone, Copy)]
pub struct Facility(syslog::Facility);

impl Facility {
    /// Their names, in the order of their numbers.
    const NAMES: [&'static str; 24] = [
        "kern",
        "user",
        "mail",
        "daemon",
        "auth",
        "syslog",
        "lpr",
        "news",
        "uucp",
        "cron",
        "authpriv",
        "ftp",
        "ntp",
        "audit",
        "alert",
        "clock_daemon",
        "local0",
        "local1",
        "local2",
        "local3",
        "local4",
        "local5",
        "local6",
        "local7",
    ];
}

impl Default for Facility {
    fn default() -> Self {
        Self(syslog::Facility::LOG_LOCAL0)
    }
}

impl<'de> Deserialize<'de> for Facility {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = Self::NAMES.contains(&name.as_str()).then(|| syslog::Facility::from_str(&name).ok()).flatten();
        known.map(Self).ok_or_else(|| {
            de::Error::custom(format!("unknown facility `{name}`, expected one of {}", Self::NAMES.join(", ")))
        })
    }
}

impl JsonSchema for Facility {
    fn schema_name() -> Cow<'static, str> {
        "Facility".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Self::NAMES })
    }
}

const fn documentation_number() -> u32 {
    32_473
}

fn product() -> String {
    "watchbell".to_owned()
}

fn utc() -> String {
    "UTC".to_owned()
}

const fn resend_last() -> usize {
    100
}

impl SinkConfig for SyslogConfig {
    const TYPE: &'static str = "syslog";
    const EXAMPLE: &'static str = r#"transport = "tls"                   # udp, tcp, tls or local
address = "siem.example:6514"
payload = "text"                    # text, json, cef or leef
hostname = "watchbell.example"      # what the receiver shows as the source
# tls = { ca_file = "/etc/watchbell/siem-ca.pem", cert_file = "/etc/watchbell/client.pem", key_file = "/etc/watchbell/client.key" }
"#;
    type Sink = Syslog;

    fn build(self, context: &Context) -> Result<Syslog, ConfigError> {
        let wording = self.wording()?;
        let endpoint = self.endpoint()?;
        if self.resend_last > MOST_RESENT {
            return Err(ConfigError::new("resend_last", format!("expected at most {MOST_RESENT}")));
        }
        Ok(Syslog::new(wording, Link::new(endpoint, context.timeout, self.resend_last)))
    }
}

impl SyslogConfig {
    fn wording(&self) -> Result<Wording, ConfigError> {
        let local = self.transport == Transport::Local;
        let format = self.format.unwrap_or(if local { Format::Rfc3164 } else { Format::Rfc5424 });
        let structured = self.structured_data.unwrap_or(self.payload == Content::Text) && format == Format::Rfc5424;
        let time_zone = TimeZone::get(&self.time_zone).map_err(|_| {
            ConfigError::new(
                "time_zone",
                "expected a name of the time zone database, for example `UTC` or `Europe/Berlin`",
            )
        })?;
        let header = Header::new(format, &self.app_name, (!local).then_some(self.hostname.as_str()), self.facility.0);
        let frame = match (self.transport, self.framing) {
            (Transport::Udp, _) => Frame::Datagram,
            (Transport::Local, _) => Frame::Line,
            (Transport::Tcp | Transport::Tls, Framing::OctetCounting) => Frame::Counted,
            (Transport::Tcp | Transport::Tls, Framing::Lf) => Frame::Lf,
        };
        Ok(Wording {
            header,
            content: self.payload,
            structured_name: structured.then(|| format!("watchbell@{}", self.enterprise_id)),
            bom: self.bom && format == Format::Rfc5424,
            time_zone,
            limit: self.limit()?,
            frame,
        })
    }

    fn limit(&self) -> Result<usize, ConfigError> {
        let (usual, most) = match self.transport {
            Transport::Udp => (DATAGRAM_BYTES, LARGEST_DATAGRAM),
            _ => (STREAM_BYTES, LARGEST_MESSAGE),
        };
        match self.max_message_bytes {
            None => Ok(usual),
            Some(bytes) if (LEAST_BYTES..=most).contains(&bytes) => Ok(bytes),
            Some(_) => Err(ConfigError::new("max_message_bytes", format!("expected {LEAST_BYTES} to {most}"))),
        }
    }

    fn endpoint(&self) -> Result<Endpoint, ConfigError> {
        if self.tls.is_some() && self.transport != Transport::Tls {
            return Err(ConfigError::new("tls", "belongs to `transport = \"tls\"` only"));
        }
        if self.transport == Transport::Local {
            return match self.address {
                Some(_) => Err(ConfigError::new("address", "a local socket has none; its path is the option `socket`")),
                None => Ok(Endpoint::Local(self.socket.clone())),
            };
        }
        if self.socket.is_some() {
            return Err(ConfigError::new("socket", "belongs to `transport = \"local\"` only"));
        }
        let usual = match self.transport {
            Transport::Udp => 514,
            Transport::Tcp => 601,
            _ => 6514,
        };
        let address = self.address.as_deref().unwrap_or_default();
        let (host, port) = host_and_port(address, usual).ok_or_else(|| {
            ConfigError::new("address", "expected the receiver as `host:port` or `[IPv6 address]:port`")
        })?;
        Ok(match self.transport {
            Transport::Udp => Endpoint::Udp { host, port },
            Transport::Tls => {
                let tls = self.tls.clone().unwrap_or_default().client_config()?;
                Endpoint::Stream { host, port, tls: Some(Arc::new(tls)) }
            }
            _ => Endpoint::Stream { host, port, tls: None },
        })
    }
}

/// Splits an address; a bare IPv6 address is taken as one without port.
fn host_and_port(address: &str, usual: u16) -> Option<(String, u16)> {
    let address = address.trim();
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None if address.matches(':').count() > 1 => (address, None),
        None => address.split_once(':').map_or((address, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|&port| port != 0))?;
    let named = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_' | ':' | '%');
    (!host.is_empty() && host.chars().all(named)).then(|| (host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(options: &str) -> Result<Syslog, String> {
        let config: SyslogConfig = toml::from_str(options).map_err(|error| error.message().to_owned())?;
        config.build(&Context::new("soc")).map_err(|error| error.to_string())
    }

    #[test]
    fn addresses_have_ports_of_their_own() {
        let split = |text| host_and_port(text, 6514);
        assert_eq!(split("siem.example"), Some(("siem.example".to_owned(), 6514)));
        assert_eq!(split("10.0.0.1:601"), Some(("10.0.0.1".to_owned(), 601)));
        assert_eq!(split("[2001:db8::1]:601"), Some(("2001:db8::1".to_owned(), 601)));
        assert_eq!(split("[2001:db8::1]"), Some(("2001:db8::1".to_owned(), 6514)));
        assert_eq!(split("2001:db8::1"), Some(("2001:db8::1".to_owned(), 6514)));
        for wrong in ["", ":514", "host:", "host:0", "host:99999", "tcp://host:514", "[::1", "[::1]x", "a b"] {
            assert_eq!(split(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_does_not_fit_together_is_said() {
        assert!(built(SyslogConfig::EXAMPLE).is_ok());
        for (options, expected) in [
            ("", "missing field `transport`"),
            ("transport = 'tcp'", "address: expected the receiver"),
            ("transport = 'tcp'\naddress = 'h'\ntls = {}", "tls: belongs"),
            ("transport = 'tcp'\naddress = 'h'\nsocket = '/dev/log'", "socket: belongs"),
            ("transport = 'local'\naddress = 'h'", "address: a local socket has none"),
            (
                "transport = 'udp'\naddress = 'h'\nmax_message_bytes = 70000",
                "max_message_bytes: expected 1024 to 65507",
            ),
            ("transport = 'udp'\naddress = 'h'\nfacility = 'local9'", "unknown facility `local9`"),
            ("transport = 'udp'\naddress = 'h'\ntime_zone = 'Moon/Base'", "time_zone: expected a name"),
            ("transport = 'tcp'\naddress = 'h'\nresend_last = 99999", "resend_last: expected at most 10000"),
            ("transport = 'udp'\naddress = 'h'\nport = 1", "unknown field `port`"),
        ] {
            let error = built(options).err().unwrap_or_else(|| panic!("{options} builds"));
            assert!(error.contains(expected), "{options}: {error}");
        }
    }

    #[test]
    fn facilities_have_their_numbers() {
        for (number, name) in Facility::NAMES.into_iter().enumerate() {
            let facility: Facility = serde_json::from_str(&format!("\"{name}\"")).unwrap();
            assert_eq!(facility.0 as usize, number << 3, "{name}");
        }
    }
}
