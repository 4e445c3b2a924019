//! What `config.arrivals` may be: every form, and every mistake with its path.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use serde_json::{Value, json};
use trafficlab_shared::model::arrivals::{Arrivals, Process, text};

use crate::systems::sessions::input::default_fields;
use crate::systems::sessions::settings::{self, Settings};

const MAX_RATE: u64 = 10_000;

fn check(config: Value) -> Result<Settings, Vec<String>> {
    let mut fields = default_fields();
    fields.requests_per_minute = 60_000.0;
    fields.config = config;
    let faults = settings::check(&fields, MAX_RATE);
    faults.map_err(|faults| faults.into_iter().map(|fault| fault.field).collect())
}

fn read(arrivals: &Value) -> Settings {
    check(json!({ "arrivals": arrivals })).unwrap_or_else(|faults| panic!("{arrivals}: {faults:?}"))
}

#[test]
fn objects_and_texts_mean_the_same() {
    let table = [
        (json!({"type": "constant"}), "constant"),
        (json!({"type": "constant", "process": "poisson"}), "poisson"),
        (json!({"type": "poisson"}), "poisson"),
        (json!({"type": "stages", "stages": [{"duration_seconds": 10, "target": 6000}]}), "stages:10s@100"),
        (
            json!({"stages": [{"duration_seconds": 10, "target": 6000}], "process": "poisson"}),
            "stages:10s@100,process=poisson",
        ),
        (json!({"type": "sine"}), "sine"),
        (
            json!({"type": "sine", "amplitude": 0.25, "period": "1h", "phase": 90, "process": "poisson"}),
            "sine:amplitude=0.25,period=3600,phase=90s,process=poisson",
        ),
        (json!({"type": "burst", "on": 0.5, "off": "500ms"}), "burst:on=500ms,off=0.5"),
        (json!({"type": "burst", "on": 1, "off": 1, "rest": 0.5, "process": "even"}), "burst:on=1,off=1,rest=0.5"),
        (
            json!({"type": "burst", "cycle": "1s", "min": 0.2, "alpha": 1.5}),
            "burst:pareto,cycle=1s,min=200ms,alpha=1.5",
        ),
    ];
    for (object, line) in table {
        let expected = text::parse(line).unwrap();
        assert_eq!(read(&object).arrivals, expected, "{object}");
        assert_eq!(read(&json!(line)).arrivals, expected, "{line}");
    }
}

#[test]
fn mistakes_name_their_member() {
    let table = [
        (json!(7), ""),
        (json!("sine:amplitude=2"), ""),
        (json!("replay"), ""),
        (json!({"type": "bursts"}), ".type"),
        (json!({"type": 7}), ".type"),
        (json!({"amplitude": 0.5}), ".type"),
        (json!({"type": "poisson", "process": "random"}), ".process"),
        (json!({"type": "sine", "amplitude": 1.5}), ".amplitude"),
        (json!({"type": "sine", "amplitude": "half"}), ".amplitude"),
        (json!({"type": "sine", "period": 0.1}), ".period"),
        (json!({"type": "sine", "period": "a day"}), ".period"),
        (json!({"type": "sine", "phase": -5}), ".phase"),
        (json!({"type": "burst", "on": 1}), ".off"),
        (json!({"type": "burst", "on": 0, "off": 1}), ".on"),
        (json!({"type": "burst", "on": 1, "off": 1, "rest": 2}), ".rest"),
        (json!({"type": "burst", "cycle": 1, "alpha": 1}), ".min"),
        (json!({"type": "burst", "cycle": 1, "min": 2, "alpha": 1}), ".min"),
        (json!({"type": "burst", "pareto": true, "min": 1, "alpha": 1}), ".cycle"),
        (json!({"type": "burst", "on": 0.01, "off": 0.99}), ""),
        (json!({"type": "replay"}), ".timestamps"),
        (json!({"type": "replay", "timestamps": []}), ".timestamps"),
        (json!({"type": "replay", "timestamps": 5}), ".timestamps"),
        (json!({"type": "replay", "timestamps": [1, "x"]}), ".timestamps[1]"),
        (json!({"type": "replay", "timestamps": [1], "log": "1"}), ".log"),
        (json!({"type": "replay", "log": 1}), ".log"),
        (json!({"type": "replay", "log": "1", "moments": "AA=="}), ".moments"),
        (json!({"type": "replay", "moments": "AA=="}), ".moments"),
        (json!({"type": "replay", "log": "nothing\nhere"}), ".log"),
        (json!({"type": "replay", "log": "1", "speed": 0}), ".speed"),
        (json!({"type": "replay", "log": "1", "speed": "2"}), ".speed"),
        (json!({"type": "replay", "log": "1", "repeat": 1}), ".repeat"),
        (json!({"type": "replay", "log": "1", "process": "poisson"}), ".process"),
        (json!({"type": "replay", "timestamps": vec![1; 10_001]}), ""),
    ];
    for (arrivals, member) in table {
        let faults = check(json!({ "arrivals": arrivals })).err();
        assert_eq!(faults, Some(vec![format!("config.arrivals{member}")]), "{arrivals}");
    }
}

#[test]
fn what_does_not_fit_into_a_run_is_refused_with_its_size() {
    let mut word = 1_u64;
    let mut scattered = || {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{}.{:06}", word >> 48, (word >> 16) % 1_000_000)
    };
    let log: Vec<String> = (0..40_000).map(|_| scattered()).collect();
    let mut fields = default_fields();
    fields.config = json!({"arrivals": {"type": "replay", "log": log.join("\n")}});
    let faults = settings::check(&fields, MAX_RATE).unwrap_err();
    assert_eq!(faults[0].field, "config.arrivals.log");
    assert!(faults[0].message.contains("40000 moments") && faults[0].message.contains("40960 bytes"), "{faults:?}");
}

#[test]
fn a_replay_says_what_it_does_not_heed_and_where_it_ends() {
    let log = "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.0\" 200 1\n".repeat(4) + "odd\n";
    let settings = read(&json!({"type": "replay", "log": log, "speed": 0.5, "colour": 1}));
    assert_eq!(settings.warnings, ["config.arrivals.colour", "requests_per_minute"]);
    assert_eq!((settings.duration_ms, settings.peak), (1501, 2 * 60_000_000));
    let notes = settings.notes.join("\n");
    assert_eq!(settings.notes.len(), 3, "{notes}");
    assert!(notes.contains("Lines of `config.arrivals.log` without a time: 1, the first is line 5"), "{notes}");
    let settings = read(&json!({"type": "replay", "timestamps": [0.5, "1970-01-01T00:00:02Z"], "repeat": true}));
    assert_eq!(settings.notes, [""; 0]);
    assert_eq!(settings.duration_ms, 3_600_000);
    let long = read(&json!({"type": "replay", "timestamps": [1, 7201]}));
    assert_eq!(long.duration_ms, 3_600_000);
    assert!(
        long.notes[0].contains("after 3600 s") && long.notes[0].contains("moment at 7200.001 s"),
        "{:?}",
        long.notes
    );
    assert!(matches!(settings.arrivals, Arrivals::Replay(replay) if replay.repeat && replay.span_us == 1_500_000));
}

#[test]
fn the_stored_form_of_a_replay_means_the_same() {
    let times: Vec<f64> = (0..30_000).map(|n| f64::from(n) * 0.5).collect();
    let mut config = json!({"arrivals": {"type": "replay", "timestamps": times, "speed": 3, "repeat": true}});
    let settings = check(config.clone()).unwrap();
    super::compact(&mut config, &settings.arrivals);
    assert!(config.to_string().len() < 1000, "{config}");
    let again = check(config.clone()).unwrap();
    assert_eq!((again.arrivals, again.warnings), (settings.arrivals.clone(), settings.warnings));
    let before = config.clone();
    super::compact(&mut config, &settings.arrivals);
    assert_eq!(config, before);
}

#[test]
fn bursts_and_swings_count_at_their_peak() {
    let burst = read(&json!({"type": "burst", "on": 0.1, "off": 0.9}));
    assert_eq!((burst.rate, burst.peak), (1000 * 60_000_000, 10_000 * 60_000_000));
    assert_eq!(burst.arrivals.process(), Process::Even);
    assert_eq!(read(&json!({"type": "sine", "amplitude": 1})).peak, 2000 * 60_000_000);
}
