//! What the sequence analysis says of one segment.

use std::ops::{BitOr, BitOrAssign};

use trafficlab_shared::model::capture::counts::TcpFlags;

/// A set of the fourteen marks of the analysis, and of one that only the analysis itself needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marks(u16);

impl Marks {
    /// Data, SYN or FIN that was there before: plain, fast and spurious ones.
    pub const RETRANSMISSION: Self = Self(1);
    /// A retransmission that duplicate ACKs asked for.
    pub const FAST_RETRANSMISSION: Self = Self(1 << 1);
    /// A retransmission of what was acknowledged already.
    pub const SPURIOUS_RETRANSMISSION: Self = Self(1 << 2);
    /// A segment that was overtaken.
    pub const OUT_OF_ORDER: Self = Self(1 << 3);
    /// An ACK that says nothing new.
    pub const DUPLICATE_ACK: Self = Self(1 << 4);
    /// Something before this segment was not captured.
    pub const LOST_SEGMENT: Self = Self(1 << 5);
    /// An ACK of something that was not captured.
    pub const ACK_LOST_SEGMENT: Self = Self(1 << 6);
    /// The receiver's buffer is full.
    pub const ZERO_WINDOW: Self = Self(1 << 7);
    /// One byte to learn whether it still is.
    pub const ZERO_WINDOW_PROBE: Self = Self(1 << 8);
    /// Data that fills the receiver's buffer.
    pub const WINDOW_FULL: Self = Self(1 << 9);
    /// An ACK that only changes the window.
    pub const WINDOW_UPDATE: Self = Self(1 << 10);
    /// A segment before the next byte, to keep the connection.
    pub const KEEP_ALIVE: Self = Self(1 << 11);
    /// Its answer.
    pub const KEEP_ALIVE_ACK: Self = Self(1 << 12);
    /// A SYN on ports that were in use.
    pub const REUSED_PORTS: Self = Self(1 << 13);
    /// The answer to a zero window probe; tshark's field of that name is not among ours.
    pub(super) const ZERO_WINDOW_PROBE_ACK: Self = Self(1 << 14);
    /// None.
    pub const NONE: Self = Self(0);

    /// Whether any of `other` is set.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether none is set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The places of the set marks; each is the place of its counter in [`TcpFlags`].
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Counts each mark.
    pub fn count(self, counts: &mut TcpFlags) {
        if self.is_empty() {
            return;
        }
        for (mark, count) in [
            (Self::RETRANSMISSION, &mut counts.retransmission),
            (Self::FAST_RETRANSMISSION, &mut counts.fast_retransmission),
            (Self::SPURIOUS_RETRANSMISSION, &mut counts.spurious_retransmission),
            (Self::OUT_OF_ORDER, &mut counts.out_of_order),
            (Self::DUPLICATE_ACK, &mut counts.duplicate_ack),
            (Self::LOST_SEGMENT, &mut counts.lost_segment),
            (Self::ACK_LOST_SEGMENT, &mut counts.ack_lost_segment),
            (Self::ZERO_WINDOW, &mut counts.zero_window),
            (Self::ZERO_WINDOW_PROBE, &mut counts.zero_window_probe),
            (Self::WINDOW_FULL, &mut counts.window_full),
            (Self::WINDOW_UPDATE, &mut counts.window_update),
            (Self::KEEP_ALIVE, &mut counts.keep_alive),
            (Self::KEEP_ALIVE_ACK, &mut counts.keep_alive_ack),
            (Self::REUSED_PORTS, &mut counts.reused_ports),
        ] {
            *count += u64::from(self.has(mark));
        }
    }
}

impl BitOr for Marks {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitOrAssign for Marks {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// Which round trip a time is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundTrip {
    /// Data, or a FIN, to its ACK.
    Ack,
    /// SYN to SYN/ACK: the server's side of the tap.
    HandshakeServer,
    /// SYN/ACK to ACK: the client's side of the tap.
    HandshakeClient,
}

/// What the sequence analysis says of one segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Verdict {
    /// Its marks, as tshark shows them.
    pub marks: Marks,
    /// Time since the oldest copy of the segment whose end it acknowledges, in nanoseconds, as tshark's `ack_rtt`;
    /// negative where time went back, never zero.
    pub ack_rtt_ns: Option<i64>,
    /// A round trip by Karn's rule, in nanoseconds.
    pub round_trip: Option<(RoundTrip, u64)>,
    /// Whether it carries data.
    pub data: bool,
    /// Whether it repeats data, SYN or FIN for a reason: plain and fast retransmissions, not spurious ones. It is known
    /// of segments too of which tshark shows no marks.
    pub resent: bool,
    /// The initial round trip of its stream is shown with it for the first time.
    pub first_initial_rtt: bool,
}

impl Verdict {
    /// The same as `resent`.
    #[must_use]
    pub const fn retransmitted(&self) -> bool {
        self.resent
    }
}
