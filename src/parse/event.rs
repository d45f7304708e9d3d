//! The event, and the batch of events that one block of a log becomes.
//!
//! An [`Event`] is plain data of a fixed size: its texts are spans into the batch's bytes beside their hashes, because
//! the detector compares and counts by hash and needs the letters only for what it reports.

use std::borrow::Cow;

/// [`Event::time`] of an event whose record names no time.
pub const NO_TIME: i64 = i64::MIN;

/// A field's text: its hash and where its letters stand in the batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Text {
    /// Hash of the letters, the same in every run and batch; 0 when the record has no such field.
    pub hash: u64,
    /// First byte, in [`EventBatch::block`] or, past its end, in [`EventBatch::arena`].
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Text {
    /// The record has no such field.
    pub const ABSENT: Self = Self { hash: 0, start: 0, len: 0 };

    /// Whether the record has this field.
    #[must_use]
    pub const fn is_present(self) -> bool {
        self.hash != 0
    }
}

/// How an action ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// The record does not say.
    #[default]
    Unknown,
    /// It was done.
    Success,
    /// It was refused or went wrong.
    Failure,
}

impl Outcome {
    /// The outcome whose discriminant this is; [`Outcome::Unknown`] for any other number.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Success,
            2 => Self::Failure,
            _ => Self::Unknown,
        }
    }
}

/// What sort of thing an action is, whatever word the log has for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ActionClass {
    /// None of the others, or no action named.
    #[default]
    Other,
    /// Proving who one is: console login, sign-in, token request.
    Login,
    /// Ending a session.
    Logout,
    /// A login to another computer over the network: ssh, rdp, winrm, psexec.
    RemoteLogin,
    /// Reading one thing.
    Read,
    /// Enumerating things: list, describe, search, scan.
    List,
    /// Creating or changing a thing.
    Write,
    /// Removing a thing.
    Delete,
    /// Data to the caller in bulk.
    Download,
    /// Data from the caller in bulk.
    Upload,
    /// Using or granting rights: sudo, roles, keys, policies, group membership, new accounts.
    Privilege,
    /// Changing settings.
    Configure,
    /// Weakening the watch: deleting logs, stopping audits, disabling protection.
    Tamper,
    /// Starting a program.
    Execute,
    /// Opening a connection, requesting a URL, resolving a name.
    Connect,
}

impl ActionClass {
    /// All classes, in the order of their discriminants.
    pub const ALL: [Self; 15] = [
        Self::Other,
        Self::Login,
        Self::Logout,
        Self::RemoteLogin,
        Self::Read,
        Self::List,
        Self::Write,
        Self::Delete,
        Self::Download,
        Self::Upload,
        Self::Privilege,
        Self::Configure,
        Self::Tamper,
        Self::Execute,
        Self::Connect,
    ];

    /// The class whose discriminant this is; [`ActionClass::Other`] for any other number.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        if (code as usize) < Self::ALL.len() { Self::ALL[code as usize] } else { Self::Other }
    }
}

/// One parsed record.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Milliseconds since 1970-01-01T00:00:00Z, or [`NO_TIME`].
    pub time: i64,
    /// The account that acts.
    pub user: Text,
    /// The address it acts from.
    pub source_ip: Text,
    /// The computer it acts on, or that wrote the record.
    pub host: Text,
    /// The word for what is done.
    pub action: Text,
    /// What it is done to: path, URL, bucket, table, destination.
    pub resource: Text,
    /// Where from: ISO 3166 code or name.
    pub country: Text,
    /// The program that does it.
    pub process: Text,
    /// The client's description of itself.
    pub user_agent: Text,
    /// Hash of the message with its variable parts taken out; 0 where the format has no free text.
    pub template: u64,
    /// Bytes moved.
    pub bytes: Option<u64>,
    /// How it ended.
    pub outcome: Outcome,
    /// What sort of thing the action is.
    pub class: ActionClass,
    /// Line of the record's start within the block, from 0; in formats without lines, its number.
    pub line: u32,
    /// First byte of the record in [`EventBatch::block`].
    pub record_start: u32,
    /// Length of the record in bytes.
    pub record_len: u32,
}

impl Event {
    /// An event of which nothing is known.
    pub const EMPTY: Self = Self {
        time: NO_TIME,
        user: Text::ABSENT,
        source_ip: Text::ABSENT,
        host: Text::ABSENT,
        action: Text::ABSENT,
        resource: Text::ABSENT,
        country: Text::ABSENT,
        process: Text::ABSENT,
        user_agent: Text::ABSENT,
        template: 0,
        bytes: None,
        outcome: Outcome::Unknown,
        class: ActionClass::Other,
        line: 0,
        record_start: 0,
        record_len: 0,
    };
}

/// Why a record, or a part of it, was not understood.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ComplaintReason {
    /// The record breaks its format's grammar; it is left out.
    Malformed,
    /// The record ends with the file, in mid-grammar; it is left out.
    Truncated,
    /// Longer than the limit for one record; it is left out.
    TooLong,
    /// Nested deeper than the limit; it is left out.
    TooDeep,
    /// Not UTF-8: read with replacement characters.
    Encoding,
    /// Holds NUL bytes: read without them.
    Nul,
    /// A key stands twice in one object: the first one counts.
    DuplicateKey,
    /// No time is named: scored without the features that need one.
    MissingTime,
    /// A time is named but not understood.
    UnreadableTime,
    /// Well-formed, but no field of it is known.
    NoKnownField,
}

impl ComplaintReason {
    /// Whether a record with this complaint is left out of the events.
    #[must_use]
    pub const fn loses_record(self) -> bool {
        matches!(self, Self::Malformed | Self::Truncated | Self::TooLong | Self::TooDeep)
    }
}

/// One complaint about one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// Why.
    pub reason: ComplaintReason,
    /// Line of the record's start within the block, from 0.
    pub line: u32,
    /// What was expected, and where in the record.
    pub detail: String,
    /// The beginning of the record, lossily decoded, at most 200 characters.
    pub sample: String,
}

/// The events of one block of one file, in the block's order.
#[derive(Debug, Clone, Default)]
pub struct EventBatch {
    /// Which of the run's files this is.
    pub file: u32,
    /// Where the block begins in its (decompressed) file.
    pub offset: u64,
    /// Line of the block's first byte in its file, from 1.
    pub first_line: u64,
    /// The block as it was read: whole records.
    pub block: Vec<u8>,
    /// Texts that do not stand in the block letter for letter (unescaped, joined, derived).
    pub arena: Vec<u8>,
    /// The events.
    pub events: Vec<Event>,
    /// What was not understood: every one is counted, samples are capped by the report, not here.
    pub complaints: Vec<Complaint>,
    /// Records seen, understood or not.
    pub records: u64,
}

impl EventBatch {
    /// The letters of a text of one of this batch's events.
    #[must_use]
    pub fn text(&self, text: Text) -> Cow<'_, str> {
        let (start, len) = (text.start as usize, text.len as usize);
        let bytes = match start.checked_sub(self.block.len()) {
            Some(start) => self.arena.get(start..start + len),
            None => self.block.get(start..start + len),
        };
        String::from_utf8_lossy(bytes.unwrap_or_default())
    }

    /// The record that an event was read from, as it stands in the log.
    #[must_use]
    pub fn record(&self, event: &Event) -> &[u8] {
        let start = event.record_start as usize;
        self.block.get(start..start + event.record_len as usize).unwrap_or_default()
    }
}
