//! A campaign that asks a real bidder: its endpoint is the target, and what is sent follows from the auction.

use serde_json::Value;
use trafficlab_shared::model::content::RtbSpec;
use trafficlab_shared::model::run::{HeaderField, Mode};
use trafficlab_shared::target::TargetUrl;

use super::settings::Settings;
use crate::store::campaigns::CampaignFields;

/// What every bid request says of itself.
const HEADERS: [(&str, &str); 2] = [("Content-Type", "application/json"), ("x-openrtb-version", "2.6")];
/// Keys of `config` that a bid request has no use for.
const UNUSED: [&str; 4] = ["method", "body", "max_redirects", "timeout_ms"];

/// Whether `rtb_config` names a real bidder.
pub fn is_named(rtb_config: &Value) -> bool {
    let enabled = rtb_config.get("enabled") != Some(&Value::Bool(false));
    let named = ["endpoint", "bidder_url"].iter().any(|key| rtb_config.get(*key).is_some_and(|url| !url.is_null()));
    enabled && named
}

/// Makes the endpoint the target of a real run; a simulated run has simulated bidders in its place.
pub(super) fn apply(settings: &mut Settings, fields: &CampaignFields) {
    let Some(rtb) = settings.content.rtb.as_mut() else {
        return;
    };
    let Some(bidder) = rtb.bidder.clone() else {
        return;
    };
    if settings.mode == Mode::Simulate {
        simulate(rtb);
        settings.warnings.push("rtb_config.endpoint".to_owned());
        return;
    }
    let tmax = u64::from(rtb.tmax_ms);
    // The reader of `rtb_config` has refused what is no URL.
    settings.target = TargetUrl::parse(&bidder.endpoint).ok();
    if fields.target_url.is_some() {
        settings.warnings.push("target_url".to_owned());
    }
    let unused = UNUSED.iter().filter(|key| fields.config.get(**key).is_some_and(|value| !value.is_null()));
    settings.warnings.extend(unused.map(|key| format!("config.{key}")));
    let exchange = &mut settings.exchange;
    exchange.method = "POST".to_owned();
    exchange.body = None;
    exchange.max_redirects = 0;
    exchange.timeout_ms = tmax;
    for (name, value) in HEADERS {
        if !exchange.headers.iter().any(|own| own.name.eq_ignore_ascii_case(name)) {
            exchange.headers.push(HeaderField { name: name.to_owned(), value: value.to_owned(), sealed: false });
        }
    }
}

/// Simulated bidders in place of the real one.
pub fn simulate(rtb: &mut RtbSpec) {
    if rtb.bidder.take().is_some() && rtb.bidders == 0 {
        rtb.bidders = RtbSpec::default().bidders;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use serde_json::{Value, json};
    use trafficlab_shared::model::run::Mode;

    use super::super::input;
    use super::super::settings::{self, Settings};

    fn check(body: &Value) -> Settings {
        let mut faults = Vec::new();
        let read = input::read(body.as_object().unwrap(), input::default_fields(), 1000, &mut faults);
        assert!(faults.is_empty(), "{faults:?}");
        settings::check(&read.fields, 1000).unwrap()
    }

    #[test]
    fn the_endpoint_is_the_target_and_tmax_the_time_out() {
        let settings = check(&json!({
            "rtb_config": {"endpoint": "http://127.0.0.1:9/bid", "tmax": 150},
            "config": {"headers": {"content-type": "application/json; charset=utf-8"}, "method": "PUT", "timeout_ms": 9},
        }));
        assert_eq!(settings.mode, Mode::Http);
        assert_eq!(settings.target.unwrap().to_string(), "http://127.0.0.1:9/bid");
        assert_eq!((settings.exchange.method.as_str(), settings.exchange.timeout_ms), ("POST", 150));
        let names: Vec<&str> = settings.exchange.headers.iter().map(|header| header.name.as_str()).collect();
        assert_eq!(names, ["content-type", "x-openrtb-version"]);
        assert_eq!(settings.warnings, ["config.method", "config.timeout_ms"]);
    }

    #[test]
    fn simulated_runs_and_disabled_auctions_ask_nobody() {
        let rtb = json!({"endpoint": "http://127.0.0.1:9/bid"});
        let simulated = check(&json!({"rtb_config": rtb, "config": {"mode": "simulate"}}));
        let spec = simulated.content.rtb.unwrap();
        assert_eq!((simulated.mode, spec.bidder, spec.bidders), (Mode::Simulate, None, 5));
        assert_eq!(simulated.warnings, ["rtb_config.endpoint"]);
        let off = check(&json!({"rtb_config": {"endpoint": "http://127.0.0.1:9/bid", "enabled": false}}));
        assert_eq!((off.mode, off.target.is_some(), off.content.rtb.is_some()), (Mode::Simulate, false, false));
    }
}
