//! What a run should have stored, from its specification and the control records of its shards'
//! logs alone, and what it did store.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use trafficlab_engine::traffic::schedule::{Schedule, peak_rate};
use trafficlab_shared::model::arrivals::{Arrivals, Burst, Cycle, Process, Stage};
use trafficlab_shared::model::content::ContentSpec;
use trafficlab_shared::model::run::{Mode, RunSpec, shard_count};
use trafficlab_shared::protocol::report::{Cursor, EndReason, Event};

use super::api::Api;
use super::log::Logs;

const MICROS_PER_MINUTE: u64 = 60_000_000;

/// A campaign whose arrivals are known in advance.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) per_second: u64,
    pub(crate) seconds: f64,
    pub(crate) arrivals: Arrivals,
}

/// Entries as `/generated` gives them.
#[derive(Debug)]
pub(crate) struct Entries(pub(crate) Vec<Value>);

impl Plan {
    /// Evenly spaced arrivals.
    pub(crate) const fn constant(seed: u64, per_second: u64, seconds: f64) -> Self {
        Self { seed, per_second, seconds, arrivals: Arrivals::Constant }
    }

    /// A ramp of so many seconds to another rate, which is held then.
    pub(crate) fn ramp(self, seconds: u32, to_per_second: u64) -> Self {
        let stages = vec![Stage { seconds, target: to_per_second * MICROS_PER_MINUTE }];
        Self { arrivals: Arrivals::Stages { stages, process: Process::Even }, ..self }
    }

    /// The session that asks for it, simulated.
    pub(crate) fn session(&self) -> Value {
        let arrivals = match &self.arrivals {
            Arrivals::Constant => json!("constant"),
            Arrivals::Poisson => json!("poisson"),
            Arrivals::Stages { stages, .. } => {
                let stage =
                    |stage: &Stage| json!({"duration_seconds": stage.seconds, "target": stage.target / 1_000_000});
                json!({"type": "stages", "stages": stages.iter().map(stage).collect::<Vec<_>>()})
            }
            Arrivals::Sine(sine) => json!({
                "type": "sine", "process": sine.process, "amplitude": millionths(sine.amplitude_ppm),
                "period": millionths(sine.period_us), "phase": millionths(sine.phase_us),
            }),
            Arrivals::Burst(burst) => bursts(burst),
            // The test that plays it writes its moments as it likes.
            Arrivals::Replay(_) => json!(null),
        };
        json!({
            "requests_per_minute": self.per_second * 60,
            "duration_minutes": self.seconds / 60.0,
            "config": {"mode": "simulate", "seed": self.seed, "arrivals": arrivals},
        })
    }

    fn spec(&self, job: &str) -> RunSpec {
        let rate = self.per_second * MICROS_PER_MINUTE;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small length")]
        let duration_ms = (self.seconds * 1000.0).round() as u64;
        RunSpec {
            job: job.to_owned(),
            campaign: String::new(),
            seed: self.seed,
            mode: Mode::Simulate,
            shards: shard_count(peak_rate(&self.arrivals, rate), 64),
            arrivals: self.arrivals.clone(),
            rate,
            duration_ms,
            warm_up_ms: 0,
            catch_up_ms: 1000,
            keep_one_in: 1,
            live_entries: false,
            shown_url: None,
            content: ContentSpec::default(),
            http: None,
        }
    }

    /// How many shards it has.
    pub(crate) fn shards(&self) -> u32 {
        self.spec("").shards
    }

    /// The ids of all entries a finished run must have: every arrival before the end that its
    /// shard's log names. A shard that says it completed must have reached the end of its schedule.
    pub(crate) async fn ids(&self, logs: &Logs, job: &str) -> BTreeSet<String> {
        let spec = self.spec(job);
        let mut ids = BTreeSet::new();
        for shard in 0..spec.shards {
            let last = logs.record(job, shard).await.unwrap_or_else(|| panic!("shard {shard} has no log"));
            let Event::End { reason } = last.event else {
                panic!("shard {shard} is not over: {:?}", last.event);
            };
            let schedule = Schedule::new(&spec, shard, &last.history);
            let mut due = Vec::new();
            for slot in 0..=last.next.slot {
                schedule.slot(slot, &mut due);
                let planned = (0..u32::try_from(due.len()).unwrap()).map(|k| Cursor { slot, k });
                ids.extend(planned.filter(|at| *at < last.next).map(|at| id(job, shard, at)));
            }
            if reason == EndReason::Completed {
                assert!(schedule.over_at(last.next.slot).is_some(), "shard {shard} ended before its time");
                assert_eq!(last.next.k as usize, due.len(), "shard {shard} left arrivals out");
            }
        }
        ids
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn millionths(value: u64) -> f64 {
    value as f64 / 1e6
}

fn bursts(burst: &Burst) -> Value {
    let mut arrivals = match burst.cycle {
        Cycle::Fixed { on_us, off_us } => json!({"on": millionths(on_us), "off": millionths(off_us)}),
        Cycle::Pareto { cycle_us, min_us, alpha_ppm } => {
            json!({"cycle": millionths(cycle_us), "min": millionths(min_us), "alpha": millionths(alpha_ppm)})
        }
    };
    arrivals["type"] = json!("burst");
    arrivals["process"] = json!(burst.process);
    arrivals["rest"] = json!(millionths(burst.rest_ppm));
    arrivals
}

fn id(job: &str, shard: u32, at: Cursor) -> String {
    format!("{job}-{shard}-{}-{}", at.slot, at.k)
}

impl Entries {
    /// All entries of a campaign, line by line.
    pub(crate) async fn read(api: &Api, campaign: &str) -> Self {
        let answer = api.get(&format!("/api/traffic/generated/{campaign}?format=ndjson")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        Self(answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// Checks that sequences count 1… without a gap and comes back with the ids, each of which
    /// must be there once.
    pub(crate) fn ids(&self) -> BTreeSet<String> {
        let mut ids = BTreeSet::new();
        for (entry, sequence) in self.0.iter().zip(1_u64..) {
            assert_eq!(entry["sequence"].as_u64(), Some(sequence), "sequences have a gap: {entry}");
            let id = entry["id"].as_str().unwrap().to_owned();
            assert!(ids.insert(id), "stored twice: {}", entry["id"]);
        }
        ids
    }

    /// Checks that exactly `planned` is stored.
    pub(crate) fn must_be(&self, planned: &BTreeSet<String>) {
        let stored = self.ids();
        let missing: Vec<_> = planned.difference(&stored).take(5).collect();
        let surplus: Vec<_> = stored.difference(planned).take(5).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "{} planned, {} stored; missing {missing:?}, not planned {surplus:?}",
            planned.len(),
            stored.len()
        );
    }
}
