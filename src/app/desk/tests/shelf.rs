//! Findings at hand: those of the batch and those of analyses, each once, read again when they changed.

use super::*;
use crate::{
    app::{FindingQuery, Suppressed, kept::Bounds, list_findings},
    sink::testkit::findings::samples,
};

fn everything() -> FindingQuery {
    FindingQuery { suppressed: Suppressed::Shown, limit: 100, ..FindingQuery::default() }
}

fn reports(desk: &Desk) -> Arc<[Arc<FileReport>]> {
    Arc::clone(&desk.shelf.view().unwrap().reports)
}

#[test]
fn the_same_reports_are_the_same_snapshot_and_changed_ones_another() {
    let (folder, desk) = desk();
    assert_eq!(desk.findings(&everything()).unwrap().total, 0);
    put(&folder, "a.log", samples(3, 1));
    until("the first report is seen", || reports(&desk).len() == 1);
    let first = reports(&desk);
    desk.shelf.look_again();
    assert!(Arc::ptr_eq(&first, &reports(&desk)));
    put(&folder, "b.log", samples(4, 2));
    desk.shelf.look_again();
    let second = reports(&desk);
    assert_eq!(second.iter().map(|report| report.source_file.as_str()).collect::<Vec<_>>(), ["a.log", "b.log"]);
    assert!(Arc::ptr_eq(&first[0], &second[0]), "what has not changed is not read again");
    fs::remove_file(folder.path().join("out/a.log_20260101T000000Z.json")).unwrap();
    desk.shelf.look_again();
    assert_eq!(reports(&desk).len(), 1);
    fs::write(folder.path().join("out/c_20260101T000000Z.json"), "{\"source_file\":").unwrap();
    desk.shelf.look_again();
    let page = desk.findings(&everything()).unwrap();
    assert!(page.problems[0].contains("ends in the middle"), "{:?}", page.problems);
    assert_eq!(page.total, reports(&desk)[0].findings.len());
}

#[test]
fn what_an_analysis_found_is_at_hand_here_later_and_for_the_command_line() {
    let (folder, desk) = desk();
    let first = desk.analyze(text("request", attack(1)), watch()).unwrap();
    assert!(!first.findings.is_empty());
    let kept = folder.path().join("out/analyses.jsonl");
    let size = fs::metadata(&kept).unwrap().len();
    for _ in 0..5 {
        desk.analyze(text("request", attack(1)), watch()).unwrap();
    }
    assert_eq!(fs::metadata(&kept).unwrap().len(), size, "the same request adds nothing");
    let only_told = AnalyzeRequest { hand_over: false, ..text("request", attack(2)) };
    desk.analyze(only_told, watch()).unwrap();
    assert_eq!(fs::metadata(&kept).unwrap().len(), size, "what is only told is not kept");
    let ids = |page: crate::app::FindingPage| -> Vec<String> {
        page.findings.into_iter().map(|judged| judged.finding.id).collect()
    };
    let here = ids(desk.findings(&everything()).unwrap());
    assert_eq!(here.len(), first.findings.len());
    assert_eq!(ids(list_findings(desk.plan(), &[], &everything()).unwrap()), here);
    let later = Desk::open(desk.plan().clone(), Delivery::OnDemand).unwrap();
    assert_eq!(ids(later.findings(&everything()).unwrap()), here);
    put(&folder, "a.log", samples(2, 1));
    assert_eq!(list_findings(desk.plan(), &[], &everything()).unwrap().total, here.len() + samples(2, 1).len());
}

#[test]
fn a_log_that_grew_makes_its_findings_graver_everywhere() {
    let (folder, desk) = desk();
    let log = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/logs/auth.jsonl");
    let log = String::from_utf8_lossy(&fs::read(log).unwrap()).into_owned();
    let beginning = |lines: usize| log.split_inclusive('\n').take(lines).collect::<String>();
    let earlier = desk.analyze(text("auth.jsonl", beginning(2980)), watch()).unwrap().findings;
    let severity_in = |findings: &[crate::app::JudgedFinding], id: &str| {
        findings.iter().find(|judged| judged.finding.id == id).map(|judged| judged.finding.severity)
    };
    let page = desk.findings(&everything()).unwrap();
    assert!(earlier.iter().all(|judged| severity_in(&page.findings, &judged.finding.id).is_some()));
    let later = desk.analyze(text("auth.jsonl", beginning(3300)), watch()).unwrap().findings;
    let grown = later.iter().find(|judged| {
        severity_in(&earlier, &judged.finding.id).is_some_and(|before| before < judged.finding.severity)
    });
    let grown = &grown.expect("one of them got worse").finding;
    let page = desk.findings(&everything()).unwrap();
    assert_eq!(severity_in(&page.findings, &grown.id), Some(grown.severity));
    assert_eq!(desk.finding(&grown.id).unwrap().finding.finding.severity, grown.severity);
    let listed = list_findings(desk.plan(), &[], &everything()).unwrap();
    assert_eq!(severity_in(&listed.findings, &grown.id), Some(grown.severity));
    let html = folder.path().join("report.html");
    let reported = crate::app::report(&desk.plan().batch.output_dir, &html).unwrap();
    assert!(reported.reports.iter().any(|report| report.source_file == "auth.jsonl"));
    assert!(fs::read_to_string(&html).unwrap().contains(&grown.title), "the report sees what analyses found");
}

#[test]
fn many_who_keep_at_once_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::within(folder.path(), Bounds::default());
    let told: usize = thread::scope(|scope| {
        let keepers: Vec<_> = (0..8_u64)
            .map(|keeper| {
                let shelf = &shelf;
                scope.spawn(move || {
                    let keep = |seed| shelf.keep(vec![report("request", samples(1, keeper * 100 + seed))]).unwrap();
                    (0..10).map(keep).sum::<usize>()
                })
            })
            .collect();
        keepers.into_iter().map(|keeper| keeper.join().unwrap()).sum()
    });
    assert_eq!((told, shelf.view().unwrap().count()), (80, 80));
    assert_eq!(shelf.keep(vec![report("request", samples(1, 101))]).unwrap(), 0);
}

#[test]
fn what_can_t_be_kept_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a file");
    fs::write(&file, "").unwrap();
    let shelf = Shelf::within(&file, Bounds::default());
    let error = shelf.keep(vec![report("request", samples(1, 1))]).unwrap_err();
    assert!(matches!(error, AppError::Unkept { .. }), "{error}");
}
