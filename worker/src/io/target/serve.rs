//! Listening: one runtime per thread, one socket each, the kernel spreads the connections.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;
use tokio::runtime::LocalOptions;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::args::TargetArgs;
use super::connection::serve;
use super::route::Service;

/// The most connections of one thread; more wait in the kernel.
const MAX_CONNECTIONS: usize = 32_768;

/// A running target; dropping it ends it.
pub struct Target {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Target {
    /// Binds the address and starts to answer.
    ///
    /// # Errors
    /// When the address cannot be bound or a thread cannot be started.
    pub fn start(args: TargetArgs) -> io::Result<Self> {
        let threads = args.threads.clamp(1, 256);
        let first = bind(args.listen, threads > 1)?;
        let address = first.local_addr()?;
        let mut listeners = vec![first];
        for _ in 1..threads {
            listeners.push(bind(address, true)?);
        }
        let service = Arc::new(Service::new(args));
        let (stop, stopped) = watch::channel(false);
        let mut target = Self { address, stop, threads: Vec::new() };
        for (number, listener) in listeners.into_iter().enumerate() {
            let (service, stopped) = (Arc::clone(&service), stopped.clone());
            let name = format!("target-{number}");
            target.threads.push(
                thread::Builder::new()
                    .name(name)
                    .spawn(move || run_thread(listener, service, stopped, number as u64))?,
            );
        }
        Ok(target)
    }

    /// Where it listens, with the real port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it and waits for its threads.
    ///
    /// # Errors
    /// The first error of a thread.
    pub fn stop(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.stop.send_replace(true);
        let mut result = Ok(());
        for thread in self.threads.drain(..) {
            let ended = thread.join().unwrap_or_else(|_panic| Err(io::Error::other("a thread of the target panicked")));
            result = result.and(ended);
        }
        result
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!(%error, "the target ended with an error");
        }
    }
}

/// Runs the target until SIGTERM or Ctrl-C; prints `listening on http://ADDR` when it is ready. Must not be called inside a runtime.
///
/// # Errors
/// When the address cannot be bound, or signals or standard output do not work.
pub fn run(args: TargetArgs) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let target = Target::start(args)?;
    {
        let mut out = io::stdout().lock();
        writeln!(out, "listening on http://{}", target.address())?;
        out.flush()?;
    }
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            _ = terminate.recv() => Ok(()),
            pressed = tokio::signal::ctrl_c() => pressed,
        }
    })?;
    target.stop()
}

fn bind(address: SocketAddr, shared_port: bool) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(shared_port)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

fn run_thread(
    listener: std::net::TcpListener,
    service: Arc<Service>,
    stopped: watch::Receiver<bool>,
    thread: u64,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    runtime.block_on(accept(listener, service, stopped, thread))
}

async fn accept(
    listener: std::net::TcpListener,
    service: Arc<Service>,
    mut stopped: watch::Receiver<bool>,
    thread: u64,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    let mut number = thread << 40;
    loop {
        let accepted = tokio::select! {
            // The other end is gone only when the target is being dropped: the same as being told.
            _ = stopped.wait_for(|&stop| stop) => return Ok(()),
            Some(end) = connections.join_next(), if !connections.is_empty() => {
                end.map_err(|error| io::Error::other(format!("a connection's task failed: {error}")))?;
                continue;
            }
            accepted = listener.accept(), if connections.len() < MAX_CONNECTIONS => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                number += 1;
                service.stats().connections += 1;
                connections.spawn_local(serve(Arc::clone(&service), stream, number));
            }
            // Out of descriptors, or the client is gone already: the next one may work.
            Err(error) => {
                tracing::debug!(%error, "accept failed");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
    }
}
