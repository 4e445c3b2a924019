//! Credentials are set, used and never shown.

#![allow(clippy::unwrap_used, reason = "test code")]

use trafficlab_shared::config::{Purpose, Sources};

use super::super::{Source, of};
use super::*;
use crate::adops::actor::Role;
use crate::adops::ids::TenantId;
use crate::adops::users::tests::person;

fn config(text: &str) -> Config {
    Config::load(&Sources { flags: text.parse().unwrap(), ..Sources::default() }, Purpose::Worker).unwrap()
}

struct Place {
    store: Store,
    config: Config,
    sealer: Sealer,
    actor: Actor,
}

impl Place {
    async fn new(text: &str) -> Self {
        let store = Store::in_memory().unwrap();
        let actor = person(&store, 1, 1, Role::Admin).await;
        Self { store, config: config(text), sealer: Sealer::new("key"), actor }
    }

    async fn set(&self, service: Service, body: &Value) -> Outcome<Held> {
        let settings = Settings { config: &self.config, sealer: Some(&self.sealer) };
        set(&self.store, settings, &self.actor, service, body.as_object().unwrap()).await
    }

    fn of(&self, tenant: u64, service: Service) -> Option<(String, Option<String>)> {
        let found = of(&self.store, &self.config, Some(&self.sealer), TenantId(tenant), service).unwrap()?;
        Some((found.base_url.clone(), found.get("access_token").map(str::to_owned)))
    }
}

#[tokio::test]
async fn secrets_are_sealed_for_their_tenant_and_field() {
    let place = Place::new("").await;
    let held = place.set(Service::Meta, &json!({"pixel_id": "123", "access_token": "EAAB-hidden"})).await.unwrap();
    assert!(held.complete() && held.source == Source::Tenant);
    assert!(!format!("{held:?}").contains("hidden"));
    let stored = INTEGRATIONS.get(&place.store, TenantId(1), "meta".to_owned()).unwrap().unwrap();
    assert!(!format!("{stored:?}").contains("hidden"));
    let (url, token) = place.of(1, Service::Meta).unwrap();
    assert_eq!((url.as_str(), token.as_deref()), ("https://graph.facebook.com", Some("EAAB-hidden")));
    assert!(place.of(2, Service::Meta).is_none() && place.of(1, Service::Tiktok).is_none());
    // A row that is moved to another tenant opens nothing.
    let mut batch = crate::store::Batch::new();
    INTEGRATIONS.put(&mut batch, TenantId(2), "meta".to_owned(), &stored).unwrap();
    place.store.commit(batch).await.unwrap();
    let moved = of(&place.store, &place.config, Some(&place.sealer), TenantId(2), Service::Meta);
    assert_eq!(moved.err().unwrap().code, Code::Internal);
}

#[tokio::test]
async fn an_answer_may_come_back_and_null_removes() {
    let place = Place::new("").await;
    place.set(Service::Meta, &json!({"pixel_id": "123", "access_token": "t", "account_id": "act_1"})).await.unwrap();
    let shown = json!({"platform": "meta", "source": "tenant", "status": "configured", "pixel_id": "124",
        "access_token": {"set": true}, "account_id": null, "updated_at": "x"});
    let held = place.set(Service::Meta, &shown).await.unwrap();
    let value = |name: &str| held.values.iter().find(|(field, _)| field.name == name).unwrap().1.clone();
    assert_eq!((value("pixel_id").as_deref(), value("account_id")), (Some("124"), None));
    assert_eq!(place.of(1, Service::Meta).unwrap().1.as_deref(), Some("t"));
    place.set(Service::Meta, &json!({"access_token": null})).await.unwrap();
    assert!(place.of(1, Service::Meta).is_none());
    remove(&place.store, &place.actor, Service::Meta).await.unwrap();
    assert_eq!(remove(&place.store, &place.actor, Service::Meta).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn addresses_are_https_and_public() {
    let place = Place::new("").await;
    for bad in [
        "http://graph.facebook.com",
        "https://127.0.0.1",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::ffff:10.0.0.1]/",
        "https://u:p@x.example",
        "https://x.example/?a=b",
        "ftp://x.example",
        "x.example",
    ] {
        let fault = place.set(Service::Meta, &json!({"base_url": bad})).await.unwrap_err();
        assert_eq!(fault.details.first().map(|detail| detail.field.as_str()), Some("base_url"), "{bad}");
    }
    place.set(Service::Meta, &json!({"base_url": "https://x.example/v1/"})).await.unwrap();
    let sandbox = Place::new("[outbound]\nallow_private = true").await;
    let body = json!({"base_url": "http://127.0.0.1:9", "pixel_id": "1", "access_token": "t"});
    sandbox.set(Service::Meta, &body).await.unwrap();
    assert_eq!(sandbox.of(1, Service::Meta).unwrap().0, "http://127.0.0.1:9");
}

#[tokio::test]
async fn the_configuration_serves_one_tenant() {
    let place =
        Place::new("[platforms]\ntenant = 1\n[platforms.meta]\npixel_id = \"9\"\naccess_token = \"conf\"").await;
    assert_eq!(place.of(1, Service::Meta).unwrap().1.as_deref(), Some("conf"));
    assert!(place.of(2, Service::Meta).is_none() && place.of(1, Service::Google).is_none());
    let held = held(&place.store, &place.config, TenantId(1), Service::Meta).unwrap();
    assert_eq!((held.source, held.complete()), (Source::Configuration, true));
    assert!(!format!("{held:?}").contains("conf\""), "{held:?}");
    place.set(Service::Meta, &json!({"pixel_id": "10", "access_token": "own"})).await.unwrap();
    assert_eq!(place.of(1, Service::Meta).unwrap().1.as_deref(), Some("own"));
}

#[tokio::test]
async fn without_a_key_there_are_no_secrets() {
    let place = Place::new("").await;
    let settings = Settings { config: &place.config, sealer: None };
    let body = json!({"access_token": "t"});
    let refused = set(&place.store, settings, &place.actor, Service::Meta, body.as_object().unwrap()).await;
    assert_eq!(refused.unwrap_err().code, Code::Unprocessable);
    let fault = place.set(Service::Meta, &json!({"pixel_code": "x", "pixel_id": 5, "access_token": " "})).await;
    let fields: Vec<_> = fault.unwrap_err().details.into_iter().map(|detail| detail.field).collect();
    assert_eq!(fields, ["pixel_id", "access_token", "pixel_code"]);
}
