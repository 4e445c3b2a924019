//! Credentials as callers see and set them.

use poem_openapi::Object;
use serde_json::{Map, Value, json};

use crate::adops::integrations::{Held, Source};
use crate::systems::time::maybe_rfc3339;

/// Whether a secret is there; the secret itself is never shown
#[derive(Debug, Clone, Copy, Object)]
#[oai(rename = "SecretState")]
pub struct SecretState {
    /// Whether it is set
    set: bool,
}

/// An outside service and what a tenant holds for it; only the members of its platform are there
#[derive(Debug, Clone, Object)]
#[oai(rename = "Integration")]
pub struct IntegrationView {
    /// `google`, `linkedin`, `meta`, `snapchat`, `tiktok` or `whatsapp`
    platform: String,
    /// `configured`, `incomplete` or `not_configured`
    status: String,
    /// `tenant`, `configuration` or `none`
    source: String,
    /// Where it is called
    base_url: String,
    /// Meta, Snapchat
    pixel_id: Option<String>,
    /// Meta
    account_id: Option<String>,
    /// `TikTok`
    pixel_code: Option<String>,
    /// Google
    customer_id: Option<String>,
    /// Google
    conversion_action: Option<String>,
    /// `LinkedIn`
    conversion_id: Option<String>,
    /// `WhatsApp`
    phone_number_id: Option<String>,
    /// All
    access_token: SecretState,
    /// Google
    developer_token: Option<SecretState>,
    /// `WhatsApp`
    app_secret: Option<SecretState>,
    /// `WhatsApp`
    verify_token: Option<SecretState>,
    /// When the tenant last changed it
    updated_at: Option<String>,
}

/// Credentials to set; what is left out stays, null removes. Each platform takes its own members only
#[derive(Debug, Object)]
#[oai(rename = "IntegrationBody")]
pub struct IntegrationBody {
    /// `https://…`; the configured address by default
    base_url: Option<String>,
    /// Meta, Snapchat
    pixel_id: Option<String>,
    /// Meta
    account_id: Option<String>,
    /// `TikTok`
    pixel_code: Option<String>,
    /// Google
    customer_id: Option<String>,
    /// Google
    conversion_action: Option<String>,
    /// `LinkedIn`
    conversion_id: Option<String>,
    /// `WhatsApp`
    phone_number_id: Option<String>,
    /// All; sealed with `auth.secrets_key` and never shown
    access_token: Option<String>,
    /// Google; sealed
    developer_token: Option<String>,
    /// `WhatsApp`; sealed
    app_secret: Option<String>,
    /// `WhatsApp`; sealed
    verify_token: Option<String>,
}

/// In the form of [`IntegrationView`], with the members of its platform.
pub(super) fn view(held: &Held) -> Value {
    let status = match (held.source, held.complete()) {
        (Source::Nowhere, _) => "not_configured",
        (_, true) => "configured",
        (_, false) => "incomplete",
    };
    let mut members = Map::new();
    let mut put = |key: &str, value: Value| {
        members.insert(key.to_owned(), value);
    };
    put("platform", json!(held.service.as_str()));
    put("status", json!(status));
    put("source", json!(held.source.as_str()));
    put("base_url", json!(held.base_url));
    for (field, value) in &held.values {
        put(field.name, if field.secret { json!({"set": value.is_some()}) } else { json!(value) });
    }
    put("updated_at", json!(maybe_rfc3339(held.updated_ns)));
    Value::Object(members)
}
