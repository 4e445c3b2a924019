//! What a request says of a view.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Page;
use crate::adops::input;
use crate::systems::fields::Fields;
use crate::systems::{Fault, Outcome};

/// Bytes of a name.
const LONGEST_NAME: usize = 100;
/// Bytes of a parameter's value.
const LONGEST_VALUE: usize = 500;

/// What is to be set; none leaves it.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) name: Option<String>,
    pub(super) page: Option<Page>,
    pub(super) query: Option<BTreeMap<String, String>>,
    pub(super) shared: Option<bool>,
}

/// Reads a body; a `new` view needs a name, a page and a query.
///
/// # Errors
/// 400 naming fields.
pub(super) fn read(body: &Map<String, Value>, new: bool) -> Outcome<Wanted> {
    input::read_beside(body, &["user_id", "own"], |fields| Wanted {
        name: input::name(fields, "name", LONGEST_NAME, new),
        page: page(fields, new),
        query: query(fields, new),
        shared: fields.flag("shared"),
    })
}

fn page(fields: &mut Fields<'_, '_>, needed: bool) -> Option<Page> {
    let known = input::word(fields, "page", Page::parse, &Page::ALL.map(Page::as_str));
    if needed && known.is_none() && fields.get("page").is_none() {
        fields.fault("page", "is needed");
    }
    known
}

fn query(fields: &mut Fields<'_, '_>, needed: bool) -> Option<BTreeMap<String, String>> {
    let Some(map) = fields.object("query") else {
        if needed && fields.get("query").is_none() {
            fields.fault("query", "is needed");
        }
        return None;
    };
    let mut query = BTreeMap::new();
    for (name, value) in map {
        let text = value.as_str().filter(|text| text.len() <= LONGEST_VALUE && !text.chars().any(char::is_control));
        match text {
            Some(text) => drop(query.insert(name.clone(), text.to_owned())),
            None => {
                let message = format!("must be a text of at most {LONGEST_VALUE} bytes");
                fields.fault(&format!("query.{}", name.escape_debug()), message);
            }
        }
    }
    Some(query)
}

/// Whether the page knows every parameter of the query; the two may come from different requests.
///
/// # Errors
/// 400 naming the parameters.
pub(super) fn fits(page: Page, query: &BTreeMap<String, String>) -> Outcome<()> {
    let strange = query.keys().filter(|name| !page.parameters().contains(&name.as_str()));
    let message = format!("is no parameter of `{}`", page.as_str());
    let faults: Vec<_> = strange
        .map(|name| {
            trafficlab_shared::error::FieldFault::new(format!("query.{}", name.escape_debug()), message.clone())
        })
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(Fault::validation(faults)) }
}
