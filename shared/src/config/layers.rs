//! Laying defaults, file, environment and flags over one another, with the origin of each value.

use std::collections::BTreeMap;
use std::fmt;

use toml::{Table, Value};

use super::fault::ConfigFault;
use super::schema;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The embedded file.
    Default,
    /// What a command presets, such as `dev`.
    Preset(&'static str),
    /// A file, by its path.
    File(String),
    /// An environment variable, by its name.
    Env(String),
    /// A command-line flag.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => formatter.write_str("default"),
            Self::Preset(name) => write!(formatter, "preset {name}"),
            Self::File(path) => write!(formatter, "file {path}"),
            Self::Env(name) => write!(formatter, "env {name}"),
            Self::Flag => formatter.write_str("flag"),
        }
    }
}

/// All layers so far and what was wrong with them.
pub(super) struct Layers {
    pub(super) values: Table,
    pub(super) origins: BTreeMap<String, Origin>,
    pub(super) faults: Vec<ConfigFault>,
    defaults: Table,
}

impl Layers {
    pub(super) fn new() -> Self {
        let defaults = schema::defaults();
        Self { values: defaults.clone(), origins: BTreeMap::new(), faults: Vec::new(), defaults }
    }

    /// The origin of the key that `path` is or lies in.
    pub(super) fn origin(&self, path: &str) -> Origin {
        let key = self.key_of(path);
        let origin = key.and_then(|key| self.origins.get(&key));
        origin.cloned().unwrap_or(Origin::Default)
    }

    /// Whether `key` is a section.
    pub(super) fn is_section(&self, key: &str) -> bool {
        schema::lookup(&self.defaults, key).is_some_and(schema::is_section)
    }

    /// The key that a path such as `auth.api_tokens[0].role` lies in.
    pub(super) fn key_of(&self, path: &str) -> Option<String> {
        schema::key_of(&self.defaults, path)
    }

    /// Lays the text of a TOML file over what is there.
    pub(super) fn lay_text(&mut self, text: &str, origin: Origin) {
        match text.parse::<Table>() {
            Ok(table) => self.lay(table, &origin),
            Err(fault) => {
                let message = format!("not valid TOML: {}", fault.to_string().trim_end());
                self.faults.push(ConfigFault::new("", origin, message));
            }
        }
    }

    /// Lays one environment variable over what is there; `path` is its name without the prefix.
    pub(super) fn lay_variable(&mut self, name: &str, path: &str, text: &str) {
        let key = path.to_ascii_lowercase().replace("__", ".");
        let origin = Origin::Env(name.to_owned());
        match schema::lookup(&self.defaults, &key) {
            Some(default) if !schema::is_section(default) => match read_like(default, text) {
                Ok(value) => self.set(&key, value, &origin),
                Err(message) => {
                    // The text of a secret must not come back in a message, wherever it is wrong.
                    let shown = if schema::is_secret(&key) { "not of the right form".to_owned() } else { message };
                    self.faults.push(ConfigFault::new(&key, origin, shown));
                }
            },
            Some(_) => {
                let message = "a section; set one of its keys with `__` before the key's name";
                self.faults.push(ConfigFault::new(&key, origin, message));
            }
            None => self.unknown(&key, origin),
        }
    }

    /// Lays a table over what is there, key by key.
    pub(super) fn lay(&mut self, table: Table, origin: &Origin) {
        self.lay_section("", table, origin);
    }

    fn lay_section(&mut self, section: &str, table: Table, origin: &Origin) {
        for (name, value) in table {
            let key = if section.is_empty() { name } else { format!("{section}.{name}") };
            let kind = schema::lookup(&self.defaults, &key).map(schema::is_section);
            match (kind, value) {
                (None, _) => self.unknown(&key, origin.clone()),
                (Some(true), Value::Table(inner)) => self.lay_section(&key, inner, origin),
                (Some(true), _) => {
                    let message = "a section with keys of its own, not a single value";
                    self.faults.push(ConfigFault::new(&key, origin.clone(), message));
                }
                (Some(false), value) => self.set(&key, value, origin),
            }
        }
    }

    fn set(&mut self, key: &str, value: Value, origin: &Origin) {
        schema::place(&mut self.values, key, value);
        self.origins.insert(key.to_owned(), origin.clone());
    }

    /// Puts the default back at `key`, so that the other keys can be read in spite of this one.
    pub(super) fn reset(&mut self, key: &str) {
        if let Some(default) = schema::lookup(&self.defaults, key) {
            schema::place(&mut self.values, key, default.clone());
        }
    }

    fn unknown(&mut self, key: &str, origin: Origin) {
        let hint = match (schema::did_you_mean(key), &origin) {
            (Some(meant), Origin::Env(_)) => format!("; did you mean `{}`", variable_of(&meant)),
            (Some(meant), _) => format!("; did you mean `{meant}`"),
            (None, _) => String::new(),
        };
        self.faults.push(ConfigFault::new(key, origin, format!("unknown key{hint}")));
    }
}

/// The environment variable that sets `key`.
pub(super) fn variable_of(key: &str) -> String {
    format!("{}{}", super::ENV_PREFIX, key.replace('.', "__").to_ascii_uppercase())
}

/// Reads a variable's text as a value of the default's kind.
fn read_like(default: &Value, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    match default {
        Value::String(_) | Value::Datetime(_) => Ok(Value::String(text.to_owned())),
        Value::Boolean(_) => match trimmed.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(Value::Boolean(true)),
            "false" | "0" | "no" | "off" => Ok(Value::Boolean(false)),
            _ => Err(format!("`{text}` is neither true nor false")),
        },
        Value::Integer(_) => {
            let number = trimmed.replace('_', "").parse().map(Value::Integer).ok();
            number.ok_or_else(|| format!("`{text}` is not a whole number"))
        }
        Value::Float(_) => {
            let number = trimmed.parse::<f64>().ok().filter(|number| number.is_finite());
            number.map(Value::Float).ok_or_else(|| format!("`{text}` is not a number"))
        }
        Value::Array(_) | Value::Table(_) => {
            let form = if default.is_array() { "[\"a\", \"b\"]" } else { "{ name = \"value\" }" };
            let value = trimmed.parse::<Value>().ok();
            value.ok_or_else(|| format!("`{text}` is not a TOML value such as `{form}`"))
        }
    }
}
