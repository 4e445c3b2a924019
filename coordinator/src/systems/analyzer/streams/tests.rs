//! Feeds over stored rows: what a client is told, where it goes on, and what it misses.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "test code")]

use serde_json::Value;
use tokio::sync::broadcast::Sender;
use trafficlab_shared::model::capture::anomaly::Severity;

use super::clients::Clients;
use super::event::{Event, Resume, Told};
use super::feed::{BEHIND, Feed, Next};
use crate::dispatch::captures::CaptureNews;
use crate::store::captures::{CaptureState, Gap};
use crate::systems::Code;
use crate::systems::analyzer::streams::fixture::{ORIGIN, SECOND, Stored, anomaly};

struct Desk {
    stored: Stored,
    news: Sender<CaptureNews>,
    clients: Clients,
}

impl Desk {
    fn new(state: CaptureState) -> Self {
        Self { stored: Stored::new(state), news: Sender::new(4), clients: Clients::new(2) }
    }

    async fn feed(&self, resume: Option<&str>) -> Feed {
        let resume = resume.map(|text| Resume::read(text).unwrap());
        let place = self.clients.enter().unwrap();
        let (store, segments) = (&self.stored.store, &self.stored.segments);
        Feed::open(store, segments, self.news.subscribe(), place, &self.stored.capture(), resume).await.unwrap()
    }

    fn tell(&self) {
        let state = CaptureState::Running;
        self.news.send(CaptureNews::State { capture: "c".to_owned(), state }).unwrap();
    }
}

async fn event(feed: &mut Feed) -> Event {
    match feed.next().await.unwrap() {
        Next::Event(event) => event,
        other => panic!("{other:?} is no event"),
    }
}

/// The names and ids of the next events.
async fn names(feed: &mut Feed, count: usize) -> Vec<String> {
    let mut names = Vec::new();
    for _ in 0..count {
        let event = event(feed).await;
        names.push(format!("{} {}", event.name, event.told.id()));
    }
    names
}

#[tokio::test]
async fn a_new_client_hears_what_comes() {
    let mut desk = Desk::new(CaptureState::Running);
    desk.stored.add_windows(3);
    let mut feed = desk.feed(None).await;
    assert_eq!(names(&mut feed, 1).await, ["state 3-0"]);
    desk.stored.add_windows(1);
    desk.stored.add_anomaly(&anomaly(3, Severity::High));
    desk.tell();
    assert_eq!(names(&mut feed, 2).await, ["window 4-0", "anomaly 4-1"]);
    // News of others changes nothing; the end ends.
    desk.news.send(CaptureNews::Removed { capture: "other".to_owned() }).unwrap();
    let mut capture = desk.stored.capture();
    capture.state = CaptureState::Done;
    capture.gaps.push(Gap { from_ns: ORIGIN, to_ns: ORIGIN + SECOND, reason: "worker lost".to_owned() });
    desk.stored.put(&capture);
    desk.tell();
    assert_eq!(names(&mut feed, 3).await, ["state 4-1", "gap 4-1", "end 4-1"]);
    assert_eq!(feed.next().await.unwrap(), Next::Over);
}

#[tokio::test]
async fn a_client_goes_on_where_it_was() {
    let mut desk = Desk::new(CaptureState::Done);
    desk.stored.add_windows(40);
    for index in [1, 5, 30] {
        desk.stored.add_anomaly(&anomaly(index, Severity::Medium));
    }
    let mut feed = desk.feed(Some("37-1")).await;
    let told = ["state 37-1", "window 38-1", "window 39-1", "window 40-1", "anomaly 40-2", "anomaly 40-3", "end 40-3"];
    assert_eq!(names(&mut feed, 7).await, told);
    // A window's id alone: the anomalies up to this window were told with it.
    let mut feed = desk.feed(Some("5")).await;
    let event = event(&mut feed).await;
    assert_eq!(event.told, Told { windows: 6, anomalies: 2 });
    drop(feed);
    let feed = desk.feed(Some("40-3")).await;
    assert!(feed.is_exhausted(&desk.stored.capture()));
    drop(feed);
    // Ids beyond the end are those of another capture or of lost data.
    let mut feed = desk.feed(Some("900-900")).await;
    assert_eq!(names(&mut feed, 1).await, ["state 40-3"]);
}

#[tokio::test]
async fn what_is_stored_is_told_in_full_and_of_the_rest_the_newest() {
    let mut desk = Desk::new(CaptureState::Running);
    let many = u32::try_from(BEHIND).unwrap() + 44;
    desk.stored.add_windows(many);
    let mut feed = desk.feed(Some("0-0")).await;
    names(&mut feed, 11).await;
    // While the client is slow more come than it may be behind.
    desk.stored.add_windows(many);
    desk.tell();
    let all = u64::from(many) * 2;
    let (mut seen, mut lagged) = (10, Vec::new());
    while seen < all {
        let event = event(&mut feed).await;
        let data: Value = serde_json::from_str(&event.data).unwrap();
        match event.name {
            "window" => {
                assert_eq!(data["window"]["window_id"], seen);
                seen += 1;
            }
            "lagged" => {
                let missed = data["missed_windows"].as_u64().unwrap();
                lagged.push((seen, missed));
                seen += missed;
            }
            other => assert_eq!(other, "state"),
        }
    }
    // What the last page before it took along is not missed.
    assert_eq!(lagged.len(), 1, "{lagged:?}");
    let (at, missed) = lagged.first().copied().unwrap();
    assert!(at >= u64::from(many) && at + missed == all - BEHIND, "{lagged:?}");
}

#[tokio::test]
async fn places_are_bounded_and_given_back() {
    let desk = Desk::new(CaptureState::Running);
    let (first, _second) = (desk.feed(None).await, desk.feed(None).await);
    let refused = desk.clients.enter().unwrap_err();
    assert_eq!((refused.code, refused.retry_after), (Code::Unavailable, Some(10)));
    drop(first);
    let mut feed = desk.feed(None).await;
    names(&mut feed, 1).await;
    // A server that stops ends every feed.
    desk.clients.close();
    assert_eq!(feed.next().await.unwrap(), Next::Over);
}
