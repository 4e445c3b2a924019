//! The streams, the buckets and the consumers the engine needs on the broker.

use std::time::Duration;

use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType};
use async_nats::jetstream::{Context, kv, object_store};
use trafficlab_shared::config::NatsConfig;
use trafficlab_shared::protocol::subject;

/// A shard whose worker is silent for this long goes to another one.
pub(super) const ACK_WAIT: Duration = Duration::from_secs(3);
const LIVE_AGE: Duration = Duration::from_secs(3600);
/// A file that nobody fetched goes by itself: its job publishes it again if it still waits.
const FILES_AGE: Duration = Duration::from_secs(24 * 3600);
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
    ensure_files(context, nats, replicas).await?;
    ensure_consumer(context, subject::TRAFFIC_CONSUMER, subject::TRAFFIC_JOBS.into()).await?;
    ensure_consumer(context, subject::CAPTURE_CONSUMER, subject::CAPTURE_JOBS.into()).await?;
    ensure_consumer(context, subject::EXPORT_CONSUMER, subject::EXPORT_JOBS.into()).await
}

/// The bucket of files on their way to workers. The same call updates its bounds.
async fn ensure_files(context: &Context, nats: &NatsConfig, replicas: usize) -> Result<(), async_nats::Error> {
    let bucket = object_store::Config {
        bucket: subject::FILES_BUCKET.into(),
        max_age: FILES_AGE,
        max_bytes: i64::try_from(nats.files_max_bytes.0)?,
        storage: StorageType::File,
        num_replicas: replicas,
        ..object_store::Config::default()
    };
    if let Err(error) = context.create_object_store(bucket.clone()).await {
        // One with other bounds is there: the bounds alone are changed.
        let mut stream =
            context.get_stream(format!("OBJ_{}", subject::FILES_BUCKET)).await.map_err(|_missing| error)?;
        let mut config = stream.info().await?.config.clone();
        (config.max_bytes, config.max_age, config.num_replicas) = (bucket.max_bytes, bucket.max_age, replicas);
        context.update_stream(config).await?;
    }
    Ok(())
}

/// One durable consumer that all workers, or those of one host, pull from.
///
/// # Errors
/// What the broker answers.
pub(super) async fn ensure_consumer(context: &Context, name: &str, filter: String) -> Result<(), async_nats::Error> {
    context
        .create_consumer_on_stream(
            pull::Config {
                durable_name: Some(name.to_owned()),
                filter_subject: filter,
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
