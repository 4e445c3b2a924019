//! Flags of `visits`: commands that ask a running server.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Flags of `visits`.
#[derive(Debug, Clone, Args)]
pub struct VisitsArgs {
    /// What to do
    #[command(subcommand)]
    pub command: VisitsCommand,
}

/// Which server is asked, and as whom.
#[derive(Debug, Clone, Args)]
pub struct ServerUrl {
    /// The server
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// A file with the token for the server; none is needed on loopback
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum VisitsCommand {
    /// Write raw visits as CSV, JSON lines or Parquet
    Export(ExportArgs),
    /// Import an access log (nginx, Apache, Caddy) or a CSV export of Plausible, and wait for it
    Import(ImportArgs),
    /// Remove old visits
    Prune(PruneArgs),
}

/// How visits are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// RFC 4180
    Csv,
    /// One JSON object a line
    Ndjson,
    /// Typed columns
    Parquet,
}

impl ExportFormat {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }
}

/// What an imported file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ImportKind {
    /// Found out by its first lines
    Auto,
    /// nginx's access log
    Nginx,
    /// Apache's access log
    Apache,
    /// Caddy's JSON access log
    Caddy,
    /// A CSV export of Plausible
    Plausible,
}

impl ImportKind {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Caddy => "caddy",
            Self::Plausible => "plausible",
        }
    }
}

/// Flags of `visits export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// The server
    #[command(flatten)]
    pub server: ServerUrl,
    /// The site; needed unless there is only one
    #[arg(long, value_name = "DOMAIN")]
    pub site: Option<String>,
    /// `day`, `7d`, `30d`, `month`, `all`, … as in the API
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["from", "to"])]
    pub period: Option<String>,
    /// First day
    #[arg(long, value_name = "DATE", requires = "to")]
    pub from: Option<String>,
    /// Last day
    #[arg(long, value_name = "DATE", requires = "from")]
    pub to: Option<String>,
    /// Conditions as in the API, such as `visit:country==DE`
    #[arg(long, value_name = "FILTERS")]
    pub filters: Option<String>,
    /// `exclude`, `include`, `only`
    #[arg(long, value_name = "HOW")]
    pub bots: Option<String>,
    /// `real`, `synthetic`, `unverified`, `all`
    #[arg(long, value_name = "WHOSE")]
    pub traffic: Option<String>,
    /// How they are written
    #[arg(long, value_enum, default_value = "csv")]
    pub format: ExportFormat,
    /// Where to; standard output without it
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Flags of `visits import`.
#[derive(Debug, Clone, Args)]
pub struct ImportArgs {
    /// The file, gzipped or not
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The server
    #[command(flatten)]
    pub server: ServerUrl,
    /// The site of everything in the file; a log may say it line by line
    #[arg(long, value_name = "DOMAIN")]
    pub site: Option<String>,
    /// What the file is
    #[arg(long, value_enum, default_value = "auto")]
    pub format: ImportKind,
    /// Only count what would come
    #[arg(long)]
    pub dry_run: bool,
    /// Import a file that was imported before
    #[arg(long)]
    pub again: bool,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// Flags of `visits prune`.
#[derive(Debug, Clone, Args)]
pub struct PruneArgs {
    /// The server
    #[command(flatten)]
    pub server: ServerUrl,
    /// Days that stay, today among them; without it each site's own setting
    #[arg(long, value_name = "N")]
    pub keep_days: Option<u32>,
    /// Only of this site
    #[arg(long, value_name = "DOMAIN")]
    pub site: Option<String>,
    /// Only tell what would go
    #[arg(long)]
    pub dry_run: bool,
}
