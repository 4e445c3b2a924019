//! Numbers as the stored formats of visits have them: LEB128 or columns of a fixed width, little endian.

use crate::traffic::pack::varint;

/// Bytes that are read from the front; every length is checked against what is left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn left(&self) -> usize {
        self.0.len()
    }

    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(front)
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    /// A LEB128 number that fits.
    pub(super) fn number<T: TryFrom<u64>>(&mut self) -> Option<T> {
        varint::take(&mut self.0).and_then(|value| T::try_from(value).ok())
    }

    /// A signed number, folded onto a LEB128 one.
    pub(super) fn signed(&mut self) -> Option<i64> {
        varint::take(&mut self.0).map(varint::unfold)
    }

    pub(super) fn fixed32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(*self.take(4)?.first_chunk()?))
    }
}

/// Bytes that a value up to `most` needs in a column: 0, 1, 2, 4 or 8. Where all values are 0 no byte is stored.
pub(super) const fn width(most: u64) -> u8 {
    match most {
        0 => 0,
        1..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xffff_ffff => 4,
        _ => 8,
    }
}

/// Appends a column of values that fit in `width` bytes.
pub(super) fn put(out: &mut Vec<u8>, width: u8, values: impl Iterator<Item = u64>) {
    match width {
        0 => {}
        1 => out.extend(values.map(|value| low::<1>(value)[0])),
        2 => values.for_each(|value| out.extend_from_slice(&low::<2>(value))),
        4 => values.for_each(|value| out.extend_from_slice(&low::<4>(value))),
        _ => values.for_each(|value| out.extend_from_slice(&value.to_le_bytes())),
    }
}

/// The column of `count` values of `width` bytes in `bytes`, which may be too short: then there are fewer values.
pub(super) fn each(bytes: &[u8], width: u8, count: usize, mut take: impl FnMut(u64)) {
    match width {
        0 => (0..count).for_each(|_| take(0)),
        1 => bytes.iter().take(count).for_each(|byte| take(u64::from(*byte))),
        2 => bytes.as_chunks().0.iter().take(count).for_each(|two| take(u64::from(u16::from_le_bytes(*two)))),
        4 => bytes.as_chunks().0.iter().take(count).for_each(|four| take(u64::from(u32::from_le_bytes(*four)))),
        _ => bytes.as_chunks().0.iter().take(count).for_each(|eight| take(u64::from_le_bytes(*eight))),
    }
}

/// The low bytes of a number.
fn low<const N: usize>(value: u64) -> [u8; N] {
    *value.to_le_bytes().first_chunk().expect("a column is at most eight bytes wide")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn columns_come_back(values in prop::collection::vec(any::<u64>(), 1..50), shift in 0..64_u32) {
            let values: Vec<u64> = values.into_iter().map(|value| value >> shift).collect();
            let width = width(*values.iter().max().unwrap());
            let mut out = Vec::new();
            put(&mut out, width, values.iter().copied());
            prop_assert_eq!(out.len(), values.len() * usize::from(width));
            let mut read = Vec::new();
            each(&out, width, values.len(), |value| read.push(value));
            prop_assert_eq!(read, values);
        }
    }

    #[test]
    fn a_cursor_takes_no_more_than_there_is() {
        let mut cursor = Cursor::new(&[0x85, 0x01, 7, 1, 0, 0, 0, 9]);
        assert_eq!((cursor.number::<u8>(), cursor.byte()), (Some(133), Some(7)));
        assert_eq!((cursor.fixed32(), cursor.left()), (Some(1), 1));
        assert_eq!((cursor.fixed32(), cursor.take(2), cursor.signed()), (None, None, Some(-5)));
        assert_eq!((cursor.byte(), cursor.number::<u64>()), (None, None));
    }
}
