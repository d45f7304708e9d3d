//! Folders of rules, right and wrong.

use std::fs;

use super::*;

fn rule(name: &str) -> String {
    format!(
        "rule {name} {{\n  meta:\n    author = \"us\"\n  events:\n    $e.metadata.event_type = \"USER_LOGIN\"\n  condition:\n    $e\n}}\n"
    )
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn told(folder: &tempfile::TempDir) -> String {
    read_folder(folder.path()).unwrap_err().to_string().replace(&folder.path().to_string_lossy().into_owned(), "RULES")
}

#[test]
fn rules_come_in_the_order_of_their_paths_and_hidden_and_tests_are_skipped() {
    let folder = folder(&[
        ("b.yaral", rule("b")),
        ("a/z.YARAL", rule("z")),
        ("a/y.yaral2", rule("y")),
        ("a/notes.txt", "no rule".to_owned()),
        ("tests/t.yaral", "broken".to_owned()),
        (".git/g.yaral", "broken".to_owned()),
        ("a/.swap.yaral", "broken".to_owned()),
    ]);
    let names: Vec<String> = read_folder(folder.path()).unwrap().into_iter().map(|rule| rule.name).collect();
    assert_eq!(names, ["y", "z", "b"]);
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_are_taken_off() {
    let text = format!("\u{feff}{}", rule("a").replace('\n', "\r\n"));
    let folder = folder(&[("a.yaral", text)]);
    assert_eq!(read_folder(folder.path()).unwrap()[0].text, rule("a"));
}

#[test]
fn without_a_deployment_file_nothing_is_said_about_how_rules_run() {
    let folder = folder(&[("a.yaral", rule("a"))]);
    assert_eq!(read_folder(folder.path()).unwrap()[0].deployment, WantedDeployment::default());
}

#[test]
fn a_single_file_is_a_folder_too() {
    let folder = folder(&[("a.yaral", rule("a"))]);
    assert_eq!(read_folder(&folder.path().join("a.yaral")).unwrap().len(), 1);
}

#[test]
fn a_rules_own_table_goes_before_the_defaults() {
    let deployment = "[defaults]\nenabled = true\nalerting = false\nrun_frequency = \"hourly\"\n\
        [rules.b]\nalerting = true\nrenamed_from = [\"old\"]\n[rules.c]\narchived = true\n";
    let folder = folder(&[
        ("a.yaral", rule("a")),
        ("b.yaral", rule("b")),
        ("c.yaral", rule("c")),
        (DEPLOYMENT_FILE, deployment.to_owned()),
    ]);
    let rules = read_folder(folder.path()).unwrap();
    let default = WantedDeployment {
        enabled: Some(true),
        alerting: Some(false),
        frequency: Some(RunFrequency::Hourly),
        archived: false,
    };
    assert_eq!(rules[0].deployment, default);
    assert_eq!(rules[1].deployment, WantedDeployment { alerting: Some(true), ..default });
    assert_eq!(rules[1].renamed_from, ["old"]);
    assert!(rules[2].deployment.archived);
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let deployment = "[default]\n[defaults]\nenabeld = true\nalerting = 1\nrun_frequency = \"hourli\"\n\
        [rules.watchbell_brute_forc]\nalerting = true\n[rules.b]\narchived = \"x\"\nrenamed_from = [\"\", 3]\n";
    let folder = folder(&[
        ("a.yaral", rule("watchbell_brute_force")),
        ("b.yaral", rule("b")),
        ("two.yaral", format!("{}{}", rule("c"), rule("d"))),
        ("none.yaral", "// nothing\n".to_owned()),
        (DEPLOYMENT_FILE, deployment.to_owned()),
    ]);
    fs::write(folder.path().join("latin.yaral"), b"rule \xe9 {").unwrap();
    let told = told(&folder);
    for expected in [
        "RULES/latin.yaral: not UTF-8 at byte 5; save it as UTF-8",
        "RULES/none.yaral: there is no rule in it; expected `rule NAME {`",
        "RULES/two.yaral: 2 rules in one file (c, d); put each into a file of its own",
        "RULES/deployment.toml:1:2: unknown section `default`",
        "RULES/deployment.toml:3:1: unknown key `enabeld`",
        "did you mean `enabled`?",
        "RULES/deployment.toml:4:12: alerting: expected true or false, found integer",
        "RULES/deployment.toml:5:17: unknown run frequency `hourli`",
        "RULES/deployment.toml:6:8: unknown rule `watchbell_brute_forc`",
        "did you mean `watchbell_brute_force`?",
        "RULES/deployment.toml:9:12: archived: expected true or false, found string",
        "RULES/deployment.toml:10:17: renamed_from: expected a list of names, found an empty text",
        "RULES/deployment.toml:10:21: renamed_from: expected a list of names, found integer",
    ] {
        assert!(told.contains(expected), "{expected}\nis missing in\n{told}");
    }
}

#[test]
fn broken_toml_is_told_with_its_place() {
    let folder = folder(&[("a.yaral", rule("a")), (DEPLOYMENT_FILE, "[defaults\n".to_owned())]);
    assert!(told(&folder).contains("RULES/deployment.toml:1:10: "), "{}", told(&folder));
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = read_folder(Path::new("no/such/folder")).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the rules in no/such/folder");
}
