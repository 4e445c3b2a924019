//! What the coordinator keeps: small metadata in a key-value store, bulk data in append-only segment files.
//!
//! Invariants: an answer that says "done" was flushed first (`commit.rs`); the committed length of the segment log lies in
//! the same batch as the counters it explains, so both are cut back to the same point after a crash (`segment`); no file
//! but `sled_kv.rs` knows the engine; nothing here knows HTTP or the broker.

pub mod alerts;
pub mod batch;
pub mod campaigns;
pub mod captures;
mod changed;
pub mod commit;
pub mod dump;
pub mod entries;
pub mod erase;
pub mod error;
pub mod exports;
pub mod generations;
pub mod key;
pub mod kv;
pub mod mem_kv;
pub mod migrate;
pub mod quota;
pub mod runs;
pub mod segment;
pub mod series;
mod sled_kv;
pub mod table;
pub mod thresholds;
pub mod visit_imports;
pub mod visit_settings;
pub mod workers;

#[cfg(test)]
mod commit_crash_tests;
#[cfg(test)]
mod commit_tests;
#[cfg(test)]
mod compact_tests;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod full_disk_tests;

pub use commit::Store;
pub use kv::{Batch, KeyRange, Kv, StoreError};
pub use migrate::{FirstVersion, Record};
pub use table::Table;

/// Folder of the segment files inside the store's folder.
pub const SEGMENT_FOLDER: &str = "segments";

/// Makes the names inside a folder durable: those of files just made, renamed or removed.
pub(crate) fn sync_folder(path: &std::path::Path) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}
