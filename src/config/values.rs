//! The types of the values: each is parsed once, from TOML, variable or flag alike, and can't be wrong afterwards.
//!
//! A string is accepted wherever its text reads as the type, because `"${THRESHOLD:-0.7}"` can only be a string.

mod serve;

use std::{
    ffi::{OsStr, OsString},
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::PathBuf,
    str::FromStr,
};

pub use self::serve::{HostName, JwksPlace, Network, SigningAlgorithm};
use crate::{
    classify::attack::AttackVersion,
    parse::{Format, UnknownFormat},
};

/// What stands in the file or the variable, before it has its type.
#[derive(Debug, Clone)]
pub enum Input<'a> {
    /// A TOML string.
    Text(String),
    /// The content of an environment variable.
    Variable(&'a OsStr),
    /// A TOML integer or float, as it is written.
    Number(String),
    /// A TOML array of strings.
    Texts(Vec<String>),
    /// Anything else, by the name of its TOML type.
    Other(&'static str),
}

impl Input<'_> {
    /// The text of a string, number or variable.
    fn scalar(&self, expected: &str) -> Result<&str, String> {
        match self {
            Self::Text(text) | Self::Number(text) => Ok(text),
            Self::Variable(text) => text.to_str().ok_or_else(|| format!("not UTF-8, expected {expected}")),
            Self::Texts(_) => Err(format!("expected {expected}, found an array")),
            Self::Other(found) => Err(format!("expected {expected}, found {found}")),
        }
    }

    fn text(&self, expected: &str) -> Result<&str, String> {
        match self {
            Self::Number(_) => Err(format!("expected {expected} in quotes, found a number")),
            _ => self.scalar(expected),
        }
    }
}

/// A type that a setting can have.
pub trait Value: Sized + Clone {
    /// Reads it; the error says what was expected.
    fn read(input: &Input<'_>) -> Result<Self, String>;
    /// As TOML; `None` when there is nothing to write.
    fn toml(&self) -> Option<String>;
}

impl<T: Value> Value for Option<T> {
    fn read(input: &Input<'_>) -> Result<Self, String> {
        T::read(input).map(Some)
    }

    fn toml(&self) -> Option<String> {
        self.as_ref().and_then(Value::toml)
    }
}

impl Value for PathBuf {
    fn read(input: &Input<'_>) -> Result<Self, String> {
        let path: OsString = match input {
            Input::Variable(text) => (*text).to_owned(),
            _ => input.text("a path")?.into(),
        };
        if path.is_empty() { Err("expected a path, found an empty text".to_owned()) } else { Ok(path.into()) }
    }

    fn toml(&self) -> Option<String> {
        Some(quoted(&self.to_string_lossy()))
    }
}

impl Value for String {
    fn read(input: &Input<'_>) -> Result<Self, String> {
        input.text("a text").map(str::to_owned)
    }

    fn toml(&self) -> Option<String> {
        Some(quoted(self))
    }
}

impl Value for Vec<String> {
    fn read(input: &Input<'_>) -> Result<Self, String> {
        match input {
            Input::Texts(texts) => Ok(texts.clone()),
            Input::Text(text) => Ok(vec![text.clone()]),
            _ => Err(input.text("an array of texts").err().unwrap_or_else(|| "expected an array of texts".to_owned())),
        }
    }

    fn toml(&self) -> Option<String> {
        Some(format!("[{}]", self.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", ")))
    }
}

impl Value for u64 {
    fn read(input: &Input<'_>) -> Result<Self, String> {
        let text = input.scalar("a whole number")?;
        text.replace('_', "").parse().map_err(|_| format!("expected a whole number from 0, found `{text}`"))
    }

    fn toml(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// The cut: events with this anomaly score or more are anomalies. Above 0, at most 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Threshold(f64);

impl Threshold {
    /// The cut when nothing is said.
    pub const DEFAULT: Self = Self(0.7);

    /// The number.
    #[must_use]
    pub const fn value(self) -> f64 {
        self.0
    }
}

impl FromStr for Threshold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        number(text)
            .filter(|value| *value > 0.0 && *value <= 1.0)
            .map(Self)
            .ok_or_else(|| format!("expected a number above 0 and at most 1, found `{text}`"))
    }
}

/// How many findings a day the reader can look at. Above 0.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Budget(f64);

impl Budget {
    /// Findings per day.
    #[must_use]
    pub const fn per_day(self) -> f64 {
        self.0
    }
}

impl FromStr for Budget {
    type Err = String;

    /// `20` and `20/day` mean the same.
    fn from_str(text: &str) -> Result<Self, String> {
        number(text.strip_suffix("/day").unwrap_or(text))
            .filter(|value| *value > 0.0)
            .map(Self)
            .ok_or_else(|| format!("expected a number of findings a day above 0, like `20/day`, found `{text}`"))
    }
}

/// A time zone with the name that the user gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZone {
    name: String,
    zone: jiff::tz::TimeZone,
}

impl TimeZone {
    /// Coordinated universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), zone: jiff::tz::TimeZone::UTC }
    }

    /// The zone.
    #[must_use]
    pub const fn zone(&self) -> &jiff::tz::TimeZone {
        &self.zone
    }
}

impl FromStr for TimeZone {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let zone = if name.starts_with(['+', '-']) { offset(name) } else { jiff::tz::TimeZone::get(name).ok() };
        zone.map(|zone| Self { name: name.to_owned(), zone })
            .ok_or_else(|| format!("expected a time zone like `UTC`, `Europe/Vienna` or `+02:00`, found `{name}`"))
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The name of a format of logs; `None` is `auto`: look at the content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FormatChoice(pub Option<Format>);

impl FromStr for FormatChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(Self(None)),
            _ => name
                .parse()
                .map(|format| Self(Some(format)))
                .map_err(|error: UnknownFormat| format!("{error}, or auto")),
        }
    }
}

impl fmt::Display for FormatChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.map_or("auto", Format::name))
    }
}

/// The number of a byte count, with a unit or without: `100 MiB`, `1GB`, `1048576`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.find(|letter: char| !letter.is_ascii_digit() && letter != '_').unwrap_or(text.len());
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "" | "B" => Some(1),
            "KiB" => Some(1 << 10),
            "MiB" => Some(1 << 20),
            "GiB" => Some(1 << 30),
            "kB" | "KB" => Some(1_000),
            "MB" => Some(1_000_000),
            "GB" => Some(1_000_000_000),
            _ => None,
        };
        let bytes = number.replace('_', "").parse::<u64>().ok().zip(factor).and_then(|(n, f)| n.checked_mul(f));
        bytes.map(Self).ok_or_else(|| format!("expected a size like `100 MiB`, found `{text}`"))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        match units.into_iter().find(|(size, _)| self.0 >= *size && self.0.is_multiple_of(*size)) {
            Some((size, unit)) => write!(f, "{} {unit}", self.0 / size),
            None => write!(f, "{}", self.0),
        }
    }
}

/// An address with port to listen on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen(pub SocketAddr);

impl Listen {
    /// Only this machine reaches it.
    pub const LOOPBACK: Self = Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8000));
}

impl FromStr for Listen {
    type Err = String;

    /// `8000` is that port on loopback.
    fn from_str(text: &str) -> Result<Self, String> {
        let port = text.parse().map(|port| SocketAddr::new(Self::LOOPBACK.0.ip(), port));
        let named = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        port.or_else(|_| named.parse())
            .map(Self)
            .map_err(|_| format!("expected an address with port like `127.0.0.1:8000`, found `{text}`"))
    }
}

/// Value of a type that reads from text, and how it is written in TOML.
macro_rules! from_text {
    ($($type:ty, $expected:literal, |$value:ident| $toml:expr;)*) => {$(
        impl Value for $type {
            fn read(input: &Input<'_>) -> Result<Self, String> {
                input.scalar($expected)?.parse().map_err(|error| format!("{error}"))
            }

            fn toml(&self) -> Option<String> {
                let $value = self;
                Some($toml)
            }
        }
    )*};
}

from_text! {
    Threshold, "a number above 0 and at most 1", |value| format!("{:?}", value.0);
    Budget, "a number above 0", |value| format!("{:?}", value.0);
    AttackVersion, "18 or 19", |value| value.name().to_owned();
    TimeZone, "a time zone", |value| quoted(&value.name);
    FormatChoice, "the name of a format", |value| quoted(&value.to_string());
    Bytes, "a size like `100 MiB`", |value| quoted(&value.to_string());
    JwksPlace, "a file or an https address", |value| quoted(&value.to_string());
    Listen, "an address with port like `127.0.0.1:8000`", |value| quoted(&value.0.to_string());
}

fn number(text: &str) -> Option<f64> {
    text.trim().replace('_', "").parse::<f64>().ok().filter(|value| value.is_finite())
}

fn offset(text: &str) -> Option<jiff::tz::TimeZone> {
    let (hours, minutes) = text[1..].split_once(':')?;
    let well_formed = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !well_formed(hours) || !well_formed(minutes) {
        return None;
    }
    let seconds = hours.parse::<i32>().ok()? * 3600 + minutes.parse::<i32>().ok().filter(|m| *m < 60)? * 60;
    let signed = if text.starts_with('-') { -seconds } else { seconds };
    jiff::tz::Offset::from_seconds(signed).ok().map(jiff::tz::TimeZone::fixed)
}

/// A text as a TOML basic string.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_say_what_was_expected() {
        for wrong in ["0", "1.1", "-1", "nan", "inf", "", "high"] {
            let error = wrong.parse::<Threshold>().unwrap_err();
            assert!(error.contains("above 0 and at most 1"), "{error}");
        }
        assert_eq!("1".parse::<Threshold>().unwrap().value(), 1.0);
        assert_eq!("20/day".parse::<Budget>(), "20".parse::<Budget>());
        assert!("0/day".parse::<Budget>().is_err());
        assert!("17".parse::<AttackVersion>().is_err());
    }

    #[test]
    fn sizes_read_with_and_without_a_unit() {
        for (text, bytes) in [("100 MiB", 100 << 20), ("1GB", 1_000_000_000), ("4_096", 4096), ("0", 0)] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)));
        }
        for wrong in ["", "MiB", "1 TiB!", "-1", "99999999999999999999", "18446744073709551615 GiB"] {
            assert!(wrong.parse::<Bytes>().is_err(), "{wrong}");
        }
        assert_eq!(Bytes(1 << 30).to_string(), "1 GiB");
        assert_eq!(Bytes(1025).to_string(), "1025");
    }

    #[test]
    fn formats_have_names_and_auto_is_none() {
        assert_eq!("auto".parse(), Ok(FormatChoice(None)));
        for format in Format::ALL {
            assert_eq!(FormatChoice(Some(format)).to_string().parse(), Ok(FormatChoice(Some(format))));
        }
        assert!("jsno".parse::<FormatChoice>().unwrap_err().contains("json-lines"));
    }

    #[test]
    fn time_zones_are_names_or_offsets() {
        assert_eq!("+02:00".parse::<TimeZone>().unwrap().to_string(), "+02:00");
        for wrong in ["+2", "+02:60", "+99:00", "Mars/Olympus", "", "+0a:00", "-é:00"] {
            assert!(wrong.parse::<TimeZone>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn values_survive_being_written() {
        let text = "a \"quoted\" \\ path\nwith a break".to_owned();
        let table: toml::Table = format!("x = {}", text.toml().unwrap()).parse().unwrap();
        assert_eq!(table["x"].as_str(), Some(text.as_str()));
    }
}
