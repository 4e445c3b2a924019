//! The server process: store, broker, engine and HTTP put together, and taken down in order.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use trafficlab_shared::config::Config;

use crate::adops::{self, Adops};
use crate::dev::DevCluster;
use crate::dispatch::Dispatch;
use crate::dispatch::broker::Broker;
use crate::dispatch::captures::Desk;
use crate::dispatch::exports::ExportFiles;
use crate::dispatch::ingest::Ingester;
use crate::http::{self, App};
use crate::store::segment::SegmentDir;
use crate::store::{SEGMENT_FOLDER, Store};
use crate::systems;
use crate::systems::analyzer::files;
use crate::systems::traffic::upkeep;
use crate::systems::visits::transfer::retention;
use crate::visits::Visits;

/// The store's folder in the data folder.
pub(crate) const STORE_FOLDER: &str = "store";
/// The folder of the visits in the data folder.
pub(crate) const VISITS_FOLDER: &str = "visits";
/// The folder of the captures' own files in the data folder.
const CAPTURES_FOLDER: &str = "captures";
/// The folder of exports in the data folder.
const EXPORTS_FOLDER: &str = "exports";

/// Starts broker and workers on this machine and serves until told to stop.
///
/// # Errors
/// When a part cannot start or fails.
pub async fn dev(mut config: Config, workers: u16) -> anyhow::Result<()> {
    let data_dir = config.data_dir.clone();
    let mut cluster = DevCluster::start(&config, &data_dir, workers).await?;
    cluster.fill(&mut config);
    let served = tokio::select! {
        served = serve(config) => served,
        fault = cluster.failed() => Err(fault.into()),
    };
    cluster.stop().await;
    served
}

/// Joins the configured broker and serves until told to stop.
///
/// # Errors
/// When a part cannot start or fails.
pub async fn serve(config: Config) -> anyhow::Result<()> {
    let config = Arc::new(config);
    let mut stopping = StopSignal::new()?;
    let folder = config.data_dir.join(STORE_FOLDER);
    let segments = folder.join(SEGMENT_FOLDER);
    let settings = Arc::clone(&config);
    let (store, ingester, visits, adops) = tokio::task::spawn_blocking(move || open(&folder, &settings)).await??;
    let broker = tokio::select! {
        broker = Broker::connect(&config.nats) => broker?,
        () = stopping.wait() => return Ok(()),
    };
    let exports = ExportFiles::new(config.data_dir.join(EXPORTS_FOLDER));
    let desk = Desk::new(&config.captures, config.data_dir.join(CAPTURES_FOLDER), exports);
    let dispatch = Dispatch::new(store.clone(), SegmentDir::new(&segments), broker, desk);
    let app = App::new(Arc::clone(&config), Arc::clone(&dispatch), Arc::clone(&visits), adops)
        .map_err(|faults| anyhow::anyhow!("the configuration cannot be used: {faults:?}"))?;
    let listening = http::bind(&config).await?;
    announce(&listening.url())?;
    let mut loops = dispatch.start(ingester);
    spawn_loops(&app, &mut loops);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = http::serve(&app, listening, async {
        // The sender is dropped only when this function ends, which is a stop as well.
        stopped.await.unwrap_or_default();
    });
    tokio::pin!(serving);
    let ended = tokio::select! {
        served = &mut serving => return Ok(served?),
        () = stopping.wait() => Ok(()),
        Some(end) = loops.join_next() => Err(anyhow::anyhow!("the {} loop ended", end.unwrap_or("panicked"))),
    };
    tracing::info!("stopping");
    app.draining.store(true, Ordering::Relaxed);
    if ended.is_ok() {
        // Requests are still taken, while `/health/ready` tells whoever sends them to stop.
        tokio::select! {
            served = &mut serving => return Ok(served?),
            () = tokio::time::sleep(config.http.drain.duration()) => {}
            () = stopping.wait() => {}
        }
    }
    app.streams.close();
    if stop.send(()).is_ok() {
        serving.await?;
    }
    loops.shutdown().await;
    tokio::task::spawn_blocking(move || visits.store.close()).await?;
    store.close();
    ended
}

/// The work that goes on beside requests, each under the name that tells which one ended.
fn spawn_loops(app: &Arc<App>, loops: &mut JoinSet<&'static str>) {
    let own = Arc::clone(app);
    loops.spawn(async move {
        upkeep::run(&own).await;
        "upkeep"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        own.alerts.run(&own.dispatch).await;
        "alerts"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        files::run(&own).await;
        "files of captures"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        own.visits.intake.run(own.store()).await;
        "intake of visits"
    });
    let own = app.visits.store.clone();
    loops.spawn(async move {
        own.run().await;
        "visits"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        own.visits.imports.run(&own.visits, &own.config).await;
        "imports of visits"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        systems::adops::upkeep::run(&own).await;
        "ad operations"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        adops::linked::follow::run(own.store(), &own.adops.book).await;
        "linked sessions"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        own.adops.accounts.run(own.store(), &own.config).await;
        "accounts"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        adops::mail::run(own.store(), &own.adops.mailer).await;
        "mail"
    });
    let own = Arc::clone(app);
    loops.spawn(async move {
        retention::run(&own).await;
        "retention of visits"
    });
}

/// Opens everything that is on disk. Blocks.
fn open(folder: &Path, config: &Config) -> anyhow::Result<(Store, Ingester, Arc<Visits>, Arc<Adops>)> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let store = Store::open(folder)?;
    let exports = ExportFiles::new(config.data_dir.join(EXPORTS_FOLDER));
    let ingester = Ingester::open(store.clone(), &folder.join(SEGMENT_FOLDER), exports)?;
    let visits = Visits::open(&config.data_dir.join(VISITS_FOLDER), &store, config)?;
    let adops = Adops::open(&store, config)?;
    Ok((store, ingester, Arc::new(visits), Arc::new(adops)))
}

/// Tells people and scripts where the server is; it is bound, so a first request waits at most a
/// moment for its answer.
fn announce(url: &str) -> anyhow::Result<()> {
    tracing::info!(%url, "listening");
    let mut out = std::io::stdout().lock();
    writeln!(out, "listening on {url}")?;
    out.flush()?;
    Ok(())
}

/// SIGTERM and Ctrl-C.
struct StopSignal {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

impl StopSignal {
    fn new() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
