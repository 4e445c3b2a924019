//! Golden files: the bytes of every wire message and stored record of version 1. A change of shape
//! that breaks older processes or stores shows here. `UPDATE_GOLDEN=1` writes the files anew.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use coordinator::store::Record as Stored;
use serde::Serialize;
use serde::de::DeserializeOwned;
use trafficlab_shared::protocol::codec::{self, Versioned};

use super::{
    captures, exports, samples, stored_accounts, stored_ads, stored_alerts, stored_captures, stored_settings,
    stored_visits,
};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.txt"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim().as_bytes().chunks(2);
    digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The file holds the value as JSON, for people, and its bytes in hexadecimal.
fn check<T: Serialize + PartialEq + Debug>(name: &str, value: &T, bytes: &[u8], decode: impl Fn(&[u8]) -> T) {
    let shown = serde_json::to_string(value).unwrap();
    let text = format!("{shown}\n{}\n", hex(bytes));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(file(name), &text).unwrap();
    }
    let golden = std::fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("golden/{name}.txt: {error}"));
    let (_, stored) = golden.split_once('\n').unwrap();
    assert_eq!(&decode(&unhex(stored)), value, "`{name}` reads its golden bytes differently");
    assert_eq!(golden, text, "`{name}` is written differently; if that is meant, bump its version");
}

fn message<T: Serialize + DeserializeOwned + Versioned + PartialEq + Debug>(name: &str, value: &T) {
    assert_eq!((T::VERSION, value.version()), (1, 1), "a new version needs a golden file of its own");
    check(&format!("message_{name}"), value, &codec::encode(value).unwrap(), |bytes| codec::decode(bytes).unwrap());
}

fn record<T: Stored + PartialEq + Debug>(name: &str, value: &T) {
    assert_eq!(T::VERSION, 1, "a new version needs a golden file of its own");
    check(&format!("stored_{name}"), value, &value.to_bytes().unwrap(), |bytes| T::from_bytes(bytes).unwrap());
}

#[test]
fn wire_messages_keep_their_bytes() {
    message("job", &samples::job());
    message("desired", &samples::desired());
    message("directive", &samples::directive());
    message("heartbeat", &samples::heartbeat());
    for (name, one) in samples::records() {
        message(&format!("record_{name}"), &one);
    }
    for (name, one) in captures::jobs() {
        message(&format!("capture_job_{name}"), &one);
    }
    for (name, one) in captures::records() {
        message(&format!("capture_record_{name}"), &one);
    }
    message("export_job", &exports::job());
    for (name, one) in exports::records() {
        message(&format!("export_record_{name}"), &one);
    }
}

#[test]
fn stored_records_keep_their_bytes() {
    record("campaign", &samples::campaign());
    record("plan", &samples::plan());
    record("run", &samples::run());
    record("shard", &samples::shard());
    record("totals", &samples::totals());
    record("rules", &samples::rules());
    record("worker_figures", &samples::worker_figures());
    record("extent", &samples::extent());
    record("position", &samples::position());
    record("set_aside", &samples::set_aside());
    for (name, capture) in stored_captures::captures() {
        record(&format!("capture_{name}"), &capture);
    }
    record("capture_job", &stored_captures::job());
    record("capture_work", &stored_captures::work());
    record("pack_extent", &stored_captures::extent());
    record("anomaly", &stored_captures::anomaly());
    record("baseline", &stored_captures::baseline());
    record("alert", &stored_alerts::alert());
    record("alert_delivery", &stored_alerts::delivery());
    record("alert_quiet", &stored_alerts::quiet());
    record("visit_site", &stored_visits::site());
    record("visit_goal", &stored_visits::goal());
    record("visit_funnel", &stored_visits::funnel());
    record("visit_share", &stored_visits::share());
    record("visit_part", &stored_visits::part());
    record("visit_seal", &stored_visits::seal());
    record("visit_import", &stored_visits::import());
    record("ads_user", &stored_accounts::user());
    record("ads_session", &stored_accounts::session());
    record("ads_refresh", &stored_accounts::refresh());
    record("ads_reset", &stored_accounts::reset());
    record("ads_signing_key", &stored_accounts::key());
    record("ads_erasure", &stored_accounts::erasure());
    record("ads_person_archive", &stored_accounts::archive());
    record("ads_tenant", &stored_settings::tenant());
    record("ads_audit", &stored_settings::audit());
    record("ads_key", &stored_settings::key());
    record("ads_mail", &stored_settings::queued());
    record("ads_mail_letter", &stored_settings::letter());
    record("ads_integration", &stored_settings::integration());
    record("ads_view", &stored_settings::view());
    for (name, report) in stored_settings::reports() {
        record(&format!("ads_report_{name}"), &report);
    }
    record("ads_year", &stored_ads::year());
    record("ads_restatement", &stored_ads::restatement());
    record("ads_campaign", &stored_ads::campaign());
    record("ads_link", &stored_ads::link());
    record("ads_link_added", &stored_ads::link_added());
    record("ads_export", &exports::export());
    record("export_job", &exports::row());
    record("ads_bulk", &stored_ads::bulk());
    record("ads_import", &stored_ads::import());
    for (name, item) in stored_ads::bulk_items() {
        record(&format!("ads_bulk_{name}"), &item);
    }
}

/// A newer process may add fields: an older one reads past them, and reads what it knows.
#[test]
fn fields_that_are_added_later_do_no_harm() {
    let mut value = serde_json::to_value(samples::desired()).unwrap();
    value["added_later"] = serde_json::json!({"a": [1, 2]});
    let bytes = rmp_serde::to_vec_named(&value).unwrap();
    assert_eq!(codec::decode::<trafficlab_shared::protocol::control::Desired>(&bytes).unwrap(), samples::desired());
    value["v"] = 2.into();
    let newer = rmp_serde::to_vec_named(&value).unwrap();
    let refused = codec::decode::<trafficlab_shared::protocol::control::Desired>(&newer);
    assert!(matches!(refused, Err(codec::CodecError::Version { found: 2, known: 1 })), "{refused:?}");
}
