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
    let server = Server::start(Place::new(CONFIGURATION));
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

#[tokio::test]
async fn who_did_what_is_written_down_without_secrets() {
    let place = Place::new(&format!("{CONFIGURATION}audit_log = \"audit.jsonl\"\n"));
    let (id, text) = key(&place, &["findings:read"], &[]);
    let server = Server::start(place);
    let with = |request: RequestBuilder| request.bearer_auth(&text).header("x-forwarded-for", "203.0.113.9");
    let body = json!({ "verdict": "the body is nobody's business" });
    status(with(server.get("/v1/findings?entity=private"))).await;
    status(
        with(server.ask(Method::POST, "/v1/findings/0123456789/feedback")).header("x-request-id", "mine").json(&body),
    )
    .await;
    status(server.get("/v1/findings").bearer_auth("wbk_00000000_not-a-key")).await;
    status(server.get("/no\u{1b}%0asuch")).await;
    status(server.get("/health/live")).await;
    let log = std::fs::read_to_string(server.place.path("audit.jsonl")).unwrap();
    for secret in [text.rsplit('_').next().unwrap(), "not-a-key", "private", "business", "0123456789", "such"] {
        assert!(!log.contains(secret), "{secret}: {log}");
    }
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told =
        |line: &Value| (line["method"].clone(), line["route"].clone(), line["status"].clone(), line["caller"].clone());
    let expected = [
        (json!("GET"), json!("/v1/findings"), json!(200), json!(id)),
        (json!("POST"), json!("/v1/findings/{id}/feedback"), json!(403), json!(id)),
        (json!("GET"), json!("/v1/findings"), json!(401), Value::Null),
        (json!("GET"), json!("none"), json!(404), Value::Null),
    ];
    assert_eq!(lines.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(lines[0]["client"], "203.0.113.9");
    assert_eq!(lines[1]["request_id"], "mine");
    assert_eq!(lines[2]["client"], "127.0.0.1");
}
