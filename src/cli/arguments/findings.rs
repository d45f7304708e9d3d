//! The arguments of the commands about findings and what people decide about them.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use super::sinks::OutboxPlace;
use crate::app::{Entity, EntityKind, Order, Severity, Suppressed, ThreatType};

/// Where findings are read.
#[derive(Debug, Args)]
pub(crate) struct FindingPaths {
    /// Reports, directories with reports, or files with findings [default: the reports of the batch]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<PathBuf>,
    /// Directory with the reports of the batch [OUTPUT_DIR] [default: batch_outputs/]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) output_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) outbox: OutboxPlace,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FindingsCommand {
    /// List findings, the gravest first
    List(ListArguments),
    /// Show one finding with its reasons and evidence
    Show {
        /// Id of the finding, or a clear beginning of it
        #[arg(value_name = "ID")]
        id: String,
        #[command(flatten)]
        at: FindingPaths,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) at: FindingPaths,
    /// Only this threat; may be repeated
    #[arg(long, value_name = "THREAT")]
    pub(crate) threat_type: Vec<ThreatType>,
    /// Nothing below this severity
    #[arg(long, value_name = "SEVERITY", default_value = "informational")]
    pub(crate) min_severity: Severity,
    /// Only about this account, address or host, as the log spells it
    #[arg(long, value_name = "TEXT")]
    pub(crate) entity: Option<String>,
    /// Last seen at or after: today, yesterday, so long ago (24h, 7d), a date or a time
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    /// Last seen before, in the same words
    #[arg(long, value_name = "WHEN")]
    pub(crate) until: Option<String>,
    /// What is done with suppressed findings: hide (left out and counted), show (marked) or only (nothing else)
    #[arg(long, value_name = "HOW", default_value = "hide")]
    pub(crate) suppressed: Suppressed,
    /// What comes first: strongest or newest
    #[arg(long, value_name = "ORDER", default_value = "strongest")]
    pub(crate) order: Order,
    /// Most findings, up to 100
    #[arg(long, value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) limit: u16,
    /// Go on after this finding: the `next` of the page before
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
    /// Print the page as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SuppressCommand {
    /// Silence findings for a while: they are not listed or forwarded, and stay in the reports
    Add(AddArguments),
    /// List the suppressions that stand
    List {
        #[command(flatten)]
        outbox: OutboxPlace,
        /// Also those that are over or lifted
        #[arg(long)]
        all: bool,
        /// Print them as JSON
        #[arg(long)]
        json: bool,
    },
    /// Let findings ring again before the time is over
    Lift {
        /// Id of the suppression
        #[arg(value_name = "ID")]
        id: String,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        outbox: OutboxPlace,
        #[command(flatten)]
        who: Who,
    },
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub(crate) struct AddArguments {
    /// Findings like this one: same threat, same entity, no worse
    #[arg(long, value_name = "ID", group = "which")]
    pub(crate) from_finding: Option<String>,
    /// Findings of this threat
    #[arg(long, value_name = "THREAT", group = "which")]
    pub(crate) threat_type: Option<ThreatType>,
    /// With --threat-type: only about this one, for example user:backup or ip:192.0.2.7
    #[arg(long, value_name = "KIND:VALUE", value_parser = entity, conflicts_with = "from_finding")]
    pub(crate) entity: Option<Entity>,
    /// What is worse than this rings all the same [default: the finding's own severity, or medium]
    #[arg(long, value_name = "SEVERITY")]
    pub(crate) up_to: Option<Severity>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// When it ends, within a year: so long from now, like 12h or 30d, a date or a time
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    pub(crate) expires: String,
    /// Only say which findings it would hide
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) at: FindingPaths,
    /// Print the result as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who decides.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who decides, for the record
    #[arg(long = "by", value_name = "NAME", env = "USER", hide_env_values = true, default_value = "unknown")]
    pub(crate) name: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum FeedbackCommand {
    /// The finding was right: it rings even if a suppression would silence it
    Tp(SayArguments),
    /// The finding was wrong
    Fp(SayArguments),
    /// List what was said, and how often each threat was right
    List {
        #[command(flatten)]
        outbox: OutboxPlace,
        /// Print it as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SayArguments {
    /// Id of the finding, or a clear beginning of it
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What else is to be known
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) at: FindingPaths,
}

fn entity(text: &str) -> Result<Entity, String> {
    let kinds = [
        EntityKind::User,
        EntityKind::Ip,
        EntityKind::Host,
        EntityKind::Resource,
        EntityKind::Process,
        EntityKind::Source,
    ];
    let (kind, value) = text.split_once(':').filter(|(_, value)| !value.is_empty()).unwrap_or_default();
    let names = || kinds.map(EntityKind::name).join(", ");
    let kind = kinds.into_iter().find(|known| known.name() == kind);
    let kind = kind.ok_or_else(|| format!("expected KIND:VALUE, with one of the kinds {}", names()))?;
    Ok(Entity { kind, value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_names_its_kind() {
        let expected = Entity { kind: EntityKind::Ip, value: "2001:db8::1".to_owned() };
        assert_eq!(entity("ip:2001:db8::1").unwrap(), expected);
        assert!(entity("somebody").unwrap_err().starts_with("expected KIND:VALUE"));
    }
}
