//! The shards' logs as they lie in the broker, read past the coordinator.

use async_nats::jetstream::Context;
use async_nats::jetstream::message::StreamMessage;
use futures_util::TryStreamExt as _;
use trafficlab_shared::protocol::codec;
use trafficlab_shared::protocol::report::Record;
use trafficlab_shared::protocol::subject;

/// Reads streams with the coordinator's rights.
pub(crate) struct Logs(pub(crate) Context);

impl Logs {
    /// The last message on a subject of a stream.
    pub(crate) async fn last(&self, stream: &str, subject: &str) -> Option<StreamMessage> {
        let stream = self.0.get_stream(stream).await.ok()?;
        stream.get_last_raw_message_by_subject(subject).await.ok()
    }

    /// The last record of a shard's log.
    pub(crate) async fn record(&self, job: &str, shard: u32) -> Option<Record> {
        let message = self.last(subject::RESULTS_STREAM, &subject::traffic_results(job, shard)).await?;
        Some(codec::decode(&message.payload).unwrap())
    }

    /// The subjects of a stream that match a filter, with how many messages each has.
    pub(crate) async fn subjects(&self, stream: &str, filter: &str) -> Vec<(String, usize)> {
        let stream = self.0.get_stream(stream).await.unwrap();
        let subjects = stream.info_with_subjects(filter).await.unwrap();
        subjects.try_collect().await.unwrap()
    }
}
