//! Reports are made, planned, and sent once.

#![allow(clippy::unwrap_used, reason = "test code")]

use serde_json::{Map, Value, json};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_engine::ads::money::Currency;

use super::*;
use crate::adops::actor::Role;
use crate::adops::book::{Book, Source};
use crate::adops::campaign::{Campaign, Status, Targeting};
use crate::adops::change::change;
use crate::adops::ids::CampaignId;
use crate::adops::mail;
use crate::adops::tenant::TENANTS;
use crate::adops::users::tests::{person, put};
use crate::store::Batch;
use crate::systems::Code;

const HOUR_NS: u64 = 3600 * 1_000_000_000;
const DAY_NS: u64 = 24 * HOUR_NS;

struct Place {
    store: Store,
    book: Book,
    admin: Actor,
    tenant: Tenant,
}

fn body(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn daily() -> Map<String, Value> {
    body(&json!({"name": "Morning", "schedule": "daily", "hour": 6, "recipients": ["USER2@example.com"],
        "period": "yesterday", "compare_period": "previous_period"}))
}

impl Place {
    async fn new() -> Self {
        let store = Store::in_memory().unwrap();
        let admin = person(&store, 1, 1, Role::Admin).await;
        for (tenant, id) in [(1, 2), (2, 3)] {
            person(&store, tenant, id, Role::Viewer).await;
        }
        let (name, timezone) = ("Acme".to_owned(), "Europe/Berlin".to_owned());
        let tenant = Tenant { name, timezone, currency: Currency::USD, created_ns: 0, keep_personal_days: None };
        let mut batch = Batch::new();
        TENANTS.put(&mut batch, &TenantId(1), &tenant).unwrap();
        store.commit(batch).await.unwrap();
        let book = Book::open(&store).unwrap();
        Self { store, book, admin, tenant }
    }

    async fn campaign(&self, id: u64, name: &str, platform: Platform, days: &[(Day, u64)]) {
        let campaign = Campaign {
            id: CampaignId(id),
            name: name.to_owned(),
            platform,
            status: Status::Active,
            objective: None,
            external_id: None,
            account_id: None,
            daily_budget: None,
            lifetime_budget: None,
            currency: Currency::USD,
            targeting: Targeting::default(),
            demographics: String::new(),
            start: None,
            end: None,
            labels: Vec::new(),
            created_by: None,
            created_ns: 1,
            updated_ns: 1,
            synced_ns: None,
            deleted_ns: None,
        };
        change(&self.store, &self.admin, |change| Ok(self.book.put(change, campaign)?)).await.unwrap();
        let figures =
            |spend| Figures { impressions: 1000, clicks: 10, conversions_milli: 1500, spend, revenue: 2 * spend };
        let days: Vec<_> = days.iter().map(|(day, spend)| (*day, figures(*spend))).collect();
        let upsert = |change: &mut Change<'_>| self.book.upsert(change, CampaignId(id), Source::Real, &days);
        change(&self.store, &self.admin, upsert).await.unwrap();
    }

    async fn due(&self, now_ns: u64) -> Vec<mail::Letter> {
        send_due(&self.store, &self.book, now_ns).await.unwrap();
        self.mails()
    }

    fn mails(&self) -> Vec<mail::Letter> {
        mail::LETTERS.scan(&self.store, TenantId(1), false).map(|row| row.unwrap().1).collect()
    }

    fn report(&self, id: u64) -> Report {
        get(&self.store, TenantId(1), id).unwrap()
    }
}

#[tokio::test]
async fn a_report_is_sent_once_for_each_moment_and_only_the_latest_of_missed_ones() {
    let place = Place::new().await;
    let (id, report) = create(&place.store, &place.admin, &daily()).await.unwrap();
    assert_eq!(place.due(report.next_ns - 1).await.len(), 0);
    assert_eq!(place.due(report.next_ns).await.len(), 1);
    let sent = place.report(id);
    assert_eq!((sent.last_due_ns, sent.next_ns > report.next_ns), (Some(report.next_ns), true));
    assert_eq!(place.due(report.next_ns + HOUR_NS).await.len(), 1, "not again");
    // Four days away: one mail, of the last moment.
    let now = sent.next_ns + 3 * DAY_NS + 2 * HOUR_NS;
    assert_eq!(place.due(now).await.len(), 2);
    let late = place.report(id);
    assert!(late.last_due_ns.is_some_and(|due| due <= now && now - due < DAY_NS) && late.next_ns > now);
    let standing = body(&json!({"active": false}));
    update(&place.store, &place.admin, id, &standing).await.unwrap();
    assert_eq!(place.due(now + 9 * DAY_NS).await.len(), 2, "it stands still");
}

#[tokio::test]
async fn a_report_tells_its_days_and_nobody_elses() {
    let place = Place::new().await;
    let (_, report) = create(&place.store, &place.admin, &daily()).await.unwrap();
    let today = place.tenant.day_at(report.next_ns);
    let (one, two, long_ago) = (today.plus(-1), today.plus(-2), today.plus(-9));
    place.campaign(1, "=Brand, \"best\"", Platform::Meta, &[(one, 15_000), (two, 10_000), (long_ago, 77)]).await;
    place.campaign(2, "Search", Platform::Google, &[(one, 500), (today, 99_999)]).await;
    place.campaign(3, "Quiet", Platform::Google, &[(long_ago, 5)]).await;
    let letters = place.due(report.next_ns).await;
    let letter = letters.first().unwrap();
    assert_eq!((letter.to.as_str(), letter.subject.contains(&one.to_string())), ("user2@example.com", true));
    for part in ["USD", "155.00", "+55.0 %", "meta", "google", "Search", "Europe/Berlin"] {
        assert!(letter.text.contains(part), "{part}: {}", letter.text);
    }
    assert!(!letter.text.contains("Quiet"), "{}", letter.text);
    let file = letter.attachment.as_ref().unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines.get(1).unwrap().starts_with("1,\"'=Brand, \"\"best\"\"\",meta,USD,150.00,300.00,1000,10,1.5,"),
        "{text}"
    );
}

#[tokio::test]
async fn only_people_of_the_tenant_get_it() {
    let place = Place::new().await;
    for stranger in ["user3@example.com", "nobody@example.com"] {
        let body = body(&json!({"name": "x", "schedule": "daily", "recipients": ["user2@example.com", stranger]}));
        let fault = create(&place.store, &place.admin, &body).await.unwrap_err();
        assert_eq!(fault.code, Code::Unprocessable);
        assert_eq!(fault.details.first().map(|detail| detail.field.as_str()), Some("recipients[1]"));
    }
    let (id, report) = create(&place.store, &place.admin, &daily()).await.unwrap();
    assert_eq!(send_now(&place.store, &place.book, &place.admin, id).await, Ok(1));
    let second = person(&place.store, 1, 2, Role::Viewer).await;
    put(&place.store, &second, |user| user.active = false).await;
    let refused = send_now(&place.store, &place.book, &place.admin, id).await;
    assert_eq!(refused.unwrap_err().code, Code::Unprocessable);
    assert_eq!(place.due(report.next_ns).await.len(), 1, "the one that was asked for");
    change(&place.store, &place.admin, |change| Ok(forget(change, UserId(2))?)).await.unwrap();
    let left = place.report(id);
    assert!(left.recipients.is_empty() && !left.active);
}

#[tokio::test]
async fn what_is_wrong_is_named() {
    let place = Place::new().await;
    let wrong = json!({"name": "", "schedule": "hourly", "weekday": "mon", "day": 31, "hour": 24,
        "recipients": ["x"], "period": "ever", "platform": "myspace", "compare_period": "last", "active": 1, "cron": "*"});
    let fault = create(&place.store, &place.admin, &body(&wrong)).await.unwrap_err();
    let fields: Vec<_> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "name",
            "schedule",
            "weekday",
            "day",
            "hour",
            "recipients[0]",
            "period",
            "platform",
            "compare_period",
            "active",
            "cron"
        ]
    );
    let fault = create(&place.store, &place.admin, &Map::new()).await.unwrap_err();
    let fields: Vec<_> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
    assert_eq!(fields, ["name", "schedule", "recipients"]);
    let strange = json!({"name": "x", "schedule": "daily", "weekday": "monday", "recipients": ["user2@example.com"]});
    assert_eq!(create(&place.store, &place.admin, &body(&strange)).await.unwrap_err().code, Code::Unprocessable);
}

#[tokio::test]
async fn a_change_plans_anew_and_so_does_another_zone() {
    let place = Place::new().await;
    let (id, _) = create(&place.store, &place.admin, &daily()).await.unwrap();
    let weekly = body(&json!({"schedule": "weekly", "weekday": "sunday", "compare_period": null, "platform": "meta"}));
    let changed = update(&place.store, &place.admin, id, &weekly).await.unwrap();
    assert_eq!(
        (changed.schedule, changed.compare.clone(), changed.platform),
        (Schedule::Weekly(6), None, Some(Platform::Meta))
    );
    let hour = |report: &Report, zone: &str| {
        let at = jiff::Timestamp::from_nanosecond(report.next_ns.into()).unwrap();
        at.to_zoned(jiff::tz::TimeZone::get(zone).unwrap()).hour()
    };
    assert_eq!(hour(&changed, "Europe/Berlin"), 6);
    let zone = body(&json!({"timezone": "Asia/Tokyo"}));
    crate::adops::tenant::update(&place.store, &place.admin, &zone).await.unwrap();
    assert_eq!(hour(&place.report(id), "Asia/Tokyo"), 6);
    remove(&place.store, &place.admin, id).await.unwrap();
    assert_eq!(remove(&place.store, &place.admin, id).await.unwrap_err().code, Code::NotFound);
}
