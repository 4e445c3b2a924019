//! The working set of a commit: messages are taken one by one, nothing is written yet.

use trafficlab_shared::protocol::subject;

use super::Incoming;
use super::captures::Captures;
use super::exports::Exports;
use super::traffic::Traffic;
use crate::store::entries::SetAside;
use crate::store::{Store, StoreError};

/// Most bytes of a message that is set aside.
const ASIDE_BYTES: usize = 48 * 1024;

/// Everything a batch of messages changes.
#[derive(Debug, Default)]
pub(super) struct Work {
    pub(super) traffic: Traffic,
    pub(super) captures: Captures,
    pub(super) exports: Exports,
    pub(super) common: Common,
}

/// What all families share.
#[derive(Debug, Default)]
pub(super) struct Common {
    pub(super) aside: Vec<(u64, SetAside)>,
    pub(super) dropped: u64,
    pub(super) last_sequence: u64,
    pub(super) last_stored_ns: u64,
}

impl Work {
    /// Takes one message.
    pub(super) fn take(&mut self, store: &Store, message: &Incoming) -> Result<(), StoreError> {
        let Self { traffic, captures, exports, common } = self;
        common.last_sequence = message.sequence;
        common.last_stored_ns = message.stored_ns;
        if let Some(shard) = subject::parse_traffic_results(&message.subject) {
            traffic.take(store, message, shard, common)
        } else if let Some(job) = subject::parse_capture_results(&message.subject) {
            captures.take(store, message, job, common)
        } else if let Some(job) = subject::parse_export_results(&message.subject) {
            exports.take(store, message, job, common)
        } else {
            common.set_aside(message, "nothing is expected on this subject".into());
            Ok(())
        }
    }
}

impl Common {
    /// Keeps a message that cannot be used, for people to look at.
    pub(super) fn set_aside(&mut self, message: &Incoming, reason: String) {
        tracing::warn!(subject = %message.subject, sequence = message.sequence, %reason, "message set aside");
        let payload = message.payload.get(..ASIDE_BYTES).unwrap_or(&message.payload);
        self.aside.push((
            message.sequence,
            SetAside {
                subject: message.subject.chars().take(500).collect(),
                reason,
                at_ns: message.stored_ns,
                payload: payload.to_vec(),
            },
        ));
    }
}
