//! A server that answers as a test says and keeps what it was asked. One request per connection, so that nothing is shared.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};
use toml::de::ValueDeserializer;
use watchbell_elasticsearch::{ElasticsearchConfig, ElasticsearchSink, KIND};
use watchbell_sink::{Batch, Context, Delivery, Finding, Outcome, Sink, SinkConfig, Steps, testkit::findings};

/// What a client asked.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    /// As it came.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path.split('?').next().unwrap_or_default())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

pub(crate) fn answer(status: u16, body: impl ToString) -> Answer {
    Answer { status, headers: Vec::new(), body: body.to_string() }
}

type Script = dyn Fn(&Asked) -> Option<Answer> + Send + Sync;

/// The server; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers by the script; where it says `None`, the connection is closed without a word.
    pub(crate) async fn start(script: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Self {
        Self::serve(script, None).await
    }

    pub(crate) async fn start_tls(
        script: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
        tls: ServerConfig,
    ) -> Self {
        Self::serve(script, Some(TlsAcceptor::from(Arc::new(tls)))).await
    }

    async fn serve(
        script: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (asked, script): (_, Arc<Script>) = (Arc::clone(&server.asked), Arc::new(script));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (asked, script, tls) = (Arc::clone(&asked), Arc::clone(&script), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => talk(stream, &asked, &*script).await,
                        // A handshake that fails is what some tests are about.
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => talk(stream, &asked, &*script).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Methods and paths, in order.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    /// The one bulk request.
    pub(crate) fn bulk(&self) -> Asked {
        self.asked().into_iter().rfind(|asked| asked.path.contains("/_bulk")).unwrap()
    }
}

async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    asked: &Mutex<Vec<Asked>>,
    script: &Script,
) -> Option<()> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let length = head
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:").map(|it| it.trim().to_owned()))
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        (stream.read_buf(&mut bytes).await.ok()? > 0).then_some(())?;
    }
    let mut words = head.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let body = String::from_utf8(bytes[end + 4..].to_vec()).unwrap();
    let question = Asked { method, path, head, body };
    asked.lock().unwrap().push(question.clone());
    let answer = script(&question)?;
    let mut out = format!(
        "HTTP/1.1 {} Scripted\r\nconnection: close\r\ncontent-length: {}\r\n",
        answer.status,
        answer.body.len()
    );
    for (name, value) in &answer.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    out.push_str(&answer.body);
    stream.write_all(out.as_bytes()).await.ok()?;
    stream.shutdown().await.ok()
}

/// A sink by these options, in TOML, that waits for a second at most.
pub(crate) fn sink(options: &str) -> ElasticsearchSink {
    let config: ElasticsearchConfig = toml::from_str(options).unwrap();
    config.build(&Context { timeout: Duration::from_secs(1), ..Context::new("soc") }).unwrap()
}

/// The same, through the kind as the engine does it; what is wrong, as text.
pub(crate) fn refused(options: &str) -> String {
    KIND.build(ValueDeserializer::parse(&inline(options)).unwrap(), &Context::new("soc")).err().unwrap().to_string()
}

fn inline(options: &str) -> String {
    format!("{{ {options} }}")
}

/// So many realistic findings under different ids, encoded.
pub(crate) fn batch(sink: &ElasticsearchSink, count: usize) -> Batch {
    let findings = (0..count).map(|n| Finding { id: format!("{n:032x}"), ..findings::sample() });
    of(sink, findings)
}

pub(crate) fn of(sink: &ElasticsearchSink, findings: impl Iterator<Item = Finding>) -> Batch {
    let delivery = |finding: Finding| Delivery {
        key: format!("{}.soc", finding.id),
        payload: sink.encode(&finding).unwrap(),
        attempt: 1,
    };
    Batch::new(findings.map(delivery).collect()).unwrap()
}

/// The steps on one line each: outcome, name, detail.
pub(crate) fn told(steps: &Steps) -> Vec<String> {
    let line = |step: &watchbell_sink::Step| {
        let outcome = match &step.outcome {
            Outcome::Ok => "ok",
            Outcome::Present => "present",
            Outcome::Created => "created",
            Outcome::Changed => "changed",
            Outcome::Skipped => "skipped",
            Outcome::Warning { .. } => "warning",
            Outcome::Failed { .. } => "failed",
        };
        format!("{outcome} {}: {}", step.name, step.detail.as_deref().unwrap_or_default())
    };
    steps.all().iter().map(line).collect()
}
