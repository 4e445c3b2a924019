//! Recorded moments: forms of logs, packing, playing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use proptest::prelude::*;
use trafficlab_shared::model::arrivals::Arrivals;

use super::{Format, MAX_MOMENTS, ONCE, Replay, ReplayError, Skipped, Timeline, check, read_log};
use crate::traffic::schedule::{SLOT_NS, Schedule, peak_rate};

const COMMON: &str = r#"192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.0" 200 1
192.0.2.1 - bob [10/Oct/2000:13:55:36 -0700] "GET /b HTTP/1.0" 200 1 "http://h/" "agent [x]"

nonsense
192.0.2.1 - - [10/Oct/2000:20:55:38 +0000] "GET /d HTTP/1.0" 200 1
192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] "GET /c HTTP/1.0" 200 1
"#;

const JSON: &str = r#"{"time":"2000-10-10T20:55:36.5Z","status":200}
{"status":200,"ts":971211337.25}
{"@timestamp":971211338000}
{"timestamp":"10/Oct/2000:13:55:39 -0700"}
{"status":200}
"#;

fn microseconds(offsets: &[u64], unit: u64) -> Vec<u64> {
    offsets.iter().map(|offset| offset * unit).collect()
}

/// The moments of all slots and shards that `timeline` plays in `seconds`.
fn played(timeline: &Timeline, seconds: u32, shards: u32) -> Vec<u64> {
    let (mut all, mut due) = (Vec::new(), Vec::new());
    for shard in 0..shards {
        let schedule = Schedule::replay(timeline, u64::from(seconds) * 1000, shards, shard);
        for slot in 0..seconds {
            schedule.slot(slot, &mut due);
            assert!(due.is_sorted() && due.iter().all(|at| at / SLOT_NS == u64::from(slot)));
            all.append(&mut due);
        }
    }
    all.sort_unstable();
    all
}

#[test]
fn access_logs_are_read_and_their_seconds_spread() {
    let replay = read_log(COMMON.as_bytes()).unwrap();
    assert_eq!(replay.format(), Format::CommonLog);
    assert_eq!(replay.skipped(), Some(Skipped { lines: 1, first: 4 }));
    assert!(replay.spread());
    assert_eq!(replay.offsets(), [0, 333_333, 666_666, 2_000_000]);
}

#[test]
fn json_lines_and_lists_are_read() {
    let replay = read_log(JSON.as_bytes()).unwrap();
    assert_eq!((replay.format(), replay.spread()), (Format::JsonLines, false));
    assert_eq!(replay.skipped(), Some(Skipped { lines: 1, first: 5 }));
    assert_eq!(replay.offsets(), [0, 750_000, 1_500_000, 2_500_000]);
    let list = read_log(b"# recorded\n971211337.5\r\n971211337500\n2000-10-10T20:55:38Z\n\n").unwrap();
    assert_eq!((list.format(), list.skipped(), list.spread()), (Format::Times, None, false));
    assert_eq!(list.offsets(), [0, 0, 500_000]);
    for (text, lines) in [("", 0), ("a\n\nb\n", 2), ("{}", 1), ("\u{0}\u{ff}", 1)] {
        assert_eq!(read_log(text.as_bytes()), Err(ReplayError::NoTimes { lines }), "{text}");
    }
}

#[test]
fn speed_and_repetition() {
    let replay = Replay::of_moments(vec![5_000_000, 5_100_000, 7_000_000]).unwrap();
    let once = replay.timeline(ONCE, false);
    assert_eq!(played(&once, 9, 1), microseconds(&[0, 100, 2000], 1_000_000));
    assert_eq!((once.length_ns(), once.peak_per_second()), (Some(2_000_000_001), 2));
    let double = replay.timeline(2 * ONCE, false);
    assert_eq!(played(&double, 9, 2), microseconds(&[0, 50, 1000], 1_000_000));
    let again = replay.timeline(ONCE, true);
    assert_eq!(again.length_ns(), None);
    assert_eq!(played(&again, 6, 2), microseconds(&[0, 100, 2000, 3000, 3100, 5000], 1_000_000));
    // Ten times as fast a round takes 0.3 s, so that up to four begin within a second.
    assert_eq!(replay.timeline(10 * ONCE, true).peak_per_second(), 12);
    let alone = Replay::of_moments(vec![9]).unwrap();
    assert_eq!(played(&alone.timeline(ONCE, true), 3, 1), microseconds(&[0, 1, 2], 1_000_000_000));
    let wrapped = Replay::of_moments(vec![0, 100_000, 2_900_000, 3_000_000]).unwrap();
    assert_eq!(
        (wrapped.timeline(ONCE, false).peak_per_second(), wrapped.timeline(ONCE, true).peak_per_second()),
        (2, 2)
    );
    let dense = Replay::of_moments(vec![0, 1, 1_300_000, 1_300_001]).unwrap();
    assert_eq!(dense.timeline(ONCE, true).peak_per_second(), 4);
}

#[test]
fn a_run_carries_what_fits() {
    let even = Replay::of_moments((0..200_000).map(|n| n * 1000).collect()).unwrap().pack(ONCE, false).unwrap();
    assert!(even.packed.len() < 1000, "{}", even.packed.len());
    assert_eq!((even.count, even.span_us, even.peak, even.length_ms()), (200_000, 199_999_000, 1000, Some(200_000)));
    assert_eq!(peak_rate(&Arrivals::Replay(even), 7), 60_000_000_000);
    let many = Replay::of_moments(vec![0; MAX_MOMENTS + 1]).unwrap().pack(ONCE, false);
    assert!(matches!(many, Err(ReplayError::TooLarge { .. })), "{many:?}");
    let scattered = (0..60_000_u64).map(|n| i64::try_from(crate::traffic::rng::mix(n) >> 24).unwrap()).collect();
    let scattered = Replay::of_moments(scattered).unwrap();
    let refused = scattered.pack(ONCE, false).unwrap_err().to_string();
    assert!(refused.contains("60000 moments") && refused.contains("40960 bytes"), "{refused}");
    // Where nothing travels they may be as many as they like.
    assert_eq!(scattered.timeline(ONCE, false).len(), 60_000);
}

#[test]
fn damaged_forms_are_refused() {
    let good = Replay::of_moments(vec![1, 5, 9]).unwrap().pack(ONCE, true).unwrap();
    check(&Arrivals::Replay(good.clone())).unwrap();
    check(&Arrivals::Poisson).unwrap();
    let wrong = |change: fn(&mut trafficlab_shared::model::arrivals::Replay)| {
        let mut replay = good.clone();
        change(&mut replay);
        check(&Arrivals::Replay(replay)).unwrap_err()
    };
    let errors = [
        wrong(|replay| replay.count = 2),
        wrong(|replay| replay.count = 0),
        wrong(|replay| replay.count = u64::MAX),
        wrong(|replay| replay.span_us = 9),
        wrong(|replay| replay.packed.truncate(5)),
        wrong(|replay| replay.packed = zstd::bulk::compress(&[255; 20], 1).unwrap()),
    ];
    assert!(errors.iter().all(|error| matches!(error, ReplayError::Damaged(_))), "{errors:?}");
}

proptest! {
    #[test]
    fn moments_survive_packing_and_are_played_once(
        moments in prop::collection::vec(0..9_999_999_i64, 1..400), shards in 1_u32..5,
    ) {
        let replay = Replay::of_moments(moments).unwrap();
        let timeline = Timeline::unpack(&replay.pack(ONCE, false).unwrap()).unwrap();
        prop_assert_eq!(&timeline, &replay.timeline(ONCE, false));
        let packed = replay.pack(ONCE, true).unwrap();
        prop_assert_eq!(Replay::from_packed(&packed.packed).unwrap().pack(ONCE, true).unwrap(), packed);
        prop_assert_eq!(played(&timeline, 10, shards), microseconds(replay.offsets(), 1000));
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[0-9:/\\[\\] .TZ+{}\"Jan\\n-]{0,200}") {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            if let Ok(replay) = read_log(bytes) {
                prop_assert!(replay.offsets().is_sorted() && replay.offsets()[0] == 0);
            }
        }
        let compressed = zstd::bulk::compress(&bytes, 1).unwrap();
        for bytes in [bytes.as_slice(), compressed.as_slice()] {
            if let Ok(replay) = Replay::from_packed(bytes) {
                prop_assert!(replay.offsets().is_sorted() && replay.offsets()[0] == 0);
            }
        }
    }
}
