//! `/test`: the real engine functions, tried in the process, with their results verified.

use serde_json::{Map, Value, json};
use trafficlab_engine::traffic::content::{Content, ad_format_name, device_name, geo_name};
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::histogram::Histogram;
use trafficlab_engine::traffic::pack::PackedEntry;
use trafficlab_engine::traffic::render::{EntryContext, EntryRow, write_json};
use trafficlab_engine::traffic::rng::EntryKey;
use trafficlab_engine::traffic::schedule::Schedule;
use trafficlab_engine::traffic::simulate::simulate_with_dims;
use trafficlab_shared::clock;
use trafficlab_shared::config::GeneratorConfig;

use super::types::Percentiles;
use super::{spec, trial_rtb};
use crate::systems::fields::Fields;
use crate::systems::sessions::{bidder, input, settings};
use crate::systems::time::{float, ratio, round3};
use crate::systems::{Fault, Outcome};

const MAX_COUNT: u64 = 1000;
/// Entries that the answer shows.
const SHOWN: usize = 100;
const TEST_TYPES: [&str; 3] = ["generate_traffic_data", "simulate_request", "full_traffic_simulation"];

/// Arrivals that were drawn, with what they count.
struct Drawn {
    plan: trafficlab_shared::model::run::RunSpec,
    content: Content,
    /// Entry and the moment it was due, in nanoseconds of active time.
    entries: Vec<(PackedEntry, u64)>,
    counters: Counters,
    response: Histogram,
}

/// Runs the test that `body` names with its parameters.
///
/// # Errors
/// An unknown test type or wrong parameters.
pub fn run(generator: &GeneratorConfig, body: &Map<String, Value>) -> Outcome<Value> {
    let mut faults = Vec::new();
    let mut fields = Fields::new(body, "", &mut faults);
    let test_type = fields.text("test_type", 64).unwrap_or_default().to_owned();
    if !TEST_TYPES.contains(&test_type.as_str()) {
        fields.fault("test_type", format!("must be one of {}", TEST_TYPES.join(", ")));
    }
    let counts: Vec<Option<u64>> =
        ["count", "num_requests", "requests"].map(|key| fields.whole(key, 1..=MAX_COUNT)).into();
    let seed = fields.whole("seed", 0..=u64::MAX);
    let read = input::read(body, input::default_fields(), generator.max_rate, &mut faults);
    let checked = settings::check(&read.fields, generator.max_rate);
    let settings = match checked {
        Ok(settings) if faults.is_empty() => settings,
        Ok(_) => return Err(Fault::validation(faults)),
        Err(more) => {
            faults.extend(more);
            return Err(Fault::validation(faults));
        }
    };
    let single = test_type == "simulate_request";
    let count = if single { 1 } else { counts.into_iter().flatten().next().unwrap_or(100) };
    let mut plan = spec::build(generator, "test", "test", &settings, false)?;
    plan.shards = 1;
    plan.seed = seed.unwrap_or(plan.seed);
    // Nothing is sent, so a real bidder is simulated.
    plan.content.rtb.iter_mut().for_each(bidder::simulate);
    let scheduled = test_type == "full_traffic_simulation";
    let drawn = draw(plan, count, scheduled)?;
    Ok(answer(&test_type, &drawn, scheduled))
}

fn draw(plan: trafficlab_shared::model::run::RunSpec, count: u64, scheduled: bool) -> Outcome<Drawn> {
    let content = Content::new(&plan.content).map_err(|error| Fault::field(error.field(), error.to_string()))?;
    let mut entries = Vec::new();
    let (mut counters, mut times) = (Counters::default(), Vec::new());
    for (slot, k, due) in moments(&plan, count, scheduled) {
        let (entry, dims) = simulate_with_dims(&content, EntryKey { seed: plan.seed, shard: 0, slot, k });
        counters.scheduled += 1;
        counters.add_entry(&entry, &dims);
        times.push(u64::from(entry.response_us));
        entries.push((entry, due));
    }
    Ok(Drawn { plan, content, entries, counters, response: Histogram::of(&mut times) })
}

/// Slot, arrival and due time: by the schedule, or simply one after the other.
fn moments(plan: &trafficlab_shared::model::run::RunSpec, count: u64, scheduled: bool) -> Vec<(u32, u32, u64)> {
    if !scheduled {
        let arrivals = 0..u32::try_from(count).unwrap_or(u32::MAX);
        return arrivals.map(|k| (0, k, u64::from(k) * 1_000_000)).collect();
    }
    let schedule = Schedule::new(plan, 0, &[]);
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let slots = u32::try_from(plan.duration_ms.div_ceil(1000)).unwrap_or(u32::MAX);
    let (mut found, mut due) = (Vec::new(), Vec::new());
    for slot in 0..slots {
        schedule.slot(slot, &mut due);
        found.extend((0..).zip(&due).map(|(k, due)| (slot, k, *due)));
        if found.len() >= limit {
            break;
        }
    }
    found.truncate(limit);
    found
}

fn answer(test_type: &str, drawn: &Drawn, scheduled: bool) -> Value {
    let counters = &drawn.counters;
    let entries = render(drawn);
    let mut verification = verify(drawn, &entries, scheduled);
    let auctions = trial_rtb::check(&entries);
    if let Some(auctions) = &auctions {
        let name = "bid_documents_are_openrtb_2_6";
        verification.push(json!({ "check": name, "passed": auctions.is_valid(), "detail": auctions.detail() }));
    }
    let passed = verification.iter().all(|check| check.get("passed") == Some(&Value::Bool(true)));
    let analytics = json!({
        "total_requests": counters.sent,
        "successful_requests": counters.succeeded,
        "failed_requests": counters.failed,
        "success_rate": round3(100.0 * ratio(float(counters.succeeded), float(counters.sent))),
        "response_times": percentiles(&Percentiles::from(&drawn.response)),
        "unique_geo_locations": counters.geo.distinct(),
        "unique_device_models": counters.device.distinct(),
        "unique_ad_formats": counters.ad_format.distinct(),
        "geo_locations": names(counters.geo.iter().map(|(index, count)| (geo_name(index).to_owned(), count))),
        "device_models": names(counters.device.iter().map(|(index, count)| (device_name(index).to_owned(), count))),
        "ad_formats": names(counters.ad_format.iter().map(|(code, count)| {
            (ad_format_name(u8::try_from(code).unwrap_or(u8::MAX)).to_owned(), count)
        })),
        "rtb": {
            "requests": counters.rtb.requests,
            "bids": counters.rtb.bids,
            "impressions": counters.rtb.impressions,
            "clicks": counters.rtb.clicks,
            "conversions": counters.rtb.conversions,
        },
    });
    let shown: Vec<&Value> = entries.iter().take(SHOWN).collect();
    json!({
        "success": passed,
        "message": if passed { "The test passed" } else { "The test failed: see `verification`" },
        "test_type": test_type,
        "seed": drawn.plan.seed,
        "data": { "results": shown, "result": shown.first(), "total_results": entries.len() },
        "analytics": analytics,
        "rtb": auctions.map(|auctions| auctions.view(&counters.rtb)),
        "verification": verification,
    })
}

/// Percentiles as plain JSON.
fn percentiles(times: &Percentiles) -> Value {
    json!({ "mean": times.mean, "p50": times.p50, "p90": times.p90, "p95": times.p95, "p99": times.p99, "max": times.max })
}

fn names(counts: impl Iterator<Item = (String, u64)>) -> Value {
    Value::Object(counts.map(|(name, count)| (name, count.into())).collect())
}

fn render(drawn: &Drawn) -> Vec<Value> {
    let url = drawn.plan.shown_url.as_deref().or_else(|| drawn.plan.http.as_ref().map(|http| http.url.as_str()));
    let context = EntryContext {
        campaign_id: "test",
        run_id: "test",
        worker_id: "coordinator",
        seed: drawn.plan.seed,
        shard: 0,
        method: drawn.plan.http.as_ref().map_or("GET", |http| http.method.as_str()),
        url,
    };
    let begin = clock::wall_ns();
    let one = |((entry, due), sequence): (&(PackedEntry, u64), u64)| {
        let row = EntryRow {
            content: &drawn.content,
            context: &context,
            sequence,
            scheduled_ns: begin + due,
            entry,
            blob: None,
        };
        let mut json = Vec::new();
        write_json(&mut json, &row);
        serde_json::from_slice(&json).unwrap_or_default()
    };
    drawn.entries.iter().zip(1..).map(one).collect()
}

/// Looks at every entry as a reader would.
fn verify(drawn: &Drawn, entries: &[Value], scheduled: bool) -> Vec<Value> {
    const FIELDS: [&str; 20] = [
        "id",
        "campaign_id",
        "sequence",
        "timestamp",
        "scheduled_at",
        "mode",
        "method",
        "url",
        "status_code",
        "success",
        "response_time_ms",
        "geo_location",
        "device_model",
        "device_type",
        "os",
        "browser",
        "user_agent",
        "ip_address",
        "ad_format",
        "user_profile",
    ];
    let check = |name: &str, passed: bool, detail: String| json!({ "check": name, "passed": passed, "detail": detail });
    let whole = |entry: &&Value| FIELDS.iter().all(|field| entry.get(field).is_some());
    let complete = entries.iter().filter(whole).count();
    let mut ids: Vec<&str> = entries.iter().filter_map(|entry| entry.get("id")?.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    let documentation = entries.iter().filter(|entry| {
        let ip = entry.get("ip_address").and_then(Value::as_str).unwrap_or_default();
        ["192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"].iter().any(|range| ip.starts_with(range))
    });
    let documentation = documentation.count();
    let again = draw(drawn.plan.clone(), count64(entries.len()), scheduled);
    let repeatable = again.is_ok_and(|again| again.entries == drawn.entries);
    let total = entries.len();
    vec![
        check("entries_complete", complete == total, format!("{complete} of {total} entries have every field")),
        check("ids_unique", ids.len() == total, format!("{} different ids", ids.len())),
        check("addresses_are_documentation_ranges", documentation == total, format!("{documentation} of {total}")),
        check("counters_balanced", drawn.counters.balanced(), "scheduled = sent + dropped + missed".to_owned()),
        check("repeatable", repeatable, "the same seed gives the same entries".to_owned()),
    ]
}

fn count64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
