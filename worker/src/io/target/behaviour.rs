//! How the target misbehaves on request: latency, errors and stalls, read from the command line.

use std::str::FromStr;
use std::time::Duration;

use rand_distr::{Distribution, LogNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::Rng;

/// The time between a whole request and its response.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Latency {
    /// At once.
    #[default]
    None,
    /// Always the same.
    Constant(Duration),
    /// Between both bounds.
    Uniform(Duration, Duration),
    /// Median and sigma of the logarithm.
    LogNormal(Duration, f64),
}

/// A fault instead of the usual answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This status code.
    Status(u16),
    /// The connection closes without an answer.
    Reset,
}

/// Faults and their probabilities.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Errors {
    faults: Vec<(Fault, f64)>,
}

/// A span of the target's life in which nothing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    at: Duration,
    length: Duration,
}

impl Latency {
    pub(super) fn draw(&self, rng: &mut Xoshiro256PlusPlus) -> Duration {
        match *self {
            Self::None => Duration::ZERO,
            Self::Constant(length) => length,
            Self::Uniform(low, high) => low + (high - low).mul_f64(unit(rng)),
            Self::LogNormal(median, sigma) => {
                // A median above 0 has a logarithm, and the parser took a sigma that is fit. A minute
                // is longer than any client waits.
                let drawn = LogNormal::new(median.as_secs_f64().ln(), sigma).map(|latency| latency.sample(rng));
                Duration::from_secs_f64(drawn.unwrap_or_default().clamp(0.0, 60.0))
            }
        }
    }
}

impl Errors {
    pub(super) fn draw(&self, rng: &mut Xoshiro256PlusPlus) -> Option<Fault> {
        if self.faults.is_empty() {
            return None;
        }
        let mut point = unit(rng);
        for &(fault, probability) in &self.faults {
            if point < probability {
                return Some(fault);
            }
            point -= probability;
        }
        None
    }
}

impl Stall {
    /// How long a request at `age` of the target waits for the end of this stall.
    pub(super) fn wait(&self, age: Duration) -> Duration {
        if age < self.at { Duration::ZERO } else { (self.at + self.length).saturating_sub(age) }
    }
}

/// A number in [0, 1) from the upper 53 bits.
pub(super) fn unit(rng: &mut Xoshiro256PlusPlus) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

impl FromStr for Latency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, parameters)) = text.split_once(':') else {
            return Ok(Self::Constant(duration(text)?));
        };
        let (first, second) = parameters.split_once(',').ok_or_else(|| format!("`{name}` needs two parameters"))?;
        match name {
            "uniform" => {
                let (low, high) = (duration(first)?, duration(second)?);
                if low > high {
                    Err(format!("`{text}` has its bounds the wrong way round"))
                } else {
                    Ok(Self::Uniform(low, high))
                }
            }
            "log_normal" => {
                let sigma = second.trim().parse().ok().filter(|sigma| (0.0..=10.0).contains(sigma));
                Ok(Self::LogNormal(
                    duration(first)?,
                    sigma.ok_or_else(|| format!("`{second}` is not a sigma between 0 and 10"))?,
                ))
            }
            other => {
                Err(format!("unknown latency `{other}`; known are `5ms`, `uniform:1ms,5ms`, `log_normal:20ms,0.5`"))
            }
        }
    }
}

impl FromStr for Errors {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let faults = text.split(',').map(fault).collect::<Result<Vec<_>, _>>()?;
        if faults.iter().map(|(_, probability)| probability).sum::<f64>() > 1.0 + 1e-9 {
            return Err(format!("the probabilities in `{text}` exceed 1"));
        }
        Ok(Self { faults })
    }
}

fn fault(text: &str) -> Result<(Fault, f64), String> {
    let (kind, probability) = match text.split_once(':') {
        Some(("reset", probability)) => (Fault::Reset, probability),
        Some((status, probability)) => {
            let status = status.trim().parse().ok().filter(|status| (200..=599).contains(status));
            (
                Fault::Status(
                    status.ok_or_else(|| format!("`{text}` names no status between 200 and 599, nor `reset`"))?,
                ),
                probability,
            )
        }
        None => (Fault::Status(500), text),
    };
    let parsed = probability.trim().parse().ok().filter(|value| (0.0..=1.0).contains(value));
    Ok((kind, parsed.ok_or_else(|| format!("`{probability}` is not a probability"))?))
}

impl FromStr for Stall {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (at, length) =
            text.split_once(':').ok_or_else(|| format!("`{text}` is not `at:length`, such as `10s:1s`"))?;
        Ok(Self { at: duration(at)?, length: duration(length)? })
    }
}

/// `5ms`, `1.5s`, `2m`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let factor = match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" => 60.0,
        _ => return Err(format!("`{text}` is not a duration such as `5ms` or `2s`")),
    };
    let value: Option<f64> = number.parse().ok().filter(|value: &f64| (0.0..1e6).contains(value));
    value
        .map(|value| Duration::from_secs_f64(value * factor))
        .ok_or_else(|| format!("`{text}` is not a duration such as `5ms` or `2s`"))
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::rand_core::SeedableRng;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn good_texts() {
        assert_eq!("5ms".parse(), Ok(Latency::Constant(5 * MS)));
        assert_eq!("0.5".parse(), Ok(Latency::Constant(500 * MS)));
        assert_eq!("uniform:1ms,5ms".parse(), Ok(Latency::Uniform(MS, 5 * MS)));
        assert_eq!("log_normal:20ms,0.5".parse(), Ok(Latency::LogNormal(20 * MS, 0.5)));
        assert_eq!("0.01".parse(), Ok(Errors { faults: vec![(Fault::Status(500), 0.01)] }));
        let mixed = Errors { faults: vec![(Fault::Status(503), 0.02), (Fault::Reset, 0.01)] };
        assert_eq!("503:0.02,reset:0.01".parse(), Ok(mixed));
        assert_eq!("10s:1s".parse(), Ok(Stall { at: 10_000 * MS, length: 1000 * MS }));
    }

    #[test]
    fn bad_texts() {
        for text in ["", "x", "5h", "-1ms", "uniform:5ms,1ms", "uniform:1ms", "log_normal:1ms,x", "gamma:1ms,2", "nan"]
        {
            assert!(text.parse::<Latency>().is_err(), "{text}");
        }
        for text in ["", "1.1", "-0.1", "99:0.1", "600:0.1", "0.6,503:0.6", "nan"] {
            assert!(text.parse::<Errors>().is_err(), "{text}");
        }
        assert!("10s".parse::<Stall>().is_err());
    }

    #[test]
    fn draws_keep_their_probabilities() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(7);
        let errors = Errors { faults: vec![(Fault::Status(503), 0.2), (Fault::Reset, 0.1)] };
        let drawn: Vec<_> = (0..10_000).map(|_| errors.draw(&mut rng)).collect();
        let count = |wanted: Option<Fault>| drawn.iter().filter(|&&fault| fault == wanted).count();
        assert!((1800..2200).contains(&count(Some(Fault::Status(503)))));
        assert!((850..1150).contains(&count(Some(Fault::Reset))));
        let mut latencies: Vec<_> = (0..9_999).map(|_| Latency::LogNormal(20 * MS, 0.5).draw(&mut rng)).collect();
        latencies.sort_unstable();
        assert!(latencies.get(4_999).is_some_and(|median| (19 * MS..21 * MS).contains(median)));
    }

    #[test]
    fn a_stall_holds_until_its_end() {
        let stall = Stall { at: 10 * MS, length: 5 * MS };
        let waits = [9, 10, 12, 15, 20].map(|age| stall.wait(age * MS));
        assert_eq!(waits, [Duration::ZERO, 5 * MS, 3 * MS, Duration::ZERO, Duration::ZERO]);
    }
}
