//! The stored records of ad operations: one value of each, the same in every run.

use coordinator::adops::Who;
use coordinator::adops::book::records::{Restatement, YearBlock};
use coordinator::adops::book::{Packed, Upserted};
use coordinator::adops::campaign::{Campaign, Platform, Status, Targeting};
use coordinator::adops::campaigns::bulk::record::{Bulk, Done};
use coordinator::adops::imports::AdsImport;
use coordinator::adops::linked::Link;
use coordinator::adops::linked::follow::Added;
use serde::de::DeserializeOwned;
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::series;

const CREATED: u64 = 1_767_225_601_000_000_000;

/// An id of any kind.
fn id<T: DeserializeOwned>(number: u64) -> T {
    serde_json::from_value(number.into()).unwrap()
}

pub(super) fn year() -> YearBlock {
    YearBlock { days: days(0) }
}

/// The document's two days, each count `more` larger.
fn days(more: u64) -> Packed {
    let row = |[i, c, n, s, r]: [u64; 5]| series::figures([i + more, c + more, n + more, s + more, r + more]);
    let days =
        [(Day(20_076), row([5000, 180, 7000, 12_550, 38_500])), (Day(20_077), row([5200, 195, 8000, 13_000, 42_000]))];
    Packed::of(days.into_iter())
}

pub(super) fn restatement() -> Restatement {
    Restatement { who: Who::User(id(3)), request_id: "01976a2e".into(), old: days(0), new: days(1) }
}

pub(super) fn campaign() -> Campaign {
    Campaign {
        id: id(7),
        name: "Summer Sale 2024".into(),
        platform: Platform::Meta,
        status: Status::Active,
        objective: Some("CONVERSIONS".into()),
        external_id: Some("23851234567890".into()),
        account_id: Some("act_123456789".into()),
        daily_budget: Some(50_000),
        lifetime_budget: None,
        currency: Currency::USD,
        targeting: Targeting {
            age_min: Some(25),
            age_max: Some(54),
            genders: vec!["female".into()],
            locations: vec!["US".into()],
            interests: vec!["fashion".into()],
        },
        demographics: r#"{"gender":{"female":55,"male":45}}"#.into(),
        start: Some(Day(19_875)),
        end: Some(Day(19_966)),
        labels: vec!["sale".into(), "summer".into()],
        created_by: Some(id(3)),
        created_ns: CREATED,
        updated_ns: CREATED + 1,
        synced_ns: Some(CREATED + 2),
        deleted_ns: Some(CREATED + 3),
    }
}

pub(super) fn bulk() -> Bulk {
    Bulk {
        action: r#"{"status":"paused"}"#.into(),
        who: Who::User(id(3)),
        created_ns: CREATED,
        done: 3,
        skipped: 2,
        failed: 1,
        undone_ns: Some(CREATED + 1),
    }
}

/// What bulk changes do to a campaign, by the kind of action.
pub(super) fn bulk_items() -> [(&'static str, Done); 3] {
    [
        ("status", Done::Status { old: Status::Active, new: Status::Paused }),
        ("budget", Done::DailyBudget { old: Some(50_000), new: 55_000, currency: Currency::USD }),
        ("labels", Done::Labels { added: vec!["q4".into()], removed: vec!["summer".into()] }),
    ]
}

pub(super) fn import() -> AdsImport {
    AdsImport {
        at_ns: CREATED,
        who: Who::User(id(3)),
        format: "google".into(),
        rows: 365,
        errors: 2,
        campaigns: 3,
        created: 1,
        outcome: Upserted { inserted: 360, updated: 2, unchanged: 1 },
        first: Some(Day(19_875)),
        last: Some(Day(19_966)),
        currencies: vec![Currency::USD],
    }
}

pub(super) fn link() -> Link {
    Link { tenant: id(1), campaign: id(7), since_ns: CREATED }
}

pub(super) fn link_added() -> Added {
    Added { figures: series::figures([100, 10, 1000, 25, 0]) }
}
