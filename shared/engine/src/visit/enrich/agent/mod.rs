//! What a user agent tells: browser, operating system, device, and whether it is a program rather than a person.
//!
//! Families and versions come from the patterns of uap-core (`data/uap-core`). Names of mobile twins are joined, since
//! the device tells them apart: `Chrome Mobile` is `Chrome`, `Mobile Safari` is `Safari`.

mod bot;
mod cache;
mod device;

use std::borrow::Cow;

use ua_parser::{Extractor, Regexes, os, user_agent};

use super::text::clean;
use crate::visit::record::Agent;
use bot::BotTable;
pub use cache::AgentCache;

/// Patterns of uap-core.
const PATTERNS: &str = include_str!("../../../../data/uap-core/patterns.json");

/// Longest part of a user agent that is looked at, in bytes.
const MOST_BYTES: usize = 1024;
/// Longest name or version that is kept, in bytes; they come from the sender.
const MOST_FIELD_BYTES: usize = 64;

/// Families of uap-core and what they are called here.
const BROWSERS: [(&str, &str); 16] = [
    ("Chrome Mobile", "Chrome"),
    ("Chrome Mobile iOS", "Chrome"),
    ("Chrome Mobile WebView", "Chrome WebView"),
    ("Mobile Safari", "Safari"),
    ("Mobile Safari UI/WKWebView", "Safari WebView"),
    ("Firefox Mobile", "Firefox"),
    ("Firefox iOS", "Firefox"),
    ("Edge Mobile", "Edge"),
    ("IE Mobile", "IE"),
    ("Opera Mobile", "Opera"),
    ("Opera Tablet", "Opera"),
    ("Brave Mobile", "Brave"),
    ("Vivaldi Mobile", "Vivaldi"),
    ("DuckDuckGo Mobile", "DuckDuckGo"),
    ("Yandex Browser", "Yandex"),
    ("AmazonSilk", "Amazon Silk"),
];

const SYSTEMS: [(&str, &str); 2] = [("Mac OS X", "macOS"), ("Windows NT", "Windows")];

/// Families whose minor version says something.
const MINOR_TELLS: [&str; 8] =
    ["Safari", "Safari WebView", "Samsung Internet", "macOS", "iOS", "Windows", "Ubuntu", "tvOS"];

/// Why the patterns can't be used: a defect of the build.
#[derive(Debug, thiserror::Error)]
pub enum AgentsFault {
    /// The list is not readable.
    #[error("the patterns of user agents are damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// A pattern is not valid.
    #[error("a pattern of user agents is not valid: {0}")]
    Pattern(#[from] ua_parser::Error),
}

/// A user agent taken apart. Unknown is empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AgentOwned {
    /// Browser family.
    pub browser: String,
    /// Its major version, with the minor one where that tells.
    pub browser_version: String,
    /// Operating system family.
    pub os: String,
    /// Its version.
    pub os_version: String,
    /// `Desktop`, `Mobile`, `Tablet` or empty.
    pub device: &'static str,
    /// Why it is taken for a bot, such as `crawler: Googlebot`; empty for a person.
    pub bot: String,
}

impl AgentOwned {
    /// The part of a visit.
    #[must_use]
    pub fn as_agent(&self) -> Agent<'_> {
        Agent {
            browser: &self.browser,
            browser_version: &self.browser_version,
            os: &self.os,
            os_version: &self.os_version,
            device: self.device,
            bot: &self.bot,
        }
    }
}

/// Takes user agents apart. One is worth sharing: it takes tens of milliseconds to make and some megabytes.
pub struct Agents {
    patterns: Extractor<'static>,
    bots: BotTable,
}

impl std::fmt::Debug for Agents {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Agents")
    }
}

impl Agents {
    /// Compiles the patterns.
    ///
    /// # Errors
    /// When the patterns in the program are damaged.
    pub fn new() -> Result<Self, AgentsFault> {
        let patterns: Regexes<'static> = serde_json::from_str(PATTERNS)?;
        Ok(Self { patterns: Extractor::try_from(patterns)?, bots: BotTable::new() })
    }

    /// Takes one apart, which takes some microseconds.
    #[must_use]
    pub fn classify(&self, user_agent: &str) -> AgentOwned {
        let text = clean(cut(user_agent, MOST_BYTES));
        if text.is_empty() {
            return AgentOwned { bot: "no user agent".to_owned(), ..AgentOwned::default() };
        }
        let browser = self.patterns.ua.extract(&text);
        let (browser, browser_version) = browser.map(|found| browser_of(&found)).unwrap_or_default();
        let (os, os_version) = self.patterns.os.extract(&text).map(|found| system_of(&found)).unwrap_or_default();
        let is_spider = || self.patterns.dev.extract(&text).is_some();
        let bot = self.bots.reason(&text, is_spider, &browser);
        AgentOwned { browser, browser_version, device: device::device(&text, &os), os, os_version, bot }
    }
}

fn browser_of(found: &user_agent::ValueRef<'_>) -> (String, String) {
    let name = renamed(&BROWSERS, &found.family);
    let version = version(&name, found.major, found.minor);
    (name, version)
}

fn system_of(found: &os::ValueRef<'_>) -> (String, String) {
    let name = renamed(&SYSTEMS, &found.os);
    let version = version(&name, found.major.as_deref(), found.minor.as_deref());
    (name, version)
}

fn renamed(names: &[(&str, &str)], family: &str) -> String {
    let name = names.iter().find(|(known, _)| *known == family).map_or(family, |(_, name)| name);
    if name == "Other" { String::new() } else { cut(name, MOST_FIELD_BYTES).to_owned() }
}

fn version(name: &str, major: Option<&str>, minor: Option<&str>) -> String {
    let Some(major) = major.filter(|_| !name.is_empty()) else { return String::new() };
    let whole = match minor.filter(|minor| MINOR_TELLS.contains(&name) && !minor.is_empty()) {
        Some(minor) => Cow::Owned(format!("{major}.{minor}")),
        None => Cow::Borrowed(major),
    };
    cut(&whole, MOST_FIELD_BYTES).to_owned()
}

/// At most `bytes` of the beginning, without cutting a character apart.
fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
