//! The index mappings for exactly our document.
//!
//! Only field types that Elasticsearch 8 and 9 and OpenSearch 2 and 3 all have: so `text` for ECS's `match_only_text`,
//! `keyword` for `wildcard` and `constant_keyword`, and nothing `flattened`, which OpenSearch spells `flat_object`.

use serde_json::{Map, Value, json};

/// Longest value of a `keyword` that is indexed, in characters, as in ECS. Longer ones stay in `_source`. Lucene refuses
/// a term of more than 32,766 bytes and with it the document, so no `keyword` may go without.
const IGNORE_ABOVE: u32 = 1024;

/// Path and type of each field.
const FIELDS: [(&str, Type); 66] = [
    ("@timestamp", Type::Date),
    ("ecs.version", Type::Keyword),
    ("message", Type::Text),
    ("tags", Type::Keyword),
    ("event.kind", Type::Keyword),
    ("event.category", Type::Keyword),
    ("event.type", Type::Keyword),
    ("event.action", Type::Keyword),
    ("event.module", Type::Keyword),
    ("event.dataset", Type::Keyword),
    ("event.provider", Type::Keyword),
    ("event.id", Type::Keyword),
    ("event.start", Type::Date),
    ("event.end", Type::Date),
    ("event.duration", Type::Long),
    ("event.severity", Type::Long),
    ("event.risk_score", Type::Float),
    ("event.risk_score_norm", Type::Float),
    ("event.reason", Type::Keyword),
    ("event.original", Type::Unindexed),
    ("rule.id", Type::Keyword),
    ("rule.name", Type::Keyword),
    ("rule.category", Type::Keyword),
    ("rule.ruleset", Type::Keyword),
    ("rule.version", Type::Keyword),
    ("threat.framework", Type::Keyword),
    ("threat.tactic.id", Type::Keyword),
    ("threat.tactic.name", Type::Keyword),
    ("threat.tactic.reference", Type::Keyword),
    ("threat.technique.id", Type::Keyword),
    ("threat.technique.name", Type::Keyword),
    ("threat.technique.reference", Type::Keyword),
    ("threat.technique.subtechnique.id", Type::Keyword),
    ("threat.technique.subtechnique.name", Type::Keyword),
    ("threat.technique.subtechnique.reference", Type::Keyword),
    ("user.name", Type::Keyword),
    ("host.name", Type::Keyword),
    ("source.ip", Type::Ip),
    ("source.geo.country_iso_code", Type::Keyword),
    ("source.geo.country_name", Type::Keyword),
    ("process.name", Type::Keyword),
    ("user_agent.original", Type::Keyword),
    ("url.original", Type::Keyword),
    ("related.user", Type::Keyword),
    ("related.ip", Type::Ip),
    ("related.hosts", Type::Keyword),
    ("log.level", Type::Keyword),
    ("log.file.path", Type::Keyword),
    ("observer.vendor", Type::Keyword),
    ("observer.product", Type::Keyword),
    ("observer.version", Type::Keyword),
    ("observer.type", Type::Keyword),
    ("watchbell.threat_type", Type::Keyword),
    ("watchbell.title", Type::Text),
    ("watchbell.severity", Type::Keyword),
    ("watchbell.score", Type::Float),
    ("watchbell.confidence", Type::Float),
    ("watchbell.event_count", Type::Long),
    ("watchbell.entity.kind", Type::Keyword),
    ("watchbell.entity.value", Type::Keyword),
    ("watchbell.chain", Type::Keyword),
    ("watchbell.attack_version", Type::Keyword),
    ("watchbell.reasons.feature", Type::Keyword),
    ("watchbell.reasons.text", Type::Text),
    ("watchbell.reasons.observed", Type::Keyword),
    ("watchbell.reasons.typical", Type::Keyword),
];

/// Fields of objects that come in lists.
const LISTED_FIELDS: [(&str, Type); 9] = [
    ("watchbell.reasons.share", Type::Float),
    ("watchbell.observables.kind", Type::Keyword),
    ("watchbell.observables.value", Type::Keyword),
    ("watchbell.observables.count", Type::Long),
    ("watchbell.evidence.file", Type::Keyword),
    ("watchbell.evidence.line", Type::Long),
    ("watchbell.evidence.time", Type::Date),
    ("watchbell.evidence.score", Type::Float),
    ("watchbell.evidence.raw", Type::Unindexed),
];

/// The value of `mappings` in an index template.
#[must_use]
pub fn mappings() -> Value {
    let mut root = json!({ "date_detection": false, "properties": {} });
    for (path, field) in FIELDS.into_iter().chain(LISTED_FIELDS) {
        let mut object = &mut root;
        let mut names = path.split('.').peekable();
        while let Some(name) = names.next() {
            let properties = object["properties"].as_object_mut().expect("each object above is made with properties");
            let inner = if names.peek().is_some() { json!({ "properties": {} }) } else { field.mapping() };
            object = properties.entry(name).or_insert(inner);
        }
    }
    // Nothing may ever be added below our own object: its lists hold what a log says.
    let own: &mut Map<String, Value> = root["properties"]["watchbell"].as_object_mut().expect("it is among the fields");
    own.insert("dynamic".to_owned(), json!(false));
    root
}

#[derive(Debug, Clone, Copy)]
enum Type {
    Keyword,
    Text,
    Date,
    Long,
    Float,
    Ip,
    /// Kept in `_source` only.
    Unindexed,
}

impl Type {
    fn mapping(self) -> Value {
        match self {
            Self::Keyword => json!({ "type": "keyword", "ignore_above": IGNORE_ABOVE }),
            Self::Text => json!({ "type": "text" }),
            Self::Date => json!({ "type": "date" }),
            Self::Long => json!({ "type": "long" }),
            Self::Float => json!({ "type": "float" }),
            Self::Ip => json!({ "type": "ip" }),
            Self::Unindexed => json!({ "type": "keyword", "index": false, "doc_values": false }),
        }
    }
}
