//! Bulk changes: judged one by one, done as one, taken back.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use serde_json::{Value, json};
use trafficlab_engine::ads::money::Currency;
use trafficlab_shared::clock;

use super::super::samples::{Desk, blamed, sample};
use super::action::Request;
use super::record::{BULKS, Bulk, ITEMS, UNDOABLE_NS, forget_old};
use super::{Became, Judged, apply, undo};
use crate::adops::campaign::{Campaign, Status};
use crate::adops::change::change;
use crate::systems::{Code, Outcome};

fn read(body: &Value) -> Outcome<Request> {
    Request::read(body.as_object().unwrap(), Currency::USD)
}

async fn run(desk: &Desk, body: Value) -> Outcome<Judged> {
    let request = read(&body)?;
    if request.dry_run {
        return apply::tell(&desk.book, desk.actor.tenant, &request);
    }
    change(&desk.store, &desk.actor, |change| apply::carry_out(change, &desk.book, &request)).await
}

async fn take_back(desk: &Desk, bulk_id: u64) -> Outcome<Judged> {
    change(&desk.store, &desk.actor, |change| undo::undo(change, &desk.book, bulk_id)).await
}

#[test]
fn what_is_wrong_alone_is_told_before_what_is_wrong_together() {
    let both = json!({"ids": [1], "filter": {}, "action": {"status": "paused"}});
    assert_eq!(read(&both).unwrap_err().code, Code::Unprocessable);
    let later = json!({"filter": {"date_from": "2024-06-02", "date_to": "2024-06-01"}, "action": {"status": "paused"}});
    assert_eq!(read(&later).unwrap_err().code, Code::Unprocessable);
    for mut body in [both, later] {
        body["action"] = json!({"status": "asleep"});
        let fault = read(&body).unwrap_err();
        assert_eq!((fault.code, fault.details[0].field.as_str()), (Code::Validation, "action.status"), "{body}");
    }
}

fn results(judged: &Judged) -> Vec<(u64, &str)> {
    let word = |became: &Became| match became {
        Became::Done { .. } => "done",
        Became::Skipped(_) => "skipped",
        Became::Failed(_) => "failed",
    };
    judged.items.iter().map(|(id, became)| (id.get(), word(became))).collect()
}

#[tokio::test]
async fn each_campaign_is_judged_and_the_good_ones_are_one_change() {
    let desk = Desk::new();
    for (id, status) in [(1, Status::Active), (2, Status::Paused), (3, Status::Draft)] {
        desk.put(Campaign { status, ..sample(id, "x") }).await;
    }
    desk.of_tenant(2).put(Campaign { status: Status::Active, ..sample(4, "foreign") }).await;
    let body = json!({"ids": [1, 2, 3, 4, 99, 1], "action": {"status": "paused"}, "dry_run": true});
    let told = run(&desk, body.clone()).await.unwrap();
    let expected = [(1, "done"), (2, "skipped"), (3, "failed"), (4, "failed"), (99, "failed")];
    assert_eq!((results(&told), told.bulk_id), (expected.to_vec(), None));
    assert_eq!(told.items[0].1, Became::Done { old: json!("active"), new: json!("paused") });
    assert_eq!((desk.entry(1).campaign.status, desk.actions().len()), (Status::Active, 0), "told only");
    let mut body = body;
    body["dry_run"] = json!(false);
    let done = run(&desk, body.clone()).await.unwrap();
    assert_eq!((results(&done), done.bulk_id), (expected.to_vec(), Some(1)));
    assert_eq!(desk.entry(1).campaign.status, Status::Paused);
    assert_eq!(desk.of_tenant(2).entry(4).campaign.status, Status::Active);
    assert_eq!(desk.actions(), ["campaign.updated", "bulk.applied"]);
    let nothing = run(&desk, body).await.unwrap();
    assert_eq!((nothing.done, nothing.bulk_id), (0, None), "nothing to do leaves nothing to undo");
}

#[tokio::test]
async fn undo_puts_back_what_nobody_changed_since_and_only_once() {
    let desk = Desk::new();
    for id in 1..=3 {
        desk.put(Campaign { status: Status::Completed, ..sample(id, "x") }).await;
    }
    let done = run(&desk, json!({"filter": {"status": "completed"}, "action": {"status": "archived"}})).await.unwrap();
    assert_eq!(done.done, 3);
    desk.update(2, json!({"status": "paused"})).await.unwrap();
    desk.put(Campaign { deleted_ns: Some(1), ..desk.entry(3).campaign.clone() }).await;
    assert_eq!(take_back(&desk.of_tenant(2), 1).await.unwrap_err().code, Code::NotFound);
    let undone = take_back(&desk, 1).await.unwrap();
    assert_eq!(results(&undone), [(1, "done"), (2, "skipped"), (3, "skipped")]);
    assert_eq!(undone.items[1].1, Became::Skipped("changed since".to_owned()));
    assert_eq!(desk.entry(1).campaign.status, Status::Completed, "though no request could change it so");
    assert_eq!(desk.entry(2).campaign.status, Status::Paused);
    assert_eq!(take_back(&desk, 1).await.unwrap_err().code, Code::Unprocessable);
}

#[tokio::test]
async fn budgets_change_by_cents_within_cap_and_floor() {
    let desk = Desk::new();
    // Budget in cents, change, what it becomes; nothing where it stays.
    let table = [
        (Some(10_000), json!({"percent": 12.5}), Some(11_250)),
        (Some(333), json!({"percent": 50}), Some(500)),
        (Some(1), json!({"percent": -50}), Some(1)),
        (Some(10_000), json!({"percent": 20, "max": 110}), Some(11_000)),
        (Some(12_000), json!({"percent": 20, "max": 110}), Some(12_000)),
        (Some(10_000), json!({"percent": -20, "min": 90.5}), Some(9050)),
        (Some(8000), json!({"absolute": -10, "min": 90}), Some(8000)),
        (Some(10_000), json!({"absolute": 0.29}), Some(10_029)),
        (Some(10_000), json!({"absolute": -100}), Some(10_000)),
        (None, json!({"set": 5}), Some(500)),
        (None, json!({"percent": 5}), None),
        (Some(500), json!({"set": 5, "currency": "EUR"}), Some(500)),
        (Some(500), json!({"percent": 10, "currency": "EUR"}), Some(550)),
    ];
    for (id, (before, budget, after)) in (1..).zip(table) {
        desk.put(Campaign { daily_budget: before, ..sample(id, "x") }).await;
        let view = run(&desk, json!({"ids": [id], "action": {"daily_budget": budget}})).await.unwrap();
        assert_eq!(desk.entry(id).campaign.daily_budget, after, "{budget}");
        assert_eq!(view.done, u32::from(before != after), "{budget}: {view:?}");
        if let Some(bulk_id) = view.bulk_id {
            take_back(&desk, bulk_id).await.unwrap();
            assert_eq!(desk.entry(id).campaign.daily_budget, before);
        }
    }
}

#[tokio::test]
async fn labels_come_and_go() {
    let desk = Desk::new();
    let labels = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    desk.put(Campaign { labels: labels(&["a", "b"]), ..sample(1, "x") }).await;
    desk.put(Campaign { labels: (0..50).map(|number| number.to_string()).collect(), ..sample(2, "y") }).await;
    let action = json!({"labels": {"add": ["c", "a"], "remove": ["b", "z"]}});
    let done = run(&desk, json!({"filter": {}, "action": action})).await.unwrap();
    assert_eq!(results(&done), [(1, "done"), (2, "failed")]);
    assert_eq!(desk.entry(1).campaign.labels, ["a", "c"]);
    desk.update(1, json!({"labels": ["a", "c", "d"]})).await.unwrap();
    take_back(&desk, done.bulk_id.unwrap()).await.unwrap();
    assert_eq!(desk.entry(1).campaign.labels, ["a", "d", "b"], "what was added meanwhile stays");
}

#[test]
fn wrong_bodies_are_named() {
    let table = [
        (json!({}), Code::Validation, "ids"),
        (json!({"ids": [1]}), Code::Validation, "action"),
        (json!({"ids": [], "action": {"status": "paused"}}), Code::Validation, "ids"),
        (json!({"ids": [-1], "action": {"status": "paused"}}), Code::Validation, "ids[0]"),
        (json!({"ids": vec![1; 1001], "action": {"status": "paused"}}), Code::Validation, "ids"),
        (json!({"ids": [1], "filter": {}, "action": {"status": "paused"}}), Code::Unprocessable, "filter"),
        (json!({"filter": {"sort_by": "x"}, "action": {"status": "paused"}}), Code::Validation, "filter.sort_by"),
        (json!({"ids": [1], "action": {"status": "gone"}}), Code::Validation, "action.status"),
        (json!({"ids": [1], "action": {}}), Code::Validation, "action"),
        (json!({"ids": [1], "action": {"status": "paused", "labels": {"add": ["x"]}}}), Code::Validation, "action"),
        (json!({"ids": [1], "action": {"labels": {}}}), Code::Validation, "action.labels"),
        (json!({"ids": [1], "action": {"daily_budget": {}}}), Code::Validation, "action.daily_budget"),
        (json!({"ids": [1], "action": {"daily_budget": {"set": -1}}}), Code::Validation, "action.daily_budget.set"),
        (
            json!({"ids": [1], "action": {"daily_budget": {"percent": -100}}}),
            Code::Validation,
            "action.daily_budget.percent",
        ),
        (
            json!({"ids": [1], "action": {"daily_budget": {"set": 1, "percent": 1}}}),
            Code::Validation,
            "action.daily_budget",
        ),
        (json!({"ids": [1], "action": {"status": "paused"}, "force": true}), Code::Validation, "force"),
    ];
    for (body, code, field) in table {
        let fault = read(&body).unwrap_err();
        assert_eq!((fault.code, blamed(&fault)), (code, vec![field]), "{body}");
    }
}

#[tokio::test]
async fn a_filter_that_meets_too_many_changes_none() {
    let desk = Desk::new();
    change(&desk.store, &desk.actor, |change| {
        for id in 1..=1001 {
            desk.book.put(change, Campaign { status: Status::Active, ..sample(id, "x") })?;
        }
        Ok(())
    })
    .await
    .unwrap();
    let fault = run(&desk, json!({"filter": {}, "action": {"status": "paused"}})).await.unwrap_err();
    assert_eq!((fault.code, blamed(&fault)), (Code::Unprocessable, vec!["filter"]));
    assert_eq!(desk.entry(1).campaign.status, Status::Active);
}

#[tokio::test]
async fn old_bulk_changes_are_forgotten() {
    let desk = Desk::new();
    for id in [1, 2] {
        desk.put(Campaign { status: Status::Active, ..sample(id, "x") }).await;
        run(&desk, json!({"ids": [id], "action": {"status": "paused"}})).await.unwrap();
    }
    let tenant = desk.actor.tenant;
    let aged = |bulk: Bulk| Bulk { created_ns: clock::wall_ns() - UNDOABLE_NS, ..bulk };
    let first = aged(BULKS.get(&desk.store, tenant, 1).unwrap().unwrap());
    change(&desk.store, &desk.actor, |change| Ok(change.put(&BULKS, 1, &first)?)).await.unwrap();
    assert_eq!(take_back(&desk, 1).await.unwrap_err().code, Code::Unprocessable);
    forget_old(&desk.store, clock::wall_ns()).await.unwrap();
    let (bulks, items) =
        (BULKS.scan(&desk.store, tenant, false).count(), ITEMS.scan(&desk.store, tenant, false).count());
    assert_eq!((bulks, items), (1, 1));
    assert_eq!(take_back(&desk, 1).await.unwrap_err().code, Code::NotFound);
    assert_eq!(take_back(&desk, 2).await.unwrap().done, 1);
}
