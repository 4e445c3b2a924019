//! Bounds the distinct texts of each site, day and dictionary, so that a flood of made-up values fills neither memory nor
//! disk nor a report: beyond the bound a text becomes `(other)`.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;
use trafficlab_engine::visit::column::Dict;
use trafficlab_engine::visit::pack::is_folded;

/// The dictionaries that senders can fill with anything.
pub(crate) const CAPPED: [Dict; 7] =
    [Dict::Page, Dict::Agent, Dict::Acquisition, Dict::Event, Dict::Props, Dict::User, Dict::Click];
/// Distinct texts of each of them for a site and day.
const MOST_TEXTS: usize = 100_000;
/// Bytes of these texts: a merge or a question holds all of them in memory, and properties alone may have 70 KB.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Of all sites and days that are remembered, at 9 to 18 bytes each.
const MOST_IN_ALL: usize = 2_000_000;
/// Sites' days that are remembered, at up to a kilobyte each beside their texts.
const MOST_GROUPS: usize = 20_000;
const SEEN_BITS: u32 = 14;

/// The texts of a site's day in one dictionary.
#[derive(Default)]
struct Texts {
    hashes: HashTable<u64>,
    /// Of the texts themselves.
    bytes: usize,
}

/// The texts of a site's day, by dictionary as in `CAPPED`.
type Group = [Texts; CAPPED.len()];

/// What was seen of each site and day. Lost at the end of the process: `admit` is told again what is stored.
pub(crate) struct Caps {
    days: BTreeMap<i64, HashMap<Box<str>, u32, RandomState>>,
    groups: HashMap<u32, Group, RandomState>,
    next_group: u32,
    in_all: usize,
    hasher: RandomState,
    /// Group, dictionary and code that were found admitted lately, each in the place of its hash.
    seen: Box<[u64]>,
    most_texts: usize,
    most_bytes: usize,
    folded: u64,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            days: BTreeMap::new(),
            groups: HashMap::default(),
            next_group: 1,
            in_all: 0,
            hasher: RandomState::default(),
            seen: vec![0; 1 << SEEN_BITS].into(),
            most_texts: MOST_TEXTS,
            most_bytes: MOST_BYTES,
            folded: 0,
        }
    }
}

impl Caps {
    #[cfg(test)]
    pub(crate) fn with_most(most_texts: usize) -> Self {
        Self { most_texts, ..Self::default() }
    }

    /// The number of a site's day.
    pub(crate) fn group(&mut self, site: &str, day: i64) -> u32 {
        if let Some(group) = self.days.get(&day).and_then(|sites| sites.get(site)) {
            return *group;
        }
        while self.groups.len() >= MOST_GROUPS && self.days.len() > 2 {
            self.forget_oldest_day();
        }
        let group = self.next_group;
        // Far more than can be made: the highest bits of a mark have room for 268 million.
        self.next_group = self.next_group.wrapping_add(1);
        self.days.entry(day).or_default().insert(site.into(), group);
        self.groups.insert(group, Group::default());
        group
    }

    /// Whether a text may be stored for the group; a new one is counted.
    pub(crate) fn admit(&mut self, group: u32, dict: Dict, text: &str) -> bool {
        let Some(place) = CAPPED.iter().position(|capped| *capped == dict) else { return true };
        if text.is_empty() || is_folded(dict, text) {
            return true;
        }
        let hash = self.hasher.hash_one(text);
        let Some(texts) = self.groups.get(&group).and_then(|group| group.get(place)) else { return true };
        if texts.hashes.find(hash, |other| *other == hash).is_some() {
            return true;
        }
        let is_full = texts.hashes.len() >= self.most_texts || texts.bytes + text.len() > self.most_bytes;
        if is_full || !self.has_room(group) {
            self.folded += 1;
            return false;
        }
        if let Some(texts) = self.groups.get_mut(&group).and_then(|group| group.get_mut(place)) {
            texts.hashes.insert_unique(hash, hash, |hash| *hash);
            texts.bytes += text.len();
            self.in_all += 1;
        }
        true
    }

    /// Whether the code was found admitted for the group lately.
    pub(crate) fn has_seen(&self, group: u32, dict: Dict, code: u32) -> bool {
        let mark = mark(group, dict, code);
        self.seen.get(place(mark)) == Some(&mark)
    }

    /// Notes that a code was found admitted.
    pub(crate) fn saw(&mut self, group: u32, dict: Dict, code: u32) {
        let mark = mark(group, dict, code);
        if let Some(seen) = self.seen.get_mut(place(mark)) {
            *seen = mark;
        }
    }

    /// Codes have another meaning from now on.
    pub(crate) fn new_dictionaries(&mut self) {
        self.seen.fill(0);
    }

    /// Values that became `(other)` since the start.
    pub(crate) const fn folded(&self) -> u64 {
        self.folded
    }

    /// Whether one more text can be remembered; the oldest days make room when there are others.
    fn has_room(&mut self, wanted: u32) -> bool {
        while self.in_all >= MOST_IN_ALL && self.days.len() > 2 {
            self.forget_oldest_day();
        }
        self.in_all < MOST_IN_ALL && self.groups.contains_key(&wanted)
    }

    fn forget_oldest_day(&mut self) {
        let groups = self.days.pop_first().into_iter().flat_map(|(_, sites)| sites.into_values());
        for texts in groups.filter_map(|group| self.groups.remove(&group)) {
            self.in_all = self.in_all.saturating_sub(texts.iter().map(|texts| texts.hashes.len()).sum());
        }
    }
}

fn mark(group: u32, dict: Dict, code: u32) -> u64 {
    u64::from(group) << 36 | u64::from(dict as u8) << 32 | u64::from(code)
}

/// Fibonacci hashing: marks of one group and dictionary follow each other.
fn place(mark: u64) -> usize {
    let hash = mark.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - SEEN_BITS);
    usize::try_from(hash).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use trafficlab_engine::visit::pack::OTHER;

    #[test]
    fn each_site_day_and_dictionary_has_its_own_bound() {
        let mut caps = Caps::with_most(2);
        let (first, second, later) = (caps.group("a", 1), caps.group("b", 1), caps.group("a", 2));
        assert_eq!(caps.group("a", 1), first);
        for text in ["x", "y", "x"] {
            assert!(caps.admit(first, Dict::Page, text));
        }
        assert!(!caps.admit(first, Dict::Page, "z"));
        assert!(caps.admit(first, Dict::Page, "y") && caps.admit(first, Dict::Page, OTHER));
        assert!(caps.admit(first, Dict::Event, "z") && caps.admit(second, Dict::Page, "z"));
        assert!(caps.admit(later, Dict::Page, "z"));
        assert!((0..9).all(|number| caps.admit(first, Dict::Place, &number.to_string())), "not a free text");
        assert_eq!(caps.folded(), 1);
    }

    #[test]
    fn a_sender_who_writes_other_is_counted_like_everybody() {
        let mut caps = Caps::with_most(2);
        let group = caps.group("a", 1);
        let admitted = |caps: &mut Caps, text: &str| caps.admit(group, Dict::Page, text);
        assert!(admitted(&mut caps, "a\u{1f}/(other)/1") && admitted(&mut caps, "a\u{1f}/(other)/2"));
        assert!(!admitted(&mut caps, "a\u{1f}/(other)/3"));
        assert!(admitted(&mut caps, "(other)\u{1f}(other)"));
    }

    #[test]
    fn the_bytes_of_texts_are_bounded_too() {
        let mut caps = Caps { most_bytes: 10, ..Caps::default() };
        let group = caps.group("a", 1);
        assert!(caps.admit(group, Dict::Props, "123456") && caps.admit(group, Dict::Props, "abcd"));
        assert!(!caps.admit(group, Dict::Props, "x") && caps.admit(group, Dict::Props, "abcd"));
        assert!(caps.admit(group, Dict::Page, "x"), "each dictionary for itself");
    }

    #[test]
    fn old_days_are_forgotten_when_there_are_too_many() {
        let mut caps = Caps::with_most(1);
        let first = caps.group("a", 0);
        assert!(caps.admit(first, Dict::Page, "/"));
        for day in 1..=i64::try_from(MOST_GROUPS).unwrap() {
            caps.group("a", day);
        }
        assert_eq!((caps.groups.len(), caps.days.len(), caps.in_all), (MOST_GROUPS, MOST_GROUPS, 0));
        assert_ne!(caps.group("a", 0), first);
    }

    #[test]
    fn what_was_seen_need_not_be_looked_at_again() {
        let mut caps = Caps::default();
        let group = caps.group("a", 1);
        assert!(!caps.has_seen(group, Dict::Page, 7));
        caps.saw(group, Dict::Page, 7);
        assert!(caps.has_seen(group, Dict::Page, 7));
        assert!(!caps.has_seen(group + 1, Dict::Page, 7) && !caps.has_seen(group, Dict::Click, 7));
        caps.new_dictionaries();
        assert!(!caps.has_seen(group, Dict::Page, 7));
    }
}
