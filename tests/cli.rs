//! The command line: help, errors, exit codes, streams, signals. What users read is kept as snapshots.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::Duration,
};

/// The program in a folder of its own, without any of the variables that it reads.
struct Program {
    folder: tempfile::TempDir,
}

impl Program {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn with_log() -> Self {
        let program = Self::new();
        fs::create_dir(program.path("logs")).unwrap();
        fs::write(program.path("logs/auth.json"), "{\"time\":\"2026-01-15T10:00:00Z\",\"user\":\"alice\"}\n").unwrap();
        program
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_watchbell"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

/// What a run shows, for snapshots.
fn shown(output: &Output) -> String {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    format!("exit code: {}\n--- stdout\n{stdout}--- stderr\n{stderr}", output.status.code().unwrap())
}

/// Snapshots without what differs from run to run.
fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", "[time]");
    settings.add_filter(r"\d{8}T\d{6}Z", "[time]");
    settings.add_filter(r"process \d+", "process [id]");
    settings.set_prepend_module_to_snapshot(false);
    settings
}

fn assert_shown(name: &str, output: &Output) {
    settings().bind(|| insta::assert_snapshot!(name, shown(output)));
}

#[test]
fn help_is_kept() {
    let program = Program::new();
    let pages = [
        ("help", &["--help"][..]),
        ("help_batch_short", &["batch", "-h"]),
        ("help_batch", &["batch", "--help"]),
        ("help_demo", &["demo", "-h"]),
        ("help_inspect", &["inspect", "-h"]),
        ("help_score", &["score", "-h"]),
        ("help_train", &["train", "-h"]),
        ("help_model_show", &["model", "show", "-h"]),
        ("help_report", &["report", "-h"]),
        ("help_config", &["config", "-h"]),
        ("help_completions", &["completions", "-h"]),
        ("help_man", &["man", "-h"]),
    ];
    for (name, arguments) in pages {
        assert_shown(name, &program.run(arguments));
    }
}

#[test]
fn usage_errors_are_kept() {
    let program = Program::new();
    for (name, arguments) in [
        ("usage_unknown_command", &["bacth"][..]),
        ("usage_unknown_flag", &["batch", "--outputdir", "x"]),
        ("usage_threshold", &["batch", "--threshold", "70"]),
        ("usage_budget", &["batch", "--budget", "none"]),
        ("usage_interval", &["batch", "--interval", "0"]),
        ("usage_fail_on", &["batch", "--once", "--fail-on", "urgent"]),
        ("usage_fail_on_without_once", &["batch", "--fail-on", "high"]),
        ("usage_time_zone", &["inspect", "x", "--time-zone", "Mars"]),
        ("usage_quiet_and_verbose", &["-q", "-v", "demo"]),
    ] {
        let output = program.run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "errors are no results: {arguments:?}");
        assert_shown(name, &output);
    }
}

#[test]
fn configuration_errors_are_shown_where_they_are() {
    let program = Program::with_log();
    let config = "[detect]\ntreshold = 0.8\nthreads = \"many\"\n\n[batch]\nthreshold = 1\n";
    fs::write(program.path("bad.toml"), config).unwrap();
    fs::write(program.path("sinks.toml"), "[sinks.soc]\ntype = \"splunk_hec\"\n").unwrap();
    fs::write(program.path("syntax.toml"), "[input]\nlog_dir = \n").unwrap();
    for (name, arguments) in [
        ("config_keys", &["batch", "--once", "--config", "bad.toml"][..]),
        ("config_sinks", &["config", "check", "--config", "sinks.toml"]),
        ("config_syntax", &["config", "show", "--config", "syntax.toml"]),
        ("config_missing", &["config", "check", "--config", "none.toml"]),
        ("config_glob", &["batch", "--once", "--include", "[a"]),
    ] {
        let output = program.run(arguments);
        assert_eq!(output.status.code(), Some(3), "{arguments:?}");
        assert_shown(name, &output);
    }
    let output = program.command(&["config", "check"]).env("BATCH_INTERVAL", "hourly").output().unwrap();
    assert_shown("config_variable", &output);
    let output = program.command(&["config", "check"]).env("WATCHBELL_LOG", "=,=").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("WATCHBELL_LOG"));
}

#[test]
fn flags_beat_variables_beat_the_file_beats_the_default() {
    let program = Program::new();
    let config =
        "[detect]\nthreshold = 0.6\nseed = 6\n[input]\nlog_dir = \"from-file\"\n[fields]\nuser = [\"actor.name\"]\n";
    fs::write(program.path("watchbell.toml"), config).unwrap();
    let output = program
        .command(&["config", "show"])
        .env("WATCHBELL_THRESHOLD", "0.5")
        .env("LOG_DIR", "from-variable")
        .env("OUTPUT_DIR", "")
        .env("MODEL_DIR", "plain")
        .env("WATCHBELL_MODEL_DIR", "prefixed")
        .output()
        .unwrap();
    assert_shown("config_show", &output);
    let output = program.command(&["batch", "--once", "--log-dir", "from-flag"]).env("LOG_DIR", "x").output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("from-flag"), "{}", shown(&output));
}

#[test]
fn input_errors_are_kept() {
    let program = Program::new();
    assert_shown("input_no_folder", &program.run(&["batch", "--once"]));
    fs::create_dir(program.path("logs")).unwrap();
    let output = program.run(&["batch", "--once"]);
    assert_eq!(output.status.code(), Some(4));
    assert_shown("input_no_files", &output);
    fs::write(program.path("logs/a.json"), "{}\n").unwrap();
    let output = program.run(&["batch", "--once", "--include", "*.csv"]);
    assert_eq!(output.status.code(), Some(4));
    assert_shown("input_none_match", &output);
    fs::write(program.path("low.toml"), "[batch]\nlow_disk_refuse = \"8000000 GiB\"\n").unwrap();
    let output = program.run(&["batch", "--once", "--config", "low.toml"]);
    assert_eq!(output.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&output.stderr).contains("expected at least 8000000 GiB"), "{}", shown(&output));
}

#[test]
fn completions_and_manual_pages_are_made() {
    let program = Program::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = program.run(&["completions", shell]);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("fail-on"), "{shell}");
    }
    let page = program.run(&["man"]);
    assert!(String::from_utf8_lossy(&page.stdout).contains(".TH watchbell 1"));
    assert!(program.run(&["man", "--out", "man1"]).status.success());
    let mut pages: Vec<_> = fs::read_dir(program.path("man1"))
        .unwrap()
        .map(|page| page.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert!(
        pages.contains(&"watchbell-batch.1".to_owned()) && !pages.iter().any(|page| page.contains("help")),
        "{pages:?}"
    );
    fs::write(program.path("file"), "").unwrap();
    let output = program.run(&["man", "--out", "file"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_closed_pipe_is_no_error() {
    let program = Program::new();
    for arguments in [&["completions", "bash"][..], &["config", "example"], &["--help"], &["man"]] {
        let mut child = program.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Closed before the program has written anything.
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stderr.is_empty(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn colors_come_when_they_are_asked_for() {
    let program = Program::new();
    let has_color = |arguments: &[&str], variables: &[(&str, &str)]| {
        let output = program.command(arguments).envs(variables.iter().copied()).output().unwrap();
        [&output.stdout, &output.stderr].into_iter().any(|stream| stream.contains(&0x1b))
    };
    assert!(!has_color(&["batch", "--once"], &[]), "a pipe has no color");
    assert!(has_color(&["batch", "--once", "--color", "always"], &[]));
    assert!(has_color(&["batch", "--once"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_color(&["batch", "--once", "--color=never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(has_color(&["--color", "always", "--help"], &[]));
    assert!(!has_color(&["--help"], &[("NO_COLOR", "1")]));
}

#[test]
fn a_file_name_cannot_write_to_the_terminal() {
    let program = Program::new();
    let output = program.run(&["config", "check", "--config", "\u{1b}[31mred\u{7}\u{202e}.toml"]);
    assert!(!output.stderr.iter().any(|byte| matches!(byte, 0x1b | 7)));
    assert!(!String::from_utf8_lossy(&output.stderr).contains('\u{202e}'));
}

/// The program in a folder with one of the sample logs, in which there are findings.
fn with_sample() -> Program {
    let program = Program::new();
    fs::create_dir(program.path("logs")).unwrap();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/logs/auth.jsonl");
    fs::copy(sample, program.path("logs/auth.jsonl")).unwrap();
    // How full this disk is is none of the tests' matter.
    fs::write(program.path("watchbell.toml"), "[batch]\nlow_disk_warn = 0\n").unwrap();
    program
}

#[test]
fn the_exit_code_tells_of_findings_and_of_problems() {
    let program = with_sample();
    let again = ["batch", "--once", "--fail-on", "low"];
    let output = program.run(&again);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(output.stderr.is_empty(), "{}", shown(&output));
    // The same log is not news any more.
    let output = program.run(&again);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 without anything new"), "{}", shown(&output));
    // Findings go before problems.
    fs::write(program.path("logs/broken.gz"), b"\x1f\x8b\x08\x00damaged").unwrap();
    assert_eq!(program.run(&again).status.code(), Some(4));
    let output = program.run(&["batch", "--once", "--fail-on", "low", "--output-dir", "other", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["files_failed"], 1);
    assert!(summary["total_findings"].as_u64() > Some(0));
}

#[test]
fn the_page_of_a_batch_holds_what_was_found() {
    let program = with_sample();
    let output = program.run(&["batch", "--once", "--html"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(fs::read_to_string(program.path("batch_outputs/report.html")).unwrap().contains("auth.jsonl"));
    let output = program.run(&["report", "batch_outputs", "--html", "page.html"]);
    assert_eq!(output.status.code(), Some(0), "{}", shown(&output));
    assert!(program.path("page.html").is_file());
}

#[test]
fn a_working_job_ends_between_blocks_and_keeps_nothing_half_done() {
    let program = Program::new();
    fs::create_dir(program.path("logs")).unwrap();
    let mut text = String::new();
    for number in 0..400_000 {
        let (minute, second, user) = (number / 60 % 60, number % 60, number % 97);
        let hour = number / 3600 % 24;
        text.push_str(&format!(
            "{{\"time\":\"2026-01-15T{hour:02}:{minute:02}:{second:02}Z\",\"user\":\"u{user}\",\"action\":\"login\"}}\n"
        ));
    }
    fs::write(program.path("logs/long.jsonl"), text).unwrap();
    let mut child = program.command(&["batch", "--once"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !program.path("batch_outputs/.watchbell/lock").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(150));
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(143));
    let names: Vec<_> =
        fs::read_dir(program.path("batch_outputs")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name.to_string_lossy().starts_with("long")), "{names:?}");
}

/// Starts a continuous job and waits until it has made its first round.
fn job(program: &Program) -> std::process::Child {
    let mut child = program
        .command(&["batch", "--json", "--interval", "3600"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(summary["results"][0]["source_file"], "logs/auth.json");
    child
}

fn signal(child: &std::process::Child, name: &str) {
    let status = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[test]
fn a_waiting_job_ends_at_once_when_it_is_told() {
    for (name, code) in [("-TERM", 0), ("-INT", 130)] {
        let program = Program::with_log();
        let mut child = job(&program);
        let began = std::time::Instant::now();
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(code), "{name}");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn two_jobs_on_one_output_directory_exclude_each_other() {
    let program = Program::with_log();
    let mut child = job(&program);
    let output = program.run(&["batch", "--once"]);
    let expected = format!("another watchbell (process {}) is at work in batch_outputs/", child.id());
    assert!(String::from_utf8_lossy(&output.stderr).contains(&expected), "{}", shown(&output));
    assert_eq!(output.status.code(), Some(4));
    assert_shown("input_busy", &output);
    // However the first one ends, the lock ends with it.
    child.kill().unwrap();
    child.wait().unwrap();
    let output = program.run(&["batch", "--once"]);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("another watchbell"), "{}", shown(&output));
}

#[test]
fn log_lines_are_json_when_asked_for() {
    let program = Program::new();
    let mut child = program
        .command(&["batch", "--log-format", "json", "--interval", "3600"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut line).unwrap();
    signal(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
    assert_eq!(event["level"], "ERROR");
    assert_eq!(event["message"], "the round failed; the job goes on");
    assert!(event["error"].as_str().unwrap().contains("logs/"), "{line}");
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn the_table_of_exit_codes_in_the_help_is_complete() {
    let program = Program::new();
    let help = String::from_utf8(program.run(&["batch", "--help"]).stdout).unwrap();
    for code in ["0", "1", "2", "3", "4", "130", "143"] {
        assert!(help.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
    }
    assert!(Path::new(env!("CARGO_BIN_EXE_watchbell")).is_file());
}
