//! How fast visits are packed, framed, sealed and loaded: `cargo bench -p trafficlab-engine --bench visit_formats` prints
//! a line each. Rates are in rows a second of CPU time of a single thread (of wall time where the system does not tell
//! that), the median of several rounds.
//!
//! The visits are those of one busy day: 50 000 visitors, 5 000 pages, 200 sources and 300 user agents, with skew.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program for people who measure")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use trafficlab_engine::visit::column::{ColumnSet, Dict, Row};
use trafficlab_engine::visit::data::{Columns, SLICES, Slices as _};
use trafficlab_engine::visit::frame::{FrameReader, encode};
use trafficlab_engine::visit::memory::Memory;
use trafficlab_engine::visit::pack::{Fresh, Marks, Packer};
use trafficlab_engine::visit::part::{Part, merge, write};
use trafficlab_engine::visit::record::{Acquisition, Agent, Page, Place, Visit};

const ROUNDS: usize = 5;
const ROWS: u64 = 262_144;
const DAY: i64 = 20_000;

fn main() {
    let texts = Texts::new();
    let visits: Vec<Visit<'_>> = (0..ROWS).map(|number| texts.visit(number)).collect();
    let mut packer = Packer::default();
    let rows: Vec<Row> = visits.iter().map(|visit| packer.row(visit).expect("there is room")).collect();
    let dictionaries = packer.dictionaries();
    report("pack", || {
        // The same few thousand again and again, as if they had just come: all of them do not fit into any cache.
        for visit in visits.iter().take(4096).cycle().take(rows.len()) {
            black_box(packer.row(visit).expect("there is room"));
        }
    });
    for size in [1, 64, 4096, 65_536] {
        let mut out = Vec::new();
        report(&format!("frame_of_{size}"), || {
            out.clear();
            rows.chunks(size).for_each(|rows| encode(0, &Fresh::default(), rows, &mut out).expect("it is short"));
        });
        println!("  bytes a row: {:.1}", per_row(out.len()));
        report(&format!("read_of_{size}"), || {
            let mut reader = FrameReader::default();
            while let Some(frame) = reader.next(&out).expect("it is whole") {
                black_box(frame);
            }
        });
    }
    let mut texts = Vec::new();
    encode(0, &packer.fresh(&Marks::default()), &[], &mut texts).expect("it is short");
    println!("  bytes of all texts: {}", texts.len());
    report("memory", || drop(black_box(Memory::new(&rows, 1, dictionaries.clone()))));
    let mut part = Vec::new();
    report("part_write", || {
        part.clear();
        write(DAY, &rows, &dictionaries, &mut part).expect("memory takes it");
    });
    println!("  bytes a row: {:.1}", per_row(part.len()));
    let part = Part::open(part).expect("it was just written");
    loads(&part);
    let mut merged = Vec::new();
    report("merge_of_4_the_same", || {
        merged.clear();
        merge(&[&part; 4], |_| true, &mut merged).expect("memory takes it");
    });
}

fn loads(part: &Part<Vec<u8>>) {
    let usual = ColumnSet::default().with(Dict::Event).with(Dict::Agent).with(Dict::Page);
    for (name, want) in [("load_usual", usual), ("load_all", ColumnSet::all())] {
        let mut columns = Columns::default();
        report(name, || {
            for slice in (0..SLICES).flat_map(u8::try_from) {
                part.load(slice, want, &mut columns).expect("it is whole");
                black_box(&columns);
            }
        });
    }
    let begun = Instant::now();
    let page = part.dictionary(Dict::Page).expect("it is whole");
    println!("  dictionary of {} pages: {} us", page.len(), begun.elapsed().as_micros());
}

fn report(name: &str, mut work: impl FnMut()) {
    let mut seconds: Vec<f64> = (0..ROUNDS).map(|_| once(&mut work)).collect();
    seconds.sort_by(f64::total_cmp);
    let median = seconds.get(ROUNDS / 2).copied().unwrap_or(f64::NAN);
    let rows = f64::from(u32::try_from(ROWS).expect("it is a small number"));
    println!("{name}: {:.1} million rows/s, {:.1} ms in all", rows / median / 1e6, median * 1e3);
}

/// Seconds that `work` takes, which is repeated for long enough that the system's clock of CPU time can tell.
fn once(work: &mut impl FnMut()) -> f64 {
    let (begun, busy) = (Instant::now(), cpu_time());
    let (mut times, mut spent) = (0u32, Duration::ZERO);
    while spent < Duration::from_millis(100) {
        work();
        times += 1;
        spent = cpu_time().zip(busy).map_or_else(|| begun.elapsed(), |(now, before)| now - before);
    }
    spent.as_secs_f64() / f64::from(times)
}

/// CPU time of this thread so far, as Linux tells it.
fn cpu_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok().map(Duration::from_nanos)
}

fn per_row(bytes: usize) -> f64 {
    let rows = u32::try_from(ROWS).expect("it is a small number");
    f64::from(u32::try_from(bytes).expect("it is a small number")) / f64::from(rows)
}

/// The texts that visits are made of.
struct Texts {
    pages: Vec<String>,
    sources: Vec<String>,
    versions: Vec<String>,
    cities: Vec<String>,
}

impl Texts {
    fn new() -> Self {
        let many = |count: u32, name: &str| (0..count).map(|number| format!("{name}{number}")).collect();
        Self {
            pages: many(5_000, "/articles/2026/about-something-"),
            sources: many(200, "source-"),
            versions: many(50, "12"),
            cities: many(500, "City "),
        }
    }

    fn visit(&self, number: u64) -> Visit<'_> {
        let person = mix(mix(number) % 50_000);
        let browsers = ["Chrome", "Firefox", "Safari", "Edge", "Opera", "Samsung Internet"];
        let source = pick(&self.sources, person >> 8);
        Visit {
            time_ms: DAY * 86_400_000 + i64::try_from(number * 86_400_000 / ROWS).expect("it is a small number"),
            site: "shop.example",
            visitor: person,
            page: Page { host: "shop.example", path: pick(&self.pages, mix(number ^ 7)) },
            agent: Agent {
                browser: browsers.get(usize::try_from(person % 6).unwrap_or(0)).copied().unwrap_or_default(),
                browser_version: pick(&self.versions, person >> 16),
                os: "Windows",
                os_version: "11",
                device: "Desktop",
                bot: "",
            },
            acquisition: Acquisition { referrer: source, source, channel: "Referral", ..Acquisition::default() },
            place: Place { country: "DE", region: "DE-BE", city: pick(&self.cities, person >> 24) },
            event: "pageview",
            ..Visit::default()
        }
    }
}

/// A text, the first ones most often: the product of two even draws.
fn pick(texts: &[String], random: u64) -> &str {
    let length = u64::try_from(texts.len()).unwrap_or(1);
    let at = (random % length) * ((random >> 20) % length) / length;
    usize::try_from(at).ok().and_then(|at| texts.get(at)).map_or("", String::as_str)
}

/// `SplitMix64` (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
const fn mix(number: u64) -> u64 {
    let a = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ a >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ b >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ c >> 31
}
