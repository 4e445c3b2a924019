//! Entries on their way out: rendered piece by piece, as many as the caller takes, never all at once.
//!
//! The set is fixed at the start by the campaigns' next sequences. A blocking task renders the next piece while the last
//! one is sent; when the caller stalls, nothing is held but that piece. What cannot be read ends the response with an
//! error in mid-stream, so that nobody takes a part for the whole.

use std::collections::VecDeque;
use std::io;

use bytes::Bytes;
use futures_util::{Stream, stream};
use serde_json::Value;
use tokio::task::JoinHandle;
use trafficlab_engine::traffic::render::{CSV_HEADER, write_csv, write_json};

use crate::entries::{Block, EntryReader, ReadError};
use crate::store::Store;
use crate::store::entries::SEQUENCES;
use crate::store::segment::SegmentDir;
use crate::systems::Outcome;

/// A piece leaves when it has this size.
const PIECE_BYTES: usize = 128 * 1024;
/// Entries rendered between two looks at the size.
const STRIDE: usize = 64;

/// How entries are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Inside a JSON array of the endpoint's body.
    Json,
    /// One JSON object a line.
    Ndjson,
    /// A header and one row each.
    Csv,
}

impl Format {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// The ending of a file's name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
        }
    }
}

/// A stretch of one campaign's entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The campaign.
    pub campaign: String,
    /// First sequence.
    pub from: u64,
    /// First sequence behind it.
    pub end: u64,
    /// Only this run's.
    pub run: Option<String>,
}

/// What is written, and what surrounds it.
pub struct Plan {
    /// The stretches in order.
    pub parts: VecDeque<Part>,
    /// At most this many entries.
    pub limit: u64,
    /// How many there must be; fewer are an error.
    pub expected: Option<u64>,
    /// How they are written.
    pub format: Format,
    /// Before the entries, in JSON.
    pub head: String,
    /// Behind them, from the last sequence written.
    pub tail: Box<dyn FnOnce(Option<u64>) -> String + Send>,
}

/// The state between two pieces.
struct Writer {
    store: Store,
    segments: SegmentDir,
    parts: VecDeque<Part>,
    block: Option<Block>,
    left: u64,
    expected: Option<u64>,
    written: u64,
    last: Option<u64>,
    format: Format,
    head: Option<String>,
    tail: Option<Box<dyn FnOnce(Option<u64>) -> String + Send>>,
}

/// The body of a response, piece by piece.
pub fn body(store: &Store, segments: &SegmentDir, plan: Plan) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
    let writer = Writer {
        store: store.clone(),
        segments: segments.clone(),
        parts: plan.parts,
        block: None,
        left: plan.limit,
        expected: plan.expected,
        written: 0,
        last: None,
        format: plan.format,
        head: Some(plan.head),
        tail: Some(plan.tail),
    };
    stream::try_unfold(Some(ahead(writer)), |running| async move {
        let Some(running) = running else {
            return Ok(None);
        };
        let (writer, piece) = running.await.map_err(io::Error::other)?;
        match piece {
            Ok(Some(piece)) => Ok(Some((Bytes::from(piece), Some(ahead(writer))))),
            Ok(None) => Ok(None),
            Err(error) => {
                tracing::error!(%error, "a stream of entries is broken off");
                Err(io::Error::other(error))
            }
        }
    })
}

type Ahead = JoinHandle<(Writer, Result<Option<Vec<u8>>, StreamError>)>;

fn ahead(mut writer: Writer) -> Ahead {
    tokio::task::spawn_blocking(move || {
        let piece = writer.piece();
        (writer, piece)
    })
}

/// Why a stream ends early.
#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error("{missing} entries were removed while they were read")]
    Removed { missing: u64 },
}

impl Writer {
    /// The next piece; `None` behind the last one.
    fn piece(&mut self) -> Result<Option<Vec<u8>>, StreamError> {
        let Some(tail) = self.tail.take() else {
            return Ok(None);
        };
        let mut out = Vec::with_capacity(PIECE_BYTES + 16 * 1024);
        if let Some(head) = self.head.take() {
            out.extend_from_slice(match self.format {
                Format::Json => head.as_bytes(),
                Format::Ndjson => b"",
                Format::Csv => CSV_HEADER.as_bytes(),
            });
        }
        while out.len() < PIECE_BYTES {
            if !self.some(&mut out)? {
                let missing = self.expected.unwrap_or(0).saturating_sub(self.written);
                if missing > 0 {
                    return Err(StreamError::Removed { missing });
                }
                if self.format == Format::Json {
                    out.extend_from_slice(tail(self.last).as_bytes());
                }
                return Ok(Some(out));
            }
        }
        self.tail = Some(tail);
        Ok(Some(out))
    }

    /// Writes the next few entries; false when there are no more.
    fn some(&mut self, out: &mut Vec<u8>) -> Result<bool, ReadError> {
        if self.left == 0 {
            return Ok(false);
        }
        let Some(mut block) = self.next_block()? else {
            return Ok(false);
        };
        let take = STRIDE.min(usize::try_from(self.left).unwrap_or(usize::MAX)).min(block.entries.len());
        let rest = block.entries.split_off(take);
        let (format, mut written) = (self.format, self.written);
        block.for_each(|row| {
            match format {
                Format::Json => {
                    if written > 0 {
                        out.push(b',');
                    }
                    write_json(out, row);
                }
                Format::Ndjson => {
                    write_json(out, row);
                    out.push(b'\n');
                }
                Format::Csv => write_csv(out, row),
            }
            written += 1;
        });
        let taken = written - self.written;
        self.written = written;
        self.left -= taken;
        if taken > 0 {
            self.last = Some(block.last_sequence());
        }
        block.first_sequence += taken;
        block.entries = rest;
        self.block = Some(block).filter(|block| !block.entries.is_empty());
        Ok(true)
    }

    fn next_block(&mut self) -> Result<Option<Block>, ReadError> {
        if let Some(block) = self.block.take() {
            return Ok(Some(block));
        }
        while let Some(part) = self.parts.front_mut() {
            let reader = EntryReader::open(&self.store, &self.segments, &part.campaign, part.from)?;
            let block = reader.until(part.end).of_run(part.run.clone()).next_block()?;
            if let Some(block) = block {
                part.from = block.last_sequence() + 1;
                return Ok(Some(block));
            }
            self.parts.pop_front();
        }
        Ok(None)
    }
}

/// The newest entry of a campaign, `{}` when there is none.
///
/// # Errors
/// When the store fails.
pub fn last_entry(store: &Store, segments: &SegmentDir, campaign: &str) -> Outcome<Value> {
    let nothing = || Value::Object(serde_json::Map::new());
    let next = SEQUENCES.get(store, &campaign.to_owned())?.unwrap_or(1);
    if next <= 1 {
        return Ok(nothing());
    }
    let page = EntryReader::open(store, segments, campaign, next - 1)?.next_json(1);
    let entries: Vec<Value> = match page {
        Ok(Some(page)) => serde_json::from_str(&page.json).unwrap_or_default(),
        Ok(None) => Vec::new(),
        Err(error) => {
            // A removal may be under way; the figures are right all the same.
            tracing::debug!(%campaign, %error, "the last entry cannot be shown");
            Vec::new()
        }
    };
    Ok(entries.into_iter().next().unwrap_or_else(nothing))
}
