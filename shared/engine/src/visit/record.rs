//! A visit after enrichment and before it is packed.

use super::column::Traffic;

/// One visit. Texts are clean: no control characters, each at most 2 KiB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Visit<'a> {
    /// When, in milliseconds of the Unix epoch.
    pub time_ms: i64,
    /// The site's domain.
    pub site: &'a str,
    /// Keyed hash that tells visitors apart.
    pub visitor: u64,
    /// Where.
    pub page: Page<'a>,
    /// With what.
    pub agent: Agent<'a>,
    /// From where on the web.
    pub acquisition: Acquisition<'a>,
    /// From where in the world.
    pub place: Place<'a>,
    /// `pageview` or the name of a custom event.
    pub event: &'a str,
    /// Flat JSON object with sorted names, or nothing.
    pub props: &'a str,
    /// The sender's own id of the visitor where it is kept, or nothing.
    pub user: &'a str,
    /// `kind:value` of a click id, or nothing.
    pub click: &'a str,
    /// The traffic campaign that made it, or nothing.
    pub campaign: &'a str,
    /// Whose traffic.
    pub traffic: Traffic,
    /// Revenue in millionths of the currency's unit.
    pub revenue_micros: i64,
    /// ISO code of the revenue's currency, or nothing.
    pub currency: &'a str,
    /// Keyed hash of the client's event id; 0 without.
    pub event_id: u64,
}

/// A page without query and fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Page<'a> {
    /// Host in lower case, without `www.`.
    pub host: &'a str,
    /// Path that begins with `/`.
    pub path: &'a str,
}

/// The program that visits. Unknown is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Agent<'a> {
    /// Browser family.
    pub browser: &'a str,
    /// Its major version, with the minor one where that tells.
    pub browser_version: &'a str,
    /// Operating system family.
    pub os: &'a str,
    /// Its version.
    pub os_version: &'a str,
    /// `Desktop`, `Mobile`, `Tablet` or empty.
    pub device: &'a str,
    /// Why it is taken for a bot; empty for a person.
    pub bot: &'a str,
}

/// How the visitor came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Acquisition<'a> {
    /// Host and path of the referring page, without query; empty when there is none or it is the site itself.
    pub referrer: &'a str,
    /// Name of the source, such as `Google`; empty for direct visits.
    pub source: &'a str,
    /// Channel, such as `Organic Search`.
    pub channel: &'a str,
    /// `utm_medium`.
    pub utm_medium: &'a str,
    /// `utm_source`.
    pub utm_source: &'a str,
    /// `utm_campaign`.
    pub utm_campaign: &'a str,
    /// `utm_content`.
    pub utm_content: &'a str,
    /// `utm_term`.
    pub utm_term: &'a str,
    /// Kind of the click id, such as `gclid`.
    pub click_kind: &'a str,
}

/// A place; unknown is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Place<'a> {
    /// ISO 3166-1 code of the country.
    pub country: &'a str,
    /// Name or ISO 3166-2 code of the region.
    pub region: &'a str,
    /// Name of the city.
    pub city: &'a str,
}
