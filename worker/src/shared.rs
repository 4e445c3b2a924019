//! What all shards of this process share.

use std::path::PathBuf;
use std::sync::atomic::AtomicU32;

use trafficlab_broker::Context;
use trafficlab_shared::allow::AllowList;
use trafficlab_shared::seal::Sealer;

use crate::shard::clock::BrokerOffset;

/// The worker process as its shards see it.
#[derive(Debug)]
pub struct Worker {
    /// Its id in records, heartbeats and entries.
    pub id: String,
    /// The broker.
    pub context: Context,
    /// Traffic shards held now; spreads the records of many over time.
    pub active: AtomicU32,
    /// Files, baselines, detections and exports under way.
    pub analyses: AtomicU32,
    /// Live captures under way.
    pub live_captures: AtomicU32,
    /// Where live captures keep their packets.
    pub capture_dir: PathBuf,
    /// Targets this worker's operator allows.
    pub allow: AllowList,
    /// Ports of the broker, which are never a target.
    pub broker_ports: Vec<u16>,
    /// Opens secret header values.
    pub sealer: Option<Sealer>,
    pub(crate) offset: BrokerOffset,
}
