//! Settling things about visits: sites, goals, funnels, links; and the questions that stand on them.

pub mod book_routes;
pub mod funnels;
pub mod goals;
pub mod retention;
pub mod shares;
pub mod site_routes;
pub mod sites;
pub mod types;

use serde_json::{Map, Value};
use trafficlab_shared::error::FieldFault;

use super::stats::wrong;
use crate::systems::fields::Fields;
use crate::systems::{Code, Fault, Outcome};
use crate::visits::book::BookFault;

/// Longest name of anything, in bytes.
const LONGEST_NAME: usize = 200;
/// Longest path or event name.
const LONGEST_TARGET: usize = 2048;

impl From<BookFault> for Fault {
    fn from(fault: BookFault) -> Self {
        match fault {
            BookFault::Store(error) => error.into(),
            BookFault::Taken(_) => Self::conflict(fault.to_string()).detail("name", "is taken"),
            BookFault::TooMany(_) => Self::conflict(fault.to_string()),
        }
    }
}

/// Reads a body by `read`, and refuses every mistake and unknown member of it at once.
fn body<'a, T>(map: &'a Map<String, Value>, read: impl FnOnce(&mut Fields<'a, '_>) -> Option<T>) -> Outcome<T> {
    let mut faults: Vec<FieldFault> = Vec::new();
    let mut fields = Fields::new(map, "", &mut faults);
    let found = read(&mut fields);
    for unknown in fields.unknown(&[]) {
        faults.push(FieldFault::new(unknown, "is not known"));
    }
    match found {
        Some(found) if faults.is_empty() => Ok(found),
        _ if faults.is_empty() => Err(Fault::new(Code::Unprocessable, "The body cannot be used")),
        _ => Err(Fault { code: Code::Unprocessable, ..Fault::validation(faults) }),
    }
}

/// A text that is there and not blank.
fn needed<'a>(fields: &mut Fields<'a, '_>, key: &'static str, most: usize) -> Option<&'a str> {
    if fields.get(key).is_none() {
        fields.fault(key, "is needed");
        return None;
    }
    let text = fields.text(key, most)?.trim();
    if text.is_empty() {
        fields.fault(key, "must not be empty");
        return None;
    }
    Some(text)
}

/// Refuses an id that nothing has.
fn gone(what: &str, found: bool) -> Outcome<()> {
    if found { Ok(()) } else { Err(Fault::not_found(format!("{what} not found"))) }
}

/// The path or the event that fulfils something.
fn target(path: Option<&str>, event: Option<&str>, field: &str) -> Outcome<crate::store::visit_settings::Target> {
    use crate::store::visit_settings::Target;
    let usable = |text: &str| !text.is_empty() && text.len() <= LONGEST_TARGET && !text.chars().any(char::is_control);
    match (path.map(str::trim), event.map(str::trim)) {
        (Some(path), None) if usable(path) && path.starts_with(['/', '*']) => Ok(Target::Path(path.to_owned())),
        (Some(_), None) => Err(wrong(&format!("{field}path"), "must begin with `/` and may hold `*` and `**`")),
        (None, Some(event)) if usable(event) && event != "pageview" => Ok(Target::Event(event.to_owned())),
        (None, Some(_)) => Err(wrong(&format!("{field}event"), "must be the name of a custom event")),
        _ => Err(wrong(&format!("{field}path"), "or `event` is needed, one of them")),
    }
}
