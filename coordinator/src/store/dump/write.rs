//! Writing a dump.

use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::files::{self, Piece};
use super::{DumpCounts, DumpError, EndLine, FORMAT, FileLine, HeaderLine, Line, SegmentLine, VERSION, hex};
use crate::store::Store;
use crate::store::kv::KeyRange;
use crate::store::segment::{Committed, SegmentDir};

/// Writes everything in `store`, the frames of `segments` up to `committed`, and the files in the folder `visits`, to `out`.
/// Nobody may write to them meanwhile: keys and frames are read one after the other, not at one instant. The command runs on a stopped
/// coordinator, which the lock of the store ensures.
///
/// # Errors
/// `Segment` with the place when a frame is damaged, `Store`, `Io`. What was written until then has no last line and is
/// refused by `restore`.
pub fn dump(
    store: &Store,
    segments: &SegmentDir,
    committed: Committed,
    visits: &Path,
    out: &mut dyn Write,
) -> Result<DumpCounts, DumpError> {
    let mut lines = Lines { out, hash: Sha256::new(), buffer: Vec::new() };
    let mut counts = DumpCounts::default();
    lines.write(&HeaderLine { format: FORMAT, version: VERSION })?;
    for pair in store.scan(KeyRange::all(), false) {
        let (key, value) = pair?;
        lines.write(&Line::Pair { k: &BASE64.encode(key), v: &BASE64.encode(value) })?;
        counts.keys += 1;
    }
    for file in segments.files()?.into_iter().filter(|file| *file <= committed.file) {
        let limit = (file == committed.file).then_some(committed.len);
        for scanned in segments.scan(file, limit)? {
            let location = scanned?.location;
            let frame = BASE64.encode(segments.read_raw(location)?);
            let segment = SegmentLine { file, offset: location.offset, len: location.len, frame: &frame };
            lines.write(&Line::Segment { segment })?;
            counts.frames += 1;
        }
    }
    files::each_piece(visits, |Piece { path, offset, len, bytes }| {
        let file = FileLine { path, offset, len, bytes: &BASE64.encode(bytes) };
        counts.pieces += 1;
        lines.write(&Line::File { file })
    })?;
    lines.finish(counts)?;
    Ok(counts)
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Lines<'_> {
    fn write(&mut self, line: &impl Serialize) -> Result<(), DumpError> {
        let failed = DumpError::io("write the dump");
        self.buffer.clear();
        if let Err(error) = serde_json::to_writer(&mut self.buffer, line) {
            return Err(failed(error.into()));
        }
        self.buffer.push(b'\n');
        self.hash.update(&self.buffer);
        self.out.write_all(&self.buffer).map_err(failed)
    }

    fn finish(mut self, counts: DumpCounts) -> Result<(), DumpError> {
        let sha256 = hex(&self.hash.clone().finalize());
        let DumpCounts { keys, frames, pieces } = counts;
        let end = EndLine { keys, frames, pieces, sha256: &sha256 };
        self.write(&Line::End { end })?;
        self.out.flush().map_err(DumpError::io("write the dump"))
    }
}
