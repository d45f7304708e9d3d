//! Which parts of an event its type needs.
//!
//! Two sources: what the server was measured to enforce (an error here), and what only the prose of the usage guide asks for
//! (a warning). Where they disagree, an event that satisfies both is safe, so the table is their union. About one of twelve
//! events from reviewed parsers misses an enforced part, so the enforcement is not total; a sender has no use for that.

use serde_json::Value;

use super::{Code, Diagnostic, rules::is_set, walk::Node};
use crate::schema::{FieldType, Message, Schema};

/// A part of an event: any one of the paths is set, or holds the value.
#[derive(Debug, Clone, Copy)]
struct Part {
    what: &'static str,
    paths: &'static [&'static str],
    equal_to: Option<&'static str>,
}

macro_rules! part {
    ($what:literal: $($path:literal)*) => { Part { what: $what, paths: &[$($path),*], equal_to: None } };
    ($what:literal: $path:literal = $value:literal) => {
        Part { what: $what, paths: &[$path], equal_to: Some($value) }
    };
}

/// One row of the table. A type that ends in `*` stands for all that begin so; the first row that fits counts.
struct Row {
    types: &'static [&'static str],
    enforced: &'static [Part],
    by_guide: &'static [Part],
}

const MACHINE: Part = part!("a machine in principal (hostname, ip, mac, asset_id or asset)":
    "principal.hostname" "principal.ip" "principal.mac" "principal.asset_id" "principal.asset");
const TARGET_MACHINE: Part = part!("a machine in target (hostname, ip, mac, asset_id or asset)":
    "target.hostname" "target.ip" "target.mac" "target.asset_id" "target.asset");
const ANY_MACHINE: Part = part!("a machine in principal, target, src, observer or intermediary":
    "principal.hostname" "principal.ip" "principal.mac" "principal.asset_id" "principal.asset"
    "target.hostname" "target.ip" "target.mac" "target.asset_id" "target.asset"
    "src.hostname" "src.ip" "src.mac" "src.asset_id" "src.asset"
    "observer.hostname" "observer.ip" "observer.asset" "intermediary.hostname" "intermediary.ip" "intermediary.asset");
const USER: Part = part!("principal.user": "principal.user");
const TARGET_USER: Part = part!("target.user": "target.user");
const PROCESS: Part = part!("principal.process": "principal.process");
const TARGET_PROCESS: Part = part!("target.process": "target.process");
const TARGET_FILE: Part = part!("target.file": "target.file");
const SOURCE_FILE: Part = part!("src.file": "src.file");
const PROCESS_FILE: Part = part!("principal.process.file": "principal.process.file" "principal.file");
const TARGET_REGISTRY: Part = part!("target.registry": "target.registry");
const TARGET_RESOURCE: Part = part!("target.resource": "target.resource");
const TARGET_GROUP: Part = part!("target.group": "target.group");
const AUTH: Part = part!("extensions.auth": "extensions.auth");
const VULNS: Part = part!("extensions.vulns": "extensions.vulns");
const PROTOCOL: Part = part!("network.application_protocol": "network.application_protocol");
const DNS: Part = part!("network.dns": "network.dns");
const DHCP: Part = part!("network.dhcp": "network.dhcp");
const SERVICE: Part = part!("target.process or target.application": "target.process" "target.application");
const SETTING: Part = part!("target.resource.resource_type SETTING": "target.resource.resource_type" = "SETTING");
const TASK: Part = part!("target.resource.resource_type TASK": "target.resource.resource_type" = "TASK");
const MUTEX: Part = part!("target.resource.resource_type MUTEX": "target.resource.resource_type" = "MUTEX");
const RESOURCE_NAME: Part = part!("target.resource.name": "target.resource.name");

const fn row(types: &'static [&'static str], enforced: &'static [Part], by_guide: &'static [Part]) -> Row {
    Row { types, enforced, by_guide }
}

const TABLE: &[Row] = &[
    row(&["GENERIC_EVENT", "DEVICE_*"], &[], &[]),
    row(
        &["STATUS_*", "SCAN_HOST", "SCAN_NETWORK", "SCAN_UNCATEGORIZED", "EMAIL_*", "USER_STATS", "USER_UNCATEGORIZED"],
        &[MACHINE],
        &[],
    ),
    row(&["NETWORK_DNS"], &[MACHINE, PROTOCOL, DNS], &[]),
    row(&["NETWORK_DHCP"], &[MACHINE, PROTOCOL, DHCP], &[]),
    row(&["NETWORK_*"], &[MACHINE, TARGET_MACHINE], &[]),
    row(&["FILE_COPY", "FILE_MOVE", "FILE_SYNC"], &[MACHINE, TARGET_FILE, SOURCE_FILE], &[]),
    row(&["FILE_*", "SCAN_FILE"], &[MACHINE, TARGET_FILE], &[]),
    row(&["PROCESS_MODULE_LOAD"], &[MACHINE, TARGET_PROCESS, PROCESS], &[]),
    row(&["PROCESS_PRIVILEGE_ESCALATION"], &[MACHINE, TARGET_PROCESS, USER, PROCESS], &[]),
    row(&["PROCESS_*", "SCAN_PROCESS", "SCAN_PROCESS_BEHAVIORS"], &[MACHINE, TARGET_PROCESS], &[]),
    row(&["REGISTRY_*"], &[MACHINE, TARGET_REGISTRY], &[]),
    row(&["SCAN_VULN_*"], &[MACHINE, TARGET_PROCESS, VULNS], &[]),
    row(&["SERVICE_*"], &[MACHINE, TARGET_USER], &[SERVICE]),
    row(&["SETTING_*"], &[MACHINE, TARGET_RESOURCE], &[SETTING]),
    row(&["SCHEDULED_TASK_*"], &[MACHINE, USER, TARGET_RESOURCE], &[TASK]),
    row(&["MUTEX_*"], &[MACHINE, PROCESS_FILE, TARGET_RESOURCE], &[MUTEX, RESOURCE_NAME]),
    row(&["SYSTEM_AUDIT_LOG_*"], &[USER], &[MACHINE]),
    row(&["USER_LOGIN", "USER_LOGOUT"], &[TARGET_USER, AUTH], &[ANY_MACHINE]),
    row(&["USER_RESOURCE_*", "RESOURCE_*"], &[USER, TARGET_RESOURCE], &[]),
    row(&["USER_CHANGE_*", "USER_DELETION"], &[USER, TARGET_USER], &[]),
    row(&["USER_CREATION", "USER_COMMUNICATION"], &[USER], &[]),
    row(&["USER_BADGE_IN"], &[TARGET_MACHINE, AUTH], &[]),
    row(&["GROUP_*"], &[USER, TARGET_GROUP], &[]),
];

/// Types that only the platform itself makes.
const RESTRICTED: &[&str] = &["ANALYST_*", "ENTITY_RISK_CHANGE", "TRIAGE_AGENT_*"];

/// What the event lacks: its type, its time, the parts that its type needs.
pub(super) fn missing(event: &Value) -> Vec<Diagnostic> {
    let Some(object) = event.as_object() else { return Vec::new() };
    let metadata = Schema::published().udm();
    let metadata = Node::new(metadata, object).value("metadata");
    let (mut found, event_type) = header(metadata);
    let Some(event_type) = event_type else { return found };
    if RESTRICTED.iter().any(|pattern| fits(pattern, event_type)) {
        let message = format!("{event_type} is made by the platform only");
        found.push(Diagnostic::error("/metadata/event_type", Code::RestrictedEventType, message));
    }
    if let Some(row) = TABLE.iter().find(|row| row.types.iter().any(|pattern| fits(pattern, event_type))) {
        let lacks = |part: &&Part| !has(event, part);
        for part in row.enforced.iter().filter(lacks) {
            let message = format!("{event_type} needs {}", part.what);
            found.push(Diagnostic::error(pointer(part), Code::MissingNoun, message));
        }
        for part in row.by_guide.iter().filter(lacks) {
            let message = format!("{event_type} should have {}", part.what);
            found.push(Diagnostic::warning(pointer(part), Code::MissingByGuide, message));
        }
    }
    if event_type == "USER_LOGIN" && failed_without_category(event) {
        let message = "a failed login should have the category AUTH_VIOLATION";
        found.push(Diagnostic::warning("/security_result/0/category", Code::MissingByGuide, message));
    }
    found
}

/// Type and time, which every event needs; the type where it is a known name or number.
fn header(metadata: Option<&Value>) -> (Vec<Diagnostic>, Option<&'static str>) {
    let schema = Schema::published();
    let object = metadata.and_then(Value::as_object);
    let value = |name| {
        let message = schema.message("Metadata")?;
        Node::new(message, object?).value(name).filter(|value| is_set(value))
    };
    let types = schema.enumeration("Metadata.EventType");
    let known = value("event_type").zip(types).and_then(|(value, types)| {
        let number = || value.as_i64().or_else(|| value.as_str()?.parse().ok());
        value.as_str().and_then(|name| types.value(name)).or_else(|| types.numbered(number()?))
    });
    let mut found = Vec::new();
    if value("event_type").is_none() || known.is_some_and(|known| known.number == 0) {
        let message = "an event needs a type; GENERIC_EVENT is always valid";
        found.push(Diagnostic::error("/metadata/event_type", Code::MissingEventType, message));
    }
    if value("event_timestamp").is_none() {
        let message = "an event needs a time (RFC 3339)";
        found.push(Diagnostic::error("/metadata/event_timestamp", Code::MissingTimestamp, message));
    }
    (found, known.filter(|known| known.number != 0).map(|known| known.name))
}

fn fits(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn pointer(part: &Part) -> String {
    format!("/{}", part.paths[0].replace('.', "/"))
}

fn has(event: &Value, part: &Part) -> bool {
    part.paths.iter().any(|path| {
        any_at(event, Schema::published().udm(), path, &|value| match part.equal_to {
            Some(expected) => value.as_str() == Some(expected),
            None => is_set(value),
        })
    })
}

/// A failed or blocked result in an event that names no violation of authentication.
fn failed_without_category(event: &Value) -> bool {
    let any = |path, names: &[&str]| {
        any_at(event, Schema::published().udm(), path, &|value| {
            value.as_str().is_some_and(|name| names.contains(&name))
        })
    };
    any("security_result.action", &["FAIL", "BLOCK"]) && !any("security_result.category", &["AUTH_VIOLATION"])
}

/// Whether any value at the path passes the test; lists on the way are looked into.
fn any_at(value: &Value, message: &Message, path: &str, test: &dyn Fn(&Value) -> bool) -> bool {
    if let Value::Array(items) = value {
        return items.iter().any(|item| any_at(item, message, path, test));
    }
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let field = message.field(name);
    let next = value.as_object().and_then(|object| Node::new(message, object).value(name));
    match (next, rest, field.map(|field| field.kind)) {
        (Some(next), Some(rest), Some(FieldType::Message(id))) => {
            any_at(next, Schema::published().message_of(id), rest, test)
        }
        (Some(Value::Array(items)), None, _) => items.iter().any(test),
        (Some(next), None, _) => test(next),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Field;

    /// A value of the field's type, without the list around it.
    fn sample(field: &Field) -> Value {
        let schema = Schema::published();
        match field.kind {
            FieldType::String => json!("10.0.0.1"),
            FieldType::Bool => json!(true),
            FieldType::Enum(id) => json!(schema.enum_of(id).values[1].name),
            FieldType::Message(id) => {
                let inner = &schema.message_of(id).fields[0];
                let value = sample(inner);
                json!({ inner.name: if inner.repeated() { json!([value]) } else { value } })
            }
            _ => json!(1),
        }
    }

    /// The event with a value at the path that is of the field's own type.
    fn put(event: &mut Value, path: &str, equal_to: Option<&str>) {
        let schema = Schema::published();
        let resolved = schema.resolve(schema.udm(), path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let leaf = equal_to.map_or_else(|| sample(resolved.field), Value::from);
        let leaf = if resolved.field.repeated() { json!([leaf]) } else { leaf };
        let mut place = event;
        let (parents, last) = path.rsplit_once('.').unwrap();
        for part in parents.split('.') {
            place = place.as_object_mut().unwrap().entry(part).or_insert_with(|| json!({}));
        }
        match place.get_mut(last) {
            Some(Value::Object(there)) => there.extend(leaf.as_object().unwrap().clone()),
            _ => place[last] = leaf,
        }
    }

    fn complete(event_type: &str, parts: &[Part]) -> Value {
        let mut event = json!({"metadata": {"event_type": event_type, "event_timestamp": "2026-08-20T10:15:30Z"}});
        // Whole messages first, so that what stands inside them is not overwritten.
        for part in parts {
            put(&mut event, part.paths[0], part.equal_to);
        }
        event
    }

    #[test]
    fn every_event_type_but_the_restricted_has_a_row() {
        for value in &Schema::published().enumeration("Metadata.EventType").unwrap().values {
            let restricted = RESTRICTED.iter().any(|pattern| fits(pattern, value.name));
            let row = TABLE.iter().any(|row| row.types.iter().any(|pattern| fits(pattern, value.name)));
            assert!(row || restricted || value.number == 0, "{}", value.name);
        }
    }

    #[test]
    fn a_complete_event_of_each_type_passes_and_each_missing_part_is_found() {
        let mut removed = 0;
        for value in &Schema::published().enumeration("Metadata.EventType").unwrap().values {
            let Some(row) = TABLE.iter().find(|row| row.types.iter().any(|pattern| fits(pattern, value.name))) else {
                continue;
            };
            let all: Vec<Part> = row.enforced.iter().chain(row.by_guide).copied().collect();
            let event = complete(value.name, &all);
            assert_eq!(missing(&event), [], "{} {event}", value.name);
            let errors: Vec<_> = super::super::check(&event).into_iter().filter(Diagnostic::is_error).collect();
            assert_eq!(errors, [], "{event}");
            for (position, part) in all.iter().enumerate() {
                // A part inside another can't be taken away without it, nor the outer one alone.
                let others: Vec<Part> = all
                    .iter()
                    .enumerate()
                    .filter(|&(other, _)| other != position)
                    .map(|(_, other)| *other)
                    .filter(|other| {
                        !other.paths.iter().any(|path| part.paths.iter().any(|mine| path.starts_with(mine)))
                    })
                    .collect();
                let found = missing(&complete(value.name, &others));
                let code = if position < row.enforced.len() { Code::MissingNoun } else { Code::MissingByGuide };
                let told = found.iter().any(|found| found.pointer == pointer(part) && found.code == code);
                assert!(told, "{} without {}: {found:?}", value.name, part.what);
                removed += 1;
            }
        }
        assert!(removed > 150, "{removed} parts were taken away");
    }

    #[test]
    fn type_and_time_are_needed() {
        let codes = |event: Value| missing(&event).into_iter().map(|found| found.code).collect::<Vec<_>>();
        assert_eq!(codes(json!({})), [Code::MissingEventType, Code::MissingTimestamp]);
        let time = "2026-08-20T10:15:30Z";
        assert_eq!(codes(json!({"metadata": {"eventType": "GENERIC_EVENT", "eventTimestamp": time}})), []);
        assert_eq!(codes(json!({"metadata": {"event_type": 100_000, "event_timestamp": time}})), []);
        let unspecified = json!({"metadata": {"event_type": "EVENTTYPE_UNSPECIFIED", "event_timestamp": time}});
        assert_eq!(codes(unspecified), [Code::MissingEventType]);
        let restricted = json!({"metadata": {"event_type": "ANALYST_ADD_COMMENT", "event_timestamp": time}});
        assert_eq!(codes(restricted), [Code::RestrictedEventType]);
    }

    #[test]
    fn empty_parts_are_missing_and_either_spelling_counts() {
        let event = |principal: Value| json!({"metadata": {"event_type": "SCAN_HOST", "event_timestamp": "x"}, "principal": principal});
        for principal in [json!({}), json!({"ip": []}), json!({"ip": [""]}), json!({"asset": {"hostname": ""}})] {
            assert_eq!(missing(&event(principal.clone())).len(), 1, "{principal}");
        }
        assert_eq!(missing(&event(json!({"assetId": "Vendor:1"}))), []);
    }

    #[test]
    fn a_failed_login_has_its_category() {
        let mut event = complete("USER_LOGIN", &[TARGET_USER, AUTH, MACHINE]);
        event["security_result"] = json!([{"action": ["FAIL"]}]);
        assert_eq!(missing(&event).iter().map(|found| found.code).collect::<Vec<_>>(), [Code::MissingByGuide]);
        event["security_result"][0]["category"] = json!(["AUTH_VIOLATION"]);
        assert_eq!(missing(&event), []);
    }
}
