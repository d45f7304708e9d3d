//! The commands about detection rules, each: a call, presentation.

mod present;
pub(super) mod rollout;
mod rollout_plan;
mod rollout_result;

use super::{
    arguments::rules::{
        CheckArguments, ExportArguments, FmtArguments, RulesCommand, RunRuleArguments, TestRulesArguments,
    },
    commands::Setup,
    exit::{CliError, Exit},
    terminal::Terminal,
};
use crate::app::{self, ExportRequest, Layout, Overrides, RuleChanges, RunRequest};

/// `watchbell rules`.
pub(super) fn run(rules: &RulesCommand, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    match rules {
        RulesCommand::Check(check) => run_check(check, terminal),
        RulesCommand::Fmt(fmt) => run_fmt(fmt, terminal),
        RulesCommand::Run(run) => run_run(run, terminal),
        RulesCommand::Test(test) => run_test(test, terminal),
        RulesCommand::List { json } => {
            let rules = app::shipped_rules();
            if *json {
                terminal.json(&rules)?
            } else {
                terminal.print(&present::list(&rules))?
            }
            Ok(Exit::Ok)
        }
        RulesCommand::Export(export) => run_export(export, setup, terminal),
        RulesCommand::Rollout(command) => rollout::run(command, setup, terminal),
    }
}

fn run_check(check: &CheckArguments, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let checkup = app::check_rules(&check.paths)?;
    if check.json {
        terminal.json(&present::checkup_json(&checkup))?;
    } else if check.sarif {
        terminal.json(&present::checkup_sarif(&checkup))?;
    } else {
        terminal.print(&present::checkup(&checkup))?;
    }
    let is_wrong = checkup.errors() > 0 || (check.strict && checkup.warnings() > 0);
    Ok(if is_wrong { Exit::Findings } else { Exit::Ok })
}

fn run_fmt(fmt: &FmtArguments, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let done = app::lay_out_rules(&fmt.paths, fmt.check)?;
    let is_piped = !fmt.check && fmt.paths.iter().any(|path| path.as_os_str() == "-");
    match &done.text {
        Some(text) if !fmt.check => terminal.print(text)?,
        // What stands in the pipe takes every line for a rule.
        None if is_piped => tracing::error!("{}", present::laid_out(&done, fmt.check).trim_end()),
        _ => terminal.print(&present::laid_out(&done, fmt.check))?,
    }
    let is_wrong = |layout: &Layout| match layout {
        Layout::Same => false,
        Layout::Changed => fmt.check,
        Layout::Broken(_) => true,
    };
    Ok(if done.files.iter().any(|(_, layout)| is_wrong(layout)) { Exit::Findings } else { Exit::Ok })
}

fn run_run(run: &RunRuleArguments, terminal: &mut Terminal) -> Result<Exit, CliError> {
    if run.events.is_empty() && run.detections.is_empty() {
        return Err(CliError::Refused("nothing to run the rule over; give files with --events".to_owned()));
    }
    let ran = app::run_rule(&RunRequest {
        rule: run.rule.clone(),
        events: run.events.clone(),
        entities: run.entities.clone(),
        detections: run.detections.clone(),
        lists: run.lists.clone(),
        tables: run.tables.clone(),
        now: run.now,
    })?;
    for problem in &ran.problems {
        tracing::warn!("{problem}");
    }
    if run.collections {
        for found in &ran.detections {
            terminal.json(&found.detection.collection)?;
        }
        return Ok(Exit::Ok);
    }
    if run.json {
        terminal.json(&ran)?
    } else {
        terminal.print(&present::ran(&ran))?
    }
    Ok(Exit::Ok)
}

fn run_test(test: &TestRulesArguments, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let report = app::test_rules(&test.folders)?;
    if let Some(path) = &test.junit {
        app::write_junit(path, &report)?;
    }
    if test.json {
        terminal.json(&report)?
    } else {
        terminal.print(&present::tested(&report))?
    }
    Ok(if report.files.iter().all(app::RuleTestFile::passed) { Exit::Ok } else { Exit::Findings })
}

fn run_export(export: &ExportArguments, setup: &Setup<'_>, terminal: &mut Terminal) -> Result<Exit, CliError> {
    let plan = setup.plan(Overrides::default())?;
    let request = ExportRequest {
        out: export.out.clone(),
        force: export.force,
        sink: export.sink.clone(),
        wanted: RuleChanges {
            product_name: export.product_name.clone(),
            vendor_name: export.vendor_name.clone(),
            log_source: export.log_source.clone(),
            min_severity: export.severity,
        },
    };
    let exported = app::export_rules(&plan, &request)?;
    if export.json {
        terminal.json(&exported)?
    } else {
        terminal.print(&present::exported(&exported))?
    }
    Ok(Exit::Ok)
}
