//! Reads frames, and tells what a crash left at the end of a log from damage before it.

use super::{Frame, FreshTexts, HEAD, MAGIC, VERSION, checksum};
use crate::traffic::pack::varint::unfold;
use crate::visit::column::{Dict, Row, Traffic};
use crate::visit::wire::{self, Cursor};

/// Reads the frames of a log one after another.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameReader {
    offset: usize,
}

/// Why no further frame can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameEnd {
    /// The last write did not become whole: from `offset` on there is no frame. What a crash leaves, and harmless,
    /// since nobody was told that these rows are durable.
    #[error("the log ends in a torn frame at byte {offset}")]
    Torn {
        /// Where the whole frames end.
        offset: usize,
    },
    /// Bytes are not what was written, and it was not the last write.
    #[error("the log is damaged at byte {offset}: {reason}")]
    Damaged {
        /// Where the whole frames end.
        offset: usize,
        /// What is wrong.
        reason: &'static str,
    },
}

impl FrameReader {
    /// Where the frames that were read end, in bytes from the beginning of the log.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The next frame of `log`, which is the whole log each time; nothing where it ends or only zeros follow.
    ///
    /// # Errors
    /// `Torn`, `Damaged`. The reader stays where it is.
    pub fn next<'a>(&mut self, log: &'a [u8]) -> Result<Option<Frame<'a>>, FrameEnd> {
        let offset = self.offset;
        let rest = log.get(offset..).unwrap_or_default();
        if let Some((body, length)) = whole(rest) {
            let Some(frame) = decode(body) else {
                return Err(FrameEnd::Damaged { offset, reason: "a frame does not hold what it says" });
            };
            self.offset += length;
            return Ok(Some(frame));
        }
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        if let [m, a, g, version, ..] = rest
            && [*m, *a, *g] == [MAGIC[0], MAGIC[1], MAGIC[2]]
            && *version > VERSION
        {
            return Err(FrameEnd::Damaged { offset, reason: "a frame is of a newer version" });
        }
        let later =
            memchr::memmem::find_iter(rest, &MAGIC).filter_map(|at| rest.get(at..)).any(|at| whole(at).is_some());
        if later {
            return Err(FrameEnd::Damaged { offset, reason: "frames follow bytes that are none" });
        }
        Err(FrameEnd::Torn { offset })
    }
}

/// The body of the frame at the front if it is as it was written, and the length of both.
fn whole(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let mut cursor = Cursor::new(bytes);
    if cursor.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let length = cursor.fixed32()?;
    let sum = cursor.fixed32()?;
    let body = cursor.take(usize::try_from(length).ok()?)?;
    (checksum(length.to_le_bytes(), body) == sum).then_some((body, HEAD + body.len()))
}

fn decode(body: &[u8]) -> Option<Frame<'_>> {
    let mut cursor = Cursor::new(body);
    let received_ms = cursor.signed()?;
    let mut texts = Vec::new();
    for _ in 0..cursor.number::<u8>()? {
        texts.push(fresh(&mut cursor)?);
    }
    let rows = rows(&mut cursor, received_ms)?;
    (cursor.left() == 0).then_some(Frame { received_ms, texts, rows })
}

fn fresh<'a>(cursor: &mut Cursor<'a>) -> Option<FreshTexts<'a>> {
    let dict = *Dict::ALL.get(usize::from(cursor.byte()?))?;
    let first = cursor.number()?;
    let count: usize = cursor.number()?;
    // Every length takes a byte, so that no more memory is asked for than the frame has bytes.
    if count > cursor.left() {
        return None;
    }
    let lengths: Option<Vec<usize>> = (0..count).map(|_| cursor.number()).collect();
    let text = |length| cursor.take(length).and_then(|bytes| str::from_utf8(bytes).ok());
    let texts: Option<Vec<&str>> = lengths?.into_iter().map(text).collect();
    Some(FreshTexts { dict, first, texts: texts? })
}

fn rows(cursor: &mut Cursor<'_>, received_ms: i64) -> Option<Vec<Row>> {
    let count: usize = cursor.number()?;
    let visitors = cursor.take(count.checked_mul(8)?)?;
    let mut rows = Vec::with_capacity(count);
    wire::each(visitors, 8, count, |visitor| rows.push(Row { visitor, ..Row::default() }));
    column(cursor, &mut rows, |row, value| {
        row.time_ms = unfold(value).wrapping_add(received_ms);
        true
    })?;
    column(cursor, &mut rows, |row, value| {
        row.event_id = value;
        true
    })?;
    column(cursor, &mut rows, |row, value| {
        row.revenue_micros = unfold(value);
        true
    })?;
    column(cursor, &mut rows, |row, value| {
        let traffic = u8::try_from(value).ok().and_then(Traffic::from_byte);
        row.traffic = traffic.unwrap_or_default();
        traffic.is_some()
    })?;
    for dict in Dict::ALL {
        column(cursor, &mut rows, |row, value| {
            let code = u32::try_from(value);
            row.codes.get_mut(dict.index()).zip(code.ok()).map(|(place, code)| *place = code).is_some()
        })?;
    }
    Some(rows)
}

/// Sets a column of all rows; none when the bytes end or `set` refuses a value.
fn column(cursor: &mut Cursor<'_>, rows: &mut [Row], mut set: impl FnMut(&mut Row, u64) -> bool) -> Option<()> {
    let least: u64 = cursor.number()?;
    let width = cursor.byte().filter(|width| matches!(width, 0 | 1 | 2 | 4 | 8))?;
    let values = cursor.take(rows.len().checked_mul(usize::from(width))?)?;
    let (count, mut rows, mut fine) = (rows.len(), rows.iter_mut(), true);
    wire::each(values, width, count, |above| {
        fine &= rows.next().zip(least.checked_add(above)).is_some_and(|(row, value)| set(row, value));
    });
    fine.then_some(())
}
