//! JSON for outside subscribers, once a second and after the commit it tells of.
//!
//! The stream itself is the memory: the last message of a campaign says which `seq` and which
//! entry came last, and every publish names it as the one it follows. So a crash neither repeats
//! nor skips, and a subscriber sees a gap only where it lost something itself.

mod summary;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::RawMessageErrorKind;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::json;
use trafficlab_shared::protocol::subject;

use super::{Dispatch, captures, lock};
use crate::entries::EntryReader;
use crate::store::campaigns::CAMPAIGNS;
use crate::store::runs::PLANS;
use crate::store::{FirstVersion, StoreError, Table};

const TICK: Duration = Duration::from_secs(1);
const AT_ONCE: usize = 32;
/// Entries in one message.
const ENTRIES: usize = 200;
/// Messages of entries of one campaign in one pass; the rest follows in the next.
const MESSAGES: usize = 100;

/// What was published last, by campaign; outlives the stream's retention.
const LIVE: Table<String, Last> = Table::new("live");

/// The last message of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Last {
    /// Its `seq`, from 1.
    pub(super) seq: u64,
    /// The last entry published, by its sequence; of a capture the windows published.
    #[serde(default)]
    pub(super) through: u64,
    /// Of a capture: the anomalies published.
    #[serde(default)]
    pub(super) anomalies: u64,
    /// The campaign's data was removed: its messages go, and `seq` begins again at 1.
    #[serde(default)]
    forget: bool,
    /// Its place in the stream.
    #[serde(skip)]
    stream_sequence: u64,
}

impl FirstVersion for Last {}

/// A problem in one pass; the next one tries again.
#[derive(Debug, thiserror::Error)]
pub(super) enum LiveError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("broker: {0}")]
    Broker(String),
    #[error("entries: {0}")]
    Entries(String),
    #[error("windows: {0}")]
    Windows(String),
    #[error("message cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// Publishes for ever.
pub(super) async fn run(dispatch: &Arc<Dispatch>) {
    let known: tokio::sync::Mutex<HashMap<String, Last>> = tokio::sync::Mutex::default();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if !dispatch.broker.is_connected() {
            continue;
        }
        let touched: Vec<String> = lock(&dispatch.touched).drain().collect();
        stream::iter(touched)
            .for_each_concurrent(AT_ONCE, |campaign| {
                let known = &known;
                async move {
                    let last = known.lock().await.get(&campaign).copied();
                    let told = match campaign.strip_prefix(captures::LIVE_KEY) {
                        Some(capture) => captures::tell_live(dispatch, capture, last).await,
                        None => tell(dispatch, &campaign, last).await,
                    };
                    match told {
                        Ok(Some(last)) => drop(known.lock().await.insert(campaign, last)),
                        Ok(None) => drop(known.lock().await.remove(&campaign)),
                        Err(error) => {
                            tracing::debug!(%campaign, %error, "live message is late");
                            known.lock().await.remove(&campaign);
                            lock(&dispatch.touched).insert(campaign);
                        }
                    }
                }
            })
            .await;
    }
}

/// Adds to `batch` that the messages of a campaign are to be removed.
pub(super) fn forget(batch: &mut crate::store::Batch, campaign: &str) -> Result<(), StoreError> {
    LIVE.put(batch, &campaign.to_owned(), &Last { forget: true, ..Last::default() })
}

/// Publishes a campaign's news; comes back with what was published last.
async fn tell(dispatch: &Dispatch, campaign: &str, last: Option<Last>) -> Result<Option<Last>, LiveError> {
    let last = last_of(dispatch, campaign, last).await?;
    let Some(record) = CAMPAIGNS.get(&dispatch.store, &campaign.to_owned())? else {
        return Ok(None);
    };
    let Some(job) = record.run.clone() else {
        return Ok(last);
    };
    let mut last = read_unless_known(dispatch, campaign, last).await?;
    let plan = PLANS.get(&dispatch.store, &job)?;
    if plan.is_some_and(|plan| plan.live_entries) {
        tell_entries(dispatch, campaign, &mut last).await?;
    }
    let summary = summary::of(&dispatch.store, &record, last.seq + 1, last.through)?;
    publish(dispatch, campaign, &mut last, &summary).await?;
    keep(dispatch, campaign, last)
}

/// What was published last as far as it is known here, once a removal that was asked for is done.
pub(super) async fn last_of(dispatch: &Dispatch, key: &str, last: Option<Last>) -> Result<Option<Last>, LiveError> {
    if LIVE.get(&dispatch.store, &key.to_owned())?.is_some_and(|stored| stored.forget) {
        remove_messages(dispatch, key).await?;
        return Ok(None);
    }
    Ok(last)
}

/// The last message: as known here, by the stream, or by the store once the stream has forgotten it.
pub(super) async fn read_unless_known(dispatch: &Dispatch, key: &str, last: Option<Last>) -> Result<Last, LiveError> {
    match last {
        Some(last) => Ok(last),
        None => {
            let stored = LIVE.get(&dispatch.store, &key.to_owned())?.unwrap_or_default();
            read_last(dispatch, key, stored).await
        }
    }
}

/// Stores what was published last; none when a removal was asked for meanwhile, which stays asked for.
pub(super) fn keep(dispatch: &Dispatch, campaign: &str, last: Last) -> Result<Option<Last>, LiveError> {
    let _guard = dispatch.store.lock();
    let key = campaign.to_owned();
    if LIVE.get(&dispatch.store, &key)?.is_some_and(|now| now.forget) {
        return Ok(None);
    }
    let mut batch = crate::store::Batch::new();
    LIVE.put(&mut batch, &key, &last)?;
    dispatch.store.apply(batch)?;
    Ok(Some(last))
}

/// Entries behind the last published one, in messages of at most 200.
async fn tell_entries(dispatch: &Dispatch, campaign: &str, last: &mut Last) -> Result<(), LiveError> {
    let mut reader = EntryReader::open(&dispatch.store, &dispatch.segments, campaign, last.through + 1)
        .map_err(|error| LiveError::Entries(error.to_string()))?;
    for _ in 0..MESSAGES {
        let page = reader.next_json(ENTRIES).map_err(|error| LiveError::Entries(error.to_string()))?;
        let Some(page) = page else { return Ok(()) };
        let through = page.last_sequence;
        let entries = serde_json::value::RawValue::from_string(page.json)?;
        let message = json!({
            "v": 1,
            "type": "entries",
            "seq": last.seq + 1,
            "campaign_id": campaign,
            "first_sequence": page.first_sequence,
            "through_sequence": through,
        });
        let message = WithEntries { message, entries: &entries };
        last.through = through;
        publish(dispatch, campaign, last, &message).await?;
    }
    lock(&dispatch.touched).insert(campaign.to_owned());
    Ok(())
}

#[derive(Serialize)]
struct WithEntries<'a> {
    #[serde(flatten)]
    message: serde_json::Value,
    entries: &'a serde_json::value::RawValue,
}

pub(super) async fn publish<T: Serialize>(
    dispatch: &Dispatch,
    campaign: &str,
    last: &mut Last,
    message: &T,
) -> Result<(), LiveError> {
    let payload = Bytes::from(serde_json::to_vec(message)?);
    let message = PublishMessage::build().payload(payload).expected_last_subject_sequence(last.stream_sequence);
    let broker = |error: &dyn std::fmt::Display| LiveError::Broker(error.to_string());
    let ack = dispatch.broker.context().send_publish(subject::live(campaign), message).await;
    let ack = ack.map_err(|error| broker(&error))?.await.map_err(|error| broker(&error))?;
    last.seq += 1;
    last.stream_sequence = ack.sequence;
    Ok(())
}

/// The last message by the stream, or by the store once the stream has forgotten it.
async fn read_last(dispatch: &Dispatch, campaign: &str, stored: Last) -> Result<Last, LiveError> {
    let broker = |error: &dyn std::fmt::Display| LiveError::Broker(error.to_string());
    let context = dispatch.broker.context();
    let stream = context.get_stream_no_info(subject::LIVE_STREAM).await.map_err(|error| broker(&error))?;
    let told = match stream.get_last_raw_message_by_subject(&subject::live(campaign)).await {
        Ok(message) => {
            let told: Told = serde_json::from_slice(&message.payload)?;
            Last {
                seq: told.seq,
                through: told.through_sequence,
                anomalies: told.through_anomaly,
                stream_sequence: message.sequence,
                forget: false,
            }
        }
        Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => Last::default(),
        Err(error) => return Err(broker(&error)),
    };
    Ok(Last {
        seq: told.seq.max(stored.seq),
        through: told.through.max(stored.through),
        anomalies: told.anomalies.max(stored.anomalies),
        stream_sequence: told.stream_sequence,
        forget: false,
    })
}

/// Empties the campaign's subject and forgets what was told.
async fn remove_messages(dispatch: &Dispatch, campaign: &str) -> Result<(), LiveError> {
    let broker = |error: &dyn std::fmt::Display| LiveError::Broker(error.to_string());
    let context = dispatch.broker.context();
    let stream = context.get_stream_no_info(subject::LIVE_STREAM).await.map_err(|error| broker(&error))?;
    stream.purge().filter(subject::live(campaign)).await.map_err(|error| broker(&error))?;
    let mut batch = crate::store::Batch::new();
    LIVE.delete(&mut batch, &campaign.to_owned());
    dispatch.store.apply(batch)?;
    Ok(())
}

#[derive(Deserialize)]
struct Told {
    seq: u64,
    through_sequence: u64,
    #[serde(default)]
    through_anomaly: u64,
}
