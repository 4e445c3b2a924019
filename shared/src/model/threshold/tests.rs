//! What can be written as a threshold, and what it means.

#![allow(clippy::unwrap_used, reason = "test code")]

use super::{Count, Metric, Statistic, Threshold, ThresholdRule, Time};

fn read(text: &str) -> (Metric, String) {
    let threshold = Threshold::parse(text).unwrap();
    (threshold.metric(), format!("{:.4}", threshold.limit()))
}

#[test]
fn figures_and_units_are_understood() {
    let response = |per_million| Metric::Time(Time::Response, Statistic::Quantile(per_million));
    let cases = [
        ("p99<50ms", response(990_000), "50.0000"),
        (" p99.9 <= 1.5s ", response(999_000), "1500.0000"),
        ("p99.99<800us", response(999_900), "0.8000"),
        ("p(95)<500", response(950_000), "500.0000"),
        ("med<20", response(500_000), "20.0000"),
        ("p100<1s", response(1_000_000), "1000.0000"),
        ("response_time_ms.p99<10", response(990_000), "10.0000"),
        ("service.max<20ms", Metric::Time(Time::Service, Statistic::Max), "20.0000"),
        ("lag.mean<1", Metric::Time(Time::Lag, Statistic::Mean), "1.0000"),
        ("error_rate<1%", Metric::Share(Count::Errors), "1.0000"),
        ("rate<0.01", Metric::Share(Count::Errors), "1.0000"),
        ("success_rate>=0.99", Metric::Share(Count::Successes), "99.0000"),
        ("success_rate==1", Metric::Share(Count::Successes), "100.0000"),
        ("achieved>99.9%", Metric::Achieved, "99.9000"),
        ("rps>=5000", Metric::Rate, "5000.0000"),
        ("dropped==0", Metric::Count(Count::Dropped), "0.0000"),
        ("late<1%", Metric::Share(Count::Late), "1.0000"),
        ("errors<10", Metric::Count(Count::Errors), "10.0000"),
    ];
    for (text, metric, limit) in cases {
        assert_eq!(read(text), (metric, limit.to_owned()), "{text}");
    }
}

#[test]
fn what_is_not_clear_is_refused() {
    let cases = [
        ("p99", "no comparison"),
        ("p99=5", "no comparison"),
        ("p0<5", "not a figure"),
        ("p101<5", "not a figure"),
        ("p99.99999<5", "not a figure"),
        ("p+9<5", "not a figure"),
        ("speed>5", "known are"),
        ("p99<5m", "not a limit"),
        ("p99<-5", "not a limit"),
        ("p99<", "not a limit"),
        ("p99<inf", "not a limit"),
        ("p99<1e400", "not a limit"),
        ("error_rate<5", "write `5%`"),
        ("error_rate<1", "write `1%`"),
        ("p99<<5", "not a limit"),
        ("", "no comparison"),
    ];
    for (text, expected) in cases {
        let error = Threshold::parse(text).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn comparisons_are_strict_where_they_say_so() {
    let cases = [
        ("mean<5", false, true),
        ("mean<=5", true, true),
        ("mean>5", false, false),
        ("mean>=5", true, false),
        ("mean==5", true, false),
    ];
    for (text, at, below) in cases {
        let threshold = Threshold::parse(text).unwrap();
        assert_eq!((threshold.holds(5.0), threshold.holds(4.9)), (at, below), "{text}");
    }
}

#[test]
fn a_rule_is_stored_with_its_text() {
    let rule = ThresholdRule { abort_on: true, ..ThresholdRule::of(Threshold::parse("p99 < 50ms").unwrap()) };
    let text = serde_json::to_string(&rule).unwrap();
    assert!(text.contains("\"p99<50ms\""), "{text}");
    assert_eq!(serde_json::from_str::<ThresholdRule>(&text).unwrap(), rule);
    let short: ThresholdRule = serde_json::from_str(r#"{"threshold":"errors==0"}"#).unwrap();
    assert_eq!((short.abort_on, short.after_ms, short.window_ms), (false, 5000, None));
}
