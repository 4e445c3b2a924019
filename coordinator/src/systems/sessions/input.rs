//! From a request body to a campaign's fields: what is given is laid over what was there.

use serde_json::{Map, Value, json};
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::campaign::is_campaign_id;

use crate::store::campaigns::CampaignFields;
use crate::systems::fields::Fields;

/// Longest run in minutes: 30 days.
pub const MAX_MINUTES: f64 = 30.0 * 24.0 * 60.0;
const MAX_NAME: usize = 200;
/// Members of the body that others read or nobody writes.
const NOT_WRITTEN: [&str; 13] = [
    "id",
    "campaign_id",
    "session_id",
    "name",
    "status",
    "created_at",
    "updated_at",
    "started_at",
    "ended_at",
    "reason",
    "warnings",
    "run_id",
    "mode",
];

/// What a body says.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// The fields, laid over those before.
    pub fields: CampaignFields,
    /// The name, when given.
    pub name: Option<String>,
    /// Members that have no effect.
    pub unknown: Vec<String>,
}

/// The fields of a session that names none.
#[must_use]
pub fn default_fields() -> CampaignFields {
    CampaignFields {
        target_url: None,
        requests_per_minute: 10.0,
        duration_minutes: 60.0,
        geo_locations: json!(["United States"]),
        rtb_config: json!({}),
        config: json!({}),
        user_profiles: json!([]),
    }
}

/// Lays the members of `body` over `base`. Types and ranges of the plain members are checked here, the inside of the
/// others by `settings`.
pub fn read(body: &Map<String, Value>, base: CampaignFields, max_rate: u64, faults: &mut Vec<FieldFault>) -> Input {
    let mut fields = base;
    let mut reader = Fields::new(body, "", faults);
    let name = reader.text("name", MAX_NAME).map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if let Some(url) = reader.text("target_url", trafficlab_shared::target::MAX_URL_BYTES) {
        fields.target_url = Some(url.to_owned()).filter(|url| !url.is_empty());
    } else if body.get("target_url").is_some_and(Value::is_null) {
        fields.target_url = None;
    }
    let top = crate::systems::time::float(max_rate) * 60.0;
    if let Some(rate) = reader.number_above("requests_per_minute", 0.0, top) {
        fields.requests_per_minute = rate;
    }
    if let Some(minutes) = reader.number_above("duration_minutes", 0.0, MAX_MINUTES) {
        fields.duration_minutes = minutes;
    }
    if let Some(value) = reader.get("geo_locations") {
        fields.geo_locations = value.clone();
    }
    if let Some(profiles) = reader.list("user_profiles", 100) {
        fields.user_profiles = named(profiles);
    }
    if let Some(value) = reader.object("rtb_config") {
        fields.rtb_config = Value::Object(value.clone());
    }
    if let Some(value) = reader.object("config") {
        fields.config = Value::Object(value.clone());
    }
    let unknown = reader.unknown(&NOT_WRITTEN);
    Input { fields, name, unknown }
}

/// The document leaves the form of profiles open, so one without a name gets one.
fn named(profiles: &[Value]) -> Value {
    let named = |(index, profile): (usize, &Value)| {
        let mut profile = profile.clone();
        if let Value::Object(members) = &mut profile {
            members.entry("name").or_insert_with(|| format!("profile {}", index + 1).into());
        }
        profile
    };
    profiles.iter().enumerate().map(named).collect()
}

/// The id that a client chose, under any of `keys`.
pub fn chosen_id(body: &Map<String, Value>, keys: &[&'static str], faults: &mut Vec<FieldFault>) -> Option<String> {
    let (key, value) = keys.iter().find_map(|key| Some((*key, body.get(*key).filter(|value| !value.is_null())?)))?;
    let id = value.as_str().filter(|id| is_campaign_id(id));
    if id.is_none() {
        faults.push(FieldFault::new(key, "must be a text of 1 to 64 letters, digits, `_` or `-`"));
    }
    id.map(str::to_owned)
}
