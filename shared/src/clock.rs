//! The two clocks: boot time for intervals, wall time for timestamps.

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds since the machine started, also while it slept; never goes back.
#[must_use]
pub fn boot_ns() -> u64 {
    read(ClockId::Boottime)
}

/// Nanoseconds since 1970-01-01 UTC as the machine believes.
#[must_use]
pub fn wall_ns() -> u64 {
    read(ClockId::Realtime)
}

fn read(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
