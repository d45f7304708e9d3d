//! Packed logs: whatever is said about their packing, all of them is read or the request is refused. Nothing is lost in
//! silence, and nothing swells up beyond what a body may be.

use reqwest::Method;

use super::{
    Answer, Server,
    logs::{analyze, ndjson, packed},
};

async fn analyze_packed(server: &Server, encoding: &str, body: Vec<u8>) -> Answer {
    let request = server.ask(Method::POST, "/v1/analyze?hand_over=false").header("content-type", "text/plain");
    server.send(request.header("content-encoding", encoding).body(body)).await
}

#[tokio::test]
async fn every_member_is_read() {
    let server = Server::start();
    let member = packed(ndjson(30).as_bytes());
    for (encoding, count) in [("gzip", 1), ("gzip", 2), ("GZIP", 2), ("x-gzip", 3), ("identity, gzip", 7)] {
        let answer = analyze_packed(&server, encoding, member.repeat(count)).await;
        assert_eq!(answer.is(200).json["total_events"], 30 * count, "{encoding}, {count} members: {answer:?}");
    }
    // As log shippers write them: each member is flushed by itself, with empty ones in between.
    let mut many = Vec::new();
    for _ in 0..40 {
        many.extend(packed(ndjson(500).as_bytes()));
        many.extend(packed(b""));
    }
    let answer = analyze_packed(&server, "gzip", many).await;
    assert_eq!(answer.is(200).json["total_events"], 40 * 500, "{answer:?}");
    // A command may be packed too.
    let body = packed(br#"{"threat_type": "beaconing", "reason": "a test", "expires": "1d", "dry_run": true}"#);
    let request = server.ask(Method::POST, "/v1/suppressions").header("content-type", "application/json");
    let answer =
        server.send(request.header("content-encoding", "Gzip").header("idempotency-key", "k").body(body)).await;
    assert!(answer.status.is_success(), "{answer:?}");
}

#[tokio::test]
async fn what_is_not_packed_as_it_says_is_refused() {
    let server = Server::start();
    let whole = packed(ndjson(30).as_bytes());
    let trailing = [&whole[..], b"and then something else"].concat();
    analyze_packed(&server, "gzip", trailing).await.is_problem(400);
    analyze_packed(&server, "gzip", whole[..whole.len() - 4].to_vec()).await.is_problem(400);
    analyze_packed(&server, "gzip", b"no gzip at all".to_vec()).await.is_problem(400);
    for encoding in ["br", "gzip, gzip", "gzip, br"] {
        let answer = analyze_packed(&server, encoding, whole.clone()).await;
        assert_eq!(answer.is_problem(415).header("accept-encoding"), "gzip", "{encoding}");
    }
}

#[tokio::test]
async fn too_much_is_refused_also_when_it_swells_up_only_here() {
    let server = Server::start();
    analyze(&server, "text/plain", vec![b'x'; 5 << 20]).await.is_problem(413);
    let bomb = packed(&vec![b'x'; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    analyze_packed(&server, "gzip", bomb.clone()).await.is_problem(413);
    // Each member for itself is small enough.
    analyze_packed(&server, "gzip", packed(&vec![b'x'; 1_300_000]).repeat(40)).await.is_problem(413);
    // Nothing comes out of these, however many they are.
    analyze_packed(&server, "gzip", packed(b"").repeat(300_000)).await.is_problem(413);
    // Not declared: packing is seen from the first bytes.
    analyze(&server, "text/plain", bomb).await.is_problem(413);
    analyze(&server, "application/x-ndjson", packed(ndjson(40_000).as_bytes())).await.is_problem(413);
    let zstd = zstd::encode_all(ndjson(40_000).as_bytes(), 3).unwrap();
    analyze(&server, "text/plain", zstd).await.is_problem(413);
    let answer = analyze(&server, "text/plain", packed(ndjson(30).as_bytes()).repeat(2)).await;
    assert_eq!(answer.is(200).json["total_events"], 60, "{answer:?}");
    // It still works.
    analyze(&server, "text/plain", "a line\n").await.is(200);
}

#[tokio::test]
async fn a_log_that_can_t_be_read_at_all_is_no_success() {
    let server = Server::start();
    std::fs::create_dir_all(server.place.path("models")).unwrap();
    std::fs::write(server.place.path("models/broken.wbmodel"), "no model").unwrap();
    let bzip2 = b"BZh91AY&SY\x01\x02\x03\x04\x05\x06".to_vec();
    let answer = analyze(&server, "text/plain", bzip2).await;
    let detail = answer.is_problem(415).json["detail"].as_str().unwrap();
    assert!(detail.contains("bzip2"), "{detail}");
    let answer = analyze(&server, "text/plain", [0, 159, 146, 150, 0, 0, 1, 2].repeat(500)).await;
    let detail = answer.is_problem(422).json["detail"].as_str().unwrap();
    assert!(detail.contains("is not text"), "{detail}");
    let request = server.ask(Method::POST, "/analyze?name=broken").header("content-type", "text/plain");
    let answer = server.send(request.body(ndjson(3))).await;
    let detail = answer.is_problem(409).json["detail"].as_str().unwrap();
    assert!(detail.contains("broken.wbmodel: not a model file") && !detail.contains("/broken"), "{detail}");
    let cut = packed(ndjson(3_000).as_bytes());
    let answer = analyze(&server, "text/plain", cut[..cut.len() / 2].to_vec()).await;
    assert!(
        answer.is(200).json["total_events"].as_u64().unwrap() > 0,
        "what came before the damage counts: {answer:?}"
    );
    assert!(answer.json["logs"][0]["error"].as_str().unwrap().contains("cut short"), "{answer:?}");
}
