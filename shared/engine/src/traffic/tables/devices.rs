//! Device models.

use std::sync::LazyLock;

use trafficlab_shared::model::content::DeviceType;

use super::rows;
use crate::traffic::cast;

/// Later rows go on behind the first ones, so that a stored number means the same device for ever.
static DEVICES: LazyLock<Vec<Device>> = LazyLock::new(|| {
    let texts = [include_str!("../../../data/devices.tsv"), include_str!("../../../data/devices_v2.tsv")];
    texts.into_iter().flat_map(rows).enumerate().map(read).collect()
});

/// Devices of content version 1.
const FIRST_DEVICES: usize = 56;

/// One device model.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// Row number; stored in counters and never changed.
    pub index: u16,
    /// Marketing name.
    pub model: &'static str,
    /// Manufacturer.
    pub make: &'static str,
    /// Class.
    pub class: DeviceType,
    /// Operating system.
    pub os: &'static str,
    /// Versions of it in use.
    pub os_versions: Vec<&'static str>,
    /// Model code as user agents carry it; may be empty.
    pub code: &'static str,
    /// Screen width in physical pixels.
    pub width: u32,
    /// Screen height in physical pixels.
    pub height: u32,
    /// Pixels per inch.
    pub ppi: u32,
    /// Physical by logical pixels, in hundredths.
    pub pixel_ratio: u32,
    /// How common it is.
    pub weight: f64,
}

impl Device {
    /// Width and height of the screen as a browser reports them.
    #[must_use]
    pub fn css_pixels(&self) -> (u32, u32) {
        let logical =
            |pixels: u32| (pixels * 100 + self.pixel_ratio / 2).checked_div(self.pixel_ratio).unwrap_or(pixels);
        (logical(self.width), logical(self.height))
    }
}

fn read((index, mut cells): (usize, super::Cells)) -> Device {
    Device {
        index: u16::try_from(index).unwrap_or(u16::MAX),
        model: cells.text(),
        make: cells.text(),
        class: DeviceType::from_name(cells.text()).unwrap_or(DeviceType::Desktop),
        os: cells.text(),
        os_versions: cells.text().split(',').collect(),
        code: cells.text(),
        width: cells.parse(),
        height: cells.parse(),
        ppi: cells.parse(),
        pixel_ratio: cells.parse(),
        weight: cells.parse(),
    }
}

/// All devices in the order of their index.
#[must_use]
pub fn devices() -> &'static [Device] {
    &DEVICES
}

/// The devices that a content version draws from.
pub(super) fn devices_of(version: u16) -> &'static [Device] {
    let count = if version == 1 { FIRST_DEVICES } else { DEVICES.len() };
    DEVICES.get(..count).unwrap_or(&DEVICES)
}

/// The device with this stored index.
#[must_use]
pub fn device(index: u16) -> Option<&'static Device> {
    DEVICES.get(cast::index(u32::from(index)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_indices_never_move() {
        let at = |index: u16| device(index).map(|device| device.model);
        assert_eq!(devices_of(1).last().map(|device| device.model), Some("BrightSign XT1144"));
        assert_eq!(
            [at(0), at(26), at(56)],
            [Some("iPhone 16 Pro"), Some("Windows PC (Full HD)"), Some("iPhone 16 Pro Max")]
        );
        assert!(devices_of(2).len() >= 120);
    }

    #[test]
    fn screens_are_those_of_their_kind() {
        for device in devices() {
            let (width, height) = device.css_pixels();
            let (short, long) = (width.min(height), width.max(height));
            let usual = match device.class {
                DeviceType::Mobile => (320..=480).contains(&short) && (568..=1_000).contains(&long),
                DeviceType::Tablet => (600..=1_340).contains(&short) && (960..=1_370).contains(&long),
                DeviceType::Desktop => (720..=1_440).contains(&short) && (1_280..=2_560).contains(&long),
                DeviceType::Ctv | DeviceType::Dooh => (1_080..=2_160).contains(&short),
            };
            assert!(usual, "{}: {width} x {height}", device.model);
            // The diagonal in inches.
            let diagonal = f64::from(device.width).hypot(f64::from(device.height)) / f64::from(device.ppi);
            let usual = match device.class {
                DeviceType::Mobile => 4.5..7.2,
                DeviceType::Tablet => 7.5..14.5,
                DeviceType::Desktop => 11.0..33.0,
                DeviceType::Ctv | DeviceType::Dooh => 30.0..120.0,
            };
            assert!(usual.contains(&diagonal), "{}: {diagonal} in", device.model);
        }
    }

    #[test]
    fn models_are_there_once() {
        for (index, device) in devices().iter().enumerate() {
            let again = devices().iter().skip(index + 1).any(|other| other.model == device.model);
            assert!(!again, "{}", device.model);
        }
    }
}
