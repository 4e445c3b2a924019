//! Analyses many damaged captures: `cargo run --release -p trafficlab-engine --example mutate -- COUNT [SEED [FOLDER]]`.
//!
//! Every capture is one made by code, or one of FOLDER's up to 64 KiB, damaged in a way drawn from SEED and its number.
//! Ends with status 1 and names the number when the analysis panics or takes more than ten seconds; `SEED` and a COUNT of
//! one more than that number make it again. Prints one line of figures at the end.
#![allow(clippy::print_stdout, reason = "a program for people who test")]

use std::io::Cursor;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use trafficlab_engine::packet::analyze;
use trafficlab_engine::packet::craft::{Mutator, samples};
use trafficlab_engine::packet::file::CaptureReader;
use trafficlab_shared::model::capture::settings::AnalysisSettings;

/// Longest analysis of one small file.
const LONGEST: Duration = Duration::from_secs(10);
const FILE_LIMIT: usize = 64 * 1024;

/// What came of one file: whether it was refused, whether it ended with damage, packets.
struct Outcome {
    refused: bool,
    damaged: bool,
    packets: u64,
}

fn analysed(bytes: Vec<u8>) -> Outcome {
    let Ok(reader) = CaptureReader::open(Cursor::new(bytes)) else {
        return Outcome { refused: true, damaged: true, packets: 0 };
    };
    let report = analyze(reader, AnalysisSettings::default(), &mut |_| ControlFlow::Continue(()));
    let packets = report.windows.iter().map(|window| window.packets).sum();
    Outcome { refused: false, damaged: report.summary.fault.is_some(), packets }
}

/// The whole files that damage starts from.
fn originals(folder: Option<String>) -> Vec<Vec<u8>> {
    let mut all = samples();
    let Some(Ok(entries)) = folder.map(fs::read_dir) else { return all };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let captures = paths.into_iter().filter(|path| path.extension().is_some_and(|kind| kind != "json"));
    all.extend(captures.filter_map(|path| fs::read(path).ok()).filter(|bytes| bytes.len() <= FILE_LIMIT));
    all
}

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let mut number = |usual: u64| arguments.next().and_then(|text| text.parse().ok()).unwrap_or(usual);
    let (count, seed) = (number(10_000), number(1));
    let originals = originals(arguments.next());
    let (mut refused, mut damaged, mut packets, mut longest) = (0_u64, 0_u64, 0_u64, Duration::ZERO);
    let begin = Instant::now();
    for (file, original) in (0..count).zip(originals.iter().cycle()) {
        let mut bytes = original.clone();
        Mutator::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ file).mutate(&mut bytes);
        let start = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| analysed(bytes)));
        let took = start.elapsed();
        longest = longest.max(took);
        let (Ok(outcome), true) = (outcome, took < LONGEST) else {
            println!("file {file} of seed {seed} panicked or took {took:?}");
            return ExitCode::FAILURE;
        };
        refused += u64::from(outcome.refused);
        damaged += u64::from(outcome.damaged);
        packets += outcome.packets;
    }
    println!(
        "{count} files of seed {seed} from {} originals in {:.1?}: {refused} refused, {damaged} with damage, {packets} packets, the longest took {longest:.1?}",
        originals.len(),
        begin.elapsed(),
    );
    ExitCode::SUCCESS
}
