//! An interface of a pcapng section: its link type, and what one unit of its times is.

use super::options;
use super::order::Order;
use crate::packet::raw::LinkType;

const NANOS: u64 = 1_000_000_000;

/// What packets of an interface need to be told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Interface {
    pub(super) link: LinkType,
    /// Most bytes kept of a packet, 0 for no limit.
    pub(super) snap_len: u32,
    units_per_second: u64,
    offset_seconds: i64,
}

impl Interface {
    /// Reads the body of its block, at least eight bytes.
    pub(super) fn read(body: &[u8], order: Order) -> Result<Self, String> {
        let Some((&[a, b, _, _, e, f, g, h], options)) = body.split_first_chunk::<8>() else {
            return Err("an interface's block is too short".to_owned());
        };
        let mut interface = Self {
            link: LinkType(order.u16([a, b])),
            snap_len: order.u32([e, f, g, h]),
            units_per_second: 1_000_000,
            offset_seconds: 0,
        };
        let (mut resolution, mut offset) = (None, None);
        options::walk(options, order, |code, value| {
            match (code, value) {
                // The first one counts.
                (9, &[value]) => resolution = resolution.or(Some(value)),
                (14, value) => offset = offset.or(value.try_into().ok().map(|bytes| order.u64(bytes).cast_signed())),
                (11, []) => return Err("an interface's filter is empty".to_owned()),
                _ => {}
            }
            Ok(())
        })?;
        interface.offset_seconds = offset.unwrap_or(0);
        interface.units_per_second = resolution.map_or(1_000_000, units);
        Ok(interface)
    }

    /// Nanoseconds since 1970 of a time in the interface's units. Times that do not fit are put at the nearest end.
    pub(super) fn time(&self, stamp: u64) -> i64 {
        let seconds = i128::from(stamp / self.units_per_second) + i128::from(self.offset_seconds);
        let part = u128::from(stamp % self.units_per_second) * u128::from(NANOS) / u128::from(self.units_per_second);
        let time = seconds * i128::from(NANOS) + i128::try_from(part).unwrap_or(0);
        i64::try_from(time).unwrap_or(if time < 0 { i64::MIN } else { i64::MAX })
    }
}

/// Units per second of a resolution option: a negative power of two when the high bit is set, else of ten.
fn units(resolution: u8) -> u64 {
    let base: u64 = if resolution & 0x80 == 0 { 10 } else { 2 };
    base.checked_pow(u32::from(resolution & 0x7f)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_follow_resolution_and_offset() {
        let read = |options: &[u8]| {
            let mut body = vec![1, 0, 0, 0, 0, 0, 0, 0];
            body.extend(options);
            Interface::read(&body, Order::Little).unwrap()
        };
        assert_eq!(read(&[]).time(1_500_000), 1_500_000_000);
        assert_eq!(read(&[9, 0, 1, 0, 9, 0, 0, 0]).time(7), 7);
        assert_eq!(read(&[9, 0, 1, 0, 0x81, 0, 0, 0]).time(3), 1_500_000_000);
        assert_eq!(read(&[9, 0, 1, 0, 12, 0, 0, 0]).time(1_999_000_000_000), 1_999_000_000);
        let offset = [14, 0, 8, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(read(&offset).time(1_000_000), 0);
        assert_eq!(read(&[9, 0, 1, 0, 0, 0, 0, 0]).time(u64::MAX), i64::MAX);
    }
}
