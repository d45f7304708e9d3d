//! How much may be asked.

use super::*;

#[tokio::test]
async fn who_asks_too_much_is_told_when_to_come_back() {
    let place = Place::new("[serve]\nrate_per_minute = 3\n");
    let (_, one) = key(&place, &["findings:read"], &[]);
    let (_, other) = key(&place, &["findings:read"], &[]);
    let server = Server::start(place);
    for left in (0..3).rev() {
        let response = server.get("/v1/findings").bearer_auth(&one).send().await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["x-ratelimit-remaining"], left.to_string());
    }
    let refused = server.get("/v1/findings").bearer_auth(&one).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    let wait: u32 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(refused.headers()["ratelimit-policy"], "\"default\";q=3;w=60");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["type"], "/problems/too-many-requests");
    // Another key has its own, and machines that look whether it lives are not counted.
    assert_eq!(status(server.get("/v1/findings").bearer_auth(&other)).await, 200);
    for _ in 0..10 {
        assert_eq!(status(server.get("/health/live")).await, 204);
    }
}

#[tokio::test]
async fn wrong_keys_are_limited_for_their_address_alone() {
    let place = Place::new(CONFIGURATION);
    let (_, right) = key(&place, &["findings:read"], &[]);
    let server = Server::start(place);
    let ask =
        |text: &str, from: &str| status(server.get("/v1/findings").bearer_auth(text).header("x-forwarded-for", from));
    for _ in 0..20 {
        assert_eq!(ask("wbk_00000000_wrong", "203.0.113.1").await, 401);
    }
    assert_eq!(ask("wbk_00000000_wrong", "203.0.113.1").await, 429);
    assert_eq!(ask("wbk_00000000_wrong", "203.0.113.2").await, 401);
    assert_eq!(ask(&right, "203.0.113.1").await, 200, "a valid key is not held back by others");
}

#[tokio::test]
async fn after_many_wrong_tokens_no_signature_is_checked() {
    let place = Place::new(&format!("{CONFIGURATION}{TOKENS}"));
    let (_, right) = key(&place, &["findings:read"], &[]);
    let issuer = Issuer::new(&place);
    let token = |lasts| issuer.token("findings:read", lasts);
    let server = Server::start(place);
    let ask =
        |text: &str, from: &str| status(server.get("/v1/findings").bearer_auth(text).header("x-forwarded-for", from));
    let known = token(300);
    assert_eq!(ask(&known, "203.0.113.1").await, 200);
    let mut has_waited = false;
    for number in 0..100 {
        // A failure is forgiven every three seconds, maybe right between the two.
        has_waited |= ask(&token(-300 - number), "203.0.113.1").await == 429
            && ask(&token(400 + number), "203.0.113.1").await == 429;
    }
    assert!(has_waited, "a new token has to wait, right or wrong");
    assert_eq!(ask(&token(302), "203.0.113.2").await, 200, "from elsewhere it has not");
    assert_eq!(ask(&known, "203.0.113.1").await, 200, "one that is known is not held back by others");
    assert_eq!(ask(&right, "203.0.113.1").await, 200, "nor is a key");
}

#[tokio::test]
async fn nobody_is_believed_about_an_address_but_a_proxy() {
    let place = Place::new("[serve]\nrate_per_minute = 2\n");
    let server = Server::start(place);
    let ask = |from: &'static str| status(server.get("/openapi.json").header("x-forwarded-for", from));
    assert_eq!((ask("203.0.113.1").await, ask("203.0.113.2").await, ask("203.0.113.3").await), (200, 200, 429));
}
