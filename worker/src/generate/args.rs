//! Flags of `generate` and the small values they hold.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use trafficlab_shared::config::{Sources, Table};
use trafficlab_shared::model::arrivals::text;
use trafficlab_shared::model::threshold::Threshold;

use super::format::{Format, Report};

/// Examples and exit codes, below the flags.
const AFTER_HELP: &str = "\
Examples:
  trafficlab-worker generate http://127.0.0.1:9000/ --rate 5000 --duration 30s
  trafficlab-worker generate http://127.0.0.1:9000/ --rate max --requests 1000000 --format json
  trafficlab-worker generate 'http://127.0.0.1:9000/item/{{random_int:1,999}}' --rate 600/m --arrivals poisson \\
      --profiles --threshold 'p99<50ms' --threshold 'error_rate<1%' --report html=report.html
  trafficlab-worker generate http://127.0.0.1:9000/ --arrivals stages:10s@1000,30s@5000,10s@0
  trafficlab-worker generate http://127.0.0.1:9000/ --arrivals replay:access.log,speed=2

Times count from the moment a request was due, so a stalled target shows in the percentiles; service time (from the
real send) and send lag stand beside them. `--rate max` is a closed loop: every connection sends its next request as
soon as the last is answered, so a request is due when it is sent.
Every arrival ends as sent, dropped (the queue was full) or missed (the generator was not there in time).
Only targets of `generator.allow_targets` (this machine by default) are sent to, public ones only when their owner has
published the proof, and every request carries `X-Synthetic-Traffic` with the run's id, which is printed first.

Exit codes: 0 done, 1 nothing could be sent, 2 wrong usage or configuration, 3 target not allowed, 99 a threshold was
crossed, 130 or 143 stopped by Ctrl-C or SIGTERM (requests on their way get 2 s, the summary is printed; a second
signal ends at once).";

/// Flags of `generate`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct GenerateArgs {
    /// The target; path and query may hold templates such as `{{random_int:1,6}}`
    #[arg(required_unless_present_any = ["simulate", "print_config"])]
    pub(super) url: Option<String>,
    /// Requests a second (`5000`, `0.5`, `600/m`), or `max`; not needed for stages and replays
    #[arg(long, value_name = "R|max", help_heading = "Load")]
    pub(super) rate: Option<Rate>,
    /// How long: `10s`, `2m`, or seconds [default: the length of stages or replay, else none with --requests and 10s without]
    #[arg(long, value_name = "TIME", value_parser = positive_time, help_heading = "Load")]
    pub(super) duration: Option<Duration>,
    /// Stop after exactly this many requests
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Load")]
    pub(super) requests: Option<u64>,
    /// `constant`, `poisson`, `stages:10s@1000,…`, `sine:…`, `burst:…`, `replay:FILE[,speed=2][,repeat]`
    #[arg(long, value_name = "KIND", default_value = "constant", help_heading = "Load")]
    pub(super) arrivals: String,
    /// Connections over all threads
    #[arg(long, value_name = "C", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=65_536), help_heading = "Load")]
    pub(super) connections: u32,
    /// Sending threads, each pinned to a core [default: one for each 20 000/s asked, at most the cores but one]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u32).range(1..=256), help_heading = "Load")]
    pub(super) threads: Option<u32>,
    /// Arrivals that may wait for a connection [default: ten seconds of them]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..), help_heading = "Load")]
    pub(super) queue: Option<u32>,
    /// How much of a delay of the generator itself is sent late; older arrivals are missed [default: 1s]
    #[arg(long, value_name = "TIME", value_parser = positive_time, help_heading = "Load")]
    pub(super) catch_up: Option<Duration>,
    /// Leading part that percentiles leave out; shorter than the run
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "0", help_heading = "Load")]
    pub(super) warm_up: Duration,
    /// Seed of everything that is drawn; printed, so that a run can be repeated
    #[arg(long, value_name = "N", help_heading = "Load")]
    pub(super) seed: Option<u64>,
    /// Send nothing: draw and pack entries of a simulated campaign, auction included; at a rate, all that are due are
    /// drawn, however long it takes
    #[arg(long, help_heading = "Load")]
    pub(super) simulate: bool,
    /// With --simulate, leave the auction out
    #[arg(long, requires = "simulate", help_heading = "Load")]
    pub(super) no_auction: bool,

    /// Request method [default: GET, POST with a body]
    #[arg(short = 'X', long, help_heading = "Request")]
    pub(super) method: Option<String>,
    /// A request header, `Name: value`; the value may hold templates
    #[arg(short = 'H', long = "header", value_name = "HEADER", help_heading = "Request")]
    pub(super) headers: Vec<String>,
    /// Request body, or `@FILE`; may hold templates
    #[arg(short = 'd', long, value_name = "TEXT|@FILE", help_heading = "Request")]
    pub(super) body: Option<String>,
    /// The same as `--body @FILE`
    #[arg(long, value_name = "FILE", conflicts_with = "body", help_heading = "Request")]
    pub(super) body_file: Option<PathBuf>,
    /// Rows for `{{csv:column}}`: request n takes row n, over and over; the first line names the columns
    #[arg(long, value_name = "FILE", help_heading = "Request")]
    pub(super) csv: Option<PathBuf>,
    /// Headers of realistic visitors instead of `User-Agent: trafficlab/VERSION`
    #[arg(long, help_heading = "Request")]
    pub(super) profiles: bool,
    /// Where visitors live: `Germany`, `DE=3` (weight); repeatable or with commas
    #[arg(long, value_name = "COUNTRY[=W]", value_delimiter = ',', help_heading = "Request")]
    pub(super) geo: Vec<String>,
    /// The statuses of a success [default: 2xx and 3xx]
    #[arg(long, value_name = "CODES", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(100..=599), help_heading = "Request")]
    pub(super) expect_status: Vec<u16>,
    /// A text that the body of a success contains
    #[arg(long, value_name = "TEXT", help_heading = "Request")]
    pub(super) expect_body: Option<String>,
    /// How many redirects are followed; each hop is checked like the target
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=20), help_heading = "Request")]
    pub(super) redirects: u8,
    /// Time-out of a request, from its first write
    #[arg(long, value_name = "TIME", value_parser = positive_time, default_value = "30s", help_heading = "Request")]
    pub(super) timeout: Duration,
    /// Time-out of name, connection and TLS handshake together
    #[arg(long, value_name = "TIME", value_parser = positive_time, default_value = "5s", help_heading = "Request")]
    pub(super) connect_timeout: Duration,

    /// HTTP/1.1, which is the default
    #[arg(long, conflicts_with = "http2", help_heading = "Transport")]
    pub(super) http1: bool,
    /// HTTP/2: ALPN `h2` over TLS, prior knowledge without; never a silent fallback
    #[arg(long, help_heading = "Transport")]
    pub(super) http2: bool,
    /// Concurrent requests of one HTTP/2 connection
    #[arg(long, value_name = "N", default_value_t = 1, requires = "http2", value_parser = clap::value_parser!(u32).range(1..=1000), help_heading = "Transport")]
    pub(super) streams: u32,
    /// A connection of its own for each request
    #[arg(long, help_heading = "Transport")]
    pub(super) no_keepalive: bool,
    /// PEM file of a certificate authority that is trusted beside the public ones
    #[arg(long, value_name = "FILE", help_heading = "Transport")]
    pub(super) ca: Option<PathBuf>,
    /// Accept any certificate; said on stderr and in every report
    #[arg(long, help_heading = "Transport")]
    pub(super) insecure: bool,

    /// What must hold, such as `p99<50ms` or `error_rate<1%`; repeatable; exit code 99 when it does not
    #[arg(long = "threshold", value_name = "RULE", value_parser = Threshold::parse, help_heading = "Results")]
    pub(super) thresholds: Vec<Threshold>,
    /// Stop as soon as a threshold is crossed, judged each second
    #[arg(long, requires = "thresholds", help_heading = "Results")]
    pub(super) abort_on_threshold: bool,
    /// With --abort-on-threshold, the time before the first judgement
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "5s", help_heading = "Results")]
    pub(super) abort_after: Duration,
    /// What is printed on standard output
    #[arg(long, value_enum, default_value_t = Format::Table, help_heading = "Results")]
    pub(super) format: Format,
    /// A report in a file, `html=report.html`; repeatable
    #[arg(long = "report", value_name = "FORMAT=FILE", help_heading = "Results")]
    pub(super) reports: Vec<Report>,
    /// With JSON, the figures of every second too
    #[arg(long, help_heading = "Results")]
    pub(super) series: bool,
    /// The progress line also when standard error is no terminal
    #[arg(long, conflicts_with = "quiet", help_heading = "Results")]
    pub(super) progress: bool,
    /// No progress line
    #[arg(short, long, help_heading = "Results")]
    pub(super) quiet: bool,

    /// Configuration file in TOML
    #[arg(long, value_name = "FILE", env = "TRAFFICLAB_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Show the effective configuration with secrets masked, then end
    #[arg(long)]
    pub(super) print_config: bool,
}

impl GenerateArgs {
    /// The layers of this process; no flag of `generate` sets a key.
    pub(super) fn sources(&self) -> Sources {
        Sources::of_process(self.config.clone(), Table::new())
    }
}

/// How fast requests are to be sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Rate {
    /// As fast as answers come back.
    Max,
    /// Requests a second.
    PerSecond(f64),
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(written: &str) -> Result<Self, String> {
        if written == "max" {
            return Ok(Self::Max);
        }
        match text::rate(&written.replace('_', "")) {
            Ok(rate) if rate >= 1e-6 => Ok(Self::PerSecond(rate)),
            _ => Err(format!("`{written}` is not a rate such as `5000`, `0.5`, `600/m` or `max`")),
        }
    }
}

/// A duration: seconds as a bare number, or numbers with units.
pub(super) fn time(written: &str) -> Result<Duration, String> {
    let too_long = |_| format!("`{written}` is too long");
    text::seconds(written).and_then(|seconds| Duration::try_from_secs_f64(seconds).map_err(too_long))
}

/// A duration that is not 0.
fn positive_time(written: &str) -> Result<Duration, String> {
    time(written).and_then(|time| if time.is_zero() { Err("must be longer than 0".to_owned()) } else { Ok(time) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        for (text, rate) in [
            ("5000", Rate::PerSecond(5000.0)),
            ("0.5", Rate::PerSecond(0.5)),
            ("600/m", Rate::PerSecond(10.0)),
            ("7/s", Rate::PerSecond(7.0)),
            ("40_000", Rate::PerSecond(40_000.0)),
            ("max", Rate::Max),
        ] {
            assert_eq!(text.parse(), Ok(rate), "{text}");
        }
        for text in ["", "0", "-1", "fast", "1/x", "nan", "inf", "1e12", "/m"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, milliseconds) in
            [("10", 10_000), ("1.5s", 1_500), ("2m", 120_000), ("250ms", 250), ("1m30s", 90_000), ("0", 0)]
        {
            assert_eq!(time(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        assert!(positive_time("0s").is_err() && positive_time("1ms").is_ok());
        for text in ["", "s", "-1", "1x", "ten", "1e30"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
