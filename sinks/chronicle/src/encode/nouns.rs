//! Whom and what a finding is about, as the nouns of an event, and the most specific event type that they allow.
//!
//! Types are tried from the most specific; one counts only when every noun that the linter's table asks of it is there. The
//! values come from logs: an `ip` that is no address stays out of the nouns (it is still among the detection fields).

use std::net::IpAddr;

use watchbell_sink::{EntityKind, Finding, ThreatType};
use watchbell_udm::lint::is_hostname;

use super::{Style, text::cut};
use crate::wire::{Asset, Auth, Extensions, Http, Location, Network, Noun, Resource, Udm, User};

/// How many addresses, accounts or computers an event names.
const MOST_OF_A_KIND: usize = 16;
/// UDM states no limit for names; logs have none either.
const LONGEST_NAME: usize = 256;

/// What is known about the finding's parties.
#[derive(Debug, Default)]
pub(super) struct Parties {
    addresses: Vec<String>,
    source_host: Option<String>,
    target_host: Option<String>,
    other_hosts: Vec<String>,
    user: Option<String>,
    other_users: Vec<String>,
    resource: Option<String>,
    process: Option<String>,
    user_agent: Option<String>,
    country: Option<String>,
}

impl Parties {
    pub(super) fn of(finding: &Finding) -> Self {
        let names = |kind| names(finding, kind);
        let addresses = names(EntityKind::Ip).filter_map(|ip| ip.parse::<IpAddr>().ok()).map(|ip| ip.to_string());
        let addresses = addresses.fold(Vec::new(), |mut seen, address| {
            if seen.len() < MOST_OF_A_KIND && !seen.contains(&address) {
                seen.push(address);
            }
            seen
        });
        let mut hosts: Vec<String> =
            names(EntityKind::Host).filter(|host| is_hostname(host)).map(str::to_owned).take(MOST_OF_A_KIND).collect();
        // The computer that a finding is about is where it comes from; otherwise that is the address, where there is one.
        let about_host = finding.entity.kind == EntityKind::Host && hosts.first() == Some(&finding.entity.value);
        let source_host = (about_host || (addresses.is_empty() && !hosts.is_empty())).then(|| hosts.remove(0));
        let target_host = (!hosts.is_empty()).then(|| hosts.remove(0));
        let mut users = names(EntityKind::User).map(|name| cut(name, LONGEST_NAME)).take(MOST_OF_A_KIND);
        let first = |kind| names(kind).next().map(|name| cut(name, LONGEST_NAME));
        Self {
            source_host,
            target_host,
            other_hosts: hosts,
            user: users.next(),
            other_users: users.collect(),
            resource: first(EntityKind::Resource),
            process: first(EntityKind::Process),
            user_agent: first(EntityKind::UserAgent),
            country: first(EntityKind::Country),
            addresses,
        }
    }

    /// The most specific type whose nouns are all there.
    pub(super) fn event_type(&self, threat: ThreatType) -> &'static str {
        let specific: &[&str] = match threat {
            ThreatType::BruteForce
            | ThreatType::PasswordSpraying
            | ThreatType::CredentialStuffing
            | ThreatType::ImpossibleTravel
            | ThreatType::DormantAccount => &["USER_LOGIN"],
            ThreatType::AccountTakeover | ThreatType::AnomalousAccess => {
                &["USER_RESOURCE_ACCESS", "USER_UNCATEGORIZED"]
            }
            ThreatType::PrivilegeEscalation => &["USER_UNCATEGORIZED"],
            ThreatType::DataExfiltration | ThreatType::SlowExfiltration => {
                &["USER_RESOURCE_ACCESS", "NETWORK_CONNECTION"]
            }
            ThreatType::LateralMovement | ThreatType::Beaconing => &["NETWORK_CONNECTION"],
            ThreatType::Reconnaissance => &["SCAN_NETWORK"],
            ThreatType::DefenseEvasion => &["SYSTEM_AUDIT_LOG_UNCATEGORIZED"],
        };
        let tail = ["SCAN_UNCATEGORIZED", "GENERIC_EVENT"];
        specific.iter().copied().chain(tail).find(|event_type| self.suffice_for(event_type)).unwrap_or("GENERIC_EVENT")
    }

    fn suffice_for(&self, event_type: &str) -> bool {
        let source = !self.addresses.is_empty() || self.source_host.is_some();
        let user = self.user.is_some();
        match event_type {
            "USER_LOGIN" | "USER_UNCATEGORIZED" | "SYSTEM_AUDIT_LOG_UNCATEGORIZED" => user && source,
            "USER_RESOURCE_ACCESS" => user && self.resource.is_some(),
            "NETWORK_CONNECTION" => source && self.target_host.is_some(),
            "SCAN_NETWORK" | "SCAN_UNCATEGORIZED" => source,
            _ => true,
        }
    }

    /// Puts the parties where the event's type has them.
    pub(super) fn fill(self, event: &mut Udm, style: &Style) {
        // Who logs in is not yet known to be that user, so the account is what is acted upon.
        let login = event.metadata.event_type == "USER_LOGIN";
        let user = self.user.map(user_of);
        let (acting, acted_upon) = if login { (None, user) } else { (user, None) };
        let hostname = self.source_host;
        let asset = (hostname.is_some() || !self.addresses.is_empty())
            .then(|| Asset { hostname: hostname.clone(), ip: self.addresses.clone() });
        event.principal = named(
            Noun {
                hostname,
                user: acting,
                ip: self.addresses,
                location: self.country.map(|country_or_region| Location { country_or_region }),
                asset,
                ..Noun::default()
            },
            style,
        );
        let target_asset = self.target_host.clone().map(|host| Asset { hostname: Some(host), ip: Vec::new() });
        event.target = named(
            Noun {
                hostname: self.target_host,
                user: acted_upon,
                application: self.process,
                resource: self.resource.map(|name| Resource { name }),
                asset: target_asset,
                ..Noun::default()
            },
            style,
        );
        event.observer = style.collector.clone().map(|host| Noun { hostname: Some(host), ..Noun::default() });
        let hosts = self.other_hosts.into_iter().map(|host| Noun { hostname: Some(host), ..Noun::default() });
        let users = self.other_users.into_iter().map(|name| Noun { user: Some(user_of(name)), ..Noun::default() });
        event.about = users.chain(hosts).filter_map(|noun| named(noun, style)).collect();
        event.network = self.user_agent.map(|user_agent| Network { http: Http { user_agent } });
        event.extensions = login.then_some(Extensions { auth: Auth { auth_details: "seen in logs" } });
    }
}

/// The entity first, then the observables of the kind, each once and none empty.
fn names(finding: &Finding, kind: EntityKind) -> impl Iterator<Item = &str> {
    let entity = (finding.entity.kind == kind).then_some(finding.entity.value.as_str());
    let observed = finding.observables.iter().filter(move |one| one.kind == kind).map(|one| one.value.as_str());
    entity
        .into_iter()
        .chain(observed.filter(move |&value| Some(value) != entity))
        .filter(|value| !value.trim().is_empty())
}

fn user_of(userid: String) -> User {
    let is_address = userid.split_once('@').is_some_and(|(name, domain)| {
        !name.is_empty() && !name.contains(char::is_whitespace) && domain.contains('.') && is_hostname(domain)
    });
    User { email_addresses: if is_address { vec![userid.clone()] } else { Vec::new() }, userid }
}

/// The noun in its namespace, unless it is empty.
fn named(noun: Noun, style: &Style) -> Option<Noun> {
    (noun != Noun::default()).then(|| Noun { namespace: style.namespace.clone(), ..noun })
}
