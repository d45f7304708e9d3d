//! What must hold for every page, above all for those made from hostile logs.

use std::fs;

use super::*;
use crate::report::{FileReport, RunFacts, fixture};

fn page(reports: &[FileReport], run: &RunFacts) -> String {
    render_html(ReportInput { reports, summary: Some(&fixture::summary()), run }).unwrap()
}

fn hostile_page() -> String {
    let run =
        RunFacts { command_line: fixture::HOSTILE.join(" "), model: fixture::HOSTILE[0].to_owned(), ..fixture::run() };
    page(&fixture::hostile_reports(), &run)
}

/// What stands between two marks; the marks must be there once.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    assert_eq!(text.matches(from).count(), 1, "`{from}` must stand once");
    let (_, rest) = text.split_once(from).unwrap();
    rest.split_once(to).unwrap().0
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(hostile_page(), hostile_page());
}

#[test]
fn the_verdict_the_tiles_and_every_finding_are_there() {
    let page = page(&fixture::reports(), &fixture::run());
    assert!(page.contains(
        "<h1 id=\"verdict\">12\u{202f}findings worth a look in 1\u{202f}204\u{202f}311\u{202f}events, 2 critical</h1>"
    ));
    assert_eq!(page.matches("<article class=\"card ").count(), 13);
    assert_eq!(
        page.matches("https://attack.mitre.org/techniques/T1567/002/").count(),
        2,
        "on the card and in the matrix"
    );
    assert!(page.contains("zip archives are not read"), "a log that could not be read is told");
    assert!(page.contains("<bdi>logs/auth.log</bdi>:88110<span>"), "samples name their line");
}

#[test]
fn no_text_of_a_log_becomes_markup() {
    let page = hostile_page();
    for tag in ["<script", "<style", "<svg onload", "<img", "<iframe", "<base", "<object", "<form "] {
        let expected = usize::from(matches!(tag, "<script" | "<style" | "<form "));
        assert_eq!(page.matches(tag).count(), expected, "{tag}");
    }
    assert!(!page.contains("href=\"javascript:"));
    assert!(!page.contains("1235234"), "a template in a log was run");
    // In quotes a handler is text; outside them it would run.
    for tag in page.split('<').skip(1).filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag) {
        let outside_quotes: String = tag.split('"').step_by(2).collect();
        assert!(!outside_quotes.contains(" on"), "{tag}");
    }
}

#[test]
fn nothing_that_acts_on_a_screen_is_left() {
    let page = hostile_page();
    let left = page.chars().find(|&letter| visible::is_control(letter) && letter != '\n' && letter != '\t');
    assert_eq!(left, None);
    for label in ["U+202E", "U+2066", "U+200B", "ESC", "NUL", "BEL", "U+009B", "U+0304"] {
        assert!(page.contains(&format!("<i class=\"c\">{label}</i>")), "{label}");
    }
    assert!(page.contains("… 1048"), "a line of a megabyte is cut and says so");
}

#[test]
fn the_policy_allows_the_inline_style_and_script_and_nothing_else() {
    let page = hostile_page();
    let policy = between(&page, "<meta http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    assert!(policy.starts_with("default-src 'none'; "));
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"));
    for (directive, from, to) in [("style-src", "<style>", "</style>"), ("script-src", "<script>", "</script>")] {
        let hash = STANDARD.encode(Sha256::digest(between(&page, from, to).as_bytes()));
        assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{directive}");
    }
    assert!(!page.contains(" style=\""), "the policy would refuse a style attribute");
}

#[test]
fn the_page_loads_nothing_from_anywhere() {
    for page in [hostile_page(), page(&fixture::reports(), &fixture::run())] {
        for attribute in ["src=\"", "srcset=\"", "poster=\"", "action=\"", "data=\"", "xlink:href=\""] {
            assert!(!page.contains(&format!(" {attribute}")), "{attribute}");
        }
        assert!(!page.contains("url(") && !page.contains("@import"));
        for link in page.split(" href=\"").skip(1).map(|rest| rest.split_once('"').unwrap().0) {
            let allowed = link.starts_with('#')
                || link == "data:,"
                || link.starts_with("data:application/json;base64,")
                || link.starts_with("https://attack.mitre.org/techniques/T");
            assert!(allowed, "{link}");
        }
    }
}

#[test]
fn ten_thousand_findings_fit_and_what_is_left_out_is_told() {
    let reports = fixture::many_findings(10_000);
    let page = page(&reports, &fixture::run());
    assert!(page.len() <= LARGEST_PAGE, "{} bytes", page.len());
    let cards = page.matches("<article ").count();
    let rows = page.matches("<tr data-s=").count();
    assert_eq!(cards, CARDS.items);
    assert!(rows > 4_000, "{rows} rows");
    assert!(page.contains(&format!(
        "{} weaker ones are left out",
        words::grouped((10_000 - cards - rows) as u64, words::THIN)
    )));
    assert!(page.contains("in the JSON reports in <bdi>out</bdi>"));
}

#[test]
fn the_most_hostile_text_does_not_burst_the_page() {
    let mut reports = fixture::many_findings(10_000);
    let worst = "\u{202e}".repeat(3_000);
    for finding in &mut reports[0].findings {
        finding.title = worst.clone();
        finding.entity.value.push_str(&worst);
        for reason in &mut finding.reasons {
            reason.feature = format!("{}{worst}", finding.id);
            reason.text = worst.clone();
        }
    }
    let page = page(&reports, &fixture::run());
    assert!(page.len() <= LARGEST_PAGE, "{} bytes", page.len());
    assert!(page.contains("<article "));
}

#[test]
fn a_page_of_nothing_is_a_page() {
    let run = fixture::run();
    let page = render_html(ReportInput { reports: &[], summary: None, run: &run }).unwrap();
    for text in ["No events were read", "No event names a time", "No log was read", "Every record was understood"] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn writes_the_pages_that_the_browser_opens() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser");
    fs::create_dir_all(&folder).unwrap();
    let pages = [
        ("report.html", page(&fixture::reports(), &fixture::run())),
        ("hostile.html", hostile_page()),
        ("large.html", page(&fixture::many_findings(10_000), &fixture::run())),
    ];
    for (name, page) in pages {
        fs::write(folder.join(name), page).unwrap();
    }
}
