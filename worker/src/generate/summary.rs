//! What a run came to: figures that every format shows in its own way.

use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::judge::{Verdict, judge};
use trafficlab_shared::model::arrivals::Arrivals;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::model::threshold::Threshold;

use super::collect::{Collected, Stopped};
use super::counts::{Counts, Times};
use super::figures::{float, millis, ratio};
use super::lane::Used;
use super::plan::{Pace, Plan, What};
use super::series::Series;
use super::source::Asked;
use crate::io::http::HttpVersion;

/// Lag above which the generator is said to be the limit, as in campaigns.
const LAG_LIMIT_US: u64 = 10_000;
const ACHIEVED_LIMIT: f64 = 0.99;
/// Share of a core, run on or waited for, above which a thread is said to be at its end.
const BUSY_LIMIT: f64 = 0.97;
/// Share of the time that others were let first above which they may be the cause of a lag.
const WAITING_LIMIT: f64 = 0.2;
/// Share of the configured cap above which it is said to be the limit.
const CAP_LIMIT: f64 = 0.97;

/// A run that is over.
pub(super) struct Summary {
    pub(super) run_id: String,
    pub(super) target: Option<String>,
    pub(super) method: Option<String>,
    /// `open`, `closed` or `simulate`.
    pub(super) mode: &'static str,
    pub(super) http_version: Option<&'static str>,
    pub(super) insecure: bool,
    pub(super) seed: u64,
    pub(super) threads: u32,
    pub(super) connections: Option<usize>,
    pub(super) arrivals: String,
    pub(super) asked_rate: Option<f64>,
    pub(super) warm_up_s: f64,
    /// Wall-clock nanoseconds of the start.
    pub(super) started_ns: u64,
    /// From the start to the end of the arrivals, or to the last send when that came later; in a closed loop to the
    /// last answer.
    pub(super) duration_s: f64,
    /// From then to the last answer.
    pub(super) wait_s: f64,
    pub(super) counts: Counts,
    pub(super) times: Times,
    pub(super) series: Series,
    pub(super) lane_busy: Vec<f64>,
    /// Why the generator, and not the target, may have set the limit.
    pub(super) limits: Vec<String>,
    pub(super) verdicts: Vec<Verdict>,
    pub(super) stopped: Option<Stopped>,
}

/// What `Summary::new` is told beside the plan.
pub(super) struct Ran<'a> {
    pub(super) arrivals: &'a str,
    pub(super) thresholds: &'a [Threshold],
    pub(super) origin_ns: u64,
    pub(super) started_ns: u64,
}

impl Summary {
    pub(super) fn new(plan: &Plan, ran: &Ran<'_>, collected: Collected) -> Self {
        let (duration_s, wait_s) = lengths(plan, ran.origin_ns, &collected);
        let verdicts = judge(ran.thresholds, &collected.observed(duration_s));
        let lane_busy = collected.lanes.iter().map(|lane| ratio(float(lane.running), float(lane.passed))).collect();
        let limits = limits(plan, &collected, duration_s);
        let request = match &plan.what {
            What::Http(request) => Some(request),
            What::Simulated => None,
        };
        let version = |version| if version == HttpVersion::Http2 { "2" } else { "1.1" };
        Self {
            run_id: plan.run_id.clone(),
            target: request.map(|request| request.target().to_string()),
            method: request.map(|request| request.method().to_owned()),
            mode: plan.mode(),
            http_version: request.map(|request| version(request.version())),
            insecure: request.is_some_and(|request| request.insecure),
            seed: plan.seed,
            threads: plan.threads,
            connections: request.map(|request| request.connections()),
            arrivals: ran.arrivals.to_owned(),
            asked_rate: plan.asked_rate.or_else(|| mean_rate(plan, &collected, duration_s)),
            warm_up_s: plan.warm_up.as_secs_f64(),
            started_ns: ran.started_ns,
            duration_s,
            wait_s,
            counts: collected.counts,
            times: collected.times,
            series: collected.series,
            lane_busy,
            limits,
            verdicts,
            stopped: collected.stopped,
        }
    }

    /// Requests that ended, each second.
    pub(super) fn per_second(&self) -> f64 {
        ratio(float(self.counts.sent), self.duration_s)
    }

    /// Successes of all requests, 0 to 1.
    pub(super) fn success(&self) -> f64 {
        ratio(float(self.counts.succeeded), float(self.counts.sent))
    }

    /// Service times; those of a simulation are its response times.
    pub(super) fn service(&self) -> &Histogram {
        if self.times.service.count() == 0 { &self.times.response } else { &self.times.service }
    }

    /// Errors by their names.
    pub(super) fn errors(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.counts.errors.iter().map(|(code, count)| {
            let kind = u8::try_from(code).ok().and_then(ErrorKind::from_code);
            (kind.map_or("unknown", ErrorKind::as_str), count)
        })
    }

    /// Whether a threshold does not hold.
    pub(super) fn is_crossed(&self) -> bool {
        self.verdicts.iter().any(|verdict| verdict.holds == Some(false))
            || matches!(self.stopped, Some(Stopped::Threshold(_)))
    }

    /// Arrivals that are in none of the classes; 0 unless something is wrong with the generator itself.
    pub(super) const fn unaccounted(&self) -> u64 {
        let Counts { scheduled, sent, dropped, missed, .. } = &self.counts;
        scheduled.abs_diff(*sent + *dropped + *missed)
    }
}

/// What changing rates came to on average; a closed loop asks for nothing.
fn mean_rate(plan: &Plan, collected: &Collected, duration_s: f64) -> Option<f64> {
    matches!(plan.pace, Pace::Open { .. }).then(|| ratio(float(collected.counts.scheduled), duration_s))
}

/// The run's length in seconds, and how long the last answer then took.
fn lengths(plan: &Plan, origin_ns: u64, collected: &Collected) -> (f64, f64) {
    let seconds = |to_ns: u64| float(to_ns.saturating_sub(origin_ns)) / 1e9;
    let ends = &collected.ends;
    let last_sent = seconds(ends.iter().map(|end| end.last_sent_ns).max().unwrap_or(0));
    let last_done = seconds(ends.iter().map(|end| end.last_done_ns).max().unwrap_or(0));
    // With a number of requests, the run lasts until the first arrival that nobody wants any more.
    let over = ends.iter().map(|end| end.over_ns);
    let counted = plan.requests.is_some() && plan.mode() == "open";
    let over = if counted { over.min() } else { over.max() };
    let over = seconds(over.unwrap_or(0));
    let duration = match (&plan.what, &plan.pace) {
        (What::Simulated, _) => over,
        (What::Http(_), Pace::Open { .. }) => over.max(last_sent),
        (What::Http(_), Pace::Closed { .. }) => last_done,
    };
    (duration, (last_done - duration).max(0.0))
}

/// The reasons for which a run says more about the generator than about the target.
fn limits(plan: &Plan, collected: &Collected, duration_s: f64) -> Vec<String> {
    let mut reasons = Vec::new();
    let Collected { counts, times, lanes, .. } = collected;
    let lag = times.lag.quantile(990_000);
    let part =
        |of: fn(&Used) -> u64| lanes.iter().map(|lane| ratio(float(of(lane)), float(lane.passed))).fold(0.0, f64::max);
    let (busy, waiting) = (part(|lane| lane.running), part(|lane| lane.waiting));
    let at_its_end = busy + waiting >= BUSY_LIMIT;
    let What::Http(request) = &plan.what else {
        // Other arrivals may by chance be fewer than their mean.
        let even = matches!(plan.pace, Pace::Open { arrivals: Asked::Shape(Arrivals::Constant), .. });
        let asked = plan.asked_rate.filter(|_| even);
        reasons.extend(asked.and_then(|asked| behind(asked, counts, duration_s)));
        return reasons;
    };
    if lag > LAG_LIMIT_US {
        let all =
            format!("; probably every one of the {} connections was waiting for the target", request.connections());
        let cause = if at_its_end || waiting > WAITING_LIMIT { String::new() } else { all };
        reasons.push(format!("send lag p99 is {:.1} ms{cause}", millis(lag)));
    }
    let achieved = ratio(float(counts.sent), float(counts.scheduled));
    if counts.scheduled > 0 && achieved < ACHIEVED_LIMIT {
        reasons.push(format!("{:.1} % of the arrivals were sent", achieved * 100.0));
    }
    if at_its_end || waiting > WAITING_LIMIT && lag > LAG_LIMIT_US {
        let (busy, waiting) = (busy * 100.0, waiting * 100.0);
        reasons.push(format!(
            "a sending thread used {busy:.0} % of its core and waited for it {waiting:.0} % of the time"
        ));
    }
    if let Pace::Closed { cap, .. } = plan.pace
        && ratio(float(counts.sent), duration_s) >= CAP_LIMIT * float(cap)
    {
        reasons.push(format!("`generator.max_rate_per_target` and `generator.max_rate` permit {cap} requests/s"));
    }
    reasons
}

/// Drawing has no target that could be the cause.
fn behind(asked: f64, counts: &Counts, duration_s: f64) -> Option<String> {
    let drawn = ratio(float(counts.sent), duration_s);
    // One entry more or less is how a short run is cut.
    let short = drawn < ACHIEVED_LIMIT * asked && float(counts.sent) + 1.0 < ACHIEVED_LIMIT * asked * duration_s;
    short.then(|| format!("{drawn:.0} entries/s were drawn of the {asked} asked for"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use clap::Parser as _;
    use trafficlab_shared::config::{Config, Purpose, Sources};

    use super::*;
    use crate::cli::{Cli, Command};
    use crate::generate::lane::LaneEnd;

    const SECOND_NS: u64 = 1_000_000_000;

    fn plan(flags: &[&str]) -> Plan {
        let line = ["x", "generate", "http://127.0.0.1:9/"];
        let Command::Generate(args) = Cli::try_parse_from(line.iter().chain(flags)).unwrap().command else {
            panic!("not generate");
        };
        Plan::new(&args, &Config::load(&Sources::default(), Purpose::Worker).unwrap()).unwrap()
    }

    /// Two threads that were over at these seconds, sent last at 2 s and were answered at 3 s.
    fn ended(over: [u64; 2]) -> Collected {
        let end = |over| {
            let at = |second: u64| 5 * SECOND_NS + second * SECOND_NS;
            LaneEnd { over_ns: at(over), last_sent_ns: at(2), last_done_ns: at(3) }
        };
        Collected { ends: over.map(end).to_vec(), ..Collected::default() }
    }

    #[test]
    fn the_length_is_that_of_the_arrivals() {
        let close = |found: (f64, f64), wanted: (f64, f64)| {
            assert!((found.0 - wanted.0).abs() < 1e-9 && (found.1 - wanted.1).abs() < 1e-9, "{found:?} {wanted:?}");
        };
        let origin = 5 * SECOND_NS;
        close(lengths(&plan(&["--rate", "5"]), origin, &ended([10, 9])), (10.0, 0.0));
        close(lengths(&plan(&["--rate", "5", "--requests", "9"]), origin, &ended([10, 9])), (9.0, 0.0));
        close(lengths(&plan(&["--rate", "5", "--requests", "9", "--simulate"]), origin, &ended([10, 9])), (10.0, 0.0));
        // The last ones were sent late.
        close(lengths(&plan(&["--rate", "5"]), origin, &ended([1, 1])), (2.0, 1.0));
        close(lengths(&plan(&["--rate", "max"]), origin, &ended([1, 1])), (3.0, 0.0));
    }

    #[test]
    fn the_limit_is_named_with_its_cause() {
        let told = |flags: &[&str], counts: Counts, lag_us: u64, used: Used| {
            let times = Times { lag: Histogram::of(&mut [lag_us]), ..Times::default() };
            let collected = Collected { counts, times, lanes: vec![used], ..ended([10, 10]) };
            limits(&plan(flags), &collected, 10.0)
        };
        let counts = |scheduled, sent| Counts { scheduled, sent, dropped: scheduled - sent, ..Counts::default() };
        let idle = Used { running: 10, waiting: 1, passed: 100 };
        let open = ["--rate", "10"];
        assert_eq!(told(&open, counts(1000, 1000), 9_000, idle), Vec::<String>::new());
        let slow = told(&open, counts(1000, 900), 12_000, idle);
        assert_eq!(slow.len(), 2);
        assert!(slow.iter().any(|reason| reason.contains("every one of the 64 connections")), "{slow:?}");
        assert!(slow.iter().any(|reason| reason.starts_with("90.0 %")), "{slow:?}");
        let starved = told(&open, counts(1000, 1000), 12_000, Used { running: 30, waiting: 50, passed: 100 });
        assert!(starved.iter().any(|reason| reason.contains("waited for it 50 %")), "{starved:?}");
        let full = told(&open, counts(1000, 1000), 100, Used { running: 98, waiting: 1, passed: 100 });
        assert!(full.iter().any(|reason| reason.contains("98 %")), "{full:?}");
        let drawing = ["--simulate", "--rate", "100"];
        assert_eq!(told(&drawing, counts(1000, 1000), 0, idle), Vec::<String>::new());
        let slow = told(&drawing, counts(700, 700), 0, idle);
        assert_eq!(slow, ["70 entries/s were drawn of the 100 asked for"]);
        let capped = told(&["--rate", "max"], counts(1_000_000, 1_000_000), 0, idle);
        assert!(capped.iter().any(|reason| reason.contains("max_rate_per_target")), "{capped:?}");
    }
}
