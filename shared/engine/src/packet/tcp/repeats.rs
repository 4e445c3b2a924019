//! The rules for segments that do not bring anything new: retransmissions and what was only overtaken.

use super::open::before;
use super::stream::{Case, Direction};
use super::verdict::Marks;
use super::{FIN, SYN};

/// A fast retransmission follows the last duplicate ACK within this time.
const FAST_NS: u64 = 20_000_000;

/// A segment counts as overtaken within this time where the initial round trip is not known.
const USUAL_ROUND_TRIP_NS: u64 = 3_000_000;

/// Marks retransmissions and overtaken segments. Whether the segment begins before the highest byte seen, which takes
/// it out of Karn's rule, whatever it is called.
pub(super) fn judge(forward: &Direction, reverse: &Direction, case: &mut Case<'_>) -> bool {
    let segment = case.segment;
    if segment.len == 0 && !case.has(SYN | FIN) {
        return false;
    }
    let behind = forward.next != 0 && before(segment.seq, forward.next);
    if case.marks.has(Marks::KEEP_ALIVE) {
        return behind;
    }
    // A segment of several bytes at the place of a zero window probe brings something new.
    let repeats = behind && !(segment.len > 1 && forward.next.wrapping_sub(1) == segment.seq);
    case.marks |= kind(forward, reverse, case, repeats);
    behind
}

fn kind(forward: &Direction, reverse: &Direction, case: &Case<'_>, repeats: bool) -> Marks {
    let segment = case.segment;
    let data_end = segment.seq.wrapping_add(segment.len);
    if segment.len > 0 && reverse.last_ack != 0 && !before(reverse.last_ack, data_end) {
        return Marks::SPURIOUS_RETRANSMISSION | Marks::RETRANSMISSION;
    }
    if !repeats {
        return Marks::NONE;
    }
    // Differences that would be negative count as very long.
    let since_other = case.time_ns.wrapping_sub(reverse.last_ns).cast_unsigned();
    if reverse.duplicate_acks >= 2 && reverse.last_ack == segment.seq && since_other < FAST_NS {
        return Marks::FAST_RETRANSMISSION | Marks::RETRANSMISSION;
    }
    let since_raised = case.time_ns.wrapping_sub(forward.next_ns).cast_unsigned();
    let allowed = match case.initial_rtt_ns {
        0 => USUAL_ROUND_TRIP_NS,
        known => known.cast_unsigned(),
    };
    if since_raised < allowed && forward.next != case.end() {
        return Marks::OUT_OF_ORDER;
    }
    Marks::RETRANSMISSION
}
