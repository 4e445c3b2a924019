//! Recorded moments as arrivals: read from a log, packed for a run, played by the schedule.

mod log;
mod moment;
mod packed;
mod timeline;

pub use log::{Format, Replay, Skipped, read_log};
pub use moment::{number as number_moment, parse as parse_moment};
pub use packed::check;
pub use timeline::Timeline;
pub use trafficlab_shared::model::arrivals::moments::{MAX_MOMENTS, MAX_PACKED_BYTES, ONCE, speed_ppm};

/// Why recorded moments cannot be played.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// Nothing in it is a time.
    #[error(
        "none of its {lines} lines holds a time: epoch seconds or milliseconds, RFC 3339, a common or combined \
         log line, or a JSON object with `time`, `timestamp`, `ts` or `@timestamp`"
    )]
    NoTimes {
        /// Lines that are not blank.
        lines: u64,
    },
    /// More than a run can carry.
    #[error(
        "its {moments} moments take {bytes} bytes once packed; at most {MAX_MOMENTS} moments and {MAX_PACKED_BYTES} \
         bytes travel with a run"
    )]
    TooLarge {
        /// Moments.
        moments: u64,
        /// Bytes of the packed form.
        bytes: usize,
    },
    /// The packed form is not what `pack` wrote.
    #[error("packed moments are damaged: {0}")]
    Damaged(&'static str),
    /// The packed form could not be made.
    #[error("moments cannot be packed: {0}")]
    Unpackable(String),
}

#[cfg(test)]
mod tests;
