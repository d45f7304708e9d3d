//! What the tests share: a sink from options, a batch from findings, a strict reader of frames and of RFC 5424, and a
//! receiver on loopback. The reader is written from the RFC's grammar and shares nothing with the sink.

#![allow(dead_code, reason = "every test file uses a part of it")]

pub(crate) mod receiver;
pub(crate) mod rfc5424;

use std::sync::Arc;

use watchbell_sink::{Batch, Context, Delivery, Finding, Receipt, Sink, SinkConfig, Verdict};
use watchbell_syslog::SyslogConfig;

/// The sink that these options (TOML) build.
pub(crate) fn sink(options: &str) -> Arc<dyn Sink> {
    let config: SyslogConfig = toml::from_str(options).unwrap_or_else(|error| panic!("{options}: {error}"));
    Arc::new(config.build(&Context::new("soc")).unwrap_or_else(|error| panic!("{options}: {error}")))
}

/// These findings, encoded.
pub(crate) fn batch(sink: &dyn Sink, findings: &[Finding]) -> Batch {
    let delivery =
        |finding: &Finding| Delivery { key: finding.id.clone(), payload: sink.encode(finding).unwrap(), attempt: 1 };
    Batch::new(findings.iter().map(delivery).collect()).unwrap()
}

/// Asserts that everything arrived, as far as the sink knows.
#[track_caller]
pub(crate) fn assert_delivered(receipt: &Receipt) {
    let lost = receipt.verdicts().iter().find(|verdict| !matches!(verdict, Verdict::Delivered));
    assert!(lost.is_none(), "{lost:?}");
}

/// Splits octet-counted frames (RFC 6587 section 3.4.1); whatever is left over is an error.
pub(crate) fn counted(mut stream: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let mut messages = Vec::new();
    while !stream.is_empty() {
        let space = stream.iter().position(|&byte| byte == b' ').ok_or("a length without its space")?;
        let digits = std::str::from_utf8(&stream[..space]).map_err(|error| error.to_string())?;
        if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("`{digits}` is no length"));
        }
        let length: usize = digits.parse().map_err(|_| format!("`{digits}` is no length"))?;
        let message = stream.get(space + 1..space + 1 + length).ok_or("a message shorter than its length")?;
        messages.push(message.to_vec());
        stream = &stream[space + 1 + length..];
    }
    Ok(messages)
}
