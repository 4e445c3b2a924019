//! What the content of generated traffic is drawn from: the user's fields, checked and normalised.

pub mod country;
pub mod daily;
pub mod distribution;
mod fields;
pub mod geo;
pub mod profile;
pub mod rtb;
pub mod session;
pub mod simulate;

use crate::error::FieldFault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use daily::DailySpec;
pub use distribution::{Distribution, Shape};
pub use geo::GeoWeight;
pub use profile::{DeviceType, UserProfile};
pub use rtb::{AdFormat, AuctionType, Bidder, Deal, Detail, Inventory, NOTICES_PER_REQUEST, RtbSpec, Rules};
pub use session::{PageSpec, SessionsSpec};
pub use simulate::SimulateSpec;

/// Version of the content tables and of the drawing rules that this build makes for new runs.
pub const CONTENT_VERSION: u16 = 2;
/// Version of specifications that do not say theirs.
const FIRST_VERSION: u16 = 1;

/// Everything but the seed that decides what an entry contains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContentSpec {
    /// Version of the tables and rules that the entries were drawn with.
    pub content_version: u16,
    /// Countries by weight; never empty.
    pub geo: Vec<GeoWeight>,
    /// Kinds of visitors by weight; never empty.
    pub profiles: Vec<UserProfile>,
    /// The auction, or none when nothing is auctioned.
    pub rtb: Option<RtbSpec>,
    /// How a simulated exchange behaves.
    pub simulate: SimulateSpec,
    /// How visitors move through the site; without it every request is a visitor of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<SessionsSpec>,
    /// When visitors are awake; without it at all times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily: Option<DailySpec>,
}

impl Default for ContentSpec {
    fn default() -> Self {
        Self {
            content_version: FIRST_VERSION,
            geo: geo::default_locations(),
            profiles: profile::builtin(),
            rtb: None,
            simulate: SimulateSpec::default(),
            sessions: None,
            daily: None,
        }
    }
}

/// The keys of `config` that decide the content of entries; all others belong to other parts.
#[must_use]
pub fn config_keys() -> Vec<&'static str> {
    simulate::KEYS.into_iter().chain(["sessions", "daily"]).collect()
}

/// The user's fields that decide the content of entries; absent and null mean the default.
#[derive(Debug, Clone, Copy, Default)]
pub struct ContentInput<'a> {
    /// `geo_locations` of the campaign.
    pub geo_locations: Option<&'a Value>,
    /// `user_profiles` of the campaign.
    pub user_profiles: Option<&'a Value>,
    /// `rtb_config` of the campaign.
    pub rtb_config: Option<&'a Value>,
    /// The whole `config`; only the keys of [`config_keys`] are read.
    pub config: Option<&'a Value>,
    /// Whether entries are auctioned unless `rtb_config.enabled` says otherwise (simulate mode).
    pub rtb_by_default: bool,
}

impl ContentSpec {
    /// Checks all parts and collects every mistake, not only the first.
    ///
    /// # Errors
    /// One fault per wrong field, named by its path from the request body.
    pub fn parse(input: &ContentInput<'_>) -> Result<Self, Vec<FieldFault>> {
        let mut faults = Vec::new();
        let mut spec = Self { content_version: CONTENT_VERSION, ..Self::default() };
        let null = Value::Null;
        keep(geo::parse(input.geo_locations.unwrap_or(&null), "geo_locations"), &mut spec.geo, &mut faults);
        keep(profile::parse(input.user_profiles.unwrap_or(&null), "user_profiles"), &mut spec.profiles, &mut faults);
        keep(
            rtb::parse(input.rtb_config.unwrap_or(&null), "rtb_config", input.rtb_by_default),
            &mut spec.rtb,
            &mut faults,
        );
        let config = input.config.unwrap_or(&null);
        keep(simulate::parse(config, "config"), &mut spec.simulate, &mut faults);
        keep(session::parse(config, "config"), &mut spec.sessions, &mut faults);
        keep(daily::parse(config, "config"), &mut spec.daily, &mut faults);
        if faults.is_empty() { Ok(spec) } else { Err(faults) }
    }
}

impl ContentSpec {
    /// Like [`ContentSpec::parse`], but keys that are not known are no mistakes: they have no effect and come back
    /// as warnings, since the document calls these objects free in form.
    ///
    /// # Errors
    /// One fault per wrong field.
    pub fn parse_leniently(input: &ContentInput<'_>) -> Result<(Self, Vec<FieldFault>), Vec<FieldFault>> {
        let faults = match Self::parse(input) {
            Ok(spec) => return Ok((spec, Vec::new())),
            Err(faults) => faults,
        };
        let (warnings, real): (Vec<_>, Vec<_>) = faults.into_iter().partition(fields::is_unknown_key);
        if !real.is_empty() {
            return Err(real);
        }
        let paths: Vec<String> = warnings.iter().map(|warning| warning.field.clone()).collect();
        let pruned = |value: Option<&Value>, path: &str| value.map(|value| fields::without(value, path, &paths));
        let geo_locations = pruned(input.geo_locations, "geo_locations");
        let user_profiles = pruned(input.user_profiles, "user_profiles");
        let rtb_config = pruned(input.rtb_config, "rtb_config");
        let config = pruned(input.config, "config");
        let spec = Self::parse(&ContentInput {
            geo_locations: geo_locations.as_ref(),
            user_profiles: user_profiles.as_ref(),
            rtb_config: rtb_config.as_ref(),
            config: config.as_ref(),
            rtb_by_default: input.rtb_by_default,
        })?;
        Ok((spec, warnings))
    }
}

fn keep<T>(parsed: Result<T, Vec<FieldFault>>, slot: &mut T, faults: &mut Vec<FieldFault>) {
    match parsed {
        Ok(value) => *slot = value,
        Err(mut found) => faults.append(&mut found),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use serde_json::json;

    #[test]
    fn every_part_reports_its_faults_at_once() {
        let geo = json!(["Atlantis"]);
        let profiles = json!([{"name": "a", "colour": 1}]);
        let rtb = json!({"bidders": 0});
        let config = json!({"error_rate": 2, "arrivals": "poisson"});
        let faults = ContentSpec::parse(&ContentInput {
            geo_locations: Some(&geo),
            user_profiles: Some(&profiles),
            rtb_config: Some(&rtb),
            config: Some(&config),
            rtb_by_default: true,
        })
        .unwrap_err();
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["geo_locations[0]", "user_profiles[0].colour", "rtb_config.bidders", "config.error_rate"]);
    }

    #[test]
    fn unknown_keys_are_only_warnings_when_read_leniently() {
        let profiles = json!([{"name": "a", "colour": {"b": 1}, "weight": 2}]);
        let rtb = json!({"bidders": 3, "ssp": "x", "bid_price": {"median": 2, "curve": 1}});
        let input = ContentInput { user_profiles: Some(&profiles), rtb_config: Some(&rtb), ..ContentInput::default() };
        let (spec, warnings) = ContentSpec::parse_leniently(&input).unwrap();
        let fields: Vec<&str> = warnings.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["user_profiles[0].colour", "rtb_config.bid_price.curve", "rtb_config.ssp"]);
        assert_eq!(spec.profiles.len(), 1);
        assert_eq!(spec.rtb.unwrap().bidders, 3);
        let wrong = json!({"bidders": 0, "ssp": "x"});
        let faults = ContentSpec::parse_leniently(&ContentInput { rtb_config: Some(&wrong), ..input }).unwrap_err();
        assert_eq!(faults.len(), 1);
    }

    #[test]
    fn the_default_travels_compactly_and_unchanged() {
        let spec = ContentSpec::parse(&ContentInput { rtb_by_default: true, ..ContentInput::default() }).unwrap();
        assert!(spec.rtb.is_some());
        let bytes = rmp_serde::to_vec_named(&spec).unwrap();
        assert!(bytes.len() < 2_000, "{} bytes", bytes.len());
        assert_eq!(rmp_serde::from_slice::<ContentSpec>(&bytes).unwrap(), spec);
    }

    #[test]
    fn a_message_without_some_fields_is_read_with_defaults() {
        let spec: ContentSpec = serde_json::from_value(json!({"content_version": 1})).unwrap();
        assert_eq!(spec, ContentSpec::default());
    }
}
