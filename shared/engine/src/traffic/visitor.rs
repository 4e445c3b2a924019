//! The visitor behind an entry: one consistent person, device and place.

use std::net::IpAddr;

use trafficlab_shared::model::content::country::{self, Country};
use trafficlab_shared::model::content::{AdFormat, DeviceType, UserProfile};

use super::cast;
use super::content::{Content, Dims, Picks};
use super::rng::{Domain, EntryKey, EntryRng, mix};
use super::session::Visit;
use super::tables::{App, City, Client, Site, Surface, ad_size, address, pick_app, pick_site};

/// Pages of a publisher's site.
const SITE_PAGES: u32 = 500;

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
    /// The same with its weights, as browsers send it.
    pub accept_language: &'a str,
    /// Random identity of the visitor.
    pub user_id: u64,
    /// Identity of the session; without sessions each entry is one of its own.
    pub session_id: u64,
    /// Which page view of a session it is, when the campaign has sessions.
    pub visit: Option<Visit<'a>>,
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
        let mut stream = picks.stream.clone();
        let client = self.tables.client(picks.client).unwrap_or(fallback::client());
        let country = country::by_index(picks.country).unwrap_or(fallback::country());
        let city = self.city(&picks, stream.word()).unwrap_or(&fallback::CITY);
        let (latitude, longitude) = nearby(city, &mut stream);
        let user_profile = self.profiles.get(cast::index(picks.profile)).unwrap_or(fallback::profile());
        let ip = address(country.index, &mut stream);
        let (language, accept_language) = self.language(&picks, country, &mut stream);
        let user_id = stream.word();
        let place = place(picks.surface, client, picks.visit.as_ref(), &mut stream);
        let size = stream.below32(100);
        Profile {
            dims,
            user_profile,
            client,
            country,
            city,
            latitude,
            longitude,
            ip,
            language,
            accept_language,
            user_id,
            session_id: picks.visit.map_or_else(|| key.word(Domain::Session), |visit| visit.session_id()),
            visit: picks.visit,
            place,
            ad_format: picks.ad_format,
            // The visits of a session have one visitor and many ads.
            ad_size: ad_size(client.device.class, picks.placement.map_or(size, |word| cast::low32(mix(word) % 100))),
        }
    }

    /// The language and its weights.
    fn language(&self, picks: &Picks<'_>, country: &'static Country, stream: &mut EntryRng) -> (&str, &str) {
        let own = self.languages.of_profile(picks.profile);
        // The word is drawn in either case, so that the rest of the visitor does not depend on it.
        let number = stream.below32(cast::length(own.len()).max(1));
        let chosen = own.get(cast::index(number)).or_else(|| self.languages.of_country(picks.geo_row));
        chosen.map_or((country.language, country.language), |chosen| (&chosen.tag, &chosen.accepted))
    }
}

/// Within some five kilometres of the centre.
fn nearby(city: &City, stream: &mut EntryRng) -> (i32, i32) {
    let mut shift = || i32::try_from(stream.below32(1_001)).unwrap_or(0) - 500;
    (city.latitude + shift(), city.longitude + shift())
}

/// The number of the page that a visit sees on a publisher's site.
pub(super) fn site_page(visit: &Visit<'_>) -> u32 {
    let word = mix(visit.session_id().wrapping_add(u64::from(visit.page_number())));
    cast::low32(word % u64::from(SITE_PAGES)) + 1
}

fn place(surface: Surface, client: &Client, visit: Option<&Visit<'_>>, stream: &mut EntryRng) -> Place {
    let (number, page) = (stream.below32(1 << 20), stream.below32(SITE_PAGES));
    // A session stays on its site and turns its pages.
    let page = visit.map_or(page + 1, site_page);
    let television = client.device.class == DeviceType::Ctv;
    let found = match surface {
        Surface::Site => pick_site(number).map(|site| Place::Site(site, page)),
        Surface::App => pick_app(number, television).map(Place::App),
        Surface::Dooh => None,
    };
    found.unwrap_or(Place::Dooh(number % 5_000 + 1))
}

/// Values for indices that the tables do not have; the tests show that none is ever needed.
mod fallback {
    use std::sync::LazyLock;

    use trafficlab_shared::model::content::country::{self, Country};
    use trafficlab_shared::model::content::{DeviceType, UserProfile};

    use crate::traffic::tables::{City, Client, Device, Surface};

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

    pub(super) const fn client() -> &'static Client {
        &CLIENT
    }
}
