//! What Slack's answers mean. The Web API refuses with 200 and `ok: false`; webhooks with a status and one word.
//!
//! A word that stands in no table is about the message: it goes to the dead letters, from where it can be replayed. Holding
//! everything back for it would let one odd log line silence the channel.

use std::fmt;

use serde::Deserialize;
use watchbell_sink::{
    ErrorKind, SinkError,
    http::{Reply, shown},
};

/// The word that Slack refused with, as the cause of the error.
#[derive(Debug)]
struct Word(String);

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl std::error::Error for Word {}

/// Whether an error is Slack's refusal with one of these words.
pub(crate) fn refused_with(error: &SinkError, words: &[&str]) -> bool {
    let cause = error.source.as_deref().and_then(|cause| cause.downcast_ref::<Word>());
    cause.is_some_and(|word| words.contains(&word.0.as_str()))
}

/// An answer of the Web API, as far as it is of interest.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    pub(crate) ok: bool,
    pub(crate) error: Option<String>,
    /// The message's id within its channel.
    pub(crate) ts: Option<String>,
    /// The channel's id, or the channel itself.
    pub(crate) channel: serde_json::Value,
    pub(crate) team: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) needed: Option<String>,
    response_metadata: ResponseMetadata,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
struct ResponseMetadata {
    messages: Vec<String>,
}

/// What a word is about (docs.slack.dev: chat.postMessage, chat.update, auth.test, sending messages using incoming webhooks).
fn kind_of(word: &str) -> Option<ErrorKind> {
    Some(match word {
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "invalid_token"
        | "no_active_hooks"
        | "no_service"
        | "no_team"
        | "org_login_required"
        | "two_factor_setup_required" => ErrorKind::Auth,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "channel_is_archived"
        | "missing_scope"
        | "no_permission"
        | "not_allowed_token_type"
        | "restricted_action"
        | "restricted_action_read_only_channel"
        | "restricted_action_thread_only_channel"
        | "restricted_action_non_threadable_channel"
        | "restricted_action_thread_locked"
        | "action_prohibited"
        | "posting_to_general_channel_denied"
        | "ekm_access_denied"
        | "enterprise_is_restricted"
        | "team_access_not_granted"
        | "access_denied"
        | "messages_tab_disabled"
        | "user_not_found"
        | "cannot_reply_to_message"
        | "slack_connect_canvas_sharing_blocked"
        | "team_disabled"
        | "unknown_method"
        | "method_deprecated"
        | "deprecated_endpoint"
        | "accesslimited" => ErrorKind::Config,
        "invalid_blocks"
        | "invalid_blocks_format"
        | "invalid_attachments"
        | "invalid_metadata_format"
        | "invalid_metadata_schema"
        | "metadata_too_large"
        | "metadata_must_be_sent_from_app"
        | "msg_too_long"
        | "msg_blocks_too_long"
        | "too_many_attachments"
        | "too_many_contact_cards"
        | "no_text"
        | "missing_text_or_fallback_or_attachments"
        | "invalid_payload"
        | "invalid_json"
        | "json_not_object"
        | "invalid_charset"
        | "invalid_arguments"
        | "as_user_not_supported"
        | "duplicate_message_not_allowed" => ErrorKind::Rejected,
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => ErrorKind::Throttled,
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "rollup_error"
        | "team_added_to_org"
        | "external_channel_migrating" => ErrorKind::Unavailable,
        _ => return None,
    })
}

/// Reads an answer of the Web API.
pub(crate) fn of_api(reply: &Reply) -> Result<Answer, SinkError> {
    if !reply.is_success() {
        let word = serde_json::from_slice::<Answer>(&reply.body).ok().and_then(|answer| answer.error);
        return Err(by_word_or_status(reply, word.as_deref()));
    }
    let answer: Answer = reply.json()?;
    if answer.ok { Ok(answer) } else { Err(refusal(reply, &answer)) }
}

/// Reads an answer of a webhook: `ok`, and nothing else, says that the message is posted.
pub(crate) fn of_webhook(reply: &Reply) -> Result<(), SinkError> {
    if !reply.is_success() {
        return Err(by_word_or_status(reply, Some(word(reply).as_str())));
    }
    let said_ok = |answer: Answer| answer.ok;
    match word(reply) == "ok" || serde_json::from_slice::<Answer>(&reply.body).is_ok_and(said_ok) {
        true => Ok(()),
        false => {
            let message = format!("expected `ok` from Slack, found {}", reply.excerpt());
            Err(SinkError::new(ErrorKind::Unavailable, message).with_status(reply.status))
        }
    }
}

/// The one word that a webhook answers with.
pub(crate) fn word(reply: &Reply) -> String {
    String::from_utf8_lossy(&reply.body[..reply.body.len().min(80)]).trim().to_owned()
}

/// Whether a message was refused for having no text, and for nothing else.
pub(crate) fn is_about_missing_text(word: &str) -> bool {
    matches!(word, "no_text" | "missing_text_or_fallback_or_attachments")
}

fn refusal(reply: &Reply, answer: &Answer) -> SinkError {
    let word = answer.error.as_deref().unwrap_or("no reason");
    let kind = kind_of(word).unwrap_or(ErrorKind::Rejected);
    let mut message = format!("Slack refuses: {word}");
    if let Some(scope) = &answer.needed {
        message.push_str(&format!(" (expected the scope {scope})"));
    }
    for detail in answer.response_metadata.messages.iter().take(3) {
        message.push_str(&format!("; {detail}"));
    }
    let error = SinkError::new(kind, shown(&message)).with_status(reply.status).with_source(Word(word.to_owned()));
    with_wait(error, reply)
}

/// 429 is what it says, whatever the word; other words know more than their status.
fn by_word_or_status(reply: &Reply, word: Option<&str>) -> SinkError {
    match word.and_then(kind_of) {
        Some(kind) if reply.status != 429 => reply.error_of(kind),
        _ => reply.error(),
    }
}

fn with_wait(error: SinkError, reply: &Reply) -> SinkError {
    match reply.retry_after() {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    }
}
