//! What a session's fields may be, as a table of mistakes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use serde_json::{Value, json};
use trafficlab_shared::model::arrivals::Arrivals;
use trafficlab_shared::model::run::{HttpVersion, Mode};
use trafficlab_shared::seal::Sealer;

use super::input::{self, default_fields};
use super::secrets;
use super::settings::{self, Settings};
use crate::store::campaigns::CampaignFields;

const MAX_RATE: u64 = 1000;

fn check(body: &Value) -> Result<(CampaignFields, Settings, Vec<String>), Vec<String>> {
    let mut faults = Vec::new();
    let read = input::read(body.as_object().unwrap(), default_fields(), MAX_RATE, &mut faults);
    let checked = settings::check(&read.fields, MAX_RATE);
    let more = checked.as_ref().err().cloned().unwrap_or_default();
    let fields: Vec<String> = faults.into_iter().chain(more).map(|fault| fault.field).collect();
    match checked {
        Ok(settings) if fields.is_empty() => Ok((read.fields, settings, read.unknown)),
        _ => Err(fields),
    }
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let (fields, settings, _) = check(&json!({})).unwrap();
    assert_eq!(fields.geo_locations, json!(["United States"]));
    assert_eq!((settings.mode, settings.rate, settings.duration_ms), (Mode::Simulate, 10_000_000, 3_600_000));
    assert_eq!(settings.arrivals, Arrivals::Constant);
    assert!(settings.content.rtb.is_some());
    assert_eq!((settings.exchange.connections, settings.exchange.timeout_ms), (64, 30_000));
}

#[test]
fn a_target_makes_real_requests_unless_the_mode_says_otherwise() {
    let mode = |body: Value| check(&body).unwrap().1.mode;
    assert_eq!(mode(json!({"target_url": "http://127.0.0.1:1/"})), Mode::Http);
    assert_eq!(mode(json!({"target_url": "http://x.example/", "config": {"mode": "simulate"}})), Mode::Simulate);
    assert_eq!(check(&json!({"config": {"mode": "http"}})).unwrap_err(), ["target_url"]);
}

#[test]
fn a_campaign_chooses_its_version_of_http() {
    let exchange = |config: Value| check(&json!({ "config": config })).unwrap().1.exchange;
    let usual = exchange(json!({}));
    assert_eq!((usual.version, usual.keep_alive, usual.streams), (HttpVersion::Http1, true, None));
    let asked = exchange(json!({"http_version": "2", "streams": 8, "keep_alive": false}));
    assert_eq!((asked.version, asked.keep_alive, asked.streams), (HttpVersion::Http2, false, Some(8)));
    assert_eq!(exchange(json!({"http_version": "1.1"})).version, HttpVersion::Http1);
    for (key, value) in
        [("http_version", json!("3")), ("http_version", json!(2)), ("keep_alive", json!("no")), ("streams", json!(0))]
    {
        assert_eq!(check(&json!({ "config": { key: value } })).unwrap_err(), [format!("config.{key}")]);
    }
}

#[test]
fn every_mistake_names_its_field() {
    let config = |config: Value| json!({ "config": config });
    let table = [
        (json!({"requests_per_minute": 0}), "requests_per_minute"),
        (json!({"requests_per_minute": -1}), "requests_per_minute"),
        (json!({"requests_per_minute": "10"}), "requests_per_minute"),
        (json!({"requests_per_minute": 60_001}), "requests_per_minute"),
        (json!({"requests_per_minute": true}), "requests_per_minute"),
        (json!({"duration_minutes": 0}), "duration_minutes"),
        (json!({"duration_minutes": 43_201}), "duration_minutes"),
        (json!({"duration_minutes": []}), "duration_minutes"),
        (json!({"target_url": 7}), "target_url"),
        (json!({"target_url": "ftp://h/"}), "target_url"),
        (json!({"target_url": "http://u:p@h/"}), "target_url"),
        (json!({"target_url": "http://h/{{nope}}"}), "target_url"),
        (json!({"name": 1}), "name"),
        (json!({"geo_locations": ["Atlantis"]}), "geo_locations[0]"),
        (json!({"geo_locations": "US"}), "geo_locations"),
        (json!({"user_profiles": {}}), "user_profiles"),
        (json!({"user_profiles": [{"name": "a", "weight": -1}]}), "user_profiles[0].weight"),
        (json!({"rtb_config": []}), "rtb_config"),
        (json!({"rtb_config": {"bidders": 0}}), "rtb_config.bidders"),
        (json!({"config": 1}), "config"),
        (config(json!({"mode": "fast"})), "config.mode"),
        (config(json!({"arrivals": "bursts"})), "config.arrivals"),
        (config(json!({"arrivals": {"type": "stages"}})), "config.arrivals.stages"),
        (config(json!({"arrivals": {"type": "stages", "stages": []}})), "config.arrivals.stages"),
        (config(json!({"stages": [{"duration_seconds": 0, "target": 1}]})), "config.stages[0].duration_seconds"),
        (config(json!({"stages": [{"duration_seconds": 1}]})), "config.stages[0].target"),
        (config(json!({"stages": [{"duration_seconds": 1, "target": 60_001}]})), "config.stages[0].target"),
        (config(json!({"method": "G T"})), "config.method"),
        (config(json!({"headers": {"Host": "x"}})), "config.headers.Host"),
        (config(json!({"headers": {"X-Synthetic-Id": "x"}})), "config.headers.X-Synthetic-Id"),
        (config(json!({"headers": {"A": "b\r\nC: d"}})), "config.headers.A"),
        (config(json!({"headers": {"A": 1}})), "config.headers.A"),
        (config(json!({"headers": {"A": "{{nope}}"}})), "config.headers.A"),
        (config(json!({"headers": []})), "config.headers"),
        (config(json!({"body": 1})), "config.body"),
        (config(json!({"connections": 0})), "config.connections"),
        (config(json!({"connections": 10_001})), "config.connections"),
        (config(json!({"timeout_ms": 0})), "config.timeout_ms"),
        (config(json!({"max_redirects": 11})), "config.max_redirects"),
        (config(json!({"checks": {"statuses": [99]}})), "config.checks.statuses[0]"),
        (config(json!({"checks": {"max_latency_ms": 0}})), "config.checks.max_latency_ms"),
        (config(json!({"warm_up": -1})), "config.warm_up"),
        (config(json!({"catch_up": "1s"})), "config.catch_up"),
        (config(json!({"seed": -1})), "config.seed"),
        (config(json!({"live_entries": 1})), "config.live_entries"),
        (config(json!({"error_rate": 2})), "config.error_rate"),
    ];
    for (body, field) in table {
        match check(&body) {
            Err(fields) => assert_eq!(fields, [field], "{body}"),
            Ok(_) => panic!("{body} was taken"),
        }
    }
}

#[test]
fn all_mistakes_come_together() {
    let body = json!({"requests_per_minute": 0, "duration_minutes": "x", "geo_locations": ["Nowhere"], "config": {"seed": 1.5, "mode": 1}});
    let mut fields = check(&body).unwrap_err();
    fields.sort();
    assert_eq!(fields, ["config.mode", "config.seed", "duration_minutes", "geo_locations[0]", "requests_per_minute"]);
}

#[test]
fn unknown_members_are_kept_and_named() {
    let body = json!({"colour": 1, "config": {"note": "x", "seed": 1}, "rtb_config": {"ssp": "y"}, "user_profiles": [{"mood": "z"}]});
    let (fields, settings, unknown) = check(&body).unwrap();
    assert_eq!(unknown, ["colour"]);
    assert_eq!(settings.warnings, ["config.note", "user_profiles[0].mood", "rtb_config.ssp"]);
    assert_eq!(fields.config["note"], "x");
    assert_eq!(settings.content.profiles[0].name, "profile 1");
}

#[test]
fn stages_are_read_from_both_places() {
    let stages = json!([{"duration_seconds": 10, "target": 600}]);
    for config in [
        json!({"stages": stages}),
        json!({"arrivals": {"type": "stages", "stages": stages}}),
        json!({"arrivals": "stages", "stages": stages}),
    ] {
        let (_, settings, _) = check(&json!({ "config": config })).unwrap();
        assert_eq!(settings.peak, 600_000_000, "{config}");
    }
}

#[test]
fn secrets_are_sealed_kept_and_masked() {
    let sealer = Sealer::new("a key of the installation");
    let mut faults = Vec::new();
    let mut config = json!({"headers": {"Authorization": {"value": "Bearer x", "secret": true}, "A": "b"}});
    secrets::seal(&mut config, &json!({}), Some(&sealer), "c", &mut faults);
    assert!(faults.is_empty() && !config.to_string().contains("Bearer x"), "{config}");
    let sealed = config["headers"]["Authorization"]["sealed"].as_str().unwrap().to_owned();
    assert_eq!(sealer.open(&sealed, "c").unwrap(), "Bearer x");
    let shown = secrets::masked(&config);
    assert_eq!(shown["headers"], json!({"Authorization": {"secret": true, "set": true}, "A": "b"}));
    let mut again = shown;
    secrets::seal(&mut again, &config, Some(&sealer), "c", &mut faults);
    assert_eq!(again, config);
    secrets::seal(&mut again, &config, Some(&sealer), "c", &mut faults);
    assert!(faults.is_empty() && again == config, "{faults:?}");
    let headers = check(&json!({ "config": config })).unwrap().1.exchange.headers;
    assert!(headers.iter().any(|header| header.sealed && header.value == sealed));
    for bad in [
        json!({"headers": {"A": {"secret": true, "set": true}}}),
        json!({"headers": {"A": {"sealed": sealed}}}),
        json!({"headers": {"Host": {"value": "x", "secret": true}}}),
        json!({"headers": {"A": {"value": 1, "secret": true}}}),
    ] {
        let mut faults = Vec::new();
        secrets::seal(&mut bad.clone(), &json!({}), Some(&sealer), "c", &mut faults);
        assert_eq!(faults.len(), 1, "{bad}");
    }
}
