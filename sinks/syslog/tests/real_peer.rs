//! The syslog sink against rsyslog and syslog-ng: what was encoded arrives, each finding as one message, byte for byte.
//!
//! The peers' raw message is compared, so that nothing hides behind their parsing. `.ci/peers/run` starts them.

#![allow(clippy::unwrap_used)] // A test may panic.

use std::{fs, sync::Arc};

use serde_json::Value;
use watchbell_sink::{
    ErrorKind, Finding, Sink, Steps, Verdict,
    testkit::{
        findings::samples,
        peer::{self, address, arrived},
    },
};
use watchbell_syslog::KIND;

const PEERS: [&str; 2] = ["rsyslog", "syslog_ng"];
const PAYLOADS: [&str; 4] = ["text", "json", "cef", "leef"];

/// A sink whose messages are told from those of other tests by their name.
fn sink(name: &str, options: &str) -> Arc<dyn Sink> {
    peer::sink(&KIND, &format!("{{ app_name = \"{name}\", {options} }}"))
}

/// The options of TLS that trust the peer's authority, and show this certificate.
fn tls(peer: &str, authority: &str, certificate: Option<&str>) -> Option<String> {
    let folder = address(peer, "CERTIFICATES")?;
    let file = |name: &str| fs::read_to_string(format!("{folder}/{name}")).unwrap();
    let own = certificate.map_or_else(String::new, |name| {
        format!(", cert = '''{}''', key = '''{}'''", file(&format!("{name}.pem")), file(&format!("{name}.key")))
    });
    Some(format!("tls = {{ ca = '''{}'''{own} }}", file(&format!("{authority}.pem"))))
}

/// A message without its frame, and with NUL as this peer writes it.
fn as_logged(peer: &str, payload: &[u8], counted: bool) -> String {
    let text = String::from_utf8(payload.to_vec()).unwrap();
    let message = match text.split_once(' ') {
        Some((_, message)) if counted => message,
        _ => text.trim_end_matches('\n'),
    };
    message.replace('\0', if peer == "rsyslog" { "#000" } else { "\\x00" })
}

fn raw(line: &Value) -> String {
    line["raw"].as_str().unwrap().to_owned()
}

/// Delivers hostile findings in every payload, and compares what the peer's log shows.
async fn all_arrive(peer: &str, listener: &str, options: &str) {
    let (Some(to), Some(log)) = (address(peer, &listener.to_uppercase()), address(peer, "LOG")) else { return };
    let counted = matches!(listener, "tcp" | "tls" | "mtls");
    for (seed, payload) in PAYLOADS.into_iter().enumerate() {
        let name = peer::fresh(&format!("{}-{payload}", listener.replace('_', "-")));
        let sink = sink(&name, &format!("address = \"{to}\", payload = \"{payload}\", {options}"));
        let findings: Vec<Finding> = samples(50, seed as u64);
        let batch = peer::batch(&*sink, &findings);
        let receipt = sink.deliver(&batch).await.unwrap();
        for verdict in receipt.verdicts() {
            assert!(matches!(verdict, Verdict::Delivered), "{peer} {name}: {verdict:?}");
        }
        let lines = arrived(&log, findings.len(), |line| line["app"] == name.as_str()).await;
        let mut got: Vec<String> = lines.iter().map(raw).collect();
        let sent = batch.deliveries().iter().map(|delivery| as_logged(peer, delivery.payload.bytes(), counted));
        let mut sent: Vec<String> = sent.collect();
        if listener == "udp" {
            got.sort();
            sent.sort();
        }
        for (got, sent) in got.iter().zip(&sent) {
            assert_eq!(got, sent, "{peer} {name}");
        }
        println!("{peer} {listener} {payload}: {} of {} arrived intact", lines.len(), findings.len());
        if payload == "text" {
            structured_data_is_parsed(&lines, &findings, listener == "udp");
        }
    }
}

/// The peer's own parser finds the finding's id and the entity in the structured data.
fn structured_data_is_parsed(lines: &[Value], findings: &[Finding], unordered: bool) {
    for (position, finding) in findings.iter().enumerate() {
        let id = format!("finding_id=\"{}\"", finding.id);
        let holds = |line: &Value| line["sd"].as_str().unwrap_or_default().contains(&id);
        let found = if unordered { lines.iter().any(holds) } else { holds(&lines[position]) };
        // Structured data that would leave no room for the text is left out.
        let left_out = lines.iter().any(|line| line["sd"] == "-" || line["sd"].is_null() || line["sd"] == "");
        assert!(found || left_out, "no structured data with {id}");
    }
    let read = lines.iter().filter(|line| line["sd"].as_str().is_some_and(|sd| sd.contains("finding_id="))).count();
    assert!(read * 10 >= lines.len() * 9, "{read} of {} have structured data", lines.len());
}

#[tokio::test]
async fn datagrams_arrive_whole() {
    for peer in PEERS {
        all_arrive(peer, "udp", "transport = \"udp\"").await;
    }
}

#[tokio::test]
async fn octet_counting_keeps_messages_apart() {
    for peer in PEERS {
        all_arrive(peer, "tcp", "transport = \"tcp\"").await;
    }
}

#[tokio::test]
async fn line_ends_keep_messages_apart() {
    for peer in PEERS {
        all_arrive(peer, "tcp_lf", "transport = \"tcp\", framing = \"lf\"").await;
    }
}

#[tokio::test]
async fn tls_carries_messages() {
    for peer in PEERS {
        let Some(tls) = tls(peer, "ca", None) else { continue };
        all_arrive(peer, "tls", &format!("transport = \"tls\", {tls}")).await;
    }
}

#[tokio::test]
async fn tls_with_our_certificate_carries_messages() {
    for peer in PEERS {
        let Some(tls) = tls(peer, "ca", Some("client")) else { continue };
        all_arrive(peer, "mtls", &format!("transport = \"tls\", {tls}")).await;
    }
}

/// Old receivers and the machine's own syslog read RFC 3164.
#[tokio::test]
async fn rfc_3164_arrives_over_streams_and_the_local_socket() {
    for peer in PEERS {
        let (Some(to), Some(log)) = (address(peer, "TCP_LF"), address(peer, "LOG")) else { continue };
        let options = format!("transport = \"tcp\", framing = \"lf\", format = \"rfc3164\", address = \"{to}\"");
        whole_3164(peer, &sink(&peer::fresh("stream"), &options), &peer::fresh("stream"), &log).await;
    }
    let (Some(socket), Some(log)) = (address("rsyslog", "UNIX"), address("rsyslog", "LOG")) else { return };
    let options = format!("transport = \"local\", socket = '{socket}'");
    whole_3164("rsyslog", &sink(&peer::fresh("local"), &options), &peer::fresh("local"), &log).await;
}

async fn whole_3164(peer: &str, sink: &Arc<dyn Sink>, name: &str, log: &str) {
    let findings = samples(50, 31);
    let batch = peer::batch(&**sink, &findings);
    let receipt = sink.deliver(&batch).await.unwrap();
    assert!(receipt.verdicts().iter().all(|verdict| matches!(verdict, Verdict::Delivered)), "{receipt:?}");
    let lines = arrived(log, findings.len(), |line| raw(line).contains(name)).await;
    for (line, delivery) in lines.iter().zip(batch.deliveries()) {
        assert_eq!(raw(line), as_logged(peer, delivery.payload.bytes(), false), "{peer} {name}");
    }
    println!("{peer} {name}: {} of {} arrived intact", lines.len(), findings.len());
}

/// A TLS 1.3 connection stands before the peer has looked at our certificate, so that only a read shows the refusal.
#[tokio::test]
async fn a_refused_client_certificate_is_seen() {
    for peer in PEERS {
        let (Some(to), Some(log)) = (address(peer, "MTLS"), address(peer, "LOG")) else { continue };
        for (case, certificate) in [("stranger", Some("stranger")), ("nobody", None)] {
            let Some(tls) = tls(peer, "ca", certificate) else { continue };
            let sink = sink(&peer::fresh(case), &format!("transport = \"tls\", address = \"{to}\", {tls}"));
            let mut steps = Steps::default();
            let error = sink.check(&mut steps).await.expect_err("a refused certificate fails the check");
            assert!(steps.has_failed(), "{peer} {case}: {steps:?}");
            println!("{peer} {case}: {error}");
            assert!(matches!(error.kind, ErrorKind::Auth | ErrorKind::Config), "{peer} {case}: {error:?}");
            let batch = peer::batch(&*sink, &samples(1, 7));
            let delivered = sink.deliver(&batch).await;
            let is_delivered = |verdict: &Verdict| matches!(verdict, Verdict::Delivered);
            assert!(!delivered.is_ok_and(|receipt| receipt.verdicts().iter().any(is_delivered)), "{peer} {case}");
            arrived(&log, 0, |line| line["app"] == peer::fresh(case)).await;
        }
    }
}

#[tokio::test]
async fn a_good_way_passes_the_check_and_a_strange_server_does_not() {
    for peer in PEERS {
        let Some(to) = address(peer, "MTLS") else { continue };
        for (authority, holds) in [("ca", true), ("stranger-ca", false)] {
            let Some(tls) = tls(peer, authority, Some("client")) else { continue };
            let sink = sink("check", &format!("transport = \"tls\", address = \"{to}\", {tls}"));
            let mut steps = Steps::default();
            let checked = sink.check(&mut steps).await;
            assert_eq!((checked.is_ok(), steps.has_failed()), (holds, !holds), "{peer} {authority}: {steps:?}");
        }
    }
}
