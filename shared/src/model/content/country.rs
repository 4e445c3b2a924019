//! The countries a visitor may come from, by ISO 3166-1.

use std::collections::HashMap;
use std::sync::LazyLock;

static TABLE: LazyLock<Table> = LazyLock::new(|| Table::parse(include_str!("../../../data/countries.tsv")));

/// One country of the built-in table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// Row number in the table; stored in results and never changed.
    pub index: u16,
    /// Two capital letters.
    pub iso2: &'static str,
    /// Three capital letters, as `OpenRTB` wants them.
    pub iso3: &'static str,
    /// Common English name.
    pub name: &'static str,
    /// A widely used language, two letters.
    pub language: &'static str,
}

#[derive(Debug)]
struct Table {
    rows: Vec<Country>,
    by_name: HashMap<String, u16>,
}

impl Table {
    fn parse(text: &'static str) -> Self {
        let mut rows = Vec::new();
        let mut by_name = HashMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().unwrap_or_default();
            let index = u16::try_from(rows.len()).unwrap_or(u16::MAX);
            let country = Country { index, iso2: cell(), iso3: cell(), name: cell(), language: cell() };
            let also = cell().split('|').filter(|name| !name.is_empty());
            let names = [country.iso2, country.iso3, country.name];
            for name in names.into_iter().chain(also) {
                by_name.entry(name.to_lowercase()).or_insert(index);
            }
            rows.push(country);
        }
        Self { rows, by_name }
    }
}

/// All countries in the order of their index.
#[must_use]
pub fn all() -> &'static [Country] {
    &TABLE.rows
}

/// The country with this stored index.
#[must_use]
pub fn by_index(index: u16) -> Option<&'static Country> {
    TABLE.rows.get(usize::from(index))
}

/// Finds a country by name, well-known other name, or code, without regard to case.
#[must_use]
pub fn find(name: &str) -> Option<&'static Country> {
    TABLE.by_name.get(&name.trim().to_lowercase()).and_then(|index| by_index(*index))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use super::*;

    #[test]
    fn the_table_is_whole() {
        assert!(all().len() >= 230);
        for country in all() {
            assert_eq!(country.iso2.len(), 2, "{country:?}");
            assert_eq!(country.iso3.len(), 3, "{country:?}");
            assert_eq!(country.language.len(), 2, "{country:?}");
            assert_eq!(find(country.name), Some(country));
            assert_eq!(find(country.iso2), Some(country));
            assert_eq!(by_index(country.index), Some(country));
        }
    }

    #[test]
    fn stored_indices_of_version_1_never_move() {
        for (index, iso2) in [(0, "US"), (17, "DE"), (81, "NZ"), (239, "ZW")] {
            assert_eq!(by_index(index).unwrap().iso2, iso2);
        }
    }

    #[test]
    fn other_names_are_known() {
        assert_eq!(find(" uk ").unwrap().iso2, "GB");
        assert_eq!(find("USA").unwrap().name, "United States");
        assert!(find("Atlantis").is_none());
    }
}
