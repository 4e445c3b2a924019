//! `config.arrivals` and `config.stages`: how arrivals are spread over time.

mod replay;
mod shapes;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::arrivals::{Arrivals, MAX_STAGE_SECONDS, MAX_STAGES, Process, Stage, Wrong, text};

use crate::systems::fields::Fields;
use crate::systems::time;

/// The arrivals, with what their owner should know.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Given {
    pub(super) arrivals: Arrivals,
    /// Members that have no effect.
    pub(super) unknown: Vec<String>,
    /// Whole sentences.
    pub(super) notes: Vec<String>,
}

impl From<Arrivals> for Given {
    fn from(arrivals: Arrivals) -> Self {
        Self { arrivals, ..Self::default() }
    }
}

const KINDS: &str = "must be `constant`, `poisson`, `stages`, `sine`, `burst` or `replay`";

/// Ramps as they were given, with their path.
type Ramps<'a> = Option<(&'a [Value], String)>;

/// Reads the two keys; `max_rate` is in requests per minute.
pub(super) fn read(config: &mut Fields<'_, '_>, max_rate: f64) -> Given {
    let path = config.path_of("stages");
    let ramps: Ramps<'_> = config.list("stages", MAX_STAGES).map(|items| (items, path));
    let given = config.get("arrivals");
    let path = config.path_of("arrivals");
    let faults = config.faults();
    match given {
        None if ramps.is_some() => staged(ramps, &path, max_rate, faults).into(),
        None => Given::default(),
        Some(Value::String(word)) if word == "stages" => staged(ramps, &path, max_rate, faults).into(),
        Some(Value::String(line)) => text::parse(line).map_or_else(
            |fault| {
                faults.push(FieldFault::new(path, fault));
                Given::default()
            },
            Given::from,
        ),
        Some(Value::Object(map)) => object(map, path, ramps, max_rate, faults),
        Some(_) => {
            faults.push(FieldFault::new(path, "must be a text such as `poisson`, or an object with a `type`"));
            Given::default()
        }
    }
}

/// Makes the stored form of `config` small enough to be stored.
pub(super) fn compact(config: &mut Value, arrivals: &Arrivals) {
    if let (Arrivals::Replay(packed), Some(Value::Object(members))) = (arrivals, config.get_mut("arrivals")) {
        replay::compact(members, packed);
    }
}

fn object(
    map: &Map<String, Value>,
    path: String,
    ramps: Ramps<'_>,
    max_rate: f64,
    faults: &mut Vec<FieldFault>,
) -> Given {
    let mut members = Fields::new(map, path, faults);
    let kind = match members.text("type", 32) {
        Some(kind) => kind,
        None if map.contains_key("stages") || ramps.is_some() => "stages",
        None => {
            if !map.contains_key("type") {
                members.fault("type", KINDS);
            }
            return Given::default();
        }
    };
    let mut given = match kind {
        "constant" => Arrivals::Constant.into(),
        "poisson" => Arrivals::Poisson.into(),
        "stages" => {
            let path = members.path_of("stages");
            let ramps = members.list("stages", MAX_STAGES).map(|items| (items, path)).or(ramps);
            let path = members.path_of("");
            staged(ramps, path.trim_end_matches('.'), max_rate, members.faults()).into()
        }
        "sine" => shapes::sine(&mut members).into(),
        "burst" => shapes::burst(&mut members).into(),
        "replay" => replay::read(&mut members),
        _ => {
            members.fault("type", KINDS);
            return Given::default();
        }
    };
    if let Some(process) = process(&mut members) {
        match given.arrivals.clone().with_process(process) {
            Ok(arrivals) => given.arrivals = arrivals,
            Err(wrong) => note(&mut members, wrong),
        }
    }
    given.unknown.extend(members.unknown(&[]));
    given
}

fn process(members: &mut Fields<'_, '_>) -> Option<Process> {
    let word = members.text("process", 32)?;
    let process = Process::parse(word);
    if process.is_none() {
        members.fault("process", "must be `even` or `poisson`");
    }
    process
}

/// A figure beyond its limits becomes a fault of its member.
fn note(members: &mut Fields<'_, '_>, wrong: Wrong) {
    members.fault(wrong.key, wrong.message);
}

fn staged(ramps: Ramps<'_>, arrivals_path: &str, max_rate: f64, faults: &mut Vec<FieldFault>) -> Arrivals {
    let Some((items, path)) = ramps else {
        faults.push(FieldFault::new(format!("{arrivals_path}.stages"), "is required with the type `stages`"));
        return Arrivals::Constant;
    };
    if items.is_empty() {
        faults.push(FieldFault::new(&path, "must not be empty"));
    }
    let mut stages = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let item_path = format!("{path}[{index}]");
        let Some(map) = item.as_object() else {
            faults.push(FieldFault::new(item_path, "must be {\"duration_seconds\", \"target\"}"));
            continue;
        };
        let mut stage = Fields::new(map, item_path, faults);
        let seconds = stage.whole("duration_seconds", 1..=MAX_STAGE_SECONDS);
        let target = stage.number("target", 0.0, max_rate);
        for required in ["duration_seconds", "target"] {
            if !map.contains_key(required) {
                stage.fault(required, "is required");
            }
        }
        if let (Some(seconds), Some(target)) = (seconds, target) {
            stages
                .push(Stage { seconds: u32::try_from(seconds).unwrap_or(u32::MAX), target: time::whole(target * 1e6) });
        }
    }
    Arrivals::Stages { stages, process: Process::Even }
}
