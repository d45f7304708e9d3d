//! Rules pulled into a folder: a plan made from it is empty, and nobody's work is lost.

use std::{fs, path::Path};

use super::{
    Tenant, desired,
    host::{archived, hosted, running},
    multi, text,
};
use crate::{
    rollout::{Existing, Pulled, plan, pull},
    rules::folder::{DEPLOYMENT_FILE, read_folder},
    sink::rules::{HostedRule, RunFrequency},
};

fn pulled(folder: &Path, there: &[HostedRule], force: bool) -> Pulled {
    let rules = read_folder(folder).unwrap();
    let deployment = fs::read_to_string(folder.join(DEPLOYMENT_FILE)).ok();
    let existing = Existing { folder, rules: &rules, deployment: deployment.as_deref(), force };
    let there: Vec<&HostedRule> = there.iter().collect();
    let pulled = pull(&there, &existing).unwrap();
    for file in &pulled.files {
        fs::write(&file.path, &file.text).unwrap();
    }
    pulled
}

fn there() -> Vec<HostedRule> {
    let mut hourly = running("2", &multi("hourly", "1h"));
    hourly.deployment.frequency = Some(RunFrequency::Hourly);
    vec![running("1", &text("a", "us")), hourly, hosted("3", &text("off", "us")), archived("4", &text("away", "us"))]
}

#[test]
fn a_plan_of_what_was_pulled_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let pulled_now = pulled(folder.path(), &there(), false);
    assert_eq!(pulled_now.files.len(), 5);
    let rules = read_folder(folder.path()).unwrap();
    let plan = plan(&desired(&rules), &there());
    assert!(plan.is_empty() && plan.only_there.is_empty(), "{plan:?}");
    let deployment = fs::read_to_string(folder.path().join(DEPLOYMENT_FILE)).unwrap();
    assert_eq!(
        deployment,
        "# How the rules of this folder are run. What a rule's own table says goes first.\n[defaults]\nenabled = true\n\
         alerting = true\nrun_frequency = \"live\"\n\n[rules.away]\narchived = true\n\n[rules.hourly]\n\
         run_frequency = \"hourly\"\n\n[rules.off]\nenabled = false\nalerting = false\n"
    );
    let again = pulled(folder.path(), &there(), false);
    assert_eq!((again.files.len(), again.same), (0, 4));
}

#[test]
fn what_differs_here_stays_unless_it_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    pulled(folder.path(), &there(), false);
    let file = folder.path().join("a.yaral");
    fs::write(&file, text("a", "mine")).unwrap();
    let kept = pulled(folder.path(), &there(), false);
    assert_eq!(kept.kept, [("a".to_owned(), file.to_string_lossy().into_owned())]);
    assert_eq!(fs::read_to_string(&file).unwrap(), text("a", "mine"));
    let forced = pulled(folder.path(), &there(), true);
    assert!(forced.kept.is_empty());
    assert!(Tenant::with(there()).plan(&desired(&read_folder(folder.path()).unwrap())).is_empty());
}

#[test]
fn a_new_rule_is_added_and_comments_stay() {
    let folder = tempfile::tempdir().unwrap();
    let comment = "# ours\n[defaults]\nenabled = true # all of them\nalerting = true\n";
    fs::write(folder.path().join(DEPLOYMENT_FILE), comment).unwrap();
    pulled(folder.path(), &there(), false);
    let deployment = fs::read_to_string(folder.path().join(DEPLOYMENT_FILE)).unwrap();
    assert!(deployment.starts_with(comment), "{deployment}");
    assert!(Tenant::with(there()).plan(&desired(&read_folder(folder.path()).unwrap())).is_empty());
}

#[test]
fn a_deployment_that_differs_here_stays_unless_it_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    pulled(folder.path(), &there(), false);
    let file = folder.path().join(DEPLOYMENT_FILE);
    let mine =
        fs::read_to_string(&file).unwrap().replace("[rules.off]\nenabled = false\n", "[rules.off]\nenabled = true\n");
    fs::write(&file, &mine).unwrap();
    let kept = pulled(folder.path(), &there(), false);
    assert_eq!(kept.kept, [("off".to_owned(), DEPLOYMENT_FILE.to_owned())]);
    assert_eq!(fs::read_to_string(&file).unwrap(), mine);
    pulled(folder.path(), &there(), true);
    assert!(Tenant::with(there()).plan(&desired(&read_folder(folder.path()).unwrap())).is_empty());
}

#[test]
fn names_that_differ_in_case_get_files_that_differ_in_more() {
    let folder = tempfile::tempdir().unwrap();
    let there = [hosted("1", &text("a", "us")), hosted("2", &text("A", "us"))];
    let pulled = pulled(folder.path(), &there, false);
    let names: Vec<String> =
        pulled.files.iter().map(|file| file.path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert_eq!(names, ["A.yaral", "a-2.yaral", DEPLOYMENT_FILE]);
}
