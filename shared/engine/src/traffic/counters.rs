//! Exact counters of a run: kept per record, added up per run, never counted by a scan.

mod bidder;
mod funnel;
mod tally;

use serde::{Deserialize, Serialize};

use super::content::Dims;
use super::pack::PackedEntry;

pub use bidder::BidderCounters;
pub use funnel::RtbCounters;
pub use tally::Tally;

/// Exact counters; adding them up in any order and grouping gives the same result.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counters {
    /// Arrivals that fell due: sent + dropped + missed.
    #[serde(rename = "sch")]
    pub scheduled: u64,
    /// Arrivals that were acted on; each is an entry.
    #[serde(rename = "snt")]
    pub sent: u64,
    /// Of these, sent more than 10 ms after they were due.
    #[serde(rename = "lat")]
    pub late: u64,
    /// Due while the queue was full.
    #[serde(rename = "drp")]
    pub dropped: u64,
    /// Due while no worker held the shard.
    #[serde(rename = "mis")]
    pub missed: u64,
    /// Successes.
    #[serde(rename = "ok")]
    pub succeeded: u64,
    /// Failures.
    #[serde(rename = "bad")]
    pub failed: u64,
    /// Bytes received.
    #[serde(rename = "in")]
    pub bytes_in: u64,
    /// Bytes sent.
    #[serde(rename = "out")]
    pub bytes_out: u64,
    /// Sum of response times in microseconds.
    #[serde(rename = "rus")]
    pub response_us: u64,
    /// Responses by status code; 0 is no response.
    #[serde(rename = "st")]
    pub status: Tally,
    /// Failures by `ErrorKind::code`.
    #[serde(rename = "err")]
    pub errors: Tally,
    /// Entries by row of the country table.
    #[serde(rename = "geo")]
    pub geo: Tally,
    /// Entries by row of the device table.
    #[serde(rename = "dev")]
    pub device: Tally,
    /// Entries by code of the ad format.
    #[serde(rename = "fmt")]
    pub ad_format: Tally,
    /// Entries by place of the user profile in the specification.
    #[serde(rename = "usr")]
    pub user_profile: Tally,
    /// The auction funnel.
    #[serde(rename = "rtb")]
    pub rtb: RtbCounters,
}

impl Counters {
    /// Counts one entry: everything but `scheduled`, `late`, `dropped` and `missed`, which the keeper of the
    /// schedule counts.
    pub fn add_entry(&mut self, entry: &PackedEntry, dims: &Dims) {
        self.sent += 1;
        self.succeeded += u64::from(entry.success);
        self.failed += u64::from(!entry.success);
        self.bytes_in += u64::from(entry.bytes_in);
        self.bytes_out += u64::from(entry.bytes_out);
        self.response_us += u64::from(entry.response_us);
        self.status.add(entry.status, 1);
        if entry.error.code() != 0 {
            self.errors.add(u16::from(entry.error.code()), 1);
        }
        self.geo.add(dims.geo_index, 1);
        self.device.add(dims.device_index, 1);
        self.ad_format.add(u16::from(dims.ad_format), 1);
        self.user_profile.add(dims.profile_index, 1);
        if let Some(auction) = &entry.auction {
            self.rtb.add(auction);
        }
    }

    /// Adds other counters to these.
    pub fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.late += other.late;
        self.dropped += other.dropped;
        self.missed += other.missed;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.response_us += other.response_us;
        self.status.merge(&other.status);
        self.errors.merge(&other.errors);
        self.geo.merge(&other.geo);
        self.device.merge(&other.device);
        self.ad_format.merge(&other.ad_format);
        self.user_profile.merge(&other.user_profile);
        self.rtb.merge(&other.rtb);
    }

    /// Whether every arrival that fell due ended in exactly one way.
    #[must_use]
    pub const fn balanced(&self) -> bool {
        self.scheduled == self.sent + self.dropped + self.missed && self.sent == self.succeeded + self.failed
    }
}

#[cfg(test)]
mod tests;
