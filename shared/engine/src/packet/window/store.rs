//! All windows of a capture, the one in use at hand, the others by number.

use std::collections::BTreeMap;

use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::settings::AnalysisSettings;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::{LongLived, Window};

use super::close::{Closed, close, flow_ends};
use super::long::Lengths;
use super::open::Open;
use super::piece::merge;
use super::sketch;
use super::totals::{Totals, note};
use crate::packet::scan::Scans;

/// Number of the place for packets without a time, which is no window.
pub(super) const TIMELESS: i64 = i64::MIN;
/// Long-lived connections told of one window.
pub(super) const MOST_LONG: usize = 100;
const SEALED: &str = "talkers, services, flows and states leave out packets that came after much later ones, \
                      because there was no room to hold the window open";

/// How windows come and go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowMode {
    /// Every window takes packets until the end.
    File,
    /// Windows close one after another.
    Live {
        /// Beginning of window 0 in nanoseconds since 1970, when an earlier owner has settled it; else the first
        /// packet's time.
        origin: Option<i64>,
        /// Windows before this one were told by an earlier owner.
        first_window: i64,
    },
}

/// What is left when the capture is over.
#[derive(Debug)]
pub struct Finished {
    /// Windows that were not told yet, in order.
    pub windows: Vec<Window>,
    /// Figures of the whole capture, besides those that only the reader and the flow table know.
    pub summary: Summary,
    /// Connections that were not told yet.
    pub connections: Vec<Connection>,
}

/// Everything counted of a capture.
#[derive(Debug)]
pub struct Windows {
    pub(super) length_ns: i64,
    pub(super) lateness_ns: i64,
    pub(super) live: bool,
    pub(super) origin: Option<i64>,
    /// Live: windows before this one are closed.
    pub(super) open_from: i64,
    pub(super) current: Box<Open>,
    /// The current window's times, half open; empty before the first packet.
    pub(super) bounds: (i64, i64),
    pub(super) others: BTreeMap<i64, Box<Open>>,
    pub(super) totals: Totals,
    pub(super) scans: Scans,
    pub(super) lengths: Lengths,
    /// Things that take room, by the settings' `exact`.
    pub(super) room: usize,
    pub(super) pieces_held: usize,
    pub(super) samples_held: usize,
    pub(super) last_time_ns: i64,
    /// The latest window there is.
    newest: i64,
}

impl Windows {
    /// Without packets.
    #[must_use]
    pub fn new(settings: &AnalysisSettings, mode: WindowMode) -> Self {
        let (live, origin, first) = match mode {
            WindowMode::File => (false, None, i64::MIN + 1),
            WindowMode::Live { origin, first_window } => (true, origin, first_window),
        };
        Self {
            length_ns: i64::try_from(settings.window_ns).unwrap_or(i64::MAX).max(1),
            lateness_ns: i64::try_from(settings.lateness_ns).unwrap_or(i64::MAX),
            live,
            origin,
            open_from: first,
            current: Box::new(Open::new(TIMELESS)),
            bounds: (0, 0),
            others: BTreeMap::new(),
            totals: Totals::new(settings.connections),
            scans: Scans::new(settings.thresholds.port_scan_ports),
            lengths: Lengths::default(),
            room: usize::try_from(settings.exact).unwrap_or(usize::MAX),
            pieces_held: 0,
            samples_held: 0,
            last_time_ns: 0,
            newest: TIMELESS,
        }
    }

    /// The number of the window that holds a moment. The first moment settles where windows begin.
    pub(super) fn index(&mut self, time_ns: i64) -> i64 {
        let origin = *self.origin.get_or_insert(time_ns);
        let distance = i128::from(time_ns) - i128::from(origin);
        i64::try_from(distance.div_euclid(i128::from(self.length_ns))).unwrap_or(i64::MAX)
    }

    /// The number of the window that took the last packet.
    #[must_use]
    pub const fn current_index(&self) -> i64 {
        self.current.index
    }

    /// Joins what a window behind the newest ones holds of each flow, and gives back the room that growing left over.
    fn settle(&mut self, index: i64) {
        let Some(open) = self.others.get_mut(&index) else { return };
        let before = open.pieces.len();
        merge(&mut open.pieces);
        open.pieces.shrink_to_fit();
        open.samples.exact.shrink_to_fit();
        self.pieces_held = self.pieces_held.saturating_sub(before - open.pieces.len());
    }

    /// Beginning and end of a window.
    pub(super) fn bounds_of(&self, index: i64) -> (i64, i64) {
        let origin = i128::from(self.origin.unwrap_or(0));
        let length = i128::from(self.length_ns);
        let narrow = |wide: i128| i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX });
        let start = origin + i128::from(index) * length;
        (narrow(start), narrow(start + length))
    }

    /// Makes a window the current one.
    pub(super) fn enter(&mut self, index: i64) {
        if self.current.index == index {
            return;
        }
        let next = self.others.remove(&index).unwrap_or_else(|| Box::new(Open::new(index)));
        let mut before = std::mem::replace(&mut self.current, next);
        if before.index == TIMELESS {
            self.current.take_drops(&mut before);
        }
        if before.tally.packets > 0 || !before.pieces.is_empty() {
            self.others.insert(before.index, before);
        }
        self.bounds = if index == TIMELESS { (0, 0) } else { self.bounds_of(index) };
        if index > self.newest {
            let behind = self.others.range(..self.newest).next_back().map(|(&behind, _)| behind);
            self.newest = index;
            behind.into_iter().for_each(|behind| self.settle(behind));
        }
        if self.pieces_held > self.room {
            self.seal_oldest();
        }
    }

    /// A window by number, if it has packets.
    pub(super) fn open_mut(&mut self, index: i64) -> Option<&mut Open> {
        if self.current.index == index {
            return Some(&mut self.current);
        }
        self.others.get_mut(&index).map(|open| &mut **open)
    }

    /// Live: the first window whose end and lateness have passed at that time.
    #[must_use]
    pub fn due(&self, now_ns: i64) -> Option<i64> {
        let ready =
            |index: i64| index != TIMELESS && self.bounds_of(index).1.saturating_add(self.lateness_ns) <= now_ns;
        let indices = self.others.keys().copied().chain([self.current.index]);
        indices.filter(|&index| ready(index)).min()
    }

    /// The numbers of flows that have sums for a window; to be flushed before it closes.
    pub fn active(&mut self, index: i64) -> Vec<u32> {
        self.open_mut(index).map(|open| std::mem::take(&mut open.active)).unwrap_or_default()
    }

    /// Live: closes a window, after its active flows were flushed. Packets that come for it later count as late.
    pub fn close(&mut self, index: i64) -> Option<Window> {
        if index == TIMELESS {
            return None;
        }
        let current = self.current.index;
        self.enter(TIMELESS);
        let mut open = self.others.remove(&index)?;
        if current != index {
            self.enter(current);
        }
        self.open_from = self.open_from.max(index.saturating_add(1));
        self.pieces_held = self.pieces_held.saturating_sub(open.pieces.len() + open.hosts.len());
        self.samples_held = self.samples_held.saturating_sub(open.samples.exact.len());
        let scans = self.scans.take(index);
        let (start, end) = self.bounds_of(index);
        let closed = close(&mut open, start, end, scans);
        self.totals.closed(&closed, &open.tally, self.room);
        self.totals.keep_samples(&mut open);
        Some(closed.window)
    }

    /// Live: adds drops that became known, to the current window.
    pub fn drops(&mut self, kernel: u64, app: u64) {
        self.current.kernel_drops += kernel;
        self.current.app_drops += app;
        self.totals.kernel_drops += kernel;
        self.totals.app_drops += app;
    }

    /// Connections that ended since the last call.
    pub fn connections(&mut self) -> Vec<Connection> {
        self.totals.connections()
    }

    /// The rest, after every flow was handed to `ended`.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        self.enter(TIMELESS);
        let span = self.totals.range_ns.map_or(0, |(min, max)| max.saturating_sub(min));
        self.scans.end(span);
        if !self.live {
            self.tell_long();
        }
        let mut windows = Vec::with_capacity(self.others.len());
        let mut opens = std::mem::take(&mut self.others);
        for (&index, open) in &mut opens {
            windows.push(self.tell(index, open));
        }
        let mut timeless = std::mem::take(&mut self.current);
        let rest = close(&mut timeless, 0, 0, Vec::new());
        self.totals.tally.add(&timeless.tally);
        self.totals.lists(&rest, self.room);
        self.totals.keep_timeless(timeless.samples.clone());
        let notes = if opens.values().any(|open| open.samples.approximate()) || self.totals.samples.approximate() {
            vec![sketch::ERROR.to_owned()]
        } else {
            Vec::new()
        };
        let summary = self.totals.summary(opens.values().map(|open| &**open), &notes);
        Finished { windows, summary, connections: self.totals.connections() }
    }

    fn tell(&mut self, index: i64, open: &mut Open) -> Window {
        let (start, end) = self.bounds_of(index);
        let scans = if self.live { self.scans.take(index) } else { self.scans.of(index) };
        let closed = close(open, start, end, scans);
        self.totals.closed(&closed, &open.tally, self.room);
        // The pieces have done their service, and the largest part of the memory is theirs.
        open.pieces = Vec::new();
        match open.sealed.take() {
            Some(sealed) => joined(*sealed, closed),
            None => closed.window,
        }
    }

    /// Tells the oldest window that still has pieces, and gives them up.
    fn seal_oldest(&mut self) {
        let Some((&index, _)) = self.others.iter().find(|(_, open)| !open.pieces.is_empty() || !open.hosts.is_empty())
        else {
            return;
        };
        let Some(mut open) = self.others.remove(&index) else { return };
        self.pieces_held = self.pieces_held.saturating_sub(open.pieces.len() + open.hosts.len());
        self.samples_held = self.samples_held.saturating_sub(open.samples.exact.len());
        let (start, end) = self.bounds_of(index);
        let closed = close(&mut open, start, end, Vec::new());
        self.totals.lists(&closed, self.room);
        self.totals.keep_samples(&mut open);
        open.pieces = Vec::new();
        open.hosts.clear();
        let sealed = match open.sealed.take() {
            Some(sealed) => joined(*sealed, closed),
            None => closed.window,
        };
        open.sealed = Some(Box::new(sealed));
        self.others.insert(index, open);
    }

    fn tell_long(&mut self) {
        let Some(range) = self.totals.range_ns else { return };
        let (milestone, candidates) = std::mem::take(&mut self.lengths).judge(range);
        for one in candidates {
            let index = self.index(one.first_ns.saturating_add(milestone));
            let (_, end) = self.bounds_of(index);
            let open_ns = end.min(one.last_ns).saturating_sub(one.first_ns);
            let told = LongLived {
                flow: flow_ends(&one.ends, 0),
                milestone_ns: u64::try_from(milestone).unwrap_or(0),
                open_ns: u64::try_from(open_ns).unwrap_or(0),
                bytes: one.bytes,
            };
            if let Some(open) = self.open_mut(index).filter(|open| open.long_lived.len() < MOST_LONG) {
                open.long_lived.push(told);
            }
        }
    }
}

/// A window that was told before, with the counters of now.
fn joined(sealed: Window, closed: Closed) -> Window {
    let now = closed.window;
    let more = now.connections.total > 0 || now.latency.count > 0;
    let mut window = Window {
        services: sealed.services,
        top_src: sealed.top_src,
        top_dst: sealed.top_dst,
        top_flows: sealed.top_flows,
        conversations: sealed.conversations,
        connections: sealed.connections,
        lossy: sealed.lossy,
        latency: sealed.latency,
        handshake_server: sealed.handshake_server,
        handshake_client: sealed.handshake_client,
        rtt_wireshark: sealed.rtt_wireshark,
        slow: sealed.slow,
        approximate: sealed.approximate,
        ..now
    };
    if more && !window.approximate.as_deref().is_some_and(|notes| notes.contains(SEALED)) {
        note(&mut window, SEALED);
    }
    window
}
