//! The built-in content tables of every version, parsed once.

mod activity;
mod clients;
mod devices;
mod headers;
mod networks;
mod places;
mod publishers;
mod sizes;

use std::sync::LazyLock;

use self::places::Cities;
use crate::traffic::cast;

pub use clients::{Client, Surface};
pub use devices::{Device, device, devices};
pub use headers::{ClientHeaders, ClientHints};
pub use places::City;
pub use publishers::{App, Site};

pub(crate) use activity::activity;
pub(crate) use clients::Browser;
pub(crate) use headers::accept_language;
pub(crate) use networks::address;
pub(crate) use publishers::{pick_app, pick_site};
pub(crate) use sizes::ad_size;

static FIRST: LazyLock<Tables> = LazyLock::new(|| Tables::read(1, include_str!("../../../data/cities.tsv")));
static SECOND: LazyLock<Tables> = LazyLock::new(|| Tables::read(2, include_str!("../../../data/cities_v2.tsv")));

/// What a content version draws clients and cities from.
#[derive(Debug)]
pub struct Tables {
    version: u16,
    clients: Vec<Client>,
    /// The device of each client, close together because every entry asks.
    devices: Vec<u16>,
    /// By index of the country.
    cities: Vec<Cities>,
}

impl Tables {
    fn read(version: u16, cities: &'static str) -> Self {
        let clients = clients::build(version);
        let devices = clients.iter().map(|client| client.device.index).collect();
        Self { version, clients, devices, cities: places::read(cities) }
    }

    /// The tables of a content version; none for one that this build does not have.
    #[must_use]
    pub fn of(version: u16) -> Option<&'static Self> {
        match version {
            1 => Some(&FIRST),
            2 => Some(&SECOND),
            _ => None,
        }
    }

    pub(crate) const fn version(&self) -> u16 {
        self.version
    }

    /// All clients; the order belongs to the content version.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The client with this index.
    pub(crate) fn client(&self, index: u32) -> Option<&Client> {
        self.clients.get(cast::index(index))
    }

    /// Index of the client's device.
    pub(crate) fn device_of(&self, client: u32) -> u16 {
        self.devices.get(cast::index(client)).copied().unwrap_or(0)
    }

    /// The cities of a country by its index.
    #[must_use]
    pub fn cities_of(&self, country: u16) -> &[City] {
        self.cities.get(usize::from(country)).map_or(&[], |cities| cities.list.as_slice())
    }

    /// How many people live in each of the cities of a country, relative to each other.
    pub(crate) fn city_weights(&self, country: u16) -> &[f64] {
        self.cities.get(usize::from(country)).map_or(&[], |cities| cities.weights.as_slice())
    }

    /// The city of a country that `word` chooses; every country has one.
    pub(crate) fn pick_city(&self, country: u16, word: u64) -> Option<&City> {
        self.cities.get(usize::from(country))?.pick(word)
    }
}

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
mod tests;
