//! Crossings and what they do to a run, on a store in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::timings::Timings;
use trafficlab_shared::model::threshold::Threshold;
use trafficlab_shared::protocol::control::{Desired, DesiredState};

use super::*;
use crate::store::campaigns::{Campaign, CampaignFields};
use crate::store::runs::RunState;

fn rule(text: &str) -> ThresholdRule {
    ThresholdRule { abort_on: true, ..ThresholdRule::of(Threshold::parse(text).unwrap()) }
}

fn measured(response_us: u64, failed: u64, active_ms: u64) -> Measured {
    let mut measured = Measured { active_ms, ..Measured::default() };
    measured.times.response = Histogram::of(&mut [response_us]);
    measured.counts.scheduled = 100;
    measured.counts.sent = 100;
    measured.counts.failed = failed;
    measured.counts.succeeded = 100 - failed;
    measured
}

#[test]
fn a_rule_is_crossed_once_and_not_before_its_time() {
    let quiet = ThresholdRule { abort_on: false, ..rule("p99<1ms") };
    let mut rules = Rules::new(vec![rule("p99<50ms"), rule("error_rate<=5%"), quiet]);
    let of = |rules: &Rules, seen: &Measured| -> Vec<usize> {
        crossed(rules, seen, &[]).iter().map(|crossing| crossing.rule).collect()
    };
    assert_eq!(of(&rules, &measured(73_200, 6, 4_999)), [0; 0]);
    assert_eq!(of(&rules, &measured(49_000, 5, 5_000)), [0; 0]);
    assert_eq!(of(&rules, &measured(73_200, 6, 5_000)), [0, 1]);
    rules.crossings.push(Crossing { rule: 0, value: 73.2, active_ms: 12_900 });
    assert_eq!(of(&rules, &measured(73_200, 6, 13_000)), [1]);
    assert_eq!(of(&rules, &Measured { active_ms: 9_000, ..Measured::default() }), [0; 0], "nothing measured");
    assert_eq!(sentence(&rules.rules[0], &rules.crossings[0]), "threshold `p99<50ms` crossed: 73.2 ms after 12 s");
}

#[test]
fn a_window_forgets_what_is_older() {
    let mut window = Window::default();
    for second in 1..=10_u64 {
        let counters = Counters { scheduled: 1, sent: 1, ..Counters::default() };
        let timings = Timings { response: Histogram::of(&mut [second * 1000]), ..Timings::default() };
        let mut step = Measured::default();
        add(&mut step, &counters, &timings);
        window.advance(step, second * 1000, 3000);
        // A pause: the clock stands still.
        window.advance(Measured::default(), second * 1000, 3000);
    }
    assert!(Window::default().last(3000).is_none());
    // A coordinator that was restarted in the middle of a run has not seen what came before.
    let mut late = Window::default();
    late.advance(Measured::default(), 60_000, 3000);
    late.advance(measured(1, 0, 0), 62_999, 3000);
    assert!(late.last(3000).is_none() && late.last(2999).is_some());
    let last = window.last(3000).unwrap();
    assert_eq!((last.counts.sent, last.times.response.max(), last.active_ms), (3, 10_000, 3000));
    assert_eq!(last.times.response.quantile(1) / 10, 800, "8000 in a bucket of 1 in 1024");
    let windowed = ThresholdRule { window_ms: Some(3000), ..rule("mean<9.5ms") };
    let mut rules = Rules::new(vec![windowed]);
    let whole = measured(1, 0, 10_000);
    assert!(crossed(&rules, &whole, &[Some(last.clone())]).is_empty());
    assert!(crossed(&rules, &whole, &[None]).is_empty());
    rules.rules[0].threshold = Threshold::parse("mean<8ms").unwrap();
    let crossing = crossed(&rules, &whole, &[Some(last)])[0];
    assert_eq!(sentence(&rules.rules[0], &crossing), "threshold `mean<8ms` crossed: 9.0 ms over 3 s after 10 s");
    rules.rules[0].window_ms = Some(1500);
    assert!(sentence(&rules.rules[0], &crossing).contains(" over 1.5 s after "));
}

fn store() -> Store {
    let store = Store::in_memory().unwrap();
    let desired = Desired {
        v: 1,
        revision: 1,
        activation: 1,
        state: DesiredState::Run,
        rate: 1,
        duration_ms: 60_000,
        at_slot: 0,
        origin_ns: Some(1),
    };
    let run = Run {
        job: "j".into(),
        campaign: "c".into(),
        shards: 1,
        desired,
        state: RunState::Running,
        reason: None,
        stopped_by: None,
        created_ns: 1,
        started_ns: Some(1),
        ended_ns: None,
        cleared: false,
    };
    let fields = serde_json::json!({"requests_per_minute": 1.0, "duration_minutes": 1.0, "geo_locations": [],
        "rtb_config": {}, "config": {}, "user_profiles": []});
    let campaign = Campaign {
        id: "c".into(),
        name: "c".into(),
        status: CampaignStatus::Running,
        reason: None,
        created_ns: 1,
        updated_ns: 1,
        started_ns: Some(1),
        ended_ns: None,
        run: Some("j".into()),
        fields: serde_json::from_value::<CampaignFields>(fields).unwrap(),
    };
    let mut batch = Batch::new();
    RUNS.put(&mut batch, &run.job.clone(), &run).unwrap();
    CAMPAIGNS.put(&mut batch, &campaign.id.clone(), &campaign).unwrap();
    store.apply(batch).unwrap();
    store
}

fn run_of(store: &Store) -> Run {
    RUNS.get(store, &"j".to_owned()).unwrap().unwrap()
}

#[test]
fn a_run_is_stopped_once_and_says_why() {
    let store = store();
    let rules = Rules::new(vec![rule("p99<50ms")]);
    assert!(!store_crossings(&store, &run_of(&store), &rules, None).unwrap());
    assert!(run_of(&store).is_generating());
    assert!(store_crossings(&store, &run_of(&store), &rules, Some("slow")).unwrap());
    let (run, campaign) = (run_of(&store), CAMPAIGNS.get(&store, &"c".to_owned()).unwrap().unwrap());
    assert_eq!((run.desired.state, run.desired.revision, run.why()), (DesiredState::Stop, 2, Some("slow")));
    assert_eq!((campaign.status, campaign.reason.as_deref()), (CampaignStatus::Stopped, Some("slow")));
    assert!(!store_crossings(&store, &run, &rules, Some("again")).unwrap());
    assert_eq!(run_of(&store).why(), Some("slow"));
}

#[test]
fn a_stop_by_hand_that_came_first_stays() {
    let store = store();
    let mut batch = Batch::new();
    runs::change(&store, &mut batch, "j", Change::Stop).unwrap().unwrap();
    store.apply(batch).unwrap();
    let rules = Rules::new(vec![rule("p99<50ms")]);
    assert!(!store_crossings(&store, &run_of(&store), &rules, Some("slow")).unwrap());
    assert_eq!(run_of(&store).why(), None);
    assert!(RULES.contains(&store, &"j".to_owned()).unwrap());
}
