//! Which sources were ever answered.

use std::collections::VecDeque;
use std::net::IpAddr;

use hashbrown::HashSet;

/// Sources remembered; the one answered longest ago is forgotten first, and its failures are then judged as if nobody
/// had ever answered it.
const MOST: usize = 1 << 16;

/// Sources that had at least one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Answered {
    all: HashSet<IpAddr, foldhash::fast::RandomState>,
    order: VecDeque<IpAddr>,
}

impl Answered {
    /// Notes an answer.
    pub(super) fn add(&mut self, src: IpAddr) {
        if !self.all.insert(src) {
            return;
        }
        self.order.push_back(src);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.all.remove(&oldest);
        }
    }

    /// Whether it had one.
    pub(super) fn has(&self, src: IpAddr) -> bool {
        self.all.contains(&src)
    }
}
