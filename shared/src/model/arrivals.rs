//! How arrivals are spread over time, in integers only: the shape of the rate, and the process
//! that makes arrivals of it.

pub mod moments;
pub mod shapes;
pub mod text;

use serde::{Deserialize, Serialize};

pub use moments::Replay;
pub use shapes::{Burst, Cycle, Sine, Wrong};

/// Rates are kept in millionths of a request per minute, so that sums stay exact.
pub const MICROS_PER_REQUEST: u64 = 1_000_000;

/// Most ramps of one campaign.
pub const MAX_STAGES: usize = 200;

/// Longest ramp: 30 days.
pub const MAX_STAGE_SECONDS: u64 = 30 * 24 * 3600;

/// A campaign's arrivals. The first two are the same steady rate with the two processes; they
/// keep the names they were first stored under.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Arrivals {
    /// Evenly spaced at the campaign's rate.
    #[default]
    Constant,
    /// The campaign's rate with exponential gaps.
    Poisson,
    /// Linear ramps, one after the other, beginning at the campaign's rate.
    Stages {
        /// The ramps in order; after the last one its target rate is held.
        stages: Vec<Stage>,
        /// How arrivals follow the rate.
        #[serde(default, skip_serializing_if = "Process::is_even")]
        process: Process,
    },
    /// A rate that swings around the campaign's, such as that of day and night.
    Sine(Sine),
    /// A rate that is on and off in turn; the campaign's is its mean.
    Burst(Burst),
    /// Recorded moments, one arrival each; the campaign's rate has no say.
    Replay(Replay),
}

/// How arrivals follow a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Process {
    /// Arrival n is due exactly where the integrated rate reaches n.
    #[default]
    Even,
    /// Independent arrivals: every shard is a Poisson stream of its own.
    Poisson,
}

impl Process {
    /// The process with this word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "even" => Some(Self::Even),
            "poisson" => Some(Self::Poisson),
            _ => None,
        }
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    const fn is_even(&self) -> bool {
        matches!(self, Self::Even)
    }
}

impl Arrivals {
    /// How arrivals follow the rate.
    #[must_use]
    pub const fn process(&self) -> Process {
        match self {
            Self::Constant | Self::Replay(_) => Process::Even,
            Self::Poisson => Process::Poisson,
            Self::Stages { process, .. } => *process,
            Self::Sine(sine) => sine.process,
            Self::Burst(burst) => burst.process,
        }
    }

    /// The same shape with another process.
    ///
    /// # Errors
    /// For a replay, whose moments are given.
    pub fn with_process(mut self, wanted: Process) -> Result<Self, Wrong> {
        match &mut self {
            Self::Constant | Self::Poisson => {
                return Ok(if wanted == Process::Even { Self::Constant } else { Self::Poisson });
            }
            Self::Stages { process, .. } => *process = wanted,
            Self::Sine(sine) => sine.process = wanted,
            Self::Burst(burst) => burst.process = wanted,
            Self::Replay(_) if wanted == Process::Even => {}
            Self::Replay(_) => return Err(Wrong::new("process", "has no meaning for recorded moments")),
        }
        Ok(self)
    }

    /// The active time in milliseconds after which nothing more arrives, for arrivals that end by themselves.
    #[must_use]
    pub fn length_ms(&self) -> Option<u64> {
        match self {
            Self::Replay(replay) => replay.length_ms(),
            _ => None,
        }
    }
}

/// One linear ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// How long the ramp takes, in whole seconds.
    pub seconds: u32,
    /// The rate at its end, in millionths of a request per minute.
    pub target: u64,
}

/// A rate and a length that hold from one slot on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateChange {
    /// The first slot (second of active time) it holds for.
    pub from_slot: u32,
    /// Millionths of a request per minute.
    pub rate: u64,
    /// Length of the whole run in milliseconds of active time.
    pub duration_ms: u64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn forms() -> Vec<(Arrivals, &'static str)> {
        let stages = vec![Stage { seconds: 1, target: 2 }];
        let poisson = Process::Poisson;
        let replay = Replay { packed: vec![1, 255], count: 2, span_us: 5, speed_ppm: 1_000_000, repeat: true, peak: 2 };
        vec![
            (Arrivals::Constant, r#"{"type":"constant"}"#),
            (Arrivals::Poisson, r#"{"type":"poisson"}"#),
            (
                Arrivals::Stages { stages: stages.clone(), process: Process::Even },
                r#"{"type":"stages","stages":[{"seconds":1,"target":2}]}"#,
            ),
            (
                Arrivals::Stages { stages, process: poisson },
                r#"{"type":"stages","stages":[{"seconds":1,"target":2}],"process":"poisson"}"#,
            ),
            (
                Arrivals::Sine(Sine { process: poisson, ..Sine::new(0.5, 60.0, 1.5).unwrap() }),
                r#"{"type":"sine","amplitude_ppm":500000,"period_us":60000000,"phase_us":1500000,"process":"poisson"}"#,
            ),
            (
                Arrivals::Burst(Burst::fixed(0.1, 0.9, 0.25).unwrap()),
                r#"{"type":"burst","cycle":{"fixed":{"on_us":100000,"off_us":900000}},"rest_ppm":250000}"#,
            ),
            (
                Arrivals::Burst(Burst::pareto(10.0, 0.2, 1.5, 0.0).unwrap()),
                r#"{"type":"burst","cycle":{"pareto":{"cycle_us":10000000,"min_us":200000,"alpha_ppm":1500000}},"rest_ppm":0}"#,
            ),
            (
                Arrivals::Replay(replay),
                r#"{"type":"replay","packed":[1,255],"count":2,"span_us":5,"speed_ppm":1000000,"repeat":true,"peak":2}"#,
            ),
        ]
    }

    #[test]
    fn the_stored_form_of_each_is_fixed() {
        for (arrivals, json) in forms() {
            assert_eq!(serde_json::to_string(&arrivals).unwrap(), json);
            assert_eq!(serde_json::from_str::<Arrivals>(json).unwrap(), arrivals);
            let packed = rmp_serde::to_vec_named(&arrivals).unwrap();
            assert_eq!(rmp_serde::from_slice::<Arrivals>(&packed).unwrap(), arrivals);
        }
    }

    #[test]
    fn the_process_is_apart_from_the_shape() {
        for (arrivals, _) in forms() {
            let even = arrivals.clone().with_process(Process::Even).unwrap();
            assert_eq!(even.process(), Process::Even);
            if let Ok(poisson) = arrivals.clone().with_process(Process::Poisson) {
                assert_eq!(poisson.process(), Process::Poisson);
                assert_eq!(poisson.with_process(Process::Even).unwrap(), even);
            } else {
                assert!(matches!(arrivals, Arrivals::Replay(_)));
            }
        }
    }
}
