//! What the usage guide asks of single fields beyond their type: lengths, addresses, ports, host names, and what only the
//! server sets. (docs.cloud.google.com/chronicle/docs/unified-data-model/udm-usage, and the comments of the definition.)
//!
//! Rules hold wherever the message stands, so an address in `about[0].asset` is checked as one in `principal`.

use core::net::IpAddr;

use serde_json::Value;

use super::{Code, Diagnostic, diagnostic::shown, walk::Node};

/// Message, field, most bytes.
pub(super) const LENGTHS: &[(&str, &str, usize)] = &[
    ("Metadata", "description", 1024),
    ("Metadata", "product_event_type", 64),
    ("Metadata", "product_log_id", 256),
    ("Metadata", "product_name", 256),
    ("Metadata", "vendor_name", 256),
    ("Metadata", "product_version", 32),
    ("Noun", "administrative_domain", 128),
    ("Noun", "platform_version", 64),
    ("Noun", "platform_patch_level", 64),
];

const SET_BY_SERVER: &[(&str, &str, Strictness)] = &[
    ("Metadata", "tags", Strictness::Refused),
    ("Metadata", "enrichment_state", Strictness::Ignored),
    ("Metadata", "enrichment_labels", Strictness::Ignored),
    ("Metadata", "base_labels", Strictness::Ignored),
    ("Metadata", "ingested_timestamp", Strictness::Ignored),
    ("SecurityResult", "alert_state", Strictness::Ignored),
    ("SecurityResult", "outcomes", Strictness::Ignored),
    ("SecurityResult", "variables", Strictness::Ignored),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Refused,
    Ignored,
}

const VENDOR_LENGTH: usize = 32;
const ASSET_ID_LENGTH: usize = 128;

/// Every rule of this message that is broken; pointers are relative to the message.
pub(super) fn broken(node: Node<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    too_long(node, &mut found);
    set_by_server(node, &mut found);
    match node.message.name {
        "UDM" => principal(node, &mut found),
        "Noun" => noun(node, &mut found),
        "Asset" => asset(node, &mut found),
        "Metadata" | "SecurityResult" => texts(node, "url_back_to_product", url_fault, &mut found),
        _ => {}
    }
    found
}

fn too_long(node: Node<'_>, found: &mut Vec<Diagnostic>) {
    for &(_, field, most) in LENGTHS.iter().filter(|(message, ..)| *message == node.message.name) {
        let Some((key, Value::String(text))) = node.entry(field) else { continue };
        if text.len() > most {
            let message = format!("{} bytes, expected at most {most}", text.len());
            found.push(Diagnostic::error(format!("/{key}"), Code::TooLong, message));
        }
    }
}

fn set_by_server(node: Node<'_>, found: &mut Vec<Diagnostic>) {
    for &(_, field, strictness) in SET_BY_SERVER.iter().filter(|(message, ..)| *message == node.message.name) {
        if let Some((key, _)) = node.entry(field) {
            let make = if strictness == Strictness::Refused { Diagnostic::error } else { Diagnostic::warning };
            found.push(make(
                format!("/{key}"),
                Code::SetByServer,
                format!("`{field}` is set by the server, leave it out"),
            ));
        }
    }
}

/// "Must include a machine or a user ... must NOT include email, files, registry keys or values" (UDM.principal).
fn principal(node: Node<'_>, found: &mut Vec<Diagnostic>) {
    let Some((key, Value::Object(principal))) = node.entry("principal") else { return };
    for part in ["email", "file", "registry"] {
        if principal.get(part).is_some_and(is_set) {
            let message = format!("a principal holds no {part}; put it into target, src or about");
            found.push(Diagnostic::warning(format!("/{key}/{part}"), Code::NotInPrincipal, message));
        }
    }
}

fn noun(node: Node<'_>, found: &mut Vec<Diagnostic>) {
    asset(node, found);
    texts(node, "url", url_fault, found);
    if let (Some((key, Value::String(host))), Some(Value::String(url))) = (node.entry("hostname"), node.value("url"))
        && !host.is_empty()
        && !url.is_empty()
    {
        let message = "a noun has a host name or a URL, not both";
        found.push(Diagnostic::warning(format!("/{key}"), Code::HostnameWithUrl, message));
    }
    for field in ["port", "nat_port"] {
        let Some((key, value)) = node.entry(field) else { continue };
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        if let Some(number) = number.filter(|number| !(1..=65535).contains(number)) {
            let message = format!("{number} is no port, expected 1 to 65535");
            found.push(Diagnostic::error(format!("/{key}"), Code::BadPort, message));
        }
    }
    if let Some((key, _)) = node.entry("port") {
        let addresses = match node.value("ip") {
            Some(Value::Array(list)) => list.len(),
            Some(_) => 1,
            None => 0,
        };
        if addresses != 1 {
            let message = format!("a port needs exactly one ip beside it, found {addresses}");
            found.push(Diagnostic::error(format!("/{key}"), Code::PortNeedsOneIp, message));
        }
    }
}

fn asset(node: Node<'_>, found: &mut Vec<Diagnostic>) {
    texts(node, "ip", ip_fault, found);
    texts(node, "nat_ip", ip_fault, found);
    texts(node, "hostname", hostname_fault, found);
    texts(node, "asset_id", asset_id_fault, found);
}

/// Checks the text of a field, or every text of a list. Other types are the schema's business.
fn texts(node: Node<'_>, field: &str, fault: fn(&str) -> Option<Diagnostic>, found: &mut Vec<Diagnostic>) {
    let mut check = |pointer: String, value: &Value| {
        if let Some(fault) = value.as_str().and_then(fault) {
            found.push(Diagnostic { pointer, ..fault });
        }
    };
    match node.entry(field) {
        Some((key, Value::Array(items))) => {
            items.iter().enumerate().for_each(|(position, item)| check(format!("/{key}/{position}"), item));
        }
        Some((key, value)) => check(format!("/{key}"), value),
        None => {}
    }
}

fn ip_fault(text: &str) -> Option<Diagnostic> {
    let message = || format!("`{}` is no IP address", shown(text));
    text.parse::<IpAddr>().is_err().then(|| Diagnostic::error("", Code::BadIp, message()))
}

fn url_fault(text: &str) -> Option<Diagnostic> {
    let has_scheme = text.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.is_empty()
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte))
    });
    let message = || format!("`{}` has no scheme, expected for example https://", shown(text));
    (!text.is_empty() && !has_scheme).then(|| Diagnostic::error("", Code::BadUrl, message()))
}

/// Whether the text may stand where a host name is expected; with an underscore it may, with a warning.
#[must_use]
pub fn is_hostname(text: &str) -> bool {
    !text.is_empty() && hostname_fault(text).is_none_or(|fault| !fault.is_error())
}

/// RFC 1123; an underscore, which Windows allows, is only warned of.
fn hostname_fault(text: &str) -> Option<Diagnostic> {
    let name = text.strip_suffix('.').unwrap_or(text);
    let label_is_fine = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.is_empty() || name.len() > 253 || !name.split('.').all(label_is_fine) {
        let message = format!("`{}` is no host name (RFC 1123)", shown(text));
        return (!text.is_empty()).then(|| Diagnostic::error("", Code::BadHostname, message));
    }
    let message = || format!("`{}` has an underscore, which RFC 1123 does not allow in a host name", shown(text));
    name.contains('_').then(|| Diagnostic::warning("", Code::BadHostname, message()))
}

fn asset_id_fault(text: &str) -> Option<Diagnostic> {
    let expected = format!(
        "`{}`: expected vendor:id, the vendor at most {VENDOR_LENGTH} letters and digits, the id at most {ASSET_ID_LENGTH} bytes",
        shown(text)
    );
    let Some((vendor, id)) = text.split_once(':') else {
        return (!text.is_empty()).then(|| Diagnostic::warning("", Code::BadAssetId, expected));
    };
    // `Carbon Black.Response:id`: vendor and product are parts of their own.
    let part_is_fine = |part: &str| {
        (1..=VENDOR_LENGTH).contains(&part.len())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" _-".contains(&byte))
    };
    let fine = vendor.split('.').all(part_is_fine) && (1..=ASSET_ID_LENGTH).contains(&id.len());
    (!fine).then(|| Diagnostic::error("", Code::BadAssetId, expected))
}

/// Whether protobuf would put the value on the wire.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => items.iter().any(is_set),
        Value::Object(entries) => entries.values().any(is_set),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Schema;

    fn codes(message: &str, object: Value) -> Vec<(String, Code)> {
        let message = Schema::published().message(message).unwrap();
        broken(Node::new(message, object.as_object().unwrap())).into_iter().map(|one| (one.pointer, one.code)).collect()
    }

    #[test]
    fn each_length_is_counted_in_bytes() {
        for &(message, field, most) in LENGTHS {
            assert!(Schema::published().message(message).unwrap().field(field).is_some(), "{message}.{field}");
            assert_eq!(codes(message, json!({field: "x".repeat(most)})), []);
            let long = codes(message, json!({field: format!("ä{}", "x".repeat(most - 1))}));
            assert_eq!(long, [(format!("/{field}"), Code::TooLong)], "{message}.{field}");
        }
        for (asset_id, fine) in [
            ("CrowdStrike:abc", true),
            ("Carbon Black.Response:3cb0e0fc", true),
            (&format!("{}:{}", "v".repeat(32), "i".repeat(128)), true),
            (&format!("{}:i", "v".repeat(33)), false),
            (&format!("v:{}", "i".repeat(129)), false),
            ("no-vendor", false),
            (":id", false),
        ] {
            assert_eq!(codes("Noun", json!({"asset_id": asset_id})).is_empty(), fine, "{asset_id}");
        }
    }

    #[test]
    fn what_the_server_sets_is_known_to_the_schema() {
        for (message, field, _) in SET_BY_SERVER {
            assert!(Schema::published().message(message).unwrap().field(field).is_some(), "{message}.{field}");
        }
        assert_eq!(codes("Metadata", json!({"tags": {}})), [("/tags".to_owned(), Code::SetByServer)]);
    }

    #[test]
    fn ports_need_a_number_and_one_address() {
        assert_eq!(codes("Noun", json!({"port": 443, "ip": ["10.0.0.1"]})), []);
        assert_eq!(codes("Noun", json!({"port": 65536, "ip": ["::1"]})), [("/port".to_owned(), Code::BadPort)]);
        assert_eq!(codes("Noun", json!({"port": 0, "ip": ["::1"]})), [("/port".to_owned(), Code::BadPort)]);
        assert_eq!(codes("Noun", json!({"port": 443})), [("/port".to_owned(), Code::PortNeedsOneIp)]);
        let two = json!({"port": 443, "ip": ["10.0.0.1", "10.0.0.2"]});
        assert_eq!(codes("Noun", two), [("/port".to_owned(), Code::PortNeedsOneIp)]);
        assert_eq!(codes("Noun", json!({"natPort": 70000})), [("/natPort".to_owned(), Code::BadPort)]);
    }

    #[test]
    fn addresses_names_and_urls() {
        assert_eq!(codes("Asset", json!({"nat_ip": ["::1", "web-07"]})), [("/nat_ip/1".to_owned(), Code::BadIp)]);
        for (hostname, fine) in
            [("web-07", true), ("web-07.corp.example.", true), ("web 07", false), ("-web", false), ("a..b", false)]
        {
            assert_eq!(codes("Noun", json!({"hostname": hostname})).is_empty(), fine, "{hostname}");
        }
        assert_eq!(codes("Noun", json!({"hostname": "l".repeat(64)})), [("/hostname".to_owned(), Code::BadHostname)]);
        let underscore = json!({"hostname": "WIN_7"});
        let message = Schema::published().message("Noun").unwrap();
        assert!(!broken(Node::new(message, underscore.as_object().unwrap()))[0].is_error());
        for (url, fine) in
            [("https://a.example/x", true), ("a.example/x", false), ("a.example:80/x", false), ("://a", false)]
        {
            assert_eq!(codes("Noun", json!({"url": url})).is_empty(), fine, "{url}");
        }
        let both = json!({"hostname": "a.example", "url": "https://a.example/"});
        assert_eq!(codes("Noun", both), [("/hostname".to_owned(), Code::HostnameWithUrl)]);
        let back = json!({"urlBackToProduct": "here"});
        assert_eq!(codes("SecurityResult", back), [("/urlBackToProduct".to_owned(), Code::BadUrl)]);
    }

    #[test]
    fn a_principal_holds_no_files() {
        let event = json!({"principal": {"file": {"full_path": "/etc/passwd"}, "registry": {}}});
        assert_eq!(codes("UDM", event), [("/principal/file".to_owned(), Code::NotInPrincipal)]);
    }
}
