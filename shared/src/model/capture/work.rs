//! What a worker is asked to do with packets or windows.

use serde::{Deserialize, Serialize};

use super::baseline::{BaselineKind, Baselines};
use super::settings::AnalysisSettings;

/// One job of the analyzer; it has a single shard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Analyse a file.
    File {
        /// Where it lies, for workers that see the same folders.
        path: String,
        /// Its length in bytes, by which a worker knows that it sees the same file.
        bytes: u64,
        /// Most bytes after decompression.
        max_decompressed: u64,
        /// Its settings.
        settings: AnalysisSettings,
        /// What is usual, for anomalies.
        #[serde(default)]
        baselines: Baselines,
    },
    /// Capture from an interface until stopped.
    Live {
        /// What and how.
        live: LiveSpec,
        /// Its settings.
        settings: AnalysisSettings,
        /// What is usual.
        #[serde(default)]
        baselines: Baselines,
    },
    /// Compute baselines from windows, which lie in the object store under the job's id.
    Baseline {
        /// Which.
        kinds: Vec<BaselineKind>,
    },
    /// Find anomalies in windows, which lie in the object store under the job's id.
    Detect {
        /// Its settings.
        settings: AnalysisSettings,
        /// What is usual.
        #[serde(default)]
        baselines: Baselines,
    },
}

/// A live capture.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct LiveSpec {
    /// The interface.
    pub interface: String,
    /// A filter in libpcap's language; empty takes everything.
    pub filter: String,
    /// Bytes kept of each packet at the most.
    pub snap_length: u32,
    /// Whether payload is kept; else only as many bytes as headers need.
    pub payload: bool,
    /// Whether packets for others are taken too.
    pub promiscuous: bool,
    /// Whether each packet is handed over at once, for the price of five times as many wake-ups; else the kernel
    /// gathers packets for up to 100 ms.
    pub immediate: bool,
    /// Length in milliseconds; none runs until it is stopped.
    pub duration_ms: Option<u64>,
    /// Keep the packets on the worker's disk.
    pub keep: Option<KeepSpec>,
}

/// A ring of pcap files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepSpec {
    /// A file is full at this many bytes.
    pub file_bytes: u64,
    /// Files kept; the oldest goes first.
    pub files: u32,
}
