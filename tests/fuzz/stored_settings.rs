//! The stored records of a tenant's settings, keys, mails and reports: one value of each, the same in every run.

use std::collections::BTreeMap;

use coordinator::adops::campaign::Platform;
use coordinator::adops::integrations::Integration;
use coordinator::adops::keys::ApiKey;
use coordinator::adops::mail::{Attachment, Letter, Queued};
use coordinator::adops::reports::{Period, Report, Schedule};
use coordinator::adops::tenant::Tenant;
use coordinator::adops::views::{Page, SavedView};
use coordinator::adops::{AuditEntry, Role, Who};
use serde::de::DeserializeOwned;
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::money::Currency;

const CREATED: u64 = 1_767_225_601_000_000_000;

/// An id of any kind.
fn id<T: DeserializeOwned>(number: u64) -> T {
    serde_json::from_value(number.into()).unwrap()
}

pub(super) fn tenant() -> Tenant {
    Tenant {
        name: "Acme Corp".into(),
        timezone: "Europe/Berlin".into(),
        currency: Currency::USD,
        created_ns: CREATED,
        keep_personal_days: Some(90),
    }
}

pub(super) fn audit() -> AuditEntry {
    AuditEntry {
        who: Who::Key(id(5), id(3)),
        action: "campaign.updated".into(),
        object: "campaign".into(),
        id: "7".into(),
        old: r#"{"status":"draft"}"#.into(),
        new: r#"{"status":"active"}"#.into(),
        request_id: "01976a2e".into(),
        address: Some("198.51.100.7".parse().unwrap()),
        refused: Some("state".into()),
    }
}

pub(super) fn key() -> ApiKey {
    ApiKey {
        name: "ci".into(),
        owner: id(3),
        role: Role::Analyst,
        hash: [9; 32],
        beginning: "tlk_AbCd".into(),
        expires_ns: Some(CREATED + 1),
        created_ns: CREATED,
        used_on: Some(Day(20_454)),
    }
}

pub(super) fn queued() -> Queued {
    Queued {
        about: Some(id(3)),
        until_ns: CREATED + 9,
        attempts: 2,
        next_ns: CREATED + 5,
        failed_ns: Some(CREATED + 6),
    }
}

pub(super) fn letter() -> Letter {
    let file =
        Attachment { name: "report.csv".into(), content_type: "text/csv".into(), bytes: b"a,b\r\n1,2\r\n".to_vec() };
    Letter {
        to: "ada@example.com".into(),
        subject: "Weekly".into(),
        text: "Spend 1.00\n".into(),
        attachment: Some(file),
    }
}

pub(super) fn integration() -> Integration {
    Integration {
        base_url: Some("https://sandbox.example".into()),
        open: BTreeMap::from([("pixel_id".into(), "123".into())]),
        sealed: BTreeMap::from([("access_token".into(), "c2VhbGVk".into())]),
        updated_by: Some(id(3)),
        updated_ns: CREATED,
    }
}

pub(super) fn view() -> SavedView {
    SavedView {
        owner: id(3),
        name: "Meta, by spend".into(),
        page: Page::Campaigns,
        query: BTreeMap::from([("sort_by".into(), "spend".into())]),
        shared: true,
        created_ns: CREATED,
        updated_ns: CREATED + 1,
    }
}

/// A report of each kind of schedule.
pub(super) fn reports() -> [(&'static str, Report); 3] {
    let report = |schedule, period| Report {
        owner: Some(id(3)),
        name: "Key figures".into(),
        schedule,
        hour: 8,
        recipients: vec![id(3), id(4)],
        period,
        platform: Some(Platform::Meta),
        compare: Some("previous_year".into()),
        active: true,
        next_ns: CREATED + 2,
        last_due_ns: Some(CREATED + 1),
        created_ns: CREATED,
        updated_ns: CREATED,
    };
    [
        ("daily", report(Schedule::Daily, Period::Yesterday)),
        ("weekly", report(Schedule::Weekly(6), Period::LastWeek)),
        ("monthly", report(Schedule::Monthly(28), Period::LastMonth)),
    ]
}
