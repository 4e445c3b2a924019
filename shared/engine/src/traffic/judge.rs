//! Judging thresholds by what was observed.

use trafficlab_shared::model::threshold::{Count, Metric, Statistic, Threshold, Time};

use super::cast;
use super::histogram::Histogram;

/// The figures of a run, or of a part of it.
#[derive(Debug, Clone, Copy)]
pub struct Observed<'a> {
    /// Response times.
    pub response: &'a Histogram,
    /// Service times; empty in simulations, where they are the response times.
    pub service: &'a Histogram,
    /// Send lags; empty in simulations, where there are none.
    pub lag: &'a Histogram,
    /// Arrivals that fell due.
    pub scheduled: u64,
    /// Requests sent.
    pub sent: u64,
    /// Of these, successes.
    pub succeeded: u64,
    /// Of these, failures.
    pub failed: u64,
    /// Arrivals dropped at a full queue.
    pub dropped: u64,
    /// Arrivals nobody was there for.
    pub missed: u64,
    /// Requests sent more than 10 ms after they were due.
    pub late: u64,
    /// Length of the observation in seconds of active time.
    pub seconds: f64,
}

/// What became of one threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The threshold.
    pub text: String,
    /// The figure in its unit (ms, percent, count, per second); `None` before anything was measured.
    pub value: Option<f64>,
    /// Whether the threshold holds; `None` before anything was measured.
    pub holds: Option<bool>,
}

/// The figure `metric` asks for: milliseconds, percent, a count or requests a second. `None` when
/// nothing was measured that could tell.
#[must_use]
pub fn measure(metric: &Metric, seen: &Observed<'_>) -> Option<f64> {
    match *metric {
        Metric::Time(time, statistic) => milliseconds(time, statistic, seen),
        Metric::Count(count) => (seen.scheduled > 0).then(|| cast::float(counted(count, seen))),
        Metric::Share(count @ (Count::Dropped | Count::Missed)) => percent(counted(count, seen), seen.scheduled),
        Metric::Share(Count::Late) => percent(seen.late, seen.sent),
        // Requests still open are neither errors nor successes yet.
        Metric::Share(count) => percent(counted(count, seen), seen.succeeded + seen.failed),
        // What is still open is neither sent nor lost: it would count against a run whose target takes its time.
        Metric::Achieved => percent(seen.sent, seen.sent + seen.dropped + seen.missed),
        Metric::Rate => (seen.seconds > 0.0).then(|| cast::float(seen.sent) / seen.seconds),
    }
}

/// Judges every threshold.
#[must_use]
pub fn judge(thresholds: &[Threshold], seen: &Observed<'_>) -> Vec<Verdict> {
    thresholds.iter().map(|threshold| verdict(threshold, seen)).collect()
}

/// Judges one threshold.
#[must_use]
pub fn verdict(threshold: &Threshold, seen: &Observed<'_>) -> Verdict {
    let value = measure(&threshold.metric(), seen);
    Verdict { text: threshold.text().to_owned(), value, holds: value.map(|value| threshold.holds(value)) }
}

/// Send lag at the 99th percentile beyond which the generator is part of what was measured.
const LAG_MS: f64 = 10.0;
/// Part of the scheduled arrivals that a generator at its ease sends, in percent.
const ACHIEVED: f64 = 99.0;

/// Why these figures tell of the generator as well as of its target; empty when they do not.
#[must_use]
pub fn generator_limits(seen: &Observed<'_>) -> Vec<String> {
    let mut reasons = Vec::new();
    let lag = milliseconds(Time::Lag, Statistic::Quantile(990_000), seen).filter(|lag| *lag > LAG_MS);
    if let Some(lag) = lag {
        reasons.push(format!("the 99th percentile of the send lag is {lag:.1} ms, more than {LAG_MS} ms"));
    }
    if let Some(achieved) = measure(&Metric::Achieved, seen).filter(|achieved| *achieved < ACHIEVED) {
        reasons.push(format!("{achieved:.1} % of the scheduled requests were sent, less than {ACHIEVED} %"));
    }
    reasons
}

fn milliseconds(time: Time, statistic: Statistic, seen: &Observed<'_>) -> Option<f64> {
    let histogram = match time {
        Time::Response => seen.response,
        Time::Service if seen.service.count() == 0 => seen.response,
        Time::Service => seen.service,
        Time::Lag => seen.lag,
    };
    // Without lags there may have been a simulation; without any time there was nothing.
    if histogram.count() == 0 && seen.response.count() == 0 {
        return None;
    }
    let microseconds = match statistic {
        Statistic::Quantile(per_million) => cast::float(histogram.quantile(per_million)),
        Statistic::Mean => histogram.mean(),
        Statistic::Max => cast::float(histogram.max()),
    };
    Some(microseconds / 1000.0)
}

const fn counted(count: Count, seen: &Observed<'_>) -> u64 {
    match count {
        Count::Errors => seen.failed,
        Count::Successes => seen.succeeded,
        Count::Dropped => seen.dropped,
        Count::Missed => seen.missed,
        Count::Late => seen.late,
    }
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| cast::float(part) * 100.0 / cast::float(whole))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn value(text: &str, seen: &Observed<'_>) -> Option<(f64, bool)> {
        let verdict = verdict(&Threshold::parse(text).unwrap(), seen);
        verdict.value.zip(verdict.holds)
    }

    #[test]
    fn every_figure_is_taken_from_its_place() {
        let response = Histogram::of(&mut (1..=1000_u64).map(|step| step * 1000).collect::<Vec<_>>());
        let service = Histogram::of(&mut [500, 1500]);
        let lag = Histogram::of(&mut [0, 10_000]);
        let seen = Observed {
            response: &response,
            service: &service,
            lag: &lag,
            scheduled: 1000,
            sent: 900,
            succeeded: 882,
            failed: 18,
            dropped: 60,
            missed: 40,
            late: 9,
            seconds: 9.0,
        };
        let cases = [
            ("p50<501", 500.0, true),
            ("max<1s", 1000.0, false),
            ("mean<=500.5", 500.5, true),
            ("service.mean<1", 1.0, false),
            ("lag.max<=10", 10.0, true),
            ("error_rate<2%", 2.0, false),
            ("success_rate>=98%", 98.0, true),
            ("achieved>=0.9", 90.0, true),
            ("rps>100", 100.0, false),
            ("dropped==60", 60.0, true),
            ("missed<4%", 4.0, false),
            ("late<=1%", 1.0, true),
            ("errors<18", 18.0, false),
        ];
        assert_eq!(generator_limits(&seen).len(), 1, "{:?}", generator_limits(&seen));
        for (text, expected, holds) in cases {
            let (told, held) = value(text, &seen).unwrap();
            assert!((told - expected).abs() <= expected / 1000.0, "{text}: {told}");
            assert_eq!(held, holds, "{text}: {told}");
        }
    }

    #[test]
    fn open_requests_say_nothing_of_the_generator() {
        let response = Histogram::of(&mut [2_000_000]);
        let lag = Histogram::of(&mut [10]);
        let seen = Observed {
            response: &response,
            service: &response,
            lag: &lag,
            scheduled: 500,
            sent: 300,
            succeeded: 300,
            failed: 0,
            dropped: 0,
            missed: 0,
            late: 0,
            seconds: 5.0,
        };
        assert_eq!(value("achieved>=99%", &seen), Some((100.0, true)));
        assert!(generator_limits(&seen).is_empty());
        let lost = Observed { dropped: 50, missed: 25, ..seen };
        assert_eq!(value("achieved>=99%", &lost), Some((80.0, false)));
        assert_eq!(generator_limits(&lost).len(), 1);
    }

    #[test]
    fn nothing_measured_is_neither_kept_nor_crossed() {
        let none = Histogram::default();
        let mut seen = Observed {
            response: &none,
            service: &none,
            lag: &none,
            scheduled: 0,
            sent: 0,
            succeeded: 0,
            failed: 0,
            dropped: 0,
            missed: 0,
            late: 0,
            seconds: 0.0,
        };
        for text in ["p99<1", "lag.p99<1", "error_rate<1%", "achieved>99%", "dropped==0", "rps>1"] {
            assert_eq!(value(text, &seen), None, "{text}");
        }
        assert!(generator_limits(&seen).is_empty());
        // A simulation has no lag, and its service time is the response time.
        let response = Histogram::of(&mut [2000]);
        seen.response = &response;
        assert_eq!(value("lag.p99<1", &seen), Some((0.0, true)));
        assert_eq!(value("service.p99<1", &seen), Some((2.0, false)));
    }
}
