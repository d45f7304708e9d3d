//! The sixty people of the office: who works where, when, from which address, on what.

use super::random::Random;

/// One person with an account.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// The account.
    pub(crate) user: String,
    /// Index into [`TEAMS`].
    pub(crate) team: usize,
    /// Address at the desk.
    pub(crate) address: String,
    /// Address of the VPN pool, for days at home.
    pub(crate) remote_address: String,
    /// The own workstation.
    pub(crate) host: String,
    /// The few things of the team's that this person really uses.
    pub(crate) resources: Vec<&'static str>,
    /// Second of the day at which work begins, give or take.
    pub(crate) begins: i64,
    /// Days out of a hundred worked from home.
    pub(crate) at_home: u64,
}

/// A team: its country and its things.
pub(crate) struct Team {
    /// Where its office is.
    pub(crate) country: &'static str,
    size: usize,
    resources: [&'static str; 7],
}

/// The teams.
pub(crate) const TEAMS: [Team; 5] = [
    Team {
        country: "SE",
        size: 22,
        resources: ["/git/core", "/git/web", "/wiki/dev", "/ci/jobs", "/issues", "/artifacts", "/metrics"],
    },
    Team {
        country: "SE",
        size: 12,
        resources: [
            "/erp/ledger",
            "/erp/invoices",
            "/files/budget",
            "/bank/portal",
            "/wiki/fin",
            "/files/tax",
            "/erp/pay",
        ],
    },
    Team {
        country: "DE",
        size: 12,
        resources: [
            "/crm/leads",
            "/crm/accounts",
            "/files/offers",
            "/calendar",
            "/wiki/sales",
            "/mail/list",
            "/crm/deals",
        ],
    },
    Team {
        country: "PL",
        size: 9,
        resources: [
            "/desk/queue",
            "/desk/macros",
            "/crm/accounts",
            "/kb/public",
            "/kb/internal",
            "/chat",
            "/desk/stats",
        ],
    },
    Team {
        country: "SE",
        size: 5,
        resources: ["/hr/people", "/hr/leave", "/files/contracts", "/wiki/all", "/hr/hiring", "/calendar", "/hr/pay"],
    },
];

const SURNAMES: [&str; 60] = [
    "lind", "novak", "tanaka", "moreau", "bauer", "okafor", "holm", "ibrahim", "rossi", "weber", "silva", "kowal",
    "berg", "dahl", "ek", "fors", "gran", "hult", "ivars", "jonas", "kask", "lund", "malm", "nord", "olin", "palm",
    "quist", "rask", "sand", "tell", "ulv", "vik", "wahl", "xenos", "ydre", "zander", "adler", "brandt", "conti",
    "duarte", "ersoy", "farkas", "gomes", "hansen", "iyer", "jansen", "kumar", "lopez", "mbeki", "nagy", "ortiz",
    "petrov", "qadir", "reyes", "sato", "toth", "urbina", "varga", "wang", "yilmaz",
];

/// Everybody, the same on every call.
pub(crate) fn everybody() -> Vec<Person> {
    let mut random = Random::new(60);
    let teams = TEAMS.iter().enumerate().flat_map(|(index, team)| std::iter::repeat_n((index, team), team.size));
    teams
        .zip(SURNAMES)
        .enumerate()
        .map(|(number, ((index, team), surname))| {
            let first = char::from(b'a' + (number * 7 % 26) as u8);
            let mut resources: Vec<_> = team.resources.to_vec();
            for _ in 0..2 + random.below(2) {
                resources.remove(random.below(resources.len() as u64) as usize);
            }
            Person {
                user: format!("{first}.{surname}"),
                team: index,
                address: format!("10.{}.{}.{}", 20 + index, 1 + number / 30, 11 + number * 3),
                remote_address: format!("10.90.0.{}", 20 + number),
                host: format!("wks-{:03}", number + 1),
                resources,
                begins: random.around(8 * 3600 + 1800, 2 * 3600),
                at_home: random.below(40),
            }
        })
        .collect()
}

/// The person with this surname.
pub(crate) fn by_surname<'a>(people: &'a [Person], surname: &str) -> &'a Person {
    let found = people.iter().find(|person| person.user.split_once('.').is_some_and(|(_, name)| name == surname));
    found.expect("the stories name people of the list")
}
