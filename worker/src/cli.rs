//! Commands and flags of `trafficlab-worker`, and the configuration keys that flags set.

use std::path::PathBuf;

use crate::analyze::AnalyzeArgs;
use crate::generate::GenerateArgs;
use crate::io::target::TargetArgs;
use clap::{Args, Parser, Subcommand};
use trafficlab_shared::config::{Sources, Table, set_flag};

/// Synthetic traffic and packet analysis: a worker
#[derive(Debug, Parser)]
#[command(name = "trafficlab-worker", version, about, after_help = CLI_NOTE)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

const CLI_NOTE: &str = "Every setting can also come from TRAFFICLAB_SECTION__KEY variables or a file; \
    --print-config shows the result and where each value came from.";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take work from the broker until told to stop
    Serve(ServeArgs),
    /// Answer requests: a fast test target with delays, errors and stalls on demand
    Target(TargetArgs),
    /// Send requests to a target and report how it answered: a load tester without a broker
    Generate(Box<GenerateArgs>),
    /// Analyse a capture: windows, round trips, loss, scans, what is strange
    Analyze(Box<AnalyzeArgs>),
}

/// Flags of `serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Configuration file in TOML
    #[arg(long, value_name = "FILE", env = "TRAFFICLAB_CONFIG")]
    pub config: Option<PathBuf>,
    /// The broker, or several with commas between them
    #[arg(long, value_name = "URL")]
    pub nats: Option<String>,
    /// Name in heartbeats and entries
    #[arg(long)]
    pub id: Option<String>,
    /// How many shards run at once
    #[arg(long, value_name = "N")]
    pub capacity: Option<u32>,
    /// Sending threads; 0 takes one for each core
    #[arg(long, value_name = "N")]
    pub lanes: Option<u16>,
    /// Level or directives of the log
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,
    /// Show the effective configuration with secrets masked, then end
    #[arg(long)]
    pub print_config: bool,
}

impl ServeArgs {
    /// The layers of this process.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let mut flags = Table::new();
        set_flag(&mut flags, "nats.url", self.nats.clone());
        set_flag(&mut flags, "worker.id", self.id.clone());
        set_flag(&mut flags, "worker.capacity", self.capacity.map(i64::from));
        set_flag(&mut flags, "worker.lanes", self.lanes.map(i64::from));
        set_flag(&mut flags, "log.level", self.log.clone());
        Sources::of_process(self.config.clone(), flags)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use super::*;
    use clap::CommandFactory as _;
    use trafficlab_shared::config::{Config, Purpose};

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_serve_reach_the_configuration() {
        let line = "x serve --nats nats://127.0.0.1:4222 --id w1 --capacity 5 --lanes 2";
        let Command::Serve(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("not serve");
        };
        let config = Config::load(&args.sources(), Purpose::Worker).unwrap();
        assert_eq!(config.require_broker().unwrap(), "nats://127.0.0.1:4222");
        assert_eq!(config.worker.id.as_deref(), Some("w1"));
        assert_eq!((config.worker.capacity, config.worker.lanes), (5, 2));
    }
}
