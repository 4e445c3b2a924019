//! `user_profiles`: kinds of visitors, what they use and how often they click.

use std::sync::LazyLock;

use super::fields::{Faults, ObjectReader, Range, list, object, unknown};
use crate::error::FieldFault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

const MAX_PROFILES: usize = 100;
const MAX_ITEMS: usize = 50;

/// The class of a visitor's device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceType {
    /// A phone.
    Mobile,
    /// A personal computer.
    Desktop,
    /// A tablet.
    Tablet,
    /// A television or a box beside it.
    Ctv,
    /// A public screen; only drawn for digital out-of-home inventory.
    Dooh,
}

impl DeviceType {
    /// All classes.
    pub const ALL: [Self; 5] = [Self::Mobile, Self::Desktop, Self::Tablet, Self::Ctv, Self::Dooh];

    /// The word in entries and requests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mobile => "mobile",
            Self::Desktop => "desktop",
            Self::Tablet => "tablet",
            Self::Ctv => "ctv",
            Self::Dooh => "dooh",
        }
    }

    /// Reads the word, or a usual other word for the same.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.to_lowercase().as_str() {
            "mobile" | "phone" | "smartphone" => Some(Self::Mobile),
            "desktop" | "pc" | "laptop" | "computer" => Some(Self::Desktop),
            "tablet" => Some(Self::Tablet),
            "ctv" | "tv" | "connected_tv" => Some(Self::Ctv),
            "dooh" => Some(Self::Dooh),
            _ => None,
        }
    }
}

/// One kind of visitor. Empty lists mean no restriction.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UserProfile {
    /// Name shown in entries.
    pub name: String,
    /// Weight relative to the other profiles, above 0.
    pub weight: f64,
    /// Chance that an impression is clicked.
    pub click_probability: f64,
    /// Chance that a click converts.
    pub conversion_probability: f64,
    /// Classes of devices.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_types: Vec<DeviceType>,
    /// Device models; a part of the name is enough.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub device_models: Vec<String>,
    /// Operating systems.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub os: Vec<String>,
    /// Browsers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub browsers: Vec<String>,
    /// BCP 47 tags used in place of the country's language.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<String>,
    /// Interests, sent as keywords.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub interests: Vec<String>,
    /// Age range such as `25-34`, sent as an audience segment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_range: Option<String>,
}

static BUILTIN: LazyLock<Vec<UserProfile>> =
    LazyLock::new(|| read_table(include_str!("../../../data/user_profiles.tsv")));

/// The mixture of a campaign that names no profiles.
#[must_use]
pub fn builtin() -> Vec<UserProfile> {
    BUILTIN.clone()
}

/// A test checks that every cell can be read.
fn read_table(text: &str) -> Vec<UserProfile> {
    let row = |line: &str| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        UserProfile {
            name: cell().to_owned(),
            weight: cell().parse().unwrap_or_default(),
            click_probability: cell().parse().unwrap_or_default(),
            conversion_probability: cell().parse().unwrap_or_default(),
            interests: cell().split(',').map(str::to_owned).collect(),
            ..UserProfile::default()
        }
    };
    text.lines().filter(|line| !line.starts_with('#')).map(row).collect()
}

/// Reads a list of profile objects; null and `[]` mean the built-in mixture.
///
/// # Errors
/// One fault per wrong field.
pub fn parse(value: &Value, path: &str) -> Result<Vec<UserProfile>, Vec<FieldFault>> {
    let mut faults = Faults::default();
    if value.is_null() {
        return Ok(builtin());
    }
    let items = list(value, path, MAX_PROFILES, &mut faults).unwrap_or_default();
    let mut profiles: Vec<UserProfile> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let item_path = format!("{path}[{index}]");
        let Some(profile) = one(item, &item_path, &mut faults) else {
            continue;
        };
        if profiles.iter().any(|have| have.name == profile.name) {
            faults.add(format!("{item_path}.name"), "is used by another profile");
        }
        profiles.push(profile);
    }
    if profiles.is_empty() {
        profiles = builtin();
    }
    faults.finish(profiles)
}

fn one(item: &Value, path: &str, faults: &mut Faults) -> Option<UserProfile> {
    if let Value::String(name) = item {
        return named(name, path, faults);
    }
    let mut reader = ObjectReader::new(object(item, path, faults)?, path);
    if reader.get(&["name"]).is_none() {
        faults.add(reader.path_of("name"), "is required");
    }
    let name = reader.text(&["name"], 64, faults);
    let chance = Range::PROBABILITY;
    let profile = UserProfile {
        name: name.unwrap_or_default(),
        weight: reader.number(&["weight"], Range::new(1e-6, 1e9), faults).unwrap_or(1.0),
        click_probability: reader.number(&["click_probability", "click_rate", "ctr"], chance, faults).unwrap_or(0.008),
        conversion_probability: reader
            .number(&["conversion_probability", "conversion_rate"], chance, faults)
            .unwrap_or(0.02),
        device_types: device_types(&mut reader, faults),
        device_models: reader.texts(&["device_models", "devices"], MAX_ITEMS, faults),
        os: reader.texts(&["os", "operating_systems"], MAX_ITEMS, faults),
        browsers: reader.texts(&["browsers"], MAX_ITEMS, faults),
        languages: languages(&mut reader, faults),
        interests: reader.texts(&["interests"], MAX_ITEMS, faults),
        age_range: reader.text(&["age_range", "age"], 32, faults),
    };
    reader.finish(faults);
    Some(profile)
}

/// A bare name picks one of the built-in profiles.
fn named(name: &str, path: &str, faults: &mut Faults) -> Option<UserProfile> {
    let builtin = builtin();
    let found = builtin.iter().find(|profile| profile.name.eq_ignore_ascii_case(name));
    if found.is_none() {
        let names = builtin.iter().map(|profile| profile.name.as_str());
        faults.add(path, format!("profile {}; or give an object with a name", unknown(name, names)));
    }
    found.cloned()
}

fn device_types(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Vec<DeviceType> {
    let path = reader.path_of("device_types");
    let mut found = Vec::new();
    for (index, word) in reader.texts(&["device_types"], MAX_ITEMS, faults).iter().enumerate() {
        match DeviceType::from_name(word).filter(|kind| *kind != DeviceType::Dooh) {
            Some(kind) if found.contains(&kind) => {}
            Some(kind) => found.push(kind),
            None => faults.add(format!("{path}[{index}]"), "must be `mobile`, `desktop`, `tablet` or `ctv`"),
        }
    }
    found
}

fn languages(reader: &mut ObjectReader<'_>, faults: &mut Faults) -> Vec<String> {
    let path = reader.path_of("languages");
    let tags = reader.texts(&["languages"], MAX_ITEMS, faults);
    for (index, tag) in tags.iter().enumerate() {
        let primary = tag.split('-').next().unwrap_or_default();
        let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(2..=3).contains(&primary.len()) || !tag.split('-').all(letters) {
            faults.add(format!("{path}[{index}]"), "must be a language tag such as `en` or `pt-BR`");
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn the_built_in_mixture_is_whole() {
        let found = builtin();
        assert_eq!(found.len(), 5);
        for profile in &found {
            let chances = [profile.click_probability, profile.conversion_probability];
            assert!(profile.weight > 0.0 && chances.iter().all(|chance| (0.0001..0.5).contains(chance)), "{profile:?}");
            assert!(profile.interests.iter().all(|word| !word.is_empty()) && !profile.name.is_empty());
        }
        let shopper = (found[2].weight, found[2].click_probability, found[2].conversion_probability);
        assert_eq!((found[2].name.as_str(), shopper), ("shopper", (18.0, 0.02, 0.06)));
    }

    #[test]
    fn a_full_profile_is_read() {
        let value = json!([{"name": "gamers", "weight": 2, "device_types": ["mobile", "TV"], "device_models": ["iPhone"],
            "os": ["iOS"], "browsers": ["Safari"], "age_range": "18-24", "interests": ["games"],
            "click_probability": 0.5, "conversion_probability": 1, "languages": ["en-GB"]}, "shopper"]);
        let found = parse(&value, "user_profiles").unwrap();
        assert_eq!(found[0].device_types, [DeviceType::Mobile, DeviceType::Ctv]);
        assert_eq!(found[0].age_range.as_deref(), Some("18-24"));
        assert_eq!(found[1].name, "shopper");
    }

    #[test]
    fn mistakes_are_named() {
        let cases = [
            (json!([{"weight": 1}]), "p[0].name"),
            (json!([{"name": "a", "weight": 0}]), "p[0].weight"),
            (json!([{"name": "a", "click_probability": 1.5}]), "p[0].click_probability"),
            (json!([{"name": "a", "device_types": ["mobile", "fridge"]}]), "p[0].device_types[1]"),
            (json!([{"name": "a", "languages": ["x y"]}]), "p[0].languages[0]"),
            (json!([{"name": "a"}, {"name": "a"}]), "p[1].name"),
            (json!([{"name": "a", "os": "iOS"}]), "p[0].os"),
            (json!(["nobody"]), "p[0]"),
            (json!([4]), "p[0]"),
            (json!({}), "p"),
        ];
        for (value, field) in cases {
            assert_eq!(parse(&value, "p").unwrap_err()[0].field, field, "{value}");
        }
    }
}
