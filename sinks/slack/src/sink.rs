//! The four verbs of a Slack destination.
//!
//! Slack has no idempotency key: after a timeout nobody knows whether the message is there. It goes out again, because a
//! finding twice is better than none.

use std::{sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use watchbell_sink::{
    Batch, Delivery, ErrorKind, Finding, Limits, Memory, Payload, Receipt, Sink, SinkError, Steps, async_trait,
    reach::Target,
};

use crate::{
    answer,
    api::{self, Api},
    digest, layout, limits,
    thread::Thread,
    wire::{Block, Event, Message, Text},
};

/// Slack takes one message a second per channel, and bars apps that go on above it.
const PACE: Duration = Duration::from_secs(1);

/// What Slack says when the message to reply to was deleted.
const GONE: [&str; 2] = ["thread_not_found", "message_not_found"];

/// A Slack channel.
pub struct Slack {
    pub(crate) api: Api,
    /// `None` behind a proxy: the way there is the proxy's.
    pub(crate) target: Option<Target>,
    pub(crate) channel: Option<String>,
    pub(crate) digest_above: usize,
    pub(crate) repeat_window: Duration,
    pub(crate) budget: usize,
    pub(crate) memory: Arc<dyn Memory>,
}

impl std::fmt::Debug for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Slack").field("api", &self.api).field("channel", &self.channel).finish_non_exhaustive()
    }
}

#[async_trait]
impl Sink for Slack {
    fn limits(&self) -> Limits {
        Limits { pace: PACE, together_above: self.digest_above, ..Limits::new(digest::MOST, 1 << 20) }
    }

    fn encode(&self, finding: &Finding) -> Result<Payload, SinkError> {
        let message = layout::message(finding, self.channel.as_deref(), self.budget);
        let value = serde_json::to_value(&message).expect("messages have text keys only");
        match limits::violations(&value, self.budget).first() {
            None => Ok(Payload::json(api::json(&message))),
            Some(violation) => Err(SinkError::new(ErrorKind::Rejected, format!("no message for Slack: {violation}"))),
        }
    }

    async fn setup(&self, steps: &mut Steps) -> Result<(), SinkError> {
        steps.skipped("setup", "a channel needs nothing from this side");
        Ok(())
    }

    async fn check(&self, steps: &mut Steps) -> Result<(), SinkError> {
        match &self.target {
            Some(target) => target.reach(steps).await?,
            None => {
                steps.skipped("connection", "goes through the proxy");
            }
        }
        if self.api.is_bot() {
            self.check_token(steps).await?;
            self.check_channel(steps).await
        } else {
            self.check_webhook(steps).await
        }
    }

    async fn deliver(&self, batch: &Batch) -> Result<Receipt, SinkError> {
        match batch.deliveries() {
            [one] => self.deliver_one(one).await?,
            many => {
                let events: Vec<Event> = many.iter().map(event).collect::<Result<_, _>>()?;
                self.api.post(api::json(&digest::digest(&events, self.channel.clone()))).await?;
            }
        }
        Ok(batch.accepted())
    }
}

impl Slack {
    async fn deliver_one(&self, delivery: &Delivery) -> Result<(), SinkError> {
        if !self.api.is_bot() || self.repeat_window.is_zero() {
            self.api.post(delivery.payload.bytes().to_vec()).await?;
            return Ok(());
        }
        let (now, event) = (Timestamp::now(), event(delivery)?);
        if let Some(thread) = Thread::recall(&*self.memory, &event.group, self.repeat_window, now)
            && self.reply(thread, &event, delivery, now).await?
        {
            return Ok(());
        }
        if let Some(place) = self.api.post(delivery.payload.bytes().to_vec()).await? {
            Thread::started(place, now).keep(&*self.memory, &event.group);
        }
        Ok(())
    }

    /// Posts below the group's first message and counts there. `false`: that message is gone.
    async fn reply(
        &self,
        mut thread: Thread,
        event: &Event,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<bool, SinkError> {
        let place = thread.place();
        let mut message = message(delivery)?;
        message.channel = Some(place.channel.clone());
        message.thread_ts = Some(place.ts.clone());
        match self.api.post(api::json(&message)).await {
            Ok(_) => {}
            Err(error) if answer::refused_with(&error, &GONE) => return Ok(false),
            Err(error) => return Err(error),
        }
        thread.findings += 1;
        thread.keep(&*self.memory, &event.group);
        message.blocks.push(Block::Context { elements: vec![Text::plain(counted(thread.findings, now))] });
        // The finding is posted. That its count is not shown is no reason to post it again.
        if let Err(error) = self.api.update(&place, &message).await {
            tracing::warn!(kind = error.kind.name(), %error, "the count of repetitions is not shown");
        }
        Ok(true)
    }

    async fn check_webhook(&self, steps: &mut Steps) -> Result<(), SinkError> {
        // A message without text posts nothing: a hook that is alive says so, one that is gone says that.
        let reply = self.api.send("", b"{}".to_vec()).await?;
        let word = answer::word(&reply);
        if reply.status == 400 && answer::is_about_missing_text(&word) {
            steps.done("webhook").with("it is known to Slack; nothing was posted");
            return Ok(());
        }
        let Err(error) = answer::of_webhook(&reply) else {
            steps.warned("webhook", "check that the address is Slack's").with("took a message without any text");
            return Ok(());
        };
        let fix = match error.kind {
            ErrorKind::Auth | ErrorKind::Config => "make a new webhook for the channel in the app's settings",
            ErrorKind::Rejected => "look up the word in the page on Slack",
            ErrorKind::Throttled | ErrorKind::Unavailable => "try again later",
        };
        steps.failed("webhook", fix).with(&error.message);
        Err(error)
    }

    async fn check_token(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let reply = self.api.send("auth.test", b"{}".to_vec()).await?;
        let answer = answer::of_api(&reply).inspect_err(|error| {
            steps.failed("token", "copy the bot token of the installed app (`xoxb-...`)").with(&error.message);
        })?;
        let who = [answer.user, answer.team].map(Option::unwrap_or_default).join(" in ");
        steps.done("token").with(watchbell_sink::http::shown(&who));
        let scopes = reply.headers.get("x-oauth-scopes").and_then(|scopes| scopes.to_str().ok());
        match scopes.map(|scopes| scopes.split(',').any(|scope| scope.trim() == "chat:write")) {
            Some(true) => {
                steps.done("permission").with("chat:write");
                Ok(())
            }
            None => {
                steps.skipped("permission", "Slack names no scopes for this token");
                Ok(())
            }
            Some(false) => {
                let error = SinkError::new(ErrorKind::Config, "the token lacks the scope chat:write");
                steps.failed("permission", "add the scope to the app and install it again").with(&error.message);
                Err(error)
            }
        }
    }

    async fn check_channel(&self, steps: &mut Steps) -> Result<(), SinkError> {
        let Some(channel) = &self.channel else { return Ok(()) };
        // The method reads its arguments from a form only.
        let answer = match self.api.ask("conversations.info", &[("channel", channel.as_str())]).await {
            Ok(answer) => answer,
            Err(error) if answer::refused_with(&error, &["missing_scope"]) => {
                steps.skipped("channel", "the token may not look (channels:read); the first message will tell");
                return Ok(());
            }
            Err(error) => {
                let fix = "give the channel's id (its details show it), and invite the bot with `/invite`";
                steps.failed("channel", fix).with(&error.message);
                return Err(error);
            }
        };
        let is = |what: &str| answer.channel[what] == json!(true);
        if is("is_archived") {
            let error = SinkError::new(ErrorKind::Config, "the channel is archived");
            steps.failed("channel", "take another channel, or bring it back").with(&error.message);
            return Err(error);
        }
        match answer.channel["is_member"] == json!(false) {
            true => steps.warned("channel", "invite the bot with `/invite`").with("the bot is not a member"),
            false => steps.done("channel").with("the bot is a member"),
        };
        Ok(())
    }
}

/// What the payload of a delivery says about its finding.
fn event(delivery: &Delivery) -> Result<Event, SinkError> {
    let metadata = message(delivery)?.metadata;
    let event = metadata.map(|metadata| metadata.event_payload);
    event.ok_or_else(|| {
        SinkError::new(ErrorKind::Rejected, "expected a message of this sink, found one without metadata")
    })
}

fn message(delivery: &Delivery) -> Result<Message, SinkError> {
    serde_json::from_slice(delivery.payload.bytes())
        .map_err(|error| SinkError::new(ErrorKind::Rejected, format!("expected a message of this sink: {error}")))
}

fn counted(findings: u64, now: Timestamp) -> String {
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC");
    format!("{findings} findings of this kind, the last one sent {time}; see the thread")
}
