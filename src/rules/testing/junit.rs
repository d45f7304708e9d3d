//! Results of tests as JUnit's XML, which every build server reads.
//!
//! Names and messages may hold what events hold, so everything is escaped; what XML can't hold at all becomes U+FFFD.

use std::fmt::Write;

use super::{CaseReport, FileReport};

/// A `fmt::Write` of a `String`.
const TO_STRING: &str = "a String takes everything";

/// The document.
#[must_use]
pub fn junit(reports: &[FileReport]) -> String {
    let cases = || reports.iter().flat_map(|report| &report.cases);
    let errors = reports.iter().filter(|report| report.problem.is_some()).count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    writeln!(
        out,
        "<testsuites name=\"watchbell rules\" tests=\"{}\" failures=\"{}\" errors=\"{errors}\">",
        cases().count() + errors,
        cases().filter(|case| !case.passed()).count(),
    )
    .expect(TO_STRING);
    for report in reports {
        suite(&mut out, report);
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, report: &FileReport) {
    let failures = report.cases.iter().filter(|case| !case.passed()).count();
    let errors = usize::from(report.problem.is_some());
    let name = escaped(&report.rule);
    writeln!(
        out,
        "  <testsuite name=\"{name}\" file=\"{}\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{:.3}\">",
        escaped(&report.file),
        report.cases.len() + errors,
        report.cases.iter().map(|case| case.seconds).sum::<f64>(),
    )
    .expect(TO_STRING);
    if let Some(problem) = &report.problem {
        let shown = escaped(problem);
        writeln!(out, "    <testcase classname=\"{name}\" name=\"the test file\" time=\"0.000\">").expect(TO_STRING);
        writeln!(out, "      <error message=\"{}\">{shown}</error>", escaped(first_line(problem))).expect(TO_STRING);
        out.push_str("    </testcase>\n");
    }
    for case in &report.cases {
        test_case(out, &name, case);
    }
    out.push_str("  </testsuite>\n");
}

fn test_case(out: &mut String, class: &str, case: &CaseReport) {
    let name = escaped(&format!("{}: {}", case.expected.verb(), case.name));
    write!(out, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"{:.3}\"", case.seconds).expect(TO_STRING);
    if case.passed() {
        out.push_str("/>\n");
        return;
    }
    let text = case.failures.join("\n");
    writeln!(
        out,
        ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
        escaped(first_line(&text)),
        escaped(&text)
    )
    .expect(TO_STRING);
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' | '\t' | '\r' => write!(out, "&#{};", u32::from(letter)).expect(TO_STRING),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{super::Expected, *};

    #[test]
    fn what_breaks_xml_is_escaped() {
        let case = CaseReport {
            name: "a <b> & \"c\" \u{0}\u{1b}]]>".to_owned(),
            expected: Expected::Silent,
            seconds: 0.25,
            detections: 1,
            failures: vec!["first <line>".to_owned(), "second\u{8}".to_owned()],
        };
        let passed = CaseReport { name: "fine".to_owned(), failures: Vec::new(), ..case.clone() };
        let report = FileReport {
            file: "tests/x.toml".to_owned(),
            rule: "x".to_owned(),
            problem: Some("no'such".to_owned()),
            cases: vec![case, passed],
        };
        let xml = junit(&[report]);
        assert_eq!(
            xml,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuites name=\"watchbell rules\" tests=\"3\" failures=\"1\" errors=\"1\">\n  \
             <testsuite name=\"x\" file=\"tests/x.toml\" tests=\"3\" failures=\"1\" errors=\"1\" time=\"0.500\">\n    \
             <testcase classname=\"x\" name=\"the test file\" time=\"0.000\">\n      \
             <error message=\"no&apos;such\">no&apos;such</error>\n    </testcase>\n    \
             <testcase classname=\"x\" name=\"silent: a &lt;b&gt; &amp; &quot;c&quot; \u{fffd}\u{fffd}]]&gt;\" time=\"0.250\">\n      \
             <failure message=\"first &lt;line&gt;\">first &lt;line&gt;&#10;second\u{fffd}</failure>\n    </testcase>\n    \
             <testcase classname=\"x\" name=\"silent: fine\" time=\"0.250\"/>\n  </testsuite>\n</testsuites>\n"
        );
    }
}
