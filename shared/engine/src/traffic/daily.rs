//! Where on the globe visitors are awake: countries and cities by weight for each hour of the day.

use trafficlab_shared::model::content::DailySpec;
use trafficlab_shared::model::content::daily::HOURS;

use super::cast;
use super::tables::{City, Tables, activity};
use super::weights::Alias;

const HOUR_S: u64 = 3_600;
/// Far more than it takes: the error falls by a constant factor each time.
const FITS: usize = 60;

/// Choices for each hour of UTC.
#[derive(Debug, Clone)]
pub(super) struct PreparedDaily {
    tables: &'static Tables,
    start_utc_s: u64,
    hours: Vec<Hour>,
}

/// Rows are places in the specification.
#[derive(Debug, Clone)]
struct Hour {
    countries: Alias,
    cities: Vec<Option<Alias>>,
}

/// A city, its country's row, and its share of the visitors in each hour.
struct Cell {
    row: usize,
    share: f64,
    hours: [f64; HOURS],
}

impl PreparedDaily {
    /// None when there is nothing to choose from.
    pub(super) fn new(spec: &DailySpec, tables: &'static Tables, countries: &[u16], weights: &[f64]) -> Option<Self> {
        let day = if spec.hours.len() == HOURS { spec.hours.as_slice() } else { activity() };
        let total: f64 = weights.iter().sum();
        let mut cells = Vec::new();
        for (row, (country, weight)) in countries.iter().zip(weights).enumerate() {
            let people = tables.city_weights(*country);
            let all: f64 = people.iter().sum();
            for (city, people) in tables.cities_of(*country).iter().zip(people) {
                let share = weight / total * people / all;
                cells.push(Cell { row, share, hours: awake(day, city.utc_offset).map(|level| share * level) });
            }
        }
        fit(&mut cells);
        let hours: Option<Vec<Hour>> = (0..HOURS).map(|hour| Hour::new(&cells, hour, countries.len())).collect();
        Some(Self { tables, start_utc_s: spec.start_utc_s.unwrap_or(0), hours: hours? })
    }

    /// The hour of the day in a second of active time.
    pub(super) fn hour(&self, slot: u32) -> usize {
        let hour = (self.start_utc_s.wrapping_add(u64::from(slot)) / HOUR_S) % 24;
        cast::index(cast::low32(hour))
    }

    /// The choice of a country, by its place in the specification.
    pub(super) fn countries(&self, hour: usize) -> &Alias {
        let hour = self.hours.get(hour).or_else(|| self.hours.first());
        &hour.expect("a day has hours").countries
    }

    /// A city of a country.
    pub(super) fn city(&self, hour: usize, row: u32, country: u16, word: u64) -> Option<&'static City> {
        let choice = self.hours.get(hour)?.cities.get(cast::index(row))?.as_ref()?;
        self.tables.cities_of(country).get(cast::index(choice.pick(word)))
    }
}

impl Hour {
    fn new(cells: &[Cell], hour: usize, rows: usize) -> Option<Self> {
        let mut cities = vec![Vec::new(); rows];
        for cell in cells {
            if let Some(cities) = cities.get_mut(cell.row) {
                cities.push(cell.hours.get(hour).copied().unwrap_or(0.0));
            }
        }
        let countries: Vec<f64> = cities.iter().map(|cities: &Vec<f64>| cities.iter().sum()).collect();
        let cities = cities.iter().map(|cities| Alias::new(cities)).collect();
        Some(Self { countries: Alias::new(&countries)?, cities })
    }
}

/// Activity in each hour of UTC, where local time is so many minutes ahead.
fn awake(table: &[f64], offset_minutes: i32) -> [f64; HOURS] {
    let level = |hour: i32| {
        let place = usize::try_from(hour.rem_euclid(24)).unwrap_or(0);
        table.get(place).copied().unwrap_or(1.0)
    };
    let (whole, minutes) = (offset_minutes.div_euclid(60), offset_minutes.rem_euclid(60));
    let later = f64::from(minutes) / 60.0;
    let mut hours = [0.0; HOURS];
    for (hour, level_then) in (0_i32..).zip(&mut hours) {
        *level_then = level(hour + whole) * (1.0 - later) + level(hour + whole + 1) * later;
    }
    hours
}

/// Scales hours and cities in turn until each hour has an equal part of all visitors and each city its share of the
/// day (iterative proportional fitting, Deming and Stephan 1940), so that a day has exactly the plain weights.
fn fit(cells: &mut [Cell]) {
    for _ in 0..FITS {
        for cell in cells.iter_mut() {
            let day: f64 = cell.hours.iter().sum();
            let scale = if day > 0.0 { cell.share / day } else { 0.0 };
            cell.hours.iter_mut().for_each(|level| *level *= scale);
        }
        let mut sums = [0.0; HOURS];
        for cell in cells.iter() {
            sums.iter_mut().zip(&cell.hours).for_each(|(sum, level)| *sum += level);
        }
        for cell in cells.iter_mut() {
            let parts = cell.hours.iter_mut().zip(&sums);
            parts.filter(|(_, sum)| **sum > 0.0).for_each(|(level, sum)| *level /= sum * 24.0);
        }
    }
}

#[cfg(test)]
mod tests;
