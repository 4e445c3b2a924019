//! The effective configuration as TOML, with secrets masked and the origin beside each key.

use std::fmt::Write as _;

use toml::{Table, Value};

use super::layers::Layers;
use super::schema;
use super::secret::MASK;

/// Writes every key with its value and origin.
pub(super) fn to_toml_masked(layers: &Layers) -> String {
    let mut text = String::new();
    write_section(&mut text, layers, "", &layers.values);
    text
}

fn write_section(text: &mut String, layers: &Layers, section: &str, table: &Table) {
    let path = |name: &str| match section {
        "" => name.to_owned(),
        _ => format!("{section}.{name}"),
    };
    let (sections, values): (Vec<_>, Vec<_>) = table.iter().partition(|(name, _)| layers.is_section(&path(name)));
    if !section.is_empty() && !values.is_empty() {
        append(text, format_args!("\n[{section}]\n"));
    }
    for (name, value) in values {
        let key = path(name);
        let shown = masked(&key, value);
        append(text, format_args!("{name} = {shown} # from {}\n", layers.origin(&key)));
    }
    for (name, below) in sections {
        if let Value::Table(below) = below {
            write_section(text, layers, &path(name), below);
        }
    }
}

fn append(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("writing to a String cannot fail");
}

/// The value as shown: secrets that are set become `***`, as do texts with credentials before a host.
fn masked(key: &str, value: &Value) -> Value {
    let mask = || Value::String(MASK.to_owned());
    match value {
        Value::String(text) if text.is_empty() => value.clone(),
        Value::Array(items) if schema::is_secret(key) => Value::Array(items.iter().map(|_| mask()).collect()),
        _ if schema::is_secret(key) => mask(),
        Value::Array(items) => Value::Array(items.iter().map(|item| masked(key, item)).collect()),
        Value::Table(inner) => {
            let below = |(name, value): (&String, &Value)| (name.clone(), masked(&format!("{key}.{name}"), value));
            Value::Table(inner.iter().map(below).collect())
        }
        Value::String(text) if text.contains("://") && text.contains('@') => mask(),
        _ => value.clone(),
    }
}
