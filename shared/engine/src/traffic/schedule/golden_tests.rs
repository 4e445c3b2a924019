//! The golden file of the schedule: what stored entries' due times are made from must never change.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::fmt::Write as _;
use std::path::PathBuf;

use trafficlab_shared::model::arrivals::text::parse;
use trafficlab_shared::model::arrivals::{Arrivals, RateChange};

use super::Schedule;
use super::tests::PER_SECOND;
use crate::traffic::replay::{ONCE, Replay};

const SECONDS: u32 = 20;

fn all_arrivals() -> Vec<(String, Arrivals)> {
    let texts = [
        "constant",
        "poisson",
        "stages:5s@900,10s@100",
        "stages:5s@900,10s@100,process=poisson",
        "sine:amplitude=0.8,period=7s,phase=2s",
        "sine:amplitude=1,period=12.5s,process=poisson",
        "burst:on=100ms,off=900ms",
        "burst:on=1500ms,off=2s,rest=0.2,process=poisson",
        "burst:pareto,cycle=4s,min=200ms,alpha=1.5",
        "burst:pareto,cycle=700ms,min=10ms,alpha=1.1,rest=0.1,process=poisson",
    ];
    let moments = |n: i64| (n * n * 7919) % 15_000_000;
    let replay = |speed, repeat| {
        Arrivals::Replay(Replay::of_moments((0..3000).map(moments).collect()).unwrap().pack(speed, repeat).unwrap())
    };
    let mut all: Vec<_> = texts.iter().map(|text| ((*text).to_owned(), parse(text).unwrap())).collect();
    all.push(("replay".to_owned(), replay(ONCE, false)));
    all.push(("replay,speed=2,repeat".to_owned(), replay(2 * ONCE, true)));
    all
}

/// FNV-1a over the due times.
fn digest(hash: u64, due: &[u64]) -> u64 {
    due.iter()
        .flat_map(|at| at.to_le_bytes())
        .fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// For each process and seed the number and the digest of a run's due times, with one change of rate.
fn golden() -> String {
    let change = RateChange { from_slot: 14, rate: 700 * PER_SECOND, duration_ms: 19_500 };
    let mut text = String::new();
    for (name, arrivals) in all_arrivals() {
        writeln!(text, "{name}").unwrap();
        for seed in 1..=10_u64 {
            let (mut count, mut hash, mut due) = (0, 0xcbf2_9ce4_8422_2325, Vec::new());
            for shard in 0..3 {
                let mut schedule = Schedule::plain(seed, &arrivals, (90 + seed) * PER_SECOND, 20_000, 3, shard);
                schedule.apply(change);
                for slot in 0..SECONDS {
                    schedule.slot(slot, &mut due);
                    count += due.len();
                    hash = digest(hash, &due);
                }
            }
            writeln!(text, "  {seed} {count} {hash:016x}").unwrap();
        }
    }
    text
}

/// `UPDATE_GOLDEN=1` writes the file; lines that are in it already may never change.
#[test]
fn due_times_are_fixed_for_ever() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/schedule_v1.txt");
    let found = golden();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    for (number, (found, expected)) in found.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, expected, "line {}", number + 1);
    }
    assert_eq!(found.lines().count(), expected.lines().count());
}
