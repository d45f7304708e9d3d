//! Whether a browser asks from the place where it should be.
//!
//! Two ways lead from somebody's page in the same browser to this server: a name of theirs that suddenly leads here (DNS
//! rebinding), and a form or script that sends something here from afar. The first is seen in `Host`, the second in
//! `Sec-Fetch-Site` and `Origin`.

use std::net::IpAddr;

use axum::{
    extract::Request,
    http::{HeaderMap, StatusCode, header, uri::Authority},
};
use url::{Host, Url};

use crate::{api::problem::Problem, app::HostName};

/// The names under which this server may be asked for.
#[derive(Debug)]
pub(super) struct Places {
    listen: IpAddr,
    allowed: Vec<HostName>,
}

impl Places {
    pub(super) fn new(listen: IpAddr, allowed: &[HostName]) -> Self {
        Self { listen: listen.to_canonical(), allowed: allowed.to_vec() }
    }

    /// Refuses what comes from another place.
    pub(super) fn check(&self, request: &Request) -> Result<(), Problem> {
        let asked = asked_for(request).ok_or_else(|| {
            Problem::new(StatusCode::BAD_REQUEST, "expected one `Host` with the name or address of this server")
        })?;
        if !self.is_ours(asked.host()) {
            let detail = "expected another `Host`; names of this server are set as `allowed_hosts` under [serve]";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        if !request.method().is_safe() && !self.is_near(request.headers(), &asked) {
            let detail = "a page of another origin may not change anything here";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail));
        }
        Ok(())
    }

    fn is_ours(&self, host: &str) -> bool {
        match Host::parse(host) {
            Ok(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                name == "localhost" || self.is_allowed(name)
            }
            Ok(Host::Ipv4(address)) => self.is_our_address(address.into()),
            Ok(Host::Ipv6(address)) => self.is_our_address(IpAddr::V6(address).to_canonical()),
            Err(_) => false,
        }
    }

    /// On all addresses, any address may be one of ours; nobody's name can be an address.
    fn is_our_address(&self, address: IpAddr) -> bool {
        let is_near = self.listen.is_loopback() && address.is_loopback();
        self.listen.is_unspecified() || is_near || address == self.listen || self.is_allowed(&address.to_string())
    }

    /// Whatever port it is asked for at: a proxy may leave it out, and a foreign name does not lead here by a port.
    fn is_allowed(&self, name: &str) -> bool {
        self.allowed.iter().any(|allowed| allowed.name == name)
    }

    /// Whether this is no browser, or one that shows our own page. Browsers send `Sec-Fetch-Site` only over TLS and to
    /// loopback, so `Origin` must do elsewhere.
    fn is_near(&self, headers: &HeaderMap, asked: &Authority) -> bool {
        if let Some(site) = headers.get("sec-fetch-site") {
            return matches!(site.as_bytes(), b"same-origin" | b"none");
        }
        let Some(origin) = headers.get(header::ORIGIN) else { return true };
        let Some(url) = origin.to_str().ok().and_then(|origin| origin.parse::<Url>().ok()) else { return false };
        let Some(host) = url.host_str() else { return false };
        let is_same = Some(host) == normal(asked.host()).as_deref() && ports_agree(&url, asked);
        is_same || self.is_allowed_origin(&url, host.trim_matches(['[', ']']), asked)
    }

    /// A proxy may ask for us under another name than the browser does. What else listens at that name is not ours, so the
    /// port must be the one that is configured; without one, that which we are asked for at, or the scheme's own.
    fn is_allowed_origin(&self, origin: &Url, name: &str, asked: &Authority) -> bool {
        self.allowed.iter().filter(|allowed| allowed.name == name).any(|allowed| match allowed.port {
            Some(port) => origin.port_or_known_default() == Some(port),
            None => origin.port().is_none_or(|port| asked.port_u16() == Some(port)),
        })
    }
}

fn normal(host: &str) -> Option<String> {
    Host::parse(host).ok().map(|host| host.to_string())
}

/// A port that is not written is the scheme's own, and behind a proxy the scheme is not ours to know.
fn ports_agree(origin: &Url, asked: &Authority) -> bool {
    match (origin.port(), asked.port_u16()) {
        (Some(one), Some(other)) => one == other,
        (None, Some(port)) => origin.port_or_known_default() == Some(port),
        (Some(_), None) => false,
        (None, None) => true,
    }
}

fn asked_for(request: &Request) -> Option<Authority> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(host), None) => Some(host.to_str().ok()?.parse::<Authority>().ok()?),
        (None, _) => None,
        (Some(_), Some(_)) => return None,
    };
    // A request may name the whole address; then that counts, and `Host` must not say otherwise.
    let asked = match (request.uri().authority().cloned(), named) {
        (Some(one), Some(other)) if !one.as_str().eq_ignore_ascii_case(other.as_str()) => return None,
        (one, other) => one.or(other)?,
    };
    (!asked.as_str().contains('@')).then_some(asked)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn status(places: &Places, method: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::builder().method(method).uri("/v1/findings");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        places.check(&request.body(Body::empty()).unwrap()).map_or_else(|problem| problem.status, |()| 200)
    }

    #[test]
    fn a_name_that_leads_here_is_not_ours() {
        let near = Places::new("127.0.0.1".parse().unwrap(), &["watchbell.example".parse().unwrap()]);
        for ours in ["127.0.0.1:8000", "127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:8000", "Watchbell.Example.:8443"]
        {
            assert_eq!(status(&near, "GET", &[("host", ours)]), 200, "{ours}");
        }
        for foreign in
            ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil.example"]
        {
            assert_eq!(status(&near, "GET", &[("host", foreign)]), 403, "{foreign}");
        }
        for none in [
            &[][..],
            &[("host", "")],
            &[("host", "a b")],
            &[("host", "localhost"), ("host", "evil.example")],
            &[("host", "x@localhost")],
        ] {
            assert_eq!(status(&near, "GET", none), 400, "{none:?}");
        }
        let far = Places::new("10.0.0.1".parse().unwrap(), &[]);
        assert_eq!(status(&far, "GET", &[("host", "10.0.0.1")]), 200);
        assert_eq!(status(&far, "GET", &[("host", "10.0.0.2")]), 403);
        let everywhere = Places::new("0.0.0.0".parse().unwrap(), &[]);
        assert_eq!(status(&everywhere, "GET", &[("host", "192.0.2.7:8000")]), 200);
        assert_eq!(status(&everywhere, "GET", &[("host", "evil.example")]), 403);
    }

    #[test]
    fn a_page_of_another_origin_changes_nothing() {
        let allowed = ["watchbell.example", "proxy.example:8443"].map(|name| name.parse().unwrap());
        let places = Places::new("0.0.0.0".parse().unwrap(), &allowed);
        let with = |method, more: &[(&str, &str)]| {
            let headers: Vec<_> = [("host", "192.0.2.7:8000")].iter().chain(more).copied().collect();
            status(&places, method, &headers)
        };
        for good in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://192.0.2.7:8000")],
            &[("origin", "https://watchbell.example")],
            &[("origin", "http://watchbell.example")],
            &[("origin", "https://watchbell.example:8000")],
            &[("origin", "https://proxy.example:8443")],
        ] {
            assert_eq!(with("POST", good), 200, "{good:?}");
        }
        for wrong in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "http://192.0.2.7:8000")],
            &[("origin", "null")],
            &[("origin", "http://evil.example")],
            &[("origin", "http://192.0.2.7:9000")],
            &[("origin", "http://192.0.2.7")],
            &[("origin", "")],
            &[("origin", "http://watchbell.example:3000")],
            &[("origin", "http://watchbell.example:8001")],
            &[("origin", "https://proxy.example")],
            &[("origin", "https://proxy.example:8000")],
        ] {
            for method in ["POST", "PUT", "PATCH", "DELETE", "ANYTHING"] {
                assert_eq!(with(method, wrong), 403, "{method} {wrong:?}");
            }
            assert_eq!(with("GET", wrong), 200, "{wrong:?}");
        }
    }
}
