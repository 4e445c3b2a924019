//! Swings and bursts as members of `config.arrivals`.

use serde_json::Value;
use trafficlab_shared::model::arrivals::shapes::{DEFAULT_AMPLITUDE, DEFAULT_PERIOD};
use trafficlab_shared::model::arrivals::{Arrivals, Burst, Sine, Wrong, text};

use super::note;
use crate::systems::fields::Fields;

/// `amplitude`, `period`, `phase`.
pub(super) fn sine(members: &mut Fields<'_, '_>) -> Arrivals {
    let amplitude = number(members, "amplitude").map(|given| given.unwrap_or(DEFAULT_AMPLITUDE));
    let period = seconds(members, "period").map(|given| given.unwrap_or(DEFAULT_PERIOD));
    let phase = seconds(members, "phase").map(|given| given.unwrap_or(0.0));
    let (Some(amplitude), Some(period), Some(phase)) = (amplitude, period, phase) else {
        return Arrivals::Constant;
    };
    made(members, Sine::new(amplitude, period, phase).map(Arrivals::Sine))
}

/// `on` and `off`, or `cycle`, `min` and `alpha` for lengths of the Pareto distribution; `rest` with both.
pub(super) fn burst(members: &mut Fields<'_, '_>) -> Arrivals {
    let pareto = members.flag("pareto").unwrap_or(false) || members.get("cycle").is_some();
    let rest = number(members, "rest").map(|given| given.unwrap_or(0.0));
    let figures = if pareto {
        let cycle = needed(members, "cycle", seconds);
        let min = needed(members, "min", seconds);
        let alpha = needed(members, "alpha", number);
        cycle.zip(min).zip(alpha).map(|((cycle, min), alpha)| (cycle, min, Some(alpha)))
    } else {
        needed(members, "on", seconds).zip(needed(members, "off", seconds)).map(|(on, off)| (on, off, None))
    };
    match (figures, rest) {
        (Some((on, off, None)), Some(rest)) => made(members, Burst::fixed(on, off, rest).map(Arrivals::Burst)),
        (Some((cycle, min, Some(alpha))), Some(rest)) => {
            made(members, Burst::pareto(cycle, min, alpha, rest).map(Arrivals::Burst))
        }
        _ => Arrivals::Constant,
    }
}

fn made(members: &mut Fields<'_, '_>, made: Result<Arrivals, Wrong>) -> Arrivals {
    made.unwrap_or_else(|wrong| {
        note(members, wrong);
        Arrivals::Constant
    })
}

type Reader = fn(&mut Fields<'_, '_>, &'static str) -> Option<Option<f64>>;

/// A figure that must be there.
fn needed(members: &mut Fields<'_, '_>, key: &'static str, read: Reader) -> Option<f64> {
    let found = read(members, key)?;
    if found.is_none() {
        members.fault(key, "is required");
    }
    found
}

/// A number, if it is given; `None` when it is something else, which is noted.
fn number(members: &mut Fields<'_, '_>, key: &'static str) -> Option<Option<f64>> {
    let Some(value) = members.get(key) else {
        return Some(None);
    };
    if !value.is_number() {
        members.fault(key, "must be a number");
    }
    value.as_f64().map(Some)
}

/// A duration in seconds as a number, or a text such as `100ms`; as `number` otherwise.
fn seconds(members: &mut Fields<'_, '_>, key: &'static str) -> Option<Option<f64>> {
    let Some(value) = members.get(key) else {
        return Some(None);
    };
    let read = match value {
        Value::String(text) => text::seconds(text).ok(),
        _ => value.as_f64(),
    };
    if read.is_none() {
        members.fault(key, "must be a number of seconds or a duration such as `100ms`");
    }
    read.map(Some)
}
