//! Setting and removing a tenant's credentials.

use serde_json::{Map, Value, json};
use trafficlab_shared::config::Config;
use trafficlab_shared::seal::Sealer;
use url::Url;

use super::{Field, Held, INTEGRATIONS, Integration, Service, context, held};
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::change::{Change, change};
use crate::adops::input;
use crate::outbound;
use crate::store::Store;
use crate::systems::fields::Fields;
use crate::systems::{Code, Fault, Outcome};

/// Bytes of a value.
const LONGEST: usize = 4096;

/// What setting depends on.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// Seals secrets; none without `auth.secrets_key`.
    pub sealer: Option<&'a Sealer>,
}

/// What a request does with a field.
enum Told {
    Leave,
    Remove,
    Set(String),
}

/// Sets what the body names, removes what it gives as null, leaves the rest.
///
/// # Errors
/// 400 naming fields, 422 for secrets without `auth.secrets_key`.
pub async fn set(
    store: &Store,
    settings: Settings<'_>,
    actor: &Actor,
    service: Service,
    body: &Map<String, Value>,
) -> Outcome<Held> {
    let read = |fields: &mut Fields<'_, '_>| {
        let base_url = base_url(fields, body, settings.config.outbound.allow_private);
        let told = service.fields().iter().map(|field| (*field, told(fields, body, *field)));
        (base_url, told.collect::<Vec<_>>())
    };
    let (base_url, told) = input::read_beside(body, &["platform", "source", "status"], read)?;
    let sealed = seal(settings.sealer, actor, service, told)?;
    let work = |change: &mut Change<'_>| put(change, actor, service, base_url, sealed);
    change(store, actor, work).await?;
    Ok(held(store, settings.config, actor.tenant, service)?)
}

/// Forgets a tenant's own credentials of a service.
///
/// # Errors
/// 404 when there are none.
pub async fn remove(store: &Store, actor: &Actor, service: Service) -> Outcome<()> {
    let work = |change: &mut Change<'_>| {
        let key = service.as_str().to_owned();
        if change.get(&INTEGRATIONS, key.clone())?.is_none() {
            return Err(Fault::not_found("Nothing is settled for this platform"));
        }
        change.delete(&INTEGRATIONS, key);
        Ok(change.audit(&AuditEntry::new(actor, "integration.deleted", "integration", service.as_str()))?)
    };
    change(store, actor, work).await
}

fn put(
    change: &mut Change<'_>,
    actor: &Actor,
    service: Service,
    base_url: Told,
    told: Vec<(Field, Told)>,
) -> Outcome<()> {
    let key = service.as_str().to_owned();
    let before: Integration = change.get(&INTEGRATIONS, key.clone())?.unwrap_or_default();
    let mut after = before.clone();
    let mut changed = Vec::new();
    match base_url {
        Told::Leave => {}
        Told::Remove => after.base_url = None,
        Told::Set(url) => after.base_url = Some(url),
    }
    if after.base_url != before.base_url {
        changed.push("base_url");
    }
    for (field, told) in told {
        let values = if field.secret { &mut after.sealed } else { &mut after.open };
        let was = match told {
            Told::Leave => continue,
            Told::Remove => values.remove(field.name).is_some(),
            Told::Set(value) => values.insert(field.name.to_owned(), value.clone()) != Some(value),
        };
        if was {
            changed.push(field.name);
        }
    }
    (after.updated_ns, after.updated_by) = (change.at_ns, actor.who.user());
    change.put(&INTEGRATIONS, key, &after)?;
    // Values are not told: some are secrets, and the names say what happened.
    let new = json!({"changed": changed});
    Ok(change.audit(
        &AuditEntry::new(actor, "integration.updated", "integration", service.as_str()).change(&json!({}), &new),
    )?)
}

fn seal(
    sealer: Option<&Sealer>,
    actor: &Actor,
    service: Service,
    told: Vec<(Field, Told)>,
) -> Outcome<Vec<(Field, Told)>> {
    let one = |(field, told): (Field, Told)| match told {
        Told::Set(value) if field.secret => {
            let Some(sealer) = sealer else {
                let message = "Secrets need `auth.secrets_key` in the server's configuration";
                return Err(Fault::new(Code::Unprocessable, message).detail(field.name, "cannot be sealed"));
            };
            let sealed = sealer.seal(&value, &context(actor.tenant, service, field));
            Ok((field, Told::Set(sealed.map_err(|error| Fault::internal("credentials", &error))?)))
        }
        told => Ok((field, told)),
    };
    told.into_iter().map(one).collect()
}

fn told(fields: &mut Fields<'_, '_>, body: &Map<String, Value>, field: Field) -> Told {
    let shown = |value: &Value| value.as_object().is_some_and(|members| members.contains_key("set"));
    match body.get(field.name) {
        // What an answer showed in place of a secret may come back with the rest of it.
        Some(value) if field.secret && shown(value) => {
            fields.get(field.name);
            Told::Leave
        }
        Some(Value::Null) => {
            fields.get(field.name);
            Told::Remove
        }
        _ => input::name(fields, field.name, LONGEST, false).map_or(Told::Leave, Told::Set),
    }
}

/// `https` only, unless sandboxes on private addresses are allowed; without user, query or fragment.
fn base_url(fields: &mut Fields<'_, '_>, body: &Map<String, Value>, allow_private: bool) -> Told {
    if body.get("base_url").is_some_and(Value::is_null) {
        fields.get("base_url");
        return Told::Remove;
    }
    let Some(text) = fields.text("base_url", LONGEST) else { return Told::Leave };
    let refused = match Url::parse(text) {
        Err(_) => Some("is no URL".to_owned()),
        Ok(url) if !url.username().is_empty() || url.password().is_some() => Some("must not name a user".to_owned()),
        Ok(url) if url.query().is_some() || url.fragment().is_some() => Some("must end with its path".to_owned()),
        Ok(url) if url.scheme() != "https" && !(allow_private && url.scheme() == "http") => {
            Some("must begin with https://".to_owned())
        }
        Ok(url) => outbound::check(&url, allow_private).err().map(|refusal| refusal.to_string()),
    };
    match refused {
        None => Told::Set(text.trim_end_matches('/').to_owned()),
        Some(message) => {
            fields.fault("base_url", message);
            Told::Leave
        }
    }
}

#[cfg(test)]
mod tests;
