//! Campaigns: what bodies may say, how statuses change, deletion, and what the audit log tells of it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use serde_json::json;
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::figures::Figures;
use trafficlab_shared::clock;

use super::samples::{Desk, blamed, document, sample};
use super::{RESTORABLE_NS, edit};
use crate::adops::book::Source;
use crate::adops::campaign::{Campaign, Status};
use crate::adops::change::change;
use crate::adops::ids::CampaignId;
use crate::systems::{Code, Outcome};

fn code<T>(outcome: Outcome<T>) -> Option<Code> {
    outcome.err().map(|fault| fault.code)
}

#[tokio::test]
async fn the_documents_body_makes_a_campaign() {
    let desk = Desk::new();
    let made = desk.create(document()).await.unwrap();
    let campaign = &made.campaign;
    assert_eq!((campaign.name.as_str(), campaign.status), ("Holiday Campaign 2024", Status::Draft));
    assert_eq!((campaign.daily_budget, campaign.targeting.locations.concat()), (Some(100_000), "US".to_owned()));
    assert_eq!(desk.actions(), ["campaign.created"]);
}

// checklist 47
#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_written() {
    let desk = Desk::new();
    let body = json!({
        "name": " ", "platform": "myspace", "status": "gone", "daily_budget": -1, "lifetime_budget": 0,
        "currency": "XXQ", "start_date": "2024-02-30", "end_date": 5, "objective": "x".repeat(101), "external_id": "",
        "targeting": {"age_min": 12, "genders": "all", "colour": 1}, "labels": ["ok", "", "y".repeat(51)],
        "demographics": {"age": {"18-24": 101, "25-34": "x"}, "gender": 5}, "owner": 1,
    });
    let fault = desk.create(body).await.unwrap_err();
    let mut fields = blamed(&fault);
    fields.sort_unstable();
    let expected = [
        "currency",
        "daily_budget",
        "demographics.age.18-24",
        "demographics.age.25-34",
        "demographics.gender",
        "end_date",
        "external_id",
        "labels[1]",
        "labels[2]",
        "lifetime_budget",
        "name",
        "objective",
        "owner",
        "platform",
        "start_date",
        "status",
        "targeting.age_min",
        "targeting.colour",
        "targeting.genders",
    ];
    assert_eq!((fault.code, fields), (Code::Validation, expected.to_vec()));
    assert_eq!(blamed(&desk.create(json!({})).await.unwrap_err()), ["name", "platform"]);
    assert_eq!((desk.book.count(desk.actor.tenant), desk.actions().len()), (0, 0));
}

#[tokio::test]
async fn what_contradicts_itself_is_unprocessable_with_stored_values_too() {
    let desk = Desk::new();
    let mut body = document();
    body["end_date"] = json!("2024-11-30");
    body["targeting"]["age_max"] = json!(17);
    let fault = desk.create(body).await.unwrap_err();
    assert_eq!((fault.code, blamed(&fault)), (Code::Unprocessable, vec!["end_date", "targeting.age_max"]));
    desk.create(document()).await.unwrap();
    for wrong in [json!({"start_date": "2025-01-01"}), json!({"targeting": {"age_min": 66}})] {
        assert_eq!(code(desk.update(1, wrong.clone()).await), Some(Code::Unprocessable), "{wrong}");
    }
    let moved = json!({"start_date": "2025-01-01", "end_date": null, "targeting": {"age_min": 66, "age_max": null}});
    let campaign = desk.update(1, moved).await.unwrap().campaign.clone();
    assert_eq!((campaign.start, campaign.end), (Day::parse("2025-01-01"), None));
    assert_eq!((campaign.targeting.age_min, campaign.targeting.age_max), (Some(66), None));
    assert_eq!(campaign.targeting.locations, ["US"], "what is left out stays");
}

#[tokio::test]
async fn money_is_exact() {
    // checklist 47: 0.1 + 0.2 is 0.3 in whole cents.
    let desk = Desk::new();
    let body = |currency: &str, budget: f64| json!({"name": "x", "platform": "google", "currency": currency, "daily_budget": budget});
    let minor = async |currency: &str, budget: f64| {
        desk.create(body(currency, budget)).await.map(|entry| entry.campaign.daily_budget.unwrap())
    };
    assert_eq!(minor("USD", 0.1 + 0.2).await.unwrap(), 30);
    assert_eq!((minor("JPY", 500.0).await.unwrap(), minor("KWD", 1.2345).await.unwrap()), (500, 1235));
    for wrong in [0.001, 1e300] {
        assert_eq!(blamed(&minor("USD", wrong).await.unwrap_err()), ["daily_budget"], "{wrong}");
    }
}

#[tokio::test]
async fn null_clears_what_may_be_missing() {
    let desk = Desk::new();
    desk.create(document()).await.unwrap();
    let cleared = json!({"daily_budget": null, "objective": null, "labels": null, "targeting": null, "end_date": null});
    let cleared = desk.update(1, cleared).await.unwrap().campaign.clone();
    assert_eq!((cleared.daily_budget, cleared.objective, cleared.labels.len()), (None, None, 0));
    let fault = desk.update(1, json!({"name": null, "platform": null, "tenant": 2})).await.unwrap_err();
    assert_eq!(blamed(&fault), ["tenant", "name", "platform"]);
}

#[tokio::test]
async fn every_pair_of_statuses_follows_the_table() {
    let desk = Desk::new();
    let allowed = |from: Status| match from {
        Status::Draft => vec!["active", "archived"],
        Status::Active => vec!["paused", "completed", "archived"],
        Status::Paused => vec!["active", "completed", "archived"],
        Status::Completed => vec!["active", "archived"],
        Status::Archived => vec!["paused"],
    };
    for (id, (from, to)) in
        (1..).zip(Status::ALL.iter().flat_map(|from| Status::ALL.iter().map(move |to| (*from, *to))))
    {
        desk.put(Campaign { status: from, ..sample(id, "x") }).await;
        let outcome = desk.update(id, json!({"status": to.as_str()})).await;
        if from == to || allowed(from).contains(&to.as_str()) {
            assert_eq!(outcome.unwrap().campaign.status, to);
        } else {
            let fault = outcome.unwrap_err();
            assert_eq!((fault.code, blamed(&fault)), (Code::Unprocessable, vec!["status"]), "{from:?} {to:?}");
            assert!(allowed(from).iter().all(|word| fault.message.contains(word)), "{}", fault.message);
            assert_eq!(desk.entry(id).campaign.status, from);
        }
    }
    assert_eq!(
        code(desk.create(json!({"name": "x", "platform": "meta", "status": "paused"})).await),
        Some(Code::Unprocessable)
    );
}

#[tokio::test]
async fn currency_and_platform_are_fixed_by_figures() {
    let desk = Desk::new();
    desk.create(document()).await.unwrap();
    let changed = desk.update(1, json!({"currency": "JPY", "platform": "google"})).await.unwrap();
    assert_eq!(changed.campaign.daily_budget, Some(1000), "a thousand dollars become a thousand yen");
    let day = (Day::parse("2024-12-01").unwrap(), Figures { spend: 5, ..Figures::default() });
    change(&desk.store, &desk.actor, |change| desk.book.upsert(change, CampaignId(1), Source::Real, &[day]))
        .await
        .unwrap();
    for wrong in [json!({"currency": "USD"}), json!({"platform": "meta"})] {
        assert_eq!(code(desk.update(1, wrong).await), Some(Code::Unprocessable));
    }
    let same = desk.update(1, json!({"currency": "JPY", "platform": "google", "name": "y"})).await.unwrap();
    assert_eq!((same.totals.spend, same.campaign.name.as_str()), (5, "y"));
}

#[tokio::test]
async fn an_external_id_names_one_campaign_of_a_platform_and_tenant() {
    let desk = Desk::new();
    let body = |platform: &str| json!({"name": "x", "platform": platform, "external_id": "e1"});
    desk.create(body("meta")).await.unwrap();
    let fault = desk.create(body("meta")).await.unwrap_err();
    assert_eq!((fault.code, blamed(&fault)), (Code::Conflict, vec!["external_id"]));
    desk.create(body("google")).await.unwrap();
    desk.of_tenant(2).create(body("meta")).await.unwrap();
    assert_eq!(code(desk.update(2, json!({"platform": "meta"})).await), Some(Code::Conflict));
    let delete =
        async |id| change(&desk.store, &desk.actor, |change| edit::delete(change, &desk.book, CampaignId(id))).await;
    let restore =
        async |id| change(&desk.store, &desk.actor, |change| edit::restore(change, &desk.book, CampaignId(id))).await;
    delete(1).await.unwrap();
    desk.update(2, json!({"platform": "meta"})).await.unwrap();
    assert_eq!(code(restore(1).await), Some(Code::Conflict), "somebody else has it by now");
    delete(2).await.unwrap();
    restore(1).await.unwrap();
}

#[tokio::test]
async fn a_deleted_campaign_is_gone_and_comes_back_for_thirty_days() {
    let desk = Desk::new();
    desk.create(document()).await.unwrap();
    let restore =
        async |id| change(&desk.store, &desk.actor, |change| edit::restore(change, &desk.book, CampaignId(id))).await;
    assert_eq!(code(restore(1).await), Some(Code::Unprocessable), "it is not deleted");
    let until =
        change(&desk.store, &desk.actor, |change| edit::delete(change, &desk.book, CampaignId(1))).await.unwrap();
    assert_eq!(until, desk.entry(1).campaign.deleted_ns.unwrap() + RESTORABLE_NS);
    assert_eq!(code(desk.update(1, json!({"name": "y"})).await), Some(Code::NotFound));
    let again = change(&desk.store, &desk.actor, |change| edit::delete(change, &desk.book, CampaignId(1))).await;
    assert_eq!(code(again), Some(Code::NotFound));
    // checklist 36: nobody else restores it.
    let other = desk.of_tenant(2);
    let stolen = change(&other.store, &other.actor, |change| edit::restore(change, &other.book, CampaignId(1))).await;
    assert_eq!(code(stolen), Some(Code::NotFound));
    restore(1).await.unwrap();
    assert_eq!(desk.entry(1).campaign.deleted_ns, None);
    let old = clock::wall_ns() - RESTORABLE_NS;
    desk.put(Campaign { deleted_ns: Some(old), ..desk.entry(1).campaign.clone() }).await;
    assert_eq!(code(restore(1).await), Some(Code::NotFound), "the thirty days are over");
}
