//! Distinct texts with their codes.

use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::column::DICTS;

/// Texts of a chunk. A copy that is held elsewhere makes the next `push` copy at most one chunk.
const CHUNK: u32 = 256;

/// Texts by their code. Code 0 is the empty text. A clone shares all texts: it costs one counter for every 256 of them,
/// so that a snapshot of a dictionary of 100 000 takes some microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary {
    chunks: Vec<Arc<Chunk>>,
    len: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Chunk {
    bytes: String,
    /// Where each text ends.
    ends: Vec<u32>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { chunks: vec![Arc::new(Chunk { bytes: String::new(), ends: vec![0] })], len: 1 }
    }
}

impl Chunk {
    fn get(&self, at: usize) -> &str {
        let Some(end) = self.ends.get(at) else { return "" };
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
        self.bytes.get(position(*begin)..position(*end)).unwrap_or_default()
    }
}

impl Dictionary {
    /// The text of a code; empty for an unknown one.
    #[must_use]
    pub fn get(&self, code: u32) -> &str {
        self.chunks.get(position(code / CHUNK)).map_or("", |chunk| chunk.get(position(code % CHUNK)))
    }

    /// Number of texts, the empty one counted.
    #[must_use]
    pub const fn len(&self) -> usize {
        position(self.len)
    }

    /// Whether there is only the empty text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len <= 1
    }

    /// All texts in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len).map(|code| self.get(code))
    }

    /// Adds a text without looking whether it is there, and answers its code.
    ///
    /// # Errors
    /// `Full` when codes or positions would not fit in 32 bits.
    pub fn push(&mut self, text: &str) -> Result<u32, Full> {
        let code = self.len;
        let next = code.checked_add(1).ok_or(Full)?;
        if code.is_multiple_of(CHUNK) {
            if let Some(full) = self.chunks.last_mut().and_then(Arc::get_mut) {
                full.bytes.shrink_to_fit();
            }
            self.chunks.push(Arc::default());
        }
        let chunk = Arc::make_mut(self.chunks.last_mut().ok_or(Full)?);
        let end = u32::try_from(chunk.bytes.len() + text.len()).or(Err(Full))?;
        chunk.bytes.push_str(text);
        chunk.ends.push(end);
        self.len = next;
        Ok(code)
    }

    /// Bytes in memory, those that are shared with clones included. Walks the chunks.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let chunk = |chunk: &Arc<Chunk>| chunk.bytes.capacity() + chunk.ends.capacity() * 4 + size_of::<Chunk>() + 16;
        self.chunks.iter().map(chunk).sum::<usize>() + self.chunks.capacity() * size_of::<Arc<Chunk>>()
    }
}

/// The dictionaries of all columns by `Dict::index`, as they were at a moment.
pub type Dictionaries = [Arc<Dictionary>; DICTS];

/// A dictionary holds no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a dictionary is full")]
pub struct Full;

/// A dictionary that finds the codes of texts.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    dictionary: Dictionary,
    codes: HashTable<u32>,
    /// Seeded anew, since senders choose the texts.
    hasher: RandomState,
}

impl Interner {
    /// The code of `text`, which is added when it is new.
    ///
    /// # Errors
    /// `Full`.
    pub fn intern(&mut self, text: &str) -> Result<u32, Full> {
        if text.is_empty() {
            return Ok(0);
        }
        let hash = self.hasher.hash_one(text);
        if let Some(code) = self.codes.find(hash, |code| self.dictionary.get(*code) == text) {
            return Ok(*code);
        }
        let code = self.dictionary.push(text)?;
        let (dictionary, hasher) = (&self.dictionary, &self.hasher);
        self.codes.insert_unique(hash, code, |code| hasher.hash_one(dictionary.get(*code)));
        Ok(code)
    }

    /// The code of `text` if it is there.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<u32> {
        if text.is_empty() {
            return Some(0);
        }
        self.codes.find(self.hasher.hash_one(text), |code| self.dictionary.get(*code) == text).copied()
    }

    /// The texts, when no more are to be found.
    #[must_use]
    pub fn into_dictionary(self) -> Dictionary {
        self.dictionary
    }

    /// Bytes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.dictionary.bytes() + self.codes.allocation_size()
    }

    /// The texts.
    #[must_use]
    pub const fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }
}

const fn position(end: u32) -> usize {
    end as usize
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn texts_keep_their_codes() {
        let mut interner = Interner::default();
        let codes: Vec<u32> = ["", "a", "bc", "a", "", "bc"].map(|text| interner.intern(text).unwrap()).into();
        assert_eq!(codes, [0, 1, 2, 1, 0, 2]);
        assert_eq!(interner.dictionary().iter().collect::<Vec<_>>(), ["", "a", "bc"]);
        assert_eq!((interner.find("bc"), interner.find("x")), (Some(2), None));
        assert_eq!(interner.dictionary().get(9), "");
    }

    #[test]
    fn a_snapshot_stays_as_it_was() {
        let mut interner = Interner::default();
        let mut snapshots = Vec::new();
        for number in 1..=3 * CHUNK {
            assert_eq!(interner.intern(&format!("text {number}")), Ok(number));
            snapshots.push(interner.dictionary().clone());
        }
        for (snapshot, length) in snapshots.iter().zip(2..) {
            assert_eq!(snapshot.len(), length);
            assert_eq!(snapshot.iter().count(), length);
            let last = u32::try_from(length).unwrap() - 1;
            assert_eq!((snapshot.get(last), snapshot.get(last + 1)), (format!("text {last}").as_str(), ""));
        }
        assert!(interner.bytes() > 3 * 256 * 8);
    }
}
