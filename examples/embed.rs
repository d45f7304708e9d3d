//! The detector in a program of your own: `cargo run --release --example embed -- LOG`.

use std::{path::Path, sync::atomic::AtomicBool};

use watchbell::{
    detect::{DetectSettings, Detector, LogPart, Run, Unwatched},
    parse::ParseOptions,
    source::SourceFile,
};

fn main() -> anyhow::Result<()> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "examples/logs/auth.jsonl".to_owned());
    let log = LogPart::whole(SourceFile::at(0, Path::new(&path))?);
    let (parse, stop) = (ParseOptions::default(), AtomicBool::new(false));
    let run = Run { parse: &parse, now: jiff::Timestamp::now(), progress: &Unwatched, stop: &stop };
    for analysis in Detector::new(DetectSettings::default()).analyze(&[log], run)? {
        for finding in analysis.report.findings {
            println!("{:8} {} - {}", finding.severity, finding.title.escape_debug(), finding.summary.escape_debug());
        }
    }
    Ok(())
}
