//! A real bidder's answer as it is stored beside its entry: a small header, then the bytes as received.

use serde::{Deserialize, Serialize};

/// Bytes of an answer that are kept; longer ones are cut off.
pub const MAX_STORED_BODY: usize = 8 * 1024;
/// Longest name that is kept.
const MAX_NAME: usize = 128;
/// The header's length stands before it in two bytes.
const LENGTH_BYTES: usize = 2;

/// What is kept of an answer besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stored {
    /// Bytes received in all, as far as they are read (`MAX_ANSWER` and one more).
    #[serde(rename = "n")]
    pub bytes: u32,
    /// The seat that won, the bidder's or a rival's.
    #[serde(rename = "w", skip_serializing_if = "Option::is_none")]
    pub winner: Option<String>,
    /// The impression that was sold to the bidder.
    #[serde(rename = "i", skip_serializing_if = "Option::is_none")]
    pub imp: Option<String>,
    /// The floor that counted, micros per thousand.
    #[serde(rename = "f")]
    pub floor: u32,
    /// What the winner had to beat, or the floor, micros per thousand.
    #[serde(rename = "m")]
    pub min_to_win: u32,
    /// Why each bid of the answer lost, in its order; 0 for the winner.
    #[serde(rename = "l")]
    pub losses: Vec<u16>,
}

impl Stored {
    /// The header and the beginning of `body`.
    #[must_use]
    pub fn write(mut self, body: &[u8]) -> Vec<u8> {
        for name in [&mut self.winner, &mut self.imp].into_iter().flatten() {
            let end = (0..=MAX_NAME).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
            name.truncate(end);
        }
        let header = rmp_serde::to_vec_named(&self).unwrap_or_default();
        let length = u16::try_from(header.len()).unwrap_or(0);
        let mut out = Vec::with_capacity(LENGTH_BYTES + header.len() + body.len().min(MAX_STORED_BODY));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(body.get(..MAX_STORED_BODY).unwrap_or(body));
        out
    }

    /// Header and bytes of what [`Stored::write`] made; none for anything else.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
        let (header, body) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
        Some((rmp_serde::from_slice(header).ok()?, body))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn answers_survive_and_long_ones_are_cut() {
        let header = Stored { bytes: 9_000, winner: Some("ä".repeat(200)), losses: vec![0, 102], ..Stored::default() };
        let bytes = header.write(&vec![b'x'; 9_000]);
        let (back, body) = Stored::read(&bytes).unwrap();
        assert_eq!((back.bytes, body.len(), back.losses.as_slice()), (9_000, MAX_STORED_BODY, [0, 102].as_slice()));
        assert_eq!(back.winner.unwrap(), "ä".repeat(64));
        for cut in 0..60 {
            assert!(Stored::read(bytes.get(..cut).unwrap()).is_none_or(|(_, body)| body.is_empty()), "{cut}");
        }
        assert_eq!(Stored::read(&[200, 1, 2]), None);
    }
}
