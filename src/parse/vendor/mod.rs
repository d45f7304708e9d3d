//! What a vendor's fields say together that none says alone: an event number becomes an action, an error code a failure.
//!
//! A derivation reads the notes, the values of fields that only derivations want, and corrects the draft. Which fields
//! are noted is data ([`NOTES`]); a user's mapping is never overruled.

mod cloud;
mod identity;
mod network;
mod windows;

use super::Outcome;
use super::draft::Draft;
use super::fields::Slot;
use super::value;

/// A field that derivations read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub(crate) enum Note {
    ErrorCode,
    ErrorMessage,
    EventType,
    AwsService,
    AwsIdentityType,
    AwsConsoleLogin,
    AwsBucket,
    AwsObjectKey,
    CallerAddress,
    GcpService,
    GcpStatus,
    KubernetesVerb,
    KubernetesResource,
    KubernetesSubresource,
    KubernetesName,
    KubernetesNamespace,
    KubernetesCode,
    EntraApplication,
    EntraCategory,
    OfficeOperation,
    WindowsEvent,
    WindowsProvider,
    WindowsChannel,
    WindowsSubjectUser,
    WindowsTargetUser,
    WindowsUser,
    WindowsLogonType,
    WindowsAddress,
    WindowsService,
    WindowsTask,
    WindowsShare,
    WindowsObject,
    WindowsTargetObject,
    WindowsTargetImage,
    WindowsImageLoaded,
    WindowsPipe,
    WindowsMember,
    WindowsStatus,
    WindowsImage,
    WindowsDestination,
    WindowsKeywords,
    WindowsFile,
    WindowsQuery,
    ZeekState,
    ZeekStream,
    SuricataSignature,
    Count,
}

const NOTE_COUNT: usize = Note::Count as usize;

/// The fields of each note; as in the table of names, an envelope around them does not matter.
pub(super) const NOTES: &[(Note, &str)] = &[
    (
        Note::ErrorCode,
        "errorCode error_code status.errorCode properties.status.errorCode exit_code return_code error.code
         execution_error_code",
    ),
    (Note::ErrorMessage, "errorMessage error_message error.message failure_reason execution_error_message"),
    (Note::EventType, "eventType legacyEventType data.type"),
    (Note::AwsService, "eventSource"),
    (Note::AwsIdentityType, "userIdentity.type"),
    (Note::AwsConsoleLogin, "responseElements.ConsoleLogin"),
    (Note::AwsBucket, "requestParameters.bucketName"),
    (Note::AwsObjectKey, "requestParameters.key"),
    (Note::CallerAddress, "sourceIPAddress"),
    (Note::GcpService, "protoPayload.serviceName"),
    (Note::GcpStatus, "protoPayload.status.code"),
    (Note::KubernetesVerb, "verb"),
    (Note::KubernetesResource, "objectRef.resource"),
    (Note::KubernetesSubresource, "objectRef.subresource"),
    (Note::KubernetesName, "objectRef.name"),
    (Note::KubernetesNamespace, "objectRef.namespace"),
    (Note::KubernetesCode, "responseStatus.code"),
    (Note::EntraApplication, "appDisplayName properties.appDisplayName"),
    (Note::EntraCategory, "category"),
    (Note::OfficeOperation, "Operation"),
    (
        Note::WindowsEvent,
        "EventID winlog.event_id event.code Event.System.EventID Event.System.EventID.text System.EventID event_id",
    ),
    (
        Note::WindowsProvider,
        "SourceName EventSourceName winlog.provider_name provider_name Provider event.provider
         Event.System.Provider.attributes.Name Event.System.Provider.Name System.Provider.Name",
    ),
    (Note::WindowsChannel, "Channel log_name"),
    (Note::WindowsSubjectUser, "SubjectUserName"),
    (Note::WindowsTargetUser, "TargetUserName"),
    (Note::WindowsUser, "winlog.event_data.User Event.EventData.User data.win.eventdata.user AccountName"),
    (Note::WindowsLogonType, "LogonType"),
    (Note::WindowsAddress, "IpAddress SourceAddress SourceIp ClientAddress"),
    (Note::WindowsService, "ServiceName"),
    (Note::WindowsTask, "TaskName"),
    (Note::WindowsShare, "ShareName"),
    (Note::WindowsObject, "ObjectName"),
    (Note::WindowsTargetObject, "TargetObject"),
    (Note::WindowsTargetImage, "TargetImage"),
    (Note::WindowsImageLoaded, "ImageLoaded"),
    (Note::WindowsPipe, "PipeName"),
    (Note::WindowsMember, "MemberName MemberSid"),
    (Note::WindowsStatus, "Status FailureCode"),
    (Note::WindowsImage, "NewProcessName Image SourceImage ProcessName Application"),
    (Note::WindowsDestination, "DestinationIp DestAddress"),
    (Note::WindowsKeywords, "Keywords"),
    (Note::WindowsFile, "TargetFilename"),
    (Note::WindowsQuery, "QueryName"),
    (Note::ZeekState, "conn_state"),
    (Note::ZeekStream, "_path @stream"),
    (Note::SuricataSignature, "alert.signature"),
];

/// Longer values are cut: no derivation needs more.
const MAX_NOTE_BYTES: usize = 2048;

/// The noted values of one record; of several fields of one note the first counts.
#[derive(Debug, Clone)]
pub(super) struct Notes {
    present: u64,
    spans: [(u32, u32); NOTE_COUNT],
    letters: String,
}

impl Default for Notes {
    fn default() -> Self {
        Self { present: 0, spans: [(0, 0); NOTE_COUNT], letters: String::new() }
    }
}

impl Notes {
    #[inline]
    pub(super) fn clear(&mut self) {
        if self.present != 0 {
            self.present = 0;
            self.letters.clear();
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.present == 0
    }

    pub(super) fn add(&mut self, note: Note, text: &str) {
        if value::is_absent(text) || self.has(note) {
            return;
        }
        let text = &text[..text.floor_char_boundary(MAX_NOTE_BYTES)];
        let start = self.letters.len();
        self.letters.push_str(text);
        // The letters of a record are at most some dozens of cut values.
        self.spans[note as usize] = (start as u32, self.letters.len() as u32);
        self.present |= 1 << note as u8;
    }

    fn has(&self, note: Note) -> bool {
        self.present & (1 << note as u8) != 0
    }

    fn get(&self, note: Note) -> Option<&str> {
        let (start, end) = self.spans[note as usize];
        if self.has(note) { self.letters.get(start as usize..end as usize) } else { None }
    }

    fn number(&self, note: Note) -> Option<i64> {
        self.get(note)?.trim().parse().ok()
    }
}

/// Corrects the draft by what the notes say together.
#[inline]
pub(super) fn derive(notes: &Notes, draft: &mut Draft) {
    if !notes.is_empty() {
        derive_noted(notes, draft);
    }
}

fn derive_noted(notes: &Notes, draft: &mut Draft) {
    if notes.has(Note::WindowsEvent) && windows::derive(notes, draft) {
        return;
    }
    cloud::derive(notes, draft);
    identity::derive(notes, draft);
    network::derive(notes, draft);
    error(notes, draft);
}

/// Any dialect: an error code or message says that it failed.
fn error(notes: &Notes, draft: &mut Draft) {
    if let Some(code) = notes.get(Note::ErrorCode) {
        draft.set_outcome(value::error_outcome(code));
    } else if notes.has(Note::ErrorMessage) && !draft.has(Slot::Outcome) {
        draft.set_outcome(Outcome::Failure);
    }
}
