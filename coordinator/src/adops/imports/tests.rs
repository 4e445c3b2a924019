//! Whole files against a store and a book.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;

use super::samples::{Desk, META};
use super::*;
use crate::adops::book::{Book, Upserted};
use crate::adops::campaign::Status;
use crate::adops::ids::{CampaignId, TenantId};
use crate::systems::{Code, Fault};

impl Desk {
    /// Plans and writes; the mistakes come as `row: message`.
    async fn import(&self, text: &str, wishes: &Wishes) -> (Upserted, Vec<String>) {
        let plan = self.plan(text, wishes).unwrap();
        let told = plan.faults.sorted().iter().map(|fault| format!("{}: {}", fault.row, fault.message)).collect();
        if plan.faults.total() > 0 && !wishes.skip {
            return (Upserted::default(), told);
        }
        let (_, record) = write(&self.store, &self.book, &self.actor, &plan).await.unwrap();
        assert_eq!(record.outcome, plan.outcome(), "a plan says what will be done");
        (record.outcome, told)
    }

    fn spend(&self, id: u64, day: &str) -> Option<u64> {
        self.figures(id, day).map(|figures| figures.spend)
    }

    fn figures(&self, id: u64, day: &str) -> Option<Figures> {
        self.book.get(TenantId(1), CampaignId(id))?.real.get(Day::parse(day).unwrap())
    }
}

fn done(inserted: u64, updated: u64, unchanged: u64) -> Upserted {
    Upserted { inserted, updated, unchanged }
}

#[tokio::test]
async fn an_export_goes_to_the_campaign_of_its_id_and_once_more_changes_nothing() {
    let desk = Desk::new();
    desk.add(Platform::Google, Some("77"), "Spring").await;
    let meta = desk.add(Platform::Meta, Some("77"), "Called otherwise").await;
    assert_eq!(desk.import(META, &Wishes::default()).await, (done(2, 0, 0), vec![]));
    assert_eq!(desk.spend(meta.get(), "2024-06-02"), Some(650));
    assert_eq!(desk.spend(1, "2024-06-02"), None, "the other platform's");
    assert_eq!(desk.import(META, &Wishes::default()).await.0, done(0, 0, 2));
    assert_eq!(desk.import(&META.replace("6.50", "6.51"), &Wishes::default()).await.0, done(0, 1, 1));
    assert_eq!(list(&desk.store, TenantId(1)).unwrap().len(), 3);
}

#[tokio::test]
async fn a_name_will_do_when_it_is_the_only_one_and_has_no_other_id() {
    let desk = Desk::new();
    desk.add(Platform::Meta, None, "Spring").await;
    assert_eq!(desk.import(META, &Wishes::default()).await.0, done(2, 0, 0));
    desk.add(Platform::Meta, None, "Spring").await;
    let (_, faults) = desk.import(META, &Wishes::default()).await;
    assert!(faults[0].contains("several campaigns are called `Spring`"), "{faults:?}");
    let other = Desk::new();
    other.add(Platform::Meta, Some("78"), "Spring").await;
    let (_, faults) = other.import(META, &Wishes::default()).await;
    assert_eq!(faults, ["2: there is no campaign of meta with the id `77`; `create_missing=true` makes it (2 rows)"]);
}

#[tokio::test]
async fn missing_campaigns_are_made_when_asked() {
    let desk = Desk::new();
    let wishes = Wishes { create_missing: true, ..Wishes::default() };
    assert_eq!(desk.import(META, &wishes).await, (done(2, 0, 0), vec![]));
    let made = desk.book.all(TenantId(1));
    let campaign = &made[0].campaign;
    assert_eq!(
        (campaign.name.as_str(), campaign.external_id.as_deref(), campaign.platform, campaign.status),
        ("Spring", Some("77"), Platform::Meta, Status::Paused)
    );
    assert_eq!(desk.import(META, &wishes).await.0, done(0, 0, 2));
    assert_eq!(desk.book.count(TenantId(1)), 1);
    let again = Book::open(&desk.store).unwrap();
    assert_eq!(again.all(TenantId(1))[0].totals.spend, 1200, "and it is stored");
}

#[tokio::test]
async fn wrong_rows_are_named_and_nothing_is_written_unless_they_may_be_left_out() {
    let desk = Desk::new();
    desk.add(Platform::Meta, Some("77"), "Spring").await;
    let text = "external_id,date,impressions,clicks,spend\n77,2024-06-01,10,1,1.00\n77,2024-06-32,10,1,1.00\n\
        77,2024-06-03,1.5,-1,x\n77,2024-07-03,1,1,1\n77,2024-06-04,1,1,1,9\n77,2024-06-05,1,1,1\n77,2024-06-05,1,1,2\n88,2024-06-01,1,1,1\n";
    let wishes = Wishes { platform: Some(Platform::Meta), ..Wishes::default() };
    let (outcome, faults) = desk.import(text, &wishes).await;
    assert_eq!(outcome, done(0, 0, 0));
    let expected = [
        "3: is no date",
        "4: must not be negative",
        "4: must be a whole number",
        "4: must be a decimal number",
        "5: lies in the future",
        "6: the row has 6 cells and the header 5; a cell with the separator in it needs quotation marks",
        "8: the same campaign and day as row 7",
        "9: there is no campaign of meta with the id `88`; `create_missing=true` makes it (1 rows)",
    ];
    assert_eq!(faults, expected);
    assert_eq!(desk.spend(1, "2024-06-01"), None);
    let (outcome, _) = desk.import(text, &Wishes { skip: true, ..wishes }).await;
    assert_eq!(outcome, done(1, 0, 0), "neither of two rows of a day is the right one");
    assert_eq!((desk.spend(1, "2024-06-01"), desk.spend(1, "2024-06-05")), (Some(100), None));
}

#[tokio::test]
async fn rows_below_campaigns_are_added_up_only_when_asked() {
    let desk = Desk::new();
    desk.add(Platform::Google, None, "Brand").await;
    let text = "Campaign,Ad group,Day,Currency code,Cost,Impr.,Clicks\nBrand,A,2024-06-01,USD,1.00,10,1\nBrand,B,2024-06-01,USD,2.50,20,2\n";
    let (_, faults) = desk.import(text, &Wishes::default()).await;
    assert!(
        faults[0].starts_with("3: the same campaign and day as row 2; the file has a row for each `Ad group`"),
        "{faults:?}"
    );
    desk.import(text, &Wishes { sum: true, ..Wishes::default() }).await;
    assert_eq!(desk.spend(1, "2024-06-01"), Some(350));
}

#[tokio::test]
async fn a_file_in_another_currency_is_refused() {
    let desk = Desk::new();
    desk.add(Platform::Meta, Some("77"), "Spring").await;
    let (_, faults) = desk.import(&META.replace("USD", "EUR"), &Wishes::default()).await;
    assert_eq!(faults[0], "2: the money is in EUR and the campaign is in USD");
    let yen = Wishes { currency: Currency::parse("JPY"), ..Wishes::default() };
    let (_, faults) = desk.import(META, &yen).await;
    assert_eq!(faults[0], "2: the money is in USD and `currency` says JPY");
}

#[tokio::test]
async fn what_a_file_does_not_tell_stays() {
    let desk = Desk::new();
    desk.add(Platform::Meta, Some("77"), "Spring").await;
    desk.import(META, &Wishes::default()).await;
    let wishes = Wishes { platform: Some(Platform::Meta), ..Wishes::default() };
    let (outcome, _) = desk.import("external_id,date,spend\n77,2024-06-01,9\n77,2024-06-03,9\n", &wishes).await;
    assert_eq!(outcome, done(1, 1, 0));
    let figures = desk.figures(1, "2024-06-01").unwrap();
    assert_eq!((figures.impressions, figures.spend, figures.revenue), (1000, 900, 2000));
}

#[tokio::test]
async fn a_number_of_ours_and_an_id_of_the_platform_are_not_mixed_up() {
    let desk = Desk::new();
    desk.add(Platform::Meta, Some("2"), "One").await;
    desk.add(Platform::Meta, None, "Two").await;
    let text = "campaign_id,platform,date,spend\n2,meta,2024-06-01,1\n";
    let (_, faults) = desk.import(text, &Wishes::default()).await;
    assert!(faults[0].contains("`2` is campaign 2 here and the id of campaign 1"), "{faults:?}");
    desk.import(&text.replace("campaign_id", "external_id"), &Wishes::default()).await;
    assert_eq!((desk.spend(1, "2024-06-01"), desk.spend(2, "2024-06-01")), (Some(100), None));
    desk.import("campaign_id,date,spend\n1,2024-06-02,3\n", &Wishes::default()).await;
    assert_eq!(desk.spend(1, "2024-06-02"), Some(300));
}

#[tokio::test]
async fn a_new_campaign_is_made_once_however_its_platform_is_written() {
    let desk = Desk::new();
    let wishes = Wishes { create_missing: true, platform: Some(Platform::Meta), ..Wishes::default() };
    let text = "external_id,platform,date,spend\n42,meta,2024-06-01,1\n42,Meta,2024-06-02,1\n42,,2024-06-03,1\n";
    assert_eq!(desk.import(text, &wishes).await, (done(3, 0, 0), vec![]));
    assert_eq!(desk.book.count(TenantId(1)), 1);
    let long = text.replace("42,", &format!("{},", "4".repeat(101)));
    let (_, faults) = desk.import(&long, &wishes).await;
    assert_eq!(faults[0], "2: the id of a new campaign has at most 100 letters and no control characters");
}

#[tokio::test]
async fn what_changes_between_reading_and_writing_is_noticed() {
    let desk = Desk::new();
    desk.add(Platform::Meta, Some("77"), "Spring").await;
    desk.import(META, &Wishes::default()).await;
    let partly = desk.plan("external_id,platform,date,spend\n77,meta,2024-06-02,9\n", &Wishes::default()).unwrap();
    let whole = desk.plan(META, &Wishes::default()).unwrap();
    desk.import(&META.replace("6.50,30", "6.50,31"), &Wishes::default()).await;
    let refused = write(&desk.store, &desk.book, &desk.actor, &partly).await.unwrap_err();
    assert_eq!(refused.code, Code::Conflict, "it would put the revenue of before in the place of the new one");
    let (_, record) = write(&desk.store, &desk.book, &desk.actor, &whole).await.unwrap();
    assert_eq!(record.outcome, done(0, 1, 1), "merged into what is there now");
    let wishes = Wishes { create_missing: true, platform: Some(Platform::Meta), ..Wishes::default() };
    let twice = || desk.plan("campaign_name,date,spend\nNew,2024-06-01,1\n", &wishes).unwrap();
    let (one, other) = (twice(), twice());
    write(&desk.store, &desk.book, &desk.actor, &one).await.unwrap();
    assert_eq!(write(&desk.store, &desk.book, &desk.actor, &other).await.unwrap_err().code, Code::Conflict);
    assert_eq!(desk.book.count(TenantId(1)), 2);
}

#[test]
fn files_as_a_whole_are_refused() {
    let desk = Desk::new();
    let refused = |text: &str, wishes: Wishes| -> Fault { desk.plan(text, &wishes).unwrap_err() };
    let google = Wishes { platform: Some(Platform::Google), ..Wishes::default() };
    assert_eq!(refused(META, google).details[0].field, "platform");
    let unclear = refused("campaign_name,date,spend\nA,1/2/2024,1\n", Wishes::default());
    assert_eq!(unclear.code, Code::Unprocessable);
    assert!(unclear.message.contains("date_format"), "{}", unclear.message);
    assert!(refused("nothing,of,use\n1,2,3\n", Wishes::default()).message.contains("no header"));
    let made = Wishes { create_missing: true, platform: Some(Platform::Meta), ..Wishes::default() };
    let apart = refused("campaign_name,date,spend\nA,1990-01-01,1\nA,2024-06-01,1\n", made);
    assert!(apart.message.contains("`A` span more than twenty years"), "{}", apart.message);
}

#[tokio::test]
async fn a_place_is_gone_when_it_is_dropped_and_both_places_and_turns_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let imports = Imports::open(folder.path());
    let mut places: Vec<_> = std::iter::from_fn(|| imports.place().unwrap()).collect();
    assert_eq!(places.len(), RECEIVED);
    let one = places.pop().unwrap();
    std::fs::write(&one.file, "x").unwrap();
    let path = one.file.clone();
    drop(one);
    assert!(!path.exists() && imports.place().unwrap().is_some());

    // A third turn comes when one of the two is over.
    let (first, _second) = (imports.turn().await.unwrap(), imports.turn().await.unwrap());
    let third = imports.turn();
    tokio::pin!(third);
    assert!(futures_util::poll!(&mut third).is_pending());
    drop(first);
    assert!(third.await.is_some());
}
