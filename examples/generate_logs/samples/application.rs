//! `app.logfmt`: the shop's own service, `key=value` lines.

use super::{
    log::{DAYS, HOUR, Incident, MINUTE, Moment, Packing, Sample, is_weekend},
    random::Random,
};

const ENUMERATION: Incident = Incident {
    id: "app-reconnaissance",
    threat_type: "reconnaissance",
    entity: ("user", "partner-api"),
    story: "a partner's key, used for three calls until then, walks through 70 customers by number",
};

/// The log.
pub(crate) fn sample() -> Sample {
    let mut log = Sample::lines("app.logfmt", Packing::Plain);
    let mut random = Random::new(3);
    let customers: Vec<(String, String)> = (0..40)
        .map(|number| (format!("customer{:03}", 100 + number * 7), format!("192.0.2.{}", 5 + number * 6)))
        .collect();
    for day in 0..DAYS {
        let orders = if is_weekend(day) { 18 } else { 42 };
        for _ in 0..orders {
            let (user, address) = &customers[random.below(40) as usize];
            let time = Moment::on(day, random.around(14 * HOUR, 10 * HOUR));
            let (method, path) = random.pick(&[
                ("GET", "/api/orders"),
                ("GET", "/api/orders/latest"),
                ("POST", "/api/orders"),
                ("GET", "/api/profile"),
                ("PUT", "/api/cart"),
                ("GET", "/api/catalog"),
            ]);
            let status = if random.percent(2) { 500 } else { 200 };
            log.add(time, line(time, (user, address), (method, path, status), random.size(3_000)));
        }
        for run in 0..3 {
            let time = Moment::on(day, (5 + run * 6) * HOUR + random.between(0, 50));
            let path = ["/api/catalog", "/api/stock", "/api/prices"][run as usize];
            log.add(time, line(time, ("partner-api", "198.51.100.7"), ("GET", path, 200), random.size(40_000)));
        }
    }
    let mut time = Moment::on(10, 3 * HOUR + 22 * MINUTE);
    for number in 0..70 {
        let path = format!("/api/customers/{}", 1_000 + number * 3 + random.between(0, 2));
        let status = if random.percent(30) { 404 } else { 200 };
        let call = line(time, ("partner-api", "198.51.100.7"), ("GET", &path, status), random.size(2_500));
        log.plant(&ENUMERATION, time, call);
        time = time.plus_millis(random.between(700, 4_000));
    }
    log.sorted()
}

fn line(time: Moment, (user, address): (&str, &str), (method, path, status): (&str, &str, u16), bytes: u64) -> String {
    let level = if status >= 500 { "error" } else { "info" };
    let time = time.rfc3339();
    format!(
        r#"ts={time} level={level} svc=shop msg="request served" user={user} client_ip={address} method={method} path={path} status={status} bytes={bytes}"#
    )
}
