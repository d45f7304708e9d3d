//! The two ways into Slack: an incoming webhook, and the Web API with a bot's token.

use serde::Serialize;
use url::Url;
use watchbell_sink::{
    ErrorKind, HttpUrl, Secret, SecretUrl, SinkError,
    http::{HttpClient, Method, Reply, header},
};

use crate::{
    answer::{self, Answer},
    wire::Message,
};

/// A way in.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// The address says which channel.
    Webhook(SecretUrl),
    /// The Web API.
    Bot { token: Secret, api: HttpUrl },
}

impl Door {
    /// What must not be repeated by errors.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Webhook(url) => vec![Secret::new(url.expose().path().to_owned())],
            Self::Bot { token, .. } => vec![token.clone()],
        }
    }

    pub(crate) fn url(&self) -> Url {
        match self {
            Self::Webhook(url) => url.expose().clone(),
            Self::Bot { api, .. } => api.url().clone(),
        }
    }
}

/// Slack.
#[derive(Debug)]
pub(crate) struct Api {
    http: HttpClient,
    door: Door,
}

/// Where a posted message is; webhooks don't say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) channel: String,
    pub(crate) ts: String,
}

/// What `chat.update` takes. Attachments that are left out stay as they are.
#[derive(Debug, Serialize)]
struct Update<'a> {
    channel: &'a str,
    ts: &'a str,
    text: &'a str,
    blocks: &'a [crate::wire::Block],
    parse: &'static str,
    link_names: bool,
}

impl Api {
    pub(crate) const fn new(http: HttpClient, door: Door) -> Self {
        Self { http, door }
    }

    pub(crate) const fn is_bot(&self) -> bool {
        matches!(self.door, Door::Bot { .. })
    }

    /// Posts a message that is JSON already.
    pub(crate) async fn post(&self, message: Vec<u8>) -> Result<Option<Place>, SinkError> {
        let Door::Bot { .. } = self.door else {
            answer::of_webhook(&self.send("", message).await?)?;
            return Ok(None);
        };
        let answer = answer::of_api(&self.send("chat.postMessage", message).await?)?;
        let channel = answer.channel.as_str().map(str::to_owned);
        Ok(channel.zip(answer.ts).map(|(channel, ts)| Place { channel, ts }))
    }

    /// Changes text and upper blocks of a message.
    pub(crate) async fn update(&self, place: &Place, message: &Message) -> Result<(), SinkError> {
        let (channel, ts, text, blocks) = (&*place.channel, &*place.ts, &*message.text, &*message.blocks);
        self.call("chat.update", &Update { channel, ts, text, blocks, parse: "none", link_names: false }).await?;
        Ok(())
    }

    /// Calls a method of the Web API.
    pub(crate) async fn call(&self, method: &str, arguments: &impl Serialize) -> Result<Answer, SinkError> {
        answer::of_api(&self.send(method, json(arguments)).await?)
    }

    /// Calls a method of the Web API that takes no JSON.
    pub(crate) async fn ask(&self, method: &str, arguments: &[(&str, &str)]) -> Result<Answer, SinkError> {
        let Door::Bot { token, api } = &self.door else {
            return Err(SinkError::new(ErrorKind::Config, "expected a token for the Web API"));
        };
        let mut url = api.join(method);
        url.query_pairs_mut().extend_pairs(arguments);
        answer::of_api(&self.http.send(self.http.request(Method::GET, url).bearer_auth(token.expose())).await?)
    }

    /// Sends JSON to the webhook, or to a method of the Web API.
    pub(crate) async fn send(&self, method: &str, body: Vec<u8>) -> Result<Reply, SinkError> {
        let request = match &self.door {
            Door::Webhook(url) => self.http.request(Method::POST, url.expose().clone()),
            Door::Bot { token, api } => self.http.request(Method::POST, api.join(method)).bearer_auth(token.expose()),
        };
        // Without the charset, Slack adds a warning to every answer.
        self.http.send(request.header(header::CONTENT_TYPE, "application/json; charset=utf-8").body(body)).await
    }
}

/// As JSON.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).expect("messages have text keys only")
}
