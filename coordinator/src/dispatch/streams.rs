//! The streams, the bucket and the consumer the engine needs on the broker.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, kv};
use trafficlab_shared::config::NatsConfig;
use trafficlab_shared::protocol::subject;

/// A shard whose worker is silent for this long goes to another one.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(3);
const LIVE_AGE: Duration = Duration::from_secs(3600);
const LIVE_BYTES: i64 = 256 * 1024 * 1024;

/// Makes or updates all of them.
///
/// # Errors
/// What the broker answers.
pub(super) async fn ensure(context: &Context, nats: &NatsConfig) -> Result<(), async_nats::Error> {
    let replicas = usize::from(nats.replicas.max(1));
    let common = Config { num_replicas: replicas, storage: StorageType::File, ..Config::default() };
    let jobs = context
        .create_or_update_stream(Config {
            name: subject::JOBS_STREAM.into(),
            subjects: vec![subject::ALL_JOBS.into()],
            retention: RetentionPolicy::WorkQueue,
            discard: DiscardPolicy::New,
            discard_new_per_subject: true,
            max_messages_per_subject: 1,
            ..common.clone()
        })
        .await;
    jobs?;
    context
        .create_or_update_stream(Config {
            name: subject::RESULTS_STREAM.into(),
            subjects: vec![subject::ALL_RESULTS.into()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::New,
            max_bytes: i64::try_from(nats.results_max_bytes.0)?,
            ..common.clone()
        })
        .await?;
    context
        .create_or_update_stream(Config {
            name: subject::LIVE_STREAM.into(),
            subjects: vec![subject::ALL_LIVE.into()],
            retention: RetentionPolicy::Limits,
            discard: DiscardPolicy::Old,
            max_age: LIVE_AGE,
            max_bytes: LIVE_BYTES,
            ..common
        })
        .await?;
    context
        .create_or_update_key_value(kv::Config {
            bucket: subject::CONTROL_BUCKET.into(),
            history: 1,
            num_replicas: replicas,
            ..kv::Config::default()
        })
        .await?;
    ensure_consumer(context).await
}

/// One durable consumer that all workers pull from.
async fn ensure_consumer(context: &Context) -> Result<(), async_nats::Error> {
    context
        .create_consumer_on_stream(
            pull::Config {
                durable_name: Some(subject::TRAFFIC_CONSUMER.into()),
                filter_subject: subject::TRAFFIC_JOBS.into(),
                ack_policy: AckPolicy::Explicit,
                ack_wait: ACK_WAIT,
                max_ack_pending: -1,
                max_deliver: -1,
                max_waiting: 4096,
                ..pull::Config::default()
            },
            subject::JOBS_STREAM,
        )
        .await?;
    Ok(())
}
