//! The capture thread: reads the ring and never waits for anybody.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use pcap::Error;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use trafficlab_shared::clock;

use super::tap::{Tap, breakdown};
use super::{Batch, CaptureFault};

/// Longest sleep without packets: how fast a stop is noticed.
const SLEEP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// A batch leaves at this age, full or not.
const OLD: Duration = Duration::from_millis(20);
/// Batches that may wait for the analysis: over a second at 200 000 packets/s, at most 256 MiB with payload.
const WAITING: usize = 256;
/// The kernel's counters are read this often.
const COUNT_EVERY: Duration = Duration::from_millis(250);
/// After a stop the ring is read for this long at the most; the kernel keeps a packet back for 100 ms.
const DRAIN: Duration = Duration::from_millis(200);

/// What the capture thread says beside the packets.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// Set to end it.
    pub(crate) stop: AtomicBool,
    /// Packets that were analysed.
    pub(crate) packets: AtomicU64,
    /// Packets the kernel dropped.
    pub(crate) kernel_drops: AtomicU64,
    /// Packets that were taken and could not be handed on.
    pub(crate) app_drops: AtomicU64,
}

/// The analysis' end of a capture.
#[derive(Debug)]
pub(crate) struct Hand {
    /// Packets.
    pub(crate) batches: Receiver<Batch>,
    /// Where empty batches go back to.
    pub(crate) empty: SyncSender<Batch>,
}

/// The capture thread's end.
#[derive(Debug)]
pub(crate) struct Taking {
    tap: Tap,
    taken: Arc<Taken>,
    full: SyncSender<Batch>,
    empty: Receiver<Batch>,
    batch: Batch,
    begun: Instant,
    counted: Instant,
    kernel_before: u32,
}

impl Tap {
    /// Both ends of a capture.
    pub(crate) fn split(self, taken: Arc<Taken>) -> (Taking, Hand) {
        let (full, batches) = sync_channel(WAITING);
        let (back, empty) = sync_channel(WAITING);
        let now = Instant::now();
        let taking =
            Taking { tap: self, taken, full, empty, batch: Batch::new(), begun: now, counted: now, kernel_before: 0 };
        (taking, Hand { batches, empty: back })
    }
}

impl Taking {
    /// Takes packets until it is told to stop, then what is in the ring; blocks its thread.
    ///
    /// # Errors
    /// When the interface breaks down; what was taken before is handed on.
    pub(crate) fn run(mut self) -> Result<(), CaptureFault> {
        let done = self.take_until_stopped();
        self.hand_on();
        self.count();
        done
    }

    fn take_until_stopped(&mut self) -> Result<(), CaptureFault> {
        while !self.taken.stop.load(Ordering::Relaxed) {
            self.take_what_is_there(i64::MAX, None)?;
            self.sleep()?;
        }
        let last = i64::try_from(clock::wall_ns()).unwrap_or(i64::MAX);
        let deadline = Instant::now() + DRAIN;
        while Instant::now() < deadline && !self.take_what_is_there(last, Some(deadline))? {
            self.sleep()?;
        }
        Ok(())
    }

    /// Reads the ring until it is empty, a packet is newer than `last`, which comes back as true, or time is up.
    fn take_what_is_there(&mut self, last: i64, deadline: Option<Instant>) -> Result<bool, CaptureFault> {
        loop {
            match self.tap.capture.next_packet() {
                Ok(packet) => {
                    let time_ns = packet.header.ts.tv_sec * 1_000_000_000 + packet.header.ts.tv_usec;
                    if time_ns > last {
                        return Ok(true);
                    }
                    self.batch.push(time_ns, packet.header.len, packet.data);
                }
                Err(Error::TimeoutExpired | Error::NoMorePackets) => {
                    self.hand_on();
                    return Ok(false);
                }
                Err(error) => return Err(breakdown(&self.tap.interface, &error)),
            }
            // The age of a batch is looked at only now and then, since the clock costs as much as a packet.
            if self.batch.is_full() || (self.batch.len().is_multiple_of(64) && self.begun.elapsed() >= OLD) {
                self.hand_on();
                let stopped = deadline.is_none() && self.taken.stop.load(Ordering::Relaxed);
                if stopped || deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                    return Ok(false);
                }
            }
        }
    }

    /// Passes the batch on, or counts its packets as refused: the ring must not wait for anybody.
    fn hand_on(&mut self) {
        self.begun = Instant::now();
        if self.begun.duration_since(self.counted) >= COUNT_EVERY {
            self.count();
        }
        if self.batch.is_empty() {
            return;
        }
        let next = self.empty.try_recv().unwrap_or_else(|_| Batch::new());
        let batch = std::mem::replace(&mut self.batch, next);
        if let Err(TrySendError::Full(mut refused) | TrySendError::Disconnected(mut refused)) =
            self.full.try_send(batch)
        {
            let packets = u64::try_from(refused.len()).unwrap_or(u64::MAX);
            self.taken.app_drops.fetch_add(packets, Ordering::Relaxed);
            refused.clear();
            self.batch = refused;
        }
    }

    fn count(&mut self) {
        self.counted = Instant::now();
        match self.tap.capture.stats() {
            Ok(stats) => {
                // The kernel's counter has 32 bits and wraps.
                let more = stats.dropped.wrapping_sub(self.kernel_before);
                self.kernel_before = stats.dropped;
                self.taken.kernel_drops.fetch_add(u64::from(more), Ordering::Relaxed);
            }
            Err(error) => tracing::debug!(%error, "drops cannot be counted"),
        }
    }

    /// Sleeps until there are packets, at most 50 ms.
    fn sleep(&mut self) -> Result<(), CaptureFault> {
        if self.counted.elapsed() >= COUNT_EVERY {
            self.count();
        }
        let mut ready = [PollFd::from_borrowed_fd(self.tap.capture.as_fd(), PollFlags::IN)];
        match poll(&mut ready, Some(&SLEEP)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(error) => {
                Err(CaptureFault(format!("interface `{}` cannot be waited for: {error}", self.tap.interface)))
            }
        }
    }
}
