//! Models: learned under a name, found under it, shared without a copy, and none outside of their directory.

use super::*;
use crate::{
    app::{AppError, UnreadCause},
    detect::family_of,
};

/// Five days as every day, of the same people as in [`attack`].
fn usual() -> String {
    let mut lines = String::new();
    for at in 0..4_000 {
        let (day, hour, minute) = (1 + at / 800, 8 + at / 100 % 8, at % 60);
        lines += &format!(
            "{{\"timestamp\":\"2026-02-{day:02}T{hour:02}:{minute:02}:00Z\",\"user\":\"{}\",\"source_ip\":\"10.0.0.{}\",\
             \"action\":\"login\",\"status\":\"success\",\"resource\":\"/sso\",\"bytes\":{}}}\n",
            ["ada", "bob", "eve", "dan"][at % 4],
            1 + at % 4,
            500 + at % 7
        );
    }
    lines
}

fn train(desk: &Arc<Desk>, folder: &TempDir, name: Option<&str>) -> Job {
    fs::write(folder.path().join("logs/sso.jsonl"), usual()).unwrap();
    let request = TrainRequest { paths: Vec::new(), name: name.map(str::to_owned) };
    let job = desk.start_training(request, "ada").unwrap();
    until("the training is over", || desk.job(&job.id).unwrap().state.is_over());
    desk.job(&job.id).unwrap()
}

#[test]
fn what_is_learned_under_a_name_is_found_under_it() {
    let (folder, desk) = desk();
    assert!(desk.models.of(&family_of("my-app_v2")).unwrap().is_none());
    let job = train(&desk, &folder, Some("my-app_v2"));
    assert_eq!(job.state, JobState::Succeeded, "{job:?}");
    let learned = desk.models.of(&family_of("my-app_v2")).unwrap().unwrap();
    assert!(desk.models.of("other").unwrap().is_none());
    let models = desk.models().unwrap();
    assert_eq!(models.len(), 1);
    assert_eq!(models[0].card.as_ref().unwrap().file, Path::new(&format!("{}.wbmodel", models[0].name)));
    assert!(!models[0].is_default);
    let loaded = desk.load_model("my-app_v2").unwrap();
    assert!(loaded.is_default && desk.models().unwrap()[0].is_default);
    assert!(Arc::ptr_eq(&desk.models.of("other").unwrap().unwrap(), &learned));
}

/// Otherwise a round of the desk would find something else than one of the command line, once anything was learned.
#[test]
fn a_batch_to_which_nobody_gave_models_gets_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan(folder.path(), "");
    plan.batch.model_dir = None;
    let desk = Desk::open(plan, Delivery::OnDemand).unwrap();
    assert_eq!(desk.plan().batch.model_dir, None);
    assert_eq!(desk.models.folder(), std::path::Path::new("models"), "training and logs of calls have the usual one");
}

#[test]
fn a_shared_model_judges_as_one_of_its_own() {
    let (folder, desk) = desk();
    train(&desk, &folder, Some("sso"));
    let path = folder.path().join("logs/sso");
    fs::write(&path, attack(1)).unwrap();
    let own = crate::app::find_model(desk.plan(), "sso").unwrap().unwrap();
    let detector = crate::detect::Detector::with_model(crate::app::analysis::detect_settings(desk.plan()), own);
    let parts = [crate::detect::LogPart::whole(crate::source::SourceFile::at(0, &path).unwrap())];
    let run = crate::detect::Run {
        parse: &crate::app::analysis::parse_options(desk.plan()),
        now: Timestamp::UNIX_EPOCH,
        progress: &crate::detect::Unwatched,
        stop: &GO_ON,
    };
    let expected = detector.analyze(&parts, run).unwrap().remove(0).report;
    for _ in 0..3 {
        let analysis = desk.analyze(text("sso", attack(1)), watch()).unwrap();
        assert_eq!(analysis.total_events, 100);
        assert_eq!(analysis.anomalies, expected.anomalies);
        assert!(!expected.anomalies.is_empty());
    }
    let without = desk.analyze(text("request", attack(1)), watch()).unwrap();
    assert_ne!(without.anomalies, expected.anomalies, "the model was asked at all");
    desk.load_model("sso").unwrap();
    let scores = |anomalies: &[crate::report::AnomalyRecord]| -> Vec<f64> {
        anomalies.iter().map(|anomaly| anomaly.anomaly_score).collect()
    };
    let by_default = desk.analyze(text("request", attack(1)), watch()).unwrap();
    assert_eq!(scores(&by_default.anomalies), scores(&expected.anomalies));
}

#[test]
fn a_model_that_changed_is_read_again_and_a_broken_one_told() {
    let (folder, desk) = desk();
    train(&desk, &folder, Some("sso"));
    let first = desk.models.of("sso").unwrap().unwrap();
    assert!(Arc::ptr_eq(&first, &desk.models.of("sso").unwrap().unwrap()));
    train(&desk, &folder, Some("sso"));
    assert!(!Arc::ptr_eq(&first, &desk.models.of("sso").unwrap().unwrap()));
    fs::write(folder.path().join("models/sso.wbmodel"), "no model").unwrap();
    // By name: where the folder is, is not told.
    let told = "sso.wbmodel: not a model file; `watchbell train` writes one";
    assert_eq!(desk.load_model("sso").unwrap_err().to_string(), told);
    assert_eq!(desk.models().unwrap()[0].error.as_deref(), Some(told));
    let error = desk.analyze(text("sso", attack(1)), watch()).unwrap_err();
    assert!(matches!(&error, AppError::Unread { cause: UnreadCause::Model, .. }), "{error:?}");
    let told = error.to_string();
    assert!(told.starts_with("the model for this log can't be used: sso.wbmodel: not a model file"), "{told}");
}

#[test]
fn names_stay_within_the_directory() {
    let (folder, desk) = desk();
    fs::write(folder.path().join("secret.wbmodel"), "x").unwrap();
    for name in ["../secret", "..", "", ".hidden", "a/b", "a\\b", "a\0b", "a\nb", &"x".repeat(300)] {
        let is_about_name =
            |error: &AppError| matches!(error, AppError::Argument { pointer, .. } if pointer == "/name");
        assert!(desk.load_model(name).is_err_and(|error| is_about_name(&error)), "{name:?}");
        let request = TrainRequest { paths: Vec::new(), name: Some(name.to_owned()) };
        assert!(desk.start_training(request, "ada").is_err_and(|error| is_about_name(&error)), "{name:?}");
    }
    assert!(matches!(desk.load_model("none"), Err(AppError::NoSuchModel(name)) if name == "none"));
    let missing = TrainRequest { paths: vec![folder.path().join("nowhere")], name: None };
    assert!(desk.start_training(missing, "ada").unwrap_err().to_string().contains("nowhere"));
}

#[test]
fn nothing_to_learn_from_is_said() {
    let (folder, desk) = desk();
    let log = folder.path().join("empty.log");
    fs::write(&log, "").unwrap();
    let job = desk.start_training(TrainRequest { paths: vec![log], name: None }, "ada").unwrap();
    until("the training is over", || desk.job(&job.id).unwrap().state.is_over());
    let job = desk.job(&job.id).unwrap();
    assert_eq!(job.state, JobState::Failed);
    assert!(job.error.unwrap().contains("no event to learn from"));
}
