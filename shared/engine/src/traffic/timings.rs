//! What a record says of time: histograms of a run and points of its seconds, both of which add up.

use serde::{Deserialize, Serialize};

use super::histogram::Histogram;

/// Time figures of some arrivals, all in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Timings {
    /// From the intended moment to the end of the response, without the warm-up.
    pub response: Histogram,
    /// From the real send to the end of the response; empty in simulations, where it is the same.
    #[serde(default)]
    pub service: Histogram,
    /// From the intended moment to the real send; empty in simulations.
    #[serde(default)]
    pub lag: Histogram,
    /// What fell due in each second, ascending by time.
    #[serde(default)]
    pub seconds: Vec<SecondPoint>,
}

/// One second of a run, by the moment its arrivals were due.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SecondPoint {
    /// Seconds since 1970 (broker time).
    #[serde(rename = "t")]
    pub second: u64,
    /// Requests sent.
    #[serde(rename = "s", default)]
    pub sent: u64,
    /// Of these, successes.
    #[serde(rename = "o", default)]
    pub succeeded: u64,
    /// Arrivals dropped at a full queue.
    #[serde(rename = "d", default)]
    pub dropped: u64,
    /// Arrivals nobody was there for.
    #[serde(rename = "m", default)]
    pub missed: u64,
    /// Response times in microseconds, coarse.
    #[serde(rename = "r", default)]
    pub response: Histogram,
}

impl SecondPoint {
    /// Adds another point of the same second.
    pub fn merge(&mut self, other: &Self) {
        self.sent += other.sent;
        self.succeeded += other.succeeded;
        self.dropped += other.dropped;
        self.missed += other.missed;
        self.response.merge(&other.response);
    }
}

/// Adds points into `into`, which stays ascending.
pub fn merge_seconds(into: &mut Vec<SecondPoint>, points: &[SecondPoint]) {
    for point in points {
        match into.binary_search_by_key(&point.second, |known| known.second) {
            Ok(at) => {
                if let Some(known) = into.get_mut(at) {
                    known.merge(point);
                }
            }
            Err(at) => into.insert(at, point.clone()),
        }
    }
}

impl Timings {
    /// Adds another record's figures.
    pub fn merge(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.lag.merge(&other.lag);
        merge_seconds(&mut self.seconds, &other.seconds);
    }
}

/// Gathers figures until they leave in a record; keeps raw values, which are few and cheap to sort.
#[derive(Debug, Default)]
pub struct TimingsBuilder {
    response: Vec<u64>,
    service: Vec<u64>,
    lag: Vec<u64>,
    seconds: Vec<Second>,
}

#[derive(Debug, Default)]
struct Second {
    point: SecondPoint,
    response: Vec<u64>,
}

/// One finished request, times in microseconds.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    /// The second its arrival was due, since 1970.
    pub second: u64,
    /// From the intended moment to the end.
    pub response: u64,
    /// From the real send to the end, with the send lag; `None` in simulations.
    pub service_and_lag: Option<(u64, u64)>,
    /// Whether it counts as a success.
    pub success: bool,
    /// Whether it fell into the warm-up.
    pub warm_up: bool,
}

impl TimingsBuilder {
    /// Takes one finished request.
    pub fn finished(&mut self, request: Measured) {
        if !request.warm_up {
            self.response.push(request.response);
            if let Some((service, lag)) = request.service_and_lag {
                self.service.push(service);
                self.lag.push(lag);
            }
        }
        let second = self.second(request.second);
        second.point.sent += 1;
        second.point.succeeded += u64::from(request.success);
        second.response.push(request.response);
    }

    /// Takes arrivals that fell due in `second` and were dropped or missed.
    pub fn lost(&mut self, second: u64, dropped: u64, missed: u64) {
        let point = &mut self.second(second).point;
        point.dropped += dropped;
        point.missed += missed;
    }

    /// The figures so far; the builder is empty afterwards.
    pub fn take(&mut self) -> Timings {
        let mut seconds: Vec<SecondPoint> = self
            .seconds
            .drain(..)
            .map(|mut second| {
                second.point.response = Histogram::coarse(&mut second.response);
                second.point
            })
            .collect();
        seconds.sort_unstable_by_key(|point| point.second);
        let taken = Timings {
            response: Histogram::of(&mut self.response),
            service: Histogram::of(&mut self.service),
            lag: Histogram::of(&mut self.lag),
            seconds,
        };
        self.response.clear();
        self.service.clear();
        self.lag.clear();
        taken
    }

    /// A record spans a few seconds, and nearly always the last one is meant.
    fn second(&mut self, second: u64) -> &mut Second {
        let at = self.seconds.iter().rposition(|known| known.point.second == second);
        let at = at.unwrap_or_else(|| {
            self.seconds.push(Second::default());
            self.seconds.len() - 1
        });
        let known = self.seconds.get_mut(at).expect("index found or pushed just now");
        known.point.second = second;
        known
    }
}
