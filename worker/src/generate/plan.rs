//! From flags and configuration to a checked plan, before anything is sent.

use std::sync::Arc;
use std::time::Duration;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::schedule::Schedule;
use trafficlab_shared::config::Config;
use trafficlab_shared::model::arrivals::Arrivals;
use trafficlab_shared::model::content::{ContentInput, ContentSpec};
use uuid::Uuid;

use super::args::{GenerateArgs, Rate};
use super::request::{self, Request};
use super::source::{self, Asked};

/// Requests a second for which one thread is enough by default.
const PER_THREAD: u64 = 20_000;
/// A run without an end of its own: as long as slots can be numbered.
const ENDLESS_MS: u64 = 4_000_000_000_000;
const DEFAULT_LENGTH: Duration = Duration::from_secs(10);

/// Why a run does not begin.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanFault {
    /// A flag, a file or the configuration is wrong.
    #[error("{0}")]
    Usage(String),
    /// The allow-list or the target's owner says no.
    #[error("{0}")]
    Refused(String),
}

impl From<String> for PlanFault {
    fn from(message: String) -> Self {
        Self::Usage(message)
    }
}

/// When requests are sent.
#[derive(Debug, Clone)]
pub(super) enum Pace {
    /// At the moments of a schedule, whatever the target does.
    Open {
        arrivals: Asked,
        /// Millionths of a request per minute.
        rate: u64,
        duration_ms: u64,
        /// Arrivals older than this are missed.
        catch_up_ns: u64,
    },
    /// Each as soon as the connection's last one is answered.
    Closed {
        duration_ns: Option<u64>,
        /// Requests a second that the configuration permits.
        cap: u64,
    },
}

/// What an arrival turns into.
#[derive(Clone)]
pub(super) enum What {
    /// A real request.
    Http(Box<Request>),
    /// A drawn entry.
    Simulated,
}

/// A checked run.
#[derive(Clone)]
pub(super) struct Plan {
    /// A `UUIDv7`; marks every request.
    pub(super) run_id: String,
    pub(super) seed: u64,
    pub(super) threads: u32,
    pub(super) pace: Pace,
    pub(super) what: What,
    pub(super) content: Arc<Content>,
    pub(super) requests: Option<u64>,
    pub(super) warm_up: Duration,
    /// Requests a second as asked for; none for `max` and for rates that change.
    pub(super) asked_rate: Option<f64>,
    /// What a person should know before it begins.
    pub(super) note: Option<String>,
}

impl Plan {
    /// Checks flags against one another and the configuration; reads the files they name.
    pub(super) fn new(args: &GenerateArgs, config: &Config) -> Result<Self, PlanFault> {
        let id = Uuid::now_v7();
        let run_id = id.to_string();
        let content = Arc::new(content(args)?);
        let (pace, note) = pace(args, config)?;
        warm_up(args, &pace)?;
        let threads = threads(args, &pace);
        let what = if args.simulate {
            What::Simulated
        } else {
            What::Http(Box::new(request::check(args, config, &run_id, queue(args, &pace, threads), threads)?))
        };
        let asked_rate = match (&pace, args.rate) {
            (Pace::Open { arrivals: Asked::Shape(Arrivals::Stages { .. }), .. }, _) => None,
            (Pace::Open { .. }, Some(Rate::PerSecond(rate))) => Some(rate),
            _ => None,
        };
        // Random bits of the id; the run can be repeated by naming the printed seed. Every JSON reader takes 52 bits.
        let seed = args.seed.unwrap_or(id.as_u64_pair().1 >> 12);
        Ok(Self {
            run_id,
            seed,
            threads,
            pace,
            what,
            content,
            requests: args.requests,
            warm_up: args.warm_up,
            asked_rate,
            note,
        })
    }

    /// The schedule of one thread; `None` in a closed loop.
    pub(super) fn schedule(&self, shard: u32) -> Option<Schedule> {
        match &self.pace {
            Pace::Open { arrivals: Asked::Shape(arrivals), rate, duration_ms, .. } => {
                Some(Schedule::plain(self.seed, arrivals, *rate, *duration_ms, self.threads, shard))
            }
            Pace::Open { arrivals: Asked::Replay(timeline), duration_ms, .. } => {
                Some(Schedule::replay(timeline, *duration_ms, self.threads, shard))
            }
            Pace::Closed { .. } => None,
        }
    }

    /// How many of the wanted requests one thread makes: arrival n belongs to thread n mod T.
    pub(super) fn budget(&self, shard: u32) -> Option<u64> {
        self.requests.map(|requests| share(requests, self.threads, shard))
    }

    /// The word for summaries.
    pub(super) const fn mode(&self) -> &'static str {
        match (&self.what, &self.pace) {
            (What::Simulated, _) => "simulate",
            (What::Http(_), Pace::Open { .. }) => "open",
            (What::Http(_), Pace::Closed { .. }) => "closed",
        }
    }
}

/// Part `index` of `whole` split evenly into `parts`, the first ones larger.
pub(super) fn share(whole: u64, parts: u32, index: u32) -> u64 {
    let parts = u64::from(parts.max(1));
    whole / parts + u64::from(u64::from(index) < whole % parts)
}

fn content(args: &GenerateArgs) -> Result<Content, String> {
    let places = source::places(&args.geo)?;
    let rtb = args.simulate && !args.no_auction;
    let input = ContentInput { geo_locations: places.as_ref(), rtb_by_default: rtb, ..ContentInput::default() };
    let spec = ContentSpec::parse(&input).map_err(|faults| {
        let faults: Vec<String> = faults.into_iter().map(|fault| fault.message).collect();
        format!("`--geo`: {}", faults.join("; "))
    })?;
    Content::new(&spec).map_err(|error| error.to_string())
}

fn pace(args: &GenerateArgs, config: &Config) -> Result<(Pace, Option<String>), String> {
    let (arrivals, note) = source::arrivals(&args.arrivals)?;
    let generator = &config.generator;
    let cap = generator.max_rate.min(generator.max_rate_per_target);
    let Some(rate) = rate(args, &arrivals)? else {
        let duration = args.duration.or_else(|| args.requests.is_none().then_some(DEFAULT_LENGTH));
        return Ok((Pace::Closed { duration_ns: duration.map(nanoseconds), cap }, note));
    };
    let peak = arrivals.peak_per_second(rate);
    if !args.simulate && peak > cap {
        let key = if generator.max_rate < generator.max_rate_per_target { "max_rate" } else { "max_rate_per_target" };
        return Err(format!("{peak} requests/s are more than `generator.{key}` permits: {cap}"));
    }
    let duration_ms = match (args.duration, arrivals.length_ms()) {
        (Some(duration), _) => milliseconds(duration),
        // Also with a number of requests: stages may end at a rate of 0, at which nothing more would ever come.
        (None, Some(length)) => length,
        (None, None) if args.requests.is_some() || matches!(arrivals, Asked::Replay(_)) => ENDLESS_MS,
        (None, None) => milliseconds(DEFAULT_LENGTH),
    };
    let catch_up = args.catch_up.map_or(generator.catch_up.nanoseconds(), nanoseconds);
    // Nothing is late in a simulation: what is due is drawn as soon as there is time for it.
    let catch_up_ns = if args.simulate { u64::MAX } else { catch_up };
    Ok((Pace::Open { arrivals, rate, duration_ms, catch_up_ns }, note))
}

/// The rate in millionths of a request per minute; none for the closed loop.
fn rate(args: &GenerateArgs, arrivals: &Asked) -> Result<Option<u64>, String> {
    match (args.rate, arrivals) {
        (Some(Rate::Max), Asked::Shape(Arrivals::Constant)) => Ok(None),
        (None, Asked::Shape(Arrivals::Constant)) if args.simulate => Ok(None),
        (Some(Rate::Max), _) => Err("`--rate max` has no arrivals to shape; name a rate".to_owned()),
        (Some(Rate::PerSecond(_)), Asked::Replay(_)) => {
            Err("a replay has its own moments; use `speed=` instead of `--rate`".to_owned())
        }
        (Some(Rate::PerSecond(_)), Asked::Shape(Arrivals::Stages { .. })) => {
            Err("stages have their own rates; leave `--rate` out".to_owned())
        }
        (Some(Rate::PerSecond(rate)), _) => Ok(Some(millionths_per_minute(rate))),
        (None, Asked::Shape(Arrivals::Stages { .. }) | Asked::Replay(_)) => Ok(Some(0)),
        (None, _) => Err("name a rate: `--rate 100`, or `--rate max`".to_owned()),
    }
}

/// Enough for the rate, and a core left to the collector and the rest of the machine.
fn threads(args: &GenerateArgs, pace: &Pace) -> u32 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let most = u32::try_from(cores.saturating_sub(1)).unwrap_or(1).max(1);
    let useful = match pace {
        Pace::Open { arrivals, rate, .. } => {
            let peak = arrivals.peak_per_second(*rate);
            u32::try_from(peak.div_ceil(PER_THREAD)).unwrap_or(u32::MAX).max(1)
        }
        Pace::Closed { .. } => most,
    };
    let connections = if args.simulate { u32::MAX } else { args.connections };
    args.threads.unwrap_or_else(|| useful.min(most)).min(connections)
}

/// Arrivals that may wait for a connection of one thread.
fn queue(args: &GenerateArgs, pace: &Pace, threads: u32) -> usize {
    let per_thread = match (args.queue, pace) {
        (Some(queue), _) => u64::from(queue).div_ceil(u64::from(threads)),
        (None, Pace::Closed { .. }) => 1024,
        (None, Pace::Open { arrivals, rate, .. }) => {
            let peak = arrivals.peak_per_second(*rate);
            (peak * 10 / u64::from(threads)).clamp(1024, 1_000_000)
        }
    };
    usize::try_from(per_thread).unwrap_or(1024)
}

/// A warm-up leaves something to be timed; else no threshold could ever be crossed.
fn warm_up(args: &GenerateArgs, pace: &Pace) -> Result<(), String> {
    let length_ns = match pace {
        Pace::Open { duration_ms, .. } => duration_ms.saturating_mul(1_000_000),
        Pace::Closed { duration_ns, .. } => duration_ns.unwrap_or(u64::MAX),
    };
    if nanoseconds(args.warm_up) < length_ns {
        return Ok(());
    }
    Err("`--warm-up` must be shorter than the run; all of it would be left out of the percentiles".to_owned())
}

/// Whole milliseconds, at least one of them for a shorter time.
fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(ENDLESS_MS).min(ENDLESS_MS)
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the flag holds 1e-6 to 1e9 a second")]
fn millionths_per_minute(per_second: f64) -> u64 {
    (per_second * 60e6).round() as u64
}
