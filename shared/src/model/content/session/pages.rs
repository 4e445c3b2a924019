//! The pages of `config.sessions.paths`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::fields::{Faults, ObjectReader, Range, list, text};
use crate::template::{Part, Template, Variable};

/// The most pages of a site.
pub const MAX_PAGES: usize = 100;
const MAX_PATH_BYTES: usize = 512;

/// A page that visitors may see.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageSpec {
    /// Path and query; may hold templates of the visitor.
    pub path: String,
    /// How often it is seen relative to the others, above 0.
    pub weight: f64,
    /// Whether a session may begin here; when no page says so, all may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub entry: bool,
}

pub(super) fn read(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Vec<PageSpec> {
    let Some((key, value)) = reader.get(&["paths"]) else {
        return Vec::new();
    };
    let field = reader.path_of(key);
    let items = list(value, &field, MAX_PAGES, faults).unwrap_or_default();
    items.iter().enumerate().filter_map(|(index, item)| page(item, &format!("{field}[{index}]"), faults)).collect()
}

fn page(item: &Value, field: &str, faults: &mut Faults) -> Option<PageSpec> {
    let Value::Object(map) = item else {
        let path = text(item, field, MAX_PATH_BYTES, faults)?;
        check(&path, field, faults);
        return Some(PageSpec { path, weight: 1.0, entry: false });
    };
    let mut reader = ObjectReader::new(map, field);
    let path_field = reader.path_of("path");
    if reader.get(&["path"]).is_none() {
        faults.add(&path_field, "is required");
    }
    let path = reader.text(&["path"], MAX_PATH_BYTES, faults);
    let weight = reader.number(&["weight"], Range::new(1e-6, 1e9), faults).unwrap_or(1.0);
    let entry = reader.flag(&["entry"], faults).unwrap_or(false);
    reader.finish(faults);
    let path = path?;
    check(&path, &path_field, faults);
    Some(PageSpec { path, weight, entry })
}

fn check(path: &str, field: &str, faults: &mut Faults) {
    let template = match Template::parse_without_table(path) {
        Ok(template) => template,
        Err(error) => return faults.add(field, error.to_string()),
    };
    if !path.starts_with('/') || path.starts_with("//") {
        faults.add(field, "must begin with one `/`");
    }
    for part in template.parts() {
        match part {
            Part::Text(text) if !text.bytes().all(stands_in_a_url) => {
                faults.add(field, "must be a path as it stands in a URL, with everything else percent-encoded");
            }
            Part::Variable(variable) if !is_of_the_visit(*variable) => {
                faults.add(field, "may only use `random_int`, `uuid`, `page` and the fields of the visitor");
            }
            Part::Text(_) | Part::Variable(_) => {}
        }
    }
}

/// What RFC 3986 allows in a path and a query, `%` included.
const fn stands_in_a_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'/' | b'?' | b'%' | b':' | b'@' | b'-' | b'.' | b'_' | b'~')
        || matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=')
}

/// Whether the value is the same when the next page names this one as its referrer.
const fn is_of_the_visit(variable: Variable) -> bool {
    !matches!(
        variable,
        Variable::Slot
            | Variable::Arrival
            | Variable::Id
            | Variable::CampaignId
            | Variable::RunId
            | Variable::Sequence
            | Variable::TimestampMs
            | Variable::Path
            | Variable::Referer
            | Variable::Csv(_)
    )
}
