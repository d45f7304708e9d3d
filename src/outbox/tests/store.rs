//! What the store promises: accepted is on disk, once; what does not fit is refused; what is damaged is told.

use std::{fs, sync::Arc};

use tempfile::tempdir;
use watchbell_sink::{Finding, Severity, ThreatType};

use super::{
    super::*, HOUR, Scripted, findings, open, place, routes, scripted::delivered, settle_within, start, status_of,
};

#[test]
fn a_finding_is_accepted_once_for_each_sink_that_takes_it() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let mut findings = findings(3);
    findings[0].severity = Severity::Low;
    findings[1].severity = Severity::High;
    findings[2].severity = Severity::Critical;
    findings[2].threat_type = ThreatType::Beaconing;
    let routes = [
        Route { min_severity: Severity::High, ..Route::all("soc") },
        Route { min_severity: Severity::High, threats: vec![ThreatType::Beaconing], ..Route::all("chat") },
    ];
    let accepted = outbox.accept(&findings, &routes).unwrap();
    assert_eq!(accepted, Accepted { new: 2, known: 0, unrouted: 1, deliveries: 3 });
    let again = outbox.accept(&findings, &routes).unwrap();
    assert_eq!(again, Accepted { new: 0, known: 2, unrouted: 1, deliveries: 0 });
    assert_eq!(status_of(&outbox, "soc").pending, Pending { ready: 2, ..Pending::default() });
    assert_eq!(status_of(&outbox, "chat").accepted, 1);
    drop(outbox);
    let outbox = open(folder.path());
    assert_eq!(status_of(&outbox, "soc").accepted, 2, "a restart finds everything");
}

#[tokio::test(start_paused = true)]
async fn a_delivered_finding_is_known_and_goes_to_a_new_sink_all_the_same() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let sink = Scripted::willing();
    outbox.accept(&findings(2), &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    assert!(outbox.show(&findings(1)[0].id).unwrap().unwrap().finding.is_none(), "its body is gone");
    assert_eq!(outbox.accept(&findings(2), &routes(&["soc"])).unwrap().deliveries, 0);
    assert_eq!(outbox.accept(&findings(2), &routes(&["soc", "chat"])).unwrap().deliveries, 2);
    assert_eq!(outbox.show(&findings(1)[0].id).unwrap().unwrap().finding, Some(findings(1)[0].clone()));
    assert_eq!(outbox.forget(HOUR).unwrap(), 0);
    tokio::time::advance(HOUR * 2).await;
    assert_eq!(outbox.forget(HOUR).unwrap(), 2);
    assert_eq!(outbox.accept(&findings(2), &routes(&["soc"])).unwrap().deliveries, 2, "forgotten is new");
    assert_eq!(status_of(&outbox, "chat").pending.total(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_finding_that_got_more_severe_is_given_out_again_under_another_key() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let as_severe = |severity| Finding { severity, ..findings(1)[0].clone() };
    let accept = |severity| outbox.accept(&[as_severe(severity)], &routes(&["soc"])).unwrap();
    let sink = Scripted::willing();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    accept(Severity::Medium);
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(accept(Severity::Low), Accepted { known: 1, ..Accepted::default() });
    assert_eq!(accept(Severity::Critical), Accepted { new: 1, deliveries: 1, ..Accepted::default() });
    assert!(settle_within(&crew, HOUR).await);
    assert_eq!(accept(Severity::High).known, 1);
    let id = &findings(1)[0].id;
    let calls = sink.calls();
    let keys: Vec<&String> = calls.iter().flat_map(|call| &call.keys).collect();
    assert_eq!(keys, [&format!("{id}-soc"), &format!("{id}~critical-soc")]);
    let sent: Finding = serde_json::from_slice(&calls[1].payloads[0]).unwrap();
    assert_eq!(sent.severity, Severity::Critical);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.accepted, status.delivered), (2, 2));
    assert_eq!(outbox.show(id).unwrap().unwrap().deliveries[0].severity, Some(Severity::Critical));
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_milder_version_on_its_way_settles_nothing_of_the_severe_one() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let as_severe = |severity| Finding { severity, ..findings(1)[0].clone() };
    let again = outbox.clone();
    let sink = Arc::new(Scripted::new(move |call| {
        if call.number == 0 {
            let accepted = again.accept(&[as_severe(Severity::High)], &routes(&["soc"])).unwrap();
            assert_eq!((accepted.new, accepted.deliveries), (1, 1));
        }
        delivered()
    }));
    outbox.accept(&[as_severe(Severity::Low)], &routes(&["soc"])).unwrap();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let sent = sink.calls().into_iter().flat_map(|call| call.payloads);
    let severities: Vec<Severity> =
        sent.map(|payload| serde_json::from_slice::<Finding>(&payload).unwrap().severity).collect();
    assert_eq!(severities, [Severity::Low, Severity::High]);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.accepted, status.delivered), (1, 1), "one took the other's place");
}

#[test]
fn a_graver_version_for_one_sink_is_no_milder_one_for_another() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let as_severe = |severity| Finding { severity, ..findings(1)[0].clone() };
    outbox.accept(&[as_severe(Severity::Low)], &routes(&["soc", "chat"])).unwrap();
    outbox.accept(&[as_severe(Severity::Critical)], &routes(&["soc"])).unwrap();
    outbox.accept(&[as_severe(Severity::Medium)], &routes(&["soc", "chat"])).unwrap();
    let shown = outbox.show(&findings(1)[0].id).unwrap().unwrap();
    assert_eq!(shown.finding.unwrap().severity, Severity::Critical);
    let given: Vec<_> = shown.deliveries.iter().map(|delivery| delivery.severity).collect();
    assert_eq!(given, [Some(Severity::Medium), Some(Severity::Critical)]);
    assert_eq!((status_of(&outbox, "soc").accepted, status_of(&outbox, "chat").accepted), (1, 1));
}

#[test]
fn an_outbox_of_the_first_format_is_looked_at_and_taken_over() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    outbox.accept(&findings(1), &routes(&["soc"])).unwrap();
    drop(outbox);
    let path = place(folder.path()).folder.join("outbox.db");
    let first = "ALTER TABLE finding DROP COLUMN severity; ALTER TABLE delivery DROP COLUMN severity;
                 ALTER TABLE delivery DROP COLUMN risen; PRAGMA user_version = 1;";
    rusqlite::Connection::open(&path).unwrap().execute_batch(first).unwrap();
    let id = &findings(1)[0].id;
    let looking = Outbox::read_only(&place(folder.path())).unwrap();
    assert_eq!(looking.show(id).unwrap().unwrap().deliveries[0].severity, None);
    drop(looking);
    let outbox = open(folder.path());
    assert_eq!(status_of(&outbox, "soc").pending.ready, 1);
    let worse = Finding { severity: Severity::Critical, ..findings(1)[0].clone() };
    let accepted = outbox.accept(&[worse], &routes(&["soc", "chat"])).unwrap();
    assert_eq!(accepted.deliveries, 1, "what was given before is not known to be milder");
}

#[test]
fn a_second_process_is_refused_and_may_look() {
    let folder = tempdir().unwrap();
    let place = place(folder.path());
    assert!(matches!(Outbox::read_only(&place), Err(OutboxError::Absent { .. })));
    let outbox = open(folder.path());
    outbox.accept(&findings(2), &routes(&["soc"])).unwrap();
    let error = Outbox::open(&place).unwrap_err().to_string();
    assert!(error.contains(&format!("(process {})", std::process::id())), "{error}");
    assert!(error.contains(&place.folder.display().to_string()), "{error}");
    let looking = Outbox::read_only(&place).unwrap();
    assert_eq!(status_of(&looking, "soc").pending.ready, 2);
    assert!(matches!(looking.accept(&findings(3), &routes(&["soc"])), Err(OutboxError::ReadOnly)));
    drop(outbox);
    let looking = Outbox::read_only(&place).unwrap();
    assert_eq!(status_of(&looking, "soc").pending.ready, 2, "also when nobody delivers");
    Outbox::open(&place).unwrap();
}

#[test]
fn at_its_limit_the_outbox_refuses_and_keeps_what_it_has() {
    let folder = tempdir().unwrap();
    let place = Place { max_bytes: 300_000, ..place(folder.path()) };
    let outbox = Outbox::open(&place).unwrap();
    outbox.accept(&findings(20), &routes(&["soc"])).unwrap();
    let error = outbox.accept(&findings(2000), &routes(&["soc"])).unwrap_err();
    assert!(error.is_full() && error.to_string().contains("300000"), "{error}");
    let status = status_of(&outbox, "soc");
    assert_eq!((status.accepted, status.pending.ready), (20, 20), "nothing of the refused is there");
    assert_eq!(outbox.accept(&findings(20), &routes(&["soc"])).unwrap().known, 20);
    outbox.accept(&findings(22), &routes(&["soc"])).unwrap();
}

#[test]
fn a_full_disk_is_told_and_nothing_is_half_taken() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    outbox.accept(&findings(5), &routes(&["soc"])).unwrap();
    let limit = |pages: i64| {
        let limit = move |connection: &rusqlite::Connection| {
            connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
                .map_err(OutboxError::database("limit"))
        };
        outbox.inner.write(super::super::writer::Durability::Process, limit).unwrap();
    };
    limit(1);
    let error = outbox.accept(&findings(2000), &routes(&["soc"])).unwrap_err();
    assert!(matches!(error, OutboxError::DiskFull { .. }), "{error}");
    assert_eq!(status_of(&outbox, "soc").accepted, 5);
    limit(1 << 20);
    assert_eq!(outbox.accept(&findings(2000), &routes(&["soc"])).unwrap().new, 1995);
    assert_eq!(status_of(&outbox, "soc").accepted, 2000);
}

#[test]
fn a_damaged_database_is_set_aside_and_told() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    outbox.accept(&findings(200), &routes(&["soc"])).unwrap();
    drop(outbox);
    let path = place(folder.path()).folder.join("outbox.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..40960].fill(0xa5);
    fs::write(&path, &bytes).unwrap();
    let outbox = open(folder.path());
    let status = outbox.status().unwrap();
    assert!(status.sinks.is_empty());
    let [kept] = &status.quarantined[..] else { panic!("{status:?}") };
    assert_eq!(fs::read(kept).unwrap(), bytes);
    outbox.accept(&findings(1), &routes(&["soc"])).unwrap();
    drop(outbox);
    fs::write(&path, b"this is not a database, whoever wrote it").unwrap();
    assert_eq!(open(folder.path()).status().unwrap().quarantined.len(), 2);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let folder = tempdir().unwrap();
    drop(open(folder.path()));
    let path = place(folder.path()).folder.join("outbox.db");
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = Outbox::open(&place(folder.path())).unwrap_err().to_string();
    assert!(error.contains("format 99"), "{error}");
    assert!(Outbox::read_only(&place(folder.path())).is_err());
    assert!(fs::exists(path).unwrap());
}

#[tokio::test(start_paused = true)]
async fn one_damaged_row_costs_one_finding() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    outbox.accept(&findings(10), &routes(&["soc"])).unwrap();
    drop(outbox);
    let path = place(folder.path()).folder.join("outbox.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    let flipped = database
        .execute("UPDATE finding SET body = CAST(replace(CAST(body AS TEXT), 'a', 'b') AS BLOB) WHERE number = 4", []);
    assert_eq!(flipped.unwrap(), 1);
    drop(database);
    let outbox = open(folder.path());
    let sink = Scripted::willing();
    let crew = start(&outbox, &[("soc", &sink)]).await;
    assert!(settle_within(&crew, HOUR).await);
    let status = status_of(&outbox, "soc");
    assert_eq!((status.delivered, status.dead), (9, 1));
    let letters = outbox.dead(&Letters::default()).unwrap();
    assert_eq!((letters[0].kind.as_str(), &letters[0].finding), ("damaged", &findings(4)[3].id));
    let mut exported = Vec::new();
    assert_eq!(outbox.export(&mut exported).unwrap(), 1);
    assert!(String::from_utf8(exported).unwrap().contains("does not match its checksum"));
}

#[test]
fn a_sink_finds_its_memory_again() {
    let folder = tempdir().unwrap();
    let outbox = open(folder.path());
    let memory = outbox.memory("chat");
    memory.keep("thread", "1");
    memory.keep("thread", "2");
    outbox.memory("other").keep("thread", "3");
    drop((outbox, memory));
    let outbox = open(folder.path());
    assert_eq!(outbox.memory("chat").recall("thread").as_deref(), Some("2"));
    assert_eq!(outbox.memory("chat").recall("nothing"), None);
    for key in 0..11_000 {
        outbox.memory("chat").keep(&key.to_string(), "value");
    }
    let count =
        |connection: &rusqlite::Connection| connection.query_row("SELECT count(*) FROM memory", [], |row| row.get(0));
    let count: i64 = outbox.inner.read("count", count).unwrap();
    assert!((10_000..10_300).contains(&count), "{count} are kept");
    assert_eq!(outbox.memory("chat").recall("10999").as_deref(), Some("value"));
}
