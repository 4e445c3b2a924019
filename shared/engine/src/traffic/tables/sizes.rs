//! Usual display sizes of each class of device.

use std::sync::LazyLock;

use trafficlab_shared::model::content::DeviceType;

use super::{Cells, rows};

static SIZES: LazyLock<Vec<AdSize>> =
    LazyLock::new(|| rows(include_str!("../../../data/ad_sizes.tsv")).map(AdSize::read).collect());

#[derive(Debug)]
struct AdSize {
    class: DeviceType,
    width: u32,
    height: u32,
    percent: u32,
}

impl AdSize {
    fn read(mut cells: Cells) -> Self {
        Self {
            class: DeviceType::from_name(cells.text()).unwrap_or(DeviceType::Desktop),
            width: cells.parse(),
            height: cells.parse(),
            percent: cells.parse(),
        }
    }
}

/// Width and height in logical pixels that a number below 100 chooses.
pub(crate) fn ad_size(class: DeviceType, percent: u32) -> (u32, u32) {
    let mut above = 0;
    let mut size = (0, 0);
    for row in SIZES.iter().filter(|row| row.class == class) {
        size = (row.width, row.height);
        above += row.percent;
        if percent < above {
            break;
        }
    }
    size
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shares_of_each_class_add_up() {
        for class in DeviceType::ALL {
            let sum: u32 = SIZES.iter().filter(|row| row.class == class).map(|row| row.percent).sum();
            assert_eq!(sum, 100, "{class:?}");
        }
        let desktop = [0, 39, 40, 49, 50, 84, 85, 99].map(|percent| ad_size(DeviceType::Desktop, percent).0);
        assert_eq!(desktop, [728, 728, 970, 970, 300, 300, 300, 300]);
        assert_eq!(ad_size(DeviceType::Mobile, 99), (320, 480));
    }
}
