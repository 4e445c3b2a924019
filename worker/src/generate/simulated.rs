//! Drawing instead of sending: what a shard of a simulated campaign does, without its log.

use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::pack::BlockWriter;
use trafficlab_engine::traffic::rng::EntryKey;
use trafficlab_engine::traffic::simulate::simulate_with_dims;
use trafficlab_shared::clock::boot_ns;
use trafficlab_shared::protocol::codec;
use trafficlab_shared::protocol::report::Cursor;

use super::lane::{LaneTask, Reporter};
use super::open::next_due;
use super::plan::Pace;
use crate::shard::arrivals::{Arrivals, Step};

/// Entries of one block, as in a shard's record.
const BLOCK: usize = 4096;
/// Entries drawn between two looks at the clock.
const CHUNK: u64 = 256;
/// Arrivals of a slot when there is no rate.
const PER_SLOT: u64 = 100_000;
const LOOK_UP: std::time::Duration = std::time::Duration::from_millis(10);
/// So much after its end a run that kept up may look at the clock; a longer one was too slow, and lasted longer.
const KEPT_UP_NS: u64 = 50_000_000;

struct Drawing<'a> {
    task: &'a LaneTask,
    reporter: &'a mut Reporter,
    block: BlockWriter,
    counters: Counters,
    left: u64,
}

/// Draws until time or entries are used up; says when that was.
pub(super) async fn run(task: &LaneTask, reporter: &mut Reporter) -> Result<u64, String> {
    let left = task.plan.budget(task.shard).unwrap_or(u64::MAX);
    let counters = Counters::default();
    let mut drawing = Drawing { task, reporter, block: BlockWriter::new(), counters, left };
    // What is drawn before the start would count for a time that does not.
    tokio::time::sleep(std::time::Duration::from_nanos(task.origin_ns.saturating_sub(boot_ns()))).await;
    let over_ns = match (&task.plan.pace, task.plan.schedule(task.shard)) {
        (Pace::Closed { .. }, _) => drawing.at_full_speed()?,
        (Pace::Open { .. }, Some(schedule)) => {
            drawing.as_due(Arrivals::new(schedule, Cursor { slot: 0, k: 0 })).await?
        }
        (Pace::Open { .. }, None) => return Err("a run with a rate has arrivals".to_owned()),
    };
    drawing.pack()?;
    Ok(over_ns)
}

impl Drawing<'_> {
    fn at_full_speed(&mut self) -> Result<u64, String> {
        let end_ns = self.task.end_ns();
        let mut number = 0;
        loop {
            let now = boot_ns();
            self.reporter.tick(now);
            if self.left == 0 || now >= end_ns || self.task.stop.is_asked() {
                return Ok(now.min(end_ns));
            }
            let chunk = CHUNK.min(self.left);
            for number in number..number + chunk {
                let slot = u32::try_from(number / PER_SLOT).unwrap_or(u32::MAX);
                self.draw(slot, u32::try_from(number % PER_SLOT).unwrap_or(0))?;
            }
            number += chunk;
        }
    }

    async fn as_due(&mut self, mut arrivals: Arrivals) -> Result<u64, String> {
        let origin = self.task.origin_ns;
        loop {
            let now = boot_ns();
            self.reporter.tick(now);
            if self.task.stop.is_asked() {
                return Ok(now);
            }
            if self.left == 0 {
                let due = next_due(&mut arrivals).map_or(now, |due| origin.saturating_add(due));
                return Ok(if now > due.saturating_add(KEPT_UP_NS) { now } else { due });
            }
            match arrivals.step(now.saturating_sub(origin)) {
                Step::Due(at, _) => {
                    self.draw(at.slot, at.k)?;
                    arrivals.advance();
                }
                Step::Boundary(slot) => arrivals.enter(slot),
                Step::Wait(_) => tokio::time::sleep(LOOK_UP).await,
                Step::Over => {
                    let end_ns = self.task.end_ns();
                    return Ok(if now > end_ns.saturating_add(KEPT_UP_NS) { now } else { now.min(end_ns) });
                }
            }
        }
    }

    fn draw(&mut self, slot: u32, k: u32) -> Result<(), String> {
        let key = EntryKey { seed: self.task.plan.seed, shard: self.task.shard, slot, k };
        let (entry, dims) = simulate_with_dims(&self.task.plan.content, key);
        self.left -= 1;
        self.counters.scheduled += 1;
        self.counters.add_entry(&entry, &dims);
        self.reporter.counting.counts.scheduled += 1;
        self.reporter.counting.drawn(&entry);
        self.block.push(&entry);
        if self.block.len() >= BLOCK { self.pack() } else { Ok(()) }
    }

    /// Encodes a block and its counters as for the log, and counts the bytes.
    fn pack(&mut self) -> Result<(), String> {
        let block = std::mem::take(&mut self.block).finish();
        let counters = codec::encode(&std::mem::take(&mut self.counters)).map_err(|error| error.to_string())?;
        let bytes = u64::try_from(block.len() + counters.len()).unwrap_or(0);
        self.reporter.counting.counts.bytes_out += bytes;
        Ok(())
    }
}
