//! What is looked at when somebody asks for the metrics: sinks, outbox, disk, models, jobs, the process.

use std::{fmt, fs, path::Path};

use jiff::Timestamp;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text::encode_registry},
    metrics::MetricType,
    registry::Registry,
};

use super::{Desk, JobKind, JobState, ModelEntry, counts::PREFIX, health::free_bytes};
use crate::{
    app::{AppError, sink_plans},
    outbox::{SinkStatus, Status},
};

/// Models that are told about one by one: the name of each is a label.
const MOST_MODELS: usize = 200;

/// One number, and what it is about.
#[derive(Debug)]
struct Reading {
    labels: Vec<(&'static str, String)>,
    value: f64,
}

/// Numbers of one name.
#[derive(Debug)]
struct Family {
    name: &'static str,
    help: &'static str,
    kind: MetricType,
    readings: Vec<Reading>,
}

/// What was read, in the order in which it is shown.
#[derive(Debug, Default)]
struct Readings(Vec<Family>);

impl Readings {
    fn add(&mut self, (kind, name, help): (MetricType, &'static str, &'static str), readings: Vec<Reading>) {
        self.0.push(Family { name, help, kind, readings });
    }

    fn gauge(&mut self, name: &'static str, help: &'static str, readings: Vec<Reading>) {
        self.add((MetricType::Gauge, name, help), readings);
    }

    fn counter(&mut self, name: &'static str, help: &'static str, readings: Vec<Reading>) {
        self.add((MetricType::Counter, name, help), readings);
    }

    fn write(self, prefix: Option<&str>, text: &mut String) -> fmt::Result {
        let mut registry = prefix.map_or_else(Registry::default, Registry::with_prefix);
        registry.register_collector(Box::new(self));
        encode_registry(text, &registry)
    }
}

impl Collector for Readings {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for family in self.0.iter().filter(|family| !family.readings.is_empty()) {
            let help = format!("{}.", family.help);
            let mut metric = encoder.encode_descriptor(family.name, &help, None, family.kind)?;
            for Reading { labels, value } in &family.readings {
                if labels.is_empty() {
                    write_value(&mut metric, family.kind, *value)?;
                } else {
                    write_value(&mut metric.encode_family(labels)?, family.kind, *value)?;
                }
            }
        }
        Ok(())
    }
}

fn write_value(metric: &mut MetricEncoder<'_>, kind: MetricType, value: f64) -> fmt::Result {
    match kind {
        MetricType::Counter => metric.encode_counter::<NoLabelSet, f64, f64>(&value, None),
        _ => metric.encode_gauge(&value),
    }
}

/// One number that needs no label.
fn alone(value: f64) -> Vec<Reading> {
    vec![Reading { labels: Vec::new(), value }]
}

#[expect(clippy::cast_precision_loss, reason = "what reads metrics has nothing but such numbers")]
fn number(count: u64) -> f64 {
    count as f64
}

fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

impl Desk {
    /// All metrics as OpenMetrics text, but for its end, so that a front can put its own behind them.
    #[must_use]
    pub fn metrics(&self) -> String {
        let mut text = String::new();
        self.write_metrics(&mut text).expect("a string takes whatever is written into it");
        text
    }

    fn write_metrics(&self, text: &mut String) -> fmt::Result {
        self.counts.write(text)?;
        let mut readings = Readings::default();
        self.read_outbox(&mut readings);
        self.read_disk(&mut readings);
        self.read_models(&mut readings);
        self.read_jobs(&mut readings);
        let mut build = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
        build.extend(option_env!("WATCHBELL_REVISION").map(|revision| ("revision", revision.to_owned())));
        readings.gauge("build_info", "The program's version", vec![Reading { labels: build, value: 1.0 }]);
        readings.write(Some(PREFIX), text)?;
        let mut process = Readings::default();
        read_process(self.counts.opened, &mut process);
        process.write(None, text)
    }

    fn read_outbox(&self, readings: &mut Readings) {
        let status = self.outbox();
        let help = "Whether the outbox can be read; if not, all that is known of it and of the sinks is missing";
        readings.gauge("outbox_readable", help, alone(f64::from(u8::from(status.is_ok()))));
        let suppressed = self.bells().map_or(0, |bells| bells.suppressed());
        let help = "Findings that a suppression held back from the sinks";
        readings.counter("suppressed_findings", help, alone(number(suppressed)));
        match status {
            Ok(status) => {
                readings.gauge("outbox_size_bytes", "Bytes of the outbox in use", alone(number(status.bytes)));
                let help = "Bytes above which the outbox takes no findings";
                readings.gauge("outbox_limit_bytes", help, alone(number(status.max_bytes)));
                let help = "Damaged databases of the outbox that were set aside";
                readings.gauge("outbox_quarantined", help, alone(number(status.quarantined.len() as u64)));
                self.read_sinks(&status, readings);
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the outbox can't be read for the metrics");
            }
        }
    }

    fn read_sinks(&self, status: &Status, readings: &mut Readings) {
        let sinks = Sinks { statuses: self.sink_statuses(status) };
        let help = "Deliveries accepted for the sink, over the life of the outbox";
        readings.counter("sink_accepted", help, sinks.each(|sink| number(sink.accepted)));
        let help = "Deliveries that arrived, over the life of the outbox";
        readings.counter("sink_delivered", help, sinks.each(|sink| number(sink.delivered)));
        let help = "Deliveries that were taken out of the dead letters for good, over the life of the outbox";
        readings.counter("sink_purged", help, sinks.each(|sink| number(sink.purged)));
        let help =
            "Attempts to deliver that count, over the life of the outbox; those beyond one per delivery are retries";
        readings.counter("sink_attempts", help, sinks.each(|sink| number(sink.attempts)));
        let help = "Deliveries that went out again although they may have arrived, over the life of the outbox";
        readings.counter("sink_duplicates_possible", help, sinks.each(|sink| number(sink.duplicates_possible)));
        let help = "Deliveries that failed since the start, each attempt by itself, by kind of error";
        readings.counter("sink_errors", help, self.errors(&sinks));
        let help = "Whether the lane is held: credentials or configuration are refused, everything is kept";
        readings.gauge("sink_held", help, sinks.each(|sink| f64::from(u8::from(sink.held.is_some()))));
        readings.gauge("sink_dead_letters", "Deliveries in the dead letters", sinks.each(|sink| number(sink.dead)));
        readings.gauge("sink_pending", "Deliveries on their way", sinks.pending());
        let now = Timestamp::now();
        let age = |sink: &SinkStatus| sink.oldest.map_or(0.0, |oldest| (seconds(now) - seconds(oldest)).max(0.0));
        let help = "Time since the oldest pending delivery was accepted; 0 when none is pending";
        readings.gauge("sink_oldest_pending_seconds", help, sinks.each(age));
    }

    /// The sinks that the outbox knows, and those that are configured and were never given anything.
    fn sink_statuses(&self, status: &Status) -> Vec<SinkStatus> {
        let plans = match sink_plans(&self.plan, &[]) {
            Ok(plans) => plans,
            Err(AppError::NoSinks { .. }) => Vec::new(),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the sinks can't be told for the metrics");
                Vec::new()
            }
        };
        let mut statuses = status.sinks.clone();
        for plan in plans {
            if statuses.iter().all(|status| status.name != plan.name) {
                statuses.push(SinkStatus::empty(plan.name));
            }
        }
        statuses
    }

    fn errors(&self, sinks: &Sinks) -> Vec<Reading> {
        let Some(bells) = self.bells() else { return Vec::new() };
        let of = |sink: &SinkStatus| {
            let name = sink.name.clone();
            let kinds = bells.outbox().failures(&name).into_iter();
            kinds
                .map(|(kind, count)| Reading {
                    labels: vec![("sink", name.clone()), ("kind", kind.to_owned())],
                    value: number(count),
                })
                .collect::<Vec<_>>()
        };
        sinks.statuses.iter().flat_map(of).collect()
    }

    fn read_disk(&self, readings: &mut Readings) {
        let folders = [("outbox", &self.plan.outbox.folder), ("reports", &self.plan.batch.output_dir)];
        let free = folders.into_iter().filter_map(|(name, folder)| {
            let value = number(free_bytes(folder)?);
            Some(Reading { labels: vec![("folder", name.to_owned())], value })
        });
        readings.gauge("disk_free_bytes", "Bytes free on the folder's disk", free.collect());
    }

    fn read_models(&self, readings: &mut Readings) {
        let models = self.models().unwrap_or_else(|error| {
            tracing::warn!(error = &error as &dyn std::error::Error, "the models can't be told for the metrics");
            Vec::new()
        });
        let unreadable = models.iter().filter(|model| model.card.is_none()).count();
        let (mut info, mut trained, mut events) = (Vec::new(), Vec::new(), Vec::new());
        for ModelEntry { name, card, .. } in models.into_iter().take(MOST_MODELS) {
            let Some(card) = card else { continue };
            let fact =
                |wanted: &str| card.facts.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
            let label = || vec![("name", name.clone())];
            if let Some(time) = fact("trained at").and_then(|time| time.parse::<Timestamp>().ok()) {
                info.push(Reading { labels: [label(), vec![("trained_at", time.to_string())]].concat(), value: 1.0 });
                trained.push(Reading { labels: label(), value: seconds(time) });
            }
            if let Some(value) = fact("events").and_then(|count| count.parse().ok()) {
                events.push(Reading { labels: label(), value });
            }
        }
        readings.gauge("model_info", "The models that are there", info);
        readings.gauge("model_trained_timestamp_seconds", "When the model was trained, as seconds since 1970", trained);
        readings.gauge("model_events", "Events that the model was learned from", events);
        readings.gauge("models_unreadable", "Models that can't be read", alone(number(unreadable as u64)));
    }

    fn read_jobs(&self, readings: &mut Readings) {
        let jobs = self.jobs.look(|job| (job.kind, job.state));
        let mut found = Vec::new();
        for kind in JobKind::ALL {
            for state in [JobState::Waiting, JobState::Running] {
                let count = jobs.iter().filter(|job| **job == (kind, state)).count();
                let labels = vec![("kind", kind.name().to_owned()), ("state", state.name().to_owned())];
                found.push(Reading { labels, value: number(count as u64) });
            }
        }
        readings.gauge("jobs", "Jobs that wait or go on", found);
    }
}

/// The sinks, each a label.
struct Sinks {
    statuses: Vec<SinkStatus>,
}

impl Sinks {
    fn each(&self, value: impl Fn(&SinkStatus) -> f64) -> Vec<Reading> {
        let reading = |sink: &SinkStatus| Reading { labels: vec![("sink", sink.name.clone())], value: value(sink) };
        self.statuses.iter().map(reading).collect()
    }

    fn pending(&self) -> Vec<Reading> {
        let states = |sink: &SinkStatus| {
            let pending = &sink.pending;
            let counts =
                [("ready", pending.ready), ("waiting", pending.waiting), ("awaiting_ack", pending.awaiting_ack)];
            let name = sink.name.clone();
            counts.map(|(state, count)| Reading {
                labels: vec![("sink", name.clone()), ("state", state.to_owned())],
                value: number(count),
            })
        };
        self.statuses.iter().flat_map(states).collect()
    }
}

/// The process, under the names that all programs use for these.
fn read_process(opened: Timestamp, readings: &mut Readings) {
    let help = "When the process was started, as seconds since 1970";
    readings.gauge("process_start_time_seconds", help, alone(seconds(opened)));
    let resident = resident_bytes().map_or_else(Vec::new, |bytes| alone(number(bytes)));
    readings.gauge("process_resident_memory_bytes", "Memory of the process that is in use", resident);
    let open = fs::read_dir("/proc/self/fd").map_or_else(|_| Vec::new(), |open| alone(number(open.count() as u64)));
    readings.gauge("process_open_fds", "Files and connections that are open", open);
}

/// Linux tells it; elsewhere it is not known.
fn resident_bytes() -> Option<u64> {
    let status = fs::read_to_string(Path::new("/proc/self/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes << 10)
}
