//! What must hold for every served page, above all for those made from hostile logs.

use jiff::Timestamp;
use watchbell_sink::{Entity, EntityKind, Severity, ThreatType};

use super::*;
use crate::report::{FileReport, fixture, overview::Overview, visible};

fn now() -> Timestamp {
    "2026-11-15T08:00:00Z".parse().unwrap()
}

fn visitor() -> Visitor {
    Visitor {
        name: Some(fixture::HOSTILE[1].to_owned()),
        may_judge: true,
        may_see_sinks: true,
        may_forward: true,
        may_run_batches: true,
        may_see_trainings: true,
    }
}

fn hostile(at: usize) -> String {
    fixture::HOSTILE[at % fixture::HOSTILE.len()].to_owned()
}

/// Every text that comes from outside is hostile.
fn overview_of(reports: &[FileReport], filter: &FilterFacts) -> Page {
    let reports: Vec<&FileReport> = reports.iter().collect();
    let all = Overview::of(&reports, &|_| true);
    let (by, by_too) = (hostile(2), hostile(3));
    let rows: Vec<_> = all
        .ranked
        .iter()
        .take(4)
        .enumerate()
        .map(|(at, item)| RowFacts {
            finding: item.finding,
            suppressed_by: (at == 1).then_some(by.as_str()),
            was_right: (at == 2).then_some(true),
        })
        .collect();
    let held = HeldFacts { kind: hostile(4), message: hostile(0), since: now() };
    let sinks = [
        SinkFacts { name: hostile(5), kind: hostile(6), held: Some(held), ready: 3, ..SinkFacts::default() },
        SinkFacts {
            name: "splunk".to_owned(),
            kind: "splunk_hec".to_owned(),
            delivered: 1_234,
            waiting: 1,
            dead: 2,
            oldest: Some(now()),
            last_error: Some(ErrorFacts { message: hostile(7), was_answered: true, at: now() }),
            ..SinkFacts::default()
        },
        SinkFacts {
            name: "away".to_owned(),
            kind: "webhook".to_owned(),
            ready: 8,
            is_failing: true,
            last_error: Some(ErrorFacts { message: "connection refused".to_owned(), was_answered: false, at: now() }),
            ..SinkFacts::default()
        },
        SinkFacts { name: "old".to_owned(), ..SinkFacts::default() },
    ];
    let job = |is_training, state, error| JobFacts {
        title: if is_training { "Training" } else { "Batch" },
        is_training,
        state,
        stage: hostile(8),
        bytes: (50, 200),
        by: by_too.clone(),
        times: (now(), None),
        error,
    };
    let jobs = [job(false, "running", None), job(true, "failed", Some(hostile(9)))];
    let suppressions = [suppression()];
    let notices: Vec<_> = fixture::HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    Page::overview(OverviewInput {
        reports: &reports,
        ringing: &all,
        matching: &all,
        suppressed: 2,
        filter,
        rows: &rows,
        before: 0,
        between: (None, None),
        notices: &notices,
        sinks: Some(&sinks),
        jobs: &jobs,
        suppressions: &suppressions,
        now: now(),
    })
}

fn suppression() -> SuppressionFacts {
    SuppressionFacts {
        id: hostile(10),
        threat: ThreatType::BruteForce,
        entity: Some(Entity { kind: EntityKind::User, value: hostile(11) }),
        max_severity: Severity::High,
        reason: hostile(0),
        by: hostile(1),
        made: now(),
        expires: now() + jiff::SignedDuration::from_hours(36),
    }
}

fn finding_of(reports: &[FileReport], place: usize) -> Page {
    let all = Overview::new(reports);
    let decision = DecisionFacts { was_right: false, by: hostile(0), time: now(), note: Some(hostile(1)) };
    let delivery = |state: &str| DeliveryFacts {
        sink: hostile(2),
        state: state.to_owned(),
        attempts: 3,
        changed: now(),
        error: Some(hostile(3)),
    };
    let sinks = [SinkFacts { name: hostile(4), kind: hostile(5), ..SinkFacts::default() }];
    Page::finding(FindingInput {
        item: all.ranked[place],
        suppression: Some(&suppression()),
        decision: Some(&decision),
        deliveries: &[delivery("delivered"), delivery("dead"), delivery("<b>")],
        sinks: &sinks,
        notices: &[hostile(6)],
        now: now(),
    })
}

/// Every page with every text hostile.
fn hostile_pages() -> Vec<String> {
    let (pages, visitor) = (Pages::new().unwrap(), visitor());
    let reports = fixture::hostile_reports();
    let filter = FilterFacts { entity: hostile(2), threat: hostile(1), since: hostile(2), ..FilterFacts::default() };
    let message = Message { title: fixture::HOSTILE[0], detail: fixture::HOSTILE[5] };
    let mut shown = vec![
        pages.render(&overview_of(&reports, &filter), &visitor).unwrap(),
        pages
            .render_parts(&overview_of(&reports, &filter), "top,chart,list,delivery,jobs,decisions", &visitor)
            .unwrap(),
        pages.login(Some(fixture::HOSTILE[3])).unwrap(),
        pages.message(message, &visitor).unwrap(),
    ];
    for place in 0..Overview::new(&reports).ranked.len() {
        shown.push(pages.render(&finding_of(&reports, place), &visitor).unwrap());
    }
    shown
}

/// The tags of a page, without what stands in quotes.
fn tags(page: &str) -> impl Iterator<Item = String> {
    let tags = page.split('<').skip(1).filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag);
    tags.map(|tag| tag.split('"').step_by(2).collect())
}

#[test]
fn no_text_from_outside_becomes_markup() {
    for page in hostile_pages() {
        for tag in ["<style", "<svg onload", "<img", "<iframe", "<base", "<object", "<embed"] {
            assert!(!page.contains(tag), "{tag}");
        }
        assert!(page.matches("<script").count() <= 1, "the page's own script and no other");
        assert!(!page.contains("1235234"), "a template in a log was run");
        for tag in tags(&page) {
            assert!(!tag.contains(" on"), "{tag}");
            assert!(!tag.contains(" style"), "{tag}: the policy refuses style attributes");
        }
    }
}

#[test]
fn nothing_that_acts_on_a_screen_is_left() {
    for page in hostile_pages() {
        let left = page.chars().find(|&letter| visible::is_control(letter) && letter != '\n' && letter != '\t');
        assert_eq!(left, None);
    }
}

#[test]
fn every_address_leads_into_this_server_or_to_att_and_ck() {
    for page in hostile_pages() {
        for attribute in [" href=\"", " src=\"", " action=\""] {
            for link in page.split(attribute).skip(1).map(|rest| rest.split_once('"').unwrap().0) {
                let link = link.replace("&#x2f;", "/");
                let inside = link.starts_with('#') || (link.starts_with('/') && !link.starts_with("//"));
                assert!(inside || link.starts_with("https://attack.mitre.org/techniques/T"), "{link}");
                assert!(!link.contains([' ', '<', '\'', '\\']), "{link}");
            }
        }
    }
}

#[test]
fn the_overview_says_what_matters() {
    let pages = Pages::new().unwrap();
    let page = pages.render(&overview_of(&fixture::reports(), &FilterFacts::default()), &visitor()).unwrap();
    for text in [
        "12\u{202f}findings worth a look in 1\u{202f}204\u{202f}311\u{202f}events, 2 critical</h1>",
        "1 held",
        "1 to 4 of 13 findings",
        "2 suppressed</a>",
        "true positive",
        "dead letters",
        "not set up any more",
        "not reachable",
        "connection refused",
        "<small>webhook</small>",
        "?severity=critical\"",
        ">24 h</a>",
        "user ×4</small>",
        "50 B of 200 B",
        "1 d 12 h left",
        "Next page",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("First page"));
}

#[test]
fn the_page_of_a_finding_explains_it_and_says_what_to_do() {
    let pages = Pages::new().unwrap();
    let page = pages.render(&finding_of(&fixture::reports(), 0), &visitor()).unwrap();
    for text in [
        "Share of score",
        "Harmless causes",
        "Splunk SPL (CIM)",
        "Kibana KQL (ECS)",
        "Chronicle UDM",
        "Evidence",
        "attack.mitre.org",
        "false positive",
        "dead letter",
        "data-open=\"suppress\"",
        "<dialog id=\"forward\"",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn who_may_not_act_sees_no_buttons_and_no_sinks() {
    let pages = Pages::new().unwrap();
    let looks = Visitor::default();
    let page = pages.render(&finding_of(&fixture::reports(), 0), &looks).unwrap();
    assert!(!page.contains("<dialog") && !page.contains("data-open") && !page.contains("data-lift"));
    let page = pages.render(&overview_of(&fixture::reports(), &FilterFacts::default()), &looks).unwrap();
    assert!(!page.contains("splunk") && !page.contains("data-lift") && !page.contains("Sign out"));
}

#[test]
fn jobs_are_for_those_who_may_see_them() {
    let pages = Pages::new().unwrap();
    let page = overview_of(&fixture::reports(), &FilterFacts::default());
    let shown = |may_run_batches, may_see_trainings| {
        let visitor = Visitor { may_run_batches, may_see_trainings, ..Visitor::default() };
        let shown = pages.render(&page, &visitor).unwrap();
        assert!(shown.contains("data-part=\"jobs\""), "the part stays, so that it can be fetched");
        [shown.contains("<b>Batch</b>"), shown.contains("<b>Training</b>"), shown.contains("href=\"#jobs\"")]
    };
    assert_eq!(shown(false, false), [false, false, false]);
    assert_eq!(shown(true, false), [true, false, true]);
    assert_eq!(shown(false, true), [false, true, true]);
    assert_eq!(shown(true, true), [true, true, true]);
}

#[test]
fn a_name_that_is_nobody_s_gets_a_hint() {
    let reports = fixture::reports();
    let reports: Vec<&FileReport> = reports.iter().collect();
    let (all, none) = (Overview::of(&reports, &|_| true), Overview::of(&reports, &|_| false));
    let page = Page::overview(OverviewInput {
        reports: &reports,
        ringing: &all,
        matching: &none,
        suppressed: 0,
        filter: &FilterFacts { entity: "Build".to_owned(), ..FilterFacts::default() },
        rows: &[],
        before: 0,
        between: (None, None),
        notices: &[],
        sinks: None,
        jobs: &[],
        suppressions: &[],
        now: now(),
    });
    let shown = Pages::new().unwrap().render_parts(&page, "list", &visitor()).unwrap().replace("&#x2f;", "/");
    assert!(shown.contains("href=\"/?entity=build-07\""), "{shown}");
}

#[test]
fn a_mark_of_several_leads_to_the_list_of_them() {
    let mut reports = fixture::reports();
    let twin = watchbell_sink::Finding { id: "twin".to_owned(), ..reports[0].findings[0].clone() };
    reports[0].findings.push(twin);
    let page = Pages::new().unwrap();
    let page = page.render(&overview_of(&reports, &FilterFacts::default()), &visitor()).unwrap();
    let page = page.replace("&#x2f;", "/").replace("&amp;", "&");
    let all = "/?severity=high&since=2026-11-14T03%3A17&until=2026-11-14T03%3A18";
    assert!(page.contains(&format!("href=\"{all}\"")), "{page}");
    assert!(page.contains("href=\"/?severity=high&entity=alice&since=2026-11-14T03%3A17&until=2026-11-14T03%3A18\""));
}

#[test]
fn the_steps_of_a_chain_are_links_and_values_are_folded() {
    let mut reports = fixture::reports();
    let finding = &mut reports[1].findings[0];
    finding.chain = vec![ThreatType::BruteForce, finding.threat_type];
    let value = finding.observables[0].clone();
    finding.observables = vec![value; 30];
    let all = Overview::new(&reports);
    let place = all.ranked.iter().position(|item| item.finding.chain.len() == 2).unwrap();
    let page = Pages::new().unwrap().render(&finding_of(&reports, place), &visitor()).unwrap();
    let page = page.replace("&#x2f;", "/").replace("&amp;", "&");
    assert_eq!(page.matches("<ol class=\"chain\"").count(), 1);
    assert!(page.contains("href=\"/?threat=brute_force&entity=alice&suppressed=show\""), "{page}");
    assert!(page.contains("22 more values</summary>"));
}

#[test]
fn parts_are_what_the_page_has() {
    let pages = Pages::new().unwrap();
    let page = overview_of(&fixture::reports(), &FilterFacts::default());
    let whole = pages.render(&page, &visitor()).unwrap();
    for name in ["top", "chart", "list", "delivery", "jobs", "decisions"] {
        let part = pages.render_parts(&page, name, &visitor()).unwrap();
        assert!(part.contains(&format!("data-part=\"{name}\"")), "{name}");
        assert!(whole.contains(part.trim()), "{name}");
    }
    assert_eq!(pages.render_parts(&page, "frame.html,,other", &visitor()).unwrap(), "");
}

#[test]
fn assets_are_named_by_their_content_and_load_nothing() {
    let (pages, again) = (Pages::new().unwrap(), Pages::new().unwrap());
    let page = pages.login(None).unwrap().replace("&#x2f;", "/");
    for (asset, same) in pages.assets().iter().zip(again.assets()) {
        assert_eq!(asset.name, same.name);
        assert!(page.contains(&asset.path()), "{}", asset.path());
        let without_names = asset.text.replace("http://www.w3.org/2000/svg", "");
        for outside in ["http:", "https:", "url(", "@import", "eval(", "innerHTML", "insertAdjacent", "document.write"]
        {
            assert!(!without_names.contains(outside), "{}: {outside}", asset.name);
        }
    }
}

#[test]
fn nothing_at_all_is_a_page() {
    let none = Overview::new(&[]);
    let page = Page::overview(OverviewInput {
        reports: &[],
        ringing: &none,
        matching: &none,
        suppressed: 0,
        filter: &FilterFacts::default(),
        rows: &[],
        before: 0,
        between: (None, None),
        notices: &[],
        sinks: None,
        jobs: &[],
        suppressions: &[],
        now: now(),
    });
    let shown = Pages::new().unwrap().render(&page, &visitor()).unwrap();
    for text in [
        "Nothing has been read yet",
        "the outbox can&#39;t be read",
        "watchbell batch --once",
        "curl ",
        "data-batch",
        "No job has run",
    ] {
        assert!(shown.contains(text) || shown.contains(&text.replace("&#39;", "&#x27;")), "{text}");
    }
    assert!(!shown.contains("No event names a time"), "nothing was read, so no event lacks anything");
    let looks = Pages::new().unwrap().render(&page, &Visitor::default()).unwrap();
    assert!(looks.contains("watchbell batch --once") && !looks.contains("data-batch"));
}
