//! Clients: every sensible combination of device, system version and browser, with its prebuilt JSON.

use std::sync::LazyLock;

use trafficlab_shared::model::content::DeviceType;

use super::devices::{Device, devices};
use super::rows;
use crate::traffic::cast;
use crate::traffic::render::hints;

static CLIENTS: LazyLock<Vec<Client>> = LazyLock::new(build);

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
    version: &'static str,
    surface: Surface,
    share: f64,
    pub(crate) family: &'static str,
    template: &'static str,
}

fn browsers() -> Vec<Browser> {
    let row = |mut cells: super::Cells| Browser {
        os: cells.text(),
        class: DeviceType::from_name(cells.text()).unwrap_or(DeviceType::Desktop),
        make: cells.text(),
        name: cells.text(),
        version: cells.text(),
        surface: match cells.text() {
            "app" => Surface::App,
            "dooh" => Surface::Dooh,
            _ => Surface::Site,
        },
        share: cells.parse(),
        family: cells.text(),
        template: cells.text(),
    };
    rows(include_str!("../../../data/browsers.tsv")).map(row).collect()
}

impl Browser {
    fn runs_on(&self, device: &Device) -> bool {
        self.os == device.os && self.class == device.class && (self.make == "*" || self.make == device.make)
    }

    /// The version, which for some browsers is that of the system.
    pub(crate) fn version_on(&self, os_version: &'static str) -> &'static str {
        if self.version == "{osv}" { os_version } else { self.version }
    }

    fn user_agent(&self, device: &Device, os_version: &'static str) -> String {
        let version = self.version_on(os_version);
        self.template
            .replace("{osv_}", &os_version.replace('.', "_"))
            .replace("{osv}", os_version)
            .replace("{v0}", version.split('.').next().unwrap_or_default())
            .replace("{v}", version)
            .replace("{code}", device.code)
    }
}

fn build() -> Vec<Client> {
    let browsers = browsers();
    let mut clients = Vec::new();
    for device in devices() {
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
                    user_agent,
                });
            }
        }
    }
    clients
}

/// All clients; the order belongs to the content version.
#[must_use]
pub fn clients() -> &'static [Client] {
    &CLIENTS
}

/// The client with this index.
#[must_use]
pub fn client(index: u32) -> Option<&'static Client> {
    CLIENTS.get(cast::index(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_device_has_a_client_and_every_browser_a_device() {
        for device in devices() {
            assert!(clients().iter().any(|client| client.device == device), "{}", device.model);
        }
        for browser in browsers() {
            assert!(devices().iter().any(|device| browser.runs_on(device)), "{browser:?}");
        }
    }

    #[test]
    fn user_agents_fit_their_devices() {
        for client in clients() {
            let agent = &client.user_agent;
            assert!(!agent.contains('{') && agent.len() > 20, "{agent}");
            match client.device.os {
                "iOS" => assert!(agent.contains("iPhone") && !agent.contains("Android"), "{agent}"),
                "Android" => assert!(agent.contains("Android") && !agent.contains("iPhone"), "{agent}"),
                "Windows" => assert!(agent.contains("Windows NT"), "{agent}"),
                "macOS" => assert!(agent.contains("Macintosh"), "{agent}"),
                _ => {}
            }
            assert_eq!(agent.contains("SamsungBrowser"), client.browser == "Samsung Internet");
        }
    }
}
