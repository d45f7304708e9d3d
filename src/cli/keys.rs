//! The commands about API keys. A key is printed when it is made, and never again.

use std::fmt::Write;

use jiff::Timestamp;
use secrecy::ExposeSecret;
use serde_json::json;

use super::{
    arguments::keys::{CreateKeyArguments, KeysCommand},
    commands::Setup,
    exit::CliError,
    findings::no_time,
    present::TO_STRING,
    terminal::{Terminal, clean},
};
use crate::app::{self, KeyCard, KeyRequest, Scopes};

/// `watchbell keys`.
pub(super) fn run(command: &KeysCommand, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    match command {
        KeysCommand::Create(create) => run_create(create, setup, terminal),
        KeysCommand::List { at, json } => {
            let cards = app::list_keys(&setup.plan(at.overrides())?)?;
            if *json { terminal.json(&cards) } else { terminal.print(&list(&cards, Timestamp::now())) }
        }
        KeysCommand::Revoke { id, at, json } => {
            let card = app::revoke_key(&setup.plan(at.overrides())?, id)?;
            if *json {
                return terminal.json(&card);
            }
            terminal.print(&format!("revoked {}: {}\n", clean(&card.id), clean(&card.name)))
        }
    }
}

fn run_create(create: &CreateKeyArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<(), CliError> {
    let scopes = create.scopes.iter().fold(Scopes::default(), |all, some| all.with(some));
    let plan = setup.plan(create.at.overrides())?;
    let end = |text: &String| app::future(text, &app::now(&plan)).map_err(|error| no_time("--expires", &error));
    let request =
        KeyRequest { name: create.name.clone(), scopes, expires: create.expires.as_ref().map(end).transpose()? };
    let key = app::create_key(&plan, request)?;
    let secret = key.secret.expose_secret();
    if create.json {
        return terminal.json(&json!({ "key": secret, "card": key.card }));
    }
    terminal.note(&format!("the key {} of {}; it is shown this once:\n", key.card.id, clean(&key.card.name)));
    terminal.print(&format!("{secret}\n"))
}

/// One line a key.
fn list(cards: &[KeyCard], now: Timestamp) -> String {
    let mut out = String::new();
    if cards.is_empty() {
        return "there are no keys; `watchbell keys create` makes one\n".to_owned();
    }
    writeln!(out, "{:<10} {:<22} {:<20} {:<22} SCOPES", "ID", "STATE", "CREATED", "NAME").expect(TO_STRING);
    for card in cards {
        let names: Vec<String> = card.scopes.clone().into();
        let created = second(card.created);
        let name = clean(&card.name).replace('\n', " ");
        let (id, state) = (clean(&card.id), state(card, now));
        writeln!(out, "{id:<10} {state:<22} {created:<20} {name:<22} {}", names.join(" ")).expect(TO_STRING);
    }
    out
}

fn state(card: &KeyCard, now: Timestamp) -> String {
    match (card.revoked, card.expires) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(_)) if !card.is_valid(now) => "expired".to_owned(),
        (None, Some(end)) => format!("until {}", end.strftime("%Y-%m-%d %H:%M")),
        (None, None) => "valid".to_owned(),
    }
}

fn second(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
