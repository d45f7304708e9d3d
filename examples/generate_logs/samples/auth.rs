//! `auth.jsonl`: the single sign-on of the office, JSON lines with plain names.
//!
//! The oddities are meant: a service whose password went stale fails all day, a backup moves gigabytes, a scanner tries
//! every host, somebody starts on day 8, somebody travels by plane. None of them is an incident.

use super::{
    log::{DAYS, HOUR, Incident, MINUTE, Moment, Packing, Sample, is_weekend},
    people::{Person, TEAMS, by_surname, everybody},
    random::Random,
};

const SPRAYING: Incident = Incident {
    id: "auth-password-spraying",
    threat_type: "password_spraying",
    entity: ("ip", "203.0.113.77"),
    story: "one address tries one or two passwords on 38 accounts within half an hour at night; all fail",
};
const BRUTE_FORCE: Incident = Incident {
    id: "auth-brute-force",
    threat_type: "brute_force",
    entity: ("user", "h.novak"),
    story: "90 failed logins to one account from one address abroad, then one that succeeds",
};
const TAKEOVER: Incident = Incident {
    id: "auth-account-takeover",
    threat_type: "account_takeover",
    entity: ("user", "h.novak"),
    story: "the address that guessed the password reads things that the account's owner never touched",
};
const TRAVEL: Incident = Incident {
    id: "auth-impossible-travel",
    threat_type: "impossible_travel",
    entity: ("user", "o.tanaka"),
    story: "32 minutes after working in Sweden the account works in Brazil, and then in Sweden again",
};
const EXFILTRATION: Incident = Incident {
    id: "auth-data-exfiltration",
    threat_type: "data_exfiltration",
    entity: ("user", "y.malm"),
    story: "an account that moves kilobytes downloads 26 archives of 150 to 400 MB in an evening",
};
const ESCALATION: Incident = Incident {
    id: "auth-privilege-escalation",
    threat_type: "privilege_escalation",
    entity: ("user", "r.lopez"),
    story: "a support account gives itself administrative roles, one after the other",
};
const EVASION: Incident = Incident {
    id: "auth-defense-evasion",
    threat_type: "defense_evasion",
    entity: ("user", "r.lopez"),
    story: "with the new roles it switches auditing off and deletes logs",
};
const STUFFING: Incident = Incident {
    id: "auth-credential-stuffing",
    threat_type: "credential_stuffing",
    entity: ("source", "auth.jsonl"),
    story: "on a Sunday 110 addresses that nobody ever used try one login each; four succeed",
};

/// What stands in one record.
struct Entry<'a> {
    user: &'a str,
    address: &'a str,
    country: &'a str,
    action: &'a str,
    failed: bool,
    resource: &'a str,
    host: &'a str,
    bytes: u64,
}

impl Entry<'_> {
    fn at(&self, time: Moment) -> String {
        let status = if self.failed { "failure" } else { "success" };
        format!(
            r#"{{"timestamp":"{}","user":"{}","source_ip":"{}","country":"{}","action":"{}","status":"{status}","resource":"{}","host":"{}","bytes":{}}}"#,
            time.rfc3339(),
            self.user,
            self.address,
            self.country,
            self.action,
            self.resource,
            self.host,
            self.bytes
        )
    }
}

/// The log.
pub(crate) fn sample() -> Sample {
    let mut log = Sample::lines("auth.jsonl", Packing::Plain);
    let people = everybody();
    let mut random = Random::new(1);
    for person in &people {
        for day in 0..DAYS {
            person_day(&mut log, &mut random, person, day);
        }
    }
    special_people(&mut log, &mut random, &people);
    services(&mut log, &mut random);
    guessing(&mut log, &mut random, &people);
    insiders(&mut log, &mut random, &people);
    broken_lines(&mut log);
    log.sorted()
}

fn person_day(log: &mut Sample, random: &mut Random, person: &Person, day: i64) {
    let joined = if person.user == "x.yilmaz" { 7 } else { 0 };
    let works = if is_weekend(day) { random.percent(4) } else { random.percent(88) };
    if !works || day < joined {
        return;
    }
    let traveling = person.user == "g.conti" && (7..10).contains(&day);
    let at_home = random.percent(person.at_home);
    let mut entry = Entry {
        user: &person.user,
        address: if at_home { &person.remote_address } else { &person.address },
        country: TEAMS[person.team].country,
        action: "login",
        failed: false,
        resource: "/sso",
        host: &person.host,
        bytes: random.size(700),
    };
    let mut seconds = random.around(person.begins, 45 * MINUTE);
    if traveling {
        (entry.address, entry.country) = ("192.0.2.61", "US");
        seconds += 6 * HOUR;
    }
    // Passwords expire on the second Monday, and fingers slip on every day.
    let slips = if day == 7 && random.percent(12) { random.between(2, 3) } else { i64::from(random.percent(4)) };
    for _ in 0..slips {
        entry.failed = true;
        log.add(Moment::on(day, seconds), entry.at(Moment::on(day, seconds)));
        seconds += random.between(8, 50);
    }
    entry.failed = false;
    log.add(Moment::on(day, seconds), entry.at(Moment::on(day, seconds)));
    for _ in 0..random.between(2, 5) {
        seconds += random.between(10 * MINUTE, 130 * MINUTE);
        (entry.action, entry.bytes) = match random.below(20) {
            0..11 => ("read", random.size(6_000)),
            11..16 => ("write", random.size(9_000)),
            16..18 => ("list", random.size(2_000)),
            18 => ("upload", random.size(60_000)),
            _ => ("download", random.size(300_000)),
        };
        entry.resource = random.pick(&person.resources);
        log.add(Moment::on(day, seconds), entry.at(Moment::on(day, seconds)));
    }
}

fn special_people(log: &mut Sample, random: &mut Random, people: &[Person]) {
    let administrator = by_surname(people, "lind");
    let analyst = by_surname(people, "rossi");
    for day in (0..DAYS).filter(|&day| !is_weekend(day)) {
        let mut entry = own(administrator, "role_assign", "/iam/roles");
        for _ in 0..random.between(1, 3) {
            entry.action = random.pick(&["role_assign", "group_add", "password_reset"]);
            let time = Moment::on(day, random.between(9 * HOUR, 16 * HOUR));
            log.add(time, entry.at(time));
        }
        let mut entry = own(analyst, "download", "/warehouse/export");
        for _ in 0..2 {
            entry.bytes = random.between(200_000_000, 600_000_000) as u64;
            let time = Moment::on(day, random.around(16 * HOUR, HOUR));
            log.add(time, entry.at(time));
        }
    }
}

/// An entry of somebody at the own desk.
fn own<'a>(person: &'a Person, action: &'a str, resource: &'a str) -> Entry<'a> {
    Entry {
        user: &person.user,
        address: &person.address,
        country: TEAMS[person.team].country,
        action,
        failed: false,
        resource,
        host: &person.host,
        bytes: 640,
    }
}

fn services(log: &mut Sample, random: &mut Random) {
    let service = |user, address, action, resource| Entry {
        user,
        address,
        country: "SE",
        action,
        failed: false,
        resource,
        host: "srv-jobs",
        bytes: 512,
    };
    for day in 0..DAYS {
        let stale = Entry { failed: true, bytes: 0, ..service("svc-crm-sync", "10.30.0.8", "login", "/sso") };
        for slot in 0..36 {
            let time = Moment::on(day, slot * 40 * MINUTE + 17);
            log.add(time, stale.at(time));
        }
        let pulse = service("svc-monitor", "10.30.0.4", "read", "/health");
        for hour in 0..24 {
            let time = Moment::on(day, hour * HOUR + 300 + random.between(0, 2));
            log.add(time, pulse.at(time));
        }
        let mut backup = service("svc-backup", "10.30.0.5", "upload", "/vault/nightly");
        let mut seconds = HOUR + random.between(0, 90);
        for _ in 0..8 {
            backup.bytes = random.between(2_100_000_000, 3_900_000_000) as u64;
            log.add(Moment::on(day, seconds), backup.at(Moment::on(day, seconds)));
            seconds += random.between(200, 420);
        }
        let mut report = service("svc-report", "10.30.0.6", "download", "/warehouse/export");
        for part in 0..4 {
            report.bytes = random.between(180_000_000, 220_000_000) as u64;
            let time = Moment::on(day, 3 * HOUR + 1800 + part * 95 + random.between(0, 20));
            log.add(time, report.at(time));
        }
        if day % 2 == 0 {
            for number in 0..24 {
                let host = format!("srv-{:02}", number + 1);
                let probe = Entry { host: &host, ..service("svc-scan", "10.30.0.9", "list", "/inventory") };
                let time = Moment::on(day, 2 * HOUR + number * 21 + random.between(0, 4));
                log.add(time, probe.at(time));
            }
        }
    }
}

fn guessing(log: &mut Sample, random: &mut Random, people: &[Person]) {
    let mut time = Moment::on(8, 2 * HOUR + 11 * MINUTE);
    for person in people.iter().step_by(5).chain(people.iter().skip(1).step_by(5)).chain(&people[20..44]) {
        for _ in 0..random.between(1, 2) {
            log.plant(&SPRAYING, time, attempt(&person.user, "203.0.113.77", "NL").at(time));
            time = time.plus_millis(random.between(8_000, 40_000));
        }
    }

    let mut entry = attempt("h.novak", "198.51.100.23", "RU");
    let mut time = Moment::on(9, 21 * HOUR + 40 * MINUTE);
    for _ in 0..90 {
        log.plant(&BRUTE_FORCE, time, entry.at(time));
        time = time.plus_millis(random.between(3_000, 19_000));
    }
    (entry.failed, entry.bytes) = (false, 702);
    log.plant(&BRUTE_FORCE, time, entry.at(time));
    let touched =
        ["/erp/ledger", "/hr/people", "/bank/portal", "/mail/rules", "/files/contracts", "/erp/pay", "/hr/pay"];
    for _ in 0..2 {
        for resource in touched {
            time = time.plus_millis(random.between(60_000, 260_000));
            entry.resource = resource;
            (entry.action, entry.bytes) = if resource == "/mail/rules" {
                ("write", 420)
            } else {
                (random.pick(&["read", "list", "download"]), random.size(700_000))
            };
            log.plant(&TAKEOVER, time, entry.at(time));
        }
    }

    let countries = ["VN", "BR", "IN", "RU", "ID", "US", "UA", "MX"];
    let mut time = Moment::on(6, 13 * HOUR + 5 * MINUTE);
    for number in 0..110 {
        let network = if number % 2 == 0 { "203.0.113" } else { "198.51.100" };
        let address = format!("{network}.{}", 100 + number);
        let person = &people[(number * 23 + 5) % people.len()];
        let mut entry = attempt(&person.user, &address, random.pick(&countries));
        entry.failed = number % 29 != 20;
        log.plant(&STUFFING, time, entry.at(time));
        time = time.plus_millis(random.between(2_000, 16_000));
    }
}

/// A failed login.
fn attempt<'a>(user: &'a str, address: &'a str, country: &'a str) -> Entry<'a> {
    Entry { user, address, country, action: "login", failed: true, resource: "/sso", host: "sso-1", bytes: 0 }
}

fn insiders(log: &mut Sample, random: &mut Random, people: &[Person]) {
    let traveler = by_surname(people, "tanaka");
    let morning = Moment::on(3, 9 * HOUR + 10 * MINUTE);
    for (minutes, abroad) in [(0, false), (32, true), (35, true), (41, false), (44, true), (52, true), (58, false)] {
        let time = morning.plus_millis(minutes * MINUTE * 1000);
        let mut entry = own(traveler, "read", traveler.resources[minutes as usize % 3]);
        if abroad {
            (entry.address, entry.country, entry.host) = ("192.0.2.190", "BR", "sso-1");
        }
        if minutes == 0 || minutes == 32 {
            (entry.action, entry.resource) = ("login", "/sso");
        }
        if minutes == 0 {
            log.add(time, entry.at(time));
        } else {
            log.plant(&TRAVEL, time, entry.at(time));
        }
    }

    let entry = own(by_surname(people, "malm"), "download", "/files/archive");
    let mut time = Moment::on(10, 18 * HOUR + 31 * MINUTE);
    for part in 0..26 {
        let resource = format!("/files/archive/2025-{:02}.tar", part % 12 + 1);
        let entry_of_part =
            Entry { resource: &resource, bytes: random.between(150_000_000, 400_000_000) as u64, ..entry };
        log.plant(&EXFILTRATION, time, entry_of_part.at(time));
        time = time.plus_millis(random.between(50_000, 190_000));
    }

    let mut entry = own(by_surname(people, "lopez"), "role_assign", "/iam/roles");
    let mut time = Moment::on(11, 12 * HOUR + 48 * MINUTE);
    let steps =
        ["role_assign", "group_add", "policy_attach", "role_assign", "create_access_key", "sudo", "group_add", "sudo"];
    for action in steps {
        entry.action = action;
        entry.resource = if action == "sudo" { "/srv/sso-1/root" } else { "/iam/admins" };
        log.plant(&ESCALATION, time, entry.at(time));
        time = time.plus_millis(random.between(40_000, 200_000));
    }
    for (action, resource) in [
        ("disable_audit", "/siem/audit"),
        ("stop_logging", "/siem/forwarder"),
        ("delete_log", "/var/log/auth"),
        ("delete_log", "/var/log/audit"),
        ("clear_log", "/siem/history"),
    ] {
        (entry.action, entry.resource) = (action, resource);
        log.plant(&EVASION, time, entry.at(time));
        time = time.plus_millis(random.between(30_000, 150_000));
    }
}

/// What a full disk, a restart and a stray tool leave in a log.
fn broken_lines(log: &mut Sample) {
    let time = |day, hour| Moment::on(day, hour * HOUR + 1234);
    log.add(time(1, 10), r#"{"timestamp":"2026-03-03T10:20:34Z","user":"f.nord","source_ip":"10.21.1."#);
    log.add(time(4, 15), "-- service sso restarted, log reopened --");
    log.add(time(5, 3), &b"{\"timestamp\":\"2026-03-07T03:20:34Z\",\"user\":\"j\xf6rg\",\"action\":\"login\",\"status\":\"failure\"}"[..]);
    log.add(
        time(9, 11),
        r#"{"timestamp":"the other day","user":"p.hansen","action":"read","status":"success","resource":"/chat"}"#,
    );
    log.add(time(12, 8), r#"{"timestamp":"2026-03-14T08:20:34Z","user":"k.kumar","action":}"#);
}
