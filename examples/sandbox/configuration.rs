//! The sandbox's credentials, made for one run, and the configuration that holds them.

use std::{
    fs,
    hash::{BuildHasher, RandomState},
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use watchbell_sink::testkit::standin::{
    Standin, chronicle::Tenant, elasticsearch, slack::Workspace, splunk_hec::Token,
};

const PROJECT: &str = "sandbox";
const LOCATION: &str = "us";
const INSTANCE: &str = "00000000-0000-4000-8000-000000000000";
const CHANNEL: &str = "C0000000001";

/// What lets findings into the stand-ins, and protects nothing.
pub(crate) struct Credentials {
    pub(crate) tenant: Tenant,
    pub(crate) webhook_secret: String,
    splunk_token: String,
    api_key: String,
    bot_token: String,
}

impl Credentials {
    pub(crate) fn new() -> io::Result<Self> {
        let hex = format!("{:016x}{:016x}", random(), random());
        let splunk_token = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-");
        let secret: Vec<u8> = (0..4).flat_map(|_| random().to_be_bytes()).collect();
        Ok(Self {
            tenant: Tenant::new(PROJECT, LOCATION, INSTANCE)?,
            webhook_secret: format!("whsec_{}", STANDARD.encode(secret)),
            splunk_token,
            api_key: STANDARD.encode(format!("sandbox:{:016x}", random())),
            bot_token: format!("xoxb-sandbox-{:016x}", random()),
        })
    }

    pub(crate) fn elasticsearch(&self) -> elasticsearch::Credentials {
        elasticsearch::Credentials::ApiKey(self.api_key.clone())
    }

    pub(crate) fn splunk(&self) -> Token {
        Token { token: self.splunk_token.clone(), acknowledges: true, indexes: vec!["security".to_owned()] }
    }

    pub(crate) fn workspace(&self) -> Workspace {
        Workspace {
            token: self.bot_token.clone(),
            channel: (CHANNEL.to_owned(), "alerts".to_owned()),
            webhook: format!("/services/T0000000001/B0000000001/{:016x}", random()),
        }
    }

    /// Writes the configuration, and the key of the service account beside it, for this user's eyes only.
    pub(crate) fn write(&self, dir: &Path, standins: &[Standin]) -> io::Result<PathBuf> {
        let mut text = format!(
            "# Points at the stand-ins of one run of `cargo run --example sandbox`.\n\n[batch]\noutput_dir = {}\n\n[outbox]\noutbox_dir = {}\n",
            quoted(&dir.join("reports")),
            quoted(&dir.join("outbox")),
        );
        for standin in standins {
            let address = standin.address();
            let options = match standin.name() {
                "chronicle" => {
                    let key = dir.join("service_account.json");
                    write_private(&key, &self.tenant.credentials(address))?;
                    format!(
                        "endpoint = \"http://{address}\"\nproject = \"{PROJECT}\"\nlocation = \"{LOCATION}\"\n\
                         instance = \"{INSTANCE}\"\ncredentials_file = {}\n",
                        quoted(&key)
                    )
                }
                "elasticsearch" => format!("nodes = [\"http://{address}\"]\napi_key = \"{}\"\n", self.api_key),
                "slack" => {
                    format!(
                        "api_url = \"http://{address}/api\"\ntoken = \"{}\"\nchannel = \"{CHANNEL}\"\n",
                        self.bot_token
                    )
                }
                "splunk_hec" => format!(
                    "endpoint = \"http://{address}\"\ntoken = \"{}\"\nindex = \"security\"\nack = true\nack_poll_secs = 1\n",
                    self.splunk_token
                ),
                "syslog" => format!("transport = \"tcp\"\naddress = \"{address}\"\n"),
                "webhook" => format!(
                    "url = \"http://{address}/findings\"\nsecret = \"{}\"\nallow_private = true\n",
                    self.webhook_secret
                ),
                _ => continue,
            };
            text += &format!("\n[sinks.{0}]\ntype = \"{0}\"\n{options}", standin.name());
        }
        let file = dir.join("watchbell.toml");
        write_private(&file, &text)?;
        Ok(file)
    }
}

/// A new number each time. Good enough where nothing is protected.
fn random() -> u64 {
    RandomState::new().hash_one("sandbox")
}

fn quoted(path: &Path) -> String {
    toml::Value::String(path.display().to_string()).to_string()
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}
