//! The contract of parsing, over whole logs of every format: what is understood, and that nothing is lost unsaid.

use std::{io::Cursor, path::PathBuf};

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::source::{Input, Limits, SourceError};

fn options() -> ParseOptions {
    // 2025-04-01
    ParseOptions { reference_time: Some(1_743_465_600_000), ..ParseOptions::default() }
}

fn open(text: &[u8], options: &ParseOptions) -> Result<OpenLog, SourceError> {
    let input = Input::from_reader(PathBuf::from("x"), Box::new(Cursor::new(text.to_vec())), Limits::default())?;
    open_input(input, 0, 0, options)
}

/// All of a small log as one batch, and its format.
fn read_with(text: &[u8], options: &ParseOptions) -> (Format, EventBatch) {
    let log = open(text, options).unwrap();
    let mut parser = log.parser;
    let batches: Vec<EventBatch> = log.blocks.map(|block| parser.parse(block.unwrap())).collect();
    assert_eq!(batches.len(), 1);
    let batch = batches.into_iter().next().unwrap();
    let lost = batch.complaints.iter().filter(|complaint| complaint.reason.loses_record()).count();
    assert_eq!(batch.records, (batch.events.len() + lost) as u64, "every record is an event or a complaint");
    (log.format, batch)
}

fn read(text: &str) -> (Format, EventBatch) {
    read_with(text.as_bytes(), &options())
}

/// `user ip action outcome resource`, absent ones as `-`.
fn told(batch: &EventBatch, event: &Event) -> String {
    let text = |text: Text| if text.is_present() { batch.text(text).into_owned() } else { "-".to_owned() };
    let outcome = match event.outcome {
        Outcome::Unknown => "-",
        Outcome::Success => "success",
        Outcome::Failure => "failure",
    };
    let (user, ip, action, resource) = (event.user, event.source_ip, event.action, event.resource);
    format!("{} {} {} {outcome} {}", text(user), text(ip), text(action), text(resource))
}

/// What one syslog message is understood as.
fn message(program: &str, message: &str) -> String {
    let (format, batch) = read(&format!("Mar  3 12:00:00 web1 {program}: {message}\n"));
    assert_eq!(format, Format::Syslog);
    assert_eq!(batch.text(batch.events[0].host), "web1");
    assert_eq!(batch.events[0].time, 1_741_003_200_000);
    told(&batch, &batch.events[0])
}

#[test]
fn sshd_messages() {
    for (text, expected) in [
        ("Accepted password for alice from 192.0.2.1 port 51000 ssh2", "alice 192.0.2.1 ssh_login success -"),
        (
            "Accepted publickey for bob from 2001:db8::7 port 22 ssh2: ED25519 SHA256:x",
            "bob 2001:db8::7 ssh_login success -",
        ),
        ("Failed password for root from 192.0.2.1 port 51000 ssh2", "root 192.0.2.1 ssh_login failure -"),
        ("Failed password for invalid user admin from 192.0.2.1 port 1 ssh2", "admin 192.0.2.1 ssh_login failure -"),
        ("Failed password for invalid user  from 192.0.2.1 port 1 ssh2", "- 192.0.2.1 ssh_login failure -"),
        ("Failed none for invalid user a from b from 192.0.2.1 port 1 ssh2", "a from b 192.0.2.1 ssh_login failure -"),
        (
            "message repeated 2 times: [ Failed password for root from 192.0.2.9 port 1 ssh2]",
            "root 192.0.2.9 ssh_login failure -",
        ),
        ("Invalid user test from 192.0.2.1 port 1", "test 192.0.2.1 invalid_user failure -"),
        ("Invalid user  from 192.0.2.1", "- 192.0.2.1 invalid_user failure -"),
        ("input_userauth_request: invalid user test [preauth]", "test - invalid_user failure -"),
        (
            "error: maximum authentication attempts exceeded for invalid user pi from 192.0.2.1 port 1 ssh2 [preauth]",
            "pi 192.0.2.1 authentication failure -",
        ),
        ("Connection closed by 192.0.2.1 port 1 [preauth]", "- 192.0.2.1 disconnect - -"),
        (
            "Connection closed by authenticating user root 192.0.2.1 port 1 [preauth]",
            "root 192.0.2.1 disconnect failure -",
        ),
        ("Disconnected from user alice 192.0.2.1 port 1", "alice 192.0.2.1 disconnect - -"),
        ("Received disconnect from 192.0.2.1 port 1:11: Bye Bye [preauth]", "- 192.0.2.1 disconnect - -"),
        ("Connection from 192.0.2.1 port 1 on 10.0.0.1 port 22", "- 192.0.2.1 connect success -"),
        ("Did not receive identification string from 192.0.2.1", "- 192.0.2.1 connect failure -"),
        ("Bad protocol version identification 'GET / HTTP/1.1' from 192.0.2.1 port 1", "- 192.0.2.1 connect failure -"),
        (
            "User eve from 192.0.2.1 not allowed because not listed in AllowUsers",
            "eve 192.0.2.1 authentication failure -",
        ),
        (
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root",
            "root 192.0.2.1 authentication failure -",
        ),
        ("pam_unix(sshd:session): session opened for user alice by (uid=0)", "alice - session_open success -"),
        ("pam_unix(sshd:session): session opened for user bob(uid=1000) by bob(uid=0)", "bob - session_open success -"),
        ("pam_unix(sshd:session): session closed for user alice", "alice - session_close success -"),
        (
            "PAM 2 more authentication failures; logname= uid=0 rhost=192.0.2.1  user=root",
            "root 192.0.2.1 authentication failure -",
        ),
        ("some words that nobody knows", "- - - - -"),
    ] {
        assert_eq!(message("sshd[42]", text), expected, "{text}");
    }
}

#[test]
fn messages_of_other_daemons() {
    for (program, text, expected) in [
        (
            "sudo",
            "   alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/cat /etc/shadow",
            "alice - sudo success /bin/cat /etc/shadow",
        ),
        (
            "sudo",
            "bob : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/su",
            "bob - sudo failure /bin/su",
        ),
        (
            "sudo",
            "bob : 3 incorrect password attempts ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
            "bob - sudo failure /bin/ls",
        ),
        (
            "sudo",
            "pam_unix(sudo:session): session opened for user root by alice(uid=0)",
            "alice - session_open success root",
        ),
        ("su[7]", "Successful su for root by alice", "alice - su success root"),
        ("su[7]", "FAILED SU (to root) alice on pts/0", "alice - su failure root"),
        ("su[7]", "- /dev/pts/1 alice:root", "alice - su failure root"),
        ("systemd-logind[1]", "New session 3 of user alice.", "alice - session_open success -"),
        ("systemd-logind[1]", "Removed session 3.", "- - logout success -"),
        (
            "systemd[1]",
            "Started Daily apt download activities.",
            "- - service_start success Daily apt download activities",
        ),
        ("CRON[9]", "(root) CMD (run-parts /etc/cron.hourly)", "root - cron_run success run-parts /etc/cron.hourly"),
        ("crontab[9]", "(eve) REPLACE (eve)", "eve - cron_edit success eve"),
        (
            "useradd[9]",
            "new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/bash",
            "- - user_add success eve",
        ),
        ("useradd[9]", "failed adding user 'eve', data deleted", "- - user_add failure eve"),
        ("usermod[9]", "add 'eve' to group 'sudo'", "- - group_member_add success eve"),
        ("userdel[9]", "delete user 'eve'", "- - user_delete success eve"),
        ("groupadd[9]", "new group: name=ops, GID=1001", "- - group_add success ops"),
        ("passwd[9]", "pam_unix(passwd:chauthtok): password changed for eve", "- - password_change success eve"),
        (
            "kernel",
            "[12.3] [UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1 DST=10.0.0.1 PROTO=TCP SPT=1 DPT=22",
            "- 192.0.2.1 connect failure 10.0.0.1:22",
        ),
    ] {
        assert_eq!(message(program, text), expected, "{text}");
    }
}

#[test]
fn syslog_of_every_kind() {
    let text = "<34>1 2025-03-03T12:00:00.123Z web1 sshd 42 ID1 - Accepted password for alice from 192.0.2.1 port 1 ssh2\n\
        <34>1 2025-03-03T12:00:00Z web1 app - - [meta@1 user=\"carol\" note=\"a ] b\"][x@2 k=\"v\"] \u{feff}hello\n\
        <34>Mar  3 12:00:00 web1 sshd[42]: Failed password for root from 192.0.2.1 port 1 ssh2\n\
        2025-03-03T13:00:00.000000+01:00 web1 sudo: bob : TTY=x ; PWD=/ ; USER=root ; COMMAND=/bin/ls\n\
        Mar  3 12:00:00 web1 app[1]: {\"user\":\"dave\",\"action\":\"delete\",\"source_ip\":\"192.0.2.5\"}\n\
        Mar  3 12:00:00 web1 app: user=erin action=upload source_ip=192.0.2.6 bytes=12\n\
        Mar 13 2025 12:00:00 fw1 : %ASA-6-1: words\n\
        Mar  3 12:00:00 fw1 CEF:0|Vendor|Product|1|100|blocked request|5|src=192.0.2.8 suser=frank smith act=deny\n\
        garbage that is no syslog\n";
    let (format, batch) = read(text);
    assert_eq!(format, Format::Syslog);
    assert_eq!(batch.events.len(), 8, "{:?}", batch.complaints);
    let lines: Vec<String> = batch.events.iter().map(|event| told(&batch, event)).collect();
    assert_eq!(lines[0], "alice 192.0.2.1 ssh_login success -");
    assert_eq!(lines[2], "root 192.0.2.1 ssh_login failure -");
    assert_eq!(lines[3], "bob - sudo success /bin/ls");
    assert!(lines[4].starts_with("dave 192.0.2.5 delete"), "{}", lines[4]);
    assert!(lines[5].starts_with("erin 192.0.2.6 upload"), "{}", lines[5]);
    assert!(lines[7].contains("192.0.2.8"), "{}", lines[7]);
    assert_eq!(batch.events[0].time, 1_741_003_200_123);
    assert_eq!(batch.events[3].time, 1_741_003_200_000);
    assert_eq!(batch.text(batch.events[2].process), "sshd");
    assert_eq!(batch.text(batch.events[6].host), "fw1");
    let lost = batch.complaints.iter().find(|complaint| complaint.reason == ComplaintReason::Malformed).unwrap();
    assert_eq!(lost.line, 8);
}

#[test]
fn access_logs() {
    let text = "192.0.2.1 - alice [03/Mar/2025:12:00:00 +0000] \"GET /a?b=c HTTP/1.1\" 200 512 \"https://x/\" \"Agent \\\"1\\\"\"\n\
        192.0.2.2 - - [03/Mar/2025:13:00:00 +0100] \"POST /login HTTP/1.1\" 401 -\n\
        shop.example:443 192.0.2.3 - - [03/Mar/2025:12:00:00 +0000] \"\\x16\\x03\\x01\" 400 0 \"-\" \"-\"\n\
        192.0.2.4 - - [03/Mar/2025:12:00:00 +0000] \"GET / HTTP/1.1\" broken\n";
    let (format, batch) = read(text);
    assert_eq!(format, Format::Access);
    let lines: Vec<String> = batch.events.iter().map(|event| told(&batch, event)).collect();
    assert_eq!(lines[0], "alice 192.0.2.1 GET success /a?b=c");
    assert_eq!(lines[1], "- 192.0.2.2 POST failure /login");
    assert_eq!(lines[2], "- 192.0.2.3 - failure \\x16\\x03\\x01");
    assert!(batch.events.iter().all(|event| event.time == 1_741_003_200_000));
    assert_eq!((batch.events[0].bytes, batch.events[1].bytes), (Some(512), None));
    assert_eq!(batch.text(batch.events[0].user_agent), "Agent \\\"1\\\"");
    assert_eq!(batch.text(batch.events[2].host), "shop.example");
    assert_eq!(batch.complaints.iter().filter(|complaint| complaint.reason.loses_record()).count(), 1);
}

#[test]
fn tables() {
    for (delimiter, name) in [(",", "comma"), (";", "semicolon"), ("|", "pipe"), ("\t", "tsv")] {
        let text = "timestamp,user,source_ip,action,status\n2025-03-03T12:00:00Z,alice,192.0.2.1,login,failure\n\
            2025-03-03T12:00:01Z,\"b\"\"ob\",192.0.2.2,read,success\n2025-03-03T12:00:02Z,ragged\n\
            timestamp,user,source_ip,action,status\n2025-03-03T12:00:03Z,,192.0.2.3,read,success,more\n"
            .replace(',', delimiter);
        let log = open(text.as_bytes(), &options()).unwrap();
        assert!(log.dialect.contains(name), "{}", log.dialect);
        let (_, batch) = read(&text);
        let lines: Vec<String> = batch.events.iter().map(|event| told(&batch, event)).collect();
        assert_eq!(lines, ["alice 192.0.2.1 login failure -", "b\"ob 192.0.2.2 read success -"], "{name}");
        let lost: Vec<u64> =
            batch.complaints.iter().map(|complaint| batch.first_line + u64::from(complaint.line)).collect();
        assert_eq!(lost, [4, 6], "{:?}", batch.complaints);
    }
}

#[test]
fn names_of_columns_may_hold_spaces() {
    let text = "Event Time,Event Name,Source IP,User Name,Request User Agent\n2025-03-03T12:00:00Z,read,192.0.2.1,alice,\"a, b\"\n";
    assert!(open(text.as_bytes(), &options()).unwrap().dialect.contains("5 columns, comma"));
    let text =
        "version account-id srcaddr dstaddr action\n2 123 192.0.2.1 10.0.0.1 ACCEPT\n2 123 192.0.2.2 10.0.0.1 REJECT\n";
    assert!(open(text.as_bytes(), &options()).unwrap().dialect.contains("5 columns, space"));
}

#[test]
fn a_table_needs_names() {
    let text = "2025-03-03T12:00:00Z,alice,192.0.2.1,login\n2025-03-03T12:00:01Z,bob,192.0.2.2,login\n";
    let error = open(text.as_bytes(), &options()).unwrap_err().to_string();
    assert!(error.contains("line 1 is not a header") && error.contains("2025-03-03T12:00:00Z,alice"), "{error}");
    let asked = ParseOptions { format: Some(Format::Csv), ..options() };
    assert!(matches!(open(b"1,2\n3,4\n", &asked), Err(SourceError::NoHeader { .. })));
}

#[test]
fn zeek_and_w3c() {
    let text = "#separator \\x09\n#set_separator\t,\n#fields\tts\tuid\tid.orig_h\tid.resp_h\tproto\n\
        #types\ttime\tstring\taddr\taddr\tenum\n1741003200.5\tC1\t192.0.2.1\t10.0.0.1\ttcp\n1741003201.0\tC2\t-\t10.0.0.1\tudp\n#close\t2025\n";
    let (format, batch) = read(text);
    assert_eq!((format, batch.events.len(), batch.records), (Format::Zeek, 2, 2));
    assert_eq!(batch.events[0].time, 1_741_003_200_500);
    assert_eq!(batch.text(batch.events[0].source_ip), "192.0.2.1");
    assert!(!batch.events[1].source_ip.is_present());
    let text = "#Software: Microsoft Internet Information Services 10.0\r\n#Fields: date time c-ip cs-username cs-method cs-uri-stem sc-status\r\n\
        2025-03-03 12:00:00 192.0.2.1 - GET /index.htm 200\r\n";
    let (format, batch) = read(text);
    assert_eq!((format, batch.events.len()), (Format::Zeek, 1));
    assert_eq!(batch.events[0].time, 1_741_003_200_000);
}

#[test]
fn logfmt_audit_and_text() {
    let (format, batch) = read(
        "time=2025-03-03T12:00:00Z level=info user=alice action=login source_ip=192.0.2.1 msg=\"a \\\"b\\\" c\"\nat=2 by=bob\nnothing here\n",
    );
    assert_eq!((format, batch.events.len(), batch.records), (Format::Logfmt, 2, 3));
    assert!(told(&batch, &batch.events[0]).starts_with("alice 192.0.2.1 login"));
    let text = "type=USER_LOGIN msg=audit(1741003200.123:7): pid=1 uid=0 auid=4294967295 ses=1 msg='op=login acct=\"root\" exe=\"/usr/sbin/sshd\" hostname=? addr=192.0.2.1 terminal=ssh res=failed'\n\
        type=EXECVE msg=audit(1741003200.123:8): argc=2 a0=\"cat\" a1=\"/etc/shadow\"\n\
        type=SYSCALL msg=audit(1741003200.123:9): arch=c000003e syscall=59 success=yes a0=1 a1=2 auid=1000 uid=0 comm=\"cat\" exe=\"/bin/cat\"\n";
    let (format, batch) = read(text);
    assert_eq!(format, Format::Logfmt);
    let lines: Vec<String> = batch.events.iter().map(|event| told(&batch, event)).collect();
    assert_eq!(lines[0], "root 192.0.2.1 login failure -");
    assert_eq!(lines[1], "- - execute - cat /etc/shadow");
    assert_eq!(lines[2], "1000 - syscall success -");
    assert_eq!(batch.text(batch.events[2].process), "/bin/cat");
    assert!(batch.events.iter().all(|event| event.time == 1_741_003_200_123));
    let (format, batch) = read(
        "2025-03-03 12:00:00,123 INFO worker started\n[Mon Mar 03 12:00:00.000123 2025] [error] no such file\nno time here\n",
    );
    assert_eq!((format, batch.events.len()), (Format::Text, 3));
    assert_eq!(batch.events[0].time, 1_741_003_200_123);
    assert_eq!(batch.events[1].time, 1_741_003_200_000);
    assert_eq!(batch.events[2].time, NO_TIME);
    assert!(batch.events.iter().all(|event| event.template != 0));
}

#[test]
fn json_of_every_layout() {
    let (a, b) = (
        r#"{"timestamp":"2025-03-03T12:00:00Z","user":"alice","action":"login"}"#,
        r#"{"timestamp":"2025-03-03T12:00:01Z","user":"bob","action":"login"}"#,
    );
    for (text, format) in [
        (format!("{a}\n{b}\n"), Format::JsonLines),
        (format!("{a}\n{b}"), Format::JsonLines),
        (format!("banner\n{a}\n{b}\n{b}\n"), Format::JsonLines),
        (format!("[{a},{b}]"), Format::Json),
        (format!("{{\"Records\":[{a},{b}]}}"), Format::Json),
        (format!("{{\"Records\":[\n{a},\n{b}\n]}}\n"), Format::Json),
        (format!("{a}{b}"), Format::Json),
        (a.replace(',', ",\n ") + "\n" + &b.replace(',', ",\n "), Format::Json),
    ] {
        let (found, batch) = read(&text);
        assert_eq!(found, format, "{text}");
        let users: Vec<_> = batch.events.iter().take(2).map(|event| batch.text(event.user).into_owned()).collect();
        assert_eq!(users, ["alice", "bob"], "{text}");
    }
    let (format, batch) = read("{\"user\":\"alice\",\"events\":[{\"a\":1}]}\n{\"user\":\"bob\",\"events\":[]}\n");
    assert_eq!((format, batch.events.len()), (Format::JsonLines, 2));
    // A record that holds an array under such a key is a record.
    let (format, batch) = read("{\"timestamp\":\"2025-03-03T12:00:00Z\",\"user\":\"alice\",\"events\":[{\"a\":1}]}\n");
    assert_eq!((format, batch.events.len()), (Format::JsonLines, 1));
}

#[test]
fn broken_json_is_counted_with_its_reason() {
    let good = "{\"timestamp\":\"2025-03-03T12:00:00Z\",\"user\":\"alice\"}\n";
    let long = format!("{{\"user\":\"{}\"}}\n", "x".repeat(2_000_000));
    let deep = format!("{}{}\n", "{\"a\":".repeat(100), "1".to_owned() + &"}".repeat(100));
    let text = format!("{good}{{\"user\":\n{good}{long}{good}{deep}{good}[1]\n{good}{{\"user\":\"al");
    let log = open(text.as_bytes(), &options()).unwrap();
    let (mut parser, mut events, mut lost) = (log.parser, 0, Vec::new());
    for block in log.blocks {
        let batch = parser.parse(block.unwrap());
        events += batch.events.len();
        let losing = batch.complaints.iter().filter(|complaint| complaint.reason.loses_record());
        lost.extend(losing.map(|complaint| (batch.first_line + u64::from(complaint.line), complaint.reason)));
    }
    assert_eq!(events, 5);
    let expected = [
        (2, ComplaintReason::Malformed),
        (4, ComplaintReason::TooLong),
        (6, ComplaintReason::TooDeep),
        (8, ComplaintReason::Malformed),
        (10, ComplaintReason::Truncated),
    ];
    assert_eq!(lost, expected);
}

#[test]
fn unsound_letters_are_read_and_told() {
    let mut text =
        b"Mar  3 12:00:00 web1 sshd[1]: Accepted password for al\xFFice from 192.0.2.1 port 1 ssh2\n".to_vec();
    text.extend(b"Mar  3 12:00:00 web1 sshd[1]: Accepted password for b\0ob from 192.0.2.1 port 1 ssh2\n");
    let (_, batch) = read_with(&text, &options());
    let users: Vec<_> = batch.events.iter().map(|event| batch.text(event.user).into_owned()).collect();
    assert_eq!(users, ["al\u{fffd}ice", "bob"]);
    let reasons: Vec<_> = batch.complaints.iter().map(|complaint| complaint.reason).collect();
    assert_eq!(reasons, [ComplaintReason::Encoding, ComplaintReason::Nul]);
}

#[test]
fn what_is_no_log_is_refused() {
    let error = open(&[0, 1, 2, 0, 0, 0, 7].repeat(100), &options()).unwrap_err();
    assert!(matches!(error, SourceError::Binary { .. }), "{error}");
    assert!(open(b"", &options()).unwrap().blocks.next().is_none());
}

#[test]
fn holes_and_marks_before_the_log() {
    let text = [&[0; 100_000][..], b"{\"user\":\"alice\"}\n{\"user\":\"bob\"}\n"].concat();
    let (format, batch) = read_with(&text, &options());
    assert_eq!((format, batch.events.len()), (Format::JsonLines, 2));
    let (format, batch) = read("\u{feff}user,action\nalice,login\n");
    assert_eq!((format, batch.events.len()), (Format::Csv, 1));
    let utf16: Vec<u8> = "\u{feff}user,action\r\nzoë,login\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (_, batch) = read_with(&utf16, &options());
    assert_eq!(batch.text(batch.events[0].user), "zoë");
}

#[test]
fn zoneless_times_take_the_option() {
    let zoned = ParseOptions { time_zone: TimeZone::fixed(jiff::tz::offset(1)), ..options() };
    let (_, batch) = read_with(b"Mar  3 12:00:00 web1 sshd[1]: words and words\n", &zoned);
    assert_eq!(batch.events[0].time, 1_741_003_200_000 - 3_600_000);
}

#[test]
fn the_worker_does_not_matter() {
    let text: String = (0..40_000).map(|number| format!("#{number},\"a\nb\",{}\n", number % 7)).collect();
    let text = format!("id,user,bytes\n{text}");
    let log = open(text.as_bytes(), &options()).unwrap();
    let blocks: Vec<Block> = log.blocks.map(Result::unwrap).collect();
    let (mut one, mut other) = (log.parser.clone(), log.parser);
    other.parse(blocks[0].clone());
    for block in blocks.into_iter().rev() {
        let (a, b) = (one.parse(block.clone()), other.parse(block));
        assert_eq!(format!("{:?}", a.events), format!("{:?}", b.events));
        assert_eq!((a.arena, a.complaints), (b.arena, b.complaints));
    }
}

/// Lines of every format, whole and in pieces, joined by what separates or breaks them.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    const LINES: [&str; 14] = [
        "{\"user\":\"alice\",\"a\":[{\"b\":1}]}",
        "{\"Records\":[{\"user\":\"bob\"},{\"user\":",
        "time,user,\"source\"\"ip\"",
        "2025-03-03,\"al\nice\",192.0.2.1",
        "#fields\tts\tuser",
        "1741003200.1\t-",
        "<34>1 2025-03-03T12:00:00Z h sshd 1 - [a@1 b=\"c\\\"]\"] Failed password for root from 192.0.2.1 port 1",
        "Mar  3 12:00:00 h sudo: bob : TTY=x ; USER=root ; COMMAND=/bin/ls",
        "Mar  3 12:00:00 h CRON[1]: (root) CMD (x)",
        "Mar  3 12:00:00 h CEF:0|a|b|c|d|e|f|src=1 a\\=b=c d",
        "192.0.2.1 - - [03/Mar/2025:12:00:00 +0000] \"GET /\\\" HTTP/1.1\" 200 1",
        "type=EXECVE msg=audit(1741003200.1:1): a0=\"cat\" res=success",
        "a=b c=\"d \\\" e\" =f g=",
        "[Mon Mar 03 12:00:00 2025] words, 'quoted' and \"open",
    ];
    let line = (0..LINES.len(), 0..120_usize, any::<bool>()).prop_map(|(line, cut, whole)| {
        let line = LINES[line].as_bytes();
        if whole { line.to_vec() } else { line[..cut.min(line.len())].to_vec() }
    });
    let joint = proptest::sample::select(vec![&b"\n"[..], b"\n", b"\r\n", b",", b"", b"\0", b"\xFF\xC3", b"\xC3\xA9 "]);
    proptest::collection::vec((line, joint), 1..8)
        .prop_map(|parts| parts.into_iter().flat_map(|(line, joint)| [line, joint.to_vec()].concat()).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_bytes_in_any_format_are_accounted_for(
        log in pieces(),
        format in proptest::option::of(proptest::sample::select(Format::ALL.to_vec())),
        max in 64..400_usize,
    ) {
        let options = ParseOptions { format, max_record_bytes: max, ..options() };
        let Ok(log) = open(&log, &options) else { return Ok(()) };
        let mut parser = log.parser;
        for block in log.blocks {
            let batch = parser.parse(block.unwrap());
            let lost = batch.complaints.iter().filter(|complaint| complaint.reason.loses_record()).count();
            prop_assert_eq!(batch.records, (batch.events.len() + lost) as u64);
            for event in &batch.events {
                prop_assert_eq!(batch.record(event).len(), event.record_len as usize);
            }
        }
    }
}

#[test]
fn names_of_formats() {
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>(), Ok(format));
    }
    assert!("xml".parse::<Format>().unwrap_err().to_string().contains("expected json-lines, json, csv"));
}
