//! `trafficlab-worker`: takes work from the broker, serves as a test target, generates load, or analyses a capture.

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use trafficlab_shared::config::{Config, Purpose};
use trafficlab_shared::telemetry;
use trafficlab_worker::cli::{Cli, Command, ServeArgs};
use trafficlab_worker::{analyze, generate, io, runtime};

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Serve(args) => serve(&args),
        Command::Target(args) => io::target::run(args).map_err(Into::into),
        Command::Analyze(args) => return ExitCode::from(analyze::run(&args) as u8),
        Command::Generate(args) => return ExitCode::from(generate::run(&args) as u8),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be set up yet, and a person is looking.
            #[allow(clippy::print_stderr, reason = "the last word of a command")]
            {
                eprintln!("trafficlab-worker: {error:#}");
            }
            ExitCode::from(2)
        }
    }
}

fn serve(args: &ServeArgs) -> anyhow::Result<()> {
    let sources = args.sources();
    if args.print_config {
        let config = Config::load(&sources, Purpose::Print)?;
        #[allow(clippy::print_stdout, reason = "what was asked for")]
        {
            print!("{}", config.to_toml_masked());
        }
        return Ok(());
    }
    let config = Config::load(&sources, Purpose::Worker)?;
    config.require_broker()?;
    let _log = telemetry::init(&config.log).context("the log cannot be set up")?;
    runtime::serve(&config)?;
    Ok(())
}
