//! Searches to paste into the SIEM: everything about a finding's entity around its time.
//!
//! The entity's name comes from a log, so it is quoted as each language wants it; a name that a language can't quote
//! safely is searched with wildcards or not at all, never pasted as it is.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use watchbell_sink::{EntityKind, Finding};

use crate::report::visible;

/// How much before the first and after the last event to look.
const MARGIN: SignedDuration = SignedDuration::from_hours(1);
/// A longer name makes no sensible search.
const LONGEST_NAME: usize = 256;

/// One search.
#[derive(Debug, Serialize)]
pub(super) struct Pivot {
    /// Where to paste it.
    pub(super) label: &'static str,
    /// The search.
    pub(super) query: String,
}

/// The searches for a finding; none when its entity is the log as a whole or has an absurd name.
pub(super) fn pivots(finding: &Finding) -> Vec<Pivot> {
    let (kind, value) = (finding.entity.kind, finding.entity.value.as_str());
    if kind == EntityKind::Source || value.is_empty() || value.chars().count() > LONGEST_NAME {
        return Vec::new();
    }
    let from = finding.first_seen.or(finding.last_seen).map(|time| time.saturating_sub(MARGIN));
    let to = finding.last_seen.or(finding.first_seen).map(|time| time.saturating_add(MARGIN));
    let window = from.zip(to).and_then(|(from, to)| Some((from.ok()?, to.ok()?)));
    let searches = [
        ("Splunk SPL (CIM)", Some(spl(kind, value, window))),
        ("Kibana KQL (ECS)", kql(kind, value, window)),
        ("Chronicle UDM", udm(kind, value, window)),
    ];
    searches.into_iter().filter_map(|(label, query)| Some(Pivot { label, query: query? })).collect()
}

type Window = Option<(Timestamp, Timestamp)>;

/// Control characters, backquotes (macros) and wildcards have no escape in SPL: each becomes a wildcard.
fn spl(kind: EntityKind, value: &str, window: Window) -> String {
    let mut quoted = String::new();
    for letter in value.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '`' | '$' => quoted.push('*'),
            _ if visible::is_control(letter) => quoted.push('*'),
            _ => quoted.push(letter),
        }
    }
    let fields = match kind {
        EntityKind::User => &["user", "src_user"][..],
        EntityKind::Ip => &["src", "src_ip", "dest"],
        EntityKind::Host => &["host", "dest", "src"],
        EntityKind::Resource => &["object", "file_path", "url"],
        EntityKind::Action => &["action", "signature"],
        EntityKind::Country => &["src_country", "Country"],
        EntityKind::Process => &["process_name", "process"],
        EntityKind::UserAgent => &["http_user_agent"],
        EntityKind::Source => &["source"],
    };
    let terms: Vec<_> = fields.iter().map(|field| format!("{field}=\"{quoted}\"")).collect();
    let window = window
        .map_or_else(String::new, |(from, to)| format!(" earliest={} latest={}", from.as_second(), to.as_second()));
    format!("search index=*{window} ({}) | sort 0 _time", terms.join(" OR "))
}

fn kql(kind: EntityKind, value: &str, window: Window) -> Option<String> {
    let quoted = quoted(value)?;
    let fields = match kind {
        EntityKind::User => &["user.name", "user.email"][..],
        EntityKind::Ip => &["source.ip", "destination.ip"],
        EntityKind::Host => &["host.name", "destination.domain"],
        EntityKind::Resource => &["file.path", "url.full"],
        EntityKind::Action => &["event.action"],
        EntityKind::Country => &["source.geo.country_iso_code"],
        EntityKind::Process => &["process.name"],
        EntityKind::UserAgent => &["user_agent.original"],
        EntityKind::Source => &["log.file.path"],
    };
    let terms: Vec<_> = fields.iter().map(|field| format!("{field} : {quoted}")).collect();
    let window = window.map_or_else(String::new, |(from, to)| {
        format!(" and @timestamp >= \"{}\" and @timestamp <= \"{}\"", rfc3339(from), rfc3339(to))
    });
    Some(format!("({}){window}", terms.join(" or ")))
}

fn udm(kind: EntityKind, value: &str, window: Window) -> Option<String> {
    let quoted = quoted(value)?;
    let field = match kind {
        EntityKind::User => "user",
        EntityKind::Ip => "ip",
        EntityKind::Host => "hostname",
        EntityKind::Resource => "target.resource.name",
        EntityKind::Action => "metadata.product_event_type",
        EntityKind::Country => "principal.location.country_or_region",
        EntityKind::Process => "principal.process.file.full_path",
        EntityKind::UserAgent => "network.http.user_agent",
        EntityKind::Source => return None,
    };
    let window = window.map_or_else(String::new, |(from, to)| {
        let seconds = "metadata.event_timestamp.seconds";
        format!(" AND {seconds} >= {} AND {seconds} <= {}", from.as_second(), to.as_second())
    });
    Some(format!("{field} = {quoted}{window}"))
}

/// In double quotes, for languages that escape with a backslash; nothing for what they can't express.
fn quoted(value: &str) -> Option<String> {
    let mut quoted = String::from('"');
    for letter in value.chars() {
        if visible::is_control(letter) {
            return None;
        }
        if matches!(letter, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(letter);
    }
    quoted.push('"');
    Some(quoted)
}

fn rfc3339(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    fn queries(kind: EntityKind, value: &str) -> Vec<String> {
        let mut finding = fixture::reports()[0].findings[0].clone();
        finding.entity = watchbell_sink::Entity { kind, value: value.to_owned() };
        pivots(&finding).into_iter().map(|pivot| pivot.query).collect()
    }

    #[test]
    fn each_search_names_the_entity_and_an_hour_around_the_finding() {
        let queries = queries(EntityKind::User, "alice");
        assert_eq!(
            queries,
            [
                "search index=* earliest=1794622320 latest=1794629850 (user=\"alice\" OR src_user=\"alice\") | sort 0 _time",
                "(user.name : \"alice\" or user.email : \"alice\") and @timestamp >= \"2026-11-14T02:12:00Z\" and \
                 @timestamp <= \"2026-11-14T04:17:30Z\"",
                "user = \"alice\" AND metadata.event_timestamp.seconds >= 1794622320 AND \
                 metadata.event_timestamp.seconds <= 1794629850",
            ]
        );
    }

    #[test]
    fn a_name_can_not_end_its_quotes() {
        let with_quote = queries(EntityKind::User, "x\" | delete \\\" `macro`");
        assert!(with_quote[0].contains(r#"user="x\" | delete \\\" *macro*""#), "{}", with_quote[0]);
        assert!(with_quote[1].contains(r#"user.name : "x\" | delete \\\" `macro`""#), "{}", with_quote[1]);
    }

    #[test]
    fn what_can_not_be_quoted_is_not_searched() {
        let queries = queries(EntityKind::Ip, "a\u{202e}\nb");
        assert_eq!(queries.len(), 1);
        assert!(queries[0].contains("src=\"a**b\""));
        assert!(super::tests::queries(EntityKind::Source, "log").is_empty());
        assert!(super::tests::queries(EntityKind::User, &"x".repeat(300)).is_empty());
    }
}
