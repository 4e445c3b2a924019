//! Reading moments from a log or a list of times.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::{ReplayError, moment};

/// Lines that decide which form a file has.
const LOOKED_AT: usize = 100;
const SECOND_US: u64 = 1_000_000;

/// The form of a file's lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One time a line.
    Times,
    /// Common or combined log lines.
    CommonLog,
    /// JSON objects.
    JsonLines,
}

impl Format {
    const ALL: [Self; 3] = [Self::Times, Self::CommonLog, Self::JsonLines];

    /// What people call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Times => "list of times",
            Self::CommonLog => "common log",
            Self::JsonLines => "JSON lines",
        }
    }

    fn read(self, line: &[u8]) -> Option<i64> {
        match self {
            Self::Times => moment::parse(std::str::from_utf8(line).ok()?),
            Self::CommonLog => moment::common_log(line),
            Self::JsonLines => json(line),
        }
    }
}

/// Lines that could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    /// How many.
    pub lines: u64,
    /// Number of the first one, from 1.
    pub first: u64,
}

/// Recorded moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// Offsets from the first moment in microseconds, ascending.
    pub(super) offsets: Arc<[u64]>,
    format: Format,
    skipped: Option<Skipped>,
    spread: bool,
}

impl Replay {
    /// Moments that were read elsewhere, in microseconds, in any order.
    ///
    /// # Errors
    /// When there is none.
    pub fn of_moments(moments: Vec<i64>) -> Result<Self, ReplayError> {
        Self::build(moments, Format::Times, None, 0)
    }

    /// Offsets from the first moment in microseconds, ascending. There is at least one, which is 0.
    #[must_use]
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }

    /// The form that was found.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// The lines that could not be read.
    #[must_use]
    pub const fn skipped(&self) -> Option<Skipped> {
        self.skipped
    }

    /// Whether the times were whole seconds, so that the requests of a second were spread evenly over it.
    #[must_use]
    pub const fn spread(&self) -> bool {
        self.spread
    }

    /// Offsets as `pack` took them, which are spread already.
    pub(super) fn of_offsets(offsets: Vec<u64>) -> Self {
        Self { offsets: offsets.into(), format: Format::Times, skipped: None, spread: false }
    }

    fn build(mut moments: Vec<i64>, format: Format, skipped: Option<Skipped>, lines: u64) -> Result<Self, ReplayError> {
        // Servers write a line when the response ends, so neighbours may be in the wrong order.
        moments.sort_unstable();
        let first = *moments.first().ok_or(ReplayError::NoTimes { lines })?;
        let offset = |moment: &i64| moment.abs_diff(first);
        let mut offsets: Vec<u64> = moments.iter().map(offset).collect();
        let whole = moments.iter().all(|moment| moment.rem_euclid(1_000_000) == 0);
        let spread = whole && spread(&mut offsets);
        Ok(Self { offsets: offsets.into(), format, skipped, spread })
    }
}

/// Reads the moments of a file; its form is found out from its first lines. Blank lines and those
/// that begin with `#` do not count. Times of whole seconds are spread: n requests of one second are
/// due an n-th of a second apart.
///
/// # Errors
/// When no line holds a time.
pub fn read_log(bytes: &[u8]) -> Result<Replay, ReplayError> {
    let lines = || {
        let numbered = (1_u64..).zip(bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii));
        numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with(b"#"))
    };
    let understood = |format: &Format| lines().take(LOOKED_AT).filter(|(_, line)| format.read(line).is_some()).count();
    let best = Format::ALL.into_iter().rev().max_by_key(understood).unwrap_or(Format::Times);
    let (mut moments, mut skipped, mut count) = (Vec::new(), None::<Skipped>, 0);
    for (number, line) in lines() {
        count += 1;
        match best.read(line) {
            Some(moment) => moments.push(moment),
            None => skipped.get_or_insert(Skipped { lines: 0, first: number }).lines += 1,
        }
    }
    Replay::build(moments, best, skipped, count)
}

#[derive(Deserialize)]
struct Line {
    time: Option<Value>,
    timestamp: Option<Value>,
    ts: Option<Value>,
    #[serde(rename = "@timestamp")]
    at_timestamp: Option<Value>,
}

fn json(line: &[u8]) -> Option<i64> {
    let line: Line = serde_json::from_slice(line).ok()?;
    let members = [line.time, line.timestamp, line.ts, line.at_timestamp];
    members.into_iter().flatten().find_map(|value| match value {
        Value::Number(number) => moment::number(&number),
        Value::String(text) => moment::parse(&text).or_else(|| moment::common_log(format!("[{text}]").as_bytes())),
        _ => None,
    })
}

/// Spreads ascending offsets of whole seconds over these; false when each second has one.
fn spread(offsets: &mut [u64]) -> bool {
    let mut any = false;
    for second in offsets.chunk_by_mut(|one, other| one == other) {
        let count = u64::try_from(second.len()).unwrap_or(u64::MAX);
        any |= count > 1;
        for (place, offset) in (0_u64..).zip(second) {
            *offset += place * SECOND_US / count;
        }
    }
    any
}
