//! Recorded moments as members of `config.arrivals`: a list of times, or the text of a log.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use trafficlab_engine::traffic::replay::{MAX_MOMENTS, Replay, number_moment, parse_moment, read_log, speed_ppm};
use trafficlab_shared::model::arrivals::{Arrivals, moments};

use super::{Given, note};
use crate::systems::fields::Fields;

/// Wrong times that are named one by one.
const NAMED: usize = 5;

/// `timestamps`, `log` or `moments`, with `speed` and `repeat`.
pub(super) fn read(members: &mut Fields<'_, '_>) -> Given {
    let repeat = members.flag("repeat").unwrap_or(false);
    let speed = speed(members);
    let forms: [(&'static str, Reader); 3] = [("timestamps", timestamps), ("log", text), ("moments", packed)];
    let mut found = forms.into_iter().filter(|(key, _)| members.get(key).is_some());
    let (first, second) = (found.next(), found.next());
    let Some((key, form)) = first else {
        members.fault("timestamps", "is required with the type `replay`, or else `log`");
        return Given::default();
    };
    if let Some((second, _)) = second {
        members.fault(second, format!("cannot be given beside `{key}`"));
        return Given::default();
    }
    let (Some(replay), Some(speed)) = (form(members), speed) else {
        return Given::default();
    };
    match replay.pack(speed, repeat) {
        Ok(packed) => {
            let path = members.path_of(key);
            Given { notes: notes(&replay, &path), arrivals: Arrivals::Replay(packed), ..Given::default() }
        }
        Err(error) => {
            members.fault(key, error.to_string());
            Given::default()
        }
    }
}

/// Puts the packed moments in the place of the list or log they were read from, which may be longer
/// than a stored campaign.
pub(super) fn compact(members: &mut Map<String, Value>, packed: &moments::Replay) {
    members.remove("log");
    members.remove("timestamps");
    members.insert("moments".to_owned(), BASE64.encode(&packed.packed).into());
    members.insert("count".to_owned(), packed.count.into());
}

type Reader = fn(&mut Fields<'_, '_>) -> Option<Replay>;

/// Base64 of the packed form, as a session shows it.
fn packed(members: &mut Fields<'_, '_>) -> Option<Replay> {
    // Shown beside it for people.
    members.get("count");
    let text = members.get("moments").and_then(Value::as_str);
    let replay = text.and_then(|text| Replay::from_packed(&BASE64.decode(text).ok()?).ok());
    if replay.is_none() {
        members.fault("moments", "must be as a session shows it; give `timestamps` or `log` instead");
    }
    replay
}

fn speed(members: &mut Fields<'_, '_>) -> Option<u64> {
    let Some(value) = members.get("speed") else {
        return Some(moments::ONCE);
    };
    let speed = speed_ppm(value.as_f64().unwrap_or(f64::NAN));
    speed.map_err(|wrong| note(members, wrong)).ok()
}

fn text(members: &mut Fields<'_, '_>) -> Option<Replay> {
    let text = members.get("log").and_then(Value::as_str);
    let read = text.map_or_else(
        || Err("must be a text".to_owned()),
        |text| read_log(text.as_bytes()).map_err(|error| error.to_string()),
    );
    read.map_err(|fault| members.fault("log", fault)).ok()
}

fn timestamps(members: &mut Fields<'_, '_>) -> Option<Replay> {
    let items = members.list("timestamps", MAX_MOMENTS)?;
    let mut moments = Vec::with_capacity(items.len());
    let mut wrong = 0;
    for (index, item) in items.iter().enumerate() {
        let moment = match item {
            Value::Number(number) => number_moment(number),
            Value::String(text) => parse_moment(text),
            _ => None,
        };
        match moment {
            Some(moment) => moments.push(moment),
            None if wrong < NAMED => {
                wrong += 1;
                let key = format!("timestamps[{index}]");
                members.fault(&key, "must be epoch seconds or milliseconds, or an RFC 3339 time");
            }
            None => {}
        }
    }
    if wrong > 0 {
        return None;
    }
    Replay::of_moments(moments).map_err(|_none| members.fault("timestamps", "must not be empty")).ok()
}

fn notes(replay: &Replay, path: &str) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(skipped) = replay.skipped() {
        notes.push(format!("Lines of `{path}` without a time: {}, the first is line {}", skipped.lines, skipped.first));
    }
    if replay.spread() {
        notes
            .push(format!("The times of `{path}` are whole seconds, so the requests of one are spread evenly over it"));
    }
    notes
}
