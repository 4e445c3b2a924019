//! The random salts that tell visitors without cookies apart: one for each UTC day, gone after two.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use trafficlab_engine::visit::enrich::visitor::Salt;

use super::secret_file::{SecretFile, random};

const DAY_MS: i64 = 24 * 3600 * 1000;
/// A visitor who is seen again within this time is in the same session.
const SESSION_MS: i64 = 30 * 60 * 1000;
/// Visitors remembered over midnight; more begin the day anew, as if they had been away for half an hour.
const MOST_RECENT: usize = 500_000;
/// Day, current salt, previous salt.
const LENGTH: usize = 4 + 16 + 16;

/// The salts of a day. The previous one is that of the day before and serves only visitors whose session crosses
/// midnight; it is destroyed at the next midnight, at most 48 hours after it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pair {
    day: i32,
    current: [u8; 16],
    previous: [u8; 16],
}

impl Pair {
    fn from_bytes(bytes: &[u8; LENGTH]) -> Option<Self> {
        let (day, rest) = bytes.split_first_chunk::<4>()?;
        let (current, previous) = rest.split_first_chunk::<16>()?;
        Some(Self { day: i32::from_le_bytes(*day), current: *current, previous: previous.try_into().ok()? })
    }

    fn to_bytes(self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        let parts = self.day.to_le_bytes().into_iter().chain(self.current).chain(self.previous);
        for (place, byte) in bytes.iter_mut().zip(parts) {
            *place = byte;
        }
        bytes
    }

    /// The pair of `day`: a salt that is older than the day before is replaced.
    fn turned_to(self, day: i32) -> io::Result<Self> {
        let previous = if self.day == day - 1 { self.current } else { random()? };
        Ok(Self { day, current: random()?, previous })
    }
}

/// The salts in use and the file that keeps them over a restart.
#[derive(Debug)]
pub(super) struct Salts {
    pair: ArcSwap<Pair>,
    file: SecretFile<LENGTH>,
    /// Last moment of visitors near midnight, by their hash of the day before.
    recent: Mutex<HashMap<u64, i64>>,
}

impl Salts {
    /// Reads the salts, or makes new ones when there are none or they are out of date. Blocks.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(path: &Path, now_ms: i64) -> io::Result<Self> {
        let (file, found) = SecretFile::open(path)?;
        let day = day_of(now_ms);
        let found = found.as_ref().and_then(Pair::from_bytes);
        let pair = match found {
            Some(pair) if pair.day == day => pair,
            Some(pair) => pair.turned_to(day)?,
            None => Pair { day, current: random()?, previous: random()? },
        };
        file.write(&pair.to_bytes())?;
        Ok(Self { pair: ArcSwap::from_pointee(pair), file, recent: Mutex::default() })
    }

    /// Turns to the day of `now_ms` if it is a new one. Blocks. A clock that goes back changes nothing.
    ///
    /// # Errors
    /// When the file cannot be written; the old salts are out of use nevertheless, and the next call tries again.
    pub(super) fn turn(&self, now_ms: i64) -> io::Result<()> {
        let (pair, day) = (**self.pair.load(), day_of(now_ms));
        if day > pair.day {
            let turned = pair.turned_to(day)?;
            self.pair.store(turned.into());
            let earliest = now_ms - SESSION_MS;
            self.recent().retain(|_, seen| *seen >= earliest);
            return self.file.write(&turned.to_bytes());
        }
        if now_ms.rem_euclid(DAY_MS) < DAY_MS - SESSION_MS {
            let earliest = now_ms - SESSION_MS;
            let mut recent = self.recent();
            recent.retain(|_, seen| *seen >= earliest);
            if recent.is_empty() {
                recent.shrink_to_fit();
            }
        }
        Ok(())
    }

    /// The visitor that `hash` makes of the salt in force. Somebody whose session began before midnight stays the
    /// same visitor until it ends; only visitors of the last half hour of a day are remembered for that.
    pub(super) fn visitor(&self, now_ms: i64, hash: impl Fn(&Salt) -> u64) -> u64 {
        let pair = self.pair.load();
        let visitor = hash(&Salt(pair.current));
        let left = i64::from(pair.day + 1) * DAY_MS - now_ms;
        if left <= SESSION_MS {
            let mut recent = self.recent();
            let known = recent.contains_key(&visitor);
            if known || recent.len() < MOST_RECENT {
                recent.insert(visitor, now_ms);
            }
            return visitor;
        }
        let mut recent = self.recent();
        if recent.is_empty() {
            return visitor;
        }
        let before = hash(&Salt(pair.previous));
        match recent.get_mut(&before) {
            Some(seen) if now_ms - *seen <= SESSION_MS => {
                *seen = now_ms.max(*seen);
                before
            }
            _ => visitor,
        }
    }

    fn recent(&self) -> MutexGuard<'_, HashMap<u64, i64>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn day_of(now_ms: i64) -> i32 {
    i32::try_from(now_ms.div_euclid(DAY_MS)).unwrap_or(i32::MAX - 1)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use std::path::PathBuf;

    const NOON: i64 = 20_000 * DAY_MS + DAY_MS / 2;
    const MIDNIGHT: i64 = 20_001 * DAY_MS;

    fn opened() -> (tempfile::TempDir, PathBuf, Salts) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("salts");
        let salts = Salts::open(&path, NOON).unwrap();
        (folder, path, salts)
    }

    /// A stand-in for the keyed hash: the salt and the person.
    fn of(person: u64) -> impl Fn(&Salt) -> u64 {
        move |salt| u64::from_le_bytes(*salt.0.first_chunk().unwrap()).wrapping_add(person)
    }

    #[test]
    fn a_restart_keeps_the_day_and_two_days_destroy_a_salt() {
        let (_folder, path, salts) = opened();
        let first = salts.visitor(NOON, of(1));
        let old = salts.pair.load().current;
        assert_eq!(Salts::open(&path, NOON + 1).unwrap().visitor(NOON, of(1)), first);
        let next = Salts::open(&path, NOON + DAY_MS).unwrap();
        assert_ne!(next.visitor(NOON + DAY_MS, of(1)), first);
        assert_eq!(next.pair.load().previous, old);
        next.turn(NOON + 2 * DAY_MS).unwrap();
        let held = std::fs::read(&path).unwrap();
        assert!(!held.windows(16).any(|window| window == old), "overwritten in its place");
        assert_ne!(next.pair.load().previous, old);
    }

    #[test]
    fn days_without_a_server_destroy_both() {
        let (_folder, path, salts) = opened();
        let old = salts.pair.load().current;
        let later = Salts::open(&path, NOON + 3 * DAY_MS).unwrap();
        assert_ne!((later.pair.load().current, later.pair.load().previous), (old, old));
        assert!(!std::fs::read(&path).unwrap().windows(16).any(|window| window == old));
        later.turn(NOON).unwrap();
        assert_eq!(later.pair.load().day, day_of(NOON + 3 * DAY_MS), "a clock that goes back changes nothing");
    }

    #[test]
    fn a_session_crosses_midnight_and_ends_half_an_hour_after_its_last_visit() {
        let (_folder, _path, salts) = opened();
        let (early, late) = (salts.visitor(MIDNIGHT - SESSION_MS - 1, of(1)), salts.visitor(MIDNIGHT - 60_000, of(2)));
        salts.turn(MIDNIGHT).unwrap();
        assert_eq!(salts.visitor(MIDNIGHT + 1, of(2)), late);
        assert_ne!(salts.visitor(MIDNIGHT + 1, of(1)), early, "was not seen in the last half hour");
        assert_eq!(salts.visitor(MIDNIGHT + SESSION_MS, of(2)), late, "each visit goes on");
        salts.turn(MIDNIGHT + SESSION_MS + 5).unwrap();
        assert_eq!(salts.visitor(MIDNIGHT + 2 * SESSION_MS, of(2)), late);
        assert_ne!(salts.visitor(MIDNIGHT + 3 * SESSION_MS + 1, of(2)), late);
        salts.turn(MIDNIGHT + 4 * SESSION_MS).unwrap();
        assert!(salts.recent().is_empty(), "and nobody is remembered for longer");
    }
}
