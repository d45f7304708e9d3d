//! The configuration as a whole: the example file, layers, all problems at once.

use std::{env, ffi::OsString, fs, num::NonZeroUsize, path::Path};

use watchbell::{
    config::{ConfigError, Given, Origin, Overrides, Plan, Settings, example, load, show},
    parse::Slot,
};

fn given(text: &str, variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let environment = |name: &str| -> Option<OsString> {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
    };
    load(Given {
        file: Some(file.path().to_owned()),
        environment: &environment,
        flags: Overrides::default(),
        builds_sinks: false,
    })
}

fn problems(text: &str) -> Vec<String> {
    match given(text, &[]) {
        Err(ConfigError::Wrong(problems)) => problems.list.iter().map(|problem| problem.message.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_file_is_what_the_program_prints() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.example.toml");
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, example()).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == example(), "config.example.toml is out of date; run the tests with UPDATE=1 and review the change");
}

#[test]
fn the_example_sets_the_defaults_and_nothing_else() {
    let from_example = given(&example(), &[]).unwrap();
    let plain = |settings: &Settings| -> Vec<String> {
        show(settings, &|_| None).lines().map(|line| line.split("  # ").next().unwrap().to_owned()).collect()
    };
    assert_eq!(plain(&from_example), plain(&Settings::default()));
}

#[test]
fn what_the_example_has_commented_out_is_right_too() {
    // The sinks' part is that of their own examples, which the conformance suite builds.
    let uncommented: String = example()
        .lines()
        .take_while(|line| !line.starts_with("# Where findings go"))
        .map(|line| line.strip_prefix("# ").filter(|rest| rest.contains(" = ") && !rest.contains(": ")).unwrap_or(line))
        .fold(String::new(), |text, line| text + line + "\n");
    let settings = given(&uncommented, &[]).unwrap();
    assert_eq!(settings.budget_per_day.value.unwrap().per_day(), 20.0);
    assert_eq!(settings.model_dir.value.as_deref(), Some(Path::new("models/")));
    assert_eq!(settings.fields, [(Slot::User, vec!["actor.name".to_owned(), "payload.account".to_owned()])]);
}

#[test]
fn what_is_shown_can_be_read_back() {
    let text = "[detect]\nthreshold = 0.9\nbudget_per_day = 5\n[batch]\nlow_disk_warn = 5000\nmodel_dir = \"a \\\"b\\\"\"\n\
                [fields]\nuser = \"who\"\n[input]\ninclude = [\"**/*.json\"]\ntime_zone = \"+02:00\"\n";
    let settings = given(text, &[]).unwrap();
    let again = given(&show(&settings, &|_| None), &[]).unwrap();
    assert_eq!(again.threshold, settings.threshold);
    assert_eq!(again.budget_per_day, settings.budget_per_day);
    assert_eq!(again.low_disk_warn, settings.low_disk_warn);
    assert_eq!(again.model_dir, settings.model_dir);
    assert_eq!(again.fields, settings.fields);
    assert_eq!(again.include, settings.include);
    assert_eq!(again.time_zone, settings.time_zone);
}

#[test]
fn all_problems_are_shown_at_once() {
    let list = problems(
        "[input]\nlog_dir = 5\ninclude = [1]\n[detect]\nthreshold = 2\nseeed = 1\ngap_secs = -1\n[batch]\n\
         low_disk_warn = \"much\"\ninterval_secs = 1.5\n[inptu]\n[fields]\nuser = []\nwho = []\n",
    );
    assert_eq!(list.len(), 9, "{list:#?}");
}

#[test]
fn variables_are_put_into_texts_only_and_after_parsing() {
    let variables = [("DIR", "/srv\"\n[detect]\nthreshold = 0.1\n#"), ("THRESHOLD", "0.9"), ("GLOB", "*.json")];
    let text = "[input]\nlog_dir = \"${DIR}\"\ninclude = [\"${GLOB}\", \"${MORE:-*.csv}\"]\n[detect]\n\
                threshold = \"${THRESHOLD}\"\n";
    let settings = given(text, &variables).unwrap();
    assert_eq!(settings.log_dir.value, Path::new("/srv\"\n[detect]\nthreshold = 0.1\n#"));
    assert_eq!(settings.threshold.value.value(), 0.9);
    assert_eq!(settings.include.value, ["*.json", "*.csv"]);
}

#[test]
fn the_plain_variables_of_old_scripts_count() {
    let variables = [("LOG_DIR", "l"), ("OUTPUT_DIR", "o"), ("MODEL_DIR", "m"), ("BATCH_INTERVAL", "60")];
    let settings = given("", &variables).unwrap();
    assert_eq!(settings.log_dir.origin, Origin::Variable("LOG_DIR"));
    let plan = Plan::new(settings, NonZeroUsize::MIN).unwrap();
    assert_eq!(plan.input.log_dir, Path::new("l"));
    assert_eq!(plan.batch.output_dir, Path::new("o"));
    assert_eq!(plan.batch.model_dir.as_deref(), Some(Path::new("m")));
    assert_eq!(plan.batch.interval.as_secs(), 60);
}

#[test]
fn the_defaults_are_those_of_old_scripts() {
    let plan = Plan::new(Settings::default(), NonZeroUsize::new(3).unwrap()).unwrap();
    assert_eq!(plan.input.log_dir, Path::new("logs/"));
    assert_eq!(plan.batch.output_dir, Path::new("batch_outputs/"));
    assert_eq!(plan.batch.interval.as_secs(), 3600);
    assert_eq!(plan.detect.threshold.value(), 0.7);
    assert_eq!(plan.detect.threads.get(), 3);
}
