//! Memory and store tell the same, whatever was changed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::series::figures;

use super::records::{DAYS, RESTATEMENTS};
use super::*;
use crate::adops::actor::Actor;
use crate::adops::campaigns::samples::sample;
use crate::adops::change::change;
use crate::systems::Code;

const ONE: TenantId = TenantId(1);
const TWO: TenantId = TenantId(2);
const ID: CampaignId = CampaignId(7);

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn row(number: u64) -> Figures {
    figures([number, number, number, number, number])
}

fn actor(tenant: TenantId) -> Actor {
    Actor::system(tenant, "test")
}

async fn put(store: &Store, book: &Book, tenant: TenantId, campaign: Campaign) {
    change(store, &actor(tenant), |change| Ok(book.put(change, campaign)?)).await.unwrap();
}

async fn upsert(store: &Store, book: &Book, source: Source, days: &[(&str, u64)]) -> Upserted {
    let days: Vec<_> = days.iter().map(|(text, number)| (day(text), row(*number))).collect();
    change(store, &actor(ONE), |change| book.upsert(change, ID, source, &days)).await.unwrap()
}

/// Everything a book knows of a tenant.
fn told(book: &Book, tenant: TenantId) -> String {
    let entry = |entry: Arc<Entry>| {
        let (real, synthetic): (Vec<_>, Vec<_>) = (entry.real.all().collect(), entry.synthetic.all().collect());
        format!("{:?} {} {:?} {real:?} {synthetic:?}\n", entry.campaign, entry.folded, entry.totals)
    };
    book.all_any(tenant).into_iter().map(entry).collect()
}

async fn opened() -> (Store, Book) {
    let store = Store::in_memory().unwrap();
    let book = Book::open(&store).unwrap();
    put(&store, &book, ONE, sample(ID.0, "Été in Paris")).await;
    (store, book)
}

#[tokio::test]
async fn what_is_reopened_is_what_was_held() {
    let (store, book) = opened().await;
    put(&store, &book, TWO, sample(8, "other")).await;
    let first = upsert(&store, &book, Source::Real, &[("2024-12-31", 1), ("2025-01-01", 2), ("2024-12-30", 3)]).await;
    assert_eq!(first, Upserted { inserted: 3, ..Upserted::default() });
    let again = upsert(&store, &book, Source::Real, &[("2024-12-31", 5), ("2025-01-01", 2), ("2023-02-01", 0)]).await;
    assert_eq!(again, Upserted { inserted: 1, updated: 1, unchanged: 1 });
    upsert(&store, &book, Source::Synthetic, &[("2025-01-01", u64::MAX)]).await;
    let entry = book.get(ONE, ID).unwrap();
    assert_eq!((entry.totals, entry.folded.as_str()), (row(10), "été in paris"));
    assert!(entry.campaign.synced_ns.is_some() && entry.synthetic.get(day("2025-01-01")) == Some(row(u64::MAX)));
    let reopened = Book::open(&store).unwrap();
    assert_eq!((told(&book, ONE), told(&book, TWO)), (told(&reopened, ONE), told(&reopened, TWO)));
    assert_eq!((book.count(ONE), book.count(TWO), book.count(TenantId(3))), (1, 1, 0));
    assert!(book.get(TWO, ID).is_none(), "checklist 36: another tenant's campaign is not there");
}

#[tokio::test]
async fn a_change_of_a_campaign_keeps_its_days() {
    let (store, book) = opened().await;
    upsert(&store, &book, Source::Real, &[("2024-12-31", 1)]).await;
    put(&store, &book, ONE, sample(ID.0, "Winter")).await;
    let entry = book.get(ONE, ID).unwrap();
    assert_eq!((entry.folded.as_str(), entry.totals, entry.real.len()), ("winter", row(1), 1));
    assert_eq!(told(&book, ONE), told(&Book::open(&store).unwrap(), ONE));
}

#[tokio::test]
async fn external_ids_name_campaigns_that_are_not_deleted() {
    let (store, book) = opened().await;
    let named = |id: u64, external: Option<&str>, deleted_ns: Option<u64>| Campaign {
        external_id: external.map(str::to_owned),
        deleted_ns,
        ..sample(id, "x")
    };
    let find = |external: &str| book.by_external(ONE, Platform::Meta, external);
    put(&store, &book, ONE, named(1, Some("a"), None)).await;
    assert_eq!((find("a"), find("b")), (Some(CampaignId(1)), None));
    assert_eq!(book.by_external(TWO, Platform::Meta, "a"), None);
    assert_eq!(book.by_external(ONE, Platform::Google, "a"), None);
    put(&store, &book, ONE, named(1, Some("b"), None)).await;
    assert_eq!((find("a"), find("b")), (None, Some(CampaignId(1))));
    put(&store, &book, ONE, named(1, Some("b"), Some(5))).await;
    assert!(
        find("b").is_none() && book.get(ONE, CampaignId(1)).is_none() && book.get_any(ONE, CampaignId(1)).is_some()
    );
    put(&store, &book, ONE, named(2, Some("b"), None)).await;
    put(&store, &book, ONE, named(1, None, Some(5))).await;
    assert_eq!(find("b"), Some(CampaignId(2)), "a deleted campaign does not take the id from its successor");
    assert_eq!(Book::open(&store).unwrap().by_external(ONE, Platform::Meta, "b"), Some(CampaignId(2)));
}

#[tokio::test]
async fn a_campaign_and_its_days_can_be_made_by_one_change() {
    let (store, book) = opened().await;
    let made = |change: &mut Change<'_>| {
        book.put(change, sample(9, "new"))?;
        book.upsert_many(change, vec![(CampaignId(9), vec![(day("2024-01-01"), row(4))]), (ID, vec![])])
    };
    assert_eq!(change(&store, &actor(ONE), made).await.unwrap().inserted, 1);
    assert_eq!(book.get(ONE, CampaignId(9)).unwrap().totals, row(4));
    assert_eq!(told(&book, ONE), told(&Book::open(&store).unwrap(), ONE));
}

#[tokio::test]
async fn what_was_prepared_before_another_change_is_merged_again() {
    let (store, book) = opened().await;
    let rows = |number| vec![(ID, vec![(day("2024-12-31"), row(number)), (day("2024-12-30"), row(1))])];
    let prepared = book.prepare(ONE, Source::Real, rows(2)).unwrap();
    assert_eq!(prepared.outcome().inserted, 2);
    upsert(&store, &book, Source::Real, &[("2024-12-31", 9), ("2024-12-29", 9)]).await;
    let done = change(&store, &actor(ONE), |change| book.commit(change, prepared)).await.unwrap();
    assert_eq!(done, Upserted { inserted: 1, updated: 1, unchanged: 0 });
    assert_eq!(book.get(ONE, ID).unwrap().totals, row(12));
    assert_eq!(told(&book, ONE), told(&Book::open(&store).unwrap(), ONE));
    let others = book.prepare(TWO, Source::Real, rows(2)).unwrap();
    let refused = change(&store, &actor(ONE), |change| book.commit(change, others)).await.unwrap_err();
    assert_eq!(refused.code, Code::Internal);
}

#[tokio::test]
async fn refused_days_leave_nothing() {
    let (store, book) = opened().await;
    let before = told(&book, ONE);
    let days = [(day("2024-12-31"), row(1)), (day("1980-01-01"), row(1))];
    let refused = change(&store, &actor(ONE), |change| book.upsert(change, ID, Source::Real, &days)).await.unwrap_err();
    assert_eq!((refused.code, refused.details[0].field.as_str()), (Code::Unprocessable, "date"));
    assert_eq!(told(&book, ONE), before);
    assert_eq!(DAYS.scan(&store, ONE, false).count(), 0);
}

#[tokio::test]
async fn restatements_tell_old_and_new_in_bounded_parts() {
    let (store, book) = opened().await;
    let year = |number: u64| (0..800).map(|at| (Day(19_000 + at), row(number))).collect::<Vec<_>>();
    for number in [1, 2] {
        change(&store, &actor(ONE), |change| book.upsert(change, ID, Source::Real, &year(number))).await.unwrap();
    }
    upsert(&store, &book, Source::Synthetic, &[("2024-12-31", 1)]).await;
    upsert(&store, &book, Source::Synthetic, &[("2024-12-31", 2)]).await;
    let all: Vec<Restated> = restatements(&store, ONE, ID).map(|one| one.unwrap()).collect();
    assert_eq!(all.iter().map(|one| one.days.len()).collect::<Vec<_>>(), [68, 366, 366], "the newest first");
    assert_eq!((all[2].days[0], all[0].request_id.as_str()), ((Day(19_000), row(1), row(2)), "test"));
    assert_eq!(restatements(&store, TWO, ID).count(), 0);
}

#[tokio::test]
async fn removed_campaigns_leave_no_rows() {
    let (store, book) = opened().await;
    put(&store, &book, ONE, sample(8, "stays")).await;
    put(&store, &book, TWO, sample(9, "other tenant")).await;
    upsert(&store, &book, Source::Real, &[("2024-12-31", 1), ("2023-12-31", 1)]).await;
    upsert(&store, &book, Source::Real, &[("2024-12-31", 2)]).await;
    upsert(&store, &book, Source::Synthetic, &[("2024-12-31", 2)]).await;
    change(&store, &actor(ONE), |change| Ok(book.remove(change, ID)?)).await.unwrap();
    let rows = || DAYS.scan(&store, ONE, false).count() + RESTATEMENTS.scan(&store, ONE, false).count();
    assert_eq!((rows(), book.count(ONE), book.get_any(ONE, ID).is_none()), (0, 1, true));
    change(&store, &actor(ONE), |change| Ok(book.remove_tenant(change)?)).await.unwrap();
    assert_eq!((book.count(ONE), book.count(TWO)), (0, 1));
    assert_eq!(told(&book, TWO), told(&Book::open(&store).unwrap(), TWO));
    assert_eq!(CAMPAIGNS.scan(&store, ONE, false).count(), 0);
}

#[tokio::test]
async fn deleted_campaigns_are_forgotten_after_thirty_days() {
    const DAY_NS: u64 = 86_400_000_000_000;
    let (store, book) = opened().await;
    put(&store, &book, ONE, Campaign { deleted_ns: Some(DAY_NS), ..sample(8, "deleted") }).await;
    assert_eq!(book.forget_deleted(&store, 31 * DAY_NS - 1).await.unwrap(), 0);
    assert!(book.get_any(ONE, CampaignId(8)).is_some());
    assert_eq!(book.forget_deleted(&store, 31 * DAY_NS).await.unwrap(), 1);
    assert!(book.get_any(ONE, CampaignId(8)).is_none() && book.get(ONE, ID).is_some());
    assert_eq!(told(&book, ONE), told(&Book::open(&store).unwrap(), ONE));
}
