//! `nginx_access.log.gz`: the web server in front, combined log format, rotated and packed.

use super::{
    log::{DAYS, HOUR, Incident, MINUTE, Moment, Packing, Sample, is_weekend},
    random::Random,
};

const SCAN: Incident = Incident {
    id: "nginx-reconnaissance",
    threat_type: "reconnaissance",
    entity: ("ip", "198.51.100.200"),
    story: "one address asks for 140 paths that do not exist, within three minutes",
};
const BEACON: Incident = Incident {
    id: "nginx-beaconing",
    threat_type: "beaconing",
    entity: ("ip", "10.20.4.17"),
    story: "an inside address calls one odd path every 60 seconds, give or take three, for four hours",
};

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.3 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
];
const PATHS: [&str; 10] = [
    "/",
    "/catalog",
    "/catalog/lamps",
    "/catalog/bells",
    "/cart",
    "/about",
    "/login",
    "/static/app.js",
    "/static/app.css",
    "/api/stock",
];

struct Request<'a> {
    address: &'a str,
    call: &'a str,
    status: u16,
    bytes: u64,
    agent: &'a str,
}

impl Request<'_> {
    fn at(&self, time: Moment) -> String {
        let Self { address, call, status, bytes, agent } = self;
        let time = time.format("%d/%b/%Y:%H:%M:%S +0000");
        format!(r#"{address} - - [{time}] "{call} HTTP/1.1" {status} {bytes} "-" "{agent}""#)
    }
}

/// The log.
pub(crate) fn sample() -> Sample {
    let mut log = Sample::lines("nginx_access.log.gz", Packing::Gzip);
    let mut random = Random::new(4);
    let visitors: Vec<String> = (0..50)
        .map(|n| format!("192.0.2.{}", 3 + n * 5))
        .chain((0..12).map(|n| format!("10.20.4.{}", 11 + n)))
        .collect();
    for day in 0..DAYS {
        let visits = if is_weekend(day) { 45 } else { 85 };
        for _ in 0..visits {
            let visitor = random.below(visitors.len() as u64) as usize;
            let mut time = Moment::on(day, random.around(14 * HOUR, 11 * HOUR));
            for _ in 0..random.between(1, 4) {
                let path = random.pick(&PATHS);
                let (method, status) = match random.below(40) {
                    0 => ("GET", 404),
                    1 | 2 => ("GET", 304),
                    _ if path == "/cart" => ("POST", 302),
                    _ => ("GET", 200),
                };
                let request = Request {
                    address: &visitors[visitor],
                    call: &format!("{method} {path}"),
                    status,
                    bytes: if status == 304 { 0 } else { random.size(9_000) },
                    agent: AGENTS[visitor % AGENTS.len()],
                };
                log.add(time, request.at(time));
                time = time.plus_millis(random.between(1_000, 90_000));
            }
        }
        // An uptime check is as regular as a beacon, but it was always there.
        for slot in 0..48 {
            let time = Moment::on(day, slot * 30 * MINUTE + 4);
            let check = Request {
                address: "10.30.0.4",
                call: "GET /health",
                status: 200,
                bytes: 15,
                agent: "uptime-check/2.1",
            };
            log.add(time, check.at(time));
        }
    }
    incidents(&mut log, &mut random);
    log.sorted()
}

fn incidents(log: &mut Sample, random: &mut Random) {
    let stems = ["admin", "backup", "config", "db", "env", "git", "old", "php", "setup", "sql", "test", "wp"];
    let ends = ["", ".bak", ".zip", ".php", "/login", "/.env", "/index.old"];
    let mut time = Moment::on(5, 4 * HOUR + 41 * MINUTE);
    for number in 0..140 {
        let call = format!("GET /{}{}{}", stems[number % stems.len()], number / 20, ends[number % ends.len()]);
        let status = if number % 31 == 0 { 403 } else { 404 };
        let request = Request { address: "198.51.100.200", call: &call, status, bytes: 153, agent: "curl/8.14.1" };
        log.plant(&SCAN, time, request.at(time));
        time = time.plus_millis(random.between(200, 2_400));
    }
    let mut time = Moment::on(10, 11 * HOUR + 3 * MINUTE);
    for _ in 0..240 {
        let request = Request {
            address: "10.20.4.17",
            call: "POST /static/t.gif?v=7",
            status: 200,
            bytes: 43,
            agent: "Mozilla/4.0 (compatible)",
        };
        log.plant(&BEACON, time, request.at(time));
        time = time.plus_millis(random.around(60_000, 3_000));
    }
}
