//! Cities by country.

use trafficlab_shared::model::content::country;

use super::rows;
use crate::traffic::cast;
use crate::traffic::weights::Alias;

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

/// The cities of one country.
#[derive(Debug, Default)]
pub(super) struct Cities {
    pub(super) list: Vec<City>,
    /// How many people live in each, relative to each other.
    pub(super) weights: Vec<f64>,
    choice: Option<Alias>,
}

impl Cities {
    pub(super) fn pick(&self, word: u64) -> Option<&City> {
        let index = self.choice.as_ref()?.pick(word);
        self.list.get(cast::index(index))
    }
}

/// By index of the country.
pub(super) fn read(text: &'static str) -> Vec<Cities> {
    let mut countries: Vec<Cities> = country::all().iter().map(|_| Cities::default()).collect();
    for mut cells in rows(text) {
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
        if let Some(cities) = countries.get_mut(usize::from(country.index)) {
            cities.list.push(city);
            cities.weights.push(cells.parse());
        }
    }
    for cities in &mut countries {
        cities.choice = Alias::new(&cities.weights);
    }
    countries
}
