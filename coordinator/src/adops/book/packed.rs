//! Days with their figures as few bytes: what lies in a stored block.
//!
//! Each row is the distance to the day before (to 1970-01-01 for the first) and the five figures, all as LEB128.
//! A usual day takes about 14 bytes.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::series::{figures, values};

/// Days in order, each once, with their figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Packed(Vec<u8>);

impl Packed {
    /// Packs days in ascending order, from 1970 on; earlier ones are no days of this product and are left out.
    pub fn of(days: impl Iterator<Item = (Day, Figures)>) -> Self {
        let mut bytes = Vec::with_capacity(days.size_hint().0 * 14);
        let mut before = 0_u32;
        for (day, figures) in days {
            let Some(distance) = u32::try_from(day.0).ok().and_then(|day| day.checked_sub(before)) else { continue };
            before += distance;
            write(&mut bytes, distance.into());
            for value in values(figures) {
                write(&mut bytes, value);
            }
        }
        bytes.shrink_to_fit();
        Self(bytes)
    }

    /// The days; none when the bytes are no such list.
    #[must_use]
    pub fn days(&self) -> Option<Vec<(Day, Figures)>> {
        let (mut rest, mut day) = (self.0.as_slice(), 0_i32);
        let mut days = Vec::with_capacity(rest.len() / 8);
        while !rest.is_empty() {
            day = day.checked_add(i32::try_from(read(&mut rest)?).ok()?)?;
            let mut row = [0; 5];
            for place in &mut row {
                *place = read(&mut rest)?;
            }
            days.push((Day(day), figures(row)));
        }
        Some(days)
    }
}

fn write(bytes: &mut Vec<u8>, mut value: u64) {
    while let Some(low) = u8::try_from(value & 0x7f).ok().filter(|_| value > 0x7f) {
        bytes.push(low | 0x80);
        value >>= 7;
    }
    bytes.push(u8::try_from(value).unwrap_or(0x7f));
}

fn read(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        let part = u64::from(byte & 0x7f);
        let shifted = part << shift;
        if shifted >> shift != part {
            return None;
        }
        value |= shifted;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Packed {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_byte_buf(Bytes)
    }
}

struct Bytes;

impl<'de> Visitor<'de> for Bytes {
    type Value = Packed;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("bytes")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Packed, E> {
        Ok(Packed(bytes.to_vec()))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Packed, E> {
        Ok(Packed(bytes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Packed, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = items.next_element()? {
            bytes.push(byte);
        }
        Ok(Packed(bytes))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use std::collections::BTreeMap;

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn days_come_back(
            days in prop::collection::btree_map(0..3_000_000_i32, prop::array::uniform5(any::<u64>()), 0..40)
        ) {
            let days: BTreeMap<Day, Figures> = days.into_iter().map(|(day, row)| (Day(day), figures(row))).collect();
            let packed = Packed::of(days.clone().into_iter());
            prop_assert_eq!(packed.days().unwrap(), days.into_iter().collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_are_days_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(days) = Packed(bytes).days() {
                prop_assert!(days.is_sorted_by_key(|(day, _)| *day));
            }
        }
    }

    #[test]
    fn a_usual_day_is_small() {
        let row = figures([125_000, 4_500, 180_000, 325_050, 980_000]);
        assert_eq!(Packed::of([(Day(20_000), row)].into_iter()).0.len(), 17);
        assert_eq!(Packed::of([(Day(-1), row)].into_iter()).0.len(), 0);
    }
}
