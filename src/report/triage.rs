//! What each threat type means and what to do about it: four short lists for the person who has to decide.
//!
//! The steps name no product and no field, so that the page, a ticket and a message can all carry them unchanged.

use serde::Serialize;
use watchbell_sink::ThreatType;

/// Guidance for one threat type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Guide {
    /// What a finding of this type says, in one or two sentences.
    pub meaning: &'static str,
    /// What to look at, the step that decides most first.
    pub checks: &'static [&'static str],
    /// Harmless causes that look the same.
    pub false_positives: &'static [&'static str],
    /// What to do once it is confirmed.
    pub response: &'static [&'static str],
}

/// The guidance for a threat type.
#[must_use]
pub const fn guide(threat: ThreatType) -> &'static Guide {
    match threat {
        ThreatType::AnomalousAccess => &ANOMALOUS_ACCESS,
        ThreatType::BruteForce => &BRUTE_FORCE,
        ThreatType::PasswordSpraying => &PASSWORD_SPRAYING,
        ThreatType::CredentialStuffing => &CREDENTIAL_STUFFING,
        ThreatType::AccountTakeover => &ACCOUNT_TAKEOVER,
        ThreatType::ImpossibleTravel => &IMPOSSIBLE_TRAVEL,
        ThreatType::PrivilegeEscalation => &PRIVILEGE_ESCALATION,
        ThreatType::DataExfiltration => &DATA_EXFILTRATION,
        ThreatType::SlowExfiltration => &SLOW_EXFILTRATION,
        ThreatType::LateralMovement => &LATERAL_MOVEMENT,
        ThreatType::Beaconing => &BEACONING,
        ThreatType::Reconnaissance => &RECONNAISSANCE,
        ThreatType::DefenseEvasion => &DEFENSE_EVASION,
        ThreatType::DormantAccount => &DORMANT_ACCOUNT,
    }
}

const ANOMALOUS_ACCESS: Guide = Guide {
    meaning: "The event is rare for this entity and for its peers, but fits no narrower pattern. The reasons say which \
              of its properties are unusual.",
    checks: &[
        "Read the strongest reason first and ask the account's owner whether the act was theirs.",
        "Look at what the entity did in the hour before and after: one odd event alone is weak, a sequence is not.",
        "See whether others began to do the same at that time; a change in the environment shows up on many entities.",
    ],
    false_positives: &[
        "New software, a new role, a first day at work, a yearly job.",
        "A log that began to carry a field it had not carried before.",
    ],
    response: &[
        "If it is explained, note why, so that the next one is closed faster.",
        "If nobody can explain it, treat the account as taken over until shown otherwise.",
    ],
};

const BRUTE_FORCE: Guide = Guide {
    meaning: "Many failed logins against one account in a short time: somebody is guessing its password.",
    checks: &[
        "Look for a success after the failures, from the same source above all. That decides between noise and incident.",
        "Tell person from program: a steady pace and one wrong password again and again points to a stored, outdated one.",
        "Check whether the source also tries other accounts, and whether the account has a second factor.",
    ],
    false_positives: &[
        "A service or phone that still uses the password from before a change.",
        "A forgotten password after a holiday: few tries, in working hours, from a known device.",
    ],
    response: &[
        "After a success: end the sessions, reset the password, review what was done since.",
        "Without a success: block or slow the source, confirm that lockout and second factor are on.",
    ],
};

const PASSWORD_SPRAYING: Guide = Guide {
    meaning: "One source tries a few passwords against many accounts, to stay under each account's lockout.",
    checks: &[
        "List every account the source touched and find those that let it in, also hours later and from elsewhere.",
        "See whether the names follow a directory: alphabetical order means that somebody holds a list of your users.",
        "Check which protocol was used; old ones without a second factor are the usual door.",
    ],
    false_positives: &[
        "A shared gateway or proxy behind which many people mistype on a Monday morning.",
        "A directory outage that makes every login fail for a while.",
    ],
    response: &[
        "Reset every account that was entered and end its sessions.",
        "Block the source, refuse protocols without a second factor, search for weak passwords in the directory.",
    ],
};

const CREDENTIAL_STUFFING: Guide = Guide {
    meaning: "Pairs of name and password, most likely leaked elsewhere, are tried once or twice each from many sources.",
    checks: &[
        "Separate hits from misses: each success from a source that the account never used is a taken account.",
        "Group the sources by user agent, network and pace; the crowd is often one tool behind many addresses.",
        "Compare the names that were tried with known leaks, if your policy allows it.",
    ],
    false_positives: &[
        "A release that logs out a mobile application everywhere, followed by a wave of logins.",
        "A load test or a monitoring probe with test accounts.",
    ],
    response: &[
        "Force a new password on the accounts that were entered and tell their owners.",
        "Put a challenge or rate limit before the login, keyed on the tool's marks and not on single addresses.",
    ],
};

const ACCOUNT_TAKEOVER: Guide = Guide {
    meaning: "The account behaves like somebody else: new place, device, hour or habits at once, often after failures.",
    checks: &[
        "Ask the owner by a channel other than the account itself.",
        "Look at the first acts after the login: new mail rules, keys, factors and forwarding are what intruders set up.",
        "Compare source and user agent with the account's last thirty days.",
    ],
    false_positives: &["A new laptop or phone, a move, a journey, a newly used VPN.", "Work handed over to a deputy."],
    response: &[
        "End all sessions and tokens, reset password and second factor, remove what was set up meanwhile.",
        "Review data that the account could read since the first odd event, and whom it wrote to.",
    ],
};

const IMPOSSIBLE_TRAVEL: Guide = Guide {
    meaning: "One account acted from two places that are too far apart for the time between.",
    checks: &[
        "Find out which of the two is the usual place; the other one is the question.",
        "Check whether one of the addresses belongs to a VPN, a cloud provider or a mobile carrier's gateway.",
        "See whether both sessions went on at the same time and whether they used the same device.",
    ],
    false_positives: &[
        "VPN or privacy relay switched on or off.",
        "A wrong entry in the address-to-place table; service accounts used from several regions.",
    ],
    response: &[
        "End the sessions from the unusual place and require a fresh login with a second factor.",
        "If it was not the owner, go on as for an account takeover.",
    ],
};

const PRIVILEGE_ESCALATION: Guide = Guide {
    meaning: "Administrative rights were used or granted by somebody who had not done so before.",
    checks: &[
        "Look for the ticket or change that explains it, and ask the person who is named, not the account.",
        "See who gained what: a right given to oneself, to a new account or to all is the serious case.",
        "Follow the new rights: what was done with them in the next hour?",
    ],
    false_positives: &[
        "On-call work, a new administrator, a break-glass drill.",
        "An installer or a configuration tool that raises its rights for a moment.",
    ],
    response: &[
        "Take the right back, end sessions that hold it, and keep the logs of the machine.",
        "Search for keys, accounts, tasks and policies that were created with it.",
    ],
};

const DATA_EXFILTRATION: Guide = Guide {
    meaning: "Far more data than usual left in a short time.",
    checks: &[
        "Identify the destination and whether your organization owns it.",
        "Identify the data: which bucket, table or folder, how sensitive, and had this account ever read it before?",
        "Look for staging: archives made, many files read or copied shortly before.",
    ],
    false_positives: &[
        "A backup, a migration, a yearly report, a first synchronization of a new device.",
        "A log that counts bytes in both directions.",
    ],
    response: &[
        "Stop the transfer, block the destination, suspend the credentials that were used.",
        "Keep the evidence and bring in those who decide about the duty to notify.",
    ],
};

const SLOW_EXFILTRATION: Guide = Guide {
    meaning: "Data leaves in small pieces over a long time; no single transfer is large, the sum is.",
    checks: &[
        "Add up the volume by destination and day, and see when it began.",
        "Find the program: a person works with breaks, a scheduled task does not.",
        "Compare with the account's peers: the same job on other machines makes it harmless.",
    ],
    false_positives: &["Telemetry, synchronization clients, replication, monitoring agents.", "Log shipping itself."],
    response: &[
        "Block the destination, isolate the machine, keep its memory and disk if you can.",
        "Look for how the program came there; it has been there for as long as the flow.",
    ],
};

const LATERAL_MOVEMENT: Guide = Guide {
    meaning: "One account or host reached several hosts that it had never reached before.",
    checks: &[
        "Draw the path: where did the first new connection come from, and where did it go next?",
        "Check whether this account should log in there at all, and by this protocol.",
        "On the hosts reached, look for new services, tasks, programs and accounts.",
    ],
    false_positives: &[
        "An inventory or vulnerability scan, a deployment, an administrator who works through a list.",
        "New hosts that everybody begins to reach.",
    ],
    response: &[
        "Isolate the first host and the last; disable the account; change the secrets that lay on the hosts between.",
        "Search the whole fleet for the same account, source and program.",
    ],
};

const BEACONING: Guide = Guide {
    meaning: "Calls to one destination at a machine's regular pace, as an implant makes when it asks for orders.",
    checks: &[
        "Find the program that calls and when it was installed.",
        "Look at the destination: age, owner, certificate, and who else in your network calls it.",
        "Compare sizes: equal small requests with now and then a large answer are orders being fetched.",
    ],
    false_positives: &[
        "Update checks, health probes, time synchronization, push services, monitoring.",
        "A browser tab that polls.",
    ],
    response: &[
        "If the program is unknown: isolate the host before you block the destination, so that it can't warn.",
        "Search for the destination and the program's hash on all hosts.",
    ],
};

const RECONNAISSANCE: Guide = Guide {
    meaning: "One account or host touched many new resources or ports: somebody is looking around.",
    checks: &[
        "See whether a known scanner or job owns the source.",
        "Look at the answers: what was refused is noise, what was answered is what the visitor now knows.",
        "Look at what the same source did afterwards; the look around comes before the act.",
    ],
    false_positives: &[
        "Vulnerability scanners, search crawlers, asset inventory, a backup's first run.",
        "A new employee who clicks through everything.",
    ],
    response: &[
        "From outside: block the source, and confirm that what it found is meant to be reachable.",
        "From inside: treat the host or account as suspect and look for how it got there.",
    ],
};

const DEFENSE_EVASION: Guide = Guide {
    meaning: "Logs were deleted, or auditing or protection was switched off: somebody wants to be unseen.",
    checks: &[
        "Find who did it, from where, and whether a change request covers it.",
        "Look at the minutes before: what would the missing logs have shown?",
        "Check whether the same happened on other machines, and whether it is switched on again.",
    ],
    false_positives: &[
        "Maintenance, log rotation by hand, a product's replacement.",
        "An image or a policy that sets it on every new machine.",
    ],
    response: &[
        "Switch it on again, secure the copies of the logs that lie elsewhere, isolate the machine if nobody owns the act.",
        "Take everything this account did in the window as suspect.",
    ],
};

const DORMANT_ACCOUNT: Guide = Guide {
    meaning: "An account is active after a long silence, or one that was never seen before began to act.",
    checks: &[
        "Ask whether the person still works here, or who owns the account if it is a service's.",
        "See how it came back: with its password, a reset, a key, or a newly made factor?",
        "Look at what it reached for first.",
    ],
    false_positives: &[
        "Return from leave, a yearly task, a new employee, a log that only now includes this account.",
        "A disaster-recovery drill.",
    ],
    response: &[
        "Disable what nobody claims; give what is claimed a new password and a review of its rights.",
        "Close the gap: accounts that are not used should expire by themselves.",
    ],
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_threat_type_has_its_own_complete_guide() {
        let meanings: BTreeSet<_> = ThreatType::ALL.iter().map(|&threat| guide(threat).meaning).collect();
        assert_eq!(meanings.len(), ThreatType::ALL.len());
        for threat in ThreatType::ALL {
            let guide = guide(threat);
            assert!(guide.checks.len() >= 3, "{threat}: an analyst needs more than two checks");
            assert!(guide.false_positives.len() >= 2 && guide.response.len() >= 2, "{threat}");
            for text in [guide.meaning].iter().chain(guide.checks).chain(guide.false_positives).chain(guide.response) {
                assert!(text.ends_with(['.', '?']), "{threat}: `{text}` is no whole sentence");
                assert!(!text.contains("  ") && text.len() < 200, "{threat}: `{text}`");
            }
        }
    }
}
