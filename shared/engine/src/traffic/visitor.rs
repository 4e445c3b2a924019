//! The visitor behind an entry: one consistent person, device and place.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use trafficlab_shared::model::content::country::{self, Country};
use trafficlab_shared::model::content::{AdFormat, DeviceType, UserProfile};

use super::cast;
use super::content::{Content, Dims};
use super::rng::{EntryKey, EntryRng};
use super::tables::{App, City, Client, Site, Surface, client, pick_app, pick_city, pick_site};

/// Documentation ranges of RFC 5737; no real host has these addresses.
const NETWORKS: [[u8; 3]; 3] = [[192, 0, 2], [198, 51, 100], [203, 0, 113]];

/// Where an ad would be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A page of a web site: the site and the number of the page.
    Site(&'static Site, u32),
    /// An app.
    App(&'static App),
    /// A public screen with this number.
    Dooh(u32),
}

/// Everything about the visitor; borrowed from tables wherever possible.
#[derive(Debug, Clone, Copy)]
pub struct Profile<'a> {
    /// What the entry counts under.
    pub dims: Dims,
    /// The kind of visitor.
    pub user_profile: &'a UserProfile,
    /// Device, system and browser.
    pub client: &'static Client,
    /// Country.
    pub country: &'static Country,
    /// City.
    pub city: &'static City,
    /// Latitude in 1/10000 degree, near the city's centre.
    pub latitude: i32,
    /// Longitude in 1/10000 degree.
    pub longitude: i32,
    /// An address from a documentation range; one network per country.
    pub ip: IpAddr,
    /// BCP 47 tag.
    pub language: &'a str,
    /// Random identity of the visitor.
    pub user_id: u64,
    /// Where the ad is shown.
    pub place: Place,
    /// What kind of ad is asked for.
    pub ad_format: AdFormat,
    /// Size of a display ad in logical pixels.
    pub ad_size: (u32, u32),
}

impl Content {
    /// The visitor of the entry with this key; nothing of it depends on the outcome.
    #[must_use]
    pub fn profile(&self, key: EntryKey) -> Profile<'_> {
        let picks = self.picks(key);
        let dims = self.dims_of(&picks);
        let mut stream = picks.stream;
        let client = client(picks.client).unwrap_or(fallback::client());
        let country = country::by_index(picks.country).unwrap_or(fallback::country());
        let city = pick_city(country.index, stream.word()).unwrap_or(&fallback::CITY);
        let (latitude, longitude) = nearby(city, &mut stream);
        let user_profile = self.profiles.get(cast::index(picks.profile)).unwrap_or(fallback::profile());
        Profile {
            dims,
            user_profile,
            client,
            country,
            city,
            latitude,
            longitude,
            ip: address(country.index, &mut stream),
            language: language(user_profile, country, &mut stream),
            user_id: stream.word(),
            place: place(picks.surface, client, &mut stream),
            ad_format: picks.ad_format,
            ad_size: size(client, stream.below32(100)),
        }
    }
}

/// Within some five kilometres of the centre.
fn nearby(city: &City, stream: &mut EntryRng) -> (i32, i32) {
    let mut shift = || i32::try_from(stream.below32(1_001)).unwrap_or(0) - 500;
    (city.latitude + shift(), city.longitude + shift())
}

fn address(country: u16, stream: &mut EntryRng) -> IpAddr {
    let (kind, word) = (stream.below32(100), stream.word());
    if kind < 30 {
        // One /48 of the documentation prefix per country (RFC 3849).
        let part = |shift: u32| cast::low16(word >> shift);
        return IpAddr::V6(Ipv6Addr::new(
            0x2001,
            0xdb8,
            country + 1,
            part(48) & 0xff,
            part(32),
            part(16) | 1,
            part(8),
            part(0) | 1,
        ));
    }
    let network = NETWORKS.get(usize::from(country) % NETWORKS.len());
    let [a, b, c] = network.copied().unwrap_or([192, 0, 2]);
    let host = cast::low8(u64::from(cast::low32(word) % 254)) + 1;
    IpAddr::V4(Ipv4Addr::new(a, b, c, host))
}

fn language<'a>(profile: &'a UserProfile, country: &'static Country, stream: &mut EntryRng) -> &'a str {
    // The word is drawn in either case, so that the rest of the visitor does not depend on it.
    let number = stream.below32(cast::length(profile.languages.len()).max(1));
    profile.languages.get(cast::index(number)).map_or(country.language, String::as_str)
}

fn place(surface: Surface, client: &Client, stream: &mut EntryRng) -> Place {
    let (number, page) = (stream.below32(1 << 20), stream.below32(500));
    let television = client.device.class == DeviceType::Ctv;
    let found = match surface {
        Surface::Site => pick_site(number).map(|site| Place::Site(site, page + 1)),
        Surface::App => pick_app(number, television).map(Place::App),
        Surface::Dooh => None,
    };
    found.unwrap_or(Place::Dooh(number % 5_000 + 1))
}

/// Usual display sizes of each class of device.
fn size(client: &Client, percent: u32) -> (u32, u32) {
    match (client.device.class, percent) {
        (DeviceType::Mobile, 0..55) => (320, 50),
        (DeviceType::Mobile, 55..95) => (300, 250),
        (DeviceType::Mobile, _) => (320, 480),
        (DeviceType::Tablet, 0..50) => (728, 90),
        (DeviceType::Tablet | DeviceType::Desktop, 50..85) => (300, 250),
        (DeviceType::Tablet, _) => (768, 1024),
        (DeviceType::Desktop, 0..40) => (728, 90),
        (DeviceType::Desktop, 40..50) => (970, 250),
        (DeviceType::Desktop, _) => (300, 600),
        (DeviceType::Ctv | DeviceType::Dooh, _) => (1920, 1080),
    }
}

/// Values for indices that the tables do not have; the tests show that none is ever needed.
mod fallback {
    use std::sync::LazyLock;

    use trafficlab_shared::model::content::country::{self, Country};
    use trafficlab_shared::model::content::{DeviceType, UserProfile};

    use crate::traffic::tables::{City, Client, Device, Surface, clients};

    static NOBODY: LazyLock<UserProfile> = LazyLock::new(UserProfile::default);
    static COUNTRY: Country = Country { index: 0, iso2: "US", iso3: "USA", name: "United States", language: "en" };
    static DEVICE: Device = Device {
        index: 0,
        model: "unknown",
        make: "unknown",
        class: DeviceType::Desktop,
        os: "unknown",
        os_versions: Vec::new(),
        code: "",
        width: 0,
        height: 0,
        ppi: 0,
        pixel_ratio: 100,
        weight: 0.0,
    };
    static CLIENT: Client = Client::unknown(&DEVICE, Surface::Site);

    pub(super) static CITY: City = City { name: "", region: "", latitude: 0, longitude: 0, utc_offset: 0 };

    pub(super) fn profile() -> &'static UserProfile {
        &NOBODY
    }

    pub(super) fn country() -> &'static Country {
        country::all().first().unwrap_or(&COUNTRY)
    }

    pub(super) fn client() -> &'static Client {
        clients().first().unwrap_or(&CLIENT)
    }
}
