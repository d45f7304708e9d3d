//! The values of `[serve]` that guard it: what is wrong with one is told where it stands.

use std::{fmt, net::IpAddr, path::PathBuf, str::FromStr};

use ipnet::IpNet;
use url::{Host, Url};

use super::{Input, Value, quoted};

/// An algorithm that tokens may be signed with. Only those with a public key: with a shared secret, whoever can check a
/// token can make one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "RFC 7518 and RFC 8037 tell about each")]
pub enum SigningAlgorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl SigningAlgorithm {
    const ALL: [(&'static str, Self); 9] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];

    /// What a token's header calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, algorithm)| *algorithm == self).map_or("", |(name, _)| name)
    }
}

impl FromStr for SigningAlgorithm {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, algorithm)) = Self::ALL.into_iter().find(|(name, _)| *name == text) {
            return Ok(algorithm);
        }
        let why = match text.to_ascii_uppercase().as_str() {
            "NONE" => "`none` signs nothing; ".to_owned(),
            "HS256" | "HS384" | "HS512" => {
                format!("`{text}` signs with a secret, and whoever can check a token can then make one; ")
            }
            _ => String::new(),
        };
        let known = Self::ALL.map(|(name, _)| name).join(", ");
        Err(format!("{why}expected some of {known}, found `{}`", text.escape_debug()))
    }
}

impl fmt::Display for SigningAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where the keys of tokens are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksPlace {
    /// In a file.
    File(PathBuf),
    /// At an address.
    Address(Url),
}

impl FromStr for JwksPlace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected a file or an https address";
        if text.is_empty() {
            return Err(format!("{expected}, found an empty text"));
        }
        if !text.contains("://") {
            return Ok(Self::File(text.into()));
        }
        let url: Url = text.parse().map_err(|error| format!("{expected}: {error}"))?;
        let is_near = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match url.scheme() {
            "https" if url.host().is_some() => Ok(Self::Address(url)),
            "http" if is_near => Ok(Self::Address(url)),
            "http" => {
                Err(format!("{expected}: over plain http anybody on the way can put other keys in; write https://"))
            }
            other => Err(format!("{expected}, found `{}://`", other.escape_debug())),
        }
    }
}

impl fmt::Display for JwksPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Address(url) => url.fmt(f),
        }
    }
}

/// Networks, as CIDR; an address alone is a network of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(pub IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let address = |text: &str| text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>()
            .or_else(|_| address(text))
            .map(|network| Self(network.trunc()))
            .map_err(|_| format!("expected a network like `10.0.0.0/8` or an address, found `{}`", text.escape_debug()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name or address that browsers may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    /// In small letters; an address of IPv6 without brackets.
    pub name: String,
    /// The port that browsers ask at, where a proxy makes it another one than ours.
    pub port: Option<u16>,
}

impl FromStr for HostName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused =
            |why: &str| Err(format!("expected a name like `watchbell.example`{why}, found `{}`", text.escape_debug()));
        if text.contains("://") || text.contains('/') {
            return refused(" without scheme and path");
        }
        if text.contains('*') {
            return refused(", each one written out");
        }
        let address =
            |text: &str| text.trim_matches(['[', ']']).parse::<IpAddr>().map(|address| address.to_canonical());
        if let Ok(address) = address(text) {
            return Ok(Self { name: address.to_string(), port: None });
        }
        let (name, port) = match text.rsplit_once(':') {
            None => (text, None),
            Some((name, port)) => match port.parse::<u16>() {
                Ok(port) if port > 0 => (name, Some(port)),
                _ => return refused(" or `watchbell.example:8443`"),
            },
        };
        if let Ok(address) = address(name) {
            return Ok(Self { name: address.to_string(), port });
        }
        match Host::parse(name) {
            Ok(host) if !name.is_empty() && !name.contains(':') => {
                Ok(Self { name: host.to_string().trim_end_matches('.').to_owned(), port })
            }
            _ => refused(""),
        }
    }
}

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.name, self.port) {
            (name, None) => f.write_str(name),
            (name, Some(port)) if name.contains(':') => write!(f, "[{name}]:{port}"),
            (name, Some(port)) => write!(f, "{name}:{port}"),
        }
    }
}

/// Values of a type that reads from text, as an array.
macro_rules! lists {
    ($($type:ty),*) => {$(
        impl Value for Vec<$type> {
            fn read(input: &Input<'_>) -> Result<Self, String> {
                Vec::<String>::read(input)?.iter().map(|text| text.parse()).collect()
            }

            fn toml(&self) -> Option<String> {
                Some(format!("[{}]", self.iter().map(|one| quoted(&one.to_string())).collect::<Vec<_>>().join(", ")))
            }
        }
    )*};
}

lists!(SigningAlgorithm, Network, HostName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_have_a_public_key() {
        for (name, algorithm) in SigningAlgorithm::ALL {
            assert_eq!(name.parse(), Ok(algorithm));
            assert_eq!(algorithm.to_string(), name);
        }
        for secret in ["HS256", "hs512", "none", "None"] {
            let error = secret.parse::<SigningAlgorithm>().unwrap_err();
            assert!(error.contains("sign") && error.contains("expected some of RS256"), "{error}");
        }
        assert!("ES256K".parse::<SigningAlgorithm>().is_err());
    }

    #[test]
    fn keys_are_never_fetched_over_plain_http_from_afar() {
        for good in ["https://login.example/keys", "http://127.0.0.1:8080/keys", "http://localhost/k", "http://[::1]/k"]
        {
            assert!(matches!(good.parse(), Ok(JwksPlace::Address(_))), "{good}");
        }
        assert_eq!("tls/keys.json".parse(), Ok(JwksPlace::File("tls/keys.json".into())));
        for wrong in ["http://login.example/keys", "http://127.0.0.1.evil.example/", "ftp://x/y", "https://", ""] {
            assert!(wrong.parse::<JwksPlace>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_are_cidr_or_one_address() {
        assert_eq!("10.1.2.3/8".parse::<Network>().unwrap().to_string(), "10.0.0.0/8");
        assert_eq!("192.0.2.1".parse::<Network>().unwrap().to_string(), "192.0.2.1/32");
        assert_eq!("2001:db8::/32".parse::<Network>().unwrap().to_string(), "2001:db8::/32");
        for wrong in ["10.0.0.0/33", "proxy", "", "10.0.0.0/8,10.1.0.0/16"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn hosts_are_names_or_addresses_and_maybe_a_port() {
        for (text, name) in [
            ("Watchbell.Example.", "watchbell.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("[2001:DB8::1]", "2001:db8::1"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("Watchbell.Example:8443", "watchbell.example:8443"),
            ("192.0.2.1:80", "192.0.2.1:80"),
            ("[2001:DB8::1]:8443", "[2001:db8::1]:8443"),
        ] {
            assert_eq!(text.parse::<HostName>().unwrap().to_string(), name);
            assert_eq!(name.parse::<HostName>().unwrap().to_string(), name);
        }
        for wrong in [
            "https://watchbell.example",
            "watchbell.example:",
            "watchbell.example:0",
            "watchbell.example:https",
            "watchbell.example:65536",
            "a:b:80",
            ":80",
            "*.example",
            "a b",
            "",
            "x/y",
        ] {
            assert!(wrong.parse::<HostName>().is_err(), "{wrong}");
        }
    }
}
