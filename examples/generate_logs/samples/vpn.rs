//! `vpn.csv`: sessions of the VPN concentrators, with a header and with countries.

use super::{
    log::{DAYS, HOUR, Incident, MINUTE, Moment, Packing, Sample, is_weekend},
    people::{Person, TEAMS, by_surname, everybody},
    random::Random,
};

const TRAVEL: Incident = Incident {
    id: "vpn-impossible-travel",
    threat_type: "impossible_travel",
    entity: ("user", "i.gomes"),
    story: "sessions from Germany and from Singapore, 25 minutes apart",
};
const DORMANT: Incident = Incident {
    id: "vpn-dormant-account",
    threat_type: "dormant_account",
    entity: ("user", "contractor7"),
    story: "an account silent for ten days comes back at night from a new country and keeps working",
};
const SLOW: Incident = Incident {
    id: "vpn-slow-exfiltration",
    threat_type: "slow_exfiltration",
    entity: ("user", "o.sand"),
    story: "three nights long the account uploads 60 to 80 MB every half hour to an address that nobody else talks to",
};

struct Session<'a> {
    user: &'a str,
    address: &'a str,
    country: &'a str,
    event: &'a str,
    result: &'a str,
    destination: &'a str,
    bytes: u64,
}

impl Session<'_> {
    fn at(&self, time: Moment) -> String {
        let gateway = if self.country == "DE" { "vpn-2" } else { "vpn-1" };
        let Self { user, address, country, event, result, destination, bytes } = self;
        format!(
            "{},{user},{address},{country},{gateway},{event},{result},{destination},{bytes}",
            time.format("%Y-%m-%d %H:%M:%S")
        )
    }
}

/// The log.
pub(crate) fn sample() -> Sample {
    let mut log = Sample::lines("vpn.csv", Packing::Plain)
        .with_header("time,user,src_ip,country,host,action,status,resource,bytes_out\n");
    let people = everybody();
    let mut random = Random::new(2);
    for person in people.iter().filter(|person| person.at_home >= 14) {
        let home = home_of(person);
        for day in 0..DAYS {
            if !is_weekend(day) && random.percent(25 + person.at_home) {
                workday(&mut log, &mut random, (person, &home, day));
            }
        }
    }
    incidents(&mut log, &mut random, &people);
    log.sorted()
}

/// The address that the person's provider gives out at home.
fn home_of(person: &Person) -> String {
    format!("192.0.2.{}", 1 + person.at_home + person.begins as u64 % 50)
}

fn workday(log: &mut Sample, random: &mut Random, (person, home, day): (&Person, &str, i64)) {
    let mut session = Session {
        user: &person.user,
        address: home,
        country: TEAMS[person.team].country,
        event: "connect",
        result: "ok",
        destination: "-",
        bytes: 0,
    };
    let mut seconds = random.around(person.begins, 30 * MINUTE);
    if random.percent(4) {
        session.result = "denied";
        log.add(Moment::on(day, seconds - 20), session.at(Moment::on(day, seconds - 20)));
        session.result = "ok";
    }
    log.add(Moment::on(day, seconds), session.at(Moment::on(day, seconds)));
    for _ in 0..random.between(1, 3) {
        session.event = if random.percent(70) { "download" } else { "upload" };
        seconds += random.between(HOUR, 3 * HOUR);
        session.destination = random.pick(&["files.example", "git.example", "erp.example", "mail.example"]);
        session.bytes = random.size(2_000_000);
        log.add(Moment::on(day, seconds), session.at(Moment::on(day, seconds)));
    }
    seconds += random.between(20 * MINUTE, 2 * HOUR);
    (session.event, session.destination, session.bytes) = ("disconnect", "-", 0);
    log.add(Moment::on(day, seconds), session.at(Moment::on(day, seconds)));
}

fn incidents(log: &mut Sample, random: &mut Random, people: &[Person]) {
    let connect = |user, address, country| Session {
        user,
        address,
        country,
        event: "connect",
        result: "ok",
        destination: "-",
        bytes: 0,
    };
    let gomes = by_surname(people, "gomes");
    let home = home_of(gomes);
    let start = Moment::on(8, 10 * HOUR + 2 * MINUTE);
    log.add(start, connect(&gomes.user, &home, "DE").at(start));
    for (minutes, address, country) in [(25, "203.0.113.9", "SG"), (47, home.as_str(), "DE"), (55, "203.0.113.9", "SG")]
    {
        let time = start.plus_millis(minutes * MINUTE * 1000);
        log.plant(&TRAVEL, time, connect(&gomes.user, address, country).at(time));
    }

    for (day, hour) in [(0, 9), (0, 14), (1, 10)] {
        for part in 0..6 {
            let time = Moment::on(day, hour * HOUR + part * 1300 + random.between(0, 400));
            let mut session = connect("contractor7", "192.0.2.88", "SE");
            if part > 0 {
                (session.event, session.destination, session.bytes) = ("download", "git.example", random.size(900_000));
            }
            log.add(time, session.at(time));
        }
    }
    let mut time = Moment::on(11, HOUR + 12 * MINUTE);
    for part in 0..14 {
        let mut session = connect("contractor7", "198.51.100.140", "HK");
        if part > 0 {
            session.event = "download";
            session.destination = random.pick(&["erp.example", "files.example", "mail.example", "git.example"]);
            session.bytes = random.size(4_000_000);
        }
        log.plant(&DORMANT, time, session.at(time));
        time = time.plus_millis(random.between(90_000, 500_000));
    }

    let sand = by_surname(people, "sand");
    let home = home_of(sand);
    for day in [9, 10, 11] {
        for part in 0..16 {
            let time = Moment::on(day, 20 * HOUR + part * 30 * MINUTE + random.between(0, 240));
            let mut session = connect(&sand.user, &home, "SE");
            (session.event, session.destination) = ("upload", "203.0.113.201");
            session.bytes = random.between(60_000_000, 80_000_000) as u64;
            log.plant(&SLOW, time, session.at(time));
        }
    }
}
