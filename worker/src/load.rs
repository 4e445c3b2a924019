//! How much of its time each lane computes: noted by the lanes themselves, read with every heartbeat.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use trafficlab_shared::clock;

const NOTE_EVERY: Duration = Duration::from_secs(1);
/// A lane that has not come to noting anything for this long computes without a pause.
const STUCK_AFTER_NS: u64 = 3_000_000_000;

/// A lane's processor time, as its thread noted it last.
#[derive(Debug, Default)]
pub struct LaneLoad(Mutex<Note>);

#[derive(Debug, Clone, Copy, Default)]
struct Note {
    /// Processor time of the thread in nanoseconds.
    cpu_ns: u64,
    /// Boot time in nanoseconds.
    at_ns: u64,
}

impl LaneLoad {
    /// Notes the calling thread's processor time once a second, for ever.
    pub(crate) async fn keep_noting(self: Arc<Self>) {
        loop {
            let used = clock_gettime(ClockId::ThreadCPUTime);
            let seconds = u64::try_from(used.tv_sec).unwrap_or(0);
            let cpu_ns = seconds * 1_000_000_000 + u64::try_from(used.tv_nsec).unwrap_or(0);
            self.set(Note { cpu_ns, at_ns: clock::boot_ns() });
            tokio::time::sleep(NOTE_EVERY).await;
        }
    }

    fn set(&self, note: Note) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = note;
    }

    fn get(&self) -> Note {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns notes into shares.
#[derive(Debug)]
pub(crate) struct LoadMeter {
    lanes: Vec<(Arc<LaneLoad>, Note, f32)>,
}

impl LoadMeter {
    /// Measures from now on.
    pub(crate) fn new(lanes: &[Arc<LaneLoad>]) -> Self {
        Self { lanes: lanes.iter().map(|lane| (Arc::clone(lane), lane.get(), 0.0)).collect() }
    }

    /// Share of the time between its last two notes that each lane was on a processor, from 0 to 1.
    pub(crate) fn shares(&mut self, now_ns: u64) -> Vec<f32> {
        let share = |(lane, last, share): &mut (Arc<LaneLoad>, Note, f32)| {
            let note = lane.get();
            if note.at_ns > last.at_ns {
                *share = part(note.cpu_ns.saturating_sub(last.cpu_ns), note.at_ns - last.at_ns);
                *last = note;
            } else if now_ns.saturating_sub(note.at_ns) > STUCK_AFTER_NS {
                *share = 1.0;
            }
            *share
        };
        self.lanes.iter_mut().map(share).collect()
    }
}

#[allow(clippy::cast_precision_loss, reason = "a share to be shown")]
fn part(used: u64, of: u64) -> f32 {
    (used as f32 / of as f32).min(1.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "test code")]
    use super::*;

    #[test]
    fn shares_are_of_the_time_between_notes() {
        let lane = Arc::new(LaneLoad::default());
        let second = 1_000_000_000;
        lane.set(Note { cpu_ns: 5, at_ns: 10 * second });
        let mut meter = LoadMeter::new(&[Arc::clone(&lane)]);
        let percent = |meter: &mut LoadMeter, now: u64| (meter.shares(now)[0] * 100.0).round();
        assert!(percent(&mut meter, 10 * second).abs() < 0.5, "nothing to compare with yet");
        lane.set(Note { cpu_ns: 5 + second / 2, at_ns: 12 * second });
        assert!((percent(&mut meter, 12 * second) - 25.0).abs() < 0.5);
        assert!((percent(&mut meter, 14 * second) - 25.0).abs() < 0.5, "the last share stands");
        assert!((percent(&mut meter, 16 * second) - 100.0).abs() < 0.5, "no note for too long");
    }
}
