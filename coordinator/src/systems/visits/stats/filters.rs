//! Conditions on visits: Plausible's `visit:browser==Firefox|Chrome;event:page!=/blog/**`, or its newer JSON lists.

use serde_json::Value;
use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::question::{Filter, Operator};

use super::{labels, wrong};
use crate::systems::Outcome;

/// Conditions of one question at the most.
const MOST: usize = 50;
/// Values of one condition at the most.
const MOST_VALUES: usize = 1000;

/// How conditions are written, the longer ones before those they contain.
const OPERATORS: [(&str, Operator); 4] =
    [("==", Operator::Is), ("!=", Operator::IsNot), ("!~", Operator::ContainsNot), ("~", Operator::Contains)];

/// The words of the JSON form.
const WORDS: [(&str, Operator); 4] = [
    ("is", Operator::Is),
    ("is_not", Operator::IsNot),
    ("contains", Operator::Contains),
    ("contains_not", Operator::ContainsNot),
];

/// Reads the parameter; all conditions must hold.
///
/// # Errors
/// 422 saying what of it cannot be understood.
pub fn read(text: Option<&str>) -> Outcome<Vec<Filter>> {
    let text = text.unwrap_or_default().trim();
    let filters: Vec<Filter> = if text.starts_with('[') {
        json(text)?
    } else {
        split(text, ';').filter(|part| !part.trim().is_empty()).map(condition).collect::<Outcome<_>>()?
    };
    if filters.len() > MOST {
        return Err(wrong("filters", format!("has more than {MOST} conditions")));
    }
    Ok(filters)
}

fn condition(text: &str) -> Outcome<Filter> {
    let found = text.char_indices().find_map(|(at, _)| {
        let rest = text.get(at..)?;
        OPERATORS.iter().find_map(|(sign, operator)| Some((text.get(..at)?, *operator, rest.strip_prefix(sign)?)))
    });
    let Some((property, operator, values)) = found else {
        let message = format!("has `{}` without ==, !=, ~ or !~", text.trim().escape_debug());
        return Err(wrong("filters", message));
    };
    let values = split(values, '|').map(|value| unescaped(value.trim()));
    filter(property.trim(), operator, values.collect())
}

fn json(text: &str) -> Outcome<Vec<Filter>> {
    let form = || wrong("filters", r#"as JSON must be a list such as [["is","visit:source",["Google"]]]"#);
    let list: Vec<Value> = serde_json::from_str(text).map_err(|_error| form())?;
    let one = |item: &Value| {
        let [word, property, values] = item.as_array().map(Vec::as_slice).ok_or_else(form)? else { return Err(form()) };
        let word = word.as_str().ok_or_else(form)?;
        let known = WORDS.iter().find(|(known, _)| *known == word);
        let message = "knows the operators is, is_not, contains, contains_not";
        let (_, operator) = known.ok_or_else(|| wrong("filters", message))?;
        let values = values.as_array().ok_or_else(form)?;
        let values = values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<_>>();
        filter(property.as_str().ok_or_else(form)?, *operator, values.ok_or_else(form)?)
    };
    list.iter().map(one).collect()
}

fn filter(name: &str, operator: Operator, values: Vec<String>) -> Outcome<Filter> {
    let property = property("filters", name)?;
    if values.is_empty() || values.len() > MOST_VALUES {
        return Err(wrong("filters", format!("must have 1 to {MOST_VALUES} values for `{name}`")));
    }
    let values = values.into_iter().map(|value| labels::stored(&property, value)).collect();
    Ok(Filter { property, operator, values })
}

/// The property of a name.
///
/// # Errors
/// 422 naming `field` and the properties there are.
pub fn property(field: &str, name: &str) -> Outcome<Property> {
    Property::parse(name).ok_or_else(|| {
        let names: Vec<&str> = Property::names().collect();
        let name = name.chars().take(100).collect::<String>();
        let message =
            format!("`{}` is no property; there are {}, event:props:NAME", name.escape_debug(), names.join(", "));
        wrong(field, message)
    })
}

/// The parts between separators that no backslash stands before.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |letter: char| {
        let here = letter == separator && !escaped;
        escaped = letter == '\\' && !escaped;
        here
    })
}

/// `\|` and `\;` as the sign alone; any other backslash stays.
fn unescaped(text: &str) -> String {
    text.replace("\\|", "|").replace("\\;", ";")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use proptest::prelude::*;
    use trafficlab_engine::visit::column::Dict;

    use super::*;

    fn shown(text: &str) -> Vec<(String, Operator, Vec<String>)> {
        read(Some(text)).unwrap().into_iter().map(|one| (one.property.name(), one.operator, one.values)).collect()
    }

    fn one(name: &str, operator: Operator, values: &[&str]) -> (String, Operator, Vec<String>) {
        (name.into(), operator, values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn conditions_are_read_as_plausible_writes_them() {
        let both = [
            one("visit:browser", Operator::Is, &["Firefox", "Chrome"]),
            one("event:page", Operator::IsNot, &["/blog/**"]),
        ];
        assert_eq!(shown("visit:browser==Firefox|Chrome;event:page!=/blog/**"), both);
        assert_eq!(
            shown(r#"[["is","visit:browser",["Firefox","Chrome"]],["is_not","event:page",["/blog/**"]]]"#),
            both
        );
        let table = [
            (r"event:props:a~b~x\|y|z\;", one("event:props:a", Operator::Contains, &["b~x|y", "z;"])),
            ("visit:os!~Win", one("visit:os", Operator::ContainsNot, &["Win"])),
            ("event:page==/a=b!=c", one("event:page", Operator::Is, &["/a=b!=c"])),
            (" event:name == Sign up ;", one("event:name", Operator::Is, &["Sign up"])),
            ("visit:source==Direct / None|Google", one("visit:source", Operator::Is, &["", "Google"])),
            ("visit:utm_term!=(not set)", one("visit:utm_term", Operator::IsNot, &[""])),
        ];
        for (text, expected) in table {
            assert_eq!(shown(text), [expected], "{text}");
        }
        assert!(shown("").is_empty());
        assert_eq!(read(None).unwrap(), []);
        assert_eq!(read(Some("visit:country==DE")).unwrap()[0].property, Property::Field(Dict::Place, 0));
    }

    #[test]
    fn what_is_no_condition_is_refused() {
        let many = "visit:os==a;".repeat(51);
        for text in ["visit:shoe==x", "visit:os", "==x", "[1]", "[[\"is\"", r#"[["like","visit:os",["x"]]]"#, &many] {
            assert_eq!(read(Some(text)).unwrap_err().details[0].field, "filters", "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            if let Ok(filters) = read(Some(&text)) {
                prop_assert!(filters.iter().all(|filter| !filter.values.is_empty()));
            }
        }

        #[test]
        fn an_escaped_value_comes_back(value in r"[a-z|;~=!]{1,20}") {
            let escaped = value.replace('|', "\\|").replace(';', "\\;");
            prop_assert_eq!(shown(&format!("event:page=={escaped}")), [one("event:page", Operator::Is, &[&value])]);
        }
    }
}
