//! A campaign's fields, checked and made ready for a run.

use serde_json::{Map, Value};
use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::schedule::peak_rate;
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::arrivals::Arrivals;
use trafficlab_shared::model::content::{self, ContentInput, ContentSpec};
use trafficlab_shared::model::run::Mode;
use trafficlab_shared::model::threshold::ThresholdRule;
use trafficlab_shared::target::TargetUrl;
use trafficlab_shared::template::Template;

use super::exchange::{self, Exchange};
use super::thresholds;
use super::{arrivals, bidder};
use crate::store::campaigns::CampaignFields;
use crate::systems::fields::Fields;
use crate::systems::time;

/// Longest lead of real time over a stalled sender that is sent late: an hour.
const MAX_CATCH_UP: f64 = 3600.0;

/// Everything a run is made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Simulated or real.
    pub mode: Mode,
    /// The target, if any.
    pub target: Option<TargetUrl>,
    /// Millionths of a request per minute at the start.
    pub rate: u64,
    /// Highest rate the arrivals reach.
    pub peak: u64,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Shape of the arrivals.
    pub arrivals: Arrivals,
    /// Part that percentiles leave out, in milliseconds.
    pub warm_up_ms: u64,
    /// Longest backlog that is sent late, in milliseconds, when the campaign says so.
    pub catch_up_ms: Option<u64>,
    /// The seed, when the campaign fixes it.
    pub seed: Option<u64>,
    /// What must hold of a run.
    pub thresholds: Vec<ThresholdRule>,
    /// Whether entries are published live.
    pub live_entries: bool,
    /// Stored entries a second at most; 0 keeps all.
    pub kept_per_second: Option<u32>,
    /// The real request.
    pub exchange: Exchange,
    /// What the traffic looks like.
    pub content: ContentSpec,
    /// The ad campaign that the traffic counts for.
    pub ad_campaign_id: Option<u64>,
    /// Members that have no effect, with the reason.
    pub warnings: Vec<String>,
    /// What the owner should know besides, in whole sentences.
    pub notes: Vec<String>,
}

/// Checks all fields together; `max_rate` is in requests a second.
///
/// # Errors
/// Every mistake with its path.
pub fn check(fields: &CampaignFields, max_rate: u64) -> Result<Settings, Vec<FieldFault>> {
    let mut faults = Vec::new();
    let empty = Map::new();
    let target = target(fields.target_url.as_deref(), &mut faults);
    let top = time::float(max_rate) * 60.0;
    let mut config = Fields::new(fields.config.as_object().unwrap_or(&empty), "config", &mut faults);
    let mode = mode(&mut config, fields.target_url.is_some() || bidder::is_named(&fields.rtb_config));
    let given = arrivals::read(&mut config, top);
    let exchange = exchange::read(&mut config);
    let warm_up = config.number("warm_up", 0.0, super::input::MAX_MINUTES * 60.0);
    let warm_up_ms = time::whole(warm_up.unwrap_or(0.0) * 1000.0);
    let thresholds = thresholds::read(&mut config, warm_up_ms);
    let catch_up = config.number("catch_up", 0.0, MAX_CATCH_UP);
    let seed = seed(&mut config);
    let live_entries = config.flag("live_entries").unwrap_or(false);
    let kept = config.whole("entries_per_second_kept", 0..=u64::from(u32::MAX));
    let ad_campaign_id = config.whole("ad_campaign_id", 1..=u64::MAX);
    let mut warnings: Vec<String> = config.unknown(&content::config_keys());
    let content = content(fields, mode, &mut warnings, &mut faults);
    let rate = time::whole(fields.requests_per_minute * 1e6).max(1);
    let pace = pace(fields, rate, given, &mut warnings);
    check_peak(pace.peak, max_rate, &mut faults);
    if !faults.is_empty() {
        return Err(distinct(faults));
    }
    let mut settings = Settings {
        mode,
        target,
        rate,
        peak: pace.peak,
        duration_ms: pace.duration_ms,
        arrivals: pace.arrivals,
        warm_up_ms,
        thresholds,
        catch_up_ms: catch_up.map(|seconds| time::whole(seconds * 1000.0)),
        seed,
        live_entries,
        kept_per_second: kept.and_then(|kept| u32::try_from(kept).ok()),
        ad_campaign_id,
        exchange,
        content,
        warnings,
        notes: pace.notes,
    };
    bidder::apply(&mut settings, fields);
    Ok(settings)
}

/// The arrivals with what follows from them.
struct Pace {
    arrivals: Arrivals,
    peak: u64,
    duration_ms: u64,
    notes: Vec<String>,
}

fn pace(fields: &CampaignFields, rate: u64, given: arrivals::Given, warnings: &mut Vec<String>) -> Pace {
    let arrivals::Given { arrivals, unknown, mut notes } = given;
    warnings.extend(unknown);
    if matches!(arrivals, Arrivals::Replay(_)) {
        warnings.push("requests_per_minute".to_owned());
    }
    let mut duration_ms = time::whole(fields.duration_minutes * 60_000.0).max(1);
    let seconds = |ms: u64| time::float(ms) / 1000.0;
    match arrivals.length_ms() {
        Some(length_ms) if length_ms < duration_ms => {
            notes.push(format!("The run ends with the last recorded moment, after {} s", seconds(length_ms)));
            duration_ms = length_ms;
        }
        Some(length_ms) if length_ms > duration_ms => notes.push(format!(
            "The run ends after {} s by its `duration_minutes`, before the last recorded moment at {} s",
            seconds(duration_ms),
            seconds(length_ms)
        )),
        _ => {}
    }
    Pace { peak: peak_rate(&arrivals, rate), arrivals, duration_ms, notes }
}

/// Shapes may rise above a rate that is permitted itself; `max_rate` is in requests a second.
fn check_peak(peak: u64, max_rate: u64, faults: &mut Vec<FieldFault>) {
    const PER_SECOND: u64 = 60_000_000;
    if peak > max_rate.saturating_mul(PER_SECOND) && faults.is_empty() {
        let message = format!(
            "reaches {} requests a second at its peak; `generator.max_rate` is {max_rate}",
            peak.div_ceil(PER_SECOND)
        );
        faults.push(FieldFault::new("config.arrivals", message));
    }
}

/// Two readers may look at the same member.
fn distinct(faults: Vec<FieldFault>) -> Vec<FieldFault> {
    let mut kept: Vec<FieldFault> = Vec::with_capacity(faults.len());
    for fault in faults {
        if !kept.iter().any(|known| known.field == fault.field) {
            kept.push(fault);
        }
    }
    kept
}

fn target(text: Option<&str>, faults: &mut Vec<FieldFault>) -> Option<TargetUrl> {
    let text = text?;
    match TargetUrl::parse(text) {
        Ok(url) => {
            if let Err(error) = Template::parse_without_table(&url.path_and_query) {
                faults.push(FieldFault::new("target_url", error.to_string()));
            }
            Some(url)
        }
        Err(error) => {
            faults.push(FieldFault::new("target_url", error.to_string()));
            None
        }
    }
}

fn mode(config: &mut Fields<'_, '_>, has_target: bool) -> Mode {
    match config.text("mode", 32) {
        None if has_target => Mode::Http,
        None | Some("simulate") => Mode::Simulate,
        Some("http") => {
            if !has_target {
                config.faults().push(FieldFault::new("target_url", "is required when `config.mode` is `http`"));
            }
            Mode::Http
        }
        Some(_) => {
            config.fault("mode", "must be `simulate` or `http`");
            Mode::Simulate
        }
    }
}

/// A number, or its digits as a text for clients whose numbers end at 2^53.
fn seed(config: &mut Fields<'_, '_>) -> Option<u64> {
    let value = config.get("seed")?;
    let seed = value.as_u64().or_else(|| value.as_str()?.parse().ok());
    if seed.is_none() {
        config.fault("seed", "must be a whole number from 0 to 2^64 - 1");
    }
    seed
}

fn content(
    fields: &CampaignFields,
    mode: Mode,
    warnings: &mut Vec<String>,
    faults: &mut Vec<FieldFault>,
) -> ContentSpec {
    let input = ContentInput {
        geo_locations: Some(&fields.geo_locations),
        user_profiles: Some(&fields.user_profiles),
        rtb_config: Some(&fields.rtb_config),
        config: Some(&fields.config),
        rtb_by_default: mode == Mode::Simulate,
    };
    match ContentSpec::parse_leniently(&input) {
        Ok((spec, unknown)) => {
            warnings.extend(unknown.into_iter().map(|fault| fault.field));
            if let Err(error) = Content::new(&spec) {
                faults.push(FieldFault::new(error.field(), error.to_string()));
            }
            spec
        }
        Err(found) => {
            faults.extend(found);
            ContentSpec::default()
        }
    }
}

/// Whether only rate, length or name differ, which may change during a run.
#[must_use]
pub fn differs_only_in_pace(one: &CampaignFields, other: &CampaignFields) -> bool {
    let same = |value: &Value, other: &Value| value == other;
    one.target_url == other.target_url
        && same(&one.geo_locations, &other.geo_locations)
        && same(&one.rtb_config, &other.rtb_config)
        && same(&one.config, &other.config)
        && same(&one.user_profiles, &other.user_profiles)
}
