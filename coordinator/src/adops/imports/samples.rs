//! A store and a file for tests.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::io::Write as _;

use trafficlab_engine::ads::money::Currency;

use super::{Plan, Wishes, plan};
use crate::adops::actor::{Actor, Role, Who};
use crate::adops::book::Book;
use crate::adops::campaign::{Campaign, Platform, Status};
use crate::adops::campaigns::samples::sample;
use crate::adops::change::change;
use crate::adops::ids::{CampaignId, TenantId, UserId};
use crate::adops::tenant::{TENANTS, Tenant};
use crate::store::{Batch, Store};
use crate::systems::Outcome;

/// Two days of a campaign of Meta and their sum.
pub(crate) const META: &str = "Campaign name,Campaign ID,Day,Impressions,Link clicks,Purchases,Amount spent (USD),Purchases conversion value\n\
    Spring,77,2024-06-01,1000,10,1,5.50,20\nSpring,77,2024-06-02,2000,20,2,6.50,30\n,,,3000,30,3,12,50\n";

/// 2024-07-01T12:00:00Z.
const NOW: u64 = 1_719_835_200_000_000_000;

/// A store, its campaigns and somebody of the tenant who may do everything.
pub(crate) struct Desk {
    pub(crate) store: Store,
    pub(crate) book: Book,
    pub(crate) actor: Actor,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let store = Store::in_memory().unwrap();
        let tenant = Tenant {
            name: "Acme".into(),
            timezone: "UTC".into(),
            currency: Currency::USD,
            created_ns: 0,
            keep_personal_days: None,
        };
        let mut batch = Batch::new();
        TENANTS.put(&mut batch, &TenantId(1), &tenant).unwrap();
        store.apply(batch).unwrap();
        let book = Book::open(&store).unwrap();
        let who = Who::User(UserId(1));
        let actor = Actor { tenant: TenantId(1), who, role: Role::Admin, request_id: "r".into(), address: None };
        Self { store, book, actor }
    }

    pub(crate) async fn add(&self, platform: Platform, external_id: Option<&str>, name: &str) -> CampaignId {
        change(&self.store, &self.actor, |change| {
            let id = CampaignId(change.next_id("campaign")?);
            let external_id = external_id.map(str::to_owned);
            let campaign = Campaign { platform, status: Status::Active, external_id, ..sample(id.get(), name) };
            self.book.put(change, campaign)?;
            Ok(id)
        })
        .await
        .unwrap()
    }

    pub(crate) fn plan(&self, text: &str, wishes: &Wishes) -> Outcome<Plan> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        plan(&self.store, &self.book, TenantId(1), file.path(), wishes, NOW)
    }
}
