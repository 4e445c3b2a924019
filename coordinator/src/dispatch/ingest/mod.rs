//! From the results stream to disk, exactly once.
//!
//! The position lies in the store, in the same batch as everything the records added; on start and
//! after any error an ordered consumer begins behind it. What is committed here is visible to
//! readers; what is not, comes again.

mod captures;
mod commit;
mod exports;
mod take;
mod traffic;

use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::consumer::pull::OrderedConfig;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use trafficlab_shared::protocol::subject;

pub use captures::TakenCaptures;
pub use commit::{Ingester, Taken};
pub use exports::TakenExports;

use super::Dispatch;
use crate::store::entries::Position;

/// Messages and bytes of one commit at the most.
const BATCH_MESSAGES: usize = 512;
const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// A message of the results stream.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// Its subject.
    pub subject: String,
    /// Its stream sequence.
    pub sequence: u64,
    /// Broker time in nanoseconds.
    pub stored_ns: u64,
    /// The record.
    pub payload: Bytes,
}

/// Ingests for ever.
pub async fn run(dispatch: Arc<Dispatch>, ingester: Ingester) {
    let mut ingester = Some(ingester);
    loop {
        let Some(current) = ingester.take() else {
            tracing::error!("ingest lost its writer and stops; restart the coordinator");
            return;
        };
        let (back, result) = follow(&dispatch, current).await;
        ingester = back;
        if let Err(error) = result {
            tracing::warn!(%error, "ingest begins again behind its position");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

type Followed = (Option<Ingester>, Result<(), async_nats::Error>);

/// Follows the stream until something goes wrong. The ingester comes back unless its thread died.
async fn follow(dispatch: &Arc<Dispatch>, mut ingester: Ingester) -> Followed {
    let client = dispatch.broker.context().client();
    let connects = trafficlab_broker::connects(&client);
    let mut messages = match open(dispatch, &mut ingester).await {
        Ok(messages) => messages,
        Err(error) => return (Some(ingester), Err(error)),
    };
    loop {
        let next = tokio::select! {
            next = next_batch(&mut messages) => next,
            () = trafficlab_broker::renewed(&client, connects) => Err("the connection was renewed".into()),
        };
        let batch = match next {
            Ok(batch) => batch,
            Err(error) => return (Some(ingester), Err(error)),
        };
        let committing = tokio::task::spawn_blocking(move || {
            let taken = ingester.commit(&batch);
            (ingester, taken)
        });
        match committing.await {
            Ok((back, Ok(taken))) => {
                ingester = back;
                dispatch.after_commit(taken);
            }
            Ok((back, Err(error))) => return (Some(back), Err(error.into())),
            Err(error) => return (None, Err(error.into())),
        }
    }
}

async fn open(dispatch: &Dispatch, ingester: &mut Ingester) -> Result<pull::Ordered, async_nats::Error> {
    let stream = dispatch.broker.context().get_stream(subject::RESULTS_STREAM).await?;
    let created = stream.cached_info().created.unix_timestamp_nanos();
    let position = ingester.position_in(u64::try_from(created)?);
    tracing::info!(sequence = position.sequence, "ingest begins");
    let consumer = stream
        .create_consumer(OrderedConfig {
            deliver_policy: deliver_from(position),
            filter_subject: subject::ALL_RESULTS.into(),
            ..OrderedConfig::default()
        })
        .await?;
    Ok(consumer.messages().await?)
}

const fn deliver_from(position: Position) -> DeliverPolicy {
    if position.sequence == 0 {
        DeliverPolicy::All
    } else {
        DeliverPolicy::ByStartSequence { start_sequence: position.sequence + 1 }
    }
}

/// The next message, and all that are here already.
async fn next_batch(messages: &mut pull::Ordered) -> Result<Vec<Incoming>, async_nats::Error> {
    let first = messages.next().await.ok_or("the consumer ended")??;
    let mut batch = Vec::with_capacity(BATCH_MESSAGES);
    let mut bytes = first.payload.len();
    batch.push(incoming(first)?);
    while batch.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
        match messages.next().now_or_never() {
            Some(Some(message)) => {
                let message = message?;
                bytes += message.payload.len();
                batch.push(incoming(message)?);
            }
            _ => break,
        }
    }
    Ok(batch)
}

fn incoming(message: async_nats::jetstream::Message) -> Result<Incoming, async_nats::Error> {
    let info = message.info()?;
    Ok(Incoming {
        sequence: info.stream_sequence,
        stored_ns: u64::try_from(info.published.unix_timestamp_nanos())?,
        subject: message.subject.to_string(),
        payload: message.message.payload,
    })
}

#[cfg(test)]
mod tests;
