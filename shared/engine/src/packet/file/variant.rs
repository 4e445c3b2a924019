//! The kinds of pcap files: the standard one and those of systems that added to each record's header without a new
//! magic number, which only a look at the first records tells apart.

use super::buffer::Buffer;
use super::order::Order;

/// Records that must make sense for a kind to be taken at once.
const RECORDS_TRIED: usize = 3;
/// Longest original packet that makes sense; longer ones speak against a kind.
const LONGEST_PACKET: u32 = 128 * 1024 * 1024;
/// Bytes ahead that are looked at. Behind them everything is taken to make sense.
const FAR_ENOUGH: usize = 1024 * 1024;

/// How the records of a pcap file are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// Microseconds, records' headers of 16 bytes.
    Standard,
    /// Nanoseconds.
    Nanoseconds,
    /// Nanoseconds, by AIX.
    Aix,
    /// With interface and protocol behind each header, by patched versions of Linux.
    Extended,
    /// The same and a processor number.
    ExtendedWithProcessor,
    /// With four bytes more, by Nokia.
    Nokia,
}

/// Which of the two lengths of a record comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lengths {
    /// The captured one.
    CapturedFirst,
    /// The original one, before version 2.3.
    OriginalFirst,
    /// Version 2.3 was written both ways: the greater one is the original.
    Unclear,
}

/// What every record's header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordHead {
    pub(super) seconds: u32,
    pub(super) fraction: u32,
    pub(super) captured: u32,
    pub(super) original: u32,
}

/// How to read a record's header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) order: Order,
    pub(super) variant: Variant,
    pub(super) lengths: Lengths,
}

impl Variant {
    /// Bytes of a record's header.
    pub(super) fn head(self) -> usize {
        match self {
            Self::Standard | Self::Nanoseconds | Self::Aix => 16,
            Self::Nokia => 20,
            Self::Extended => 24,
            Self::ExtendedWithProcessor => 28,
        }
    }

    /// Nanoseconds of one unit of a time's fraction.
    pub(super) fn unit(self) -> u32 {
        if matches!(self, Self::Nanoseconds | Self::Aix) { 1 } else { 1_000 }
    }
}

impl Layout {
    #[inline]
    pub(super) fn read(&self, bytes: &[u8; 16]) -> RecordHead {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *bytes;
        let word = |bytes| self.order.u32(bytes);
        let (first, second) = (word([i, j, k, l]), word([m, n, o, p]));
        let swapped = match self.lengths {
            Lengths::CapturedFirst => false,
            Lengths::OriginalFirst => true,
            Lengths::Unclear => first > second,
        };
        let (captured, original) = if swapped { (second, first) } else { (first, second) };
        RecordHead { seconds: word([a, b, c, d]), fraction: word([e, f, g, h]), captured, original }
    }

    /// The first of `variants` whose first records make sense, or else the one with the fewest oddities.
    pub(super) fn guess(mut self, buffer: &mut Buffer, variants: &[Variant], limit: u32, snap_len: u32) -> Variant {
        let mut best = (u32::MAX, self.variant);
        for &variant in variants {
            self.variant = variant;
            let oddities = self.oddities(buffer, limit, snap_len);
            if oddities < best.0 {
                best = (oddities, variant);
            }
            if oddities == 0 {
                break;
            }
        }
        best.1
    }

    /// Oddities of the first odd record.
    fn oddities(&self, buffer: &mut Buffer, limit: u32, snap_len: u32) -> u32 {
        let mut at = 0;
        for _ in 0..RECORDS_TRIED {
            if !buffer.has(at + 1) || at > FAR_ENOUGH {
                return 0;
            }
            if !buffer.has(at + self.variant.head()) {
                return 1;
            }
            let Some(bytes) = buffer.array::<16>(at) else { return 1 };
            let head = self.read(&bytes);
            let odd = [
                head.fraction >= 1_000_000,
                head.captured > limit,
                head.original > LONGEST_PACKET,
                head.captured > snap_len,
                head.captured > head.original,
            ];
            let odd = odd.into_iter().map(u32::from).sum();
            if odd != 0 {
                return odd;
            }
            at += self.variant.head() + usize::try_from(head.captured).unwrap_or(FAR_ENOUGH);
            if at < FAR_ENOUGH && !buffer.has(at) {
                return 1;
            }
        }
        0
    }
}
