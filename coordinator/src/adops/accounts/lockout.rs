//! Holds off those who guess passwords.
//!
//! What is counted is an account from one network (five failures) and a network as a whole (fifty), each within a quarter
//! of an hour; then both wait that long. So somebody who guesses from elsewhere does not lock the owner out. Accounts that
//! do not exist are counted alike, so nothing shows which ones do. The counts are this process's, and bounded.

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use quick_cache::sync::Cache;

use crate::systems::{Code, Fault, Outcome};

const SECOND_NS: u64 = 1_000_000_000;
/// How long failures count, and how long a lock holds.
const WINDOW_NS: u64 = 15 * 60 * SECOND_NS;
/// Failures of an account from a network.
const PAIR: u32 = 5;
/// Failures of a network.
const NETWORK: u32 = 50;
/// Counts that are remembered; beyond it those that were not touched for long are forgotten.
const COUNTS: usize = 100_000;

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    failures: u32,
    /// When the failures count no more, or the lock ends.
    until_ns: u64,
}

type Cell = Arc<Mutex<Count>>;

/// The failures that count.
pub(super) struct Lockout {
    counts: Cache<u64, Cell>,
    /// Keyed, so that nobody can choose names that fall together.
    hasher: RandomState,
}

/// An attempt that is under way.
pub(super) struct Attempt {
    pair: Cell,
    network: Cell,
}

impl Lockout {
    pub(super) fn new() -> Self {
        Self { counts: Cache::new(COUNTS), hasher: RandomState::new() }
    }

    /// Begins an attempt on an account, named in its one spelling, unless too many failed.
    pub(super) fn begin(&self, account: &str, address: IpAddr, now_ns: u64) -> Outcome<Attempt> {
        let network = network(address);
        let attempt = Attempt { pair: self.cell(&(account, network)), network: self.cell(&network) };
        attempt.check(now_ns)?;
        Ok(attempt)
    }

    fn cell(&self, key: &impl std::hash::Hash) -> Cell {
        let fresh = || Ok::<_, std::convert::Infallible>(Cell::default());
        let made = self.counts.get_or_insert_with(&self.hasher.hash_one(key), fresh);
        let Ok(cell) = made;
        cell
    }
}

impl Attempt {
    /// Counts what became of it. While it was judged others may have failed too often; then it tells nothing, so that many
    /// guesses at once are not more than five.
    pub(super) fn judged(self, right: bool, now_ns: u64) -> Outcome<()> {
        self.check(now_ns)?;
        if right {
            *locked(&self.pair) = Count::default();
        } else {
            locked(&self.pair).fail(PAIR, now_ns);
            locked(&self.network).fail(NETWORK, now_ns);
        }
        Ok(())
    }

    fn check(&self, now_ns: u64) -> Outcome<()> {
        let network = locked(&self.network).wait(NETWORK, now_ns);
        let Some(wait_ns) = network.or_else(|| locked(&self.pair).wait(PAIR, now_ns)) else { return Ok(()) };
        let seconds = u32::try_from(wait_ns.div_ceil(SECOND_NS)).unwrap_or(u32::MAX);
        let message = "Too many failed attempts to sign in; wait, or reset the password";
        Err(Fault { retry_after: Some(seconds), ..Fault::new(Code::RateLimited, message) })
    }
}

impl Count {
    /// How long to wait when there were too many failures.
    fn wait(&self, most: u32, now_ns: u64) -> Option<u64> {
        (self.failures >= most).then(|| self.until_ns.saturating_sub(now_ns)).filter(|wait_ns| *wait_ns > 0)
    }

    fn fail(&mut self, most: u32, now_ns: u64) {
        if now_ns >= self.until_ns {
            *self = Self { failures: 0, until_ns: now_ns + WINDOW_NS };
        }
        self.failures += 1;
        if self.failures == most {
            self.until_ns = now_ns + WINDOW_NS;
        }
    }
}

fn locked(cell: &Cell) -> std::sync::MutexGuard<'_, Count> {
    cell.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// An IPv4 address, or the /64 of an IPv6 one.
fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits() >> 64 << 64 | 1,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    const HOME: &str = "10.0.0.1";
    const AWAY: &str = "10.0.0.2";

    /// Begins an attempt and fails it; the seconds to wait when it may not begin.
    fn refused(lockout: &Lockout, account: &str, from: &str, now_ns: u64) -> Option<u32> {
        let failed =
            lockout.begin(account, from.parse().unwrap(), now_ns).and_then(|attempt| attempt.judged(false, now_ns));
        failed.err().map(|fault| {
            assert_eq!(fault.code, Code::RateLimited);
            fault.retry_after.unwrap()
        })
    }

    // checklist 28
    #[test]
    fn five_failures_lock_for_a_quarter_of_an_hour() {
        let (lockout, start) = (Lockout::new(), 1000 * SECOND_NS);
        for second in 0..5 {
            assert_eq!(refused(&lockout, "a", HOME, start + second * SECOND_NS), None);
        }
        assert_eq!(refused(&lockout, "a", HOME, start + 4 * SECOND_NS), Some(900));
        assert_eq!(refused(&lockout, "a", HOME, start + 903 * SECOND_NS), Some(1));
        assert_eq!(refused(&lockout, "a", AWAY, start), None, "the owner comes from elsewhere");
        assert_eq!(refused(&lockout, "b", HOME, start), None, "another account");
        assert_eq!(refused(&lockout, "a", HOME, start + 904 * SECOND_NS), None, "it is over");
    }

    #[test]
    fn success_clears_the_account_and_not_the_network() {
        let lockout = Lockout::new();
        for _ in 0..12 {
            for _ in 0..4 {
                assert_eq!(refused(&lockout, "a", HOME, 1), None);
            }
            lockout.begin("a", HOME.parse().unwrap(), 1).unwrap().judged(true, 1).unwrap();
        }
        assert_eq!((refused(&lockout, "b", HOME, 1), refused(&lockout, "c", HOME, 1)), (None, None));
        assert_eq!(refused(&lockout, "d", HOME, 1), Some(900), "fifty failures of the network");
    }

    #[test]
    fn of_many_attempts_at_once_only_five_are_told_of() {
        let lockout = Lockout::new();
        let begin = || lockout.begin("a", HOME.parse().unwrap(), 1).unwrap();
        let mut attempts: Vec<Attempt> = (0..20).map(|_| begin()).collect();
        let right = attempts.pop().unwrap();
        let told = attempts.into_iter().filter_map(|attempt| attempt.judged(false, 1).ok()).count();
        assert_eq!(told, 5);
        assert_eq!(right.judged(true, 1).unwrap_err().code, Code::RateLimited, "not even the right one");
        let many: Vec<Attempt> = (0..20).map(|_| lockout.begin("b", HOME.parse().unwrap(), 1).unwrap()).collect();
        assert!(many.into_iter().all(|attempt| attempt.judged(true, 1).is_ok()), "good ones do not hinder each other");
    }

    #[test]
    fn a_network_that_tries_many_accounts_is_locked() {
        let lockout = Lockout::new();
        for account in 0..50 {
            assert_eq!(refused(&lockout, &account.to_string(), "2001:db8::1", 1), None);
        }
        assert_eq!(refused(&lockout, "fresh", "2001:db8::ffff", 1), Some(900));
        assert_eq!(refused(&lockout, "fresh", "2001:db8:0:1::1", 1), None);
    }

    #[test]
    fn many_names_are_not_remembered() {
        let lockout = Lockout::new();
        for account in 0..300_000_u32 {
            lockout.begin(&account.to_string(), IpAddr::from(account.to_be_bytes()), 1).unwrap();
        }
        assert!(lockout.counts.len() <= COUNTS);
    }
}
