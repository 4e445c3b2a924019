//! Rates of clients and sites: the generic cell rate algorithm over tables of a fixed size.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::quality::RandomState;

const SECOND_NS: u64 = 1_000_000_000;
/// Clients that are told apart; more share a cell, so that memory is bounded whatever comes.
const CLIENT_CELLS: usize = 1 << 16;
const SITE_CELLS: usize = 1 << 12;

/// A rate: so many a second, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    interval_ns: u64,
    tolerance_ns: u64,
}

impl Rate {
    /// `per_second` on average, `burst` at once. Zero a second admits nothing after the burst for an hour.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let interval_ns = SECOND_NS.checked_div(per_second.into()).unwrap_or(3600 * SECOND_NS).max(1);
        Self { interval_ns, tolerance_ns: interval_ns.saturating_mul(burst.saturating_sub(1).into()) }
    }
}

/// Cells by hashed key. Two keys in one cell share its rate.
#[derive(Debug)]
struct Cells {
    /// The theoretical arrival time of the next request of each cell.
    arrivals: Vec<AtomicU64>,
    hasher: RandomState,
}

impl Cells {
    fn new(size: usize) -> Self {
        Self { arrivals: (0..size).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::default() }
    }

    fn take(&self, key: impl std::hash::Hash, rate: Rate, now_ns: u64) -> Result<(), u64> {
        let at = usize::try_from(self.hasher.hash_one(key)).unwrap_or(0) % self.arrivals.len().max(1);
        self.arrivals.get(at).map_or(Ok(()), |cell| take(cell, rate, now_ns))
    }
}

/// Takes one from a cell, or answers the nanoseconds until there is one (GCRA, ITU-T I.371 in its virtual scheduling
/// form).
fn take(cell: &AtomicU64, rate: Rate, now_ns: u64) -> Result<(), u64> {
    let next = |arrival: u64| {
        let due = arrival.max(now_ns);
        (due - now_ns <= rate.tolerance_ns).then(|| due.saturating_add(rate.interval_ns))
    };
    let taken = cell.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
    taken.map(drop).map_err(|arrival| arrival.saturating_sub(now_ns).saturating_sub(rate.tolerance_ns).max(1))
}

/// All limits of the intake.
#[derive(Debug)]
pub(super) struct Limits {
    client: Option<Rate>,
    clients: Cells,
    sites: Cells,
    unverified: AtomicU64,
}

/// Visits a second whose mark names no campaign of ours, of all clients together.
const UNVERIFIED: u32 = 20;

impl Limits {
    /// `client` is nothing where clients are not limited.
    pub(super) fn new(client: Option<Rate>) -> Self {
        let clients = Cells::new(if client.is_some() { CLIENT_CELLS } else { 1 });
        Self { client, clients, sites: Cells::new(SITE_CELLS), unverified: AtomicU64::new(0) }
    }

    /// Takes one visit of a client; else the whole seconds to wait. The addresses of an IPv6 network of 64 bits are
    /// one client, since any of its machines can take any of them.
    pub(super) fn client(&self, address: IpAddr, now_ns: u64) -> Result<(), u32> {
        let Some(rate) = self.client else { return Ok(()) };
        let key = match address.to_canonical() {
            IpAddr::V4(address) => u64::from(address.to_bits()),
            IpAddr::V6(address) => u64::try_from(address.to_bits() >> 64).unwrap_or(0) | 1 << 63,
        };
        let seconds = |wait_ns: u64| u32::try_from(wait_ns.div_ceil(SECOND_NS)).unwrap_or(u32::MAX);
        self.clients.take(key, rate, now_ns).map_err(seconds)
    }

    /// Takes one visit of a site that has a rate; the burst is two seconds of it.
    pub(super) fn site(&self, domain: &str, per_second: u32, now_ns: u64) -> bool {
        let rate = Rate::new(per_second, per_second.saturating_mul(2).max(1));
        self.sites.take(domain, rate, now_ns).is_ok()
    }

    /// Takes one visit with an unknown mark.
    pub(super) fn unverified(&self, now_ns: u64) -> bool {
        take(&self.unverified, Rate::new(UNVERIFIED, UNVERIFIED * 5), now_ns).is_ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let cell = AtomicU64::new(0);
        let rate = Rate::new(10, 50);
        let start = 5 * SECOND_NS;
        let taken = (0..100).filter(|_| take(&cell, rate, start).is_ok()).count();
        assert_eq!(taken, 50);
        assert_eq!(take(&cell, rate, start), Err(SECOND_NS / 10));
        let later = (0..100).filter(|_| take(&cell, rate, start + SECOND_NS).is_ok()).count();
        assert_eq!(later, 10, "a second later ten more");
        let rested = (0..100).filter(|_| take(&cell, rate, start + 60 * SECOND_NS).is_ok()).count();
        assert_eq!(rested, 50, "never more than the burst");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_loopback_can_be_free() {
        let limits = Limits::new(Some(Rate::new(1, 2)));
        let at = |text: &str| limits.client(text.parse().unwrap(), SECOND_NS);
        assert_eq!((at("2001:db8::1"), at("2001:db8::2"), at("2001:db8::3")), (Ok(()), Ok(()), Err(1)));
        assert_eq!((at("10.0.0.1"), at("::ffff:10.0.0.1"), at("10.0.0.1")), (Ok(()), Ok(()), Err(1)));
        let free = Limits::new(None);
        assert!((0..1000).all(|_| free.client("10.0.0.1".parse().unwrap(), 0).is_ok()));
    }

    #[test]
    fn a_site_and_unknown_marks_have_buckets_of_their_own() {
        let limits = Limits::new(None);
        assert_eq!((0..100).filter(|_| limits.site("a.example", 3, SECOND_NS)).count(), 6);
        assert_eq!((0..1000).filter(|_| limits.unverified(SECOND_NS)).count(), 100);
    }
}
