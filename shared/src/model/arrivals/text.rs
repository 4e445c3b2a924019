//! Arrivals in a line of text, as people write them on a command line.

use super::shapes::{DEFAULT_AMPLITUDE, DEFAULT_PERIOD};
use super::{Arrivals, Burst, MAX_STAGE_SECONDS, MAX_STAGES, Process, Sine, Stage};

/// Highest rate a text may name, per second.
const MAX_RATE: f64 = 1e9;

const UNITS: [(&str, f64); 6] = [("us", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)];

/// Reads `constant`, `poisson`, `stages:10s@1000,30s@5000` (duration @ rate per second),
/// `sine:amplitude=0.5,period=60s,phase=0s`, `burst:on=100ms,off=900ms,rest=0.1` or
/// `burst:pareto,cycle=10s,min=200ms,alpha=1.5`; the last three with `process=poisson` too.
///
/// # Errors
/// A sentence that names what is wrong.
pub fn parse(text: &str) -> Result<Arrivals, String> {
    let (kind, rest) = text.trim().split_once(':').unwrap_or((text.trim(), ""));
    let parts: Vec<&str> = rest.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    match kind {
        "constant" | "poisson" if !parts.is_empty() => Err(format!("`{kind}` takes nothing after it")),
        "constant" => Ok(Arrivals::Constant),
        "poisson" => Ok(Arrivals::Poisson),
        "stages" => stages(&parts),
        "sine" => sine(&parts),
        "burst" => burst(&parts),
        "replay" => {
            Err("a replay needs its moments: a file on the command line, `timestamps` or `log` in the API".into())
        }
        _ => Err(format!("`{kind}` is none of `constant`, `poisson`, `stages`, `sine`, `burst`, `replay`")),
    }
}

/// A duration in seconds: `100ms`, `1.5s`, `1h30m`, or a bare number of seconds.
///
/// # Errors
/// A sentence when it is something else.
pub fn seconds(text: &str) -> Result<f64, String> {
    let fault = || format!("`{text}` is not a duration such as `100ms`, `1.5s`, `2m` or `1h30m`");
    let mut rest = text.trim();
    if let Some(bare) = number(rest) {
        return Ok(bare);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let (digits, after) = split_where(rest, |letter| !(letter.is_ascii_digit() || letter == '.'));
        let (unit, next) = split_where(after, |letter| letter.is_ascii_digit());
        let scale = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let (part, (_, scale)) = number(digits).zip(scale).ok_or_else(fault)?;
        total += part * scale;
        rest = next;
    }
    if text.trim().is_empty() { Err(fault()) } else { Ok(total) }
}

/// A rate per second: `1000`, `1000/s` or `60000/m`.
///
/// # Errors
/// A sentence when it is something else or too high.
pub fn rate(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (digits, share) = match text.split_once('/') {
        Some((digits, "s")) => (digits, 1.0),
        Some((digits, "m")) => (digits, 60.0),
        Some(_) => ("", 1.0),
        None => (text, 1.0),
    };
    let found = number(digits).map(|rate| rate / share).filter(|rate| *rate <= MAX_RATE);
    found.ok_or_else(|| format!("`{text}` is not a rate such as `1000` (a second) or `60000/m`, at most {MAX_RATE}/s"))
}

/// A plain decimal number that is not negative.
fn number(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    text.parse().ok().filter(|value: &f64| plain && value.is_finite())
}

fn split_where(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(stop).unwrap_or(text.len()))
}

fn stages(parts: &[&str]) -> Result<Arrivals, String> {
    let mut stages = Vec::with_capacity(parts.len());
    let mut process = Process::Even;
    for part in parts {
        if let Some(word) = part.strip_prefix("process=") {
            process = process_of(word)?;
        } else {
            stages.push(stage(part)?);
        }
    }
    if stages.is_empty() || stages.len() > MAX_STAGES {
        return Err(format!("`stages` needs 1 to {MAX_STAGES} ramps such as `10s@1000`"));
    }
    Ok(Arrivals::Stages { stages, process })
}

fn stage(part: &str) -> Result<Stage, String> {
    let (length, target) = part.split_once('@').ok_or_else(|| format!("`{part}` is not a ramp such as `10s@1000`"))?;
    let length = seconds(length)?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, and 0 is refused")]
    let whole = length as u32;
    if (f64::from(whole) - length).abs() > 1e-9 || whole == 0 || u64::from(whole) > MAX_STAGE_SECONDS {
        return Err(format!("`{part}`: a ramp takes 1 to {MAX_STAGE_SECONDS} whole seconds"));
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 1e9 a second, never negative")]
    let target = (rate(target)? * 60e6).round() as u64;
    Ok(Stage { seconds: whole, target })
}

fn sine(parts: &[&str]) -> Result<Arrivals, String> {
    let mut given = Given::of(parts)?;
    let amplitude = given.number("amplitude")?.unwrap_or(DEFAULT_AMPLITUDE);
    let period = given.seconds("period")?.unwrap_or(DEFAULT_PERIOD);
    let phase = given.seconds("phase")?.unwrap_or(0.0);
    let process = given.process()?;
    given.end("sine", "amplitude, period, phase, process")?;
    let sine = Sine::new(amplitude, period, phase).map_err(|wrong| wrong.to_string())?;
    Ok(Arrivals::Sine(Sine { process, ..sine }))
}

fn burst(parts: &[&str]) -> Result<Arrivals, String> {
    let (pareto, parts) = match parts.split_first() {
        Some((&"pareto", rest)) => (true, rest),
        _ => (false, parts),
    };
    let mut given = Given::of(parts)?;
    let rest = given.number("rest")?.unwrap_or(0.0);
    let process = given.process()?;
    let made = if pareto {
        let cycle = given.needed("cycle")?;
        let min = given.needed("min")?;
        let alpha = given.number("alpha")?.ok_or("`alpha` is required")?;
        given.end("burst:pareto", "cycle, min, alpha, rest, process")?;
        Burst::pareto(cycle, min, alpha, rest)
    } else {
        let on = given.needed("on")?;
        let off = given.needed("off")?;
        given.end("burst", "on, off, rest, process")?;
        Burst::fixed(on, off, rest)
    };
    Ok(Arrivals::Burst(Burst { process, ..made.map_err(|wrong| wrong.to_string())? }))
}

fn process_of(word: &str) -> Result<Process, String> {
    Process::parse(word).ok_or_else(|| format!("`process` must be `even` or `poisson`, not `{word}`"))
}

/// The `key=value` parts that nobody has taken yet.
struct Given<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Given<'a> {
    fn of(parts: &[&'a str]) -> Result<Self, String> {
        let mut pairs: Vec<(&str, &str)> = Vec::with_capacity(parts.len());
        for part in parts {
            let (key, value) = part.split_once('=').ok_or_else(|| format!("`{part}` is not `key=value`"))?;
            if pairs.iter().any(|(known, _)| *known == key) {
                return Err(format!("`{key}` is given twice"));
            }
            pairs.push((key, value));
        }
        Ok(Self(pairs))
    }

    fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(known, _)| *known == key)?;
        Some(self.0.swap_remove(at).1)
    }

    fn number(&mut self, key: &str) -> Result<Option<f64>, String> {
        let read = |text| number(text).ok_or_else(|| format!("`{key}` must be a number, not `{text}`"));
        self.take(key).map(read).transpose()
    }

    fn seconds(&mut self, key: &str) -> Result<Option<f64>, String> {
        self.take(key).map(|text| seconds(text).map_err(|fault| format!("`{key}`: {fault}"))).transpose()
    }

    fn needed(&mut self, key: &str) -> Result<f64, String> {
        self.seconds(key)?.ok_or_else(|| format!("`{key}` is required"))
    }

    fn process(&mut self) -> Result<Process, String> {
        self.take("process").map_or(Ok(Process::Even), process_of)
    }

    fn end(&self, kind: &str, known: &str) -> Result<(), String> {
        let unknown = self.0.first().map(|(key, _)| format!("`{kind}` has no `{key}`; it takes {known}"));
        unknown.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn every_form_is_read() {
        let stages = |stages: &[(u32, u64)], process| {
            let stages = stages.iter().map(|(seconds, rate)| Stage { seconds: *seconds, target: rate * 60_000_000 });
            Arrivals::Stages { stages: stages.collect(), process }
        };
        let sine = Sine::new(0.5, 60.0, 15.0).unwrap();
        let burst = Burst::fixed(0.1, 0.9, 0.0).unwrap();
        let pareto = Burst::pareto(10.0, 0.2, 1.5, 0.1).unwrap();
        let poisson = Process::Poisson;
        let table = [
            ("constant", Arrivals::Constant),
            (" poisson ", Arrivals::Poisson),
            ("stages:10s@1000,30s@5000", stages(&[(10, 1000), (30, 5000)], Process::Even)),
            ("stages:1m@60000/m,process=poisson", stages(&[(60, 1000)], poisson)),
            ("sine:amplitude=0.5,period=1m,phase=15s", Arrivals::Sine(sine)),
            ("sine", Arrivals::Sine(Sine::new(0.5, 86_400.0, 0.0).unwrap())),
            ("sine:period=60s,phase=15,process=poisson", Arrivals::Sine(Sine { process: poisson, ..sine })),
            ("burst:on=100ms,off=900ms", Arrivals::Burst(burst)),
            ("burst:on=0.1,off=0.9,process=poisson", Arrivals::Burst(Burst { process: poisson, ..burst })),
            ("burst:pareto,cycle=10s,min=200ms,alpha=1.5,rest=0.1", Arrivals::Burst(pareto)),
        ];
        for (text, arrivals) in table {
            assert_eq!(parse(text), Ok(arrivals), "{text}");
        }
    }

    #[test]
    fn mistakes_name_their_part() {
        let table = [
            ("", "``"),
            ("bursts", "`bursts`"),
            ("constant:1", "`constant`"),
            ("replay", "replay"),
            ("stages", "`stages`"),
            ("stages:10s", "`10s`"),
            ("stages:0.5s@1", "`0.5s@1`"),
            ("stages:0s@1", "`0s@1`"),
            ("stages:1s@-1", "`-1`"),
            ("stages:1s@1e12", "`1e12`"),
            ("sine:amplitude=2", "`amplitude`"),
            ("sine:amplitude=x", "`amplitude`"),
            ("sine:period=1ms", "`period`"),
            ("sine:frequency=1", "`frequency`"),
            ("sine:phase=1s,phase=2s", "`phase`"),
            ("burst:on=1s", "`off`"),
            ("burst:on=1s,off=1s,rest=2", "`rest`"),
            ("burst:on=1s,off=1s,process=none", "`process`"),
            ("burst:on=1 parsec,off=1s", "`on`"),
            ("burst:pareto,cycle=1s,min=2s,alpha=1", "`min`"),
            ("burst:pareto,cycle=1s,min=100ms", "`alpha`"),
            ("burst:pareto,on=1s,cycle=1s,min=100ms,alpha=1", "`on`"),
            ("burst:pareto,cycle=nan,min=100ms,alpha=1", "`cycle`"),
        ];
        for (text, part) in table {
            let fault = parse(text).unwrap_err();
            assert!(fault.contains(part), "{text}: {fault}");
        }
    }

    #[test]
    fn durations_have_many_forms() {
        for (text, expected) in [("1h30m", 5400.0), ("100ms", 0.1), ("1.5", 1.5), ("250us", 0.000_25), ("1d", 86_400.0)]
        {
            assert!((seconds(text).unwrap() - expected).abs() < 1e-12, "{text}");
        }
        for text in ["", "s", "1.s.", "-1s", "1y", "1e9", "inf"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
