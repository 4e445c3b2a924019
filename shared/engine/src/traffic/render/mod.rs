//! Entries as people and programs read them: JSON and CSV, made again from the packed form.

mod answer;
mod auction;
mod bid_request;
mod bid_response;
mod creative;
mod csv;
mod entry;
mod full;
pub(crate) mod hints;
mod imp;
pub(crate) mod json;
mod macros;
mod place;
mod stamp;

use super::content::Content;
use super::pack::PackedEntry;
use super::rng::EntryKey;

pub use bid_request::write_bid_request;
pub(crate) use bid_request::{pmp, request_members};
pub use csv::{CSV_HEADER, write_csv};
pub use entry::{write_entry_id, write_json};
pub(crate) use full::accepts_size;
pub use macros::{MacroValues, expand_macros};
pub(crate) use place::push_ip;
pub use place::site_root;
pub use stamp::push_rfc3339;

/// What all entries of a shard have in common.
#[derive(Debug, Clone, Copy)]
pub struct EntryContext<'a> {
    /// Campaign.
    pub campaign_id: &'a str,
    /// Run within the campaign.
    pub run_id: &'a str,
    /// Worker that made the entries.
    pub worker_id: &'a str,
    /// Seed of the run.
    pub seed: u64,
    /// Shard of the run.
    pub shard: u32,
    /// HTTP method; simulated entries use it as well.
    pub method: &'a str,
    /// Target, or none to show the page the visitor was on (simulations without a target).
    pub url: Option<&'a str>,
}

/// One entry with all that is needed to write it out.
#[derive(Debug, Clone, Copy)]
pub struct EntryRow<'a> {
    /// Prepared content of the run.
    pub content: &'a Content,
    /// What the shard's entries have in common.
    pub context: &'a EntryContext<'a>,
    /// Number of the entry within its campaign, from 1.
    pub sequence: u64,
    /// The intended moment, in nanoseconds since 1970 UTC.
    pub scheduled_ns: u64,
    /// The stored outcome.
    pub entry: &'a PackedEntry,
    /// A real bidder's answer, when one is stored with the entry.
    pub blob: Option<&'a [u8]>,
}

impl EntryRow<'_> {
    const fn key(&self) -> EntryKey {
        EntryKey { seed: self.context.seed, shard: self.context.shard, slot: self.entry.slot, k: self.entry.k }
    }

    /// The moment the response ended.
    fn ended_ns(&self) -> u64 {
        self.scheduled_ns.saturating_add(u64::from(self.entry.response_us) * 1_000)
    }
}

#[cfg(test)]
mod openrtb_tests;
#[cfg(test)]
mod tests;
