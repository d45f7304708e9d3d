//! What a browser may do: other people's pages nothing, a person after logging in what their key allows.

use super::*;

/// What the cookie of an answer says, and its value.
fn cookie(response: &reqwest::Response) -> (String, String) {
    let text = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    let pair = text.split(';').next().unwrap().to_owned();
    (text, pair)
}

#[tokio::test]
async fn another_host_or_origin_is_refused_even_where_nobody_is_asked() {
    let server = Server::insecure(Place::new("[serve]\nallowed_hosts = [\"watchbell.example\"]\n"));
    for (host, expected) in [("evil.example", 403), ("localhost:1", 200), ("watchbell.example", 200)] {
        assert_eq!(status(server.get("/v1/findings").header("host", host)).await, expected, "{host}");
    }
    let post = |name: &'static str, value: &'static str| {
        status(server.ask(Method::POST, "/analyze").header(name, value).json(&json!({ "logs": [] })))
    };
    assert_eq!(post("sec-fetch-site", "cross-site").await, 403);
    assert_eq!(post("origin", "http://evil.example").await, 403);
    assert_eq!(post("origin", "null").await, 403);
    assert_ne!(post("sec-fetch-site", "same-origin").await, 403);
    assert_ne!(post("user-agent", "a program").await, 403);
    // No page of another origin learns anything by asking first.
    let preflight = server.ask(Method::OPTIONS, "/analyze").header("origin", "http://evil.example");
    let response = preflight.header("access-control-request-method", "POST").send().await.unwrap();
    assert!(response.headers().get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn every_answer_tells_browsers_what_they_may_not() {
    let server = Server::start(Place::new(""));
    for path in ["/v1/findings", "/health/live", "/no/such", "/openapi.json", "/", "/login", "/docs/"] {
        let response = server.get(path).send().await.unwrap();
        let headers = response.headers();
        let policy = headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin", "{path}");
        assert!(headers.contains_key("referrer-policy"), "{path}");
        assert!(headers.get("strict-transport-security").is_none(), "{path}");
    }
}

#[tokio::test]
async fn a_person_logs_in_with_a_key_and_out_again() {
    let place = Place::new(CONFIGURATION);
    let (id, text) = key(&place, &["findings:read", "findings:write"], &[]);
    let server = Server::start(place);
    let log_in = |key: &str| log_in(&server, key).send();
    let page = server.get("/login").send().await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("form-action 'self'") && !policy.contains("unsafe"), "{policy}");
    let wrong = log_in("wbk_00000000_<script>").await.unwrap();
    assert_eq!(wrong.status(), 401);
    assert!(wrong.headers().get("set-cookie").is_none());
    // Who brings a key along is a program, whatever it can show, and is told instead of being sent to log in.
    let program = server.get("/v1/findings").header("x-api-key", "wbk_00000000_wrong").header("accept", "text/html");
    assert_eq!(status(program).await, 401);
    let html = wrong.text().await.unwrap();
    assert!(html.contains("not valid") && !html.contains("<script>"), "{html}");
    let right = log_in(&format!(" {text}\n")).await.unwrap();
    assert_eq!((right.status().as_u16(), &right.headers()["location"]), (303, &"/".parse().unwrap()));
    let (told, session) = cookie(&right);
    for part in ["watchbell_session=", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(told.contains(part), "{told}");
    }
    assert!(!told.contains("Secure") && !told.contains(text.rsplit('_').next().unwrap()), "{told}");
    let with = |method: Method, path: &str| server.ask(method, path).header("cookie", &session);
    assert_eq!(status(with(Method::GET, "/").header("accept", "text/html")).await, 200);
    assert_eq!(status(with(Method::GET, "/v1/findings")).await, 200);
    assert_eq!(status(with(Method::GET, "/v1/models")).await, 403, "no more than the key");
    let feedback = || with(Method::POST, "/v1/findings/0123456789/feedback").json(&json!({}));
    assert_eq!(status(feedback().header("sec-fetch-site", "cross-site")).await, 403);
    assert!(!matches!(status(feedback().header("sec-fetch-site", "same-origin")).await, 401 | 403));
    // Another value, also of the right length, is nobody's.
    let other = session.replace(char::is_numeric, "a");
    assert_eq!(status(server.get("/v1/findings").header("cookie", other)).await, 401);
    let gone = with(Method::POST, "/logout").send().await.unwrap();
    assert!(cookie(&gone).0.contains("Max-Age=0"));
    assert_eq!(status(with(Method::GET, "/v1/findings")).await, 401);
    // A revoked key takes its sessions along.
    let (_, session) = cookie(&log_in(&text).await.unwrap());
    let again = || status(server.get("/v1/findings").header("cookie", &session));
    assert_eq!(again().await, 200);
    assert_eq!(server.place.run(&["keys", "revoke", &id]).code, 0);
    assert_eq!(again().await, 401);
    let page = server.get("/").header("cookie", &session).header("accept", "text/html").send().await.unwrap();
    assert_eq!((page.status().as_u16(), &page.headers()["location"]), (303, &"/login".parse().unwrap()));
}

#[tokio::test]
async fn logging_in_is_limited_and_its_form_small() {
    let place = Place::new(CONFIGURATION);
    key(&place, &["admin"], &[]);
    let server = Server::start(place);
    let log_in = |key: String| status(log_in(&server, &key));
    assert_eq!(log_in("x".repeat(5000)).await, 413);
    assert_eq!(log_in(String::new()).await, 401);
    for _ in 0..20 {
        assert_eq!(log_in("wbk_00000000_wrong".to_owned()).await, 401);
    }
    assert_eq!(log_in("wbk_00000000_wrong".to_owned()).await, 429);
}

#[tokio::test]
async fn a_mistyped_address_is_a_page_with_a_way_back() {
    let server = Server::start(Place::new(""));
    let typed = server.get("/finding/1").header("accept", "text/html,*/*;q=0.8").send().await.unwrap();
    assert_eq!(typed.status(), 404);
    let policy = typed.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("style-src 'self'"), "{policy}");
    let html = typed.text().await.unwrap();
    assert!(html.contains("<a href=\"/\">All findings</a>"), "{html}");
    let asked = server.get("/finding/1").send().await.unwrap();
    assert_eq!(
        (asked.status().as_u16(), &asked.headers()["content-type"]),
        (404, &"application/problem+json".parse().unwrap())
    );
}
