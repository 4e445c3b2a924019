//! What linked sessions generate counts once, on the tenant's day.
#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::json;
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::traffic::counters::{Counters, RtbCounters};
use trafficlab_shared::model::campaign::CampaignStatus;

use super::*;
use crate::adops::campaigns::samples::sample;
use crate::adops::tenant::{TENANTS, Tenant};
use crate::store::campaigns::{Campaign, CampaignFields};
use crate::store::runs::{RUNS_OF, TOTALS, Totals};
use crate::systems::Code;

const ID: CampaignId = CampaignId(7);
const HOUR_NS: u64 = 3_600_000_000_000;

fn actor(tenant: u64) -> Actor {
    Actor::system(TenantId(tenant), "test")
}

/// Two tenants, one in Chatham, a campaign of each, and a session.
async fn opened() -> (Store, Book) {
    let store = Store::in_memory().unwrap();
    let book = Book::open(&store).unwrap();
    let mut batch = Batch::new();
    for (id, timezone) in [(1, "Pacific/Chatham"), (2, "UTC")] {
        let tenant = Tenant {
            name: "T".into(),
            timezone: timezone.into(),
            currency: Currency::USD,
            created_ns: 0,
            keep_personal_days: None,
        };
        TENANTS.put(&mut batch, &TenantId(id), &tenant).unwrap();
    }
    let fields = CampaignFields {
        target_url: None,
        requests_per_minute: 60.0,
        duration_minutes: 1.0,
        geo_locations: json!([]),
        rtb_config: json!({}),
        config: json!({}),
        user_profiles: json!([]),
    };
    let session = Campaign {
        id: "s".into(),
        name: "s".into(),
        status: CampaignStatus::Running,
        reason: None,
        created_ns: 0,
        updated_ns: 0,
        started_ns: None,
        ended_ns: None,
        run: Some("j".into()),
        fields,
    };
    SESSIONS.put(&mut batch, &session.id.clone(), &session).unwrap();
    RUNS_OF.put(&mut batch, &("s".into(), "j".into()), &()).unwrap();
    store.apply(batch).unwrap();
    for (tenant, id) in [(1, 7), (2, 8)] {
        change(&store, &actor(tenant), |change| Ok(book.put(change, sample(id, "c"))?)).await.unwrap();
    }
    (store, book)
}

/// The run has come so far, at an hour of 1970.
fn generated(store: &Store, impressions: u64, spend_nanos: u64, hour: u64) {
    let rtb = RtbCounters { impressions, clicks: impressions / 10, spend_nanos, ..RtbCounters::default() };
    let counters = Counters { rtb, ..Counters::default() };
    let mut batch = Batch::new();
    let totals = Totals { counters, updated_ns: hour * HOUR_NS, ..Totals::default() };
    TOTALS.put(&mut batch, &"j".to_owned(), &totals).unwrap();
    store.apply(batch).unwrap();
}

fn synthetic(book: &Book, tenant: u64, id: CampaignId) -> Vec<(i32, u64, u64, u64)> {
    let entry = book.get(TenantId(tenant), id).unwrap();
    assert!(entry.real.is_empty(), "never among the real figures");
    entry.synthetic.all().map(|(day, f)| (day.0, f.impressions, f.clicks, f.spend)).collect()
}

#[tokio::test]
async fn each_impression_counts_once_on_the_tenants_day() {
    let (store, book) = opened().await;
    link(&store, &book, &actor(1), ID, "s").await.unwrap();
    generated(&store, 100, 19_999_999, 5);
    for _ in 0..2 {
        follow::round(&store, &book).await.unwrap();
    }
    assert_eq!(synthetic(&book, 1, ID), [(0, 100, 10, 1)], "1.9999999 cents are one, and the rest is kept");
    generated(&store, 150, 20_000_000, 20);
    follow::round(&store, &book).await.unwrap();
    assert_eq!(synthetic(&book, 1, ID), [(0, 100, 10, 1), (1, 50, 5, 1)], "Chatham's day begins at noon");
    let anew = Book::open(&store).unwrap();
    follow::round(&store, &anew).await.unwrap();
    assert_eq!(synthetic(&anew, 1, ID), synthetic(&book, 1, ID), "a restart adds nothing");
}

#[tokio::test]
async fn a_session_counts_for_one_campaign() {
    let (store, book) = opened().await;
    let since = link(&store, &book, &actor(1), ID, "s").await.unwrap();
    assert_eq!(link(&store, &book, &actor(1), ID, "s").await, Ok(since), "again is the same");
    let code = |refused: Outcome<u64>| refused.unwrap_err().code;
    assert_eq!(code(link(&store, &book, &actor(2), CampaignId(8), "s").await), Code::Conflict);
    assert_eq!(code(link(&store, &book, &actor(2), ID, "s").await), Code::NotFound, "checklist 35");
    assert_eq!(code(link(&store, &book, &actor(1), ID, "other").await), Code::NotFound);
    assert_eq!(unlink(&store, &book, &actor(2), CampaignId(8), "s").await.unwrap_err().code, Code::NotFound);
    assert_eq!(of_campaign(&store, TenantId(1), ID).unwrap(), [("s".to_owned(), since)]);
    assert_eq!(of_campaign(&store, TenantId(2), CampaignId(8)).unwrap(), []);
    generated(&store, 100, 0, 5);
    follow::round(&store, &book).await.unwrap();
    unlink(&store, &book, &actor(1), ID, "s").await.unwrap();
    generated(&store, 130, 0, 5);
    follow::round(&store, &book).await.unwrap();
    assert_eq!(synthetic(&book, 1, ID), [(0, 100, 10, 0)], "what comes after the link's end does not count");
    link(&store, &book, &actor(2), CampaignId(8), "s").await.unwrap();
    follow::round(&store, &book).await.unwrap();
    assert_eq!(synthetic(&book, 2, CampaignId(8)), [(0, 30, 3, 0)], "what counted for one does not count for another");
}

#[tokio::test]
async fn what_a_session_names_must_be_there() {
    let (store, book) = opened().await;
    let found = named(&book, 8, 5).unwrap();
    assert_eq!(found, Link { tenant: TenantId(2), campaign: CampaignId(8), since_ns: 5 });
    assert_eq!(named(&book, 9, 5).unwrap_err().code, Code::Validation);
    let mut batch = Batch::new();
    put(&mut batch, "s", &found).unwrap();
    SESSIONS.delete(&mut batch, &"s".to_owned());
    store.apply(batch).unwrap();
    follow::round(&store, &book).await.unwrap();
    assert_eq!(of_campaign(&store, TenantId(2), CampaignId(8)).unwrap(), [], "a link ends with its session");
    assert_eq!(book.get(TenantId(2), CampaignId(8)).unwrap().synthetic.get(Day(0)), None::<Figures>);
}
