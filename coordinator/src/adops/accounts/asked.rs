//! The small bodies of accounts.

use serde_json::{Map, Value};

use super::register::{address, text};
use crate::adops::input;
use crate::systems::{Code, Fault, Outcome};

/// The token of a refresh.
///
/// # Errors
/// 400.
pub fn refresh(body: &Map<String, Value>) -> Outcome<&str> {
    input::read(body, |fields| text(fields, "refresh_token"))?.ok_or_else(missing)
}

/// The address of one who forgot the password.
///
/// # Errors
/// 400 for what can be no address.
pub fn forgot(body: &Map<String, Value>) -> Outcome<&str> {
    input::read(body, |fields| address(fields, "email"))?.ok_or_else(missing)
}

/// Whether all sessions are to end.
///
/// # Errors
/// 400.
pub fn logout(body: &Map<String, Value>) -> Outcome<bool> {
    Ok(input::read(body, |fields| fields.flag("all"))?.unwrap_or(false))
}

/// What a reader leaves out it has named among the wrong fields; so this is never seen.
pub(super) fn missing() -> Fault {
    Fault::new(Code::Validation, "A field is missing")
}
