//! The stand-ins say what the real ones say, and refuse what they refuse.

mod apis;
mod collector;
mod messages;
mod rules;

use super::*;
use crate::{
    http::{HttpClient, HttpOptions, Method, Reply},
    sink::Context,
};

const ID: &str = "6f1ed002ab5595859014ebf0951522d9";

/// Asks a stand-in, with headers.
struct Client {
    address: SocketAddr,
    client: HttpClient,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    fn of(standin: &Standin, headers: &[(&'static str, &str)]) -> Self {
        let client = HttpClient::new(&Context::new("test"), HttpOptions::default()).unwrap();
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { address: standin.address(), client, headers }
    }

    async fn ask(&self, method: Method, path: &str, body: impl Into<Vec<u8>>) -> Reply {
        let url = format!("http://{}{path}", self.address).parse().unwrap();
        let mut request = self.client.request(method, url).body(body.into());
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        self.client.send(request).await.unwrap()
    }

    async fn post(&self, path: &str, body: impl Into<Vec<u8>>) -> (u16, serde_json::Value) {
        let reply = self.ask(Method::POST, path, body).await;
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let reply = self.ask(Method::GET, path, "").await;
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }
}

#[test]
fn a_record_forgets_texts_and_no_ids() {
    let record = Record::new(2);
    for n in 0..3 {
        record.note("soc", format!("id-{}", n % 2), format!("text {n}"));
    }
    assert_eq!(record.total(), 3);
    let texts: Vec<String> = record.since(0).into_iter().map(|arrival| arrival.text).collect();
    assert_eq!(texts, ["text 1", "text 2"]);
    assert_eq!(record.since(2).len(), 1);
    assert_eq!(record.times("soc"), [("id-0".to_owned(), 2), ("id-1".to_owned(), 1)].into());
    assert!(record.times("other").is_empty());
}

#[test]
fn the_id_of_a_finding_is_found_in_any_text() {
    assert_eq!(id_in(&format!("<13>1 - [watchbell@32473 id=\"{ID}\"] {ID}0")), ID);
    assert_eq!(id_in("no id here"), "");
}
