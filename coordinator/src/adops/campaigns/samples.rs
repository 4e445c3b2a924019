//! Campaigns for tests.

#![allow(clippy::unwrap_used, reason = "test code")]

use std::sync::Arc;

use serde_json::{Value, json};
use trafficlab_engine::ads::money::Currency;

use super::{create, edit};
use crate::adops::actor::{Actor, Role, Who};
use crate::adops::audit::AUDIT;
use crate::adops::book::{Book, Entry};
use crate::adops::campaign::{Campaign, Platform, Status, Targeting};
use crate::adops::change::change;
use crate::adops::ids::{CampaignId, TenantId, UserId};
use crate::store::Store;
use crate::systems::{Fault, Outcome};

/// A draft at Meta without anything.
pub(crate) fn sample(id: u64, name: &str) -> Campaign {
    Campaign {
        id: CampaignId(id),
        name: name.to_owned(),
        platform: Platform::Meta,
        status: Status::Draft,
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
    }
}

/// It without figures.
pub(crate) fn entry(campaign: Campaign) -> Entry {
    Entry::new(campaign)
}

/// The body of the document's example.
pub(crate) fn document() -> Value {
    json!({
        "name": "Holiday Campaign 2024", "platform": "meta", "account_id": "act_123456789", "objective": "CONVERSIONS",
        "daily_budget": 1000.00, "currency": "USD", "start_date": "2024-12-01", "end_date": "2024-12-31",
        "targeting": {"age_min": 18, "age_max": 65, "locations": ["US"]}, "labels": ["holiday", "q4"],
    })
}

/// A store, its campaigns and somebody who may change them.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) book: Book,
    pub(crate) actor: Actor,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let store = Store::in_memory().unwrap();
        let book = Book::open(&store).unwrap();
        let actor = Actor { who: Who::User(UserId(7)), role: Role::Manager, ..Actor::system(TenantId(1), "test") };
        Self { store, book, actor }
    }

    /// The same campaigns for somebody of another tenant.
    pub(crate) fn of_tenant(&self, tenant: u64) -> Self {
        let actor = Actor { tenant: TenantId(tenant), ..self.actor.clone() };
        Self { store: self.store.clone(), book: self.book.clone(), actor }
    }

    pub(crate) async fn create(&self, body: Value) -> Outcome<Arc<Entry>> {
        let body = body.as_object().unwrap().clone();
        let made = change(&self.store, &self.actor, |change| create(change, &self.book, &body)).await?;
        Ok(self.entry(made.id.get()))
    }

    pub(crate) async fn update(&self, id: u64, body: Value) -> Outcome<Arc<Entry>> {
        let body = body.as_object().unwrap().clone();
        change(&self.store, &self.actor, |change| edit::update(change, &self.book, CampaignId(id), &body)).await?;
        Ok(self.entry(id))
    }

    /// Puts a campaign there as it is.
    pub(crate) async fn put(&self, campaign: Campaign) {
        change(&self.store, &self.actor, |change| Ok(self.book.put(change, campaign)?)).await.unwrap();
    }

    pub(crate) fn entry(&self, id: u64) -> Arc<Entry> {
        self.book.get_any(self.actor.tenant, CampaignId(id)).unwrap()
    }

    /// The actions of the audit log, the oldest first.
    pub(crate) fn actions(&self) -> Vec<String> {
        AUDIT.scan(&self.store, self.actor.tenant, false).map(|row| row.unwrap().1.action).collect()
    }
}

/// The fields that a fault blames.
pub(crate) fn blamed(fault: &Fault) -> Vec<&str> {
    fault.details.iter().map(|detail| detail.field.as_str()).collect()
}
