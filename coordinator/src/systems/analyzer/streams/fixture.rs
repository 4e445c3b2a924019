//! A capture put into a store by hand, for tests of streams, exports and figures.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use std::net::IpAddr;

use serde_json::json;
use trafficlab_engine::packet::pack;
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::connection::{Connection, Direction};
use trafficlab_shared::model::capture::counts::{Distribution, Talker};
use trafficlab_shared::model::capture::window::{Segments, Window};

use crate::store::captures::{
    ANOMALIES, CAPTURES, CONNECTION_EXTENTS, CONNECTIONS_FRAME, Capture, CaptureState, PackExtent, WINDOW_EXTENTS,
    WINDOWS_FRAME,
};
use crate::store::segment::{Committed, Frame, FrameMeta, Location, SegmentDir, SegmentLog, SegmentOptions};
use crate::store::{Batch, Store};

pub(in crate::systems::analyzer) const SECOND: i64 = 1_000_000_000;
/// Where window 0 begins.
pub(in crate::systems::analyzer) const ORIGIN: i64 = 1_700_000_000 * SECOND;

/// A store, its segments, and the capture `c` in it.
pub(in crate::systems::analyzer) struct Stored {
    pub(in crate::systems::analyzer) store: Store,
    pub(in crate::systems::analyzer) segments: SegmentDir,
    log: SegmentLog,
    pub(in crate::systems::analyzer) folder: tempfile::TempDir,
}

/// Window `index` of ten seconds.
pub(in crate::systems::analyzer) fn window(index: i64) -> Window {
    let start_ns = ORIGIN + index * 10 * SECOND;
    Window {
        index,
        start_ns,
        end_ns: start_ns + 10 * SECOND,
        first_ns: start_ns,
        last_ns: start_ns + SECOND,
        packets: 100,
        bytes: 125_000,
        conversations: 7,
        segments: Segments { data: 50, retransmitted: 1 },
        latency: Distribution { count: 9, p95_ns: 40_000_000, ..Distribution::default() },
        top_src: vec![Talker { addr: "192.0.2.7".to_owned(), bytes: 125_000, packets: 100 }],
        kernel_drops: 3,
        ..Window::default()
    }
}

/// A port scan in window `index`.
pub(in crate::systems::analyzer) fn anomaly(index: i64, severity: Severity) -> Anomaly {
    Anomaly {
        kind: AnomalyKind::PortScan,
        severity,
        window_index: index,
        start_ns: window(index).start_ns,
        end_ns: window(index).end_ns,
        message: "192.0.2.7 tried 20 ports of 192.0.2.9".to_owned(),
        metric: "failed_targets".to_owned(),
        current_value: 20.0,
        threshold: 15.0,
        baseline: BaselineUsed { source: "fixed".to_owned(), median: None, mad: None, windows: None },
        flow_src: Some("192.0.2.7".to_owned()),
        flow_dst: Some("192.0.2.9".to_owned()),
        protocol: Some("tcp".to_owned()),
    }
}

fn connection(id: u64) -> Connection {
    let address = |text: &str| text.parse::<IpAddr>().unwrap();
    Connection {
        id,
        protocol: "tcp".to_owned(),
        src: address("192.0.2.7"),
        src_port: 40_000,
        dst: address("2001:db8::9"),
        dst_port: 443,
        vlan: None,
        first_ns: ORIGIN,
        last_ns: ORIGIN + SECOND,
        service: Some("https".to_owned()),
        state: "SF".to_owned(),
        history: "ShAadDFf".to_owned(),
        sent: Direction { packets: 5, ip_bytes: 500, payload: 300, ..Direction::default() },
        received: Direction::default(),
        initial_rtt_ns: Some(1_000_000),
    }
}

impl Stored {
    /// With a capture in this state, which has nothing yet.
    pub(in crate::systems::analyzer) fn new(state: CaptureState) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = SegmentLog::open(folder.path(), Committed::default(), SegmentOptions::default()).unwrap();
        let store = Store::in_memory().unwrap();
        let segments = SegmentDir::new(folder.path());
        let stored = Self { store, segments, log, folder };
        let capture = json!({
            "id": "c", "name": "n", "source": {"kind": "live", "spec": {"interface": "eth0"}}, "state": state,
            "settings": {}, "created_ns": 1, "started_ns": 1, "analysis_job": "job", "anomaly_job": "job",
        });
        stored.put(&serde_json::from_value(capture).unwrap());
        stored
    }

    pub(in crate::systems::analyzer) fn capture(&self) -> Capture {
        CAPTURES.get(&self.store, &"c".to_owned()).unwrap().unwrap()
    }

    pub(in crate::systems::analyzer) fn put(&self, capture: &Capture) {
        let mut batch = Batch::new();
        CAPTURES.put(&mut batch, &capture.id, capture).unwrap();
        self.store.apply(batch).unwrap();
    }

    fn frame(&mut self, kind: u8, payload: &[u8]) -> Location {
        let meta = FrameMeta { kind, job: [0; 16], shard: 0, first_sequence: 0, count: 1, counters: Vec::new() };
        let locations = self.log.append(&[Frame { meta: &meta, payload }]).unwrap();
        self.log.sync().unwrap();
        locations[0]
    }

    /// Adds so many windows in one pack.
    pub(in crate::systems::analyzer) fn add_windows(&mut self, count: u32) {
        let mut capture = self.capture();
        let first = capture.windows;
        let indexes = first..first + u64::from(count);
        let windows: Vec<Window> = indexes.map(|id| window(i64::try_from(id).unwrap())).collect();
        let location = self.frame(WINDOWS_FRAME, &pack::windows(&windows));
        capture.windows += u64::from(count);
        let mut batch = Batch::new();
        WINDOW_EXTENTS.put(&mut batch, &("c".to_owned(), first), &PackExtent { location, count }).unwrap();
        CAPTURES.put(&mut batch, &capture.id, &capture).unwrap();
        self.store.apply(batch).unwrap();
    }

    /// Adds an anomaly.
    pub(in crate::systems::analyzer) fn add_anomaly(&self, anomaly: &Anomaly) {
        let mut capture = self.capture();
        let mut batch = Batch::new();
        ANOMALIES.put(&mut batch, &("job".to_owned(), capture.anomalies), anomaly).unwrap();
        capture.anomalies += 1;
        CAPTURES.put(&mut batch, &capture.id, &capture).unwrap();
        self.store.apply(batch).unwrap();
    }

    /// Adds so many connections.
    pub(in crate::systems::analyzer) fn add_connections(&mut self, count: u32) {
        let connections: Vec<Connection> = (0..u64::from(count)).map(connection).collect();
        let location = self.frame(CONNECTIONS_FRAME, &pack::connections(&connections));
        let mut capture = self.capture();
        capture.connections = u64::from(count);
        let mut batch = Batch::new();
        CONNECTION_EXTENTS.put(&mut batch, &("c".to_owned(), 0), &PackExtent { location, count }).unwrap();
        CAPTURES.put(&mut batch, &capture.id, &capture).unwrap();
        self.store.apply(batch).unwrap();
    }
}
