//! Whole numbers in 7-bit groups (LEB128) and signed ones folded onto them.

/// A 64-bit number needs at most ten groups.
const MAX_BYTES: u32 = 10;

pub(crate) fn push(out: &mut Vec<u8>, mut value: u64) {
    loop {
        let group = crate::traffic::cast::low8(value & 0x7f);
        value >>= 7;
        if value == 0 {
            out.push(group);
            return;
        }
        out.push(group | 0x80);
    }
}

/// Takes one number off the front; none when the bytes end or the number is too long.
pub(crate) fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for place in 0..MAX_BYTES {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let group = u64::from(byte & 0x7f);
        if place == MAX_BYTES - 1 && group > 1 {
            return None;
        }
        value |= group << (7 * place);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Small numbers of either sign become small numbers.
pub(crate) const fn fold(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

pub(crate) const fn unfold(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_survive(value in any::<u64>(), signed in any::<i64>()) {
            let mut out = Vec::new();
            push(&mut out, value);
            let mut rest = out.as_slice();
            prop_assert_eq!(take(&mut rest), Some(value));
            prop_assert!(rest.is_empty());
            prop_assert_eq!(unfold(fold(signed)), signed);
        }
    }

    #[test]
    fn endless_and_cut_numbers_are_refused() {
        assert_eq!(take(&mut [0xff; 11].as_slice()), None);
        assert_eq!(take(&mut [0x80].as_slice()), None);
        assert_eq!(take(&mut [].as_slice()), None);
    }
}
