//! The embedded default file seen as the list of all keys.

use toml::{Table, Value};

const DEFAULT_FILE: &str = include_str!("../../../config/default.toml");

/// Keys whose values are never shown. A test compares this list with the types.
const SECRET_KEYS: [&str; 19] = [
    "nats.password",
    "auth.jwt_secret",
    "auth.jwt_previous",
    "auth.secrets_key",
    "generator.ownership_secret",
    "alerts.hooks.url",
    "alerts.hooks.routing_key",
    "alerts.hooks.secret",
    "tracker.ingest_keys",
    "mail.smtp_url",
    "whatsapp.access_token",
    "whatsapp.app_secret",
    "whatsapp.verify_token",
    "platforms.meta.access_token",
    "platforms.google.developer_token",
    "platforms.google.access_token",
    "platforms.tiktok.access_token",
    "platforms.snapchat.access_token",
    "platforms.linkedin.access_token",
];

/// The defaults.
pub(super) fn defaults() -> Table {
    DEFAULT_FILE.parse().expect("the embedded default file is valid, a test reads it")
}

/// Whether `default` is a section with keys of its own. An empty table is a value that takes any keys.
pub(super) fn is_section(default: &Value) -> bool {
    default.as_table().is_some_and(|table| !table.is_empty())
}

/// Whether the value of `key` must not be shown.
pub(super) fn is_secret(key: &str) -> bool {
    SECRET_KEYS.contains(&key)
}

/// The value at a dotted path.
pub(super) fn lookup<'t>(table: &'t Table, key: &str) -> Option<&'t Value> {
    let mut steps = key.split('.');
    let first = table.get(steps.next()?)?;
    steps.try_fold(first, |value, step| value.as_table()?.get(step))
}

/// Puts `value` at a dotted path, making the tables on the way.
pub(super) fn place(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Some(inner) = inner.as_table_mut() {
                place(inner, rest, value);
            }
        }
    }
}

/// All keys that hold a value, as dotted paths in order.
pub(super) fn keys(table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            Value::Table(inner) if is_section(value) => {
                found.extend(keys(inner).into_iter().map(|key| format!("{name}.{key}")));
            }
            _ => found.push(name.clone()),
        }
    }
    found
}

/// The longest prefix of `path` (such as `auth.api_tokens[0].role`) that is a key.
pub(super) fn key_of(table: &Table, path: &str) -> Option<String> {
    let fits = |key: &String| {
        path.strip_prefix(key.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    keys(table).into_iter().filter(fits).max_by_key(String::len)
}

/// The key a person who wrote `wrong` may have meant.
pub(super) fn did_you_mean(wrong: &str) -> Option<String> {
    let last = |key: &str| key.rsplit('.').next().map(ToOwned::to_owned);
    let all = keys(&defaults());
    let nearest = all.iter().min_by_key(|key| edit_distance(key, wrong))?;
    if edit_distance(nearest, wrong) <= 1 + wrong.len() / 5 {
        return Some(nearest.clone());
    }
    let same_name: Vec<&String> = all.iter().filter(|key| last(key) == last(wrong)).collect();
    match same_name.as_slice() {
        [only] => Some((*only).clone()),
        _ => None,
    }
}

/// Levenshtein's distance, row by row (Wagner and Fischer 1974).
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.chars().count()).collect();
    for (i, a) in left.chars().enumerate() {
        let mut diagonal = i;
        let mut before = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(right.chars()) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            before = replaced.min(diagonal + 1).min(before + 1);
            *cell = before;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_count_single_changes() {
        for (left, right, distance) in
            [("", "abc", 3), ("kitten", "sitting", 3), ("url", "url", 0), ("flaw", "lawn", 2)]
        {
            assert_eq!(edit_distance(left, right), distance, "{left} {right}");
        }
    }

    #[test]
    fn near_names_and_names_in_another_section_are_suggested() {
        for (wrong, meant) in [
            ("lisen", Some("listen")),
            ("nats_url", Some("nats.url")),
            ("generator.capacity", Some("worker.capacity")),
            ("completely_else_and_long", None),
        ] {
            assert_eq!(did_you_mean(wrong).as_deref(), meant, "{wrong}");
        }
    }

    #[test]
    fn the_key_of_a_path_is_the_longest_that_fits() {
        let table = defaults();
        assert_eq!(key_of(&table, "auth.api_tokens[0].role").as_deref(), Some("auth.api_tokens"));
        assert_eq!(key_of(&table, "listen").as_deref(), Some("listen"));
        assert_eq!(key_of(&table, "listening"), None);
    }
}
