//! Writes classic pcap files with nanoseconds.

use std::io::{self, Write};

use crate::packet::raw::LinkType;

/// Bytes of the file header.
const MAGIC_NANOSECONDS: u32 = 0xa1b2_3c4d;

/// Writes packets as a pcap file, little-endian, with nanosecond times.
#[derive(Debug)]
pub struct PcapWriter<W: Write> {
    out: W,
    snap_len: u32,
    written: u64,
}

impl<W: Write> PcapWriter<W> {
    /// Writes the file header. `snap_len` is the most bytes of a packet that are kept; longer ones are cut.
    ///
    /// # Errors
    /// What writing says.
    pub fn new(mut out: W, link: LinkType, snap_len: u32) -> io::Result<Self> {
        let mut header = [0_u8; 24];
        let fields = [
            MAGIC_NANOSECONDS.to_le_bytes(),
            [2, 0, 4, 0],
            [0; 4],
            [0; 4],
            snap_len.to_le_bytes(),
            u32::from(link.0).to_le_bytes(),
        ];
        for (place, field) in header.chunks_exact_mut(4).zip(fields) {
            place.copy_from_slice(&field);
        }
        out.write_all(&header)?;
        Ok(Self { out, snap_len, written: 24 })
    }

    /// Writes one packet. Times outside 1970 to 2106 are put at the nearest end of that span, which is all the format has.
    ///
    /// # Errors
    /// What writing says.
    pub fn packet(&mut self, time_ns: i64, wire_len: u32, data: &[u8]) -> io::Result<()> {
        let kept = data.len().min(usize::try_from(self.snap_len).unwrap_or(usize::MAX));
        let data = data.get(..kept).unwrap_or(data);
        let kept = u32::try_from(kept).unwrap_or(u32::MAX);
        let time = u64::try_from(time_ns).unwrap_or(0);
        let seconds = u32::try_from(time / 1_000_000_000).unwrap_or(u32::MAX);
        let nanos = u32::try_from(time % 1_000_000_000).unwrap_or(0);
        for field in [seconds, nanos, kept, wire_len] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        self.out.write_all(data)?;
        self.written += 16 + u64::from(kept);
        Ok(())
    }

    /// Bytes written so far, the file header included.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Hands the output back, flushed.
    ///
    /// # Errors
    /// What flushing says.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }

    /// The output, to sync or to look at.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.out
    }
}
