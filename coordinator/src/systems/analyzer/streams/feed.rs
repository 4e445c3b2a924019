//! The events of one capture for one client, read from the store as the client takes them.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::window::Window;

use super::clients::Place;
use super::event::{Event, Resume, Told};
use crate::dispatch::captures::CaptureNews;
use crate::store::Store;
use crate::store::captures::{ANOMALIES, CAPTURES, Capture, CaptureState, Gap};
use crate::store::segment::SegmentDir;
use crate::systems::analyzer::select;
use crate::systems::{Fault, Outcome, blocking};
use crate::windows::{self, WindowsError};

/// Windows read at once: some hundred kilobytes once they are JSON.
const PAGE: usize = 16;
/// Anomalies read at once.
const ANOMALY_PAGE: u64 = 64;
/// A client that is further behind, in windows or in anomalies, misses the oldest.
pub(super) const BEHIND: u64 = 256;
/// A client that hears nothing for so long gets a sign of life.
pub(super) const HEARTBEAT: Duration = Duration::from_secs(15);
/// Progress alone is told at most this often.
const PROGRESS: Duration = Duration::from_secs(1);

/// What a client gets next.
#[derive(Debug, PartialEq)]
pub(super) enum Next {
    /// An event.
    Event(Event),
    /// Nothing has happened for a while.
    Heartbeat,
    /// Nothing more will come.
    Over,
}

/// What is read from the store, which a blocking task can take along.
#[derive(Clone)]
struct Reader {
    store: Store,
    segments: SegmentDir,
    capture: String,
    /// The job whose anomalies are told; it stays the same for a client.
    job: String,
}

/// What there is at one moment.
struct Found {
    capture: Capture,
    windows: Vec<(u64, Window)>,
    anomalies: Vec<Anomaly>,
    anomaly_count: u64,
}

/// The events of one capture for one client.
pub(super) struct Feed {
    reader: Reader,
    news: Receiver<CaptureNews>,
    place: Place,
    told: Told,
    /// What was stored when the client came; up to here nothing is left out.
    stored: Told,
    gaps: usize,
    state: Option<(CaptureState, Option<String>)>,
    progress: (u64, Option<Instant>),
    queue: VecDeque<Event>,
    over: bool,
}

impl Feed {
    /// A feed that goes on at `resume`, or begins with the windows to come.
    ///
    /// # Errors
    /// When the store fails.
    pub(super) async fn open(
        store: &Store,
        segments: &SegmentDir,
        news: Receiver<CaptureNews>,
        place: Place,
        capture: &Capture,
        resume: Option<Resume>,
    ) -> Outcome<Self> {
        let job = capture.anomaly_job.clone().or_else(|| capture.analysis_job.clone()).unwrap_or_default();
        let reader = Reader { store: store.clone(), segments: segments.clone(), capture: capture.id.clone(), job };
        let own = reader.clone();
        let known_gaps = capture.gaps.clone();
        let (stored, told, gaps) = blocking(move || {
            let stored = own.stored()?;
            let told = own.resumed(stored, resume)?;
            Ok((stored, told, own.gaps_told(told, &known_gaps)?))
        })
        .await?;
        Ok(Self {
            reader,
            news,
            place,
            told,
            stored,
            gaps,
            state: None,
            progress: (0, None),
            queue: VecDeque::new(),
            over: false,
        })
    }

    /// Whether a client that went on here has been told everything already.
    pub(super) fn is_exhausted(&self, capture: &Capture) -> bool {
        capture.state.is_over() && self.told == self.stored
    }

    /// Waits for the next event. May be dropped while it waits; nothing is lost.
    ///
    /// # Errors
    /// When the store fails; the feed is of no more use then.
    pub(super) async fn next(&mut self) -> Outcome<Next> {
        let silence = Instant::now() + HEARTBEAT;
        loop {
            if let Some(event) = self.queue.pop_front() {
                self.told = event.told;
                return Ok(Next::Event(event));
            }
            if self.over || *self.place.closing.borrow() {
                return Ok(Next::Over);
            }
            self.refill().await?;
            if !self.queue.is_empty() {
                continue;
            }
            tokio::select! {
                () = of_interest(&mut self.news, &self.reader.capture) => {}
                _ = self.place.closing.changed() => {}
                () = tokio::time::sleep_until(silence) => return Ok(Next::Heartbeat),
            }
        }
    }

    /// Puts what is new into the queue.
    async fn refill(&mut self) -> Outcome<()> {
        let (reader, told, stored) = (self.reader.clone(), self.told, self.stored);
        let read = blocking(move || reader.read(told, stored)).await?;
        let Some((from, found)) = read else {
            self.queue.push_back(Event::end(&self.reader.capture, self.told, "removed"));
            self.over = true;
            return Ok(());
        };
        let mut told = from;
        let (windows, anomalies) = (from.windows - self.told.windows, from.anomalies - self.told.anomalies);
        self.tell_state(&found.capture, self.told);
        if windows + anomalies > 0 {
            self.queue.push_back(Event::lagged(&self.reader.capture, from, windows, anomalies));
        }
        for (id, window) in &found.windows {
            told.windows = id + 1;
            self.queue.push_back(Event::window(&self.reader.capture, told, *id, window));
        }
        for anomaly in &found.anomalies {
            let number = told.anomalies;
            told.anomalies += 1;
            self.queue.push_back(Event::anomaly(&self.reader.capture, told, number, anomaly));
        }
        for gap in found.capture.gaps.iter().skip(self.gaps) {
            self.queue.push_back(Event::gap(&self.reader.capture, told, gap));
        }
        self.gaps = self.gaps.max(found.capture.gaps.len());
        let complete = told.windows >= found.capture.windows && told.anomalies >= found.anomaly_count;
        if complete && found.capture.state.is_over() {
            self.queue.push_back(Event::end(&self.reader.capture, told, select::status(&found.capture)));
            self.over = true;
        }
        Ok(())
    }

    /// Tells where the capture stands when that has changed, or has moved on for a while.
    fn tell_state(&mut self, capture: &Capture, told: Told) {
        let state = (capture.state, capture.reason.clone());
        let (packets, last) = self.progress;
        let moved = capture.progress.packets != packets && last.is_none_or(|last| last.elapsed() >= PROGRESS);
        if self.state.as_ref() != Some(&state) || moved {
            self.queue.push_back(Event::state(capture, told));
            self.state = Some(state);
            self.progress = (capture.progress.packets, Some(Instant::now()));
        }
    }
}

impl Reader {
    /// How much is stored.
    fn stored(&self) -> Outcome<Told> {
        let windows = CAPTURES.get(&self.store, &self.capture)?.map_or(0, |capture| capture.windows);
        let anomalies = windows::anomalies_found(&self.store, &self.job)?;
        Ok(Told { windows, anomalies })
    }

    /// Where a client begins.
    fn resumed(&self, stored: Told, resume: Option<Resume>) -> Outcome<Told> {
        match resume {
            None => Ok(stored),
            Some(Resume::Behind(told)) => {
                Ok(Told { windows: told.windows.min(stored.windows), anomalies: told.anomalies.min(stored.anomalies) })
            }
            Some(Resume::Window(id)) => {
                let windows = id.saturating_add(1).min(stored.windows);
                let index = self.last_of(windows)?.map(|last| last.index);
                let earlier = |anomaly: &Anomaly| index.is_some_and(|index| anomaly.window_index <= index);
                let rows = ANOMALIES.scan_prefix(&self.store, &self.job, false);
                let mut anomalies = 0;
                for row in rows {
                    let ((_, number), anomaly) = row?;
                    if !earlier(&anomaly) {
                        break;
                    }
                    anomalies = number + 1;
                }
                Ok(Told { windows, anomalies })
            }
        }
    }

    /// The last of so many windows.
    fn last_of(&self, windows: u64) -> Outcome<Option<Window>> {
        let Some(id) = windows.checked_sub(1) else { return Ok(None) };
        windows::window(&self.store, &self.segments, &self.capture, id).map_err(|error| unreadable(&error))
    }

    /// Gaps that are over before the last window that is told, so they were told too.
    fn gaps_told(&self, told: Told, gaps: &[Gap]) -> Outcome<usize> {
        let last = self.last_of(told.windows)?;
        Ok(gaps.iter().take_while(|gap| last.as_ref().is_some_and(|last| gap.to_ns <= last.end_ns)).count())
    }

    /// What comes next, and where it begins, which is later than `told` for a client that fell behind. Anomalies follow
    /// once all windows are told. Nothing when the capture was removed.
    fn read(&self, told: Told, stored: Told) -> Outcome<Option<(Told, Found)>> {
        let Some(capture) = CAPTURES.get(&self.store, &self.capture)? else { return Ok(None) };
        let anomaly_count = windows::anomalies_found(&self.store, &self.job)?;
        let from = Told {
            windows: kept(told.windows, stored.windows, capture.windows),
            anomalies: kept(told.anomalies, stored.anomalies, anomaly_count),
        };
        let windows = windows::windows(&self.store, &self.segments, &self.capture, from.windows, PAGE)
            .map_err(|error| unreadable(&error))?;
        let next = windows.last().map_or(from.windows, |(id, _)| id + 1);
        let anomalies = if next >= capture.windows { self.anomalies(from.anomalies)? } else { Vec::new() };
        Ok(Some((from, Found { capture, windows, anomalies, anomaly_count })))
    }

    fn anomalies(&self, from: u64) -> Outcome<Vec<Anomaly>> {
        let range = (&(self.job.clone(), from), &(self.job.clone(), from.saturating_add(ANOMALY_PAGE)));
        let rows = ANOMALIES.range(&self.store, range.0, range.1, false);
        Ok(rows.map(|row| row.map(|(_, anomaly)| anomaly)).collect::<Result<_, _>>()?)
    }
}

fn unreadable(error: &WindowsError) -> Fault {
    Fault::internal("windows cannot be read", error)
}

/// Where a client goes on: what was stored when it came is told in full, later it may be [`BEHIND`] by so many.
fn kept(told: u64, stored: u64, now: u64) -> u64 {
    if told < stored { told } else { told.max(now.saturating_sub(BEHIND)) }
}

/// Waits for news of this capture, or for having missed some.
async fn of_interest(news: &mut Receiver<CaptureNews>, capture: &str) {
    loop {
        match news.recv().await {
            Ok(news) if news.capture() == capture => return,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return,
            // The dispatcher lives as long as the process; without it, looking now and then still is right.
            Err(RecvError::Closed) => return tokio::time::sleep(PROGRESS).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_comes_later_can_be_missed() {
        // Stored when the client came: 1000. All of that is told, however far behind it is.
        assert_eq!(kept(0, 1000, 5000), 0);
        assert_eq!(kept(999, 1000, 5000), 999);
        assert_eq!(kept(1000, 1000, 1256), 1000);
        assert_eq!(kept(1000, 1000, 5000), 5000 - BEHIND);
        assert_eq!(kept(0, 0, 10), 0);
    }
}
