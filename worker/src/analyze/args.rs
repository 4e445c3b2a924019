//! Flags of `analyze`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use trafficlab_engine::packet::export::{Format as Export, What};
use trafficlab_shared::config::{ByteSize, Sources, Table};
use trafficlab_shared::model::arrivals::text;

/// Examples and exit codes, below the flags.
const AFTER_HELP: &str = "\
Examples:
  trafficlab-worker analyze capture.pcapng
  tcpdump -w - -c 100000 | trafficlab-worker analyze - --window 1
  trafficlab-worker analyze capture.pcap.gz --format json | jq '.anomalies[].message'
  trafficlab-worker analyze capture.pcap --format zeek --output conn.log
  trafficlab-worker analyze monday.pcap --save-baseline usual.json --quiet
  trafficlab-worker analyze tuesday.pcap --baseline usual.json
  trafficlab-worker analyze capture.pcap --format parquet --what connections --anonymise key.hex --output flows.parquet

Reads pcap and pcapng, gzipped or not. `--format json` prints one object with `summary`, `windows`, `anomalies` and
`wire`, whose figures are defined as tshark's. What is strange in a window is judged against `--baseline`, or against
the capture's other windows; the thresholds are the settings of `[anomalies]`.

Exit codes: 0 done; 1 the file is damaged (the packets before the damage are analysed and shown); 2 wrong usage or
configuration; 3 the input cannot be read, is no capture, or holds packets of an unsupported link type.";

/// The form of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One object with everything
    Json,
    /// One line for each window, then one for each anomaly
    Jsonl,
    /// RFC 4180
    Csv,
    /// Typed columns for data tools
    Parquet,
    /// InfluxDB line protocol
    Influx,
    /// Zeek's conn.log, or notice.log with `--what anomalies`
    Zeek,
    /// Suricata's EVE JSON
    Eve,
}

impl Format {
    /// The engine's export of this name.
    pub(super) const fn export(self) -> Option<Export> {
        match self {
            Self::Table | Self::Json => None,
            Self::Jsonl => Some(Export::Jsonl),
            Self::Csv => Some(Export::Csv),
            Self::Parquet => Some(Export::Parquet),
            Self::Influx => Some(Export::Influx),
            Self::Zeek => Some(Export::Zeek),
            Self::Eve => Some(Export::Eve),
        }
    }
}

/// Flags of `analyze`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct AnalyzeArgs {
    /// A capture, or `-` for standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Length of a window: seconds (`10`, `0.5`) or a time with units (`500ms`, `1m`)
    #[arg(long, value_name = "TIME", default_value = "10", value_parser = window_ns, allow_hyphen_values = true)]
    pub(super) window: u64,
    /// The form of the result
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Table)]
    pub(super) format: Format,
    /// What an export holds: `windows`, `anomalies`, `connections`; formats of lines take several with commas
    /// [default: windows and anomalies for jsonl and influx, all three for eve, connections for zeek, else windows]
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = what)]
    pub(super) what: Vec<What>,
    /// What is usual, as `--save-baseline` wrote it
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Write what is usual in this capture
    #[arg(long, value_name = "FILE")]
    pub(super) save_baseline: Option<PathBuf>,
    /// Replace addresses, keeping their common prefixes, under a key of 32 bytes or 64 hexadecimal digits in a file,
    /// or in an environment variable named as `env:NAME`
    #[arg(long, value_name = "KEY-FILE", visible_alias = "anonymize")]
    pub(super) anonymise: Option<PathBuf>,
    /// Write the result to a file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Most bytes of a gzipped capture once it is unpacked, such as `10GB`; none by default
    #[arg(long, value_name = "SIZE")]
    pub(super) max_unpacked: Option<ByteSize>,
    /// Connections told one by one in exports; further ones are counted
    #[arg(long, value_name = "N", default_value_t = 10_000_000)]
    pub(super) max_connections: u32,
    /// Flows held at once; beyond that the one used least recently is given up and counted
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_flows: u32,
    /// Configuration file in TOML, for the thresholds of anomalies
    #[arg(long, value_name = "FILE", env = "TRAFFICLAB_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Show how far it is even when standard error is no terminal or the file is small
    #[arg(long, conflicts_with = "quiet")]
    pub(super) progress: bool,
    /// No progress and no notes on standard error, only faults
    #[arg(short, long)]
    pub(super) quiet: bool,
}

impl AnalyzeArgs {
    /// What the export will hold.
    ///
    /// # Errors
    /// A sentence when the format cannot hold it.
    pub(super) fn contents(&self) -> Result<Vec<What>, String> {
        let Some(export) = self.format.export() else {
            let given = self.what.is_empty();
            return if given {
                Ok(Vec::new())
            } else {
                Err(format!("`--what` is for exports, not for `{}`", self.name()))
            };
        };
        let contents = if self.what.is_empty() { default_contents(export) } else { self.what.clone() };
        if let Some(what) = contents.iter().find(|what| !export.holds(**what)) {
            return Err(format!("`--format {}` has no form for {}", self.name(), what.as_str()));
        }
        let one = matches!(export, Export::Csv | Export::Parquet | Export::Zeek);
        if one && contents.len() > 1 {
            return Err(format!("a `{}` file holds one of windows, anomalies and connections", self.name()));
        }
        Ok(contents)
    }

    fn name(&self) -> String {
        self.format.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// The layers of configuration.
    pub(super) fn sources(&self) -> Sources {
        Sources::of_process(self.config.clone(), Table::new())
    }
}

fn default_contents(export: Export) -> Vec<What> {
    match export {
        Export::Csv | Export::Parquet => vec![What::Windows],
        Export::Jsonl | Export::Influx => vec![What::Windows, What::Anomalies],
        Export::Zeek => vec![What::Connections],
        Export::Eve => vec![What::Connections, What::Anomalies, What::Windows],
    }
}

fn what(word: &str) -> Result<What, String> {
    What::of(word).ok_or_else(|| format!("`{word}` is none of `windows`, `anomalies`, `connections`"))
}

/// Most seconds of a window: a century.
const LONGEST_S: f64 = 3_155_760_000.0;

/// A window's length in nanoseconds.
fn window_ns(written: &str) -> Result<u64, String> {
    let wrong =
        || format!("`{written}` is no length of a window: a number of seconds above 0, such as `10` or `500ms`");
    let seconds = text::seconds(written).map_err(|_unreadable| wrong())?;
    if !(seconds.is_finite() && seconds > 0.0) {
        return Err(wrong());
    }
    if !(0.001..=LONGEST_S).contains(&seconds) {
        return Err(format!(
            "a window of `{written}` is too {}",
            if seconds < 1.0 { "short: 1ms at least" } else { "long" }
        ));
    }
    let length = std::time::Duration::try_from_secs_f64(seconds).map_err(|_unreadable| wrong())?;
    u64::try_from(length.as_nanos()).map_err(|_unreadable| wrong())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use super::*;
    use crate::cli::{Cli, Command};
    use clap::Parser as _;

    fn parsed(line: &str) -> Result<AnalyzeArgs, String> {
        let words = ["x", "analyze", "f.pcap"].into_iter().chain(line.split_whitespace());
        let command = Cli::try_parse_from(words).map_err(|fault| fault.to_string())?.command;
        let Command::Analyze(args) = command else { panic!("not analyze") };
        Ok(*args)
    }

    #[test]
    fn windows_have_a_length() {
        for (written, ns) in
            [("10", 10_000_000_000), ("0.5", 500_000_000), ("500ms", 500_000_000), ("1m", 60_000_000_000)]
        {
            assert_eq!(window_ns(written), Ok(ns), "{written}");
        }
        for written in ["0", "-1", "nan", "inf", "-inf", "ten", "", "0s", "1e40", "0.0001", "99999999999"] {
            assert!(window_ns(written).unwrap_err().contains("window"), "{written}");
        }
        assert!(parsed("--window -5").unwrap_err().contains("above 0"));
    }

    #[test]
    fn a_file_holds_what_its_format_can() {
        let contents = |line: &str| parsed(line).unwrap().contents();
        assert_eq!(contents("--format csv"), Ok(vec![What::Windows]));
        assert_eq!(contents("--format zeek"), Ok(vec![What::Connections]));
        assert_eq!(contents("--format jsonl --what anomalies,windows"), Ok(vec![What::Anomalies, What::Windows]));
        assert_eq!(contents(""), Ok(Vec::new()));
        for (line, word) in [
            ("--format zeek --what windows", "no form"),
            ("--format csv --what windows,anomalies", "one of"),
            ("--what windows", "exports"),
        ] {
            assert!(contents(line).unwrap_err().contains(word), "{line}");
        }
        assert!(parsed("--what flows").unwrap_err().contains("connections"));
    }
}
