//! The status machine with its effects, and what readers see, on a store in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_shared::model::campaign::CampaignStatus::{self, Completed, Draft, Error, Paused, Running, Stopped};
use trafficlab_shared::protocol::control::{Desired, DesiredState};

use super::{control, info, lookup};
use crate::dispatch::registry::Registry;
use crate::store::campaigns::{CAMPAIGNS, Campaign};
use crate::store::runs::{RUNS, RUNS_OF, Run, RunState, TOTALS, Totals};
use crate::store::{Batch, Store};
use crate::systems::Code;
use crate::systems::sessions::input::default_fields;
use crate::systems::sessions::service;

/// A run that generates.
pub(super) fn run(job: &str, duration_ms: u64) -> Run {
    Run {
        job: job.to_owned(),
        campaign: "c".to_owned(),
        shards: 1,
        desired: Desired {
            v: 1,
            revision: 1,
            activation: 1,
            state: DesiredState::Run,
            rate: 60_000_000,
            duration_ms,
            at_slot: 0,
            origin_ns: None,
        },
        state: RunState::Running,
        reason: None,
        stopped_by: None,
        created_ns: 1,
        started_ns: Some(1),
        ended_ns: None,
        cleared: false,
    }
}

fn campaign(status: CampaignStatus, run: Option<&str>) -> Campaign {
    Campaign { run: run.map(str::to_owned), ..service::campaign("c", None, status, default_fields()) }
}

fn store_with(campaign: &Campaign, runs: &[Run]) -> Store {
    let store = Store::in_memory().unwrap();
    let mut batch = Batch::new();
    CAMPAIGNS.put(&mut batch, &campaign.id, campaign).unwrap();
    for run in runs {
        RUNS.put(&mut batch, &run.job, run).unwrap();
        RUNS_OF.put(&mut batch, &("c".to_owned(), run.job.clone()), &()).unwrap();
    }
    store.apply(batch).unwrap();
    store
}

fn desired(store: &Store) -> DesiredState {
    RUNS.get(store, &"j".to_owned()).unwrap().unwrap().desired.state
}

#[test]
fn only_legal_transitions_are_taken_and_the_others_name_what_is_allowed() {
    for from in CampaignStatus::ALL {
        for to in CampaignStatus::ALL {
            let store = store_with(&campaign(from, None), &[]);
            let outcome = control::set_status_in(&store, "c", to);
            assert_eq!(outcome.is_ok(), from.may_become(to), "{from:?} to {to:?}");
            if let Err(fault) = outcome {
                assert_eq!(fault.code, Code::Conflict);
                assert_eq!(fault.extra["status"], from.as_str());
                assert_eq!(fault.extra["allowed"].as_array().unwrap().len(), from.allowed().len());
            } else {
                assert_eq!(lookup::campaign(&store, "c").unwrap().status, to);
            }
        }
    }
}

#[test]
fn leaving_running_stops_or_holds_the_generation() {
    let expected = [
        (Paused, DesiredState::Pause),
        (Stopped, DesiredState::Stop),
        (Completed, DesiredState::Stop),
        (Error, DesiredState::Stop),
    ];
    for (to, state) in expected {
        let store = store_with(&campaign(Running, Some("j")), &[run("j", 1000)]);
        let (_, changed) = control::set_status_in(&store, "c", to).unwrap();
        assert_eq!(changed.as_deref(), Some("j"));
        assert_eq!(desired(&store), state, "{to:?}");
    }
}

#[test]
fn a_held_generation_goes_on() {
    let store = store_with(&campaign(Running, Some("j")), &[run("j", 1000)]);
    control::set_status_in(&store, "c", Paused).unwrap();
    control::set_status_in(&store, "c", Running).unwrap();
    let resumed = RUNS.get(&store, &"j".to_owned()).unwrap().unwrap();
    assert_eq!(
        (resumed.desired.state, resumed.desired.activation, resumed.desired.revision),
        (DesiredState::Run, 2, 3)
    );
}

#[test]
fn a_new_start_is_not_touched_by_the_run_before() {
    let store = store_with(&campaign(Running, Some("j")), &[run("j", 1000)]);
    control::stop_in(&store, "c").unwrap();
    control::set_status_in(&store, "c", Running).unwrap();
    assert_eq!(lookup::campaign(&store, "c").unwrap().run, None);
    control::set_status_in(&store, "c", Draft).unwrap_err();
}

#[test]
fn stop_needs_a_generation() {
    let store = store_with(&campaign(Running, None), &[]);
    assert_eq!(control::stop_in(&store, "c").unwrap_err().code, Code::NotRunning);
    assert_eq!(control::stop_in(&store, "x").unwrap_err().code, Code::NotFound);
    assert_eq!(control::stop_in(&store, "../x").unwrap_err().code, Code::NotFound);
    let store = store_with(&campaign(Running, Some("j")), &[run("j", 1000)]);
    assert_eq!(control::stop_in(&store, "c").unwrap(), "j");
    assert_eq!(lookup::campaign(&store, "c").unwrap().status, Stopped);
    assert_eq!(control::stop_in(&store, "c").unwrap_err().code, Code::NotRunning);
}

#[test]
fn stop_all_also_stops_what_is_held() {
    let store = store_with(&campaign(Running, Some("j")), &[run("j", 1000)]);
    control::set_status_in(&store, "c", Paused).unwrap();
    let (campaigns, jobs) = control::stop_all_in(&store).unwrap();
    assert_eq!((campaigns, jobs), (vec!["c".to_owned()], vec!["j".to_owned()]));
    assert_eq!(desired(&store), DesiredState::Stop);
    assert_eq!(control::stop_all_in(&store).unwrap().0, [""; 0]);
}

#[test]
fn stats_add_runs_up_or_show_one() {
    let store = store_with(&campaign(Running, Some("j")), &[run("i", 60_000), run("j", 60_000)]);
    let mut batch = Batch::new();
    for (job, sent) in [("i", 3), ("j", 4)] {
        let mut totals = Totals { entries: sent, ..Totals::default() };
        totals.counters.scheduled = sent;
        totals.counters.sent = sent;
        totals.counters.succeeded = sent - 1;
        totals.counters.failed = 1;
        totals.counters.geo.add(u16::try_from(sent).unwrap(), sent);
        TOTALS.put(&mut batch, &job.to_owned(), &totals).unwrap();
    }
    store.apply(batch).unwrap();
    let all = info::stats(&store, &Registry::default(), "c", None).unwrap();
    assert_eq!((all.total_requests, all.successful_requests, all.unique_geo_locations, all.runs), (7, 5, 2, 2));
    let one = info::stats(&store, &Registry::default(), "c", Some("j")).unwrap();
    assert_eq!((one.total_requests, one.runs), (4, 1));
    assert!((one.success_rate - 75.0).abs() < 1e-9);
    assert_eq!(info::stats(&store, &Registry::default(), "c", Some("nope")).unwrap_err().code, Code::NotFound);
    assert_eq!(info::stats(&store, &Registry::default(), "nope", None).unwrap_err().code, Code::NotFound);
}

#[test]
fn a_campaign_without_data_has_zeros() {
    let store = store_with(&campaign(Draft, None), &[]);
    let stats = info::stats(&store, &Registry::default(), "c", None).unwrap();
    assert_eq!((stats.total_requests, stats.stored_entries, stats.start_time), (0, 0, None));
}
