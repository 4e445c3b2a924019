//! The built-in content tables, version 1, parsed once.

mod clients;
mod devices;
mod places;
mod publishers;

pub use clients::{Client, Surface, client, clients};
pub use devices::{Device, device, devices};
pub use places::{City, cities_of};
pub use publishers::{App, Site};

pub(crate) use clients::Browser;
pub(crate) use places::pick_city;
pub(crate) use publishers::{pick_app, pick_site};

/// Cells of the rows of a table, without comments.
fn rows(text: &'static str) -> impl Iterator<Item = Cells> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| Cells(line.split('\t')))
}

/// The cells of one row, left to right; a test checks that each table is well formed.
struct Cells(std::str::Split<'static, char>);

impl Cells {
    fn text(&mut self) -> &'static str {
        self.0.next().unwrap_or_default()
    }

    fn parse<T: std::str::FromStr + Default>(&mut self) -> T {
        self.text().parse().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn every_row_has_all_its_cells_and_numbers_are_numbers() {
        let tables: [(&str, &'static str, usize, &[usize]); 5] = [
            ("cities", include_str!("../../../data/cities.tsv"), 7, &[3, 4, 5, 6]),
            ("devices", include_str!("../../../data/devices.tsv"), 11, &[6, 7, 8, 9, 10]),
            ("browsers", include_str!("../../../data/browsers.tsv"), 9, &[6]),
            ("sites", include_str!("../../../data/sites.tsv"), 4, &[]),
            ("apps", include_str!("../../../data/apps.tsv"), 4, &[2]),
        ];
        for (name, text, width, numbers) in tables {
            for row in rows(text) {
                let cells: Vec<&str> = row.0.collect();
                assert_eq!(cells.len(), width, "{name} {cells:?}");
                let numeric = |column: &usize| cells.get(*column).is_some_and(|cell| cell.parse::<i64>().is_ok());
                assert!(numbers.iter().all(numeric), "{name} {cells:?}");
            }
        }
    }
}
