//! Windows events, however they became JSON: Winlogbeat, NXLog, evtx dumps, Log Analytics, Wazuh.
//!
//! The number of an event means nothing without its provider, so the table has a family for each provider it knows;
//! events of other providers are named by provider and number.

use super::super::draft::Draft;
use super::super::fields::Slot;
use super::super::{ActionClass, Outcome, value};
use super::{Note, Notes};

/// Who writes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Security,
    Sysmon,
    PowerShell,
    Services,
    Tasks,
    EventLog,
    Terminal,
}

/// Which of the accounts of an event acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Actor {
    Subject,
    Target,
}

use ActionClass::{
    Configure, Connect, Delete, Execute, List, Login, Logout, Other, Privilege, Read, RemoteLogin, Tamper, Write,
};
use Actor::{Subject, Target};
use Family::{EventLog, PowerShell, Security, Services, Sysmon, Tasks, Terminal};

type Meaning = (Family, i64, &'static str, ActionClass, Actor);

// Numbers and meanings: Microsoft's "Appendix L: Events to Monitor" and the audit policies' pages; Sysmon's manual.
const MEANINGS: &[Meaning] = &[
    (Security, 1100, "event logging shut down", Tamper, Subject),
    (Security, 1102, "audit log cleared", Tamper, Subject),
    (Security, 4616, "system time changed", Configure, Subject),
    (Security, 4624, "logon", Login, Target),
    (Security, 4625, "logon failed", Login, Target),
    (Security, 4627, "group membership of logon", Other, Target),
    (Security, 4634, "logoff", Logout, Target),
    (Security, 4647, "logoff by user", Logout, Target),
    (Security, 4648, "logon with explicit credentials", Login, Subject),
    (Security, 4649, "replay attack detected", Login, Target),
    (Security, 4656, "handle requested", Read, Subject),
    (Security, 4657, "registry value modified", Configure, Subject),
    (Security, 4658, "handle closed", Other, Subject),
    (Security, 4660, "object deleted", Delete, Subject),
    (Security, 4661, "sam handle requested", List, Subject),
    (Security, 4662, "directory object accessed", Read, Subject),
    (Security, 4663, "object accessed", Read, Subject),
    (Security, 4670, "permissions changed", Privilege, Subject),
    (Security, 4672, "special privileges assigned", Privilege, Subject),
    (Security, 4673, "privileged service called", Privilege, Subject),
    (Security, 4674, "privileged object operation", Privilege, Subject),
    (Security, 4688, "process created", Execute, Subject),
    (Security, 4689, "process exited", Other, Subject),
    (Security, 4690, "handle duplicated", Other, Subject),
    (Security, 4697, "service installed", Execute, Subject),
    (Security, 4698, "scheduled task created", Execute, Subject),
    (Security, 4699, "scheduled task deleted", Delete, Subject),
    (Security, 4700, "scheduled task enabled", Configure, Subject),
    (Security, 4701, "scheduled task disabled", Configure, Subject),
    (Security, 4702, "scheduled task updated", Configure, Subject),
    (Security, 4703, "token rights adjusted", Other, Subject),
    (Security, 4704, "user right assigned", Privilege, Subject),
    (Security, 4719, "audit policy changed", Tamper, Subject),
    (Security, 4720, "account created", Privilege, Subject),
    (Security, 4722, "account enabled", Privilege, Subject),
    (Security, 4723, "password change attempted", Privilege, Subject),
    (Security, 4724, "password reset attempted", Privilege, Subject),
    (Security, 4725, "account disabled", Configure, Subject),
    (Security, 4726, "account deleted", Delete, Subject),
    (Security, 4727, "global group created", Privilege, Subject),
    (Security, 4728, "member added to global group", Privilege, Subject),
    (Security, 4729, "member removed from global group", Configure, Subject),
    (Security, 4731, "local group created", Privilege, Subject),
    (Security, 4732, "member added to local group", Privilege, Subject),
    (Security, 4733, "member removed from local group", Configure, Subject),
    (Security, 4735, "local group changed", Privilege, Subject),
    (Security, 4738, "account changed", Privilege, Subject),
    (Security, 4739, "domain policy changed", Configure, Subject),
    (Security, 4740, "account locked out", Login, Target),
    (Security, 4741, "computer account created", Privilege, Subject),
    (Security, 4742, "computer account changed", Privilege, Subject),
    (Security, 4756, "member added to universal group", Privilege, Subject),
    (Security, 4767, "account unlocked", Privilege, Subject),
    (Security, 4768, "kerberos ticket requested", Login, Target),
    (Security, 4769, "kerberos service ticket requested", Login, Target),
    (Security, 4770, "kerberos ticket renewed", Login, Target),
    (Security, 4771, "kerberos preauthentication failed", Login, Target),
    (Security, 4776, "credentials validated", Login, Target),
    (Security, 4778, "session reconnected", RemoteLogin, Target),
    (Security, 4779, "session disconnected", Logout, Target),
    (Security, 4794, "restore mode password set", Privilege, Subject),
    (Security, 4798, "local groups of user enumerated", List, Subject),
    (Security, 4799, "members of local group enumerated", List, Subject),
    (Security, 4907, "audit settings of object changed", Tamper, Subject),
    (Security, 4946, "firewall rule added", Configure, Subject),
    (Security, 5058, "key file operation", Read, Subject),
    (Security, 5059, "key migration", Read, Subject),
    (Security, 5061, "cryptographic operation", Read, Subject),
    (Security, 5136, "directory object modified", Write, Subject),
    (Security, 5137, "directory object created", Write, Subject),
    (Security, 5140, "share accessed", Read, Subject),
    (Security, 5142, "share added", Configure, Subject),
    (Security, 5145, "file on share accessed", Read, Subject),
    (Security, 5152, "packet blocked", Connect, Subject),
    (Security, 5154, "listening permitted", Connect, Subject),
    (Security, 5156, "connection permitted", Connect, Subject),
    (Security, 5157, "connection blocked", Connect, Subject),
    (Security, 5158, "port bound", Connect, Subject),
    (Security, 5379, "stored credentials read", Read, Subject),
    (Security, 5447, "filter of filtering platform changed", Configure, Subject),
    (Sysmon, 1, "process created", Execute, Subject),
    (Sysmon, 2, "file time changed", Write, Subject),
    (Sysmon, 3, "connection", Connect, Subject),
    (Sysmon, 4, "sysmon state changed", Tamper, Subject),
    (Sysmon, 5, "process exited", Other, Subject),
    (Sysmon, 6, "driver loaded", Execute, Subject),
    (Sysmon, 7, "image loaded", Execute, Subject),
    (Sysmon, 8, "remote thread created", Execute, Subject),
    (Sysmon, 9, "raw disk read", Read, Subject),
    (Sysmon, 10, "process accessed", Read, Subject),
    (Sysmon, 11, "file created", Write, Subject),
    (Sysmon, 12, "registry key created or deleted", Configure, Subject),
    (Sysmon, 13, "registry value set", Configure, Subject),
    (Sysmon, 14, "registry key renamed", Configure, Subject),
    (Sysmon, 15, "file stream created", Write, Subject),
    (Sysmon, 16, "sysmon configuration changed", Tamper, Subject),
    (Sysmon, 17, "pipe created", Connect, Subject),
    (Sysmon, 18, "pipe connected", Connect, Subject),
    (Sysmon, 19, "wmi filter registered", Execute, Subject),
    (Sysmon, 20, "wmi consumer registered", Execute, Subject),
    (Sysmon, 21, "wmi consumer bound", Execute, Subject),
    (Sysmon, 22, "name resolved", Connect, Subject),
    (Sysmon, 23, "file deleted", Delete, Subject),
    (Sysmon, 24, "clipboard changed", Read, Subject),
    (Sysmon, 25, "process tampered with", Execute, Subject),
    (Sysmon, 26, "file deletion logged", Delete, Subject),
    (Sysmon, 28, "file shredding blocked", Delete, Subject),
    (PowerShell, 400, "powershell started", Execute, Subject),
    (PowerShell, 403, "powershell stopped", Other, Subject),
    (PowerShell, 600, "powershell provider started", Execute, Subject),
    (PowerShell, 800, "powershell pipeline executed", Execute, Subject),
    (PowerShell, 4103, "powershell module executed", Execute, Subject),
    (PowerShell, 4104, "powershell script block", Execute, Subject),
    (PowerShell, 4105, "powershell script started", Execute, Subject),
    (PowerShell, 4106, "powershell script stopped", Other, Subject),
    (Services, 7034, "service crashed", Other, Subject),
    (Services, 7036, "service state changed", Other, Subject),
    (Services, 7040, "service start type changed", Configure, Subject),
    (Services, 7045, "service installed", Execute, Subject),
    (Tasks, 106, "scheduled task registered", Execute, Subject),
    (Tasks, 129, "scheduled task process created", Execute, Subject),
    (Tasks, 140, "scheduled task updated", Configure, Subject),
    (Tasks, 141, "scheduled task deleted", Delete, Subject),
    (Tasks, 200, "scheduled task started", Execute, Subject),
    (EventLog, 104, "event log cleared", Tamper, Subject),
    (EventLog, 1100, "event logging shut down", Tamper, Subject),
    (EventLog, 1102, "audit log cleared", Tamper, Subject),
    (Terminal, 21, "remote desktop logon", RemoteLogin, Subject),
    (Terminal, 23, "remote desktop logoff", Logout, Subject),
    (Terminal, 24, "remote desktop disconnected", Logout, Subject),
    (Terminal, 25, "remote desktop reconnected", RemoteLogin, Subject),
    (Terminal, 1149, "remote desktop authenticated", RemoteLogin, Subject),
];

const PROVIDERS: &[(&str, Family)] = &[
    ("Microsoft-Windows-Security-Auditing", Security),
    ("Microsoft-Windows-Sysmon", Sysmon),
    ("Microsoft-Windows-PowerShell", PowerShell),
    ("PowerShell", PowerShell),
    ("Service Control Manager", Services),
    ("Microsoft-Windows-TaskScheduler", Tasks),
    ("Microsoft-Windows-Eventlog", EventLog),
    ("Microsoft-Windows-TerminalServices-LocalSessionManager", Terminal),
    ("Microsoft-Windows-TerminalServices-RemoteConnectionManager", Terminal),
    ("Security", Security),
    ("Microsoft-Windows-Sysmon/Operational", Sysmon),
    ("Microsoft-Windows-PowerShell/Operational", PowerShell),
    ("Windows PowerShell", PowerShell),
];

/// Derives what a Windows event is; whether it was one.
pub(super) fn derive(notes: &Notes, draft: &mut Draft) -> bool {
    let provider = notes.get(Note::WindowsProvider).or(notes.get(Note::WindowsChannel));
    let number = notes.number(Note::WindowsEvent).filter(|number| (0..=65_535).contains(number));
    let (Some(provider), Some(number)) = (provider, number) else { return false };
    let names = [Some(provider), notes.get(Note::WindowsChannel)];
    let family = names.into_iter().flatten().find_map(|name| {
        PROVIDERS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, family)| *family)
    });
    let meaning = family.and_then(|family| MEANINGS.iter().find(|meaning| meaning.0 == family && meaning.1 == number));
    match meaning {
        Some(&(_, _, action, class, actor)) => {
            draft.derive_action(action, class_of(number, class, notes));
            user(actor, notes, draft);
        }
        None => {
            let short = provider.strip_prefix("Microsoft-Windows-").unwrap_or(provider);
            draft.derive_action(&format!("{short} {number}"), Other);
            user(Subject, notes, draft);
        }
    }
    resource(meaning.is_some_and(|meaning| meaning.4 == Target), notes, draft);
    if let Some(address) = notes.get(Note::WindowsAddress).and_then(value::address) {
        draft.derive_text(Slot::SourceIp, address);
    }
    if let Some(image) = notes.get(Note::WindowsImage) {
        draft.derive_text(Slot::Process, image);
    }
    if let Some(outcome) = outcome(number, family, notes) {
        draft.set_outcome(outcome);
    }
    true
}

/// A logon over the network (3), by remote desktop (10) or with clear-text credentials over the network (8) comes from
/// another computer, if it names one.
fn class_of(number: i64, class: ActionClass, notes: &Notes) -> ActionClass {
    let remote = matches!(notes.number(Note::WindowsLogonType), Some(3 | 8 | 10));
    if matches!(number, 4624 | 4625) && class == Login && remote { RemoteLogin } else { class }
}

fn user(actor: Actor, notes: &Notes, draft: &mut Draft) {
    let (first, second) = match actor {
        Subject => (Note::WindowsSubjectUser, Note::WindowsUser),
        Target => (Note::WindowsTargetUser, Note::WindowsSubjectUser),
    };
    if let Some(name) = notes.get(first).or(notes.get(second)) {
        draft.derive_text(Slot::User, name);
    }
}

fn resource(target_acts: bool, notes: &Notes, draft: &mut Draft) {
    const RESOURCES: &[Note] = &[
        Note::WindowsShare,
        Note::WindowsService,
        Note::WindowsTask,
        Note::WindowsObject,
        Note::WindowsFile,
        Note::WindowsTargetObject,
        Note::WindowsTargetImage,
        Note::WindowsImageLoaded,
        Note::WindowsDestination,
        Note::WindowsQuery,
        Note::WindowsPipe,
        Note::WindowsMember,
    ];
    let object = RESOURCES.iter().find_map(|note| notes.get(*note));
    let account = notes.get(Note::WindowsTargetUser).filter(|_| !target_acts);
    if let Some(resource) = object.or(account) {
        draft.derive_text(Slot::Resource, resource);
    }
}

fn outcome(number: i64, family: Option<Family>, notes: &Notes) -> Option<Outcome> {
    if family != Some(Security) {
        return None;
    }
    let status = notes.get(Note::WindowsStatus).map(value::error_outcome);
    match number {
        4625 | 4771 | 5152 | 5157 | 4649 | 4740 => Some(Outcome::Failure),
        4768 | 4769 | 4776 if status.is_some() => status,
        _ => audited(notes),
    }
}

/// The audit bits of the keywords: 0x10... is a failure, 0x20... a success.
fn audited(notes: &Notes) -> Option<Outcome> {
    let words = notes.get(Note::WindowsKeywords).or(notes.get(Note::EventType))?;
    let number = match words.strip_prefix("0x") {
        Some(hexadecimal) => i64::from_str_radix(hexadecimal, 16)
            .ok()
            .or_else(|| u64::from_str_radix(hexadecimal, 16).ok().map(u64::cast_signed)),
        None => words.parse().ok(),
    };
    let lower = words.to_ascii_lowercase();
    match number {
        Some(bits) if bits & 0x0010_0000_0000_0000 != 0 => Some(Outcome::Failure),
        Some(bits) if bits & 0x0020_0000_0000_0000 != 0 => Some(Outcome::Success),
        Some(_) => None,
        None if lower.contains("failure") => Some(Outcome::Failure),
        None if lower.contains("success") => Some(Outcome::Success),
        None => None,
    }
}
