//! What is asked for, what is written down of it, and when it ends.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::unreachable, reason = "test code")]

use std::sync::Arc;

use serde_json::{Value, json};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::export as table;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::series::Series;
use trafficlab_shared::config::{ByteSize, ExportsConfig};
use trafficlab_shared::model::export::{ExportColumn, ExportFormat, ExportTable};
use trafficlab_shared::protocol::control::{Desired, DesiredState};

use super::forget::{End, ends};
use super::*;
use crate::adops::book::Entry;
use crate::adops::campaign::Platform;
use crate::adops::campaigns::samples::{entry, sample};
use crate::adops::tenant::Tenant;
use crate::store::exports::ExportJobRow;
use crate::systems::{Code, Fault, Outcome};

const HOUR_NS: u64 = 3_600_000_000_000;
/// 2024-12-20T08:00:00Z.
const NOW: u64 = 1_734_681_600_000_000_000;

fn ask(body: &Value) -> Outcome<Asked> {
    let (name, timezone) = ("t".to_owned(), "UTC".to_owned());
    let tenant = Tenant { name, timezone, currency: Currency::USD, created_ns: 0, keep_personal_days: None };
    read(&tenant, body.as_object().unwrap(), NOW)
}

fn fields(fault: &Fault) -> Vec<&str> {
    fault.details.iter().map(|detail| detail.field.as_str()).collect()
}

#[test]
fn the_documents_request_is_understood() {
    let asked = ask(&json!({
        "format": "csv", "type": "campaigns", "date_from": "2024-01-01", "date_to": "2024-12-31",
        "platforms": ["meta", "google"], "columns": ["name", "spend", "revenue", "roas"]
    }));
    let asked = asked.unwrap();
    assert_eq!((asked.table, asked.format), (ExportTable::Campaigns, ExportFormat::Csv));
    assert_eq!(asked.days.len(), 366);
    use ExportColumn as C;
    assert_eq!(asked.columns, [C::Name, C::Spend, C::Revenue, C::Roas]);
    let usual = ask(&json!({})).unwrap();
    assert_eq!(
        (usual.days.first, usual.days.last),
        (Day::parse("2024-11-20").unwrap(), Day::parse("2024-12-19").unwrap())
    );
    assert_eq!(usual.columns, ExportTable::Campaigns.usual());
}

#[test]
fn everything_that_is_wrong_is_named() {
    // checklist 49
    let fault = ask(&json!({
        "format": "xlsx", "type": "users", "date_from": "2024-02-30", "platforms": ["myspace"], "status": "x",
        "columns": ["name", "password_hash", "name", 7], "synthetic": "yes", "tenant_id": 9, "tenant": 2
    }));
    let fault = fault.unwrap_err();
    assert_eq!(fault.code, Code::Validation);
    let mut named = fields(&fault);
    named.sort_unstable();
    let all = [
        "columns[1]",
        "columns[2]",
        "columns[3]",
        "date_from",
        "format",
        "platforms",
        "status",
        "synthetic",
        "tenant",
        "type",
    ];
    assert_eq!(named, all, "`tenant_id` is read-only and passed over");
    assert_eq!(fields(&ask(&json!({"columns": []})).unwrap_err()), ["columns"]);
    assert_eq!(fields(&ask(&json!({"columns": ["date"]})).unwrap_err()), ["columns[0]"], "campaigns have no day");
    assert!(ask(&json!({"columns": ["date"], "type": "metrics"})).is_ok());
    // checklist 45
    let together = ask(&json!({"date_from": "2024-02-02", "date_to": "2024-02-01"})).unwrap_err();
    assert_eq!(together.code, Code::Unprocessable);
    assert_eq!(
        ask(&json!({"date_from": "2020-01-01", "date_to": "2024-02-01"})).unwrap_err().code,
        Code::Unprocessable
    );
}

fn series(days: &[(&str, u64)]) -> Arc<Series> {
    let mut series = Series::default();
    for (day, spend) in days {
        series.set(Day::parse(day).unwrap(), Figures { spend: *spend, clicks: 1, ..Figures::default() });
    }
    Arc::new(series)
}

fn entries() -> Vec<Arc<Entry>> {
    let mut google = sample(2, "google");
    google.platform = Platform::Google;
    google.labels = vec!["q4".into()];
    let first = Entry {
        real: series(&[("2024-11-30", 1), ("2024-12-01", 100), ("2024-12-03", 200)]),
        synthetic: series(&[("2024-12-01", 1000), ("2024-12-02", 5)]),
        ..entry(sample(1, "meta"))
    };
    vec![Arc::new(first), Arc::new(entry(google))]
}

fn file(body: &Value) -> (String, u64) {
    let asked = ask(body).unwrap();
    let (rows, count) = rows::write(&entries(), &asked, Vec::new()).unwrap();
    let spec = ExportSpec { table: asked.table, format: asked.format, columns: asked.columns, rows: count };
    let mut out = Vec::new();
    assert_eq!(table::write(&spec, rows.as_slice(), &mut out, |_| ()).unwrap(), count);
    (String::from_utf8(out).unwrap(), count)
}

fn december(more: &Value) -> Value {
    let mut body = json!({"date_from": "2024-12-01", "date_to": "2024-12-31", "columns": ["id", "spend", "clicks"]});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

#[test]
fn rows_are_those_that_were_asked_for() {
    assert_eq!(file(&december(&json!({}))).0, "id,spend,clicks\r\n1,3.00,2\r\n2,0.00,0\r\n");
    assert_eq!(
        file(&december(&json!({"synthetic": true, "platforms": ["meta"]}))).0,
        "id,spend,clicks\r\n1,13.05,4\r\n"
    );
    let days = json!({"type": "metrics", "columns": ["date", "id", "spend"]});
    assert_eq!(file(&december(&days)), ("date,id,spend\r\n2024-12-01,1,1.00\r\n2024-12-03,1,2.00\r\n".into(), 2));
    let both = json!({"type": "metrics", "columns": ["date", "spend"], "synthetic": true});
    assert_eq!(file(&december(&both)).0, "date,spend\r\n2024-12-01,11.00\r\n2024-12-02,0.05\r\n2024-12-03,2.00\r\n");
    assert_eq!(file(&december(&json!({"labels": ["q4"]}))).1, 1);
    assert_eq!(file(&december(&json!({"status": "archived"}))), ("id,spend,clicks\r\n".into(), 0));
}

fn config() -> ExportsConfig {
    ExportsConfig { keep: "1h".parse().unwrap(), per_tenant: 4, quota_bytes: ByteSize(1) }
}

fn spec() -> ExportSpec {
    ExportSpec { table: ExportTable::Campaigns, format: ExportFormat::Csv, columns: vec![ExportColumn::Id], rows: 3 }
}

fn export(over: Option<Over>) -> Export {
    let days = Days { first: Day(0), last: Day(1) };
    Export { spec: spec(), days, who: Who::System, created_ns: NOW, links: Vec::new(), over }
}

fn row(state: CaptureState, ended_ns: Option<u64>) -> ExportJobRow {
    ExportJobRow {
        job: "j".into(),
        spec: spec(),
        desired: Desired {
            v: 1,
            revision: 1,
            activation: 1,
            state: DesiredState::Run,
            rate: 0,
            duration_ms: 0,
            at_slot: 0,
            origin_ns: None,
        },
        state,
        reason: None,
        worker: String::new(),
        epoch: 1,
        bytes: 9,
        rows: 3,
        sequence: 1,
        stored_ns: 1,
        created_ns: NOW,
        ended_ns,
        cleared: false,
    }
}

#[test]
fn files_go_after_an_hour_and_what_nobody_took_after_a_day() {
    // checklist 39
    let done = row(CaptureState::Done, Some(NOW));
    assert_eq!(ends(&export(None), Some(&done), &config(), NOW + HOUR_NS - 1), None);
    let over = Over { state: CaptureState::Done, bytes: 9, rows: 3, ended_ns: NOW, reason: None };
    assert_eq!(ends(&export(None), Some(&done), &config(), NOW + HOUR_NS), Some(End::Over(over.clone())));
    let queued = row(CaptureState::Queued, None);
    assert_eq!(ends(&export(None), Some(&queued), &config(), NOW + 23 * HOUR_NS), None);
    let Some(End::Over(untaken)) = ends(&export(None), Some(&queued), &config(), NOW + 24 * HOUR_NS) else {
        unreachable!("it goes on");
    };
    assert_eq!(untaken.state, CaptureState::Failed);
    assert_eq!(ends(&export(Some(over.clone())), None, &config(), NOW + 7 * 24 * HOUR_NS - 1), None);
    assert_eq!(ends(&export(Some(over)), None, &config(), NOW + 7 * 24 * HOUR_NS), Some(End::Gone));
    assert_eq!(ends(&export(None), None, &config(), NOW), Some(End::Gone), "a record without a job is worth nothing");
}
