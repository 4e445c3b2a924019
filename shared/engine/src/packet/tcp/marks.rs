//! The rules for segments of every kind: windows, holes, keep-alives, duplicate ACKs, ACKs of what was not captured.

use super::open::before;
use super::stream::{Case, Direction, Scale};
use super::verdict::Marks;
use super::{ACK, FIN, RST, SYN};

/// Marks the segment before its data is looked at, and counts duplicate ACKs.
pub(super) fn before_data(forward: &mut Direction, reverse: &mut Direction, case: &mut Case<'_>) {
    let segment = case.segment;
    if segment.len == 1 && segment.seq == forward.next && reverse.window == 0 {
        case.marks |= Marks::ZERO_WINDOW_PROBE;
    } else {
        window_and_place(forward, reverse, case);
        if segment.len == 0 && !case.has(SYN | FIN | RST) {
            pure_ack(forward, reverse, case);
        }
    }
    if segment.ack != forward.last_ack {
        forward.duplicate_acks = 0;
    }
    ack_of_unseen(reverse, case);
}

/// Zero windows, holes, keep-alives and full windows.
fn window_and_place(forward: &Direction, reverse: &Direction, case: &mut Case<'_>) {
    let segment = case.segment;
    let plain = !case.has(SYN | FIN | RST);
    if segment.window == 0 && plain {
        case.marks |= Marks::ZERO_WINDOW;
    }
    if forward.next != 0 && before(forward.next, segment.seq) && !case.has(RST) {
        case.marks |= Marks::LOST_SEGMENT;
    }
    if segment.len <= 1 && segment.seq == forward.next.wrapping_sub(1) && plain {
        case.marks |= Marks::KEEP_ALIVE;
    }
    if segment.len > 0 && plain && fills(reverse, case) {
        case.marks |= Marks::WINDOW_FULL;
    }
}

/// Whether the segment ends at the edge of the window that the other side announced.
fn fills(reverse: &Direction, case: &Case<'_>) -> bool {
    let shift = match reverse.scale {
        Scale::Unknown => return false,
        Scale::By(shift) if !reverse.before_first_ack => u32::from(shift),
        Scale::By(_) | Scale::Unused => 0,
    };
    let edge = reverse.last_ack.wrapping_add(reverse.window.wrapping_shl(shift));
    case.segment.seq.wrapping_add(case.segment.len) == edge
}

/// Window updates, duplicate ACKs, and answers to probes: they have no data and repeat the last ACK.
fn pure_ack(forward: &mut Direction, reverse: &Direction, case: &mut Case<'_>) {
    let segment = case.segment;
    if segment.seq != forward.next || segment.ack != forward.last_ack {
        return;
    }
    let same_window = u32::from(segment.window) == forward.window;
    if segment.window == 0 {
        if same_window && reverse.last_marks.has(Marks::ZERO_WINDOW_PROBE) {
            case.marks |= Marks::ZERO_WINDOW_PROBE_ACK;
        }
    } else if !same_window {
        case.marks |= Marks::WINDOW_UPDATE;
    } else if reverse.last_marks.has(Marks::KEEP_ALIVE) {
        case.marks |= Marks::KEEP_ALIVE_ACK;
    } else {
        // After an ACK of something that was not captured the count begins at 1, as from 0.
        forward.duplicate_acks = forward.duplicate_acks.wrapping_add(1).max(1);
        case.marks |= Marks::DUPLICATE_ACK;
    }
}

/// An ACK of something that was not captured; said once for each hole.
fn ack_of_unseen(reverse: &mut Direction, case: &mut Case<'_>) {
    if reverse.contiguous == 0 || !case.has(ACK) || !before(reverse.contiguous, case.segment.ack) {
        return;
    }
    if before(reverse.contiguous, reverse.next) {
        reverse.contiguous = reverse.next;
        case.marks |= Marks::ACK_LOST_SEGMENT;
        return;
    }
    if reverse.duplicate_acks == 0 {
        case.marks |= Marks::ACK_LOST_SEGMENT;
    }
    reverse.duplicate_acks = u32::MAX;
}
