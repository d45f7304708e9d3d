//! Watchbell learns from raw security logs, without labels, what is normal, and says what is not and why.
//!
//! The modules, in the order in which the data flows:
//!
//! * [`files`]: private files, locks on them, and whether one changed.
//! * [`source`]: where bytes come from: directories, files, standard input, compressed or not.
//! * [`parse`]: bytes to [`parse::Event`]s, in whatever format they come; what can't be read becomes a complaint.
//! * [`features`]: each event and its entities' past to one [`features::Row`] of numbers.
//! * [`score`]: rows to anomaly scores: forests, tail probabilities, their calibration and fusion.
//! * [`classify`]: scored events to anomalies with threat type, severity and reasons, and those to findings.
//! * [`report`]: what was found, as JSON for programs and as one HTML file for people.
//! * [`model`]: what was learned, as a file that is safe to load.
//! * [`registry`]: which types of sinks are in this build.
//! * [`config`]: what the user wants, from TOML.
//! * [`detect`]: the floors above, wired: the detector.
//! * [`outbox`]: findings to destinations: kept on disk until each has taken them, one lane per destination.
//! * [`rules`]: detection rules in files, and how they are to be run.
//! * [`rollout`]: those rules to a tenant, by a plan that is shown first.
//! * [`judgment`]: what people decided about findings: suppressions, right and wrong.
//! * [`batch`]: the main job: a directory in, reports out, again and again.
//! * [`access`]: who may ask: keys, tokens, scopes, the record of who did what.
//! * [`app`]: what a front may ask.
//! * [`door`]: the way in for fronts that listen on HTTP: connections, TLS, who is there, how often they ask.
//! * [`api`]: the front for programs and browsers: REST, a page to look at, metrics.
//! * [`mcp`]: the front for AI assistants: tools, resources, prompts.
//! * [`cli`]: the command line; it starts the other fronts.

pub mod files;

pub mod source;

pub mod parse;

pub mod features;

pub mod score;

pub mod classify;

pub mod report;

pub mod model;

pub mod registry;

pub mod config;

pub mod detect;

pub mod outbox;

pub mod rules;

pub mod rollout;

pub mod judgment;

pub mod batch;

pub mod access;

pub mod app;

pub mod door;

pub mod api;

pub mod mcp;

pub mod cli;

pub use watchbell_sink as sink;
