//! Tenants: the customers of an installation.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trafficlab_engine::ads::day::Day;
use trafficlab_engine::ads::money::Currency;

use super::actor::Actor;
use super::audit::AuditEntry;
use super::change::{Change, change};
use super::ids::TenantId;
use super::{input, reports};
use crate::store::{FirstVersion, Store, StoreError, Table};
use crate::systems::fields::Fields;
use crate::systems::{Fault, Outcome};

/// Bytes of a tenant's name.
const LONGEST_NAME: usize = 200;

/// All tenants.
pub(super) const TENANTS: Table<TenantId, Tenant> = Table::new("ads_tenant");

/// A customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// Its IANA time zone; a day is this zone's day.
    pub timezone: String,
    /// The currency of totals over campaigns.
    pub currency: Currency,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Days for which personal data of audit entries is kept; none keeps it.
    #[serde(default)]
    pub keep_personal_days: Option<u32>,
}

impl FirstVersion for Tenant {}

impl Tenant {
    /// The tenant of an id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn get(store: &Store, id: TenantId) -> Result<Option<Self>, StoreError> {
        TENANTS.get(store, &id)
    }

    /// The moment a day begins in its time zone, in nanoseconds since 1970.
    #[must_use]
    pub fn begin_of(&self, day: Day) -> u64 {
        self.moment(day.date().at(0, 0, 0, 0))
    }

    /// The moment of a time in its time zone; of a time that the clocks leave out, the moment as far behind it as they
    /// leave out.
    #[must_use]
    pub fn moment(&self, at: jiff::civil::DateTime) -> u64 {
        let zone = TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC);
        let moment = at.to_zoned(zone).map_or(0, |at| at.timestamp().as_nanosecond());
        u64::try_from(moment).unwrap_or(0)
    }

    /// The day in its time zone at a moment, in nanoseconds since 1970.
    #[must_use]
    pub fn day_at(&self, at_ns: u64) -> Day {
        let zone = TimeZone::get(&self.timezone).unwrap_or(TimeZone::UTC);
        let at = Timestamp::from_nanosecond(i128::from(at_ns)).unwrap_or_default();
        Day::of(at.to_zoned(zone).date())
    }
}

/// The settings of the actor's tenant.
///
/// # Errors
/// 404 when the tenant is gone.
pub fn get(store: &Store, actor: &Actor) -> Outcome<Tenant> {
    TENANTS.get(store, &actor.tenant)?.ok_or_else(|| Fault::not_found("Tenant not found"))
}

/// Changes the settings of the actor's tenant; what is left out stays. Days that are stored stay where they are when the
/// zone changes: from then on other moments begin them.
///
/// # Errors
/// 400 naming fields.
pub async fn update(store: &Store, actor: &Actor, body: &Map<String, Value>) -> Outcome<Tenant> {
    let (name, timezone, currency) =
        input::read(body, |fields| (input::name(fields, "name", LONGEST_NAME, false), zone(fields), currency(fields)))?;
    let work = |change: &mut Change<'_>| {
        let before = get(change.store, actor)?;
        let after = Tenant {
            name: name.unwrap_or_else(|| before.name.clone()),
            timezone: timezone.unwrap_or_else(|| before.timezone.clone()),
            currency: currency.unwrap_or(before.currency),
            ..before
        };
        if after != before {
            TENANTS.put(change.batch(), &actor.tenant, &after)?;
            change.audit(&told(actor, &before, &after))?;
            if after.timezone != before.timezone {
                reports::replan(change, &after)?;
            }
        }
        Ok(after)
    };
    change(store, actor, work).await
}

/// Of the name, which may be a person's, only that it changed.
fn told(actor: &Actor, before: &Tenant, after: &Tenant) -> AuditEntry {
    let shown = |tenant: &Tenant| json!({"timezone": tenant.timezone, "currency": tenant.currency.code()});
    let (old, mut new) = (shown(before), shown(after));
    if let Some(members) = new.as_object_mut().filter(|_| before.name != after.name) {
        members.insert("changed".to_owned(), json!(["name"]));
    }
    AuditEntry::new(actor, "tenant.updated", "tenant", actor.tenant).change(&old, &new)
}

/// A zone of the IANA database, in its own spelling.
fn zone(fields: &mut Fields<'_, '_>) -> Option<String> {
    let value = fields.get("timezone")?;
    let zone = value.as_str().and_then(|name| TimeZone::get(name).ok());
    let name = zone.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    if name.is_none() {
        fields.fault("timezone", "must be an IANA time zone such as `Europe/Berlin`");
    }
    name
}

fn currency(fields: &mut Fields<'_, '_>) -> Option<Currency> {
    let value = fields.get("currency")?;
    let found = value.as_str().and_then(Currency::parse);
    if found.is_none() {
        fields.fault("currency", "must be a currency of ISO 4217 such as `USD`");
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "test code")]
    use super::*;
    use crate::adops::actor::Role;
    use crate::adops::audit::AUDIT;
    use crate::adops::users::tests::person;
    use crate::store::Batch;

    const BEFORE: &str = "Jane Doe";

    async fn tenant(store: &Store) -> Actor {
        let actor = person(store, 1, 1, Role::Admin).await;
        let (name, timezone) = (BEFORE.to_owned(), "UTC".to_owned());
        let tenant = Tenant { name, timezone, currency: Currency::USD, created_ns: 5, keep_personal_days: Some(9) };
        let mut batch = Batch::new();
        TENANTS.put(&mut batch, &actor.tenant, &tenant).unwrap();
        store.commit(batch).await.unwrap();
        actor
    }

    #[tokio::test]
    async fn settings_change_and_are_told() {
        let store = Store::in_memory().unwrap();
        let actor = tenant(&store).await;
        let set = async |body: Value| update(&store, &actor, body.as_object().unwrap()).await;
        let same = set(json!({"id": 9, "created_at": "x"})).await.unwrap();
        assert_eq!((same.name.as_str(), same.created_ns), (BEFORE, 5));
        let changed = set(json!({"name": " Acme ", "timezone": "europe/berlin", "currency": "EUR"})).await.unwrap();
        assert_eq!((changed.name.as_str(), changed.timezone.as_str()), ("Acme", "Europe/Berlin"));
        assert_eq!((changed.currency.code(), changed.keep_personal_days), ("EUR", Some(9)));
        assert_eq!(get(&store, &actor).unwrap(), changed);
        let entries: Vec<_> = AUDIT.scan(&store, actor.tenant, false).map(|row| row.unwrap().1).collect();
        let [entry] = entries.as_slice() else { panic!("{entries:?}") };
        assert_eq!(entry.old, r#"{"currency":"USD","timezone":"UTC"}"#);
        assert!(!format!("{entry:?}").contains(BEFORE));
    }

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        let store = Store::in_memory().unwrap();
        let actor = tenant(&store).await;
        let wrong = json!({"name": " ", "timezone": "Mars/Olympus", "currency": "usd", "plan": "gold"});
        let fault = update(&store, &actor, wrong.as_object().unwrap()).await.unwrap_err();
        let fields: Vec<_> = fault.details.iter().map(|detail| detail.field.as_str()).collect();
        assert_eq!(fields, ["name", "timezone", "currency", "plan"]);
        for zone in ["", "../../etc/passwd", "EST5EDT,M3.2.0,M11.1.0", "+01:00"] {
            let body = json!({ "timezone": zone });
            assert!(update(&store, &actor, body.as_object().unwrap()).await.is_err(), "{zone}");
        }
    }
}
