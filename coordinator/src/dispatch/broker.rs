//! The coordinator's way to the broker: the connection, its state, and what is asked through it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::kv::Store as Bucket;
use async_nats::jetstream::{Context, ErrorCode};
use bytes::Bytes;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use trafficlab_shared::config::NatsConfig;
use trafficlab_shared::protocol::capture::CaptureJob;
use trafficlab_shared::protocol::control::{Desired, WorkerDirective};
use trafficlab_shared::protocol::export::ExportJob;
use trafficlab_shared::protocol::job::ShardJob;
use trafficlab_shared::protocol::{codec, subject};

use super::streams;

/// What the broker could not do.
#[derive(Debug, thiserror::Error)]
pub enum BrokerFault {
    /// It is away, or did not answer in time.
    #[error("broker is not reachable: {0}")]
    Away(String),
    /// A message of ours cannot be written.
    #[error(transparent)]
    Codec(#[from] codec::CodecError),
}

/// A broker that is away for longer than this at the start is waited for in the background.
const PATIENCE: Duration = Duration::from_secs(3);

/// The connection. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Broker {
    context: Context,
    bucket: Arc<OnceCell<Bucket>>,
    /// Where the broker should be, when it was away at the start and has no streams of ours yet.
    absent: Option<NatsConfig>,
}

impl Broker {
    /// Connects and makes sure of the streams. A broker that is away does not keep the server from
    /// showing what is stored and taking stops: then `arrive` does the rest.
    ///
    /// # Errors
    /// When the broker refuses the credentials or the streams.
    pub async fn connect(nats: &NatsConfig) -> anyhow::Result<Self> {
        let bucket = Arc::default();
        if let Ok(client) = timeout(PATIENCE, trafficlab_broker::connect(nats, "coordinator")).await {
            let context = trafficlab_broker::jetstream(client?);
            make_streams(&context, nats).await?;
            return Ok(Self { context, bucket, absent: None });
        }
        tracing::warn!("the broker is away: what is stored can be read, nothing can be started");
        let client = trafficlab_broker::connect_later(nats, "coordinator").await?;
        Ok(Self { context: trafficlab_broker::jetstream(client), bucket, absent: Some(nats.clone()) })
    }

    /// Makes sure of the streams once a broker that was away at the start is there, then rests.
    ///
    /// # Errors
    /// When the broker refuses the credentials or the streams.
    pub(super) async fn arrive(&self) -> anyhow::Result<Infallible> {
        if let Some(nats) = &self.absent {
            // A connection of its own, since the waiting one hides that its credentials are refused.
            drop(trafficlab_broker::connect(nats, "coordinator start").await?);
            make_streams(&self.context, nats).await?;
            tracing::info!("the broker is there");
        }
        std::future::pending().await
    }

    async fn bucket(&self) -> Result<&Bucket, BrokerFault> {
        let opening = self.bucket.get_or_try_init(|| self.context.get_key_value(subject::CONTROL_BUCKET)).await;
        opening.map_err(|error| BrokerFault::Away(error.to_string()))
    }

    /// `JetStream` itself, for the loops of this folder.
    #[must_use]
    pub(super) const fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the connection stands.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.context.client().connection_state() == State::Connected
    }

    /// Asks the broker for a sign of life.
    pub async fn answers(&self) -> bool {
        self.is_connected() && self.context.query_account().await.is_ok()
    }

    /// Writes a job's desired state.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn put_desired(&self, job: &str, desired: &Desired) -> Result<(), BrokerFault> {
        let payload = Bytes::from(codec::encode(desired)?);
        let put = self.bucket().await?.put(subject::job_key(job), payload).await;
        put.map(drop).map_err(|error| BrokerFault::Away(error.to_string()))
    }

    /// Removes a job's desired state.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn forget_desired(&self, job: &str) -> Result<(), BrokerFault> {
        let purged = self.bucket().await?.purge(subject::job_key(job)).await;
        purged.map_err(|error| BrokerFault::Away(error.to_string()))
    }

    /// Asks something of a worker.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn put_directive(&self, worker: &str, directive: &WorkerDirective) -> Result<(), BrokerFault> {
        let payload = Bytes::from(codec::encode(directive)?);
        let put = self.bucket().await?.put(subject::worker_key(worker), payload).await;
        put.map(drop).map_err(|error| BrokerFault::Away(error.to_string()))
    }

    /// Publishes a shard's job message. `false` when one is queued or leased already, which is as
    /// good.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn publish_job(&self, job: &ShardJob) -> Result<bool, BrokerFault> {
        let to = subject::traffic_job(&job.run.job, job.shard);
        self.publish_once(to, Bytes::from(codec::encode(job)?)).await
    }

    /// Publishes the message of a capture job; `false` as for `publish_job`.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn publish_capture(&self, host: Option<&str>, job: &CaptureJob) -> Result<bool, BrokerFault> {
        let to = subject::capture_job(host, &job.job);
        self.publish_once(to, Bytes::from(codec::encode(job)?)).await
    }

    /// Publishes the message of an export; `false` as for `publish_job`.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn publish_export(&self, job: &ExportJob) -> Result<bool, BrokerFault> {
        self.publish_once(subject::export_job(&job.job), Bytes::from(codec::encode(job)?)).await
    }

    async fn publish_once(&self, to: String, payload: Bytes) -> Result<bool, BrokerFault> {
        let away = |error: &dyn std::fmt::Display| BrokerFault::Away(error.to_string());
        let ack = self.context.publish(to, payload).await.map_err(|error| away(&error))?;
        match ack.await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == PublishErrorKind::Other && is_queued(&error) => Ok(false),
            Err(error) => Err(away(&error)),
        }
    }

    /// Empties a subject of the results stream up to (not including) `sequence`.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn purge_results(&self, filter: &str, sequence: Option<u64>) -> Result<(), BrokerFault> {
        let away = |error: &dyn std::fmt::Display| BrokerFault::Away(error.to_string());
        let stream = self.context.get_stream_no_info(subject::RESULTS_STREAM).await.map_err(|error| away(&error))?;
        let purge = stream.purge().filter(filter);
        let purged = match sequence {
            Some(sequence) => purge.sequence(sequence).await,
            None => purge.await,
        };
        purged.map(drop).map_err(|error| away(&error))
    }

    /// Removes the job messages of a job that nobody shall take any more.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn purge_jobs(&self, job: &str, shard: u32) -> Result<(), BrokerFault> {
        self.purge_messages(subject::traffic_job(job, shard)).await
    }

    /// Removes the message of a job with one shard, on whichever subject it waits.
    ///
    /// # Errors
    /// When the broker is away.
    pub async fn purge_single_job(&self, job: &str) -> Result<(), BrokerFault> {
        self.purge_messages(subject::single_job(job)).await
    }

    async fn purge_messages(&self, filter: String) -> Result<(), BrokerFault> {
        let away = |error: &dyn std::fmt::Display| BrokerFault::Away(error.to_string());
        let stream = self.context.get_stream_no_info(subject::JOBS_STREAM).await.map_err(|error| away(&error))?;
        let purged = stream.purge().filter(filter).await;
        purged.map(drop).map_err(|error| away(&error))
    }
}

/// Tries for ten seconds, since a broker that has just started may refuse at first.
async fn make_streams(context: &Context, nats: &NatsConfig) -> anyhow::Result<()> {
    let mut tries = 0;
    loop {
        match streams::ensure(context, nats).await {
            Ok(()) => return Ok(()),
            Err(error) if tries >= 20 => anyhow::bail!("streams cannot be made: {error}"),
            Err(error) => tracing::warn!(%error, "streams cannot be made yet"),
        }
        tries += 1;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// The per-subject bound of the job stream was met: the message is there already.
fn is_queued(error: &async_nats::jetstream::context::PublishError) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(answer) = cause.downcast_ref::<async_nats::jetstream::Error>() {
            return answer.error_code() == ErrorCode::STREAM_STORE_FAILED;
        }
        source = cause.source();
    }
    false
}
