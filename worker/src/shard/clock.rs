//! From active time to the machine's clocks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use trafficlab_shared::clock;
use trafficlab_shared::protocol::report::Origin;

/// How far the broker's wall clock is ahead of ours, by the best sample so far.
#[derive(Debug, Default)]
pub(crate) struct BrokerOffset {
    offset_ns: AtomicI64,
    /// Round trip of the sample in use; 0 means none yet.
    round_trip_ns: AtomicU64,
    sampled_at: AtomicU64,
}

/// After this long even a worse sample is taken, for clocks drift.
const SAMPLE_AGE_NS: u64 = 600_000_000_000;

impl BrokerOffset {
    /// Whether a new sample is wanted.
    pub(crate) fn is_stale(&self) -> bool {
        let sampled = self.sampled_at.load(Ordering::Relaxed);
        sampled == 0 || clock::boot_ns().saturating_sub(sampled) > SAMPLE_AGE_NS
    }

    /// Takes a sample: the broker stored something at `broker_ns` between our wall times
    /// `before` and `after`. An offset within the round trip cannot be told from none.
    pub(crate) fn sample(&self, before: u64, broker_ns: u64, after: u64) {
        let round_trip = after.saturating_sub(before).max(1);
        let known = self.round_trip_ns.load(Ordering::Relaxed);
        if known != 0 && round_trip > known && !self.is_stale() {
            return;
        }
        let offset = if (before..=after).contains(&broker_ns) {
            0
        } else {
            broker_ns.cast_signed().wrapping_sub((before / 2 + after / 2).cast_signed())
        };
        self.offset_ns.store(offset, Ordering::Relaxed);
        self.round_trip_ns.store(round_trip, Ordering::Relaxed);
        self.sampled_at.store(clock::boot_ns(), Ordering::Relaxed);
    }

    /// The broker's wall clock now, in nanoseconds.
    pub(crate) fn broker_now(&self) -> u64 {
        clock::wall_ns().saturating_add_signed(self.offset_ns.load(Ordering::Relaxed))
    }
}

/// The active time of one shard since its origin. Only the boot clock moves it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShardClock {
    origin: Origin,
    boot_at_origin: i128,
}

impl ShardClock {
    /// Fixes the mapping once, by the broker's clock of now.
    pub(crate) fn new(origin: Origin, offset: &BrokerOffset) -> Self {
        let since = i128::from(offset.broker_now()) - i128::from(origin.wall_ns);
        Self { origin, boot_at_origin: i128::from(clock::boot_ns()) - since }
    }

    pub(crate) const fn origin(&self) -> Origin {
        self.origin
    }

    /// Active time now; what it was before the origin while that is still to come.
    pub(crate) fn active_now(&self) -> u64 {
        let since = (i128::from(clock::boot_ns()) - self.boot_at_origin).max(0);
        self.origin.active_ns.saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }

    /// Boot time at which active time reaches `active_ns`.
    pub(crate) fn boot_at(&self, active_ns: u64) -> u64 {
        let at = self.boot_at_origin + i128::from(active_ns) - i128::from(self.origin.active_ns);
        u64::try_from(at.max(0)).unwrap_or(u64::MAX)
    }

    /// Boot time at the origin, which may lie ahead: until then active time stands still at a moment at which something
    /// may be due.
    pub(crate) fn begins_at(&self) -> u64 {
        self.boot_at(self.origin.active_ns)
    }

    /// Broker time at which active time reaches `active_ns`.
    pub(crate) fn wall_at(&self, active_ns: u64) -> u64 {
        let ahead = i128::from(active_ns) - i128::from(self.origin.active_ns);
        u64::try_from((i128::from(self.origin.wall_ns) + ahead).max(0)).unwrap_or(u64::MAX)
    }

    /// Active time at a boot time.
    pub(crate) fn active_at_boot(&self, boot_ns: u64) -> u64 {
        let since = i128::from(boot_ns) - self.boot_at_origin;
        u64::try_from((i128::from(self.origin.active_ns) + since).max(0)).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::{BrokerOffset, ShardClock};
    use trafficlab_shared::protocol::report::Origin;

    #[test]
    fn an_offset_inside_the_round_trip_counts_as_none() {
        let offset = BrokerOffset::default();
        offset.sample(1_000, 1_500, 2_000);
        assert_eq!(offset.offset_ns.load(std::sync::atomic::Ordering::Relaxed), 0);
        let far = BrokerOffset::default();
        far.sample(1_000, 10_001_500, 2_000);
        assert_eq!(far.offset_ns.load(std::sync::atomic::Ordering::Relaxed), 10_000_000);
    }

    #[test]
    fn active_time_maps_there_and_back() {
        let offset = BrokerOffset::default();
        let origin = Origin { activation: 2, active_ns: 5_000_000_000, wall_ns: offset.broker_now() };
        let clock = ShardClock::new(origin, &offset);
        let boot = clock.boot_at(7_000_000_000);
        assert_eq!(clock.active_at_boot(boot), 7_000_000_000);
        assert_eq!(clock.wall_at(7_000_000_000), origin.wall_ns + 2_000_000_000);
        assert!(clock.active_now() >= origin.active_ns);
    }

    #[test]
    fn active_time_stands_still_until_its_origin() {
        let offset = BrokerOffset::default();
        let ahead = 3_600_000_000_000;
        let origin = Origin { activation: 1, active_ns: 4_000_000_000, wall_ns: offset.broker_now() + ahead };
        let clock = ShardClock::new(origin, &offset);
        assert_eq!(clock.active_now(), origin.active_ns);
        let left = clock.begins_at().saturating_sub(trafficlab_shared::clock::boot_ns());
        assert!((ahead / 2..=ahead).contains(&left), "{left}");
        assert_eq!(clock.active_at_boot(clock.begins_at()), origin.active_ns);
    }
}
