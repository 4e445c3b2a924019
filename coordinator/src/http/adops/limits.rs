//! Rates of callers: the generic cell rate algorithm, with what its headers say.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache;

const SECOND_NS: u64 = 1_000_000_000;
/// Callers whose rate is remembered. Beyond it those that were not seen for long are forgotten, which gives them a full
/// burst again; memory stays bounded whatever comes.
const CALLERS: usize = 100_000;

/// One caller of one kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A credential, by the hash of what names it.
    Credential(u64),
    /// An address; those of an IPv6 network of 64 bits are one, since any of its machines can take any of them.
    Address(u64),
    /// An address that tries to sign in.
    Login(u64),
}

/// The number of a client's address for a [`Key`].
pub(crate) fn network(address: IpAddr) -> u64 {
    match address.to_canonical() {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or(0) | 1 << 63,
    }
}

/// So many a minute on average, so many at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    interval_ns: u64,
    burst: u32,
}

impl Rate {
    pub(crate) fn per_minute(rate: u32, burst: u32) -> Self {
        Self {
            interval_ns: (60 * SECOND_NS).checked_div(rate.into()).unwrap_or(3600 * SECOND_NS).max(1),
            burst: burst.max(1),
        }
    }
}

/// What a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quota {
    /// Requests that may come now.
    pub(crate) remaining: u32,
    /// Nanoseconds until all of them may come again.
    pub(crate) full_in_ns: u64,
    /// Nanoseconds to wait, when this request was one too many.
    pub(crate) wait_ns: Option<u64>,
}

/// The rates of all callers of this process, which is the only one that serves a store: its folder is locked.
pub(crate) struct Limits {
    /// The theoretical arrival time of each caller's next request.
    arrivals: Cache<Key, Arc<AtomicU64>>,
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self { arrivals: Cache::new(CALLERS) }
    }

    /// Takes one request of a caller (GCRA, ITU-T I.371 in its virtual scheduling form).
    pub(crate) fn take(&self, key: Key, rate: Rate, now_ns: u64) -> Quota {
        let made = self.arrivals.get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(Arc::default()));
        let Ok(cell) = made;
        let tolerance = rate.interval_ns.saturating_mul(u64::from(rate.burst) - 1);
        let next = |arrival: u64| {
            let due = arrival.max(now_ns);
            (due - now_ns <= tolerance).then(|| due.saturating_add(rate.interval_ns))
        };
        let taken = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        let (arrival, refused) = match taken {
            Ok(before) => (next(before).unwrap_or(before), false),
            Err(arrival) => (arrival, true),
        };
        let ahead = arrival.saturating_sub(now_ns);
        let whole = rate.interval_ns.saturating_mul(rate.burst.into());
        let remaining = whole.saturating_sub(ahead) / rate.interval_ns;
        Quota {
            remaining: if refused { 0 } else { u32::try_from(remaining).unwrap_or(u32::MAX) },
            full_in_ns: ahead,
            wait_ns: refused.then(|| ahead.saturating_sub(tolerance).max(1)),
        }
    }

    #[cfg(test)]
    fn callers(&self) -> usize {
        self.arrivals.len()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_hundred_and_twenty_at_once_and_then_a_hundred_a_minute() {
        let (limits, rate, start) = (Limits::new(), Rate::per_minute(100, 120), 7 * SECOND_NS);
        let key = Key::Credential(1);
        for left in (0..120).rev() {
            let quota = limits.take(key, rate, start);
            assert_eq!((quota.remaining, quota.wait_ns), (left, None));
        }
        let refused = limits.take(key, rate, start);
        assert_eq!((refused.remaining, refused.wait_ns), (0, Some(600_000_000)));
        assert_eq!(refused.full_in_ns, 72 * SECOND_NS);
        assert_eq!(limits.take(Key::Credential(2), rate, start).remaining, 119, "another caller is not touched");
        let later = (0..200).filter(|_| limits.take(key, rate, start + 60 * SECOND_NS).wait_ns.is_none());
        assert_eq!(later.count(), 100, "a minute later a hundred more");
        let rested = (0..200).filter(|_| limits.take(key, rate, start + 900 * SECOND_NS).wait_ns.is_none());
        assert_eq!(rested.count(), 120, "never more than the burst");
    }

    // checklist 57
    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("10.0.0.1"), of("::ffff:10.0.0.1"));
    }

    // checklist 59
    #[test]
    fn a_million_addresses_are_not_remembered() {
        let (limits, rate) = (Limits::new(), Rate::per_minute(100, 120));
        for address in 0..1_000_000 {
            limits.take(Key::Address(address), rate, SECOND_NS);
        }
        assert!(limits.callers() <= CALLERS, "{}", limits.callers());
    }
}
