//! The files are well formed, and wide enough.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::collections::HashSet;

use trafficlab_shared::model::content::country;

use super::*;

/// Name, text, columns, and the columns that hold numbers.
type File = (&'static str, &'static str, usize, &'static [usize]);

const FILES: [File; 12] = [
    ("cities", include_str!("../../../data/cities.tsv"), 7, &[3, 4, 5, 6]),
    ("cities, version 2", include_str!("../../../data/cities_v2.tsv"), 7, &[3, 4, 5, 6]),
    ("devices", include_str!("../../../data/devices.tsv"), 11, &[6, 7, 8, 9, 10]),
    ("devices, version 2", include_str!("../../../data/devices_v2.tsv"), 11, &[6, 7, 8, 9, 10]),
    ("browsers", include_str!("../../../data/browsers.tsv"), 9, &[6]),
    ("browsers, version 2", include_str!("../../../data/browsers_v2.tsv"), 10, &[7]),
    ("sites", include_str!("../../../data/sites.tsv"), 4, &[]),
    ("apps", include_str!("../../../data/apps.tsv"), 4, &[2]),
    ("ad sizes", include_str!("../../../data/ad_sizes.tsv"), 4, &[1, 2, 3]),
    ("networks", include_str!("../../../data/networks.tsv"), 3, &[0, 1, 2]),
    ("activity", include_str!("../../../data/activity.tsv"), 1, &[0]),
    ("families", include_str!("../../../data/families.tsv"), 3, &[]),
];

#[test]
fn every_row_has_all_its_cells_and_numbers_are_numbers() {
    for (name, text, width, numbers) in FILES {
        for row in rows(text) {
            let cells: Vec<&str> = row.0.collect();
            assert_eq!(cells.len(), width, "{name} {cells:?}");
            let numeric = |column: &usize| cells.get(*column).is_some_and(|cell| cell.parse::<i64>().is_ok());
            assert!(numbers.iter().all(numeric), "{name} {cells:?}");
        }
    }
}

#[test]
fn every_country_has_cities_on_earth() {
    let mut thin = 0;
    for version in [1, 2] {
        let tables = Tables::of(version).unwrap();
        assert_eq!(tables.version(), version);
        for country in country::all() {
            assert!(tables.pick_city(country.index, 0).is_some(), "{}", country.name);
            let cities = tables.cities_of(country.index);
            let names: HashSet<&str> = cities.iter().map(|city| city.name).collect();
            assert_eq!(names.len(), cities.len(), "{}", country.name);
            for city in cities {
                assert!(city.latitude.abs() <= 900_000 && city.longitude.abs() <= 1_800_000);
                assert!((-720..=840).contains(&city.utc_offset), "{city:?}");
                assert!(!city.name.is_empty() && city.name.is_ascii());
                // Clocks follow the sun, give or take what parliaments decide.
                let sun = city.longitude / 2_500;
                let off = (city.utc_offset - sun).rem_euclid(1_440);
                assert!(off.min(1_440 - off) <= 210, "{city:?}");
            }
            thin += usize::from(version == 2 && cities.len() < 3);
        }
    }
    // City states and small islands.
    assert!(thin <= 25, "{thin}");
}
