//! The tables of Plausible's CSV export: their columns, and which property each answers.
//!
//! Names and columns as in <https://plausible.io/docs/csv-import#csv-format-guidelines>.

use trafficlab_engine::visit::column::Dict;
use trafficlab_engine::visit::property::Property;

/// A table of daily figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum TableKind {
    Visitors = 0,
    Sources = 1,
    Pages = 2,
    EntryPages = 3,
    ExitPages = 4,
    Locations = 5,
    Devices = 6,
    Browsers = 7,
    OperatingSystems = 8,
    CustomEvents = 9,
}

/// Number of figures of a row.
pub(super) const NUMBERS: usize = 6;
/// The columns of each figure, in the order of `Numbers`; some tables call visits by the end they count.
pub(super) const NUMBER_COLUMNS: [&[&str]; NUMBERS] =
    [&["visitors"], &["visits", "entrances", "exits"], &["pageviews"], &["bounces"], &["visit_duration"], &["events"]];

/// Visitors, visits, page views, bounces, seconds of all visits, events.
pub(super) type Numbers = [u64; NUMBERS];

impl TableKind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Visitors,
        Self::Sources,
        Self::Pages,
        Self::EntryPages,
        Self::ExitPages,
        Self::Locations,
        Self::Devices,
        Self::Browsers,
        Self::OperatingSystems,
        Self::CustomEvents,
    ];

    /// The name that its files begin with.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Visitors => "imported_visitors",
            Self::Sources => "imported_sources",
            Self::Pages => "imported_pages",
            Self::EntryPages => "imported_entry_pages",
            Self::ExitPages => "imported_exit_pages",
            Self::Locations => "imported_locations",
            Self::Devices => "imported_devices",
            Self::Browsers => "imported_browsers",
            Self::OperatingSystems => "imported_operating_systems",
            Self::CustomEvents => "imported_custom_events",
        }
    }

    /// The columns of text, in the order of their codes.
    pub(super) const fn texts(self) -> &'static [&'static str] {
        match self {
            Self::Visitors => &[],
            Self::Sources => {
                &["source", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term"]
            }
            Self::Pages => &["hostname", "page"],
            Self::EntryPages => &["entry_page"],
            Self::ExitPages => &["exit_page"],
            Self::Locations => &["country", "region", "city"],
            Self::Devices => &["device"],
            Self::Browsers => &["browser", "browser_version"],
            Self::OperatingSystems => &["operating_system", "operating_system_version"],
            Self::CustomEvents => &["name", "link_url", "path"],
        }
    }

    /// The table of a file called `table_20230101_20231231.csv` or `table.csv`, in any folder.
    pub(crate) fn of_file(name: &str) -> Option<Self> {
        let bare = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = bare.strip_suffix(".csv")?;
        let fits = |kind: &Self| {
            let rest = stem.strip_prefix(kind.name());
            rest.is_some_and(|rest| rest.bytes().all(|letter| letter == b'_' || letter.is_ascii_digit()))
        };
        Self::ALL.into_iter().find(fits)
    }

    /// The table whose columns these are; a single CSV file may have lost its name.
    pub(crate) fn of_columns(columns: &[&str]) -> Option<Self> {
        let all = |kind: &Self| {
            let visits = match kind {
                Self::EntryPages => "entrances",
                Self::ExitPages => "exits",
                _ => "visitors",
            };
            columns.contains(&visits) && kind.texts().iter().take(1).all(|text| columns.contains(text))
        };
        let plain = |kind: &Self| *kind != Self::Visitors && all(kind);
        let visitors = || columns.contains(&"date") && columns.iter().all(|column| is_of_visitors(column));
        Self::ALL.into_iter().find(plain).or_else(|| visitors().then_some(Self::Visitors))
    }

    /// From its stored byte.
    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// The table and the column of text that answer a property; nothing for those that Plausible does not export.
    pub(crate) fn of_property(property: &Property) -> Option<(Self, usize)> {
        Some(match property {
            Property::EntryPage => (Self::EntryPages, 0),
            Property::ExitPage => (Self::ExitPages, 0),
            Property::Field(Dict::Page, index) => (Self::Pages, *index),
            Property::Field(Dict::Event, 0) => (Self::CustomEvents, 0),
            Property::Field(Dict::Place, index) => (Self::Locations, *index),
            Property::Field(Dict::Agent, 0) => (Self::Browsers, 0),
            Property::Field(Dict::Agent, 1) => (Self::Browsers, 1),
            Property::Field(Dict::Agent, 2) => (Self::OperatingSystems, 0),
            Property::Field(Dict::Agent, 3) => (Self::OperatingSystems, 1),
            Property::Field(Dict::Agent, 4) => (Self::Devices, 0),
            Property::Field(Dict::Acquisition, 0) => (Self::Sources, 1),
            Property::Field(Dict::Acquisition, 1) => (Self::Sources, 0),
            Property::Field(Dict::Acquisition, 3) => (Self::Sources, 3),
            Property::Field(Dict::Acquisition, 4) => (Self::Sources, 2),
            Property::Field(Dict::Acquisition, index @ 5..=7) => (Self::Sources, index - 1),
            _ => return None,
        })
    }
}

fn is_of_visitors(column: &str) -> bool {
    column == "date" || NUMBER_COLUMNS.iter().any(|names| names.contains(&column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        for kind in TableKind::ALL {
            assert_eq!(TableKind::of_file(&format!("x/{}_20230209_20240123.csv", kind.name())), Some(kind));
            assert_eq!(TableKind::from_byte(kind as u8), Some(kind));
        }
        for strange in ["imported_pages.txt", "pages.csv", "imported_pagesx.csv", "__MACOSX/._imported_pages.csv"] {
            assert_eq!(TableKind::of_file(strange), None, "{strange}");
        }
    }

    #[test]
    fn and_by_their_columns() {
        for kind in TableKind::ALL {
            let visits = match kind {
                TableKind::EntryPages => "entrances",
                TableKind::ExitPages => "exits",
                _ => "visits",
            };
            let columns: Vec<&str> = [&["date"], kind.texts(), &["visitors", visits, "visit_duration"]].concat();
            let columns: Vec<&str> = columns.into_iter().collect();
            let found = TableKind::of_columns(&columns);
            assert!(found == Some(kind) || matches!(kind, TableKind::EntryPages | TableKind::ExitPages), "{columns:?}");
        }
        assert_eq!(
            TableKind::of_columns(&["date", "entry_page", "visitors", "entrances"]),
            Some(TableKind::EntryPages)
        );
        assert_eq!(TableKind::of_columns(&["date", "shoe", "visitors"]), None);
    }

    #[test]
    fn every_property_has_its_column() {
        let column = |name: &str| {
            let (kind, text) = TableKind::of_property(&Property::parse(name)?)?;
            kind.texts().get(text).copied()
        };
        for (name, text) in [
            ("visit:source", "source"),
            ("visit:referrer", "referrer"),
            ("visit:utm_source", "utm_source"),
            ("visit:utm_medium", "utm_medium"),
            ("visit:utm_campaign", "utm_campaign"),
            ("visit:utm_content", "utm_content"),
            ("visit:utm_term", "utm_term"),
            ("event:page", "page"),
            ("event:hostname", "hostname"),
            ("visit:entry_page", "entry_page"),
            ("visit:exit_page", "exit_page"),
            ("visit:country", "country"),
            ("visit:city", "city"),
            ("visit:browser", "browser"),
            ("visit:browser_version", "browser_version"),
            ("visit:os", "operating_system"),
            ("visit:os_version", "operating_system_version"),
            ("visit:device", "device"),
            ("event:name", "name"),
        ] {
            assert_eq!(column(name), Some(text), "{name}");
        }
        assert_eq!(column("visit:channel"), None);
        assert_eq!(column("event:props:plan"), None);
    }
}
