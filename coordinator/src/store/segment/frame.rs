//! The bytes of one frame: a checked header, what the frame is about, and the payload.
//!
//! All numbers are little endian.
//! ```text
//!  0  magic "TLSG"      4  version 1      5  state: L live, E erased      6  two zero bytes
//!  8  meta length      12  payload length 16  CRC-32 of meta and payload  20  CRC-32 of bytes 0‥19 without the state
//! 24  meta: kind u8, job 16 bytes, shard u32, first sequence u64, count u32, then the counter deltas
//!     payload
//! ```
//! The state is one byte outside both checksums, so that erasing can set it in a single write that cannot tear.

use super::meta::META_FIXED_BYTES;
pub use super::meta::{FrameMeta, MAX_COUNTERS_BYTES};

/// Bytes of the header.
pub(crate) const HEADER_BYTES: usize = 24;
/// Longest payload.
pub const MAX_PAYLOAD_BYTES: usize = 16 * 1024 * 1024;
/// Longest frame with its header.
pub(crate) const MAX_FRAME_BYTES: usize = HEADER_BYTES + META_FIXED_BYTES + MAX_COUNTERS_BYTES + MAX_PAYLOAD_BYTES;
/// Where the state byte lies in a frame.
pub(crate) const STATE_OFFSET: u64 = 5;
pub(crate) const STATE_ERASED: u8 = b'E';

const STATE_LIVE: u8 = b'L';
const MAGIC: [u8; 4] = *b"TLSG";
const VERSION: u8 = 1;

/// A frame to append.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// What it is about.
    pub meta: &'a FrameMeta,
    /// The payload, already compressed.
    pub payload: &'a [u8],
}

/// A frame that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrameOwned {
    /// What it is about.
    pub meta: FrameMeta,
    /// The payload as it was appended.
    pub payload: Vec<u8>,
}

/// A checked header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) erased: bool,
    meta_len: usize,
    payload_len: usize,
    body_crc: u32,
}

impl Header {
    /// Bytes behind the header.
    pub(crate) fn body_len(&self) -> usize {
        self.meta_len + self.payload_len
    }

    /// Bytes of the whole frame.
    pub(crate) fn frame_len(&self) -> u32 {
        u32::try_from(HEADER_BYTES + self.body_len()).unwrap_or(u32::MAX)
    }

    /// Reads a header; the error says what is wrong with it. Lengths are within the limits afterwards.
    pub(crate) fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<Self, &'static str> {
        let [m0, m1, m2, m3, version, state, z0, z1, numbers @ ..] = bytes;
        if [*m0, *m1, *m2, *m3] != MAGIC {
            return Err("there is no frame header");
        }
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3] = *numbers;
        if header_crc(bytes) != u32::from_le_bytes([d0, d1, d2, d3]) {
            return Err("the header's checksum does not match");
        }
        if *version != VERSION || [*z0, *z1] != [0, 0] {
            return Err("the frame was written by a newer version");
        }
        let meta_len = length(u32::from_le_bytes([a0, a1, a2, a3]), META_FIXED_BYTES + MAX_COUNTERS_BYTES)?;
        let payload_len = length(u32::from_le_bytes([b0, b1, b2, b3]), MAX_PAYLOAD_BYTES)?;
        let erased = match *state {
            STATE_LIVE => false,
            STATE_ERASED => true,
            _ => return Err("the state byte is unknown"),
        };
        Ok(Self { erased, meta_len, payload_len, body_crc: u32::from_le_bytes([c0, c1, c2, c3]) })
    }

    fn check_body(&self, body: &[u8]) -> Result<(), &'static str> {
        if body.len() == self.body_len() && crc32fast::hash(body) == self.body_crc {
            Ok(())
        } else {
            Err("the content's checksum does not match")
        }
    }

    /// Takes the body apart after checking it.
    pub(crate) fn open_body(&self, mut body: Vec<u8>) -> Result<FrameOwned, &'static str> {
        self.check_body(&body)?;
        let payload = body.split_off(self.meta_len);
        let meta = FrameMeta::parse(&body).ok_or("the description of the frame is too short")?;
        Ok(FrameOwned { meta, payload })
    }
}

fn length(value: u32, limit: usize) -> Result<usize, &'static str> {
    usize::try_from(value).ok().filter(|len| *len <= limit).ok_or("a length is over the limit")
}

fn header_crc(header: &[u8; HEADER_BYTES]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(header.get(..5).unwrap_or_default());
    hasher.update(header.get(6..20).unwrap_or_default());
    hasher.finalize()
}

/// Checks the bytes of a whole frame, or the header alone of an erased one, and answers the frame's length.
pub(crate) fn check_raw(bytes: &[u8]) -> Result<u32, &'static str> {
    let (header, body) = bytes.split_first_chunk().ok_or("the frame is shorter than a header")?;
    let header = Header::parse(header)?;
    if !header.erased {
        header.check_body(body)?;
    } else if !body.is_empty() {
        return Err("an erased frame has content");
    }
    Ok(header.frame_len())
}

/// Appends the bytes of `frame` to `out` and answers their number.
///
/// # Errors
/// `TooLarge`; `out` is unchanged then.
pub(crate) fn encode(frame: &Frame<'_>, out: &mut Vec<u8>) -> super::Result<u32> {
    within("counters", frame.meta.counters.len(), MAX_COUNTERS_BYTES)?;
    within("payload", frame.payload.len(), MAX_PAYLOAD_BYTES)?;
    let mut meta = Vec::with_capacity(META_FIXED_BYTES + frame.meta.counters.len());
    frame.meta.encode(&mut meta);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&meta);
    crc.update(frame.payload);
    let header = header_bytes(meta.len(), frame.payload.len(), crc.finalize(), STATE_LIVE);
    out.extend_from_slice(&header);
    out.extend_from_slice(&meta);
    out.extend_from_slice(frame.payload);
    Ok(u32::try_from(header.len() + meta.len() + frame.payload.len()).unwrap_or(u32::MAX))
}

fn within(what: &'static str, len: usize, limit: usize) -> super::Result<()> {
    if len > limit { Err(super::SegmentError::TooLarge { what, len, limit }) } else { Ok(()) }
}

fn header_bytes(meta_len: usize, payload_len: usize, body_crc: u32, state: u8) -> [u8; HEADER_BYTES] {
    let [a0, a1, a2, a3] = u32::try_from(meta_len).unwrap_or(u32::MAX).to_le_bytes();
    let [b0, b1, b2, b3] = u32::try_from(payload_len).unwrap_or(u32::MAX).to_le_bytes();
    let [c0, c1, c2, c3] = body_crc.to_le_bytes();
    let [m0, m1, m2, m3] = MAGIC;
    let with_crc = |[d0, d1, d2, d3]: [u8; 4]| {
        [m0, m1, m2, m3, VERSION, state, 0, 0, a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3]
    };
    with_crc(header_crc(&with_crc([0; 4])).to_le_bytes())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    fn sample() -> (FrameMeta, Vec<u8>) {
        let meta =
            FrameMeta { kind: 1, job: [7; 16], shard: 3, first_sequence: 1 << 40, count: 9, counters: vec![1, 2, 3] };
        (meta, vec![0x55; 100])
    }

    fn parsed(bytes: &[u8]) -> Result<FrameOwned, &'static str> {
        let (header, body) = bytes.split_first_chunk().unwrap();
        Header::parse(header)?.open_body(body.to_vec())
    }

    #[test]
    fn a_frame_comes_back() {
        let (meta, payload) = sample();
        let mut bytes = Vec::new();
        let len = encode(&Frame { meta: &meta, payload: &payload }, &mut bytes).unwrap();
        assert_eq!(usize::try_from(len).unwrap(), bytes.len());
        assert_eq!(parsed(&bytes), Ok(FrameOwned { meta, payload }));
    }

    #[test]
    fn any_changed_bit_is_noticed() {
        let (meta, payload) = sample();
        let mut bytes = Vec::new();
        encode(&Frame { meta: &meta, payload: &payload }, &mut bytes).unwrap();
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(parsed(&bytes).is_err(), "bit {bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }

    /// The format is fixed by its bytes: frames on disk outlive the program that wrote them.
    #[test]
    fn the_bytes_of_version_1_never_change() {
        let meta =
            FrameMeta { kind: 2, job: *b"0123456789abcdef", shard: 1, first_sequence: 2, count: 3, counters: vec![9] };
        let mut bytes = Vec::new();
        encode(&Frame { meta: &meta, payload: b"pay" }, &mut bytes).unwrap();
        assert_eq!(bytes.escape_ascii().to_string(), GOLDEN.escape_ascii().to_string());
    }
    const GOLDEN: &[u8] = b"TLSG\x01L\0\0\x22\0\0\0\x03\0\0\0\xd4EZ\xb6\xa9\xe8\x1b\x7f\
        \x020123456789abcdef\x01\0\0\0\x02\0\0\0\0\0\0\0\x03\0\0\0\x09pay";
}
