//! Device models.

use std::sync::LazyLock;

use trafficlab_shared::model::content::DeviceType;

use super::rows;
use crate::traffic::cast;

static DEVICES: LazyLock<Vec<Device>> = LazyLock::new(parse);

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

fn parse() -> Vec<Device> {
    let row = |(index, mut cells): (usize, super::Cells)| Device {
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
    };
    rows(include_str!("../../../data/devices.tsv")).enumerate().map(row).collect()
}

/// All devices in the order of their index.
#[must_use]
pub fn devices() -> &'static [Device] {
    &DEVICES
}

/// The device with this stored index.
#[must_use]
pub fn device(index: u16) -> Option<&'static Device> {
    DEVICES.get(cast::index(u32::from(index)))
}
