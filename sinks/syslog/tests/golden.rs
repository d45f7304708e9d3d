//! The exact bytes for one finding, in every format and payload. `UPDATE_GOLDEN=1` writes them anew.

#![allow(clippy::unwrap_used)] // A test may panic.

mod support;

use std::{env, fs, path::PathBuf};

use support::sink;
use watchbell_sink::testkit::findings;

#[test]
fn messages_are_as_kept() {
    for format in ["rfc5424", "rfc3164"] {
        for payload in ["text", "json", "cef", "leef"] {
            let options = "address = 'siem.example'\nhostname = 'gate.example'";
            let sink = sink(&format!("transport = 'tcp'\nformat = '{format}'\npayload = '{payload}'\n{options}"));
            let bytes = sink.encode(&findings::sample()).unwrap().bytes().to_vec();
            let name = format!("{format}.{payload}.txt");
            let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(&name);
            if env::var_os("UPDATE_GOLDEN").is_some() {
                fs::write(&path, &bytes).unwrap();
            }
            let kept = fs::read(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&kept), "{name}");
        }
    }
}
