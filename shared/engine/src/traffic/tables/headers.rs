//! The header fields that a client of each kind sends by itself, made once per client.

use std::sync::LazyLock;

use trafficlab_shared::model::content::DeviceType;
use trafficlab_shared::model::content::country::Country;

use super::{Browser, Cells, Device, rows};

/// What decides `Accept` and client hints.
#[derive(Debug)]
struct Family {
    name: &'static str,
    hints: bool,
    accept: &'static str,
}

static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    let row = |mut cells: Cells| Family { name: cells.text(), hints: cells.text() == "yes", accept: cells.text() };
    rows(include_str!("../../../data/families.tsv")).map(row).collect()
});

/// Header fields of a client besides its user agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHeaders {
    /// `Accept` of a page that is navigated to.
    pub accept: &'static str,
    /// Low-entropy client hints; none for engines that send none.
    pub hints: Option<ClientHints>,
}

/// The hints that Chromium sends to every secure site (WICG User-Agent Client Hints).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHints {
    /// `Sec-CH-UA`.
    pub brands: String,
    /// `Sec-CH-UA-Mobile`.
    pub mobile: &'static str,
    /// `Sec-CH-UA-Platform`.
    pub platform: String,
}

impl ClientHeaders {
    pub(super) const NONE: Self = Self { accept: "*/*", hints: None };

    pub(super) fn new(device: &Device, browser: &Browser, user_agent: &str) -> Self {
        let Some(family) = FAMILIES.iter().find(|family| family.name == browser.family) else {
            return Self::NONE;
        };
        let engine = chromium_version(user_agent).filter(|_| family.hints);
        let hints = engine.map(|engine| ClientHints {
            brands: brands(browser, engine),
            mobile: if device.class == DeviceType::Mobile { "?1" } else { "?0" },
            platform: format!("\"{}\"", platform(device.os)),
        });
        Self { accept: family.accept, hints }
    }
}

/// The major version behind `Chrome/`.
fn chromium_version(user_agent: &str) -> Option<usize> {
    let (_, rest) = user_agent.split_once("Chrome/")?;
    rest.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

/// `Sec-CH-UA` as Chromium makes it: a nonsense brand among the real ones, all in an order that the version decides
/// (`components/embedder_support/user_agent_utils.cc`, `GenerateBrandVersionList`).
fn brands(browser: &Browser, engine: usize) -> String {
    const MARKS: [&str; 11] = [" ", "(", ":", "-", ".", "/", ")", ";", "=", "?", "_"];
    const VERSIONS: [&str; 3] = ["8", "99", "24"];
    const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let mark = |number: usize| MARKS.get(number % MARKS.len()).copied().unwrap_or_default();
    let nonsense = format!("Not{}A{}Brand", mark(engine), mark(engine + 1));
    let nonsense_version = VERSIONS.get(engine % VERSIONS.len()).copied().unwrap_or_default();
    let own = match browser.family {
        "chrome" => "Google Chrome",
        "edge" => "Microsoft Edge",
        _ => browser.name,
    };
    let own_version = browser.version.split('.').next().unwrap_or_default();
    let items = [
        format!("\"{nonsense}\";v=\"{nonsense_version}\""),
        format!("\"Chromium\";v=\"{engine}\""),
        format!("\"{own}\";v=\"{own_version}\""),
    ];
    let places = ORDERS.get(engine % ORDERS.len()).copied().unwrap_or_default();
    let mut placed: Vec<(usize, String)> = places.into_iter().zip(items).collect();
    placed.sort();
    placed.into_iter().map(|(_, item)| item).collect::<Vec<_>>().join(", ")
}

/// The name that Chromium gives the system.
fn platform(os: &'static str) -> &'static str {
    match os {
        "ChromeOS" => "Chrome OS",
        "Fire OS" | "Android TV" => "Android",
        other => other,
    }
}

/// `Accept-Language` of someone with this language: `de-DE,de;q=0.9,en;q=0.8`. A language of a country gets the
/// country's region, a tag that is given whole stays as it is.
pub(crate) fn accept_language(tag: &str, country: Option<&Country>) -> String {
    let primary = tag.split('-').next().unwrap_or(tag);
    let full = match country {
        Some(country) if primary == tag => format!("{tag}-{}", country.iso2),
        _ => tag.to_owned(),
    };
    let mut value = full.clone();
    if full != primary {
        value.push_str(&format!(",{primary};q=0.9"));
    }
    if primary != "en" {
        value.push_str(",en;q=0.8");
    }
    value
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::super::Tables;
    use super::*;
    use trafficlab_shared::model::content::country;

    #[test]
    fn brand_lists_are_those_of_the_browsers() {
        let of = |os: &str, browser: &str| {
            let mut clients = Tables::of(1).unwrap().clients().iter();
            let client = clients.find(|client| client.device.os == os && client.browser == browser);
            client.and_then(|client| client.headers.hints.clone()).unwrap()
        };
        let chrome = of("Windows", "Chrome");
        assert_eq!(chrome.brands, r#""Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24""#);
        assert_eq!((chrome.mobile, chrome.platform.as_str()), ("?0", r#""Windows""#));
        let opera = of("Windows", "Opera");
        assert_eq!(opera.brands, r#""Chromium";v="128", "Not;A=Brand";v="24", "Opera";v="114""#);
        let phone = of("Android", "Samsung Internet");
        assert_eq!((phone.mobile, phone.platform.as_str()), ("?1", r#""Android""#));
        assert!(phone.brands.contains(r#""Samsung Internet";v="27""#), "{}", phone.brands);
    }

    #[test]
    fn headers_fit_the_user_agent_of_every_client() {
        for client in [1, 2].into_iter().flat_map(|version| Tables::of(version).unwrap().clients()) {
            let agent = &client.user_agent;
            let chromium = agent.contains("Chrome/") && !agent.contains("like Chrome");
            let app = ["TV app", "webOS app", "Signage player"].iter().any(|name| client.browser.ends_with(name));
            let hints = &client.headers.hints;
            assert_eq!(hints.is_some(), chromium && !app && client.device.os != "Xbox", "{agent}");
            let Some(hints) = hints else {
                continue;
            };
            let version = agent.split_once("Chrome/").unwrap().1.split('.').next().unwrap();
            assert!(hints.brands.contains(&format!("\"Chromium\";v=\"{version}\"")), "{agent} {}", hints.brands);
            assert_eq!(hints.brands.matches(";v=").count(), 3);
            assert_eq!(hints.mobile == "?1", client.device.class == DeviceType::Mobile);
            assert_eq!(hints.platform == "\"Android\"", agent.contains("Android"), "{agent}");
            assert_eq!(hints.platform == "\"Windows\"", agent.contains("Windows NT"), "{agent}");
            assert!(client.headers.accept.starts_with("text/html") && client.headers.accept.contains("image/avif"));
        }
    }

    #[test]
    fn languages_carry_their_weights() {
        let of = |tag: &str, iso2: &str| accept_language(tag, country::find(iso2));
        assert_eq!(of("de", "DE"), "de-DE,de;q=0.9,en;q=0.8");
        assert_eq!(of("en", "US"), "en-US,en;q=0.9");
        assert_eq!(accept_language("pt-BR", None), "pt-BR,pt;q=0.9,en;q=0.8");
        assert_eq!(accept_language("en", None), "en");
        assert_eq!(accept_language("fr", None), "fr,en;q=0.8");
    }
}
