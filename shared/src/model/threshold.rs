//! Thresholds: what must hold of a run's figures, written as `p99<50ms` or `error_rate<1%`.
//!
//! Units inside are the API's: times in milliseconds, shares in percent, counts and rates as they are.

mod read;

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One condition on one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Threshold {
    text: String,
    metric: Metric,
    compare: Compare,
    limit: f64,
}

/// The figure a threshold is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// A time in milliseconds.
    Time(Time, Statistic),
    /// Arrivals that ended in this way.
    Count(Count),
    /// The same in percent: of the requests sent, or of the arrivals scheduled for those that were not.
    Share(Count),
    /// Requests sent in percent of those sent, dropped or missed; what is still open does not count yet.
    Achieved,
    /// Requests sent a second.
    Rate,
}

/// Which of the three times of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Time {
    /// From the intended moment to the end of the response.
    Response,
    /// From the real send to the end of the response.
    Service,
    /// From the intended moment to the real send.
    Lag,
}

/// What is taken of all times of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// The quantile at so many millionths: 990 000 is p99.
    Quantile(u32),
    /// The mean.
    Mean,
    /// The largest.
    Max,
}

/// How an arrival or a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// Sent and no success.
    Errors,
    /// Sent and a success.
    Successes,
    /// Due while the queue was full.
    Dropped,
    /// Due while nobody was there to send it.
    Missed,
    /// Sent more than 10 ms after it was due.
    Late,
}

/// A comparison of the figure with the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
}

impl Threshold {
    /// Reads a threshold: a figure, a comparison (`< <= > >= ==`) and a limit with its unit.
    ///
    /// Figures: `p50`, `p99.9` and every other percentile, `mean`, `max` of the response time, with `service.` or
    /// `lag.` in front of the other two times (unit `us`, `ms`, `s`; without one `ms`); `error_rate`,
    /// `success_rate`, `achieved` (shares: `1%` or `0.01`); `errors`, `dropped`, `missed`, `late` (counts, or
    /// shares with `%`); `requests_per_second`. The spellings `p(95)`, `avg`, `med` and `rate` of k6 are known.
    ///
    /// # Errors
    /// A sentence for people that says what cannot be read.
    pub fn parse(text: &str) -> Result<Self, String> {
        read::threshold(text)
    }

    /// The threshold as it was written, without spaces.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The figure it is about.
    #[must_use]
    pub const fn metric(&self) -> Metric {
        self.metric
    }

    /// The limit, in the figure's unit.
    #[must_use]
    pub const fn limit(&self) -> f64 {
        self.limit
    }

    /// Whether it holds when the figure is `value`.
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        match self.compare {
            Compare::Less => value < self.limit,
            Compare::LessOrEqual => value <= self.limit,
            Compare::Greater => value > self.limit,
            Compare::GreaterOrEqual => value >= self.limit,
            Compare::Equal => value.total_cmp(&self.limit).is_eq(),
        }
    }
}

impl Metric {
    /// The unit of its values, for people: `ms`, `%`, `/s` or nothing.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Time(..) => " ms",
            Self::Share(_) | Self::Achieved => " %",
            Self::Rate => "/s",
            Self::Count(_) => "",
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str(&self.text)
    }
}

impl Serialize for Threshold {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for Threshold {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

/// A threshold of a campaign, and what is to happen when it does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ThresholdRule {
    /// What must hold.
    pub threshold: Threshold,
    /// Whether the run is stopped as soon as it does not hold.
    #[serde(default)]
    pub abort_on: bool,
    /// Active time in milliseconds before it is judged for that.
    #[serde(default = "five_seconds")]
    pub after_ms: u64,
    /// Judged over the last so many milliseconds; `None` over the whole run.
    #[serde(default)]
    pub window_ms: Option<u64>,
}

const fn five_seconds() -> u64 {
    5000
}

impl ThresholdRule {
    /// A rule that is judged over the whole run and stops nothing.
    #[must_use]
    pub const fn of(threshold: Threshold) -> Self {
        Self { threshold, abort_on: false, after_ms: five_seconds(), window_ms: None }
    }
}

#[cfg(test)]
mod tests;
