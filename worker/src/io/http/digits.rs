//! Decimal digits without the machinery of formatting: three numbers stand in every request.

/// The digits of `u64::MAX`.
const MOST: usize = 20;

/// Appends `number` in decimal.
pub(super) fn push_number(out: &mut Vec<u8>, number: impl Into<u64>) {
    let mut left = number.into();
    let mut digits = [b'0'; MOST];
    let mut unused = MOST;
    for digit in digits.iter_mut().rev() {
        *digit += u8::try_from(left % 10).unwrap_or(0);
        left /= 10;
        unused -= 1;
        if left == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(unused..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn like_display(number: u64, shift in 0..64_u32) {
            for number in [number, number >> shift, 0, u64::MAX] {
                let mut out = b"x".to_vec();
                push_number(&mut out, number);
                prop_assert_eq!(out, format!("x{number}").into_bytes());
            }
        }
    }
}
