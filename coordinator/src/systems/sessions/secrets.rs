//! Secret header values: sealed before they are stored, masked before they are shown.

use serde_json::{Map, Value, json};
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::seal::Sealer;
use trafficlab_shared::target::check_headers;
use trafficlab_shared::template::Template;

/// Seals every `{"value", "secret": true}` in `config.headers`; `{"secret": true, "set": true}`, as answers show it,
/// keeps the value of `before`.
pub fn seal(config: &mut Value, before: &Value, sealer: Option<&Sealer>, campaign: &str, faults: &mut Vec<FieldFault>) {
    let Some(Value::Object(headers)) = config.get_mut("headers") else {
        return;
    };
    for (name, value) in headers.iter_mut() {
        let Value::Object(members) = value else {
            continue;
        };
        match sealed(name, members, before, sealer, campaign) {
            Ok(Some(stored)) => *value = json!({ "sealed": stored }),
            Ok(None) => {}
            Err(message) => faults.push(FieldFault::new(format!("config.headers.{name}"), message)),
        }
    }
}

fn sealed(
    name: &str,
    members: &Map<String, Value>,
    before: &Value,
    sealer: Option<&Sealer>,
    campaign: &str,
) -> Result<Option<String>, String> {
    let secret = members.get("secret").is_some_and(|secret| *secret == Value::Bool(true));
    let known = before.get("headers").and_then(|headers| headers.get(name)?.get("sealed"));
    if known.is_some() && members.get("sealed") == known {
        // Not part of what the caller wrote.
        return Ok(None);
    }
    match members.get("value") {
        Some(Value::String(value)) if secret => {
            if let Some(fault) = check_headers([(name, value.as_str())], "config.headers").into_iter().next() {
                return Err(fault.message);
            }
            Template::parse_without_table(value).map_err(|error| error.to_string())?;
            let sealer = sealer.ok_or("secret values need `auth.secrets_key` in the server's configuration")?;
            sealer.seal(value, campaign).map(Some).map_err(|error| error.to_string())
        }
        Some(Value::String(_)) => Ok(None),
        None if secret => known
            .and_then(Value::as_str)
            .map(|known| Some(known.to_owned()))
            .ok_or_else(|| "has no value yet: give `value`".to_owned()),
        _ => Err("must be a text or {\"value\", \"secret\"}".to_owned()),
    }
}

/// `config` as answers show it.
#[must_use]
pub fn masked(config: &Value) -> Value {
    let mut config = config.clone();
    if let Some(Value::Object(headers)) = config.get_mut("headers") {
        for value in headers.values_mut() {
            if value.get("sealed").is_some() {
                *value = json!({"secret": true, "set": true});
            }
        }
    }
    config
}
