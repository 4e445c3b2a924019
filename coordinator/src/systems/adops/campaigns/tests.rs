//! Campaigns as callers see them: what they send comes back, and what was done to it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use serde_json::{Value, json};

use super::{history, view};
use crate::adops::CampaignId;
use crate::adops::campaigns::samples::{Desk, document};
use crate::systems::adops::page::Page;

#[tokio::test]
async fn what_the_documents_body_says_is_shown() {
    let desk = Desk::new();
    let made = desk.create(document()).await.unwrap();
    let shown = serde_json::to_value(view::detail(&made)).unwrap();
    for (member, value) in document().as_object().unwrap() {
        if member != "targeting" {
            assert_eq!(&shown[member], value, "{member}");
        }
    }
    assert_eq!((&shown["status"], &shown["roas"], &shown["conversions"]), (&json!("draft"), &Value::Null, &json!(0)));
    assert_eq!(shown["targeting"]["locations"], json!(["US"]));
}

// checklist 42
#[tokio::test]
async fn read_only_members_have_no_effect() {
    let desk = Desk::new();
    let made = desk.create(document()).await.unwrap();
    let mut body = serde_json::to_value(view::detail(&made)).unwrap();
    for (member, value) in [("id", json!(99)), ("total_spend", json!(1e9)), ("created_at", json!("x"))] {
        body[member] = value;
    }
    body["tenant_id"] = json!(2);
    let same = desk.update(1, body).await.unwrap();
    assert_eq!(same.campaign, made.campaign, "what a client got can be sent back");
    assert_eq!(desk.actions().len(), 1, "nothing changed, so nothing is noted");
}

#[tokio::test]
async fn the_history_tells_what_changed_and_only_of_this_campaign() {
    let desk = Desk::new();
    desk.create(document()).await.unwrap();
    desk.create(json!({"name": "other", "platform": "meta"})).await.unwrap();
    desk.update(1, json!({"daily_budget": 1500.00, "status": "active"})).await.unwrap();
    let page = Page::read(None, Some("1")).unwrap();
    let (changes, pagination) = history::of(&desk.store, desk.actor.tenant, CampaignId(1), page).unwrap();
    assert_eq!((changes.len(), pagination.total), (1, 2));
    assert_eq!((changes[0].action.as_str(), changes[0].user_id), ("campaign.updated", Some(7)));
    assert_eq!(changes[0].old, json!({"daily_budget": 1000.0, "status": "draft"}));
    assert_eq!(changes[0].new, json!({"daily_budget": 1500.0, "status": "active"}));
    let foreign = history::of(&desk.store, desk.of_tenant(2).actor.tenant, CampaignId(1), page).unwrap();
    assert_eq!(foreign.1.total, 0);
}
