//! Keys on the command line, and what the server does with them while it runs.

use super::*;

#[test]
fn a_key_is_shown_once() {
    let place = Place::new("");
    let made = place.run(&["keys", "create", "--name", "prometheus", "--scope", "metrics:read", "--expires", "90d"]);
    assert_eq!(made.code, 0, "{made:?}");
    // Standard output holds the key alone, for `$(watchbell keys create ..)`.
    let text = made.out.trim();
    assert!(text.starts_with("wbk_") && text.len() == 77 && !text.contains('\n'), "{made:?}");
    assert!(made.err.contains("shown this once"), "{made:?}");
    let listed = place.run(&["keys", "list"]);
    listed.says("prometheus");
    listed.says("metrics:read");
    listed.says("until 20");
    let secret = text.rsplit('_').next().unwrap();
    let kept = std::fs::read_to_string(place.path("api_keys.json")).unwrap();
    for shown in [&listed.out, &kept, &place.run(&["keys", "list", "--json"]).out] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let id = text.split('_').nth(1).unwrap();
    place.run(&["keys", "revoke", id]).says("revoked");
    place.run(&["keys", "list"]).says("revoked");
    let missing = place.run(&["keys", "revoke", "ffffffff"]);
    assert_eq!(missing.code, 4, "{missing:?}");
    missing.says("there is no key `ffffffff`");
}

#[test]
fn a_key_without_sense_is_not_made() {
    let place = Place::new("");
    for (arguments, told) in [
        (&["--name", "x"][..], "--scope"),
        (&["--name", "x", "--scope", "findings"], "expected `admin` or one of: findings:read"),
        (&["--name", "", "--scope", "admin"], "expected a name"),
        (&["--name", "x", "--scope", "admin", "--expires", "2020-01-01"], "ends in the future"),
    ] {
        let ran = place.run(&[&["keys", "create"], arguments].concat());
        assert_eq!(ran.code, 2, "{ran:?}");
        ran.says(told);
    }
    assert!(!place.path("api_keys.json").exists());
}

#[test]
fn beyond_loopback_somebody_must_be_able_to_log_in() {
    let place = Place::new("");
    let serve = ["serve", "--listen", "0.0.0.0:0"];
    for arguments in [&serve[..], &["config", "check"]] {
        let mut command = place.command(arguments);
        command.env("WATCHBELL_LISTEN", "0.0.0.0:0");
        let refused = ran(command);
        assert_eq!(refused.code, 3, "{refused:?}");
        for fix in ["watchbell keys create", "jwt_jwks", "127.0.0.1", "--insecure"] {
            refused.says(fix);
        }
    }
    // A damaged file of keys is no file without keys.
    place.write("api_keys.json", "{");
    let damaged = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(damaged.code, 3, "{damaged:?}");
    damaged.says("is no file of API keys");
}

#[test]
fn values_of_serve_are_checked_where_they_stand() {
    for (line, told) in [
        ("trusted_proxies = [\"10.0.0.0/40\"]", "expected a network like `10.0.0.0/8`"),
        ("jwt_algorithms = [\"HS256\"]", "signs with a secret"),
        ("jwt_algorithms = [\"none\"]", "`none` signs nothing"),
        ("jwt_algorithms = []", "at least one algorithm"),
        ("jwt_jwks = \"http://login.example/keys\"", "write https://"),
        ("jwt_issuer = \"https://login.example/\"", "needs `jwt_jwks` beside it"),
        ("allowed_hosts = [\"https://watchbell.example/\"]", "without scheme"),
        ("trusted_proxies = [\"127.0.0.1\"]", "through a proxy"),
        ("allowed_hosts = [\"watchbell.example:8443\"]", "under another name"),
        ("rate_per_minute = 0", "expected 1 or more"),
        ("tls_cert = \"server.crt\"", "needs `tls_key` beside it"),
    ] {
        let ran = Place::new(&format!("[serve]\n{line}\n")).run(&["config", "check"]);
        assert_eq!(ran.code, 3, "{line}: {ran:?}");
        ran.says(told);
    }
    Place::new("[serve]\ntrusted_proxies = [\"10.0.0.0/40\"]\n").run(&["config", "check"]).says("watchbell.toml:2:");
}

#[tokio::test]
async fn keys_come_and_go_while_the_server_runs() {
    let server = Server::start(Place::new(""));
    assert_eq!(status(server.get("/v1/findings")).await, 200, "open, with neither key nor token");
    let (id, text) = key(&server.place, &["findings:read"], &[]);
    assert_eq!(status(server.get("/v1/findings")).await, 401, "the first key closes it");
    assert_eq!(status(server.get("/v1/findings").bearer_auth(&text)).await, 200);
    // A damaged file takes nothing away, and is told.
    let sound = std::fs::read(server.place.path("api_keys.json")).unwrap();
    server.place.write("api_keys.json", "{");
    assert_eq!(status(server.get("/v1/findings").bearer_auth(&text)).await, 200);
    std::fs::write(server.place.path("api_keys.json"), sound).unwrap();
    assert_eq!(server.place.run(&["keys", "revoke", &id]).code, 0);
    assert_eq!(status(server.get("/v1/findings").bearer_auth(&text)).await, 401);
    let told = server.stop();
    assert!(told.contains("the old ones stay in force"), "{told}");
    assert!(!told.contains(text.rsplit('_').next().unwrap()), "{told}");
}

/// Whoever is asked nothing must be on the same machine; a proxy there makes loopback reachable for everybody.
#[tokio::test]
async fn an_open_gate_is_closed_to_other_machines() {
    let server = Server::start(Place::new(""));
    let from = |address: &'static str, path: &str| {
        server.get(path).header("x-forwarded-for", address).header("accept", "text/html").send()
    };
    assert_eq!(status(server.get("/v1/findings")).await, 200);
    assert_eq!(from("127.0.0.1", "/v1/findings").await.unwrap().status(), 200);
    for path in ["/v1/findings", "/"] {
        let refused = from("203.0.113.9", path).await.unwrap();
        assert_eq!(refused.status(), 401, "{path}");
        assert!(refused.text().await.unwrap().contains("watchbell keys create"), "{path}");
    }
}

/// A server under another user can't read what root's `keys create` makes where root may not give it away: it is closed
/// all the same.
#[tokio::test]
async fn a_first_key_that_can_not_be_read_closes_the_gate_too() {
    let server = Server::start(Place::new(""));
    assert_eq!(status(server.get("/v1/findings")).await, 200);
    server.place.write("api_keys.json", "{");
    assert_eq!(status(server.get("/v1/findings")).await, 401);
    let told = server.stop();
    assert!(told.contains("nobody is let in"), "{told}");
}

#[cfg(unix)]
#[test]
fn who_may_not_leave_the_file_to_its_owner_changes_nothing() {
    use std::os::unix::{
        fs::{MetadataExt, PermissionsExt},
        process::CommandExt,
    };
    let place = Place::new("");
    key(&place, &["admin"], &[]);
    let open = |name: &str, mode| std::fs::set_permissions(place.path(name), PermissionsExt::from_mode(mode)).unwrap();
    let path = place.path("api_keys.json");
    if std::fs::metadata(&path).unwrap().uid() != 0 {
        // Only root can play two users.
        return;
    }
    open("", 0o777);
    open("api_keys.json", 0o666);
    open("api_keys.json.lock", 0o666);
    let before = std::fs::read(&path).unwrap();
    let mut command = place.command(&["keys", "create", "--name", "x", "--scope", "admin"]);
    command.uid(4711).gid(4711);
    // The other user may not be let in to where the program was built.
    let Ok(output) = command.output() else { return };
    let refused = Ran::of(output);
    assert_eq!(refused.code, 4, "{refused:?}");
    refused.says("nothing was changed");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn who_listens_is_cut_off_when_the_key_is_revoked() {
    let place = Place::new("");
    let (id, text) = key(&place, &["findings:read"], &[]);
    let server = Server::start(place);
    let stream = server.get("/v1/changes").bearer_auth(&text).send().await.unwrap();
    assert_eq!(stream.status(), 200);
    assert_eq!(server.place.run(&["keys", "revoke", &id]).code, 0);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), stream.bytes()).await;
    assert!(ended.is_ok(), "it goes on");
}
