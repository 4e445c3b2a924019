//! Windows, anomalies and connections as they travel and are stored: a version byte, then a zstd frame of a named
//! MessagePack array. Fields may be added without a new version.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

const VERSION: u8 = 1;
const LEVEL: i32 = 1;

/// A batch that a writer of ours makes stays far below this.
const MAX_UNPACKED: usize = 64 << 20;

/// Plain bytes of a batch of `limit` packed ones at the first try; figures and names compress better than this.
const LIKELY_RATIO: usize = 4;

/// Why bytes are no batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackFault {
    /// Written by a later version.
    #[error("batch version `{0}` is not known to this build")]
    Version(u8),
    /// The compressed part is damaged, or larger than any batch.
    #[error("batch cannot be decompressed")]
    Compression,
    /// What comes out is something else.
    #[error("batch cannot be read: `{0}`")]
    Content(String),
}

/// Packs windows.
#[must_use]
pub fn windows(windows: &[Window]) -> Bytes {
    pack(windows)
}

/// Reads windows.
///
/// # Errors
/// When the bytes are none.
pub fn read_windows(packed: &[u8]) -> Result<Vec<Window>, PackFault> {
    read(packed)
}

/// Packs anomalies.
#[must_use]
pub fn anomalies(anomalies: &[Anomaly]) -> Bytes {
    pack(anomalies)
}

/// Reads anomalies.
///
/// # Errors
/// When the bytes are none.
pub fn read_anomalies(packed: &[u8]) -> Result<Vec<Anomaly>, PackFault> {
    read(packed)
}

/// Packs connections.
#[must_use]
pub fn connections(connections: &[Connection]) -> Bytes {
    pack(connections)
}

/// Reads connections.
///
/// # Errors
/// When the bytes are none.
pub fn read_connections(packed: &[u8]) -> Result<Vec<Connection>, PackFault> {
    read(packed)
}

/// Some items of a longer list, packed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// How many.
    pub count: usize,
    /// Packed.
    pub bytes: Bytes,
}

/// Packs a list in batches of at most `limit` bytes each, in order. A batch of a single item may be larger.
#[must_use]
pub fn batches<T: Serialize>(items: &[T], limit: usize) -> Vec<Batch> {
    let mut all = Vec::new();
    let mut rest = items;
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(likely(rest, limit.saturating_mul(LIKELY_RATIO)));
        halve(head, limit, &mut all);
        rest = tail;
    }
    all
}

/// How many of the first items have `plain` bytes at most; at least one.
fn likely<T: Serialize>(items: &[T], plain: usize) -> usize {
    let mut sum = 0_usize;
    let fitting = items.iter().take_while(|item| {
        sum = sum.saturating_add(encode(item).len());
        sum <= plain
    });
    fitting.count().max(1)
}

fn halve<T: Serialize>(items: &[T], limit: usize, all: &mut Vec<Batch>) {
    let bytes = pack(items);
    if bytes.len() <= limit || items.len() == 1 {
        all.push(Batch { count: items.len(), bytes });
        return;
    }
    let (first, second) = items.split_at(items.len() / 2);
    halve(first, limit, all);
    halve(second, limit, all);
}

fn pack<T: Serialize>(items: &[T]) -> Bytes {
    let compressed = zstd::bulk::compress(&encode(items), LEVEL)
        .expect("compressing memory into memory of the right size cannot fail");
    let mut packed = Vec::with_capacity(compressed.len() + 1);
    packed.push(VERSION);
    packed.extend_from_slice(&compressed);
    packed.into()
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("figures, texts and lists of them can be written to memory")
}

fn read<T: DeserializeOwned>(packed: &[u8]) -> Result<Vec<T>, PackFault> {
    let (&version, rest) = packed.split_first().ok_or(PackFault::Compression)?;
    if version != VERSION {
        return Err(PackFault::Version(version));
    }
    let plain = zstd::bulk::decompress(rest, room(rest)).map_err(|_error| PackFault::Compression)?;
    rmp_serde::from_slice(&plain).map_err(|error| PackFault::Content(error.to_string()))
}

/// Bytes to make room for: what the frame says, which is nothing to trust, within bounds.
fn room(frame: &[u8]) -> usize {
    let said = zstd::zstd_safe::get_frame_content_size(frame).ok().flatten();
    said.and_then(|said| usize::try_from(said).ok()).unwrap_or(MAX_UNPACKED).min(MAX_UNPACKED)
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
