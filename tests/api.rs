//! The REST API, asked from outside: the program runs as users run it, and a client asks it over loopback.

mod document;
mod errors;
mod logs;
mod repeated;
mod routes;

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::place::Place;

/// A sink that nobody answers at, and a small limit for bodies.
const CONFIGURATION: &str = r#"
[input]
log_dir = "logs"
[serve]
rate_per_minute = 100000
max_body_bytes = "4 MiB"
timeout_secs = 60
[sinks.hook]
type = "webhook"
url = "http://127.0.0.1:9/watchbell"
secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
allow_private = true
"#;

/// The program, serving in a folder of its own.
struct Server {
    /// Gone with the server.
    place: Place,
    child: Child,
    address: String,
    client: Client,
}

impl Server {
    fn start() -> Self {
        Self::in_place(Place::new(CONFIGURATION))
    }

    fn in_place(place: Place) -> Self {
        let mut command = place.command(&["serve", "--insecure", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").expect(&line).to_owned();
        Self { place, child, address, client: Client::builder().no_proxy().build().unwrap() }
    }

    /// With the sample logs, and what the batch found in them.
    fn with_findings() -> Self {
        let place = Place::new(CONFIGURATION);
        std::fs::create_dir(place.path("logs")).unwrap();
        for name in ["sshd_auth.log", "vpn.csv"] {
            let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/logs").join(name);
            std::fs::copy(sample, place.path("logs").join(name)).unwrap();
        }
        let ran = place.run(&["batch", "--once"]);
        assert!([0, 1].contains(&ran.code), "{ran:?}");
        Self::in_place(place)
    }

    fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.address))
    }

    async fn get(&self, path: &str) -> Answer {
        Answer::of(self.ask(Method::GET, path).send().await.unwrap()).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::of(self.ask(Method::POST, path).json(body).send().await.unwrap()).await
    }

    async fn send(&self, request: RequestBuilder) -> Answer {
        Answer::of(request.send().await.unwrap()).await
    }

    /// Asks until the answer is as it should be.
    async fn until(&self, path: &str, is_there: impl Fn(&Value) -> bool) -> Value {
        let began = Instant::now();
        loop {
            let answer = self.get(path).await;
            if is_there(&answer.json) {
                return answer.json;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "{path}: {answer:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn terminate(&self) {
        let status = std::process::Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer that was read.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    text: String,
    /// `null` when it is no JSON.
    json: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Self { status, headers, text, json }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        self
    }

    /// A problem as RFC 9457 has it, with the request's id.
    fn is_problem(&self, status: u16) -> &Self {
        self.is(status);
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json["status"], status);
        assert_eq!(self.json["instance"], self.header("x-request-id"), "{self:?}");
        for member in ["type", "title", "detail"] {
            assert!(self.json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {self:?}");
        }
        self
    }
}
