//! Entries read back through a whole plan: bytes on disk, extents and plans in a store in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use futures_util::StreamExt;
use serde_json::{Map, Value, json};
use trafficlab_engine::traffic::content::Content;
use trafficlab_engine::traffic::counters::Counters;
use trafficlab_engine::traffic::pack::BlockWriter;
use trafficlab_engine::traffic::rng::EntryKey;
use trafficlab_engine::traffic::simulate::simulate_with_dims;
use trafficlab_shared::config::{Config, Purpose, Sources};
use trafficlab_shared::model::campaign::CampaignStatus;

use super::select::{self, Asked};
use super::stream::{self, Format, Plan};
use super::{cleanup, spec};
use crate::entries::EntryReader;
use crate::store::campaigns::CAMPAIGNS;
use crate::store::entries::{ENTRIES_FRAME, EXTENTS, Extent, SEQUENCES};
use crate::store::runs::{PLANS, RUNS, RUNS_OF, TOTALS};
use crate::store::segment::{Committed, Frame, FrameMeta, Location, SegmentDir, SegmentLog, SegmentOptions};
use crate::store::{Batch, Store};
use crate::systems::sessions::input::{self, default_fields};
use crate::systems::sessions::{service, settings};

/// Entries of a block.
const BLOCK: u32 = 100;

struct Stored {
    store: Store,
    segments: SegmentDir,
    locations: Vec<Location>,
    _folder: tempfile::TempDir,
}

/// A campaign `c` whose runs, named by the letters of `blocks`, have one block each time they are named.
fn stored(blocks: &str) -> Stored {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::in_memory().unwrap();
    let mut log = SegmentLog::open(folder.path(), Committed::default(), SegmentOptions::default()).unwrap();
    let config = Config::load(&Sources::default(), Purpose::Print).unwrap();
    let read = input::read(&Map::new(), default_fields(), 1000, &mut Vec::new());
    let settings = settings::check(&read.fields, 1000).unwrap();
    let mut batch = Batch::new();
    let campaign = service::campaign("c", None, CampaignStatus::Completed, read.fields);
    CAMPAIGNS.put(&mut batch, &campaign.id, &campaign).unwrap();
    let mut locations = Vec::new();
    for (job, first) in blocks.chars().zip((1..).step_by(100)) {
        let job = job.to_string();
        let plan = spec::build(&config.generator, "c", &job, &settings, false).unwrap();
        let content = Content::new(&plan.content).unwrap();
        let mut writer = BlockWriter::new();
        let mut counters = Counters::default();
        for k in 0..BLOCK {
            let (entry, dims) = simulate_with_dims(&content, EntryKey { seed: plan.seed, shard: 0, slot: 0, k });
            counters.scheduled += 1;
            counters.add_entry(&entry, &dims);
            writer.push(&entry);
        }
        let meta = FrameMeta { kind: ENTRIES_FRAME, first_sequence: first, count: BLOCK, ..FrameMeta::default() };
        let payload = writer.finish();
        let location = log.append(&[Frame { meta: &meta, payload: &payload }]).unwrap()[0];
        let extent = Extent {
            location,
            count: BLOCK,
            job: job.clone(),
            shard: 0,
            worker: "w".to_owned(),
            origin: trafficlab_shared::protocol::report::Origin::default(),
        };
        locations.push(location);
        EXTENTS.put(&mut batch, &("c".to_owned(), first), &extent).unwrap();
        SEQUENCES.put(&mut batch, &"c".to_owned(), &(first + 100)).unwrap();
        store.apply(std::mem::take(&mut batch)).unwrap();
        let mut totals = TOTALS.get(&store, &job).unwrap().unwrap_or_default();
        totals.entries += u64::from(BLOCK);
        totals.counters.merge(&counters);
        TOTALS.put(&mut batch, &job, &totals).unwrap();
        PLANS.put(&mut batch, &job, &plan).unwrap();
        RUNS.put(&mut batch, &job, &super::tests::run(&job, 1000)).unwrap();
        RUNS_OF.put(&mut batch, &("c".to_owned(), job.clone()), &()).unwrap();
    }
    log.sync().unwrap();
    store.apply(batch).unwrap();
    Stored { store, segments: SegmentDir::new(folder.path()), locations, _folder: folder }
}

fn asked(limit: Option<u64>, offset: Option<u64>, cursor: Option<u64>, run: Option<&str>) -> Asked {
    Asked { limit, offset, cursor, run: run.map(str::to_owned), format: Format::Json }
}

async fn text(stored: &Stored, plan: Plan) -> std::io::Result<String> {
    let mut body = Box::pin(stream::body(&stored.store, &stored.segments, plan));
    let mut bytes = Vec::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(String::from_utf8(bytes).unwrap())
}

async fn sequences(stored: &Stored, asked: &Asked) -> (Vec<u64>, Value) {
    let plan = select::generated(&stored.store, "c", asked).unwrap();
    let body: Value = serde_json::from_str(&text(stored, plan).await.unwrap()).unwrap();
    let entries = body["data"].as_array().unwrap();
    (entries.iter().map(|entry| entry["sequence"].as_u64().unwrap()).collect(), body["metadata"].clone())
}

#[tokio::test]
async fn all_entries_come_in_order_and_metadata_fits() {
    let stored = stored("aab");
    let (found, metadata) = sequences(&stored, &asked(None, None, None, None)).await;
    assert_eq!(found, (1..=300).collect::<Vec<_>>());
    assert_eq!(metadata["total_requests"], 300);
    assert_eq!(metadata["next_cursor"], json!(null));
}

/// Entries of any length fit into a message: a page ends with the entry that fills it.
#[test]
fn a_page_ends_when_it_is_long_enough() {
    let stored = stored("a");
    let mut from = 1;
    let mut pages = 0;
    while from <= u64::from(BLOCK) {
        let mut reader = EntryReader::open(&stored.store, &stored.segments, "c", from).unwrap();
        let page = reader.next_block().unwrap().unwrap().page(20_000);
        let entries: Vec<Value> = serde_json::from_str(&page.json).unwrap();
        assert_eq!((page.first_sequence, entries[0]["sequence"].as_u64()), (from, Some(from)));
        assert_eq!(entries.len() as u64, page.last_sequence + 1 - from);
        let longest = entries.iter().map(|entry| entry.to_string().len()).max().unwrap();
        assert!(page.json.len() < 20_000 + 2 * longest, "{}", page.json.len());
        from = page.last_sequence + 1;
        pages += 1;
    }
    assert!(pages > 5, "{pages}");
}

#[tokio::test]
async fn pages_fit_together() {
    let stored = stored("aab");
    let table = [
        (asked(Some(3), None, None, None), vec![1, 2, 3]),
        (asked(Some(3), Some(98), None, None), vec![99, 100, 101]),
        (asked(Some(3), None, Some(199), None), vec![200, 201, 202]),
        (asked(None, Some(298), None, None), vec![299, 300]),
        (asked(Some(2), None, None, Some("b")), vec![201, 202]),
        (asked(None, Some(99), None, Some("b")), vec![300]),
        (asked(Some(0), None, None, None), vec![]),
        (asked(None, Some(300), None, None), vec![]),
        (asked(None, None, Some(300), None), vec![]),
    ];
    for (asked, expected) in table {
        assert_eq!(sequences(&stored, &asked).await.0, expected, "{asked:?}");
    }
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (found, metadata) = sequences(&stored, &asked(Some(70), None, cursor, None)).await;
        all.extend(found);
        cursor = metadata["next_cursor"].as_u64();
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(all, (1..=300).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_other_forms_have_one_line_an_entry() {
    let stored = stored("a");
    for (format, lines) in [(Format::Ndjson, 100), (Format::Csv, 101)] {
        let asked = Asked { format, ..asked(None, None, None, None) };
        let (plan, name) = select::download(&stored.store, "c", &asked).unwrap();
        assert!(name.ends_with(format.extension()), "{name}");
        assert_eq!(text(&stored, plan).await.unwrap().lines().count(), lines);
    }
    let plan = select::generated_all(&stored.store, &asked(Some(7), Some(5), None, None)).unwrap();
    let all: Value = serde_json::from_str(&text(&stored, plan).await.unwrap()).unwrap();
    assert_eq!((all["data"].as_array().unwrap().len(), &all["data"][0]["sequence"]), (7, &json!(6)));
}

#[tokio::test]
async fn a_stream_that_cannot_go_on_is_broken_off() {
    let stored = stored("aab");
    let asked = asked(None, None, None, None);
    let plan = select::generated(&stored.store, "c", &asked).unwrap();
    stored.segments.erase(&stored.locations[2..]).unwrap();
    text(&stored, plan).await.unwrap_err();
    // Entries that vanish with their extents are missed as well.
    let plan = select::generated(&stored.store, "c", &asked).unwrap();
    let mut batch = Batch::new();
    EXTENTS.delete(&mut batch, &("c".to_owned(), 101));
    stored.store.apply(batch).unwrap();
    text(&stored, plan).await.unwrap_err();
}

#[test]
fn removing_one_run_leaves_the_others() {
    let stored = stored("aba");
    let mut batch = Batch::new();
    let removal = cleanup::Cleanup { job: Some("a".to_owned()), since_ns: 1 };
    cleanup::CLEANUPS.put(&mut batch, &"c".to_owned(), &removal).unwrap();
    stored.store.apply(batch).unwrap();
    cleanup::remove_extents(&stored.store, &stored.segments, "c").unwrap();
    let left: Vec<u64> = EXTENTS.scan(&stored.store, false).map(|row| row.unwrap().0.1).collect();
    assert_eq!(left, [101]);
    assert!(stored.segments.read(stored.locations[0]).is_err());
    assert!(stored.segments.read(stored.locations[1]).is_ok());
    assert_eq!(SEQUENCES.get(&stored.store, &"c".to_owned()).unwrap(), Some(301));
    assert!(cleanup::refuse_pending(&stored.store, "c").is_ok());
}
