//! Stored dictionaries, and which of them stay in memory.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use crate::traffic::pack::varint::push;
use crate::visit::dictionary::Dictionary;
use crate::visit::wire::Cursor;

/// What zstd needs for a few hundred kilobytes of texts stays well below the time that rows take.
const LEVEL: i32 = 3;

/// Lengths and then texts, without the empty text of code 0.
pub(super) fn raw(dictionary: &Dictionary) -> Vec<u8> {
    let mut out = Vec::new();
    dictionary.iter().skip(1).for_each(|text| push(&mut out, u64::try_from(text.len()).unwrap_or(u64::MAX)));
    dictionary.iter().skip(1).for_each(|text| out.extend_from_slice(text.as_bytes()));
    out
}

/// Compressed where that is shorter.
pub(super) fn stored(raw: Vec<u8>) -> std::io::Result<Vec<u8>> {
    let compressed = zstd::bulk::compress(&raw, LEVEL)?;
    Ok(if compressed.len() < raw.len() { compressed } else { raw })
}

/// The other way round; nothing when the bytes are no such dictionary. Memory grows with what is really there.
pub(super) fn decode(stored: Vec<u8>, raw: u64, texts: u32) -> Option<Dictionary> {
    let raw = usize::try_from(raw).ok()?;
    let bytes = if stored.len() == raw {
        stored
    } else {
        let mut bytes = Vec::with_capacity(raw.min(stored.len().saturating_mul(8)));
        let decoder = zstd::Decoder::with_buffer(stored.as_slice()).ok()?;
        decoder.take(u64::try_from(raw).ok()?.saturating_add(1)).read_to_end(&mut bytes).ok()?;
        bytes
    };
    let mut lengths = Cursor::new(&bytes);
    let mut texts_at = lengths;
    (1..texts).try_for_each(|_| texts_at.number::<usize>().map(drop))?;
    let mut dictionary = Dictionary::default();
    for _ in 1..texts {
        let text = texts_at.take(lengths.number()?)?;
        dictionary.push(str::from_utf8(text).ok()?).ok()?;
    }
    (bytes.len() == raw && texts_at.left() == 0).then_some(dictionary)
}

/// Keeps the dictionaries that were read last in memory, up to a number of bytes, for all the parts it is given to.
/// Without it a part's dictionary is there for as long as somebody holds it, and then is read anew.
#[derive(Debug)]
pub struct Recent {
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    /// Oldest first, with its bytes.
    dictionaries: VecDeque<(Arc<Dictionary>, usize)>,
    bytes: usize,
}

impl Recent {
    /// Keeps at most `most` bytes.
    #[must_use]
    pub fn new(most: usize) -> Self {
        Self { most, kept: Mutex::default() }
    }

    /// Bytes that are kept now.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    pub(super) fn keep(&self, dictionary: &Arc<Dictionary>) {
        let bytes = dictionary.bytes();
        if bytes > self.most {
            return;
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += bytes;
        kept.dictionaries.push_back((Arc::clone(dictionary), bytes));
        while kept.bytes > self.most {
            let Some((_, bytes)) = kept.dictionaries.pop_front() else { break };
            kept.bytes -= bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn dictionary(texts: impl IntoIterator<Item = String>) -> Dictionary {
        let mut dictionary = Dictionary::default();
        texts.into_iter().try_for_each(|text| dictionary.push(&text).map(|_| ())).unwrap();
        dictionary
    }

    #[test]
    fn long_and_short_ones_come_back() {
        for count in [0, 1, 3, 1_000] {
            let before = dictionary((0..count).map(|number| format!("/some/page/{number}")));
            let raw = raw(&before);
            let length = u64::try_from(raw.len()).unwrap();
            let stored = stored(raw).unwrap();
            assert_eq!(u64::try_from(stored.len()).unwrap() < length, count > 1, "{count}");
            let texts = u32::try_from(before.len()).unwrap();
            assert_eq!(decode(stored.clone(), length, texts), Some(before));
            assert_eq!(decode(stored.clone(), length, texts + 1), None);
            assert_eq!(decode(stored, length + 1, texts), None);
        }
    }

    #[test]
    fn the_oldest_ones_are_let_go() {
        let one = Arc::new(dictionary(["a".to_owned()]));
        let recent = Recent::new(one.bytes() * 2);
        let weak: Vec<_> = (0..3)
            .map(|_| {
                let next = Arc::new(Dictionary::clone(&one));
                recent.keep(&next);
                Arc::downgrade(&next)
            })
            .collect();
        let alive: Vec<bool> = weak.iter().map(|weak| weak.strong_count() > 0).collect();
        assert_eq!(alive, [false, true, true]);
        assert!(recent.bytes() <= one.bytes() * 2);
    }
}
