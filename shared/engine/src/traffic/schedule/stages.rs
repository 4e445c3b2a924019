//! Consecutive linear ramps.

use trafficlab_shared::model::arrivals::Stage;

/// The integral of ramps that begin at `rate`, at the start of `slot`; after the last ramp its
/// target holds. Rounded down, so it never falls.
pub(super) fn integral(rate: u64, stages: &[Stage], slot: u32) -> u128 {
    let mut integral = 0_u128;
    let mut from = u128::from(rate);
    let mut left = u128::from(slot);
    for stage in stages {
        let target = u128::from(stage.target);
        let length = u128::from(stage.seconds);
        if left < length {
            let area = if target >= from {
                from * left + (target - from) * left * left / (2 * length)
            } else {
                from * left - ((from - target) * left * left).div_ceil(2 * length)
            };
            return integral + area;
        }
        integral += (from + target) * length / 2;
        from = target;
        left -= length;
    }
    integral + from * left
}
