//! A message in Slack's order and spelling: `chat.postMessage` and Block Kit (docs.slack.dev, reference/block-kit).
//!
//! What a payload holds can be read back: the sink makes digests and threads from its own payloads.

use serde::{Deserialize, Serialize};

/// A message, as `chat.postMessage` and incoming webhooks take it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Where to; a webhook knows that itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The message that this one is a reply to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_ts: Option<String>,
    /// What notifications show instead of the blocks.
    pub text: String,
    /// Above the color bar.
    pub blocks: Vec<Block>,
    /// Beside the color bar.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// What other programs may read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// How the text is read.
    #[serde(flatten)]
    pub reading: Reading,
}

/// Everything switched off that would make something of plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Whether `text` is formatted.
    pub mrkdwn: bool,
    /// Whether names and addresses in `text` become links.
    pub parse: String,
    /// Whether names of groups become links.
    pub link_names: bool,
    /// Whether linked pages are shown.
    pub unfurl_links: bool,
    /// Whether linked media are shown.
    pub unfurl_media: bool,
}

impl Default for Reading {
    fn default() -> Self {
        Self { mrkdwn: false, parse: "none".to_owned(), link_names: false, unfurl_links: false, unfurl_media: false }
    }
}

/// Blocks with a color bar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// `#rrggbb`.
    pub color: String,
    /// What is shown where blocks can't be.
    pub fallback: String,
    /// What stands beside the bar.
    pub blocks: Vec<Block>,
}

/// A part of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    /// Large text.
    Header {
        /// Plain.
        text: Text,
    },
    /// Text, fields in two columns, or both.
    Section {
        /// The text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Text>,
        /// The fields.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        fields: Vec<Text>,
    },
    /// Small text.
    Context {
        /// Side by side.
        elements: Vec<Text>,
    },
}

/// A text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Text {
    /// Shown as it is: neither markup nor mentions nor links.
    PlainText {
        /// The text.
        text: String,
        /// Whether `:names:` become pictures.
        emoji: bool,
    },
    /// With markup.
    Mrkdwn {
        /// The text.
        text: String,
        /// Whether addresses and names are left as they are.
        verbatim: bool,
    },
}

impl Text {
    /// Shown as it is.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::PlainText { text: text.into(), emoji: false }
    }

    /// With markup; addresses and names in it stay text.
    pub fn marked(text: impl Into<String>) -> Self {
        Self::Mrkdwn { text: text.into(), verbatim: true }
    }
}

/// What other programs may read from a message, and the sink from its payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    /// The type of event.
    pub event_type: String,
    /// The event; Slack takes texts, numbers and truth values.
    pub event_payload: Event,
}

/// The finding behind a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The finding's id.
    pub finding_id: String,
    /// The same for findings of one threat type about one entity.
    pub group: String,
    /// One line, plain.
    pub title: String,
    /// The severity's name.
    pub severity: String,
    /// Number of anomalous events.
    pub event_count: u64,
}
