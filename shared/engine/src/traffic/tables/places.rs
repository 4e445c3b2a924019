//! Cities by country.

use std::sync::LazyLock;

use trafficlab_shared::model::content::country;

use super::rows;
use crate::traffic::weights::Alias;

static BY_COUNTRY: LazyLock<Vec<Cities>> = LazyLock::new(parse);

/// One city.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct City {
    /// English name.
    pub name: &'static str,
    /// ISO 3166-2 subdivision without the country; may be empty.
    pub region: &'static str,
    /// Latitude in 1/10000 degree.
    pub latitude: i32,
    /// Longitude in 1/10000 degree.
    pub longitude: i32,
    /// Minutes from UTC, without summer time.
    pub utc_offset: i32,
}

#[derive(Debug, Default)]
struct Cities {
    list: Vec<City>,
    choice: Option<Alias>,
}

fn parse() -> Vec<Cities> {
    let mut countries: Vec<Cities> = country::all().iter().map(|_| Cities::default()).collect();
    let mut weights: Vec<Vec<f64>> = vec![Vec::new(); countries.len()];
    for mut cells in rows(include_str!("../../../data/cities.tsv")) {
        let Some(country) = country::find(cells.text()) else {
            continue;
        };
        let city = City {
            name: cells.text(),
            region: cells.text(),
            latitude: cells.parse(),
            longitude: cells.parse(),
            utc_offset: cells.parse(),
        };
        let index = usize::from(country.index);
        if let (Some(cities), Some(weights)) = (countries.get_mut(index), weights.get_mut(index)) {
            cities.list.push(city);
            weights.push(cells.parse());
        }
    }
    for (cities, weights) in countries.iter_mut().zip(weights) {
        cities.choice = Alias::new(&weights);
    }
    countries
}

/// The cities of a country by its index.
#[must_use]
pub fn cities_of(country: u16) -> &'static [City] {
    BY_COUNTRY.get(usize::from(country)).map_or(&[], |cities| cities.list.as_slice())
}

/// The city of a country that `word` chooses; every country has one.
pub(crate) fn pick_city(country: u16, word: u64) -> Option<&'static City> {
    let cities = BY_COUNTRY.get(usize::from(country))?;
    let index = cities.choice.as_ref()?.pick(word);
    cities.list.get(crate::traffic::cast::index(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_a_city_on_earth() {
        for country in country::all() {
            assert!(pick_city(country.index, 0).is_some(), "{}", country.name);
            for city in cities_of(country.index) {
                assert!(city.latitude.abs() <= 900_000 && city.longitude.abs() <= 1_800_000);
                assert!((-720..=840).contains(&city.utc_offset), "{city:?}");
                assert!(!city.name.is_empty());
            }
        }
    }
}
