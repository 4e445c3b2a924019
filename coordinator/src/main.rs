//! `trafficlab-coordinator`.
use clap::Parser;
fn main() -> std::process::ExitCode {
    match trafficlab_coordinator::cli::Cli::parse().command {
        trafficlab_coordinator::cli::Command::Guard(args) => trafficlab_coordinator::dev::guard::run(&args),
        _ => std::process::ExitCode::FAILURE,
    }
}
