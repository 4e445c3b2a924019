//! Which interfaces this process may capture on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use pcap::{Capture, Device};

/// How often the names of interfaces are read, which costs little.
const GLANCE_EVERY: Duration = Duration::from_secs(1);
/// How often each one is opened to see whether it can be, when the names stay the same.
const GLANCES_PER_LOOK: u32 = 60;
/// Names of interfaces and whether each is up.
const NETWORK: &str = "/sys/class/net";
/// libpcap's name for all of them together.
const ANY: &str = "any";
/// A ring just large enough to try whether there may be one.
const TRIAL_RING: i32 = 256 * 1024;

/// The interfaces found last; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Interfaces(Arc<Mutex<Vec<String>>>);

impl Interfaces {
    /// Their names; none without the right to capture.
    #[must_use]
    pub fn get(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks for ever: when an interface comes, goes, or changes its state, and once a minute in any case.
    pub async fn keep_looking(&self) {
        let mut last = None;
        let mut glances = 0;
        loop {
            let seen = glance();
            if last.as_ref() != Some(&seen) || glances >= GLANCES_PER_LOOK {
                match tokio::task::spawn_blocking(usable).await {
                    Ok(found) => self.set(found),
                    Err(error) => tracing::error!(%error, "interfaces cannot be listed"),
                }
                last = Some(seen);
                glances = 0;
            }
            glances += 1;
            tokio::time::sleep(GLANCE_EVERY).await;
        }
    }

    fn set(&self, found: Vec<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != found {
            tracing::info!(interfaces = ?found, "interfaces to capture on");
            *known = found;
        }
    }
}

/// Names and states as the kernel lists them.
fn glance() -> BTreeSet<(String, String)> {
    let Ok(entries) = std::fs::read_dir(NETWORK) else {
        return BTreeSet::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.map(|name| (flags(&name), name)).map(|(flags, name)| (name, flags)).collect()
}

fn flags(name: &str) -> String {
    std::fs::read_to_string(format!("{NETWORK}/{name}/flags")).unwrap_or_default()
}

/// Network interfaces that are up and can be opened. The others that libpcap lists, such as those of USB and Bluetooth,
/// carry no network traffic.
fn usable() -> Vec<String> {
    let devices = match Device::list() {
        Ok(devices) => devices,
        Err(error) => {
            tracing::debug!(%error, "libpcap lists no interfaces");
            return Vec::new();
        }
    };
    let is_network = |name: &str| name == ANY || glance().iter().any(|(known, _)| known == name);
    let candidates = devices.into_iter().filter(|device| device.flags.is_up() && is_network(&device.name));
    let mut names: Vec<String> = candidates.map(|device| device.name).filter(|name| opens(name)).collect();
    names.sort_unstable();
    names
}

fn opens(name: &str) -> bool {
    let opened = Capture::from_device(name).and_then(|capture| capture.buffer_size(TRIAL_RING).snaplen(64).open());
    if let Err(error) = &opened {
        tracing::debug!(interface = name, %error, "cannot capture on it");
    }
    opened.is_ok()
}
