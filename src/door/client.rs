//! Where a request comes from: the address at the other end of the connection, or the one that a trusted proxy names.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, HeaderMap, header::AUTHORIZATION},
};
use ipnet::IpNet;

use crate::app::Credentials;

/// The header that a key comes in, where it is not `Authorization`.
pub(crate) const API_KEY: &str = "x-api-key";

/// The address of whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Client {
    /// The address.
    pub(crate) address: IpAddr,
    /// Whether the request came over TLS, to us or to a proxy that we trust.
    pub(crate) is_secure: bool,
}

impl Client {
    /// Found out from the connection, and from what a proxy of these says of it.
    pub(crate) fn of(headers: &HeaderMap, extensions: &Extensions, (proxies, is_tls): (&[IpNet], bool)) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0.ip().to_canonical());
        if !is_among(proxies, peer) {
            // Whatever it says about others, it says about itself.
            return Self { address: peer, is_secure: is_tls };
        }
        let scheme = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
        let is_secure = is_tls || scheme.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"));
        Self { address: forwarded_for(headers, proxies).unwrap_or(peer), is_secure }
    }

    /// Where a request was made first, for the gate that lets in whoever is near. A proxy on this machine that nobody
    /// configured is not believed about its clients, but it is about not being one: nobody lies to be farther away.
    pub(crate) fn origin(self, headers: &HeaderMap) -> IpAddr {
        let values = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let mut named = values.flat_map(|value| value.split(',')).filter_map(|text| address(text.trim()));
        named.find(|address| !address.is_loopback()).unwrap_or(self.address)
    }

    /// What a limit counts: whoever has one IPv6 address has a whole network of them.
    pub(crate) fn counted(self) -> IpAddr {
        counted(self.address)
    }
}

/// What a limit counts for this address.
pub(super) fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & (u128::MAX << 64)).into(),
    }
}

/// What a request brings along to say who asks.
pub(crate) fn credentials(headers: &HeaderMap) -> Credentials<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    Credentials::of_headers(text(AUTHORIZATION.as_str()), text(API_KEY))
}

/// The last address in `X-Forwarded-For` that is no proxy of ours: those before it are hearsay.
fn forwarded_for(headers: &HeaderMap, proxies: &[IpNet]) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter().rev().filter_map(|value| value.to_str().ok());
    let mut last = None;
    for text in values.flat_map(|value| value.rsplit(',')) {
        let Some(address) = address(text.trim()) else { break };
        last = Some(address);
        if !is_among(proxies, address) {
            break;
        }
    }
    last
}

fn address(text: &str) -> Option<IpAddr> {
    let alone = text.parse::<IpAddr>().or_else(|_| text.trim_matches(['[', ']']).parse::<IpAddr>());
    alone
        .or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

/// Whether one of these networks has the address.
pub(super) fn is_among(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn of(peer: &str, forwarded: &[&str]) -> Client {
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
        for value in forwarded {
            headers.append(HeaderName::from_static("x-forwarded-for"), HeaderValue::from_str(value).unwrap());
        }
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1)));
        let proxies = ["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()];
        Client::of(&headers, &extensions, (&proxies, false))
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.2.2.2"], "203.0.113.9"),
            ("10.0.0.1", &["1.1.1.1", "203.0.113.9, 10.2.2.2"], "203.0.113.9"),
            ("10.0.0.1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
            ("10.0.0.1", &["1.1.1.1, garbage, 10.2.2.2"], "10.2.2.2"),
            ("10.0.0.1", &["garbage"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("fd00::1", &["2001:db8::7"], "2001:db8::7"),
        ] {
            assert_eq!(of(peer, forwarded).address, expected.parse::<IpAddr>().unwrap(), "{peer} {forwarded:?}");
        }
        assert!(of("10.0.0.1", &[]).is_secure);
        assert!(!of("192.0.2.1", &[]).is_secure);
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one() {
        let counted = |peer| of(peer, &[]).counted();
        assert_eq!(counted("2001:db8::1"), counted("2001:db8::ffff:1"));
        assert_ne!(counted("2001:db8::1"), counted("2001:db8:0:1::1"));
        assert_ne!(counted("192.0.2.1"), counted("192.0.2.2"));
    }

    #[test]
    fn a_proxy_that_nobody_configured_is_not_near() {
        let near = Client { address: IpAddr::from([127, 0, 0, 1]), is_secure: false };
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("x-forwarded-for", HeaderValue::from_static(value));
            }
            near.origin(&headers).is_loopback()
        };
        assert!(of(&[]) && of(&["127.0.0.1, ::1"]) && of(&["unknown"]));
        assert!(!of(&["203.0.113.9"]) && !of(&["127.0.0.1", "::1, 203.0.113.9"]));
    }
}
