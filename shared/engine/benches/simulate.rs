//! What one core draws, packs and renders: `cargo bench -p trafficlab-engine` prints one JSON object.
//!
//! Each figure is the median of several rounds, in entries a second of wall time; one entry in mode
//! `simulate` is drawn with its auction and packed into blocks as a worker does.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people who measure")]

use std::hint::black_box;
use std::time::Instant;

use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::pack::{BlockWriter, PackedEntry};
use trafficlab_engine::traffic::render::{EntryContext, EntryRow, write_bid_request, write_json};
use trafficlab_engine::traffic::rng::EntryKey;
use trafficlab_engine::traffic::simulate::simulate_with_dims;
use trafficlab_shared::model::content::{ContentInput, ContentSpec};

const ROUNDS: usize = 7;
/// Arrivals of a slot, as at 100 000 a second over 8 shards.
const SLOT: u32 = 12_500;
const BLOCK: usize = 4_096;

fn main() {
    let plain = content(false, &serde_json::Value::Null);
    let auctioned = content(true, &serde_json::Value::Null);
    let browsing = content(false, &serde_json::json!({"sessions": true, "daily": true}));
    let figures = [
        ("drawn_and_packed_without_rtb", rate(1_000_000, |count| packed(&plain, count))),
        ("drawn_and_packed_without_rtb_with_sessions", rate(1_000_000, |count| packed(&browsing, count))),
        ("drawn_and_packed_with_rtb", rate(400_000, |count| packed(&auctioned, count))),
        ("bid_request_rendered", rate(100_000, |count| requests(&auctioned, count))),
        ("rendered_to_json_with_rtb", rate(50_000, |count| rendered(&auctioned, count))),
    ];
    let members: Vec<String> = figures.iter().map(|(name, value)| format!("\"{name}\":{value:.0}")).collect();
    println!("{{{}}}", members.join(","));
}

fn content(rtb: bool, config: &serde_json::Value) -> Content {
    let rtb = serde_json::json!({ "enabled": rtb });
    let input = ContentInput { rtb_config: Some(&rtb), config: Some(config), ..ContentInput::default() };
    let spec = ContentSpec::parse(&input);
    Content::new(&spec.expect("the defaults are valid")).expect("the defaults can be drawn from")
}

/// Median entries a second of `work`, which handles as many entries as it is told.
fn rate(count: u32, work: impl Fn(u32)) -> f64 {
    let mut rates: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            work(count);
            f64::from(count) / began.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates.get(ROUNDS / 2).copied().unwrap_or(0.0)
}

fn keys(count: u32) -> impl Iterator<Item = EntryKey> {
    (0..count).map(|number| EntryKey { seed: 7, shard: 3, slot: number / SLOT, k: number % SLOT })
}

fn packed(content: &Content, count: u32) {
    let mut block = BlockWriter::new();
    for key in keys(count) {
        let (entry, dims) = simulate_with_dims(content, key);
        black_box(dims);
        block.push(&entry);
        if block.len() >= BLOCK {
            black_box(std::mem::take(&mut block).finish());
        }
    }
    black_box(block.finish());
}

fn context() -> EntryContext<'static> {
    EntryContext {
        campaign_id: "bench",
        run_id: "01890000-0000-7000-8000-000000000000",
        worker_id: "w",
        seed: 7,
        shard: 3,
        method: "GET",
        url: None,
    }
}

fn rendered(content: &Content, count: u32) {
    let (context, mut out) = (context(), Vec::new());
    for (sequence, key) in (1..).zip(keys(count)) {
        let entry: PackedEntry = simulate_with_dims(content, key).0;
        out.clear();
        write_json(
            &mut out,
            &EntryRow { content, context: &context, sequence, scheduled_ns: 1_000, entry: &entry, blob: None },
        );
        black_box(&out);
    }
}

fn requests(content: &Content, count: u32) {
    let mut out = Vec::new();
    for key in keys(count) {
        out.clear();
        black_box(write_bid_request(&mut out, content, key, "bench-1"));
        black_box(&out);
    }
}
