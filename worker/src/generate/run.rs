//! One run from the flags to the exit code.

use std::io::{Write as _, stderr, stdout};
use std::sync::Arc;

use tokio::runtime::{LocalOptions, LocalRuntime};
use tokio::sync::mpsc;
use trafficlab_shared::clock::{boot_ns, wall_ns};
use trafficlab_shared::config::{Config, Purpose};
use trafficlab_shared::proof::RECHECK;

use super::args::GenerateArgs;
use super::collect::{Abort, Collected, Stopped, collect};
use super::files;
use super::format::Report;
use super::lane::{self, LaneTask, Stop};
use super::plan::{Plan, PlanFault, What};
use super::progress::Progress;
use super::proof;
use super::summary::{Ran, Summary};

/// Reports of a thread that may wait for the collector.
const WAITING: usize = 8;
/// From the word to go to the first arrival, so that every thread is ready.
const HEAD_START_NS: u64 = 10_000_000;

/// What the process says at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Done, and every threshold held.
    Done = 0,
    /// Nothing could be sent.
    NothingSent = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The target is not allowed.
    Refused = 3,
    /// A threshold was crossed.
    Crossed = 99,
    /// Stopped by Ctrl-C.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

/// Runs `generate`.
#[must_use]
pub fn run(args: &GenerateArgs) -> Code {
    match try_run(args) {
        Ok(code) => code,
        Err(fault) => {
            tell(&format!("trafficlab-worker: {fault}"));
            match fault {
                PlanFault::Usage(_) => Code::Usage,
                PlanFault::Refused(_) => Code::Refused,
            }
        }
    }
}

fn try_run(args: &GenerateArgs) -> Result<Code, PlanFault> {
    let purpose = if args.print_config { Purpose::Print } else { Purpose::Worker };
    let config = Config::load(&args.sources(), purpose).map_err(|faults| faults.to_string())?;
    if args.print_config {
        print(config.to_toml_masked())?;
        return Ok(Code::Done);
    }
    let plan = Plan::new(args, &config)?;
    if let What::Http(request) = &plan.what {
        files::provide(request.connections(), plan.threads)?;
    }
    args.reports.iter().try_for_each(Report::prepare)?;
    announce(args, &plan);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default());
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let proven = match &plan.what {
        What::Http(request) => runtime.block_on(proof::admit(request))?,
        What::Simulated => false,
    };
    let plan = Arc::new(plan);
    let (origin_ns, started_ns) = (boot_ns() + HEAD_START_NS, wall_ns() + HEAD_START_NS);
    let collected = carry_out(args, &plan, origin_ns, proven, &runtime)?;
    if collected.cut_off {
        return Ok(code_of(collected.stopped.as_ref()).unwrap_or(Code::Interrupted));
    }
    let ran = Ran { arrivals: &args.arrivals, thresholds: &args.thresholds, origin_ns, started_ns };
    let summary = Summary::new(&plan, &ran, collected);
    // Whoever closed standard output still gets the files, and the other way round.
    let printed = print(&args.format.render(&summary, args.series));
    args.reports.iter().map(|report| report.write(&summary, args.series)).fold(printed, Result::and)?;
    Ok(ending(&summary))
}

/// The id comes first: it is what the target's owner finds in the requests.
fn announce(args: &GenerateArgs, plan: &Plan) {
    let name = match &plan.what {
        What::Http(request) => request.target().to_string(),
        What::Simulated => "simulated, nothing is sent".to_owned(),
    };
    tell(&format!("run {} seed {} threads {} target {name}", plan.run_id, plan.seed, plan.threads));
    if args.insecure {
        tell("warning: any certificate is accepted (`--insecure`), so nobody knows whom this run speaks to");
    }
    if let Some(note) = &plan.note {
        tell(&format!("note: {note}"));
    }
}

/// Starts the threads, collects what they report, and waits for their ends.
fn carry_out(
    args: &GenerateArgs,
    plan: &Arc<Plan>,
    origin_ns: u64,
    proven: bool,
    runtime: &LocalRuntime,
) -> Result<Collected, String> {
    let stop = Arc::new(Stop::default());
    let waiting = WAITING * usize::try_from(plan.threads).unwrap_or(1);
    let (out, snapshots) = mpsc::channel(waiting);
    let mut threads = Vec::new();
    for shard in 0..plan.threads {
        let (plan, stop, out) = (Arc::clone(plan), Arc::clone(&stop), out.clone());
        let task = LaneTask { plan, shard, origin_ns, proven, stop, out };
        threads.push(lane::start(task).map_err(|error| format!("a sending thread cannot start: {error}"))?);
    }
    // The channel ends with the last thread.
    drop(out);
    let abort = args.abort_on_threshold.then(|| Abort { thresholds: args.thresholds.clone(), after: args.abort_after });
    let progress = Progress::new(args.quiet, args.progress);
    let disowned = async {
        match &plan.what {
            What::Http(request) if proven => proof::watch(request, RECHECK).await,
            _ => std::future::pending().await,
        }
    };
    let collecting = collect(snapshots, origin_ns, &stop, abort.as_ref(), progress, disowned);
    let collected = runtime.block_on(collecting);
    let collected = collected.map_err(|error| format!("signals cannot be received: {error}"))?;
    if collected.cut_off {
        return Ok(collected);
    }
    for thread in threads {
        thread.join().map_err(|_panic| "a sending thread panicked".to_owned())??;
    }
    Ok(collected)
}

/// The exit code of a run that took place.
fn ending(summary: &Summary) -> Code {
    if summary.unaccounted() > 0 {
        tell(&format!(
            "warning: {} arrivals are unaccounted for; this is a fault of trafficlab",
            summary.unaccounted()
        ));
    }
    if let Some(stopped) = &summary.stopped {
        tell(stopped.reason());
    }
    if let Some(code) = code_of(summary.stopped.as_ref()) {
        return code;
    }
    // What was cut off on its way by a threshold has no bytes and was sent all the same.
    let nothing = summary.counts.bytes_out == 0 && summary.stopped.is_none();
    if nothing {
        tell(&format!("trafficlab-worker: nothing could be sent: {}", why_nothing(summary)));
    }
    match (nothing, summary.is_crossed()) {
        (true, _) => Code::NothingSent,
        (false, true) => Code::Crossed,
        (false, false) => Code::Done,
    }
}

/// What became of the arrivals of a run that sent nothing.
fn why_nothing(summary: &Summary) -> String {
    let (dropped, missed) = (("dropped", summary.counts.dropped), ("missed", summary.counts.missed));
    let kinds = summary.errors().chain([dropped, missed]).filter(|(_, count)| *count > 0);
    let why: Vec<String> = kinds.map(|(kind, count)| format!("{count} × {kind}")).collect();
    if why.is_empty() { "no arrival was due".to_owned() } else { why.join(", ") }
}

const fn code_of(stopped: Option<&Stopped>) -> Option<Code> {
    match stopped {
        Some(Stopped::Interrupt) => Some(Code::Interrupted),
        Some(Stopped::Terminate) => Some(Code::Terminated),
        Some(Stopped::Owner(_)) => Some(Code::Refused),
        Some(Stopped::Threshold(_)) | None => None,
    }
}

fn print(text: &str) -> Result<(), String> {
    let mut out = stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| format!("standard output: {error}"))
}

/// A line on standard error; whoever closed it does not want to know.
fn tell(line: &str) {
    drop(writeln!(stderr().lock(), "{line}"));
}
