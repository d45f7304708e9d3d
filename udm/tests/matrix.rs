//! What each event type needs, said a second time and in full: a bare event of every type, and the places that are missed.
//!
//! The linter's own table works with patterns; this one lists every published type, so that a type that slips from one row
//! into another is seen.

use serde_json::json;
use watchbell_udm::{
    lint::{Code, check},
    schema::Schema,
};

/// Types; what is enforced; what only the guide asks for. `host` and `target host` stand for a machine.
const NEEDS: &[(&str, &str, &str)] = &[
    ("GENERIC_EVENT", "", ""),
    ("DEVICE_FIRMWARE_UPDATE DEVICE_CONFIG_UPDATE DEVICE_PROGRAM_UPLOAD DEVICE_PROGRAM_DOWNLOAD", "", ""),
    ("STATUS_UNCATEGORIZED STATUS_HEARTBEAT STATUS_STARTUP STATUS_SHUTDOWN STATUS_UPDATE", "principal.hostname", ""),
    ("SCAN_UNCATEGORIZED SCAN_HOST SCAN_NETWORK", "principal.hostname", ""),
    ("EMAIL_UNCATEGORIZED EMAIL_TRANSACTION EMAIL_URL_CLICK", "principal.hostname", ""),
    ("USER_STATS USER_UNCATEGORIZED", "principal.hostname", ""),
    (
        "NETWORK_UNCATEGORIZED NETWORK_FLOW NETWORK_CONNECTION NETWORK_FTP NETWORK_HTTP NETWORK_SMTP",
        "principal.hostname target.hostname",
        "",
    ),
    ("NETWORK_DNS", "principal.hostname network.application_protocol network.dns", ""),
    ("NETWORK_DHCP", "principal.hostname network.application_protocol network.dhcp", ""),
    (
        "FILE_UNCATEGORIZED FILE_CREATION FILE_DELETION FILE_MODIFICATION FILE_READ FILE_OPEN SCAN_FILE",
        "principal.hostname target.file",
        "",
    ),
    ("FILE_COPY FILE_MOVE FILE_SYNC", "principal.hostname target.file src.file", ""),
    (
        "PROCESS_UNCATEGORIZED PROCESS_LAUNCH PROCESS_INJECTION PROCESS_TERMINATION PROCESS_OPEN",
        "principal.hostname target.process",
        "",
    ),
    ("SCAN_PROCESS SCAN_PROCESS_BEHAVIORS", "principal.hostname target.process", ""),
    ("PROCESS_MODULE_LOAD", "principal.hostname target.process principal.process", ""),
    ("PROCESS_PRIVILEGE_ESCALATION", "principal.hostname target.process principal.user principal.process", ""),
    (
        "REGISTRY_UNCATEGORIZED REGISTRY_CREATION REGISTRY_MODIFICATION REGISTRY_DELETION",
        "principal.hostname target.registry",
        "",
    ),
    ("SCAN_VULN_HOST SCAN_VULN_NETWORK", "principal.hostname target.process extensions.vulns", ""),
    (
        "SERVICE_UNSPECIFIED SERVICE_CREATION SERVICE_DELETION SERVICE_START SERVICE_STOP SERVICE_MODIFICATION",
        "principal.hostname target.user",
        "target.process",
    ),
    (
        "SETTING_UNCATEGORIZED SETTING_CREATION SETTING_MODIFICATION SETTING_DELETION",
        "principal.hostname target.resource",
        "target.resource.resource_type",
    ),
    (
        "SCHEDULED_TASK_UNCATEGORIZED SCHEDULED_TASK_CREATION SCHEDULED_TASK_DELETION SCHEDULED_TASK_ENABLE \
         SCHEDULED_TASK_DISABLE SCHEDULED_TASK_MODIFICATION",
        "principal.hostname principal.user target.resource",
        "target.resource.resource_type",
    ),
    (
        "MUTEX_UNCATEGORIZED MUTEX_CREATION",
        "principal.hostname principal.process.file target.resource",
        "target.resource.resource_type target.resource.name",
    ),
    ("SYSTEM_AUDIT_LOG_UNCATEGORIZED SYSTEM_AUDIT_LOG_WIPE", "principal.user", "principal.hostname"),
    ("USER_LOGIN USER_LOGOUT", "target.user extensions.auth", "principal.hostname"),
    (
        "USER_RESOURCE_CREATION USER_RESOURCE_UPDATE_CONTENT USER_RESOURCE_UPDATE_PERMISSIONS USER_RESOURCE_ACCESS \
         USER_RESOURCE_DELETION",
        "principal.user target.resource",
        "",
    ),
    (
        "RESOURCE_CREATION RESOURCE_DELETION RESOURCE_PERMISSIONS_CHANGE RESOURCE_READ RESOURCE_WRITTEN",
        "principal.user target.resource",
        "",
    ),
    ("USER_CHANGE_PASSWORD USER_CHANGE_PERMISSIONS USER_DELETION", "principal.user target.user", ""),
    ("USER_CREATION USER_COMMUNICATION", "principal.user", ""),
    ("USER_BADGE_IN", "target.hostname extensions.auth", ""),
    ("GROUP_UNCATEGORIZED GROUP_CREATION GROUP_DELETION GROUP_MODIFICATION", "principal.user target.group", ""),
];

#[test]
fn a_bare_event_of_every_type_is_told_all_that_it_lacks() {
    let mut checked = 0;
    for (types, enforced, by_guide) in NEEDS {
        for event_type in types.split_whitespace() {
            let event = json!({"metadata": {"event_type": event_type, "event_timestamp": "2026-08-20T10:15:30Z"}});
            let found = check(&event);
            let places = |code| {
                let of_code = found.iter().filter(|found| found.code == code);
                of_code.map(|found| found.pointer[1..].replace('/', ".")).collect::<Vec<_>>().join(" ")
            };
            assert_eq!(places(Code::MissingNoun), *enforced, "{event_type}");
            assert_eq!(places(Code::MissingByGuide), *by_guide, "{event_type}");
            checked += 1;
        }
    }
    // Without the unspecified type and those that only the platform makes: nine of analysts, two others.
    let published = Schema::published().enumeration("Metadata.EventType").expect("events have types").values.len();
    assert_eq!(checked, published - 1 - 9 - 2);
}
