//! ATT&CK techniques taken apart: most schemas want technique and sub-technique in fields of their own.

use watchbell_sink::{Attack, Tactic};

/// What the techniques of every finding are named after.
pub(crate) const FRAMEWORK: &str = "MITRE ATT&CK";

/// A technique, a sub-technique or a tactic. Never without an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: String,
    /// Absent where only the sub-technique's name is known.
    pub(crate) name: Option<String>,
    /// Its page, when the id is one that ATT&CK could have given.
    pub(crate) reference: Option<String>,
}

/// The technique, and the sub-technique when the id names one. `None` without an id.
pub(crate) fn technique(attack: &Attack) -> Option<(Named, Option<Named>)> {
    let id = attack.technique_id.as_str();
    let Some((parent, number)) = id.split_once('.').filter(|_| is_technique(id)) else {
        let reference = is_technique(id).then(|| format!("https://attack.mitre.org/techniques/{id}/"));
        return named(id, &attack.technique_name, reference).map(|technique| (technique, None));
    };
    // ATT&CK writes `Brute Force: Password Guessing`; each part is the name of its level.
    let (parent_name, own_name) = attack.technique_name.split_once(": ").unwrap_or(("", &attack.technique_name));
    let page = format!("https://attack.mitre.org/techniques/{parent}/");
    let own_page = format!("{page}{number}/");
    Some((named(parent, parent_name, Some(page))?, named(id, own_name, Some(own_page))))
}

/// The tactic. `None` without an id.
pub(crate) fn tactic(tactic: &Tactic) -> Option<Named> {
    let digits = tactic.id.strip_prefix("TA").unwrap_or("");
    let reference = is_number(digits, 4).then(|| format!("https://attack.mitre.org/tactics/{}/", tactic.id));
    named(&tactic.id, &tactic.name, reference)
}

fn named(id: &str, name: &str, reference: Option<String>) -> Option<Named> {
    let name = (!name.trim().is_empty()).then(|| name.to_owned());
    (!id.trim().is_empty()).then(|| Named { id: id.to_owned(), name, reference })
}

/// `T1110` or `T1110.001`: only then may the id become part of an address.
fn is_technique(id: &str) -> bool {
    let (parent, number) = id.split_once('.').map_or((id, None), |(parent, number)| (parent, Some(number)));
    parent.strip_prefix('T').is_some_and(|digits| is_number(digits, 4)) && number.is_none_or(|it| is_number(it, 3))
}

fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attack(id: &str, name: &str) -> Attack {
        Attack {
            technique_id: id.to_owned(),
            technique_name: name.to_owned(),
            tactics: vec![],
            version: "19".to_owned(),
        }
    }

    #[test]
    fn a_sub_technique_is_taken_apart() {
        let (parent, own) = technique(&attack("T1110.001", "Brute Force: Password Guessing")).unwrap();
        assert_eq!((parent.id.as_str(), parent.name.as_deref()), ("T1110", Some("Brute Force")));
        assert_eq!(parent.reference.as_deref(), Some("https://attack.mitre.org/techniques/T1110/"));
        let own = own.unwrap();
        assert_eq!((own.id.as_str(), own.name.as_deref()), ("T1110.001", Some("Password Guessing")));
        assert_eq!(own.reference.as_deref(), Some("https://attack.mitre.org/techniques/T1110/001/"));
        let (parent, _) = technique(&attack("T1110.001", "Password Guessing")).unwrap();
        assert_eq!(parent.name, None);
    }

    #[test]
    fn no_address_is_made_of_what_is_no_id() {
        for id in ["T1110.001/../..", "T11", "T1110.01", "javascript:1", "T１110"] {
            let (technique, own) = technique(&attack(id, "x")).unwrap();
            assert_eq!((technique.id.as_str(), technique.reference, own), (id, None, None));
        }
        assert_eq!(technique(&attack("  ", "x")), None);
    }
}
