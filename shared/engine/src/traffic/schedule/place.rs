//! Puts arrivals where the integrated rate says, which is a line with corners within a slot.

use super::{ARRIVAL, SLOT_NS};

/// A corner of the integrated rate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    /// Active time in nanoseconds.
    pub(super) at: u64,
    pub(super) integral: u128,
}

/// Appends the even arrivals of one shard between the first and the last point: the global index n
/// is due where the integrated rate reaches n arrivals, and belongs to shard n mod K.
pub(super) fn even(points: &[Point], shard: u32, shards: u32, due: &mut Vec<u64>) {
    for pair in points.windows(2) {
        if let [from, to] = pair {
            line(*from, *to, u128::from(shard), u128::from(shards), due);
        }
    }
}

/// The moments are `from.at + ⌊(n · ARRIVAL − from.integral) · length / area⌋`. Quotient and rest are
/// carried on from one to the next, as in Bresenham's line, so none needs a division.
fn line(from: Point, to: Point, shard: u128, shards: u128, due: &mut Vec<u64>) {
    let first = from.integral.div_ceil(ARRIVAL);
    let end = to.integral.div_ceil(ARRIVAL);
    let mut index = first + (shard + shards - first % shards) % shards;
    if index >= end {
        return;
    }
    let area = to.integral - from.integral;
    let length = u128::from(to.at - from.at);
    let (mut offset, mut rest) = split((index * ARRIVAL - from.integral) * length, area);
    let (step, step_rest) = split(shards * ARRIVAL * length, area);
    while index < end {
        due.push(from.at + offset);
        index += shards;
        offset = offset.saturating_add(step);
        rest += step_rest;
        if rest >= area {
            rest -= area;
            offset = offset.saturating_add(1);
        }
    }
}

/// Quotient and rest; a quotient beyond 64 bits lies behind every slot and is never used.
fn split(value: u128, by: u128) -> (u64, u128) {
    (u64::try_from(value / by).unwrap_or(u64::MAX), value % by)
}

/// Moves ascending offsets of a slot of even rate to the moments at which the integrated rate has
/// come as far as it would have by then.
pub(super) fn bend(points: &[Point], due: &mut [u64]) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return;
    };
    if points.len() == 2 {
        for offset in due {
            *offset += first.at;
        }
        return;
    }
    let area = last.integral - first.integral;
    let mut lines = points.windows(2);
    let mut current = lines.next();
    for moment in due {
        let reached = first.integral + u128::from(*moment) * area / u128::from(SLOT_NS);
        while let Some([_, to]) = current
            && to.integral <= reached
        {
            current = lines.next();
        }
        let Some([from, to]) = current else {
            return;
        };
        let offset = (reached - from.integral) * u128::from(to.at - from.at) / (to.integral - from.integral);
        *moment = from.at + u64::try_from(offset).unwrap_or(0);
    }
}
