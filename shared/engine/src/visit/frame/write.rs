//! Writes frames.

use super::{HEAD, MAGIC, checksum};
use crate::traffic::pack::varint::{fold, push};
use crate::visit::column::{DICTS, Row};
use crate::visit::dictionary::Full;
use crate::visit::pack::Fresh;
use crate::visit::wire;

/// Appends a frame to `out`.
///
/// # Errors
/// `Full` when it would be longer than 4 GiB; `out` is as it was.
pub fn encode(received_ms: i64, fresh: &Fresh, rows: &[Row], out: &mut Vec<u8>) -> Result<(), Full> {
    let begin = out.len();
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&[0; HEAD - MAGIC.len()]);
    push(out, fold(received_ms));
    texts(fresh, out);
    push(out, length(rows.len()));
    rows.iter().for_each(|row| out.extend_from_slice(&row.visitor.to_le_bytes()));
    column(out, rows, |row| fold(row.time_ms.wrapping_sub(received_ms)));
    column(out, rows, |row| row.event_id);
    column(out, rows, |row| fold(row.revenue_micros));
    column(out, rows, |row| u64::from(row.traffic as u8));
    for at in 0..DICTS {
        column(out, rows, |row| u64::from(*row.codes.get(at).unwrap_or(&0)));
    }
    let closed = close(out.get_mut(begin..).unwrap_or_default());
    if closed.is_none() {
        out.truncate(begin);
    }
    closed.ok_or(Full)
}

fn texts(fresh: &Fresh, out: &mut Vec<u8>) {
    push(out, length(fresh.dictionaries().count()));
    for (dict, first, dictionary) in fresh.dictionaries() {
        let after = u32::try_from(dictionary.len()).unwrap_or(u32::MAX);
        out.push(dict as u8);
        push(out, u64::from(first));
        push(out, u64::from(after.saturating_sub(first)));
        (first..after).for_each(|code| push(out, length(dictionary.get(code).len())));
        (first..after).for_each(|code| out.extend_from_slice(dictionary.get(code).as_bytes()));
    }
}

fn column(out: &mut Vec<u8>, rows: &[Row], value: impl Fn(&Row) -> u64) {
    let (mut least, mut most) = (u64::MAX, 0);
    for row in rows {
        least = least.min(value(row));
        most = most.max(value(row));
    }
    let least = least.min(most);
    let width = wire::width(most - least);
    push(out, least);
    out.push(width);
    wire::put(out, width, rows.iter().map(|row| value(row) - least));
}

/// Fills in length and checksum.
fn close(frame: &mut [u8]) -> Option<()> {
    let (head, body) = frame.split_at_mut_checked(HEAD)?;
    let length = u32::try_from(body.len()).ok()?.to_le_bytes();
    let sum = checksum(length, body).to_le_bytes();
    let fields = length.into_iter().chain(sum);
    head.iter_mut().skip(MAGIC.len()).zip(fields).for_each(|(place, byte)| *place = byte);
    Some(())
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
