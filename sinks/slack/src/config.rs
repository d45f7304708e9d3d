//! The options of a Slack sink, and what they build. A webhook or a bot's token: never both, so that nobody wonders which
//! of them a message took.

use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;
use watchbell_sink::{
    ConfigError, Context, HttpUrl, Secret, SecretUrl, SinkConfig, Tls,
    http::{HttpClient, HttpOptions},
    reach::Target,
};

use crate::{
    api::{Api, Door},
    digest,
    sink::Slack,
};

/// A digest of twenty titles full of escapes still fits into this.
const SMALLEST_BUDGET: usize = 5000;
/// Slack has refused messages from about here on.
const LARGEST_BUDGET: usize = 11_000;

/// Findings as Slack messages. Give `webhook_url`, or `token` and `channel`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SlackConfig {
    /// The address of an incoming webhook. It is a secret: whoever has it can post.
    pub webhook_url: Option<SecretUrl>,
    /// A bot's token, `xoxb-...`, with the scope `chat:write`. With it, repetitions go into a thread.
    pub token: Option<Secret>,
    /// The channel's id, for example `C0123456789` (its details show it); needed with `token`. The bot must be a member.
    pub channel: Option<String>,
    /// Where the Web API is, for `token`. Default: `https://slack.com/api`.
    pub api_url: Option<HttpUrl>,
    /// When more findings than this wait, they go together in one message.
    #[serde(default = "digest_above")]
    pub digest_above: usize,
    /// For so long, findings of the same threat type about the same entity go into the thread of the first. 0: never.
    /// Needs `token`.
    #[serde(default = "repeat_window_secs")]
    pub repeat_window_secs: u32,
    /// The longest message, in characters of its blocks as JSON, 5000 to 11000. Slack names no limit for the sum and
    /// refuses from about 11000.
    #[serde(default = "budget_chars")]
    pub budget_chars: usize,
    /// The proxy to go through; without one, what the environment says.
    pub proxy: Option<SecretUrl>,
    /// Authorities to trust beside the system's, for proxies that look into TLS.
    pub tls: Option<Tls>,
}

const fn digest_above() -> usize {
    5
}

const fn repeat_window_secs() -> u32 {
    3600
}

const fn budget_chars() -> usize {
    9000
}

impl SinkConfig for SlackConfig {
    const TYPE: &'static str = "slack";
    const EXAMPLE: &'static str = r#"token = "${SLACK_BOT_TOKEN:-xoxb-example}"  # or: webhook_url = "https://hooks.slack.com/services/..."
channel = "C0123456789"                     # the channel's id
digest_above = 5                            # more than this at a time go as one message
"#;
    type Sink = Slack;

    fn build(self, context: &Context) -> Result<Slack, ConfigError> {
        if !(SMALLEST_BUDGET..=LARGEST_BUDGET).contains(&self.budget_chars) {
            let expected = format!("expected {SMALLEST_BUDGET} to {LARGEST_BUDGET}");
            return Err(ConfigError::new("budget_chars", expected));
        }
        if self.digest_above >= digest::MOST {
            return Err(ConfigError::new("digest_above", format!("expected less than {}", digest::MOST)));
        }
        let door = self.door()?;
        let options = HttpOptions {
            tls: self.tls.as_ref(),
            proxy: self.proxy.as_ref(),
            public_only: false,
            secrets: door.secrets(),
        };
        let http = HttpClient::new(context, options)?;
        let tls = self.tls.clone().unwrap_or_default();
        let target = match self.proxy {
            Some(_) => None,
            None => Some(Target::of_url(&door.url(), &tls, context.timeout)?),
        };
        Ok(Slack {
            api: Api::new(http, door),
            target,
            channel: self.channel,
            digest_above: self.digest_above,
            repeat_window: Duration::from_secs(self.repeat_window_secs.into()),
            budget: self.budget_chars,
            memory: context.memory.clone(),
        })
    }
}

impl SlackConfig {
    fn door(&self) -> Result<Door, ConfigError> {
        match (&self.webhook_url, &self.token) {
            (Some(_), Some(_)) => Err(ConfigError::new("token", "expected either webhook_url or token, not both")),
            (None, None) => Err(ConfigError::new("webhook_url", "expected it, or token and channel")),
            (Some(url), None) => {
                let without = |given: bool, key: &str| match given {
                    true => Err(ConfigError::new(key, "belongs to token; a webhook knows where it posts")),
                    false => Ok(()),
                };
                without(self.channel.is_some(), "channel")?;
                without(self.api_url.is_some(), "api_url")?;
                Ok(Door::Webhook(url.clone()))
            }
            (None, Some(token)) => {
                let channel = self.channel.as_deref().unwrap_or_default().trim();
                if channel.is_empty() {
                    return Err(ConfigError::new("channel", "expected the channel's id, for example `C0123456789`"));
                }
                let token = Secret::new(token.expose().trim().to_owned());
                if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(ConfigError::new("token", "expected a token like `xoxb-...`"));
                }
                let usual = || "https://slack.com/api".parse().expect("the address of the Web API is one");
                Ok(Door::Bot { token, api: self.api_url.clone().unwrap_or_else(usual) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(options: &str) -> Result<Slack, String> {
        let config: SlackConfig = toml::from_str(options).map_err(|error| error.message().to_owned())?;
        config.build(&Context::new("soc")).map_err(|error| error.to_string())
    }

    #[test]
    fn one_way_in_and_only_one() {
        assert!(built("token = 'xoxb-1'\nchannel = 'C1'").is_ok());
        assert!(built("webhook_url = 'https://hooks.slack.com/services/T/B/x'").is_ok());
        for (options, expected) in [
            ("", "webhook_url: expected it, or token and channel"),
            ("token = 'xoxb-1'", "channel: expected the channel's id"),
            ("token = 'xoxb 1'\nchannel = 'C1'", "token: expected a token"),
            ("webhook_url = 'https://h/x'\ntoken = 'xoxb-1'", "token: expected either"),
            ("webhook_url = 'https://h/x'\nchannel = 'C1'", "channel: belongs to token"),
            ("webhook_url = 'https://h/x'\napi_url = 'https://h'", "api_url: belongs to token"),
            ("webhook_url = 'https://h/x'\nbudget_chars = 100", "budget_chars: expected 5000 to 11000"),
            ("webhook_url = 'https://h/x'\ndigest_above = 20", "digest_above: expected less than 20"),
            ("webhook_url = 'https://h/x'\nurl = 'y'", "unknown field `url`"),
        ] {
            let error = built(options).err().unwrap_or_else(|| panic!("{options} builds"));
            assert!(error.contains(expected), "{options}: {error}");
        }
    }
}
