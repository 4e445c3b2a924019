//! Rates that swing or burst: their figures and the limits of these.

use serde::{Deserialize, Serialize};

use super::Process;

const DAY: f64 = 86_400.0;

/// Period of a sine that names none: a day.
pub const DEFAULT_PERIOD: f64 = DAY;

/// Amplitude of a sine that names none.
pub const DEFAULT_AMPLITUDE: f64 = 0.5;

/// A figure beyond its limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {message}")]
pub struct Wrong {
    /// The figure's name.
    pub key: &'static str,
    /// What it must be.
    pub message: String,
}

impl Wrong {
    /// A wrong `key`.
    pub fn new(key: &'static str, message: impl Into<String>) -> Self {
        Self { key, message: message.into() }
    }
}

/// `rate · (1 + amplitude · sin(2π (t + phase) / period))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sine {
    /// Millionths of the mean rate, at most all of it.
    pub amplitude_ppm: u64,
    /// Length of a swing in microseconds.
    pub period_us: u64,
    /// How far into a swing the run begins, in microseconds, below the period.
    pub phase_us: u64,
    /// How arrivals follow the rate.
    #[serde(default, skip_serializing_if = "Process::is_even")]
    pub process: Process,
}

impl Sine {
    /// A swing of `amplitude` (0 to 1) in `period` seconds that begins `phase` seconds into it.
    ///
    /// # Errors
    /// When a figure is beyond its limits.
    pub fn new(amplitude: f64, period: f64, phase: f64) -> Result<Self, Wrong> {
        let amplitude_ppm = scaled("amplitude", amplitude, 0.0, 1.0)?;
        let period_us = scaled("period", period, 1.0, 366.0 * DAY)?;
        let phase_us = scaled("phase", phase, 0.0, 366.0 * DAY)? % period_us;
        Ok(Self { amplitude_ppm, period_us, phase_us, process: Process::Even })
    }
}

/// Times of a high and a low rate in turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Burst {
    /// How long each takes.
    pub cycle: Cycle,
    /// The rate between bursts, in millionths of the mean rate.
    pub rest_ppm: u64,
    /// How arrivals follow the rate.
    #[serde(default, skip_serializing_if = "Process::is_even")]
    pub process: Process,
}

/// Lengths of bursts and of the times between them, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Always the same; a cycle begins with its burst.
    Fixed {
        /// The burst.
        on_us: u64,
        /// The time to the next one.
        off_us: u64,
    },
    /// One burst somewhere in each cycle, with a length of the Pareto distribution.
    Pareto {
        /// The whole cycle.
        cycle_us: u64,
        /// The shortest burst.
        min_us: u64,
        /// The distribution's shape in millionths; the lower, the heavier its tail.
        alpha_ppm: u64,
    },
}

impl Burst {
    /// `on` seconds of burst, then `off` seconds of `rest` (0 to 1) times the mean rate.
    ///
    /// # Errors
    /// When a figure is beyond its limits.
    pub fn fixed(on: f64, off: f64, rest: f64) -> Result<Self, Wrong> {
        let on_us = scaled("on", on, 0.001, DAY)?;
        let off_us = scaled("off", off, 0.001, DAY)?;
        Self::of(Cycle::Fixed { on_us, off_us }, rest)
    }

    /// Cycles of `cycle` seconds, each with a burst of at least `min` seconds.
    ///
    /// # Errors
    /// When a figure is beyond its limits.
    pub fn pareto(cycle: f64, min: f64, alpha: f64, rest: f64) -> Result<Self, Wrong> {
        let cycle_us = scaled("cycle", cycle, 0.01, DAY)?;
        let min_us = scaled("min", min, 0.001, DAY)?;
        let alpha_ppm = scaled("alpha", alpha, 0.1, 100.0)?;
        if min_us > cycle_us {
            return Err(Wrong::new("min", "must not be longer than `cycle`"));
        }
        Self::of(Cycle::Pareto { cycle_us, min_us, alpha_ppm }, rest)
    }

    fn of(cycle: Cycle, rest: f64) -> Result<Self, Wrong> {
        let rest_ppm = scaled("rest", rest, 0.0, 1.0)?;
        Ok(Self { cycle, rest_ppm, process: Process::Even })
    }
}

/// A figure in millionths, when it lies within its limits.
pub(super) fn scaled(key: &'static str, value: f64, low: f64, high: f64) -> Result<u64, Wrong> {
    if !(low..=high).contains(&value) {
        return Err(Wrong::new(key, format!("must be a number from {low} to {high}")));
    }
    let millionths = (value * 1e6).round();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the limits, which are far inside of 64 bits"
    )]
    let millionths = millionths as u64;
    Ok(millionths)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn figures_beyond_their_limits_are_named() {
        let key = |made: Result<Burst, Wrong>| made.unwrap_err().key;
        assert_eq!(Sine::new(1.1, 60.0, 0.0).unwrap_err().key, "amplitude");
        assert_eq!(Sine::new(f64::NAN, 60.0, 0.0).unwrap_err().key, "amplitude");
        assert_eq!(Sine::new(0.5, 0.5, 0.0).unwrap_err().key, "period");
        assert_eq!(Sine::new(0.5, 60.0, -1.0).unwrap_err().key, "phase");
        assert_eq!(key(Burst::fixed(0.0, 1.0, 0.0)), "on");
        assert_eq!(key(Burst::fixed(1.0, f64::INFINITY, 0.0)), "off");
        assert_eq!(key(Burst::fixed(1.0, 1.0, 1.5)), "rest");
        assert_eq!(key(Burst::pareto(0.0, 0.1, 1.5, 0.0)), "cycle");
        assert_eq!(key(Burst::pareto(1.0, 1.1, 1.5, 0.0)), "min");
        assert_eq!(key(Burst::pareto(1.0, 0.1, 0.0, 0.0)), "alpha");
        assert_eq!(Sine::new(0.5, 60.0, 61.5).unwrap().phase_us, 1_500_000);
    }
}
