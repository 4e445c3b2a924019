//! Clients: every sensible combination of device, system version and browser, with its prebuilt JSON.

use trafficlab_shared::model::content::DeviceType;

use super::devices::{Device, devices_of};
use super::headers::ClientHeaders;
use super::rows;
use crate::traffic::cast;
use crate::traffic::render::hints;

/// Where a client shows ads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// In a web page.
    Site,
    /// In an app.
    App,
    /// On a public screen.
    Dooh,
}

/// A device with one system version and one browser.
#[derive(Debug, Clone, PartialEq)]
pub struct Client {
    /// The device.
    pub device: &'static Device,
    /// Version of the operating system.
    pub os_version: &'static str,
    /// Browser, or what stands for it inside an app.
    pub browser: &'static str,
    /// Where it shows ads.
    pub surface: Surface,
    /// Full user agent string.
    pub user_agent: String,
    /// How common it is.
    pub(crate) weight: f64,
    /// The constant members of an `OpenRTB` `device`, without braces.
    pub(crate) device_json: String,
    /// What it sends by itself with every request.
    pub headers: ClientHeaders,
}

impl Client {
    /// A client that says nothing.
    pub(crate) const fn unknown(device: &'static Device, surface: Surface) -> Self {
        Self {
            device,
            os_version: "",
            browser: "unknown",
            surface,
            user_agent: String::new(),
            weight: 0.0,
            device_json: String::new(),
            headers: ClientHeaders::NONE,
        }
    }
}

/// One row of the browser table.
#[derive(Debug)]
pub(crate) struct Browser {
    os: &'static str,
    class: DeviceType,
    make: &'static str,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Version of Chromium inside; empty for others, and where version 1 did not say it.
    engine: &'static str,
    surface: Surface,
    share: f64,
    pub(crate) family: &'static str,
    template: &'static str,
}

/// The first version's table has no column for the engine.
fn browsers(version: u16) -> Vec<Browser> {
    let text = match version {
        1 => include_str!("../../../data/browsers.tsv"),
        _ => include_str!("../../../data/browsers_v2.tsv"),
    };
    let row = |mut cells: super::Cells| Browser {
        os: cells.text(),
        class: DeviceType::from_name(cells.text()).unwrap_or(DeviceType::Desktop),
        make: cells.text(),
        name: cells.text(),
        version: cells.text(),
        engine: if version == 1 { "" } else { cells.text() },
        surface: match cells.text() {
            "app" => Surface::App,
            "dooh" => Surface::Dooh,
            _ => Surface::Site,
        },
        share: cells.parse(),
        family: cells.text(),
        template: cells.text(),
    };
    rows(text).map(row).collect()
}

impl Browser {
    fn runs_on(&self, device: &Device) -> bool {
        self.os == device.os && self.class == device.class && (self.make == "*" || self.make == device.make)
    }

    /// The version, which for some browsers is that of the system.
    pub(crate) fn version_on(&self, os_version: &'static str) -> &'static str {
        if self.version == "{osv}" { os_version } else { self.version }
    }

    /// The version of Chromium, which stands in for that of the browser in version 1.
    pub(crate) fn engine_on(&self, os_version: &'static str) -> &'static str {
        if self.engine.is_empty() { self.version_on(os_version) } else { self.engine }
    }

    fn user_agent(&self, device: &Device, os_version: &'static str) -> String {
        let version = self.version_on(os_version);
        self.template
            .replace("{osv_}", &os_version.replace('.', "_"))
            .replace("{osv}", os_version)
            .replace("{v0}", version.split('.').next().unwrap_or_default())
            .replace("{v}", version)
            .replace("{e0}", self.engine.split('.').next().unwrap_or_default())
            .replace("{e}", self.engine)
            .replace("{code}", device.code)
    }
}

/// All clients of a content version, in an order that belongs to it.
pub(super) fn build(version: u16) -> Vec<Client> {
    let browsers = browsers(version);
    let mut clients = Vec::new();
    for device in devices_of(version) {
        for &os_version in &device.os_versions {
            let usable: Vec<&Browser> = browsers.iter().filter(|browser| browser.runs_on(device)).collect();
            for browser in &usable {
                let rivals = usable.iter().filter(|other| other.surface == browser.surface);
                let shares: f64 = rivals.map(|other| other.share).sum();
                let versions = f64::from(cast::length(device.os_versions.len()));
                let user_agent = browser.user_agent(device, os_version);
                clients.push(Client {
                    device,
                    os_version,
                    browser: browser.name,
                    surface: browser.surface,
                    weight: device.weight * browser.share / shares / versions,
                    device_json: hints::device_members(device, os_version, browser, &user_agent),
                    headers: ClientHeaders::new(device, browser, &user_agent),
                    user_agent,
                });
            }
        }
    }
    clients
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    #[test]
    fn every_device_has_a_client_and_every_browser_a_device() {
        for version in [1, 2] {
            let clients = build(version);
            for device in devices_of(version) {
                assert!(clients.iter().any(|client| client.device == device), "{}", device.model);
            }
            for browser in browsers(version) {
                assert!(devices_of(version).iter().any(|device| browser.runs_on(device)), "{browser:?}");
            }
        }
    }

    #[test]
    fn user_agents_fit_their_devices() {
        for client in [1, 2].into_iter().flat_map(build) {
            let agent = &client.user_agent;
            assert!(!agent.contains('{') && agent.len() > 20, "{agent}");
            match client.device.os {
                "iOS" => assert!(agent.contains("iPhone") && !agent.contains("Android"), "{agent}"),
                "iPadOS" => assert!(agent.contains("iPad") && !agent.contains("Android"), "{agent}"),
                "Android" => assert!(agent.contains("Android") && !agent.contains("iPhone"), "{agent}"),
                "Windows" => assert!(agent.contains("Windows NT"), "{agent}"),
                "macOS" => assert!(agent.contains("Macintosh"), "{agent}"),
                "Linux" => assert!(agent.contains("X11; Linux"), "{agent}"),
                "ChromeOS" => assert!(agent.contains("CrOS"), "{agent}"),
                _ => {}
            }
            assert_eq!(agent.contains("SamsungBrowser"), client.browser == "Samsung Internet");
            assert_eq!(agent.contains("Edg/"), client.browser == "Edge" && client.device.os != "Xbox");
            assert_eq!(agent.contains("OPR/"), client.browser == "Opera");
            assert_eq!(agent.contains("; wv)"), client.browser == "Android WebView");
            assert!(!agent.contains("Firefox/") || agent.contains("Gecko/"), "{agent}");
        }
    }

    /// The document of a bid request says the same as the header.
    #[test]
    fn documents_agree_with_the_device() {
        for client in build(2) {
            let json = format!("{{{}}}", client.device_json);
            let device: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(device["ua"], client.user_agent.as_str());
            assert_eq!((&device["os"], &device["osv"]), (&client.device.os.into(), &client.os_version.into()));
            assert_eq!(device["make"], client.device.make);
            assert_eq!((&device["w"], &device["h"]), (&client.device.width.into(), &client.device.height.into()));
            assert_eq!(device["sua"]["platform"]["brand"], client.device.os);
            assert_eq!(device["sua"]["mobile"] == 1, client.device.class == DeviceType::Mobile);
            let brands = device["sua"]["browsers"].as_array().unwrap();
            let chromium = brands.iter().find(|brand| brand["brand"] == "Chromium");
            assert_eq!(chromium.is_some(), client.headers.hints.is_some(), "{json}");
            if let Some(chromium) = chromium {
                let major = chromium["version"][0].as_str().unwrap();
                assert!(client.user_agent.contains(&format!("Chrome/{major}.")), "{json}");
            }
        }
    }
}
