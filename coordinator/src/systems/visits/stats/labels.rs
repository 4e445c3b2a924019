//! How empty values are shown, as Plausible shows them, and read back in filters.

use trafficlab_engine::visit::column::Dict;
use trafficlab_engine::visit::property::Property;

use super::metrics::Metric;

/// The column of the time before.
const COMPARISON: &str = "comparison";

const DIRECT: &str = "Direct / None";
const NOT_SET: &str = "(not set)";
const NONE: &str = "(none)";

/// What stands for the empty value of a property.
#[must_use]
pub const fn empty(property: &Property) -> &'static str {
    match property {
        Property::Field(Dict::Acquisition, 0 | 1) => DIRECT,
        Property::Prop(_) => NONE,
        _ => NOT_SET,
    }
}

/// A value as people read it.
#[must_use]
pub fn shown(property: &Property, value: String) -> String {
    if value.is_empty() { empty(property).to_owned() } else { value }
}

/// A value as it is stored.
#[must_use]
pub fn stored(property: &Property, value: String) -> String {
    if value == empty(property) { String::new() } else { value }
}

/// The name of a property's column in answers: its own without what it belongs to. A custom property that is named like
/// a figure keeps its full name, so that neither hides the other.
#[must_use]
pub fn column(property: &Property) -> String {
    let name = property.name();
    if let Property::Prop(key) = property
        && (Metric::parse(key).is_some() || key == COMPARISON)
    {
        return name;
    }
    let bare = name.strip_prefix("event:props:").or_else(|| name.split_once(':').map(|(_, bare)| bare));
    bare.unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn no_property_hides_a_figure() {
        let name = |text: &str| column(&Property::parse(text).unwrap());
        assert_eq!((name("visit:source").as_str(), name("event:props:plan").as_str()), ("source", "plan"));
        assert_eq!(name("event:props:visitors"), "event:props:visitors");
        assert_eq!(name("event:props:comparison"), "event:props:comparison");
    }
}
