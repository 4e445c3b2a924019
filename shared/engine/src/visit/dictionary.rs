//! Distinct texts with their codes.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Texts by their code, in one buffer. Code 0 is the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dictionary {
    bytes: String,
    /// Where each text ends.
    ends: Vec<u32>,
}

impl Default for Dictionary {
    fn default() -> Self {
        Self { bytes: String::new(), ends: vec![0] }
    }
}

impl Dictionary {
    /// The text of a code; empty for an unknown one.
    #[must_use]
    pub fn get(&self, code: u32) -> &str {
        let at = usize::try_from(code).unwrap_or(usize::MAX);
        let Some(end) = self.ends.get(at) else { return "" };
        let begin = at.checked_sub(1).and_then(|before| self.ends.get(before)).unwrap_or(&0);
        self.bytes.get(position(*begin)..position(*end)).unwrap_or_default()
    }

    /// Number of texts, the empty one counted.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is only the empty text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.len() <= 1
    }

    /// All texts in the order of their codes.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..).take(self.len()).map(|code| self.get(code))
    }

    /// Adds a text without looking whether it is there, and answers its code.
    ///
    /// # Errors
    /// `Full` when codes or positions would not fit in 32 bits.
    pub fn push(&mut self, text: &str) -> Result<u32, Full> {
        let code = u32::try_from(self.ends.len()).or(Err(Full))?;
        let end = u32::try_from(self.bytes.len() + text.len()).or(Err(Full))?;
        self.bytes.push_str(text);
        self.ends.push(end);
        Ok(code)
    }

    /// Bytes in memory.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4
    }
}

/// A dictionary holds no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a dictionary is full")]
pub struct Full;

/// A dictionary that finds the codes of texts.
#[derive(Debug, Clone, Default)]
pub struct Interner {
    dictionary: Dictionary,
    codes: HashTable<u32>,
    hasher: FixedState,
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
}
