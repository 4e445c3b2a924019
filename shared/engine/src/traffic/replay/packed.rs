//! The form in which moments travel with a run: distances as LEB128 numbers, compressed.

use trafficlab_shared::model::arrivals::{Arrivals, Replay as Packed};

use super::log::Replay;
use super::timeline::Timeline;
use super::{MAX_MOMENTS, MAX_PACKED_BYTES, ReplayError};
use crate::traffic::pack::varint;

/// High, since moments are packed once and sent many times, and still quick enough for a request.
const LEVEL: i32 = 12;

/// A 64-bit number takes at most ten bytes.
const MAX_NUMBER_BYTES: usize = 10;

impl Replay {
    /// The moments as they travel with a run, played at `speed_ppm` millionths of the recorded speed.
    ///
    /// # Errors
    /// When they are more than a run can carry.
    pub fn pack(&self, speed_ppm: u64, repeat: bool) -> Result<Packed, ReplayError> {
        let offsets = self.offsets();
        let mut bytes = Vec::with_capacity(offsets.len() * 3);
        let mut before = 0;
        for offset in offsets {
            varint::push(&mut bytes, offset - before);
            before = *offset;
        }
        let packed = zstd::bulk::compress(&bytes, LEVEL).map_err(|error| ReplayError::Unpackable(error.to_string()))?;
        let moments = u64::try_from(offsets.len()).unwrap_or(u64::MAX);
        if offsets.len() > MAX_MOMENTS || packed.len() > MAX_PACKED_BYTES {
            return Err(ReplayError::TooLarge { moments, bytes: packed.len() });
        }
        let peak = self.timeline(speed_ppm, repeat).peak_per_second();
        Ok(Packed { packed, count: moments, span_us: before, speed_ppm, repeat, peak })
    }

    /// The moments that `pack` wrote.
    ///
    /// # Errors
    /// When the bytes are something else.
    pub fn from_packed(packed: &[u8]) -> Result<Self, ReplayError> {
        Ok(Self::of_offsets(unpacked(packed)?))
    }

    /// The moments ready to be played, however many.
    #[must_use]
    pub fn timeline(&self, speed_ppm: u64, repeat: bool) -> Timeline {
        Timeline::new(self.offsets(), speed_ppm, repeat)
    }
}

impl Timeline {
    /// The moments that `pack` wrote.
    ///
    /// # Errors
    /// When the bytes are something else, or more than a run can carry.
    pub fn unpack(replay: &Packed) -> Result<Self, ReplayError> {
        Ok(Self::new(&offsets(replay)?, replay.speed_ppm, replay.repeat))
    }
}

/// Whether a run's arrivals can be played: the check of whoever takes a plan from elsewhere.
///
/// # Errors
/// When they are a replay that is damaged.
pub fn check(arrivals: &Arrivals) -> Result<(), ReplayError> {
    match arrivals {
        Arrivals::Replay(replay) => offsets(replay).map(drop),
        _ => Ok(()),
    }
}

fn offsets(replay: &Packed) -> Result<Vec<u64>, ReplayError> {
    let offsets = unpacked(&replay.packed)?;
    let count = u64::try_from(offsets.len()).unwrap_or(u64::MAX);
    if count != replay.count || offsets.last() != Some(&replay.span_us) {
        return Err(ReplayError::Damaged("it has another length than it says"));
    }
    Ok(offsets)
}

fn unpacked(packed: &[u8]) -> Result<Vec<u64>, ReplayError> {
    if packed.len() > MAX_PACKED_BYTES {
        return Err(ReplayError::Damaged("its size is beyond the limits"));
    }
    let bytes = zstd::bulk::decompress(packed, MAX_MOMENTS * MAX_NUMBER_BYTES);
    let bytes = bytes.or(Err(ReplayError::Damaged("it cannot be decompressed")))?;
    let (mut rest, mut at) = (bytes.as_slice(), 0_u64);
    let mut offsets = Vec::new();
    while !rest.is_empty() {
        let distance = varint::take(&mut rest).and_then(|distance| at.checked_add(distance));
        at = distance.ok_or(ReplayError::Damaged("a distance is too long"))?;
        offsets.push(at);
    }
    if offsets.first() != Some(&0) || offsets.len() > MAX_MOMENTS {
        return Err(ReplayError::Damaged("its moments are not counted from the first, or too many"));
    }
    Ok(offsets)
}
