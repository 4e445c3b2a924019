//! `config.arrivals` and `config.stages`: how arrivals are spread over time.

use serde_json::Value;
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::arrivals::{Arrivals, Stage};

use crate::systems::fields::Fields;
use crate::systems::time;

const MAX_STAGES: usize = 200;
const MAX_STAGE_SECONDS: u64 = 30 * 24 * 3600;

/// Reads the two keys; `max_rate` is in requests per minute.
pub(super) fn read(config: &mut Fields<'_, '_>, max_rate: f64) -> Arrivals {
    let direct = config.list("stages", MAX_STAGES);
    let path = config.path_of("stages");
    let given = config.get("arrivals");
    let arrivals_path = config.path_of("arrivals");
    let faults = config.faults();
    match given {
        None => direct.map_or(Arrivals::Constant, |items| staged(items, &path, max_rate, faults)),
        Some(Value::String(word)) => {
            named(word, &arrivals_path, direct.map(|items| (items, path.as_str())), max_rate, faults)
        }
        Some(Value::Object(map)) => {
            let mut inner = Fields::new(map, arrivals_path.clone(), faults);
            let word = inner.text("type", 32).unwrap_or("stages");
            let stages = inner.list("stages", MAX_STAGES);
            let inner_path = inner.path_of("stages");
            let stages = stages.map(|items| (items, inner_path)).or_else(|| direct.map(|items| (items, path)));
            let stages = stages.as_ref().map(|(items, path)| (*items, path.as_str()));
            named(word, &arrivals_path, stages, max_rate, faults)
        }
        Some(_) => {
            faults.push(FieldFault::new(
                arrivals_path,
                "must be `constant`, `poisson` or {\"type\": \"stages\", \"stages\": […]}",
            ));
            Arrivals::Constant
        }
    }
}

fn named(
    word: &str,
    path: &str,
    stages: Option<(&[Value], &str)>,
    max_rate: f64,
    faults: &mut Vec<FieldFault>,
) -> Arrivals {
    match (word, stages) {
        ("constant", _) => Arrivals::Constant,
        ("poisson", _) => Arrivals::Poisson,
        ("stages", Some((items, stages_path))) => staged(items, stages_path, max_rate, faults),
        ("stages", None) => {
            faults.push(FieldFault::new(format!("{path}.stages"), "is required with the type `stages`"));
            Arrivals::Constant
        }
        _ => {
            faults.push(FieldFault::new(path, "must be `constant`, `poisson` or `stages`"));
            Arrivals::Constant
        }
    }
}

fn staged(items: &[Value], path: &str, max_rate: f64, faults: &mut Vec<FieldFault>) -> Arrivals {
    if items.is_empty() {
        faults.push(FieldFault::new(path, "must not be empty"));
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
    Arrivals::Stages { stages }
}
