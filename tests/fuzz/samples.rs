//! One value of every wire message and stored record, the same in every run.

use std::sync::Arc;

use bytes::Bytes;
use coordinator::store::campaigns::{Campaign, CampaignFields};
use coordinator::store::entries::{Extent, Position, SetAside};
use coordinator::store::runs::{Run, RunState, Shard, ShardState, Totals};
use coordinator::store::segment::{Committed, Location};
use coordinator::store::thresholds::{Crossing, Rules};
use coordinator::store::workers::{Counts, WorkerFigures};
use serde_json::json;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_shared::model::arrivals::{Arrivals, Process, RateChange, Stage};
use trafficlab_shared::model::campaign::CampaignStatus;
use trafficlab_shared::model::content::ContentSpec;
use trafficlab_shared::model::run::{HeaderField, HttpSpec, HttpVersion, Mode, ResponseChecks, RunSpec};
use trafficlab_shared::model::threshold::{Threshold, ThresholdRule};
use trafficlab_shared::protocol::control::{Desired, DesiredState, WorkerDirective};
use trafficlab_shared::protocol::heartbeat::{ActorReport, Heartbeat};
use trafficlab_shared::protocol::job::{KnownLog, ShardJob};
use trafficlab_shared::protocol::report::{Cursor, Delivery, EndReason, Event, Origin, Record, Results, Span};

const JOB: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c11";
const ORIGIN: Origin = Origin { activation: 2, active_ns: 4_000_000_000, wall_ns: 1_767_225_600_000_000_000 };
const CHANGE: RateChange = RateChange { from_slot: 7, rate: 60_000_000, duration_ms: 90_000 };

pub(super) fn plan() -> RunSpec {
    RunSpec {
        job: JOB.into(),
        campaign: "spring".into(),
        seed: u64::MAX,
        mode: Mode::Http,
        shards: 8,
        arrivals: Arrivals::Stages { stages: vec![Stage { seconds: 30, target: 120_000_000 }], process: Process::Even },
        rate: 60_000_000,
        duration_ms: 60_000,
        warm_up_ms: 5000,
        catch_up_ms: 1000,
        keep_one_in: 10,
        live_entries: true,
        shown_url: Some("https://shop.example.com/".into()),
        content: ContentSpec::default(),
        http: Some(HttpSpec {
            method: "POST".into(),
            url: "https://shop.example.com/?q={{uuid}}".into(),
            headers: vec![HeaderField { name: "X-Key".into(), value: "sealed".into(), sealed: true }],
            body: Some("{}".into()),
            connections: 64,
            timeout_ms: 30_000,
            max_redirects: 2,
            checks: ResponseChecks { statuses: vec![200], body_contains: Some("ok".into()), max_latency_ms: Some(500) },
            allow_targets: vec!["shop.example.com".into()],
            ownership_proven: true,
            version: HttpVersion::Http1,
            close_connections: false,
            streams: None,
        }),
    }
}

pub(super) fn job() -> ShardJob {
    let known = KnownLog { started: true, epoch: 3, cursor: Cursor { slot: 12, k: 5 } };
    ShardJob { v: 1, run: Arc::new(plan()), shard: 3, attempt: 2, revision: 4, activation: 2, known }
}

pub(super) fn desired() -> Desired {
    Desired {
        v: 1,
        revision: 4,
        activation: 2,
        state: DesiredState::Pause,
        rate: 60_000_000,
        duration_ms: 90_000,
        at_slot: 13,
        origin_ns: Some(ORIGIN.wall_ns),
    }
}

pub(super) fn directive() -> WorkerDirective {
    WorkerDirective { v: 1, limit: Some(4), drain: true, share: None }
}

pub(super) fn heartbeat() -> Heartbeat {
    let report = ActorReport { job: JOB.into(), shard: 3, state: "backing_off".into(), reason: Some("no luck".into()) };
    Heartbeat {
        v: 1,
        worker: "w1".into(),
        version: "0.1.0".into(),
        pid: 4711,
        host: "lab".into(),
        capacity: 256,
        running: 8,
        lanes: 2,
        draining: true,
        rss_bytes: 1 << 27,
        cpu_ms: 12_345,
        troubled: vec![report],
        malformed_jobs: 1,
        restarts: 2,
        lane_busy: Vec::new(),
        interfaces: Vec::new(),
        captures: 0,
    }
}

fn record(event: Event) -> Record {
    Record {
        v: 1,
        job: JOB.into(),
        shard: 3,
        epoch: 3,
        worker: "w1".into(),
        delivery: Delivery { sequence: 99, count: 2 },
        event,
        revision: 4,
        origin: Some(ORIGIN),
        from: Cursor { slot: 11, k: 0 },
        next: Cursor { slot: 12, k: 5 },
        open: vec![Span { slot: 11, k: 2, n: 3 }],
        history: vec![CHANGE],
        results: None,
    }
}

/// One record of every event.
pub(super) fn records() -> Vec<(&'static str, Record)> {
    let results = Results {
        count: 2,
        block: Bytes::from_static(b"block"),
        counters: Bytes::from_static(b"counters"),
        timings: Bytes::from_static(b"timings"),
    };
    vec![
        ("start", record(Event::Start { idle_starts: 1 })),
        ("batch", Record { results: Some(results), ..record(Event::Batch) }),
        ("control", record(Event::Control { effective_slot: 13 })),
        ("pause", record(Event::Pause)),
        ("yield", record(Event::Yield)),
        ("completed", record(Event::End { reason: EndReason::Completed })),
        ("stopped", record(Event::End { reason: EndReason::Stopped })),
        ("failed", record(Event::Failed { reason: "no luck".into(), attempts: 5 })),
    ]
}

pub(super) fn campaign() -> Campaign {
    Campaign {
        id: "spring".into(),
        name: "spring sale".into(),
        status: CampaignStatus::Error,
        reason: Some("no luck".into()),
        created_ns: 1,
        updated_ns: 2,
        started_ns: Some(3),
        ended_ns: Some(4),
        run: Some(JOB.into()),
        fields: CampaignFields {
            target_url: Some("https://shop.example.com/".into()),
            requests_per_minute: 60.5,
            duration_minutes: 1.25,
            geo_locations: json!(["Germany", {"country": "France", "weight": 3}]),
            rtb_config: json!({"floor_price": 0.5}),
            config: json!({"mode": "http", "seed": 18_446_744_073_709_551_615_u64}),
            user_profiles: json!([{"name": "p"}]),
        },
    }
}

pub(super) fn run() -> Run {
    Run {
        job: JOB.into(),
        campaign: "spring".into(),
        shards: 8,
        desired: desired(),
        state: RunState::Paused,
        reason: Some("no luck".into()),
        stopped_by: None,
        created_ns: 1,
        started_ns: Some(2),
        ended_ns: Some(3),
        cleared: true,
    }
}

pub(super) fn shard() -> Shard {
    Shard {
        state: ShardState::Yielded,
        epoch: 3,
        next: Cursor { slot: 12, k: 5 },
        sequence: 1234,
        stored_ns: 5,
        revision: 4,
        origin: Some(ORIGIN),
        history: vec![CHANGE],
        worker: "w1".into(),
        reason: Some("no luck".into()),
    }
}

pub(super) fn totals() -> Totals {
    Totals { entries: 10, bytes: 1000, updated_ns: 6, ..Totals::default() }
}

pub(super) fn rules() -> Rules {
    let threshold = Threshold::parse("p99.9 <= 1.5s").unwrap();
    let rule = ThresholdRule { threshold, abort_on: true, after_ms: 7000, window_ms: Some(10_000) };
    Rules { rules: vec![rule], crossings: vec![Crossing { rule: 0, value: 1623.25, active_ms: 12_345 }] }
}

pub(super) fn worker_figures() -> WorkerFigures {
    let counts = Counts { scheduled: 21, sent: 6, succeeded: 5, failed: 1, late: 2, dropped: 7, missed: 8 };
    WorkerFigures { counts, lag: Histogram::of(&mut [0, 900, 12_000]) }
}

pub(super) fn extent() -> Extent {
    Extent {
        location: Location { file: 1, offset: 4096, len: 512 },
        count: 10,
        job: JOB.into(),
        shard: 3,
        worker: "w1".into(),
        origin: ORIGIN,
    }
}

pub(super) fn position() -> Position {
    Position { stream_ns: 7, sequence: 1234, committed: Committed { file: 1, len: 4608 } }
}

pub(super) fn set_aside() -> SetAside {
    SetAside { subject: "tl.v1.res.x".into(), reason: "nonsense".into(), at_ns: 8, payload: vec![0, 1, 255] }
}
