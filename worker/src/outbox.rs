//! A shard's log: every append says which message it follows, so one writer wins.

use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::{RawMessageErrorKind, Stream};
use async_nats::jetstream::{Context, ErrorCode};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use trafficlab_shared::clock;
use trafficlab_shared::protocol::capture::CaptureRecord;
use trafficlab_shared::protocol::codec::Versioned;
use trafficlab_shared::protocol::export::ExportRecord;
use trafficlab_shared::protocol::report::Record;
use trafficlab_shared::protocol::{codec, subject};

/// How long an append is tried before the shard gives up its claim.
const GIVE_UP: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_millis(100);
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);
/// `maximum messages exceeded` and `maximum bytes exceeded` come with this code.
const STORE_FAILED: ErrorCode = ErrorCode::STREAM_STORE_FAILED;

/// Why the log cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Another worker has written since: this one must stop at once.
    #[error("another worker owns the shard")]
    Fenced,
    /// The broker did not answer for too long.
    #[error("broker did not take a record for 30 s: {0}")]
    Unreachable(String),
    /// What is in the log is not ours.
    #[error("last record of the shard cannot be read: {0}")]
    Malformed(String),
}

/// What a log consists of.
pub trait Logged: Serialize + DeserializeOwned + Versioned {
    /// Name and version of the records, for people who look at the stream.
    const SCHEMA: &'static str;
}

impl Logged for Record {
    const SCHEMA: &'static str = "record.1";
}

impl Logged for CaptureRecord {
    const SCHEMA: &'static str = "capture_record.1";
}

impl Logged for ExportRecord {
    const SCHEMA: &'static str = "export_record.1";
}

/// The last record of a log with where and when the broker stored it.
#[derive(Debug)]
pub struct LastRecord<R> {
    /// The record.
    pub record: R,
    /// Broker time in nanoseconds.
    pub stored_ns: u64,
}

/// The write end of one shard's log.
#[derive(Debug)]
pub struct ShardLog<R> {
    context: Context,
    stream: Stream<()>,
    subject: String,
    last_sequence: u64,
    records: PhantomData<fn(R)>,
}

impl ShardLog<Record> {
    /// Opens the log of a traffic shard.
    ///
    /// # Errors
    /// [`LogError`] when the broker does not answer or the last record is not ours.
    pub async fn of_traffic(
        context: Context,
        job: &str,
        shard: u32,
    ) -> Result<(Self, Option<LastRecord<Record>>), LogError> {
        Self::open(context, subject::traffic_results(job, shard)).await
    }
}

impl ShardLog<CaptureRecord> {
    /// Opens the log of a capture job.
    ///
    /// # Errors
    /// [`LogError`] when the broker does not answer or the last record is not ours.
    pub async fn of_capture(
        context: Context,
        job: &str,
    ) -> Result<(Self, Option<LastRecord<CaptureRecord>>), LogError> {
        Self::open(context, subject::capture_results(job)).await
    }
}

impl ShardLog<ExportRecord> {
    /// Opens the log of an export.
    ///
    /// # Errors
    /// [`LogError`] when the broker does not answer or the last record is not ours.
    pub async fn of_export(context: Context, job: &str) -> Result<(Self, Option<LastRecord<ExportRecord>>), LogError> {
        Self::open(context, subject::export_results(job)).await
    }
}

impl<R: Logged> ShardLog<R> {
    /// Opens the log and reads its last record from the stream's leader.
    ///
    /// # Errors
    /// [`LogError`] when the broker does not answer or the record is not ours.
    async fn open(context: Context, subject: String) -> Result<(Self, Option<LastRecord<R>>), LogError> {
        let stream = context
            .get_stream_no_info(subject::RESULTS_STREAM)
            .await
            .map_err(|error| LogError::Unreachable(error.to_string()))?;
        let mut log = Self { context, stream, subject, last_sequence: 0, records: PhantomData };
        let last = log.read_last().await?;
        let Some((sequence, stored_ns, payload)) = last else {
            return Ok((log, None));
        };
        log.last_sequence = sequence;
        let record = codec::decode(&payload).map_err(|error| LogError::Malformed(error.to_string()))?;
        Ok((log, Some(LastRecord { record, stored_ns })))
    }

    /// Appends a record; returns the boot time at which its successful try was sent. An answer
    /// that was lost is recognised by reading the log back. A full stream is waited for.
    ///
    /// # Errors
    /// [`LogError::Fenced`] when somebody else wrote, [`LogError::Unreachable`] after 30 s.
    pub async fn append(&mut self, record: &R) -> Result<u64, LogError> {
        let payload = Bytes::from(codec::encode(record).map_err(|error| LogError::Malformed(error.to_string()))?);
        let mut deadline = tokio::time::Instant::now() + GIVE_UP;
        loop {
            let sent_at = clock::boot_ns();
            let reason = match self.publish(payload.clone()).await {
                Ok(sequence) => {
                    self.last_sequence = sequence;
                    return Ok(sent_at);
                }
                Err(PublishFailure::WrongLast) => return self.was_it_ours(&payload, sent_at).await,
                Err(PublishFailure::Full(reason)) => {
                    tracing::warn!(subject = %self.subject, %reason, "results stream is full, waiting");
                    deadline = tokio::time::Instant::now() + GIVE_UP;
                    reason
                }
                Err(PublishFailure::Other(reason)) => reason,
            };
            if tokio::time::Instant::now() >= deadline {
                return Err(LogError::Unreachable(reason));
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// Appends a record and shows life meanwhile: a job that waits for the broker is alive all the same.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub(crate) async fn append_alive(&mut self, record: &R, alive_at: &AtomicU64) -> Result<u64, LogError> {
        let appending = self.append(record);
        tokio::pin!(appending);
        loop {
            alive_at.store(clock::boot_ns(), Ordering::Relaxed);
            tokio::select! {
                appended = &mut appending => return appended,
                () = tokio::time::sleep(SIGN_OF_LIFE) => {}
            }
        }
    }

    /// The broker time of the last record, for measuring the offset of the clocks.
    ///
    /// # Errors
    /// [`LogError`] when the broker does not answer.
    pub async fn last_stored_ns(&self) -> Result<Option<u64>, LogError> {
        Ok(self.read_last().await?.map(|(_, stored_ns, _)| stored_ns))
    }

    async fn publish(&self, payload: Bytes) -> Result<u64, PublishFailure> {
        let message = PublishMessage::build()
            .payload(payload)
            .header("Tl-Schema", R::SCHEMA)
            .header("Tl-Encoding", "msgpack")
            .expected_last_subject_sequence(self.last_sequence);
        let ack = self.context.send_publish(self.subject.clone(), message).await;
        let ack = match ack {
            Ok(future) => future.await,
            Err(error) => Err(error),
        };
        ack.map(|ack| ack.sequence).map_err(|error| match error.kind() {
            PublishErrorKind::WrongLastSequence => PublishFailure::WrongLast,
            _ if full(&error) => PublishFailure::Full(error.to_string()),
            _ => PublishFailure::Other(error.to_string()),
        })
    }

    async fn was_it_ours(&mut self, payload: &Bytes, sent_at: u64) -> Result<u64, LogError> {
        match self.read_last().await? {
            Some((sequence, _, stored)) if stored == *payload => {
                self.last_sequence = sequence;
                Ok(sent_at)
            }
            _ => Err(LogError::Fenced),
        }
    }

    /// Sequence, broker time and payload of the last message; tried for as long as an append is.
    async fn read_last(&self) -> Result<Option<(u64, u64, Bytes)>, LogError> {
        let deadline = tokio::time::Instant::now() + GIVE_UP;
        loop {
            let error = match self.stream.get_last_raw_message_by_subject(&self.subject).await {
                Ok(message) => {
                    let stored = u64::try_from(message.time.unix_timestamp_nanos()).unwrap_or(0);
                    return Ok(Some((message.sequence, stored, message.payload)));
                }
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => return Ok(None),
                Err(error) => error,
            };
            if tokio::time::Instant::now() >= deadline {
                return Err(LogError::Unreachable(error.to_string()));
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}

enum PublishFailure {
    WrongLast,
    Full(String),
    Other(String),
}

fn full(error: &async_nats::jetstream::context::PublishError) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(answer) = cause.downcast_ref::<async_nats::jetstream::Error>() {
            return answer.error_code() == STORE_FAILED;
        }
        source = cause.source();
    }
    false
}
