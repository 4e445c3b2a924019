//! What a request says of a person.

use serde_json::{Map, Value};

use crate::adops::accounts::email;
use crate::adops::actor::Role;
use crate::adops::input;
use crate::systems::Outcome;
use crate::systems::fields::Fields;

/// Bytes of a person's name.
const LONGEST_NAME: usize = 200;

/// What is to be set; none leaves it.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) email: Option<String>,
    pub(super) password: Option<String>,
    pub(super) full_name: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) active: Option<bool>,
}

/// Reads a body; a `new` person needs an address, a password and a name.
///
/// # Errors
/// 400 naming fields.
pub(super) fn read(body: &Map<String, Value>, new: bool) -> Outcome<Wanted> {
    input::read_beside(body, &["last_login_at", "anonymised"], |fields| Wanted {
        email: address(fields, new),
        password: password(fields, new),
        full_name: input::name(fields, "full_name", LONGEST_NAME, new),
        role: input::word(fields, "role", Role::parse, &Role::ALL.map(Role::as_str)),
        active: fields.flag("active"),
    })
}

fn address(fields: &mut Fields<'_, '_>, needed: bool) -> Option<String> {
    let value = fields.get("email");
    let text = value.and_then(Value::as_str).map(str::trim);
    match (value.is_some(), text.filter(|text| email::is_valid(text))) {
        (false, _) if !needed => None,
        (false, _) => {
            fields.fault("email", "is needed");
            None
        }
        (true, Some(text)) => Some(text.to_owned()),
        (true, None) => {
            fields.fault("email", "value is not a valid email address");
            None
        }
    }
}

/// The text only: whether it will do is judged where it is hashed.
fn password(fields: &mut Fields<'_, '_>, needed: bool) -> Option<String> {
    let value = fields.get("password");
    match value.map(Value::as_str) {
        None if needed => fields.fault("password", "is needed"),
        Some(None) => fields.fault("password", "must be a text"),
        None | Some(Some(_)) => {}
    }
    value.and_then(Value::as_str).map(str::to_owned)
}
