//! Reading the bodies of small things: what is unknown is refused, what is read-only is passed over.

use jiff::Timestamp;
use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

use crate::systems::fields::Fields;
use crate::systems::{Fault, Outcome};

/// Members that answers show and requests may carry along without effect.
const READ_ONLY: [&str; 4] = ["id", "tenant_id", "created_at", "updated_at"];

/// Reads a body; every wrong and every unknown member is named.
///
/// # Errors
/// 400.
pub(super) fn read<'a, T>(body: &'a Map<String, Value>, of: impl FnOnce(&mut Fields<'a, '_>) -> T) -> Outcome<T> {
    read_beside(body, &[], of)
}

/// `read`, with further members that are passed over.
///
/// # Errors
/// 400.
pub(super) fn read_beside<'a, T>(
    body: &'a Map<String, Value>,
    passed_over: &[&str],
    of: impl FnOnce(&mut Fields<'a, '_>) -> T,
) -> Outcome<T> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body, "", &mut faults);
    let found = of(&mut fields);
    let others: Vec<&str> = READ_ONLY.iter().chain(passed_over).copied().collect();
    let unknown = fields.unknown(&others);
    faults.extend(unknown.into_iter().map(|path| FieldFault::new(path, "unknown field")));
    if faults.is_empty() { Ok(found) } else { Err(Fault::validation(faults)) }
}

/// One line that is not blank, without spaces around it.
pub(super) fn name(fields: &mut Fields<'_, '_>, key: &'static str, longest: usize, needed: bool) -> Option<String> {
    let told = fields.faults().len();
    let text = fields.text(key, longest);
    if fields.faults().len() > told {
        return None;
    }
    match text.map(str::trim) {
        None if !needed => None,
        None => {
            fields.fault(key, "is needed");
            None
        }
        Some(text) if text.is_empty() || text.chars().any(char::is_control) => {
            fields.fault(key, "must be one line that is not blank");
            None
        }
        Some(text) => Some(text.to_owned()),
    }
}

/// One of some words.
pub(super) fn word<T>(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    words: &[&str],
) -> Option<T> {
    let value = fields.get(key)?;
    let found = value.as_str().and_then(parse);
    if found.is_none() {
        fields.fault(key, format!("must be one of {}", listed(words)));
    }
    found
}

/// Words as a sentence names them.
pub(super) fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Nanoseconds since 1970 of a moment with its zone (RFC 3339).
pub(super) fn moment(text: &str) -> Option<u64> {
    text.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_nanosecond()).ok())
}
