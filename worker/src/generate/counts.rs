//! What is counted of a run: in each lane, added up over lanes and seconds.

use trafficlab_engine::traffic::counters::Tally;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::recorder::Recorder;
use trafficlab_shared::model::error_kind::ErrorKind;

use crate::io::http::Done;

/// Send lag from which a request counts as late, in microseconds; as in campaigns.
const LATE_US: u64 = 10_000;

/// Sums that add up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Counts {
    /// Arrivals whose moment came.
    pub(super) scheduled: u64,
    /// Requests that ended, answered or failed.
    pub(super) sent: u64,
    /// Of these, successes.
    pub(super) succeeded: u64,
    /// Of these, sent more than 10 ms after their moment.
    pub(super) late: u64,
    /// Arrivals that found the queue full or were unsent at the end.
    pub(super) dropped: u64,
    /// Arrivals the generator was too late for.
    pub(super) missed: u64,
    /// Bytes of responses, heads included.
    pub(super) bytes_in: u64,
    /// Bytes of requests, heads included; in simulations those of packed entries.
    pub(super) bytes_out: u64,
    /// Requests by the code of their error.
    pub(super) errors: Tally,
    /// Responses by status.
    pub(super) statuses: Tally,
}

impl Counts {
    pub(super) fn merge(&mut self, other: &Self) {
        self.scheduled += other.scheduled;
        self.sent += other.sent;
        self.succeeded += other.succeeded;
        self.late += other.late;
        self.dropped += other.dropped;
        self.missed += other.missed;
        self.bytes_in += other.bytes_in;
        self.bytes_out += other.bytes_out;
        self.errors.merge(&other.errors);
        self.statuses.merge(&other.statuses);
    }

    pub(super) const fn failed(&self) -> u64 {
        self.sent - self.succeeded
    }
}

/// The three times of some requests, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Times {
    /// From the intended moment to the end.
    pub(super) response: Histogram,
    /// From the real send to the end.
    pub(super) service: Histogram,
    /// From the intended moment to the real send.
    pub(super) lag: Histogram,
}

impl Times {
    pub(super) fn merge(&mut self, other: &Self) {
        self.response.merge(&other.response);
        self.service.merge(&other.service);
        self.lag.merge(&other.lag);
    }
}

/// A lane's counting; nothing is allocated per request.
pub(super) struct Counting {
    pub(super) counts: Counts,
    /// Responses by status, dense; they join the counts when these are taken.
    statuses: Vec<u64>,
    response: Recorder,
    service: Recorder,
    lag: Recorder,
    /// Boot time from which times are recorded.
    warm_ns: u64,
    /// Bounds of what was sent, boot time.
    pub(super) last_sent_ns: u64,
    pub(super) last_done_ns: u64,
}

impl Counting {
    /// Counts everything and records times of what is due from `warm_ns` on.
    pub(super) fn new(warm_ns: u64) -> Self {
        Self {
            counts: Counts::default(),
            statuses: vec![0; 1000],
            response: Recorder::default(),
            service: Recorder::default(),
            lag: Recorder::default(),
            warm_ns,
            last_sent_ns: 0,
            last_done_ns: 0,
        }
    }

    /// Counts a request that ended.
    pub(super) fn done(&mut self, done: &Done) {
        let us = |from: u64, to: u64| to.saturating_sub(from) / 1000;
        let lag = us(done.due_ns, done.sent_ns);
        self.counts.sent += 1;
        self.counts.succeeded += u64::from(done.success);
        self.counts.late += u64::from(lag > LATE_US);
        self.counts.bytes_in += done.bytes_in;
        self.counts.bytes_out += done.bytes_out;
        if done.error != ErrorKind::None {
            self.counts.errors.add(u16::from(done.error.code()), 1);
        }
        self.status(done.status);
        if done.due_ns >= self.warm_ns {
            self.response.record(us(done.due_ns, done.done_ns));
            self.service.record(us(done.sent_ns, done.done_ns));
            self.lag.record(lag);
        }
        self.last_sent_ns = self.last_sent_ns.max(done.sent_ns);
        self.last_done_ns = self.last_done_ns.max(done.done_ns);
    }

    /// Counts a drawn entry, whose response time is its service time.
    pub(super) fn drawn(&mut self, entry: &trafficlab_engine::traffic::pack::PackedEntry) {
        self.counts.sent += 1;
        self.counts.succeeded += u64::from(entry.success);
        self.counts.bytes_in += u64::from(entry.bytes_in);
        if entry.error != ErrorKind::None {
            self.counts.errors.add(u16::from(entry.error.code()), 1);
        }
        self.status(entry.status);
        self.response.record(u64::from(entry.response_us));
    }

    fn status(&mut self, status: u16) {
        if let Some(count) = self.statuses.get_mut(usize::from(status)).filter(|_| status > 0) {
            *count += 1;
        }
    }

    /// Everything since the last call.
    pub(super) fn take(&mut self) -> (Counts, Times) {
        let mut counts = std::mem::take(&mut self.counts);
        for (status, count) in (0_u16..).zip(self.statuses.iter_mut()).filter(|(_, count)| **count > 0) {
            counts.statuses.add(status, std::mem::take(count));
        }
        let times = Times { response: self.response.take(), service: self.service.take(), lag: self.lag.take() };
        (counts, times)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(due_ns: u64, sent_ns: u64, done_ns: u64, status: u16, error: ErrorKind) -> Done {
        let success = error == ErrorKind::None && status < 400;
        Done {
            slot: 0,
            k: 0,
            due_ns,
            sent_ns,
            done_ns,
            status,
            bytes_in: 10,
            bytes_out: 5,
            attempts: 1,
            error,
            success,
            body: None,
        }
    }

    #[test]
    fn every_request_is_counted_once_and_the_warm_up_is_not_timed() {
        let mut counting = Counting::new(1_000_000);
        counting.done(&done(0, 1, 2_000, 200, ErrorKind::None));
        counting.done(&done(1_000_000, 12_000_000, 14_000_000, 503, ErrorKind::None));
        counting.done(&done(2_000_000, 2_000_000, 3_000_000, 0, ErrorKind::Timeout));
        let (counts, times) = counting.take();
        assert_eq!((counts.sent, counts.succeeded, counts.failed(), counts.late), (3, 1, 2, 1));
        assert_eq!((counts.bytes_in, counts.bytes_out), (30, 15));
        assert_eq!(counts.statuses.iter().collect::<Vec<_>>(), [(200, 1), (503, 1)]);
        assert_eq!(counts.errors.iter().collect::<Vec<_>>(), [(u16::from(ErrorKind::Timeout.code()), 1)]);
        assert_eq!((times.response.count(), times.response.max()), (2, 13_000));
        assert_eq!((times.service.max(), times.lag.max()), (2_000, 11_000));
        let mut sum = counts.clone();
        sum.merge(&counting.take().0);
        assert_eq!(sum, counts);
    }
}
