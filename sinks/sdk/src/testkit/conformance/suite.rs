//! What the suite has to know about a sink: how to point it somewhere, and how its destination speaks.

use std::fmt;

use crate::{
    error::ErrorKind,
    testkit::server::{Answer, Request},
};

/// A sink and its destination, described for the suite.
pub struct Suite {
    pub(super) options: Box<dyn Fn(&str) -> String>,
    pub(super) accepts: fn(&Request) -> Answer,
    pub(super) refuses: fn(u16, &Request) -> Answer,
    pub(super) delivers: fn(&Request) -> bool,
    pub(super) kinds: Vec<(u16, ErrorKind)>,
    pub(super) partials: Vec<Partial>,
    pub(super) varies: Vec<String>,
    pub(super) secrets: Vec<String>,
    pub(super) variables: Vec<(String, String)>,
    pub(super) reaches_only: bool,
    pub(super) keyless: bool,
    pub(super) follows_redirects: bool,
}

/// A batch of which not everything is taken.
pub(super) struct Partial {
    pub(super) name: &'static str,
    pub(super) answer: fn(&Request) -> Answer,
    pub(super) expected: Vec<Expected>,
}

/// The verdict that is expected of one delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// It arrived.
    Delivered,
    /// It was taken and waits for an acknowledgement.
    Accepted,
    /// It did not arrive.
    Failed(ErrorKind),
    /// Another one of the batch was at fault.
    Undecided,
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").finish_non_exhaustive()
    }
}

impl Suite {
    /// A sink that speaks HTTP.
    ///
    /// `options` gives its options in TOML for a destination at `http://{address}`; `accepts` is how the destination
    /// answers when all is well, whatever is asked: tokens, health, templates, deliveries.
    pub fn http(options: impl Fn(&str) -> String + 'static, accepts: fn(&Request) -> Answer) -> Self {
        Self {
            options: Box::new(options),
            accepts,
            refuses: |status, _| Answer::json(status, r#"{"message":"refused by the conformance suite"}"#),
            delivers: |request| request.method == "POST" || request.method == "PUT",
            kinds: Vec::new(),
            partials: Vec::new(),
            varies: Vec::new(),
            secrets: Vec::new(),
            variables: Vec::new(),
            reaches_only: false,
            keyless: false,
            follows_redirects: false,
        }
    }

    /// A sink that writes bytes to a TCP `address` and expects no answer.
    pub fn stream(options: impl Fn(&str) -> String + 'static) -> Self {
        Self::http(options, |_| Answer::status(500))
    }

    /// A sink without a network; it is given the path of a file that it may write.
    pub fn local(options: impl Fn(&str) -> String + 'static) -> Self {
        Self::http(options, |_| Answer::status(500))
    }

    /// A credential that stands in the options. It must appear in no error, log or step. Give every spelling that goes over
    /// the wire, for example that of basic authentication too.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secrets.push(secret.into());
        self
    }

    /// Which requests deliver. Without it: every POST and PUT. What is none of them gets `accepts` while deliveries are
    /// refused, so that a token can be fetched; and `check` must send none.
    #[must_use]
    pub fn delivers(mut self, delivers: fn(&Request) -> bool) -> Self {
        self.delivers = delivers;
        self
    }

    /// How the destination words a refusal with this status, where the words decide.
    #[must_use]
    pub fn refuses(mut self, refuses: fn(u16, &Request) -> Answer) -> Self {
        self.refuses = refuses;
        self
    }

    /// A status that means something else here than in [`ErrorKind::from_status`].
    #[must_use]
    pub fn kind(mut self, status: u16, kind: ErrorKind) -> Self {
        self.kinds.push((status, kind));
        self
    }

    /// A batch of as many deliveries as verdicts are expected, and the answer that brings them. A sink that takes more than
    /// one delivery at a time has at least one.
    #[must_use]
    pub fn partial(mut self, name: &'static str, answer: fn(&Request) -> Answer, expected: &[Expected]) -> Self {
        self.partials.push(Partial { name, answer, expected: expected.to_vec() });
        self
    }

    /// A header that may differ between two attempts, for example `webhook-timestamp`.
    #[must_use]
    pub fn varies(mut self, header: &str) -> Self {
        self.varies.push(header.to_ascii_lowercase());
        self
    }

    /// The value of a variable (`${NAME}`) or of a file (`token_file`) that the example names, where not any text will do.
    #[must_use]
    pub fn variable(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// `check` asks the destination nothing, because nothing can be asked there without delivering.
    #[must_use]
    pub fn reaches_only(mut self) -> Self {
        self.reaches_only = true;
        self
    }

    /// The destination takes no key, so that a finding's id need not be in the request.
    #[must_use]
    pub fn keyless(mut self) -> Self {
        self.keyless = true;
        self
    }

    /// The sink is bound to a client that follows redirects whatever it is told. What a redirect led to is an error still.
    #[must_use]
    pub fn follows_redirects(mut self) -> Self {
        self.follows_redirects = true;
        self
    }
}
