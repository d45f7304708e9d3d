//! `metrics.*`: what the service knows of the last 30 days, as far as a rule that asks for it can be checked.
//!
//! Arguments are named: `period`, `window`, `metric`, `agg`, perhaps `filter`, and the fields by which the metric is broken down.
//! Only fixed combinations of fields have been computed; each metric lists its own.

use super::{Function, FunctionKind, Kind, Parameter, Place, Role};
use crate::types::Type;

/// Why no metric is computed here.
pub(super) const ONLINE: &str = "only the service has the months of data behind a metric";

/// What a call of a metric must name, besides its fields.
pub const REQUIRED: [&str; 4] = ["period", "window", "metric", "agg"];
/// What it may name.
pub const FILTER: &str = "filter";
/// Each period with the window that belongs to it. The first alone is refused: a rule needs one with the second as well.
pub const PERIODS: [(&str, &str); 2] = [("1h", "today"), ("1d", "30d")];
/// What may be measured; `value_sum` only where [`Metric::value_sum`] says so.
pub const MEASURES: [&str; 5] = ["event_count_sum", "first_seen", "last_seen", "num_unique_filter_values", "value_sum"];
/// How the periods are summed up.
pub const AGGREGATES: [&str; 6] = ["avg", "max", "min", "num_metric_periods", "stddev", "sum"];

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Its name: `metrics.dns_bytes_outbound`.
    pub name: &'static str,
    /// The events that it counts.
    pub events: &'static str,
    /// Whether it sums bytes, so that `value_sum` means something.
    pub value_sum: bool,
    /// The combinations of fields that it knows.
    pub combinations: &'static [&'static [Dimension]],
}

/// A field, or a choice of fields, by which a metric is broken down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// Exactly this one.
    Field(&'static str),
    /// One that names a device of this noun: `principal.asset.hostname`.
    Asset(&'static str),
    /// One that names a user of this noun: `principal.user.userid`.
    User(&'static str),
}

const ASSET_FIELDS: [&str; 5] = ["asset_id", "hostname", "ip", "mac", "product_object_id"];
const USER_FIELDS: [&str; 5] = ["email_addresses", "employee_id", "product_object_id", "userid", "windows_sid"];

impl Dimension {
    /// Whether a path is this field, or one of its choice.
    #[must_use]
    pub fn covers(self, path: &str) -> bool {
        match self {
            Self::Field(field) => field == path,
            Self::Asset(noun) => part_of(path, noun, ".asset.").is_some_and(|field| ASSET_FIELDS.contains(&field)),
            Self::User(noun) => part_of(path, noun, ".user.").is_some_and(|field| USER_FIELDS.contains(&field)),
        }
    }

    /// How it is spelt in messages: `principal.asset.{asset_id, hostname, ..}`.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Field(field) => field.to_owned(),
            Self::Asset(noun) => format!("{noun}.asset.{{{}}}", ASSET_FIELDS.join(", ")),
            Self::User(noun) => format!("{noun}.user.{{{}}}", USER_FIELDS.join(", ")),
        }
    }
}

fn part_of<'a>(path: &'a str, noun: &str, between: &str) -> Option<&'a str> {
    path.strip_prefix(noun)?.strip_prefix(between)
}

impl Metric {
    /// Whether it has been broken down by exactly these fields. The namespace of a noun among them may be added.
    #[must_use]
    pub fn allows(&self, paths: &[&str]) -> bool {
        let is_namespace = |path: &str| {
            path.strip_suffix(".namespace")
                .is_some_and(|noun| paths.iter().any(|other| *other != path && part_of(other, noun, ".").is_some()))
        };
        let fields: Vec<&str> = paths.iter().copied().filter(|path| !is_namespace(path)).collect();
        self.combinations.iter().any(|combination| {
            combination.len() == fields.len()
                && combination.iter().all(|dimension| fields.iter().any(|path| dimension.covers(path)))
        })
    }

    /// Whether some combination has this field.
    #[must_use]
    pub fn knows(&self, path: &str) -> bool {
        let noun_of_namespace = path.strip_suffix(".namespace");
        self.combinations.iter().flat_map(|combination| combination.iter()).any(|dimension| {
            dimension.covers(path) || noun_of_namespace.is_some_and(|noun| dimension.describe().starts_with(noun))
        })
    }
}

/// Whether a name is one of this group.
pub(super) fn is_metric(name: &str) -> bool {
    name.get(.."metrics.".len()).is_some_and(|group| group.eq_ignore_ascii_case("metrics."))
}

/// A metric by the name of its function; the case of letters does not matter.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    let in_order = |metric: &Metric| metric.name.bytes().cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()));
    METRICS.binary_search_by(in_order).ok().map(|position| &METRICS[position])
}

const ARGUMENTS: &[Parameter] =
    &[Parameter { name: "name: value", types: &[] as &[Kind], optional: false, role: Role::Plain }];

const fn as_function(metric: &Metric) -> Function {
    Function {
        name: metric.name,
        kind: FunctionKind::Metric,
        parameters: ARGUMENTS,
        variadic: true,
        returns: Some(if metric.value_sum { Type::Float } else { Type::Int }),
        documented: true,
        place: Place::Outcome,
        summary: metric.events,
        online: Some(ONLINE),
        compute: None,
    }
}

/// The functions of the metrics, in the order of their names.
pub static METRIC_FUNCTIONS: [Function; METRICS.len()] = {
    const NONE: Function = as_function(&METRICS[0]);
    let mut functions = [NONE; METRICS.len()];
    let mut position = 0;
    while position < METRICS.len() {
        functions[position] = as_function(&METRICS[position]);
        position += 1;
    }
    functions
};

use Dimension::{Asset, Field, User};

const DEVICE: Dimension = Asset("principal");
const USER: Dimension = User("principal");
const TARGET_DEVICE: Dimension = Asset("target");
const TARGET_USER: Dimension = User("target");
const APPLICATION: Dimension = Field("target.application");
const RULE: Dimension = Field("security_result.rule_name");
const PROCESS_PATH: Dimension = Field("principal.process.file.full_path");
const PROCESS_HASH: Dimension = Field("principal.process.file.sha256");
const EVENT_TYPE: Dimension = Field("metadata.event_type");
const CERTIFICATE: Dimension = Field("network.tls.client.certificate.sha256");
const COUNTRY: Dimension = Field("principal.ip_geo_artifact.location.country_or_region");
const ORGANISATION: Dimension = Field("principal.ip_geo_artifact.network.organization_name");
const TARGET_ORGANISATION: Dimension = Field("target.ip_geo_artifact.network.organization_name");
const AGENT: Dimension = Field("network.http.user_agent");
const TARGET_IP: Dimension = Field("target.ip");
const TARGET_HOST: Dimension = Field("target.hostname");
const DOMAIN: Dimension = Field("network.dns_domain");
const QUESTION: Dimension = Field("network.dns.questions.type");
const CATEGORY: Dimension = Field("security_result.category");
const VENDOR: Dimension = Field("metadata.vendor_name");
const PRODUCT: Dimension = Field("metadata.product_name");
const IP: Dimension = Field("principal.ip");
const PLACE: Dimension = Field("target.location.name");
const RESOURCE: Dimension = Field("target.resource.name");
const RESOURCE_TYPE: Dimension = Field("target.resource_type");

const ALERTS: &[&[Dimension]] = &[
    &[RULE, DEVICE],
    &[RULE, DEVICE, PROCESS_PATH],
    &[RULE, DEVICE, PROCESS_HASH],
    &[RULE, DEVICE, USER],
    &[RULE, DEVICE, PROCESS_PATH, USER],
    &[RULE, DEVICE, PROCESS_HASH, USER],
];
const LOGINS: &[&[Dimension]] = &[
    &[DEVICE],
    &[USER],
    &[DEVICE, TARGET_DEVICE],
    &[USER, TARGET_DEVICE],
    &[APPLICATION],
    &[TARGET_USER],
    &[TARGET_USER, CERTIFICATE],
    &[TARGET_USER, COUNTRY],
    &[TARGET_USER, ORGANISATION],
    &[TARGET_USER, APPLICATION],
];
const ALL_LOGINS: &[&[Dimension]] = &[
    &[DEVICE],
    &[USER],
    &[DEVICE, TARGET_DEVICE],
    &[USER, TARGET_DEVICE],
    &[APPLICATION],
    &[TARGET_USER],
    &[TARGET_USER, CERTIFICATE],
    &[TARGET_USER, COUNTRY],
    &[TARGET_USER, ORGANISATION],
    &[TARGET_USER, APPLICATION],
    &[APPLICATION, TARGET_DEVICE],
];
const GOOD_LOGINS: &[&[Dimension]] = &[
    &[DEVICE],
    &[USER],
    &[DEVICE, TARGET_DEVICE],
    &[USER, TARGET_DEVICE],
    &[APPLICATION],
    &[TARGET_USER],
    &[TARGET_USER, CERTIFICATE],
    &[TARGET_USER, COUNTRY],
    &[TARGET_USER, ORGANISATION],
    &[TARGET_USER, APPLICATION],
    &[AGENT],
    &[DEVICE, EVENT_TYPE],
];
const DNS_BYTES: &[&[Dimension]] = &[&[DEVICE], &[USER], &[DEVICE, TARGET_IP], &[USER, TARGET_IP], &[TARGET_IP]];
const DNS_QUERIES: &[&[Dimension]] =
    &[&[DEVICE], &[USER], &[DEVICE, DOMAIN], &[USER, DOMAIN], &[DEVICE, QUESTION], &[USER, QUESTION]];
const EXECUTIONS: &[&[Dimension]] =
    &[&[EVENT_TYPE, PROCESS_HASH], &[EVENT_TYPE, PROCESS_HASH, DEVICE], &[EVENT_TYPE, PROCESS_HASH, USER]];
const HTTP: &[&[Dimension]] = &[
    &[DEVICE],
    &[USER],
    &[DEVICE, AGENT],
    &[USER, AGENT],
    &[DEVICE, TARGET_HOST],
    &[USER, TARGET_HOST],
    &[DEVICE, AGENT, TARGET_HOST],
    &[USER, AGENT, TARGET_HOST],
    &[TARGET_HOST],
];
const TRAFFIC: &[&[Dimension]] = &[
    &[DEVICE],
    &[USER],
    &[DEVICE, COUNTRY],
    &[USER, COUNTRY],
    &[DEVICE, CATEGORY],
    &[USER, CATEGORY],
    &[DEVICE, TARGET_ORGANISATION],
    &[USER, TARGET_ORGANISATION],
];
const RESOURCES: &[&[Dimension]] = &[
    &[VENDOR, PRODUCT, USER],
    &[VENDOR, PRODUCT, USER, IP],
    &[VENDOR, PRODUCT, USER, APPLICATION],
    &[VENDOR, PRODUCT, USER, APPLICATION, PLACE],
    &[VENDOR, PRODUCT, USER, RESOURCE],
    &[VENDOR, PRODUCT, USER, RESOURCE, RESOURCE_TYPE],
    &[VENDOR, PRODUCT, TARGET_USER],
    &[TARGET_USER],
];

const fn counts(name: &'static str, events: &'static str, combinations: &'static [&'static [Dimension]]) -> Metric {
    Metric { name, events, value_sum: false, combinations }
}

const fn bytes(name: &'static str, events: &'static str, combinations: &'static [&'static [Dimension]]) -> Metric {
    Metric { name, events, value_sum: true, combinations }
}

/// Every metric, in the order of its name.
pub const METRICS: &[Metric] = &[
    counts("metrics.alert_event_name_count", "alerts of products that watch devices", ALERTS),
    counts("metrics.auth_attempts_fail", "logins that were not allowed", LOGINS),
    counts("metrics.auth_attempts_success", "logins that were allowed", GOOD_LOGINS),
    counts("metrics.auth_attempts_total", "logins", ALL_LOGINS),
    bytes("metrics.dns_bytes_outbound", "bytes sent to the ports of DNS", DNS_BYTES),
    counts("metrics.dns_queries_fail", "DNS queries that were answered with an error", DNS_QUERIES),
    counts("metrics.dns_queries_success", "DNS queries that were answered", DNS_QUERIES),
    counts("metrics.dns_queries_total", "DNS queries", DNS_QUERIES),
    counts("metrics.file_executions_fail", "starts of programs that failed", EXECUTIONS),
    counts("metrics.file_executions_success", "starts of programs that succeeded", EXECUTIONS),
    counts("metrics.file_executions_total", "starts of programs", EXECUTIONS),
    counts("metrics.http_queries_fail", "HTTP requests answered with a status from 400", HTTP),
    counts("metrics.http_queries_success", "HTTP requests answered with a status below 400", HTTP),
    counts("metrics.http_queries_total", "HTTP requests", HTTP),
    bytes("metrics.network_bytes_inbound", "bytes received", TRAFFIC),
    bytes("metrics.network_bytes_outbound", "bytes sent", TRAFFIC),
    bytes("metrics.network_bytes_total", "bytes sent and received", TRAFFIC),
    counts("metrics.resource_creation_success", "resources that were created", RESOURCES),
    counts("metrics.resource_creation_total", "attempts to create a resource", RESOURCES),
    counts("metrics.resource_deletion_success", "resources that were deleted", RESOURCES),
    counts("metrics.resource_read_fail", "reads of resources that failed", RESOURCES),
    counts("metrics.resource_read_success", "reads of resources that succeeded", RESOURCES),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_fixed_combinations_are_allowed() {
        let logins = find("metrics.AUTH_attempts_total").unwrap();
        assert!(logins.allows(&["principal.asset.hostname"]));
        assert!(logins.allows(&["target.asset.ip", "principal.user.userid"]));
        assert!(logins.allows(&["principal.asset.hostname", "principal.namespace"]));
        assert!(!logins.allows(&["principal.asset.hostname", "target.namespace"]));
        assert!(!logins.allows(&["principal.asset.hostname", "principal.user.userid"]));
        assert!(!logins.allows(&["principal.asset.hostname", "principal.asset.ip"]));
        assert!(!logins.allows(&[]));
        assert!(logins.knows("target.asset.mac") && !logins.knows("target.ip"));
    }

    #[test]
    fn words_are_in_order_and_every_metric_is_found() {
        assert!(MEASURES.is_sorted() && AGGREGATES.is_sorted());
        for metric in METRICS {
            assert!(find(metric.name).is_some_and(|found| found.name == metric.name));
        }
        assert!(find("metrics.nothing").is_none());
    }
}
