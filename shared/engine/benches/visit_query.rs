//! How long questions about many visits take: `cargo bench -p trafficlab-engine --bench visit_query -- 10000000 2`
//! writes so many visits into 30 daily parts in a temporary folder, and prints for each question the median of several
//! rounds on so many threads, and the time of processors that one takes, from files that the system has in memory. The last lines tell the program's memory.
//!
//! Three in a hundred visits are custom events, five in a hundred are of bots. `recurring` as a third argument makes
//! visitors the same ones every day, as with ids of the sender, in place of new ones; any other third argument is the
//! only question asked, for profilers.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::cast_possible_truncation,
    reason = "a program for people who measure"
)]

use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};
use trafficlab_engine::visit::column::Row;
use trafficlab_engine::visit::data::{DAY_MS, Slices};
use trafficlab_engine::visit::pack::Packer;
use trafficlab_engine::visit::part::{self, Part};
use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::query::{self, Effort};
use trafficlab_engine::visit::question::{Filter, GoalTarget, Group, Operator, Question};
use trafficlab_engine::visit::record::{Acquisition, Agent, Page, Place, Visit};

const DAYS: i64 = 30;
const FIRST_DAY: i64 = 20_000;
const VISITORS_A_DAY: u64 = 50_000;
const ROUNDS: usize = 7;
static STOP: AtomicBool = AtomicBool::new(false);

/// Texts of the made visits.
struct Texts {
    pages: Vec<String>,
    sources: Vec<String>,
    versions: Vec<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let number = |at: usize, default: u64| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (rows, threads) = (number(0, 10_000_000), number(1, 2) as usize);
    let recurring = arguments.iter().any(|argument| argument == "recurring");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let began = Instant::now();
    (0..DAYS).for_each(|day| write(folder.path(), day, rows / DAYS.unsigned_abs(), recurring));
    let bytes: u64 = parts(folder.path()).iter().map(|path| fs::metadata(path).expect("it is there").len()).sum();
    println!("{rows} visits in {DAYS} parts, {bytes} bytes, written in {:.1} s", began.elapsed().as_secs_f64());
    println!("memory before the first question: {}", memory());
    let how =
        Effort { threads: NonZeroUsize::new(threads).expect("one thread at least"), stop: &STOP, most_groups: 500_000 };
    let data = open(folder.path());
    measure(&data, &how);
    println!("memory after the last question: {}", memory());
}

fn measure(data: &[Arc<dyn Slices>], how: &Effort<'_>) {
    let ask = |question: &Question| {
        let answer = query::answer(data, question, how).expect("an answer");
        (answer.total.events, answer.groups.len())
    };
    let is = |name: &str, value: &str| Filter {
        property: Property::parse(name).expect("a known property"),
        operator: Operator::Is,
        values: vec![value.to_owned()],
    };
    let days = Group::Time((0..DAYS).map(|day| (FIRST_DAY + day) * DAY_MS).collect());
    report("aggregate", || ask(&question(Group::None, vec![])));
    report("aggregate, one page", || ask(&question(Group::None, vec![is("event:page", "/page/7")])));
    report("aggregate, one browser and source", || {
        ask(&question(Group::None, vec![is("visit:browser", "Firefox"), is("visit:source", "source-3.example")]))
    });
    report("days", || ask(&question(days.clone(), vec![])));
    for name in [
        "event:page",
        "visit:source",
        "visit:browser",
        "visit:country",
        "visit:entry_page",
        "visit:exit_page",
        "event:props:plan",
    ] {
        report(name, || ask(&question(by(name), vec![])));
    }
    report("event:page, one source", || ask(&question(by("event:page"), vec![is("visit:source", "source-3.example")])));
    let steps = ["/page/0", "/page/1", "/page/*"].map(|path| GoalTarget::Path(path.to_owned()));
    report("funnel of three steps", || {
        let reached = query::funnel(data, &question(Group::None, vec![]), &steps, how).expect("an answer");
        (reached.iter().sum(), reached.len())
    });
    let starts: Vec<i64> = (0..DAYS).map(|day| (FIRST_DAY + day) * DAY_MS).collect();
    report("retention by day", || {
        let cohorts = query::retention(data, &question(Group::None, vec![]), &starts, how).expect("an answer");
        (cohorts.iter().map(|cohort| cohort.size).sum(), cohorts.len())
    });
    let today = Question { from_ms: (FIRST_DAY + DAYS - 1) * DAY_MS, ..question(by("event:page"), vec![]) };
    report("event:page of the last day", || ask(&today));
    report("every row shown, on one thread", || {
        let mut seen = 0;
        let mut each = |_: &Visit<'_>| {
            seen += 1;
            ControlFlow::Continue(())
        };
        query::scan(data, &question(Group::None, vec![]), how, &mut each).expect("all rows");
        (seen, 0)
    });
}

fn by(name: &str) -> Group {
    Group::Property(Property::parse(name).expect("a known property"))
}

fn question(group: Group, filters: Vec<Filter>) -> Question {
    let (from_ms, until_ms) = (FIRST_DAY * DAY_MS, (FIRST_DAY + DAYS) * DAY_MS);
    Question { from_ms, until_ms, group, filters, ..Question::default() }
}

/// Prints the median, the first and the longest of the rounds.
fn report(name: &str, work: impl Fn() -> (u64, usize)) {
    let only = std::env::args().nth(3);
    if only.is_some_and(|only| only != "recurring" && only != "--bench" && only != name) {
        return;
    }
    let mut found = (0, 0);
    let busy = cpu_ms();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let began = Instant::now();
            found = work();
            began.elapsed()
        })
        .collect();
    let first = times.first().copied().unwrap_or_default();
    times.sort();
    let at = |place: usize| times.get(place).copied().unwrap_or_default().as_secs_f64() * 1e3;
    println!(
        "{name:36} {:7.1} ms, {:.0} of processors (first {:.1}, longest {:.1}; {} events, {} groups)",
        at(ROUNDS / 2),
        (cpu_ms() - busy) / ROUNDS as f64,
        first.as_secs_f64() * 1e3,
        at(ROUNDS - 1),
        found.0,
        found.1
    );
}

/// Time of processors that the program took so far, in steps of 10 ms.
fn cpu_ms() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() * 10.0
}

fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines: Vec<&str> =
        status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM")).collect();
    lines.join(", ").replace('\t', " ")
}

fn parts(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries.map(|entry| entry.expect("its entry").path()).collect()
}

fn open(folder: &Path) -> Vec<Arc<dyn Slices>> {
    let part = |path| -> Arc<dyn Slices> {
        Arc::new(Part::open(File::open(path).expect("a part can be opened")).expect("it is whole"))
    };
    parts(folder).into_iter().map(part).collect()
}

/// Writes the part of a day.
fn write(folder: &Path, day: i64, rows: u64, recurring: bool) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(day.unsigned_abs());
    let texts = Texts {
        pages: (0..5_000).map(|page| format!("/page/{page}")).collect(),
        sources: (0..200).map(|source| format!("source-{source}.example")).collect(),
        versions: (0..60).map(|version| version.to_string()).collect(),
    };
    let mut packer = Packer::default();
    let mut made: Vec<Row> = Vec::new();
    let mut visitor = 0;
    while (made.len() as u64) < rows {
        visitor += 1;
        let salt = if recurring { 0 } else { day.unsigned_abs() << 32 };
        let key = (salt + visitor % VISITORS_A_DAY + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let key = (key ^ (key >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        session(&mut random, &texts, day, key, |visit| made.push(packer.row(visit).expect("there is room")));
    }
    let mut file = File::create(folder.join(format!("{day}"))).expect("a file can be made");
    part::write(FIRST_DAY + day, &made, &packer.dictionaries(), &mut file).expect("the part can be written");
}

/// A session of one to some thirteen events; half of them are one page view.
fn session(random: &mut Xoshiro256PlusPlus, texts: &Texts, day: i64, visitor: u64, mut each: impl FnMut(&Visit<'_>)) {
    let browser = skewed(random, 5);
    let bot = if below(random, 100) < 5 { "crawler: Example" } else { "" };
    let agent = Agent {
        browser: pick(&["Chrome", "Safari", "Firefox", "Edge", "Opera"], browser),
        browser_version: texts.versions.get(skewed(random, 60)).map_or("", String::as_str),
        os: pick(&["Windows", "iOS", "Android", "Mac OS X", "Linux"], browser),
        device: pick(&["Desktop", "Mobile", "Tablet"], skewed(random, 3)),
        bot,
        ..Agent::default()
    };
    let source = texts.sources.get(skewed(random, 200)).map_or("", String::as_str);
    let acquisition = Acquisition { referrer: source, source, channel: "Referral", ..Acquisition::default() };
    let country = pick(&["DE", "US", "FR", "GB", "NL", "ES", "IT", "PL", "JP", "NZ"], skewed(random, 10));
    let place = Place { country, ..Place::default() };
    let mut time_ms = (FIRST_DAY + day) * DAY_MS + i64::try_from(below(random, 80_000_000)).unwrap_or(0);
    let events = if below(random, 2) == 0 { 1 } else { 1 + below(random, 7) + below(random, 7) };
    for _ in 0..events {
        time_ms += i64::try_from(below(random, 120_000)).unwrap_or(0);
        let path = texts.pages.get(skewed(random, 5_000)).map_or("", String::as_str);
        let custom = below(random, 100) < 3;
        let (event, props) = if custom { ("Signup", r#"{"plan":"free"}"#) } else { ("pageview", "") };
        let page = Page { host: "site.example", path };
        let visit = Visit { time_ms, visitor, page, agent, acquisition, place, event, props, ..Visit::default() };
        each(&visit);
    }
}

fn below(random: &mut Xoshiro256PlusPlus, most: u64) -> u64 {
    random.next_u64() % most
}

/// The cube of a number of the unit interval, so that the first places are the most frequent by far.
fn skewed(random: &mut Xoshiro256PlusPlus, most: u64) -> usize {
    let unit = below(random, 1 << 20);
    usize::try_from((((((unit * unit) >> 20) * unit) >> 20) * most) >> 20).unwrap_or(0)
}

fn pick(from: &[&'static str], at: usize) -> &'static str {
    from.get(at).copied().unwrap_or("")
}
