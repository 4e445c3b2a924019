//! The names of what visits are grouped and filtered by, as Plausible's Stats API has them.

use super::column::Dict;

/// A property of a visit or of its event.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Property {
    /// A field of a dictionary.
    Field(Dict, usize),
    /// The page a session began on.
    EntryPage,
    /// The page a session ended on.
    ExitPage,
    /// The name of a goal.
    Goal,
    /// A custom property of the event.
    Prop(String),
}

/// Names and what they stand for. Those of `event:` belong to single events, the others to the session's first one.
const NAMES: [(&str, Property); 25] = [
    ("event:hostname", Property::Field(Dict::Page, 0)),
    ("event:page", Property::Field(Dict::Page, 1)),
    ("event:name", Property::Field(Dict::Event, 0)),
    ("event:goal", Property::Goal),
    ("visit:entry_page", Property::EntryPage),
    ("visit:exit_page", Property::ExitPage),
    ("visit:referrer", Property::Field(Dict::Acquisition, 0)),
    ("visit:source", Property::Field(Dict::Acquisition, 1)),
    ("visit:channel", Property::Field(Dict::Acquisition, 2)),
    ("visit:utm_medium", Property::Field(Dict::Acquisition, 3)),
    ("visit:utm_source", Property::Field(Dict::Acquisition, 4)),
    ("visit:utm_campaign", Property::Field(Dict::Acquisition, 5)),
    ("visit:utm_content", Property::Field(Dict::Acquisition, 6)),
    ("visit:utm_term", Property::Field(Dict::Acquisition, 7)),
    ("visit:click_id", Property::Field(Dict::Acquisition, 8)),
    ("visit:country", Property::Field(Dict::Place, 0)),
    ("visit:region", Property::Field(Dict::Place, 1)),
    ("visit:city", Property::Field(Dict::Place, 2)),
    ("visit:browser", Property::Field(Dict::Agent, 0)),
    ("visit:browser_version", Property::Field(Dict::Agent, 1)),
    ("visit:os", Property::Field(Dict::Agent, 2)),
    ("visit:os_version", Property::Field(Dict::Agent, 3)),
    ("visit:device", Property::Field(Dict::Agent, 4)),
    ("visit:bot", Property::Field(Dict::Agent, 5)),
    ("visit:campaign", Property::Field(Dict::Campaign, 0)),
];

const PROPS: &str = "event:props:";

impl Property {
    /// The property of a name, such as `visit:source` or `event:props:plan`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(key) = name.strip_prefix(PROPS) {
            return (!key.is_empty()).then(|| Self::Prop(key.to_owned()));
        }
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, property)| property.clone())
    }

    /// All names without the custom properties.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The full name.
    #[must_use]
    pub fn name(&self) -> String {
        if let Self::Prop(key) = self {
            return format!("{PROPS}{key}");
        }
        NAMES.iter().find(|(_, property)| property == self).map(|(name, _)| (*name).to_owned()).unwrap_or_default()
    }

    /// Whether it belongs to single events rather than to the session's first one.
    #[must_use]
    pub fn is_of_event(&self) -> bool {
        matches!(self, Self::Goal | Self::Prop(_) | Self::Field(Dict::Page | Dict::Event, _))
    }

    /// The dictionary that holds it; goals need page and event.
    #[must_use]
    pub const fn dict(&self) -> Dict {
        match self {
            Self::Field(dict, _) => *dict,
            Self::EntryPage | Self::ExitPage => Dict::Page,
            Self::Goal => Dict::Event,
            Self::Prop(_) => Dict::Props,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_its_own_and_comes_back() {
        for name in Property::names() {
            assert_eq!(Property::parse(name).map(|property| property.name()).as_deref(), Some(name));
        }
        assert_eq!(Property::parse("event:props:plan"), Some(Property::Prop("plan".into())));
        assert_eq!(Property::parse("event:props:"), None);
        assert_eq!(Property::parse("visit:shoe"), None);
    }
}
