//! One analysis from the flags to the exit code.

use std::io::{Write as _, stderr};
use std::ops::ControlFlow;
use std::path::Path;

use trafficlab_engine::packet::analyzer::{Analyzer, Mode, Report};
use trafficlab_engine::packet::export::anonymise::Anonymiser;
use trafficlab_engine::packet::export::{Format as Export, What};
use trafficlab_engine::packet::file::{CaptureReader, FileFault, FileFaultKind};
use trafficlab_engine::packet::{analyze, anomaly, baseline as baselines};
use trafficlab_shared::config::{Config, Purpose};
use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::baseline::{BaselineKind, Baselines};
use trafficlab_shared::model::capture::settings::{AnalysisSettings, Thresholds};
use trafficlab_shared::model::capture::summary::FileDamage;

use super::args::{AnalyzeArgs, Format};
use super::baseline;
use super::input::Input;
use super::json;
use super::output::{Output, Sink};
use super::progress::Progress;
use super::table::{self, Paint};
use crate::generate::figures::count;

/// What the process says at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Code {
    /// Done.
    Done = 0,
    /// The file is damaged; what came before is analysed.
    Damaged = 1,
    /// Wrong usage or configuration.
    Usage = 2,
    /// The input cannot be read or is no capture.
    Unreadable = 3,
}

/// Why there is no result.
struct Fault {
    code: Code,
    message: String,
}

impl Fault {
    const fn usage(message: String) -> Self {
        Self { code: Code::Usage, message }
    }

    const fn unreadable(message: String) -> Self {
        Self { code: Code::Unreadable, message }
    }
}

/// Everything that is settled before the first packet.
struct Plan {
    contents: Vec<What>,
    settings: AnalysisSettings,
    usual: Baselines,
    anonymiser: Option<Anonymiser>,
    output: Output,
    save_baseline: Option<Output>,
}

/// What came of it.
struct Analysed {
    report: Report,
    anomalies: Vec<Anomaly>,
    code: Code,
}

/// Runs `analyze`.
#[must_use]
pub fn run(args: &AnalyzeArgs) -> Code {
    try_run(args).unwrap_or_else(|fault| {
        tell(&format!("trafficlab-worker: {}", fault.message));
        fault.code
    })
}

fn try_run(args: &AnalyzeArgs) -> Result<Code, Fault> {
    let plan = Plan::new(args).map_err(Fault::usage)?;
    let input = Input::open(&args.file).map_err(Fault::unreadable)?;
    let (name, length) = (input.name.clone(), input.length);
    let mut analysed = match read(args, &plan, input) {
        Ok(analysed) => analysed,
        Err(fault) => refused(args, &plan, &name, fault)?,
    };
    if let Some(saved) = &plan.save_baseline {
        let found = baselines::of(analysed.report.windows.iter(), &BaselineKind::ALL);
        let written = saved.write(|out| {
            serde_json::to_writer_pretty(&mut *out, &found)?;
            out.write_all(b"\n")
        });
        written.map_err(|fault| Fault::usage(format!("`--save-baseline`: {fault}")))?;
    }
    if let Some(anonymiser) = &plan.anonymiser {
        analysed.anonymise(anonymiser);
    }
    analysed.tell(args, &name);
    let written = plan.output.write(|out| analysed.write(out, args, &plan, &name, length));
    written.map_err(Fault::usage)?;
    Ok(analysed.code)
}

impl Plan {
    fn new(args: &AnalyzeArgs) -> Result<Self, String> {
        let contents = args.contents()?;
        let config = Config::load(&args.sources(), Purpose::Worker).map_err(|faults| faults.to_string())?;
        let wanted = contents.contains(&What::Connections);
        let settings = AnalysisSettings {
            window_ns: args.window,
            flows: args.max_flows,
            // What nobody asked for is not kept.
            connections: if wanted { args.max_connections } else { 0 },
            thresholds: Thresholds::from(&config.anomalies),
            ..AnalysisSettings::default()
        };
        Ok(Self {
            contents,
            settings,
            usual: args.baseline.as_deref().map(baseline::read).transpose()?.unwrap_or_default(),
            anonymiser: args.anonymise.as_deref().map(baseline::anonymiser).transpose()?,
            output: Output::new(args.output.as_deref()).map_err(|fault| format!("`--output`: {fault}"))?,
            save_baseline: place(args.save_baseline.as_deref())?,
        })
    }
}

fn place(path: Option<&Path>) -> Result<Option<Output>, String> {
    path.map(|path| Output::new(Some(path))).transpose().map_err(|fault| format!("`--save-baseline`: {fault}"))
}

/// Reads and analyses the whole input.
fn read(args: &AnalyzeArgs, plan: &Plan, input: Input) -> Result<Analysed, FileFault> {
    let limit = args.max_unpacked.map_or(u64::MAX, |limit| limit.0);
    let reader = CaptureReader::open_limited(input.bytes, limit)?;
    let mut progress = Progress::new(args.quiet, args.progress, input.length);
    let report = analyze(reader, plan.settings.clone(), &mut |so_far| {
        progress.show(so_far.bytes, so_far.packets);
        ControlFlow::Continue(())
    });
    progress.end();
    Ok(Analysed::new(report, plan))
}

/// A file of which no packet could be read. Programs still get their object, with the fault in it.
fn refused(args: &AnalyzeArgs, plan: &Plan, name: &str, fault: FileFault) -> Result<Analysed, Fault> {
    let code = match fault.kind {
        FileFaultKind::Damaged | FileFaultKind::TooLarge => Code::Damaged,
        FileFaultKind::NotACapture | FileFaultKind::Empty | FileFaultKind::UnsupportedLink | FileFaultKind::Io => {
            Code::Unreadable
        }
    };
    if args.format != Format::Json {
        return Err(Fault { code, message: format!("`{name}`: {} (byte {})", fault.message, fault.offset) });
    }
    let mut report = Analyzer::new(plan.settings.clone(), Mode::File).finish();
    report.summary.fault = Some(FileDamage { offset: fault.offset, message: fault.message });
    let mut analysed = Analysed::new(report, plan);
    analysed.code = code;
    Ok(analysed)
}

impl Analysed {
    fn new(mut report: Report, plan: &Plan) -> Self {
        if !plan.contents.contains(&What::Connections) {
            report.summary.connections_untold = 0;
        }
        let anomalies = anomaly::detect(&report.windows, &plan.usual, &plan.settings.thresholds);
        let code = if report.summary.fault.is_some() { Code::Damaged } else { Code::Done };
        Self { report, anomalies, code }
    }

    fn anonymise(&mut self, anonymiser: &Anonymiser) {
        anonymiser.summary(&mut self.report.summary);
        self.report.windows.iter_mut().for_each(|window| anonymiser.window(window));
        self.anomalies.iter_mut().for_each(|anomaly| anonymiser.anomaly(anomaly));
        self.report.connections.iter_mut().for_each(|connection| anonymiser.connection(connection));
    }

    /// Faults and limits, for people beside the result.
    fn tell(&self, args: &AnalyzeArgs, name: &str) {
        let summary = &self.report.summary;
        if let Some(fault) = &summary.fault {
            let before = count(summary.packets);
            tell(&format!(
                "trafficlab-worker: `{name}` is damaged at byte {}: {}; packets before that: {before}",
                fault.offset, fault.message
            ));
        }
        if summary.connections_untold > 0 && !args.quiet {
            let untold = count(summary.connections_untold);
            tell(&format!("note: {untold} more connections are not in the export (`--max-connections`)"));
        }
    }

    fn write(
        &self,
        out: &mut dyn Sink,
        args: &AnalyzeArgs,
        plan: &Plan,
        name: &str,
        length: Option<u64>,
    ) -> std::io::Result<()> {
        let Report { windows, summary, wire, .. } = &self.report;
        let anomalies = &self.anomalies;
        if let Some(export) = args.format.export() {
            return plan.contents.iter().try_for_each(|what| self.export(out, export, *what));
        }
        if args.format == Format::Table {
            let parts = table::Parts { file: name, window_ns: args.window, summary, windows, anomalies };
            return table::write(out, &parts, Paint::of_terminal(args.output.is_some()));
        }
        let parts = json::Parts { file: name, file_bytes: length, summary, windows, anomalies };
        match &plan.anonymiser {
            None => json::write(out, &parts, wire),
            Some(anonymiser) => {
                let mut wire = serde_json::to_value(wire)?;
                anonymiser.json(&mut wire);
                json::write(out, &parts, &wire)
            }
        }
    }

    fn export(&self, out: &mut dyn Sink, format: Export, what: What) -> std::io::Result<()> {
        match what {
            What::Windows => format.windows(out, (0..).zip(&self.report.windows)),
            What::Anomalies => format.anomalies(out, &self.anomalies),
            What::Connections => format.connections(out, &self.report.connections),
        }
    }
}

/// A line on standard error; whoever closed it does not want to know.
fn tell(line: &str) {
    drop(writeln!(stderr().lock(), "{line}"));
}
