//! The gate: credentials in, the caller out.
//!
//! It is open only while there is neither a key nor a token that anybody could show, and then only to callers on the same
//! machine, unless the operator says otherwise in so many words.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
};

use jiff::Timestamp;

use super::{
    KeyError, Scope, Scopes,
    key::PREFIX,
    ring::Ring,
    token::{TokenError, Tokens},
};
use crate::config::ServePlan;

/// The name of callers whom nobody asks who they are.
const ANONYMOUS: &str = "anonymous";
/// What the name of a caller with a token begins with; the id of a key is hex.
pub(super) const TOKEN: &str = "jwt:";

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// As it stands in the audit log and in decisions about findings: a key's id, `jwt:` and a token's subject, or
    /// `anonymous`.
    pub name: String,
    /// What they may do.
    pub scopes: Scopes,
}

impl Caller {
    fn anonymous() -> Self {
        Self { name: ANONYMOUS.to_owned(), scopes: Scopes::all() }
    }
}

/// What a request brings along to say who asks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Credentials<'a> {
    /// What stands after `Bearer`: a key or a token.
    pub bearer: Option<&'a str>,
    /// What stands in `X-API-Key`.
    pub api_key: Option<&'a str>,
}

impl<'a> Credentials<'a> {
    /// What stands in the headers `Authorization` and `X-API-Key`. Another scheme than `Bearer` brings credentials too, and
    /// none that are valid here.
    #[must_use]
    pub fn of_headers(authorization: Option<&'a str>, api_key: Option<&'a str>) -> Self {
        let bearer = authorization.map(|value| match value.split_once(' ') {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
            _ => value,
        });
        Self { bearer, api_key }
    }

    /// The text that counts; an empty one is none. Two that differ are refused, for nobody could say who asks.
    fn text(self) -> Result<&'a str, Refusal> {
        match (self.bearer, self.api_key) {
            (Some(bearer), Some(key)) if bearer != key => Err(Refusal::Invalid),
            (bearer, key) => bearer.or(key).filter(|text| !text.is_empty()).ok_or(Refusal::Missing),
        }
    }
}

/// Why somebody may not ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There are no credentials.
    #[error("expected an API key or a token")]
    Missing,
    /// They are wrong, over or revoked; it is not told which.
    #[error("the API key or token is not valid")]
    Invalid,
    /// Nobody is asked who they are, and this one comes from another machine.
    #[error(
        "nobody is asked here who they are, so only callers on the same machine are let in; \
         `watchbell keys create` makes an API key for others"
    )]
    Far,
    /// The caller may not do this.
    #[error("expected the scope `{0}`")]
    Scope(Scope),
    /// The keys that tokens are signed with can't be had, so nobody can say whether this one is valid.
    #[error("tokens can't be checked at the moment; the log says why")]
    Unavailable,
}

/// Why there is no gate.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The API keys can't be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// Tokens can't be checked.
    #[error(transparent)]
    Tokens(#[from] TokenError),
    /// Everybody on the network could do everything.
    #[error(
        "{address} can be reached from other machines{reach}, and nobody is asked who they are: make an API key with \
         `watchbell keys create --name NAME --scope admin`, or set `jwt_jwks`, `jwt_issuer` and `jwt_audience` under \
         [serve], or {}, or let everybody do everything with --insecure",
        reach.remedy()
    )]
    Unguarded {
        /// Where it was to listen.
        address: SocketAddr,
        /// How others get there.
        reach: Reach,
    },
}

/// How requests from other machines get here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The address itself is not loopback.
    Address,
    /// Through a proxy, which the configuration believes.
    Proxy,
    /// Under names of this server that the configuration allows: nobody needs one on the same machine.
    Name,
}

impl Reach {
    /// `None` when only callers on the same machine get here.
    fn of(plan: &ServePlan) -> Option<Self> {
        if !plan.listen.ip().to_canonical().is_loopback() {
            Some(Self::Address)
        } else if !plan.trusted_proxies.is_empty() {
            Some(Self::Proxy)
        } else if !plan.allowed_hosts.is_empty() {
            Some(Self::Name)
        } else {
            None
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Address => "listen on 127.0.0.1",
            Self::Proxy => "take `trusted_proxies` out",
            Self::Name => "take `allowed_hosts` out",
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Address => "",
            Self::Proxy => " through a proxy (there are `trusted_proxies` under [serve])",
            Self::Name => " under another name (there are `allowed_hosts` under [serve])",
        })
    }
}

/// Whom an open gate lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OpenTo {
    SameMachine,
    Everybody,
}

/// Says who asks.
#[derive(Debug)]
pub struct Gate {
    ring: Ring,
    tokens: Option<Tokens>,
    open_to: OpenTo,
}

impl Gate {
    /// The gate that the configuration asks for. `insecure` allows what is otherwise refused: to let everybody do
    /// everything from other machines. It opens nothing where there are keys or tokens.
    ///
    /// # Errors
    /// Keys or tokens can't be read, or everybody on the network could do everything.
    pub fn new(plan: &ServePlan, insecure: bool) -> Result<Self, GateError> {
        let ring = Ring::open(&plan.keys_file)?;
        let tokens = plan.tokens.as_ref().map(Tokens::new).transpose()?;
        let open_to = if insecure { OpenTo::Everybody } else { OpenTo::SameMachine };
        let gate = Self { ring, tokens, open_to };
        let address = plan.listen;
        if gate.is_open() || !gate.can_be_passed() {
            let reach = Reach::of(plan);
            if let Some(reach) = reach.filter(|_| !insecure) {
                return Err(GateError::Unguarded { address, reach });
            }
            if !gate.is_open() {
                tracing::warn!("no API key is valid any more, so nobody can log in; `watchbell keys create` makes one");
            } else if reach.is_some() {
                tracing::warn!(%address, "INSECURE: everybody who reaches this address can do everything, unasked");
            }
        }
        Ok(gate)
    }

    /// Whether nobody is asked who they are. Making the first key changes that at once.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.tokens.is_none() && !self.ring.is_used()
    }

    fn can_be_passed(&self) -> bool {
        self.tokens.is_some() || self.ring.has_valid(Timestamp::now())
    }

    /// Who asks, at this time, from this address: as far as anybody can tell, the one where the request was made first.
    ///
    /// # Errors
    /// The credentials are missing or not valid; or nobody is asked for any, and the address is that of another machine.
    pub async fn admit(&self, credentials: Credentials<'_>, from: IpAddr, now: Timestamp) -> Result<Caller, Refusal> {
        if self.is_open() {
            // A proxy on the same machine makes loopback reachable from everywhere, and no configuration tells of it.
            let is_let_in = self.open_to == OpenTo::Everybody || from.to_canonical().is_loopback();
            return if is_let_in { Ok(Caller::anonymous()) } else { Err(Refusal::Far) };
        }
        let text = credentials.text()?;
        match &self.tokens {
            _ if text.starts_with(PREFIX) => self.ring.admit(text, now),
            Some(tokens) => tokens.admit(text, now).await,
            None => Err(Refusal::Invalid),
        }
    }

    /// Whether it costs the check of a signature to say who asks, and nobody knows yet that the token is worth it: whoever
    /// showed many that were not is asked to wait before.
    #[must_use]
    pub fn is_unproven(&self, credentials: Credentials<'_>) -> bool {
        let Some(tokens) = &self.tokens else { return false };
        credentials.text().is_ok_and(|text| !text.starts_with(PREFIX) && !tokens.is_known(text))
    }

    /// The same for API keys alone: a token ends when its issuer says, so it opens no session.
    ///
    /// # Errors
    /// The key is missing or not valid.
    pub fn admit_key(&self, credentials: Credentials<'_>, now: Timestamp) -> Result<Caller, Refusal> {
        let text = credentials.text()?;
        self.ring.admit(text, now)
    }

    /// Somebody who came in with the API key of this id before and was remembered since.
    ///
    /// # Errors
    /// The key is gone, over or revoked by now.
    pub fn admit_again(&self, id: &str, now: Timestamp) -> Result<Caller, Refusal> {
        self.ring.admit_again(id, now)
    }

    /// Whether somebody who was let in may still do this, for answers that go on for long. When a token ends is not
    /// known here any more, so an answer must not go on for much longer than a token lasts.
    #[must_use]
    pub fn still_allows(&self, caller: &Caller, scope: Scope, now: Timestamp) -> bool {
        if caller.name == ANONYMOUS {
            return self.is_open();
        }
        if caller.name.starts_with(TOKEN) {
            return self.tokens.is_some();
        }
        self.admit_again(&caller.name, now).is_ok_and(|caller| caller.scopes.allow(scope))
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, num::NonZeroUsize, path::Path};

    use secrecy::ExposeSecret;

    use super::*;
    use crate::{
        access::{KeyFile, KeyRequest},
        config::{Plan, Settings},
    };

    const NEAR: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn plan(folder: &Path, listen: &str) -> ServePlan {
        let mut plan = Plan::new(Settings::default(), NonZeroUsize::MIN).unwrap().serve;
        plan.listen = listen.parse().unwrap();
        plan.keys_file = folder.join("keys.json");
        plan
    }

    fn key(plan: &ServePlan) -> (String, String) {
        let request = KeyRequest { name: "soc".to_owned(), scopes: Scopes::all(), expires: None };
        let key = KeyFile::at(&plan.keys_file).create(request, Timestamp::now()).unwrap();
        (key.card.id, key.secret.expose_secret().to_owned())
    }

    #[tokio::test]
    async fn without_keys_it_is_open_on_loopback_only() {
        let folder = tempfile::tempdir().unwrap();
        for near in ["127.0.0.1:0", "127.9.9.9:0", "[::1]:0", "[::ffff:127.0.0.1]:0"] {
            let gate = Gate::new(&plan(folder.path(), near), false).unwrap();
            let ask = |from: &str| gate.admit(Credentials::default(), from.parse().unwrap(), Timestamp::now());
            for same in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
                assert_eq!(ask(same).await.unwrap().name, "anonymous");
            }
            // As a proxy on the same machine tells it.
            for other in ["203.0.113.9", "2001:db8::1", "::"] {
                assert_eq!(ask(other).await, Err(Refusal::Far));
            }
        }
        for far in ["0.0.0.0:0", "10.0.0.1:80", "[::]:0", "[2001:db8::1]:0"] {
            let error = Gate::new(&plan(folder.path(), far), false).unwrap_err().to_string();
            for fix in ["watchbell keys create", "jwt_jwks", "127.0.0.1", "--insecure"] {
                assert!(error.contains(fix), "{error}");
            }
            let gate = Gate::new(&plan(folder.path(), far), true).unwrap();
            let from = "203.0.113.9".parse().unwrap();
            assert!(gate.is_open() && gate.admit(Credentials::default(), from, Timestamp::now()).await.is_ok());
        }
    }

    #[test]
    fn behind_a_proxy_loopback_is_not_near() {
        let folder = tempfile::tempdir().unwrap();
        let near = plan(folder.path(), "127.0.0.1:0");
        let proxy = ServePlan { trusted_proxies: vec!["127.0.0.1/32".parse().unwrap()], ..near.clone() };
        let name = ServePlan { allowed_hosts: vec!["watchbell.example".parse().unwrap()], ..near };
        for (plan, why) in [(proxy, "trusted_proxies"), (name, "allowed_hosts")] {
            let error = Gate::new(&plan, false).unwrap_err().to_string();
            for part in [why, "other machines", "watchbell keys create", "--insecure"] {
                assert!(error.contains(part), "{error}");
            }
            assert!(Gate::new(&plan, true).unwrap().is_open());
            key(&plan);
            assert!(Gate::new(&plan, false).is_ok());
            std::fs::remove_file(&plan.keys_file).unwrap();
        }
    }

    #[tokio::test]
    async fn who_was_let_in_is_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), "127.0.0.1:0");
        let gate = Gate::new(&plan, false).unwrap();
        let now = Timestamp::now();
        let may = |caller: &Caller| gate.still_allows(caller, Scope::FindingsRead, now);
        let anonymous = gate.admit(Credentials::default(), NEAR, now).await.unwrap();
        assert!(may(&anonymous));
        let (id, text) = key(&plan);
        assert!(!may(&anonymous), "the first key closes the gate");
        let caller = gate.admit(Credentials { bearer: Some(&text), api_key: None }, NEAR, now).await.unwrap();
        assert!(may(&caller));
        KeyFile::at(&plan.keys_file).revoke(&id, now).unwrap();
        assert!(!may(&caller));
        assert!(!may(&Caller { name: "jwt:ada".to_owned(), scopes: Scopes::all() }), "no tokens are taken here");
    }

    #[tokio::test]
    async fn with_a_key_there_is_no_anonymous_not_even_insecurely() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), "0.0.0.0:0");
        let (id, text) = key(&plan);
        for insecure in [false, true] {
            let gate = Gate::new(&plan, insecure).unwrap();
            let ask = |bearer, api_key| gate.admit(Credentials { bearer, api_key }, NEAR, Timestamp::now());
            assert_eq!(ask(None, None).await, Err(Refusal::Missing));
            assert_eq!(ask(Some(""), None).await, Err(Refusal::Missing));
            assert_eq!(ask(Some("wbk_"), None).await, Err(Refusal::Invalid));
            assert_eq!(ask(Some("a.b.c"), None).await, Err(Refusal::Invalid));
            assert_eq!(ask(Some(&text), None).await.unwrap().name, id);
            assert_eq!(ask(None, Some(&text)).await.unwrap().name, id);
            assert_eq!(ask(Some(&text), Some(&text)).await.unwrap().name, id);
            assert_eq!(ask(Some(&text), Some("another")).await, Err(Refusal::Invalid));
            assert_eq!(ask(Some(&text), Some("")).await, Err(Refusal::Invalid));
        }
    }

    #[test]
    fn only_a_bearer_is_taken_out_of_its_header() {
        let bearer = |header| Credentials::of_headers(Some(header), None).bearer.unwrap();
        assert_eq!(
            [bearer("Bearer a"), bearer("bEARER  a "), bearer("Basic a"), bearer("a")],
            ["a", "a", "Basic a", "a"]
        );
        assert!(Credentials::of_headers(None, Some("a")).bearer.is_none());
    }

    #[tokio::test]
    async fn the_first_key_closes_an_open_gate() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), "127.0.0.1:0");
        let gate = Gate::new(&plan, false).unwrap();
        assert!(gate.is_open());
        key(&plan);
        assert_eq!(gate.admit(Credentials::default(), NEAR, Timestamp::now()).await, Err(Refusal::Missing));
    }

    #[test]
    fn keys_that_are_all_over_guard_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let plan = plan(folder.path(), "0.0.0.0:0");
        let (id, _) = key(&plan);
        KeyFile::at(&plan.keys_file).revoke(&id, Timestamp::now()).unwrap();
        assert!(matches!(Gate::new(&plan, false), Err(GateError::Unguarded { .. })));
        // Still nobody is let in.
        assert!(!Gate::new(&plan, true).unwrap().is_open());
    }
}
