//! The table itself: flows in one vector, found by a hash table of their places. A flow leaves it by count only.

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::key::{Key, Way};
use super::slab::Slab;
use crate::packet::connection::Tracker;
use crate::packet::tcp::{Side, Stream};
use crate::packet::window::{Ends, FlowSlice};

/// Everything known of one flow. A TCP flow may be a conversation, a stream, or both.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) ends: Ends,
    /// The number by which it is found, kept so that a growing table need not look at the ends again.
    hash: u64,
    /// Count of lookups when it was last found, by which the least recently used are known.
    used: u64,
    pub(crate) roles: Roles,
    /// Sums of the conversation.
    pub(crate) totals: Totals,
    pub(crate) slice: FlowSlice,
    pub(crate) stream: Stream,
    pub(crate) tracker: Tracker,
}

/// What a flow has been seen as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Roles(u8);

impl Roles {
    /// Outermost headers.
    pub(crate) const CONVERSATION: Self = Self(1);
    /// Innermost TCP header, or any UDP header.
    pub(crate) const STREAM: Self = Self(2);
    /// SYN without ACK of the first sender.
    pub(crate) const SYN_FORWARD: Self = Self(4);
    /// SYN without ACK of the other end.
    pub(crate) const SYN_BACK: Self = Self(8);
    /// SYN with ACK of the first sender.
    pub(crate) const SYN_ACK_FORWARD: Self = Self(16);
    /// SYN with ACK of the other end.
    pub(crate) const SYN_ACK_BACK: Self = Self(32);

    /// Whether it has this one.
    pub(crate) const fn has(self, role: Self) -> bool {
        self.0 & role.0 != 0
    }

    /// Adds one. Whether it is new.
    pub(crate) const fn add(&mut self, role: Self) -> bool {
        let new = self.0 & role.0 == 0;
        self.0 |= role.0;
        new
    }
}

/// Sums of a conversation.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Totals {
    pub(crate) packets: u64,
    pub(crate) bytes: u64,
    /// Earliest packet with a time; above `last_ns` when there was none.
    pub(crate) first_ns: i64,
    pub(crate) last_ns: i64,
}

impl Totals {
    const NONE: Self = Self { packets: 0, bytes: 0, first_ns: i64::MAX, last_ns: i64::MIN };

    /// Adds a packet.
    pub(crate) fn add(&mut self, time_ns: Option<i64>, wire_len: u32) {
        self.packets += 1;
        self.bytes += u64::from(wire_len);
        if let Some(time_ns) = time_ns {
            self.first_ns = self.first_ns.min(time_ns);
            self.last_ns = self.last_ns.max(time_ns);
        }
    }

    /// From the earliest packet to the latest, once there is one with a time.
    pub(crate) const fn duration_ns(&self) -> Option<i64> {
        if self.first_ns > self.last_ns { None } else { Some(self.last_ns.saturating_sub(self.first_ns)) }
    }
}

/// Where a packet's flow is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    pub(crate) slot: u32,
    pub(crate) forward: bool,
}

impl Found {
    /// The same as a side of the stream.
    pub(crate) const fn side(self) -> Side {
        if self.forward { Side::First } else { Side::Second }
    }
}

/// All flows.
#[derive(Debug)]
pub(crate) struct Table {
    flows: Slab,
    places: HashTable<u32>,
    hasher: RandomState,
    free: Vec<u32>,
    lookups: u64,
    serial: u32,
    limit: usize,
}

impl Table {
    /// An empty table of at most `limit` flows, at least one.
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            flows: Slab::default(),
            places: HashTable::new(),
            hasher: RandomState::default(),
            free: Vec::new(),
            lookups: 0,
            serial: 0,
            limit: usize::try_from(limit).unwrap_or(usize::MAX).max(1),
        }
    }

    /// Whether another flow needs [room](Self::oldest) first.
    pub(crate) fn is_full(&self) -> bool {
        self.places.len() >= self.limit
    }

    /// The flow of a packet, if it is known.
    #[inline]
    pub(crate) fn find(&mut self, key: &Key, hash: u64) -> Option<Found> {
        self.lookups += 1;
        let flows = &self.flows;
        let mut way = None;
        let slot = *self.places.find(hash, |slot| {
            way = flows.get(*slot).and_then(|flow| key.way(&flow.ends));
            way.is_some()
        })?;
        let used = self.lookups;
        self.get_mut(slot)?.used = used;
        Some(Found { slot, forward: way == Some(Way::Forward) })
    }

    /// The number by which a key is found.
    #[inline]
    pub(crate) fn hash(&self, key: &Key) -> u64 {
        key.hash(&self.hasher)
    }

    /// Adds a flow that is not there yet.
    pub(crate) fn add(&mut self, key: &Key, hash: u64, vlan: Option<u16>) -> Found {
        let ends = Ends {
            serial: self.serial,
            protocol: key.protocol,
            src: key.src,
            src_port: key.src_port,
            dst: key.dst,
            dst_port: key.dst_port,
            vlan,
        };
        self.serial = self.serial.wrapping_add(1);
        let flow = Flow {
            ends,
            hash,
            used: self.lookups,
            roles: Roles::default(),
            totals: Totals::NONE,
            slice: FlowSlice::default(),
            stream: Stream::default(),
            tracker: Tracker::default(),
        };
        let slot = self.store(flow);
        let flows = &self.flows;
        self.places.insert_unique(hash, slot, |slot| flows.get(*slot).map_or(0, |flow| flow.hash));
        Found { slot, forward: true }
    }

    fn store(&mut self, flow: Flow) -> u32 {
        if let Some(slot) = self.free.pop()
            && let Some(place) = self.get_mut(slot)
        {
            *place = flow;
            return slot;
        }
        self.flows.push(flow)
    }

    /// A flow by its place.
    #[inline]
    pub(crate) fn get(&self, slot: u32) -> Option<&Flow> {
        self.flows.get(slot)
    }

    /// A flow by its place.
    #[inline]
    pub(crate) fn get_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        self.flows.get_mut(slot)
    }

    /// The places of the sixteenth of all flows that were not used for the longest time.
    pub(crate) fn oldest(&self) -> Vec<u32> {
        let count = (self.limit / 16).max(1).min(self.places.len());
        let mut all: Vec<(u64, u32)> =
            self.slots().filter_map(|slot| self.get(slot).map(|flow| (flow.used, slot))).collect();
        if count < all.len() {
            all.select_nth_unstable(count);
        }
        all.truncate(count);
        all.sort_unstable();
        all.into_iter().map(|(_, slot)| slot).collect()
    }

    /// The places of all flows, in the order in which they were added.
    pub(crate) fn by_age(&self) -> Vec<u32> {
        let mut all: Vec<(u32, u32)> =
            self.slots().filter_map(|slot| self.get(slot).map(|flow| (flow.ends.serial, slot))).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, slot)| slot).collect()
    }

    fn slots(&self) -> impl Iterator<Item = u32> {
        self.places.iter().copied()
    }

    /// Takes a flow out; its place is used again.
    pub(crate) fn remove(&mut self, slot: u32) {
        let Some(flow) = self.flows.get(slot) else { return };
        if let Ok(entry) = self.places.find_entry(flow.hash, |place| *place == slot) {
            entry.remove();
            self.free.push(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::packet::window::Protocol;

    fn key(port: u16) -> Key {
        Key {
            protocol: Protocol::Udp,
            src: [10, 0, 0, 1].into(),
            src_port: port,
            dst: [10, 0, 0, 2].into(),
            dst_port: 53,
        }
    }

    /// The flow, and whether it is new.
    fn touch(table: &mut Table, key: &Key) -> (Found, bool) {
        let hash = table.hash(key);
        table.find(key, hash).map_or_else(|| (table.add(key, hash, None), true), |found| (found, false))
    }

    #[test]
    fn both_ways_find_one_flow_and_know_which_way() {
        let mut table = Table::new(10);
        let (there, new) = touch(&mut table, &key(1));
        assert!(new && there.forward);
        let answer = Key { src: key(1).dst, src_port: 53, dst: key(1).src, dst_port: 1, protocol: Protocol::Udp };
        let (back, new) = touch(&mut table, &answer);
        assert_eq!((back.slot, back.forward, new), (there.slot, false, false));
        assert_ne!(touch(&mut table, &key(2)).0.slot, there.slot);
    }

    #[test]
    fn the_least_recently_used_go_and_their_places_are_used_again() {
        let mut table = Table::new(32);
        for port in 0..32 {
            touch(&mut table, &key(port));
        }
        touch(&mut table, &key(0));
        assert!(table.is_full());
        let oldest = table.oldest();
        let ports: Vec<u16> = oldest.iter().map(|slot| table.get(*slot).unwrap().ends.src_port).collect();
        assert_eq!(ports, [1, 2]);
        for slot in oldest {
            table.remove(slot);
        }
        assert!(!table.is_full());
        assert!(touch(&mut table, &key(40)).0.slot < 32);
        assert!(touch(&mut table, &key(1)).1);
        assert!(!touch(&mut table, &key(0)).1);
    }
}
