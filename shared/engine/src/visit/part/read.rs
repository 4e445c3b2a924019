//! Reads parts: the footer once, slices and dictionaries when they are asked for.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::footer::{Footer, Stored};
use super::source::Source;
use super::{MAGIC, PartSummary, ReadAt, Recent, STORED, TAIL, dictionaries};
use crate::visit::column::{ColumnSet, DICTS, Dict};
use crate::visit::data::{Columns, DAY_MS, DataFault, Slices};
use crate::visit::dictionary::Dictionary;
use crate::visit::wire::{self, Cursor};

/// Most footers are within this many bytes of the end, so that opening a part is one read.
const LIKELY_FOOTER: u64 = 4096;

/// A sealed part. A dictionary stays in memory while somebody holds it; `Recent` holds the latest ones.
#[derive(Debug)]
pub struct Part<R> {
    reader: R,
    footer: Footer,
    recent: Option<Arc<Recent>>,
    dictionaries: Mutex<[Weak<Dictionary>; DICTS]>,
}

impl<R: ReadAt> Part<R> {
    /// Opens a part and reads its footer.
    ///
    /// # Errors
    /// `Io`; `Damaged` when it is no part, or not whole.
    pub fn open(reader: R) -> Result<Self, DataFault> {
        let footer = footer(&reader)?;
        Ok(Self { reader, footer, recent: None, dictionaries: Mutex::default() })
    }

    /// Opens a part whose dictionaries stay in memory as `recent` decides.
    ///
    /// # Errors
    /// `Io`; `Damaged` when it is no part, or not whole.
    pub fn open_with(reader: R, recent: Arc<Recent>) -> Result<Self, DataFault> {
        Ok(Self { recent: Some(recent), ..Self::open(reader)? })
    }

    /// What it holds.
    #[must_use]
    pub const fn summary(&self) -> PartSummary {
        self.footer.summary
    }

    /// The bytes it is read from.
    #[must_use]
    pub const fn reader(&self) -> &R {
        &self.reader
    }

    fn bytes(&self, offset: u64, length: u64) -> Result<Vec<u8>, DataFault> {
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        self.reader.read_at(offset, &mut bytes)?;
        Ok(bytes)
    }

    fn read_dictionary(&self, dict: Dict) -> Result<Dictionary, DataFault> {
        let Some(at) = self.footer.dictionaries.get(dict.index()) else { return Ok(Dictionary::default()) };
        let stored = self.bytes(at.offset, at.stored)?;
        if at.stored > 0 && crc32fast::hash(&stored) != at.checksum {
            return Err(DataFault::Damaged(format!("the checksum of dictionary `{dict:?}` is wrong")));
        }
        let dictionary = dictionaries::decode(stored, at.raw, at.texts.max(1));
        dictionary.ok_or_else(|| DataFault::Damaged(format!("dictionary `{dict:?}` does not hold what it says")))
    }

    fn stored(&self, dict: Dict) -> (Stored, u32) {
        let texts = self.footer.dictionaries.get(dict.index()).map_or(0, |at| at.texts);
        (self.footer.codes.get(dict.index()).copied().unwrap_or_default(), texts.max(1))
    }
}

impl<R: ReadAt> Slices for Part<R> {
    fn rows(&self) -> u64 {
        self.footer.summary.rows
    }

    fn time_range(&self) -> Option<(i64, i64)> {
        let summary = &self.footer.summary;
        (summary.rows > 0).then_some((summary.first_ms, summary.last_ms))
    }

    fn dictionary(&self, dict: Dict) -> Result<Arc<Dictionary>, DataFault> {
        let lock = || self.dictionaries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(dict.index()).and_then(Weak::upgrade) {
            return Ok(known);
        }
        // Read without the lock: two that come at once read it twice, and nobody waits for a disk.
        let dictionary = Arc::new(self.read_dictionary(dict)?);
        if let Some(place) = lock().get_mut(dict.index()) {
            *place = Arc::downgrade(&dictionary);
        }
        if let Some(recent) = &self.recent {
            recent.keep(&dictionary);
        }
        Ok(dictionary)
    }

    fn load(&self, slice: u8, want: ColumnSet, into: &mut Columns) -> Result<(), DataFault> {
        into.clear();
        let Ok(at) = self.footer.slices.binary_search_by_key(&slice, |at| at.slice) else { return Ok(()) };
        let Some(at) = self.footer.slices.get(at) else { return Ok(()) };
        let mut source = Source::new(&self.reader, &self.footer, *at, want)?;
        source.visitors(into)?;
        let (rows, begin) = (into.len(), self.footer.summary.day * DAY_MS);
        wire::each(source.column(4)?, 4, rows, |time| into.time_ms.push(begin + time.cast_signed()));
        source.traffic(self.footer.traffic, &mut into.traffic)?;
        for dict in STORED {
            let (stored, texts) = self.stored(dict);
            if !want.has(dict) {
                source.pass(stored.width);
            } else if let Some(codes) = into.codes.get_mut(dict.index()) {
                source.codes(stored, texts, codes)?;
            }
        }
        if want.has(Dict::Site) {
            into.codes.iter_mut().take(1).for_each(|codes| codes.resize(rows, 0));
        }
        if want.has_revenue() {
            let width = self.footer.revenue;
            wire::each(source.column(width)?, width, rows, |value| into.revenue_micros.push(value.cast_signed()));
        }
        Ok(())
    }
}

fn footer(reader: &impl ReadAt) -> Result<Footer, DataFault> {
    let size = reader.size()?;
    let short = || DataFault::Damaged("it is too short".into());
    let mut end = vec![0; usize::try_from(size.min(LIKELY_FOOTER)).map_err(io::Error::other)?];
    reader.read_at(size - size.min(LIKELY_FOOTER), &mut end)?;
    let (front, tail) = end.split_last_chunk::<TAIL>().ok_or_else(short)?;
    let mut tail = Cursor::new(tail);
    let (length, sum, magic) = (tail.fixed32(), tail.fixed32(), tail.take(MAGIC.len()));
    let (Some(length), Some(sum)) = (length, sum) else { return Err(short()) };
    if magic != Some(MAGIC.as_slice()) {
        return Err(DataFault::Damaged("it does not end as a part of version 1 does".into()));
    }
    let whole = u64::from(length) + TAIL as u64;
    let before = size.checked_sub(whole).ok_or_else(short)?;
    let length = usize::try_from(length).map_err(io::Error::other)?;
    let mut bytes = match front.len().checked_sub(length).and_then(|skip| front.get(skip..)) {
        Some(there) => there.to_vec(),
        None => {
            let mut bytes = vec![0; length];
            reader.read_at(before, &mut bytes)?;
            bytes
        }
    };
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(0).to_le_bytes());
    if crc32fast::hash(&bytes) != sum {
        return Err(DataFault::Damaged("the checksum of its footer is wrong".into()));
    }
    bytes.truncate(length);
    let footer = Footer::decode(&bytes).filter(|footer| footer.body_bytes() == Some(before));
    let mut footer = footer.ok_or_else(|| DataFault::Damaged("its footer does not tell its length".into()))?;
    footer.summary.bytes = size;
    Ok(footer)
}
