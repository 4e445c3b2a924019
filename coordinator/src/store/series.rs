//! A run's course in time: one record for ten seconds, made coarser as it ages.

use serde::{Deserialize, Serialize};
use trafficlab_engine::traffic::timings::{SecondPoint, merge_seconds};

use super::{FirstVersion, Table};

/// Blocks of each run, by job id and tens of seconds since 1970.
pub const SERIES: Table<(String, u64), Block> = Table::new("series");

/// Seconds of a block.
pub const BLOCK_SECONDS: u64 = 10;

/// The points of ten seconds: one a second at first, one after an hour; after a day the first
/// block of each minute holds a single point of that minute.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Block {
    /// Points, ascending by time.
    pub points: Vec<SecondPoint>,
}

impl FirstVersion for Block {}

impl Block {
    /// Adds points.
    pub fn merge(&mut self, points: &[SecondPoint]) {
        merge_seconds(&mut self.points, points);
    }

    /// Joins points into steps of `seconds`; true when that changed anything.
    pub fn coarsen(&mut self, seconds: u64) -> bool {
        let before = self.points.len();
        let mut joined: Vec<SecondPoint> = Vec::new();
        for mut point in std::mem::take(&mut self.points) {
            point.second -= point.second % seconds.max(1);
            match joined.last_mut() {
                Some(last) if last.second == point.second => last.merge(&point),
                _ => joined.push(point),
            }
        }
        self.points = joined;
        self.points.len() != before
    }
}
