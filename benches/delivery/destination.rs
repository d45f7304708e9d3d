//! A stand-in of a destination in a process of its own, and the real sinks that deliver there.
//!
//! The process is this benchmark again, with `--standin NAME`. It says the options of a sink that gets in, and then, for
//! every line that it is asked, how much has arrived. It ends with its standard input.

use std::{
    io::{BufRead, BufReader, Write, stdin},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
};

use anyhow::{Context as _, Result, bail, ensure};
use toml::{
    Spanned, Value,
    de::{DeTable, DeValue, ValueDeserializer},
};
use watchbell::{
    registry,
    sink::{
        Context, Sink, Steps,
        testkit::standin::{
            Mood, Record, Standin, anywhere,
            chronicle::{self, Tenant},
            elasticsearch, slack, splunk_hec, syslog, webhook,
        },
    },
};

const HEC_TOKEN: &str = "00000000-0000-4000-8000-000000000001";
const WEBHOOK_SECRET: &str = "whsec_YmVuY2htYXJrLWJlbmNobWFyay1iZW5jaG1hcms=";

/// A running stand-in.
pub(crate) struct Destination {
    kind: &'static str,
    options: String,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    process: Child,
}

/// What a stand-in saw.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrived {
    /// Findings, each counted once.
    pub(crate) findings: usize,
    /// Everything, repetitions and digests among it.
    pub(crate) total: usize,
}

impl Destination {
    /// Starts the stand-in of this name: one that [`serve`] knows, for a sink of this kind.
    pub(crate) fn start(name: &str, kind: &'static str) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--standin", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let questions = process.stdin.take();
        let mut answers = BufReader::new(process.stdout.take().context("its output was asked for")?);
        let options: String = serde_json::from_str(&line(&mut answers)?)?;
        Ok(Self { kind, options, questions, answers, process })
    }

    /// A new sink that delivers there, and whose calls last at most so long.
    pub(crate) fn sink(&self, context: &Context) -> Result<Arc<dyn Sink>> {
        let table = DeTable::parse(&self.options)?;
        let span = table.span();
        let options = ValueDeserializer::from(Spanned::new(span, DeValue::Table(table.into_inner())));
        registry::kind(self.kind)?.build(options, context).map_err(|error| anyhow::anyhow!("{}: {error:?}", self.kind))
    }

    /// Makes what must exist there, with a sink of its own: connections belong to the runtime that opened them.
    pub(crate) fn set_up(&self) -> Result<()> {
        let sink = self.sink(&Context::new(self.kind))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(sink.setup(&mut Steps::default())).map_err(|error| anyhow::anyhow!("{}: {error}", self.kind))
    }

    /// What has arrived by now.
    pub(crate) fn arrived(&mut self) -> Result<Arrived> {
        let questions = self.questions.as_mut().context("the stand-in listens until it is dropped")?;
        writeln!(questions, "arrived?")?;
        let (findings, total) = serde_json::from_str(&line(&mut self.answers)?)?;
        Ok(Arrived { findings, total })
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        drop(self.questions.take());
        // It ends by itself; how it ended changes nothing any more.
        let _ = self.process.wait();
    }
}

fn line(answers: &mut BufReader<ChildStdout>) -> Result<String> {
    let mut line = String::new();
    ensure!(answers.read_line(&mut line)? > 0, "the stand-in ended");
    Ok(line)
}

/// Is the stand-in of this name until nobody asks any more.
pub(crate) fn serve(name: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let (standin, options) = runtime.block_on(standin(name))?;
    println!("{}", serde_json::to_string(&options)?);
    for question in stdin().lines() {
        question?;
        let times = standin.record().times(standin.name());
        println!("{}", serde_json::to_string(&(times.len(), times.values().sum::<u64>()))?);
    }
    Ok(())
}

/// A stand-in, and the options of a sink that gets in.
async fn standin(name: &str) -> Result<(Standin, String)> {
    let (at, record) = (anywhere(), Record::new(0));
    let hec = |acknowledges| splunk_hec::Token { token: HEC_TOKEN.to_owned(), acknowledges, indexes: Vec::new() };
    Ok(match name {
        "chronicle" => {
            let tenant = Tenant::new("benchmark", "us", "00000000-0000-4000-8000-000000000000")?;
            let standin = chronicle::start(&tenant, at, record).await?;
            let address = standin.address();
            let options = format!(
                "endpoint = \"http://{address}\"\nproject = \"benchmark\"\nlocation = \"us\"\n\
                 instance = \"00000000-0000-4000-8000-000000000000\"\ncredentials = {}\n",
                Value::String(tenant.credentials(address))
            );
            (standin, options)
        }
        "elasticsearch" => {
            let credentials = elasticsearch::Credentials::ApiKey("YmVuY2g6bWFyaw==".to_owned());
            let standin = elasticsearch::start(credentials, at, record).await?;
            let options = format!("nodes = [\"http://{}\"]\napi_key = \"YmVuY2g6bWFyaw==\"\n", standin.address());
            (standin, options)
        }
        "slack" => {
            let (token, channel) = ("xoxb-benchmark".to_owned(), ("C0000000001".to_owned(), "alerts".to_owned()));
            let webhook = "/services/T0000000001/B0000000001/benchmark".to_owned();
            let standin = slack::start(slack::Workspace { token, channel, webhook }, at, record).await?;
            let address = standin.address();
            let options =
                format!("api_url = \"http://{address}/api\"\ntoken = \"xoxb-benchmark\"\nchannel = \"C0000000001\"\n");
            (standin, options)
        }
        "splunk_hec" | "splunk_hec_ack" | "splunk_hec_silent" => {
            let acknowledges = name == "splunk_hec_ack";
            let standin = splunk_hec::start(hec(acknowledges), at, record).await?;
            if name == "splunk_hec_silent" {
                standin.feel(Mood::Silent);
            }
            let ack = if acknowledges { "ack = true\nack_poll_secs = 1\n" } else { "ack = false\n" };
            let options = format!("endpoint = \"http://{}\"\ntoken = \"{HEC_TOKEN}\"\n{ack}", standin.address());
            (standin, options)
        }
        "syslog" => {
            let standin = syslog::start(at, record).await?;
            let options = format!("transport = \"tcp\"\naddress = \"{}\"\n", standin.address());
            (standin, options)
        }
        "webhook" => {
            let standin = webhook::start(WEBHOOK_SECRET, at, record).await?;
            let url = format!("http://{}/findings", standin.address());
            (standin, format!("url = \"{url}\"\nsecret = \"{WEBHOOK_SECRET}\"\nallow_private = true\n"))
        }
        _ => bail!("no stand-in has the name {name:?}"),
    })
}
