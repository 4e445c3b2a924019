//! Commands and flags of `trafficlab-coordinator`, and the configuration keys that flags set.

mod visits;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use trafficlab_shared::config::{DEV_PRESET, Sources, Table, Value, set_flag};

pub use self::visits::{
    ExportArgs, ExportFormat, ImportArgs, ImportKind, PruneArgs, ServerUrl, VisitsArgs, VisitsCommand,
};
use crate::dev::guard::GuardArgs;

/// Synthetic traffic, packet analysis, ad operations and visits: the server
#[derive(Debug, Parser)]
#[command(name = "trafficlab-coordinator", version, about, after_help = CLI_NOTE)]
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
    /// Start a broker, workers and the server on this machine; everything stops together
    Dev(DevArgs),
    /// Start the server and join the broker named by `nats.url`
    Serve(ServeArgs),
    /// Write everything that is stored as JSON lines; the server must not be running
    Dump(DumpArgs),
    /// Read a dump into an empty data folder
    Restore(RestoreArgs),
    /// Export, import or prune the visits of a running server
    Visits(VisitsArgs),
    /// Print the line that the owner of a target publishes in /.well-known/trafficlab.txt
    Ownership(OwnershipArgs),
    /// Run a command that cannot outlive its parent
    #[command(hide = true)]
    Guard(GuardArgs),
}

/// What the analyzer reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ModeArg {
    /// Capture files
    Pcap,
    /// An interface
    Live,
}

/// Flags of every command that reads the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// Configuration file in TOML
    #[arg(long, value_name = "FILE", env = "TRAFFICLAB_CONFIG")]
    pub config: Option<PathBuf>,
    /// Folder of all state
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Show the effective configuration with secrets masked, then end
    #[arg(long)]
    pub print_config: bool,
}

/// Flags of a server.
#[derive(Debug, Clone, Default, Args)]
pub struct ServerArgs {
    /// Address to listen on; may be given several times
    #[arg(long, value_name = "ADDR")]
    pub listen: Vec<SocketAddr>,
    /// What the analyzer reads
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// The capture file that `compute` takes by default
    #[arg(long, value_name = "FILE")]
    pub pcap: Option<PathBuf>,
    /// The interface of live mode
    #[arg(long, value_name = "NAME")]
    pub interface: Option<String>,
    /// Level or directives of the log, such as `debug` or `info,trafficlab_coordinator=debug`
    #[arg(long, value_name = "LEVEL")]
    pub log: Option<String>,
}

/// Flags of `dev`.
#[derive(Debug, Clone, Args)]
pub struct DevArgs {
    /// How many worker processes to start
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub workers: u16,
    /// Flags of the configuration
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Flags of the server
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Flags of `serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// The broker, or several with commas between them
    #[arg(long, value_name = "URL")]
    pub nats: Option<String>,
    /// Flags of the configuration
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Flags of the server
    #[command(flatten)]
    pub server: ServerArgs,
}

/// Flags of `dump`.
#[derive(Debug, Clone, Args)]
pub struct DumpArgs {
    /// Where to write; `-` is standard output
    #[arg(value_name = "FILE")]
    pub output: PathBuf,
    /// Flags of the configuration
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Flags of `restore`.
#[derive(Debug, Clone, Args)]
pub struct RestoreArgs {
    /// What to read; `-` is standard input
    #[arg(value_name = "FILE")]
    pub input: PathBuf,
    /// `erased.jsonl` of the server's latest data folder: who was erased since the dump is erased again
    #[arg(long, value_name = "FILE")]
    pub erased: Option<PathBuf>,
    /// Flags of the configuration
    #[command(flatten)]
    pub config: ConfigArgs,
}

/// Flags of `ownership`.
#[derive(Debug, Clone, Args)]
pub struct OwnershipArgs {
    /// The target, such as `https://shop.example.com`
    #[arg(value_name = "URL")]
    pub url: String,
    /// Flags of the configuration
    #[command(flatten)]
    pub config: ConfigArgs,
}

impl ConfigArgs {
    /// The layers of a command without server flags.
    #[must_use]
    pub fn sources(&self) -> Sources {
        self.layers(Table::new())
    }

    fn layers(&self, mut flags: Table) -> Sources {
        set_flag(&mut flags, "data_dir", self.data_dir.as_ref().map(|dir| dir.display().to_string()));
        Sources::of_process(self.config.clone(), flags)
    }
}

impl ServerArgs {
    fn flags(&self) -> Table {
        let mut flags = Table::new();
        let listen = self.listen.iter().map(|address| Value::String(address.to_string()));
        let listen: Vec<Value> = listen.collect();
        set_flag(&mut flags, "listen", Some(listen).filter(|addresses| !addresses.is_empty()));
        let mode = self.mode.map(|mode| match mode {
            ModeArg::Pcap => "pcap",
            ModeArg::Live => "live",
        });
        set_flag(&mut flags, "mode", mode);
        set_flag(&mut flags, "captures.pcap_file", self.pcap.as_ref().map(|file| file.display().to_string()));
        set_flag(&mut flags, "captures.interface", self.interface.clone());
        set_flag(&mut flags, "log.level", self.log.clone());
        flags
    }
}

impl DevArgs {
    /// The layers of `dev`.
    #[must_use]
    pub fn sources(&self) -> Sources {
        Sources { preset: Some(DEV_PRESET), ..self.config.layers(self.server.flags()) }
    }
}

impl ServeArgs {
    /// The layers of `serve`.
    #[must_use]
    pub fn sources(&self) -> Sources {
        let mut flags = self.server.flags();
        set_flag(&mut flags, "nats.url", self.nats.clone());
        self.config.layers(flags)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use super::*;
    use clap::CommandFactory as _;
    use trafficlab_shared::config::{AnalyzerMode, Config, Environment, Purpose};

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn flags_of_dev_reach_the_configuration() {
        let line = "x dev --workers 3 --data-dir d --listen 127.0.0.1:1 --listen [::1]:2 --mode live --interface eth0";
        let Command::Dev(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("not dev");
        };
        assert_eq!(args.workers, 3);
        let config = Config::load(&args.sources(), Purpose::Coordinator).unwrap();
        assert_eq!(config.listen.len(), 2);
        assert_eq!(config.mode, AnalyzerMode::Live);
        assert_eq!(config.captures.interface.as_deref(), Some("eth0"));
        assert_eq!(config.environment, Environment::Development);
    }

    #[test]
    fn guard_takes_a_command_with_flags_of_its_own() {
        let line = "x guard --parent 7 -- prog --lock y";
        let Command::Guard(args) = Cli::try_parse_from(line.split(' ')).unwrap().command else {
            panic!("not guard");
        };
        assert_eq!((args.parent, args.command.len()), (7, 3));
    }
}
