//! Where an instance lives, and the hosts that belong to it.
//!
//! Google's own material spells some locations with underscores, which no host name may have: `_` is read as `-`.

use url::Url;
use watchbell_sink::ConfigError;
use watchbell_udm::schema::nearest;

/// Locations that the published clients know.
const KNOWN: [&str; 18] = [
    "us",
    "eu",
    "europe",
    "africa-south1",
    "asia-northeast1",
    "asia-south1",
    "asia-southeast1",
    "australia-southeast1",
    "europe-west12",
    "europe-west2",
    "europe-west3",
    "europe-west6",
    "europe-west9",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast2",
    "southamerica-east1",
];

/// A location as hosts and resource names spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Location(String);

impl Location {
    /// Reads a location. Where the host is given apart, an unknown one may be a new one.
    pub(crate) fn read(text: &str, host_is_given: bool) -> Result<Self, ConfigError> {
        let name = text.trim().to_ascii_lowercase().replace('_', "-");
        let shape = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if KNOWN.contains(&name.as_str()) || (shape && host_is_given) {
            return Ok(Self(name));
        }
        let meant = nearest(&name, KNOWN).map(|known| format!(", did you mean `{known}`?")).unwrap_or_default();
        let message = format!(
            "`{}` is no known location{meant} (known: {}; a newer one needs `endpoint` as well)",
            text.escape_debug(),
            KNOWN.join(", ")
        );
        Err(ConfigError::new("location", message))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The host of the Chronicle API.
    pub(crate) fn modern(&self) -> Url {
        https(&format!("{}-chronicle.googleapis.com", self.0))
    }

    /// The host of the legacy ingestion API, which has no prefix in the United States.
    pub(crate) fn legacy(&self) -> Url {
        match self.0.as_str() {
            "us" => https("malachiteingestion-pa.googleapis.com"),
            region => https(&format!("{region}-malachiteingestion-pa.googleapis.com")),
        }
    }
}

fn https(host: &str) -> Url {
    Url::parse(&format!("https://{host}")).expect("a location has only letters, digits and dashes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscores_are_read_as_dashes() {
        let location = Location::read("asia_southeast1", false).unwrap();
        assert_eq!(location.modern().as_str(), "https://asia-southeast1-chronicle.googleapis.com/");
        assert_eq!(Location::read(" EU ", false).unwrap().as_str(), "eu");
        let legacy = |name| Location::read(name, false).unwrap().legacy().to_string();
        assert_eq!(legacy("us"), "https://malachiteingestion-pa.googleapis.com/");
        assert_eq!(legacy("europe"), "https://europe-malachiteingestion-pa.googleapis.com/");
    }

    #[test]
    fn an_unknown_location_is_told_what_was_meant() {
        let error = Location::read("europe-west1", false).unwrap_err().to_string();
        assert!(
            error.starts_with("location: `europe-west1` is no known location, did you mean `europe-west"),
            "{error}"
        );
        assert!(Location::read("europe-west1", true).is_ok());
        assert!(Location::read("evil.example/", true).is_err());
        assert!(Location::read("", true).is_err());
    }
}
