//! `sshd_auth.log`: three busy servers and some quiet ones, RFC 3164 as rsyslog writes it: without a year, without a zone.

use super::{
    log::{DAYS, HOUR, Incident, MINUTE, Moment, Packing, Sample, is_weekend},
    random::Random,
};

const BRUTE_FORCE: Incident = Incident {
    id: "sshd-brute-force",
    threat_type: "brute_force",
    entity: ("user", "root"),
    story: "one address guesses root's password on the bastion, 110 times in twenty minutes, without success",
};
const LATERAL: Incident = Incident {
    id: "sshd-lateral-movement",
    threat_type: "lateral_movement",
    entity: ("user", "deploy"),
    story: "the deploy account, known on two servers, opens sessions on eight others within 20 minutes of a night",
};

/// Who may log in where: account, address, the servers that it uses.
const ADMINISTRATORS: [(&str, &str, &[&str]); 5] = [
    ("lind", "10.20.1.11", &["bastion-1", "web-1", "db-1"]),
    ("berg", "10.20.1.47", &["bastion-1", "web-1"]),
    ("dahl", "10.20.1.50", &["bastion-1", "db-1"]),
    ("hult", "10.20.1.62", &["web-1"]),
    ("deploy", "10.30.0.12", &["web-1", "db-1"]),
];
const BUSY: [&str; 3] = ["bastion-1", "web-1", "db-1"];
const QUIET: [&str; 8] = ["web-2", "web-3", "db-2", "cache-1", "queue-1", "mail-1", "files-1", "build-1"];

/// Writes lines of one server.
struct Writer<'a> {
    log: &'a mut Sample,
    random: Random,
    incident: Option<&'a Incident>,
}

impl Writer<'_> {
    fn line(&mut self, time: Moment, host: &str, message: &str) {
        let text = format!("{} {host} {message}", time.format("%b %e %H:%M:%S"));
        match self.incident {
            Some(incident) => self.log.plant(incident, time, text),
            None => self.log.add(time, text),
        }
    }

    /// A session by key: accepted, opened, perhaps one or two commands as root, closed.
    fn session(&mut self, time: Moment, host: &str, (user, address): (&str, &str)) {
        let (process, port) = (self.random.between(900, 32_000), self.random.between(32_768, 60_999));
        let number = self.random.between(10, 9_000);
        let key = format!("{user:k<12}0Vn3yXw8Rz1mQh5TgB7cJd2LfPs9");
        self.line(
            time,
            host,
            &format!(
                "sshd[{process}]: Accepted publickey for {user} from {address} port {port} ssh2: ED25519 SHA256:{key}"
            ),
        );
        self.line(
            time,
            host,
            &format!("sshd[{process}]: pam_unix(sshd:session): session opened for user {user}(uid=1001) by (uid=0)"),
        );
        self.line(time.plus_millis(300), host, &format!("systemd-logind[612]: New session {number} of user {user}."));
        let mut now = time;
        if self.incident.is_none() {
            for _ in 0..self.random.between(0, 2) {
                now = now.plus_millis(self.random.between(20_000, 600_000));
                let command = self.random.pick(&[
                    "/usr/bin/systemctl status nginx",
                    "/usr/bin/systemctl restart shop",
                    "/usr/bin/apt-get update",
                    "/usr/bin/tail /var/log/syslog",
                ]);
                self.line(
                    now,
                    host,
                    &format!("sudo:     {user} : TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND={command}"),
                );
            }
        }
        let end = now.plus_millis(self.random.between(60_000, 900_000));
        self.line(end, host, &format!("sshd[{process}]: pam_unix(sshd:session): session closed for user {user}"));
    }
}

/// The log.
pub(crate) fn sample() -> Sample {
    let mut log = Sample::lines("sshd_auth.log", Packing::Plain);
    let mut writer = Writer { log: &mut log, random: Random::new(5), incident: None };
    for day in 0..DAYS {
        administrators(&mut writer, day);
        machines(&mut writer, day);
    }
    brute_force(&mut writer);
    lateral_movement(&mut writer);
    log.sorted()
}

fn administrators(writer: &mut Writer<'_>, day: i64) {
    for (user, address, hosts) in ADMINISTRATORS {
        let sessions = match user {
            "deploy" => writer.random.between(2, 4),
            _ if is_weekend(day) => i64::from(writer.random.percent(8)),
            _ => writer.random.between(0, 3),
        };
        for _ in 0..sessions {
            let time = Moment::on(day, writer.random.around(13 * HOUR, 5 * HOUR));
            let host = writer.random.pick(hosts);
            writer.session(time, host, (user, address));
        }
    }
}

fn machines(writer: &mut Writer<'_>, day: i64) {
    for host in BUSY {
        for hour in [0, 6, 12, 18] {
            let (time, process) = (Moment::on(day, hour * HOUR + 17 * MINUTE + 1), writer.random.between(900, 32_000));
            writer.line(
                time,
                host,
                &format!("CRON[{process}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"),
            );
            writer.line(
                time.plus_millis(900),
                host,
                &format!("CRON[{process}]: pam_unix(cron:session): session closed for user root"),
            );
        }
    }
    for host in QUIET {
        let (time, process) = (Moment::on(day, 6 * HOUR + 25 * MINUTE + 1), writer.random.between(900, 32_000));
        writer.line(
            time,
            host,
            &format!("CRON[{process}]: pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)"),
        );
        writer.line(
            time.plus_millis(700),
            host,
            &format!("CRON[{process}]: pam_unix(cron:session): session closed for user root"),
        );
    }
    // What any server on the internet hears all day.
    for _ in 0..writer.random.between(4, 8) {
        let time = Moment::on(day, writer.random.between(0, 24 * HOUR - 1));
        let (process, port) = (writer.random.between(900, 32_000), writer.random.between(32_768, 60_999));
        let address = format!("203.0.113.{}", writer.random.between(1, 99));
        let user = writer.random.pick(&["admin", "test", "oracle", "ubuntu", "pi", "guest"]);
        writer.line(time, "bastion-1", &format!("sshd[{process}]: Invalid user {user} from {address} port {port}"));
        writer.line(
            time.plus_millis(2_000),
            "bastion-1",
            &format!("sshd[{process}]: Failed password for invalid user {user} from {address} port {port} ssh2"),
        );
    }
}

fn brute_force(writer: &mut Writer<'_>) {
    writer.incident = Some(&BRUTE_FORCE);
    let mut time = Moment::on(5, 3 * HOUR + 12 * MINUTE);
    for _ in 0..110 {
        let (process, port) = (writer.random.between(900, 32_000), writer.random.between(32_768, 60_999));
        writer.line(
            time,
            "bastion-1",
            &format!("sshd[{process}]: Failed password for root from 192.0.2.150 port {port} ssh2"),
        );
        time = time.plus_millis(writer.random.between(3_000, 18_000));
    }
    writer.incident = None;
}

fn lateral_movement(writer: &mut Writer<'_>) {
    writer.incident = Some(&LATERAL);
    let mut time = Moment::on(9, 23 * HOUR + 31 * MINUTE);
    for host in QUIET {
        writer.session(time, host, ("deploy", "10.30.0.12"));
        time = time.plus_millis(writer.random.between(70_000, 190_000));
    }
    writer.incident = None;
}
