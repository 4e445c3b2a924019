//! Ratios of whole numbers as decimals, rounded half up. Everything is computed in integers, so that a figure does not
//! depend on the order of its additions or on the last bit of a float.

/// `numerator / denominator` in units of 10^-`decimals`, rounded half up; nothing when the divisor is 0 or the result is
/// beyond every number that can be shown.
///
/// Long division, digit by digit, so that nothing overflows on the way. Divisors beyond 2^124 lose their last digits.
#[must_use]
pub fn rounded(numerator: u128, denominator: u128, decimals: u32) -> Option<u128> {
    let (mut above, mut below) = (numerator, denominator);
    while below > u128::MAX / 16 {
        above >>= 1;
        below >>= 1;
    }
    let mut units = above.checked_div(below)?;
    let mut rest = above % below;
    for _ in 0..decimals {
        rest *= 10;
        units = units.checked_mul(10)?.checked_add(rest / below)?;
        rest %= below;
    }
    if rest * 2 >= below { units.checked_add(1) } else { Some(units) }
}

/// `numerator / denominator`, rounded half up to `decimals` digits; nothing when the divisor is 0.
///
/// The result is the float nearest to the decimal, which prints as the decimal itself up to 15 digits.
#[must_use]
pub fn ratio(numerator: u128, denominator: u128, decimals: u32) -> Option<f64> {
    rounded(numerator, denominator, decimals).map(|units| decimal(units, decimals))
}

/// Relative change from `base` to `now` in percent, rounded half away from zero to one digit; nothing when `base` is 0.
#[must_use]
pub fn change_percent(now: u128, base: u128) -> Option<f64> {
    // A thousandth of the whole is a tenth of a percent.
    let size = decimal(rounded(now.abs_diff(base), base, 3)?, 1);
    Some(if now < base && size > 0.0 { -size } else { size })
}

/// `units` of 10^-`decimals` as a float.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a figure to be shown; beyond 2^53 its last digits are not")]
pub fn decimal(units: u128, decimals: u32) -> f64 {
    units as f64 / 10_f64.powi(i32::try_from(decimals).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_go_up_and_nothing_is_divided_by_nothing() {
        assert_eq!((ratio(1, 8, 2), ratio(1, 3, 4), ratio(2, 3, 4)), (Some(0.13), Some(0.3333), Some(0.6667)));
        assert_eq!(
            (ratio(5, 2, 0), ratio(0, 5, 2), ratio(5, 0, 2), ratio(0, 0, 2)),
            (Some(3.0), Some(0.0), None, None)
        );
        assert_eq!(ratio(u128::MAX, u128::MAX, 4), Some(1.0));
        assert_eq!(ratio(u128::MAX, 1, 4), None, "nothing that can be shown");
    }

    #[test]
    fn changes_are_signed_and_a_base_of_nothing_has_none() {
        assert_eq!(
            (change_percent(3, 2), change_percent(2, 3), change_percent(1, 1)),
            (Some(50.0), Some(-33.3), Some(0.0))
        );
        assert_eq!((change_percent(5, 0), change_percent(0, 0), change_percent(0, 7)), (None, None, Some(-100.0)));
        let unsigned = change_percent(9_999, 10_000).unwrap();
        assert!(unsigned.is_sign_positive(), "-0.01 percent is shown as 0, not as -0");
    }

    proptest! {
        #[test]
        fn a_ratio_is_the_rounded_one_of_exact_fractions(above in any::<u64>(), below in 1..u64::MAX, decimals in 0..5_u32) {
            let scale = 10_u128.pow(decimals);
            let (above, below) = (u128::from(above), u128::from(below));
            let naive = (above * scale * 2 + below) / (below * 2);
            prop_assert_eq!(rounded(above, below, decimals), Some(naive));
        }

        #[test]
        fn no_numbers_are_too_large(above in any::<u128>(), below in any::<u128>(), decimals in 0..6_u32) {
            prop_assert!(ratio(above, below, decimals).is_none_or(f64::is_finite));
            prop_assert!(change_percent(above, below).is_none_or(f64::is_finite));
        }

        #[test]
        fn a_change_and_its_sign_agree(now in 0..1_000_000_000_u64, base in 1..1_000_000_000_u64) {
            let change = change_percent(now.into(), base.into()).unwrap();
            let agree = if now >= base { change >= 0.0 } else { change <= 0.0 };
            prop_assert!(agree);
            let exact = (i128::from(now) - i128::from(base)) * 100_000;
            let tenths = (change * 10.0).round();
            #[allow(clippy::cast_possible_truncation, reason = "far below 2^53")]
            let off = (exact - (tenths as i128) * 100 * i128::from(base)).abs();
            prop_assert!(off <= 50 * i128::from(base), "not more than half of the last digit");
        }
    }
}
