//! Port scans: sources whose attempts to connect fail at many different places.
//!
//! An attempt is a SYN. It fails when nothing answers within three seconds, when it is refused, or when it is reset
//! before any data. A source is told when, within five minutes, its failed attempts reach 15 ports of one host, 25 hosts
//! on one port, or 25 pairs of host and port without such a pattern (the thresholds of Zeek's scan detection, by and
//! large). SYN/ACKs and RSTs without a SYN before them, the echo of somebody else's forged addresses, begin no attempt.
//! Of a source that nobody has ever answered, 9 ports of one host or 9 hosts on one port are enough: with the rates of
//! success that J. Jung, V. Paxson, A. Berger and H. Balakrishnan take ("Fast Portscan Detection Using Sequential
//! Hypothesis Testing", 2004; 0.8 for honest sources, 0.2 for scanners), nine failures are 4^9, more than 100 000, times
//! as likely of a scanner. Where time goes back it counts as standing still.
//!
//! A scan is told once for each kind, source and victim, and again when it had fallen below its threshold before.

mod attempts;
mod counts;
mod sources;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use trafficlab_shared::model::capture::window::{Scan, ScanKind};

use attempts::{Attempts, Change};
use counts::{Counts, Pattern};
use sources::Answered;

/// How long failed attempts count.
const SLIDING: i64 = 300_000_000_000;
/// Silence after which an attempt has failed.
const PATIENCE: i64 = 3_000_000_000;
/// Attempts remembered, those still waiting included; beyond that the oldest are forgotten, so that in a flood of
/// forged sources a slow scan may be missed, and memory stays within about 60 MB.
const MOST_ATTEMPTS: usize = 1 << 18;
/// Hosts on one port, or pairs, that make a scan; the threshold of ports is in the settings.
pub(crate) const HOSTS: u32 = 25;
/// Ports or hosts that make a scan of a source that was never answered.
pub(crate) const UNANSWERED: u32 = 9;
/// Targets told as examples.
const EXAMPLES: usize = 10;
/// Scans told of one window.
const MOST_REPORTS: usize = 1_000;

/// An attempt's ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Target {
    /// Who tries.
    pub(crate) src: IpAddr,
    /// Where.
    pub(crate) dst: IpAddr,
    /// On which port.
    pub(crate) port: u16,
}

/// Where in time an attempt was made: the moment, and the window that holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Nanoseconds since 1970.
    pub(crate) time_ns: i64,
    /// Index of its window.
    pub(crate) window: i64,
}

#[derive(Debug, Clone)]
struct Report {
    pattern: Pattern,
    scan: Scan,
}

/// Watches attempts of all sources.
#[derive(Debug, Clone)]
pub(crate) struct Scans {
    ports: u32,
    /// Attempts remembered at the most.
    most: usize,
    attempts: Attempts,
    counts: Counts,
    answered: Answered,
    reports: BTreeMap<i64, Vec<Report>>,
    /// Windows before this one are told already; what is found for them goes here.
    open_from: i64,
    now_ns: i64,
}

impl Scans {
    /// With the number of ports of one host that make a scan.
    pub(crate) fn new(ports: u32) -> Self {
        Self {
            ports: ports.max(2),
            most: MOST_ATTEMPTS,
            attempts: Attempts::default(),
            counts: Counts::default(),
            answered: Answered::default(),
            reports: BTreeMap::new(),
            open_from: i64::MIN,
            now_ns: i64::MIN,
        }
    }

    /// Somebody sent a SYN.
    pub(crate) fn begun(&mut self, target: Target, at: Moment) {
        self.pass(at.time_ns);
        if self.attempts.len() >= self.most
            && let Some(change) = self.attempts.forget_oldest()
        {
            self.apply(change);
        }
        self.attempts.begin(target, self.still(at));
    }

    /// It was answered.
    pub(crate) fn answered(&mut self, target: Target) {
        self.answered.add(target.src);
        if let Some(change) = self.attempts.answered(target) {
            self.apply(change);
        }
    }

    /// It was refused, or reset before data.
    pub(crate) fn failed(&mut self, target: Target, at: Moment) {
        if let Some(change) = self.attempts.failed(target, self.still(at)) {
            self.apply(change);
        }
    }

    /// Whether `pass` has something to do at that time.
    pub(crate) fn due(&self, time_ns: i64) -> bool {
        self.attempts.next_due().is_some_and(|due| time_ns >= due)
    }

    /// Lets time pass: attempts that wait too long fail, old failures are forgotten.
    pub(crate) fn pass(&mut self, time_ns: i64) {
        self.now_ns = self.now_ns.max(time_ns);
        while let Some(change) = self.attempts.pass(self.now_ns) {
            self.apply(change);
        }
    }

    /// At the end of a file: what still waits is judged by the silence it has met. `span_ns` is the file's length;
    /// in one shorter than our patience every SYN without an answer has failed.
    pub(crate) fn end(&mut self, span_ns: i64) {
        let patience = if span_ns < PATIENCE { 0 } else { PATIENCE / 3 };
        self.pass(self.now_ns.saturating_add(PATIENCE - patience));
        // Nobody will answer these any more, and nobody ever answered their sources.
        for (target, begun) in self.attempts.still_waiting() {
            if !self.answered.has(target.src) {
                self.failed(target, begun);
            }
        }
    }

    /// Scans first found in a window, which is told now.
    pub(crate) fn take(&mut self, window: i64) -> Vec<Scan> {
        self.open_from = self.open_from.max(window.saturating_add(1));
        let reports = self.reports.remove(&window).unwrap_or_default();
        reports.into_iter().map(|report| report.scan).collect()
    }

    /// The same without closing the window.
    pub(crate) fn of(&self, window: i64) -> Vec<Scan> {
        self.reports.get(&window).into_iter().flatten().map(|report| report.scan.clone()).collect()
    }

    #[cfg(test)]
    fn windows(&self) -> Vec<i64> {
        self.reports.keys().copied().collect()
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::None => {}
            Change::Forgotten(target) => self.counts.remove(target, self.limits(target)),
            Change::Failed(target, window) => {
                let window = window.max(self.open_from);
                for (pattern, failed, crossed) in self.counts.add(target, self.limits(target)) {
                    self.report(pattern, target, failed, window, crossed);
                }
            }
        }
    }

    /// The same window at a time that does not lie before what was seen.
    fn still(&self, at: Moment) -> Moment {
        Moment { time_ns: at.time_ns.max(self.now_ns), ..at }
    }

    /// Ports, hosts and pairs that make a scan of this source.
    fn limits(&self, target: Target) -> [u32; 3] {
        if self.answered.has(target.src) {
            return [self.ports, HOSTS, HOSTS];
        }
        [self.ports.min(UNANSWERED), HOSTS.min(UNANSWERED), HOSTS]
    }

    fn report(&mut self, pattern: Pattern, target: Target, failed: u32, window: i64, crossed: bool) {
        let here = self.reports.get_mut(&window).and_then(|all| all.iter_mut().find(|one| one.pattern == pattern));
        if let Some(report) = here {
            report.scan.failed = report.scan.failed.max(u64::from(failed));
            return;
        }
        if !crossed {
            return;
        }
        let reports = self.reports.entry(window).or_default();
        if reports.len() >= MOST_REPORTS {
            return;
        }
        let examples = self.attempts.failures_of(pattern, EXAMPLES);
        let scan = Scan {
            kind: pattern.kind(),
            src: target.src.to_string(),
            victim: pattern.victim(),
            failed: u64::from(failed),
            examples: examples.into_iter().map(|(dst, port)| SocketAddr::new(dst, port).to_string()).collect(),
        };
        reports.push(Report { pattern, scan });
    }
}

impl Pattern {
    fn kind(self) -> ScanKind {
        match self {
            Self::Ports(..) => ScanKind::Ports,
            Self::Hosts(..) => ScanKind::Hosts,
            Self::Pairs(..) => ScanKind::Pairs,
        }
    }

    fn victim(self) -> Option<String> {
        match self {
            Self::Ports(_, host) => Some(host.to_string()),
            Self::Hosts(_, port) => Some(port.to_string()),
            Self::Pairs(_) => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod tests;
