//! `trafficlab-coordinator`: the server, alone or with a broker and workers of its own.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use trafficlab_coordinator::cli::{Cli, Command};
use trafficlab_coordinator::systems::analyzer::logs;
use trafficlab_coordinator::{archive, dev, remote, run};
use trafficlab_shared::config::{Config, Purpose, Sources};
use trafficlab_shared::telemetry::{self, PartLog};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Guard(args) => return dev::guard::run(&args),
        Command::Dev(args) => {
            serving(&args.sources(), args.config.print_config, |config| block_on(run::dev(config, args.workers)))
        }
        Command::Serve(args) => serving(&args.sources(), args.config.print_config, |config| {
            config.require_broker()?;
            block_on(run::serve(config))
        }),
        Command::Dump(args) => {
            with_config(&args.config.sources(), args.config.print_config, |config| archive::dump(&config, &args.output))
        }
        Command::Restore(args) => with_config(&args.config.sources(), args.config.print_config, |config| {
            archive::restore(&config, &args.input, args.erased.as_deref())
        }),
        Command::Ownership(args) => with_config(&args.config.sources(), args.config.print_config, |config| {
            archive::ownership(&config, &args.url)
        }),
        Command::Visits(args) => block_on(remote::visits(args)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up yet, and a person is looking.
            #[allow(clippy::print_stderr, reason = "the last word of a command")]
            {
                eprintln!("trafficlab-coordinator: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}

/// `with_config` for a server, which writes the log files that its API shows.
fn serving(sources: &Sources, print: bool, command: impl FnOnce(Config) -> anyhow::Result<()>) -> anyhow::Result<()> {
    configured(sources, print, |mut config| {
        let app = config.log.file.get_or_insert_with(|| logs::app_file(&config.data_dir)).clone();
        let part = PartLog { file: &logs::analysis_file(&app), targets: &logs::ANALYSIS };
        let _log = telemetry::init_with(&config.log, Some(&part)).context("the log cannot be set up")?;
        command(config)
    })
}

/// Reads the configuration and runs the command with it, or only shows it.
fn with_config(
    sources: &Sources,
    print: bool,
    command: impl FnOnce(Config) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    configured(sources, print, |config| {
        let _log = telemetry::init(&config.log).context("the log cannot be set up")?;
        command(config)
    })
}

fn configured(
    sources: &Sources,
    print: bool,
    command: impl FnOnce(Config) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    if print {
        let config = Config::load(sources, Purpose::Print)?;
        #[allow(clippy::print_stdout, reason = "what was asked for")]
        {
            print!("{}", config.to_toml_masked());
        }
        return Ok(());
    }
    command(Config::load(sources, Purpose::Coordinator)?)
}

fn block_on(serving: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(serving)
}
