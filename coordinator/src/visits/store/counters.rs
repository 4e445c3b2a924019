//! Number of visits ever recorded.

use std::sync::atomic::{AtomicU64, Ordering};

use trafficlab_engine::visit::column::Traffic;

/// Number of visits ever recorded; what is removed later still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Real ones, bots counted.
    pub total: u64,
    /// Real ones by bots.
    pub bots: u64,
    /// Of campaigns of ours.
    pub synthetic: u64,
    /// Marked as synthetic without a campaign that explains it.
    pub unverified: u64,
}

impl Counts {
    /// Counts one visit.
    pub(crate) const fn add(&mut self, traffic: Traffic, is_bot: bool) {
        match traffic {
            Traffic::Real => {
                self.total += 1;
                self.bots += is_bot as u64;
            }
            Traffic::Synthetic => self.synthetic += 1,
            Traffic::Unverified => self.unverified += 1,
        }
    }
}

/// The counts, written by one thread and read by all.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    total: AtomicU64,
    bots: AtomicU64,
    synthetic: AtomicU64,
    unverified: AtomicU64,
}

impl Counters {
    pub(crate) fn add(&self, more: &Counts) {
        self.bots.fetch_add(more.bots, Ordering::Relaxed);
        self.synthetic.fetch_add(more.synthetic, Ordering::Relaxed);
        self.unverified.fetch_add(more.unverified, Ordering::Relaxed);
        self.total.fetch_add(more.total, Ordering::Release);
    }

    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Acquire)
    }

    pub(crate) fn read(&self) -> Counts {
        Counts {
            total: self.total(),
            bots: self.bots.load(Ordering::Relaxed),
            synthetic: self.synthetic.load(Ordering::Relaxed),
            unverified: self.unverified.load(Ordering::Relaxed),
        }
    }
}
