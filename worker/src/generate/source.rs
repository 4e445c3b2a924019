//! What flags name besides numbers: arrivals, files, places.

use std::path::Path;

use serde_json::{Value, json};
use trafficlab_engine::traffic::replay::{self, Timeline};
use trafficlab_engine::traffic::schedule::peak_rate;
use trafficlab_shared::model::arrivals::{Arrivals, moments, text};

use crate::shard::csv::CsvTable;

/// Files with bodies, tables and moments end here: they are held in memory.
const LONGEST_FILE: u64 = 1 << 30;

/// The arrivals that are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// A rate and how it changes.
    Shape(Arrivals),
    /// Recorded moments.
    Replay(Timeline),
}

impl Asked {
    /// The highest rate a second, when the mean is `rate` millionths of a request per minute.
    pub(super) fn peak_per_second(&self, rate: u64) -> u64 {
        match self {
            Self::Shape(arrivals) => peak_rate(arrivals, rate) / 60_000_000,
            Self::Replay(timeline) => timeline.peak_per_second(),
        }
    }

    /// How long they last by themselves, in milliseconds.
    pub(super) fn length_ms(&self) -> Option<u64> {
        match self {
            Self::Shape(Arrivals::Stages { stages, .. }) => {
                Some(stages.iter().map(|stage| u64::from(stage.seconds) * 1000).sum())
            }
            Self::Shape(_) => None,
            Self::Replay(timeline) => timeline.length_ns().map(|ns| ns.div_ceil(1_000_000)),
        }
    }
}

/// Reads `--arrivals`; `replay:FILE[,speed=2][,repeat]` names a log or a list of timestamps. Comes with a note
/// about what a person should know of the file.
pub(super) fn arrivals(written: &str) -> Result<(Asked, Option<String>), String> {
    let Some(rest) = written.strip_prefix("replay:") else {
        let shape = text::parse(written).map_err(|fault| format!("`--arrivals`: {fault}"))?;
        return Ok((Asked::Shape(shape), None));
    };
    let mut parts = rest.split(',');
    let path = parts.next().unwrap_or_default();
    let (mut speed, mut repeat) = (1.0, false);
    for part in parts {
        match part.split_once('=') {
            None if part == "repeat" => repeat = true,
            Some(("speed", factor)) => {
                let told = |_not_a_number| format!("`--arrivals`: `speed={factor}` is not a number");
                speed = factor.parse().map_err(told)?;
            }
            _ => return Err(format!("`--arrivals`: a replay has no `{part}`; it takes `speed=2` and `repeat`")),
        }
    }
    let told = |fault: String| format!("`--arrivals`: `{path}`: {fault}");
    let log = replay::read_log(&bytes("--arrivals", Path::new(path))?).map_err(|fault| told(fault.to_string()))?;
    let speed_ppm = moments::speed_ppm(speed).map_err(|fault| told(fault.to_string()))?;
    Ok((Asked::Replay(log.timeline(speed_ppm, repeat)), note(path, &log)))
}

fn note(path: &str, log: &replay::Replay) -> Option<String> {
    let mut notes = Vec::new();
    if let Some(skipped) = log.skipped() {
        notes.push(format!("{} lines hold no time, the first is line {}", skipped.lines, skipped.first));
    }
    if log.spread() {
        notes.push("its times are whole seconds, so the requests of a second are spread evenly over it".to_owned());
    }
    (!notes.is_empty()).then(|| format!("`{path}`: {}", notes.join("; ")))
}

/// A file, whole; `flag` named it.
pub(super) fn bytes(flag: &str, path: &Path) -> Result<Vec<u8>, String> {
    let told = |error: std::io::Error| format!("`{flag}`: `{}` cannot be read: {error}", path.display());
    let length = std::fs::metadata(path).map_err(told)?.len();
    if length > LONGEST_FILE {
        return Err(format!("`{flag}`: `{}` is longer than 1 GiB", path.display()));
    }
    std::fs::read(path).map_err(told)
}

/// `Germany`, `DE=3` … as the campaign's `geo_locations`; nothing for the default.
pub(super) fn places(written: &[String]) -> Result<Option<Value>, String> {
    let mut places = Vec::new();
    for place in written {
        let (country, weight) = place.split_once('=').unwrap_or((place, "1"));
        let weight: f64 =
            weight.trim().parse().map_err(|_not_a_number| format!("`--geo {place}`: `{weight}` is not a weight"))?;
        places.push(json!({"country": country.trim(), "weight": weight}));
    }
    Ok((!places.is_empty()).then_some(Value::Array(places)))
}

/// A table with a header line, by RFC 4180: commas, quotes doubled inside quotes, line breaks within them.
pub(super) fn table(path: &Path) -> Result<CsvTable, String> {
    let told = |fault: String| format!("`--csv`: `{}`: {fault}", path.display());
    let text = String::from_utf8(bytes("--csv", path)?).map_err(|_not_text| told("is not UTF-8 text".to_owned()))?;
    let mut records = records(text.trim_start_matches('\u{feff}')).map_err(told)?.into_iter();
    let columns = records.next().ok_or_else(|| told("is empty".to_owned()))?;
    let columns = columns.into_iter().map(|name| name.trim().to_owned()).collect();
    CsvTable::new(columns, records.collect()).map_err(told)
}

fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut records = Vec::new();
    let mut record: Vec<String> = Vec::new();
    let mut cell = String::new();
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() => quoted = true,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            '\n' if !quoted => end_record(&mut records, &mut record, &mut cell),
            other => cell.push(other),
        }
    }
    if quoted {
        return Err("the last quote is not closed".to_owned());
    }
    end_record(&mut records, &mut record, &mut cell);
    Ok(records)
}

/// An empty line is no record.
fn end_record(records: &mut Vec<Vec<String>>, record: &mut Vec<String>, cell: &mut String) {
    if !record.is_empty() || !cell.is_empty() {
        record.push(std::mem::take(cell));
        records.push(std::mem::take(record));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn tables_with_quotes() {
        let text = "user,note\r\nann,\"a, \"\"b\"\"\nc\"\n\nbob,\n";
        assert_eq!(records(text).unwrap(), [vec!["user", "note"], vec!["ann", "a, \"b\"\nc"], vec!["bob", ""]]);
        assert!(records("a\n\"b").is_err());
    }

    #[test]
    fn places_have_weights() {
        let written = ["Germany".to_owned(), "FR=2.5".to_owned()];
        let expected = json!([{"country": "Germany", "weight": 1.0}, {"country": "FR", "weight": 2.5}]);
        assert_eq!(places(&written), Ok(Some(expected)));
        assert_eq!(places(&[]), Ok(None));
        assert!(places(&["DE=x".to_owned()]).unwrap_err().contains("`x`"));
    }

    #[test]
    fn arrivals_name_their_file() {
        assert_eq!(arrivals("poisson"), Ok((Asked::Shape(Arrivals::Poisson), None)));
        let stages = arrivals("stages:2s@10,3s@0").unwrap().0;
        assert_eq!((stages.length_ms(), stages.peak_per_second(0)), (Some(5000), 10));
        assert!(arrivals("replay:/no/such/file").unwrap_err().contains("/no/such/file"));
        assert!(arrivals("replay:x,slow").unwrap_err().contains("`slow`"));
        assert!(arrivals("noise").unwrap_err().contains("--arrivals"));
    }
}
