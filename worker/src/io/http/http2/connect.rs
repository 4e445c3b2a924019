//! The HTTP/2 connections of a pool: each is made by the first of its places that needs it.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use http::uri::Scheme as UriScheme;
use tokio::sync::Mutex;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;
use trafficlab_shared::model::error_kind::ErrorKind;
use trafficlab_shared::target::{Scheme, TargetUrl};

use super::live::{Live, Stream};
use super::stamped::Stamped;
use crate::io::http::dial::Dialer;
use crate::io::http::head::MAX_HEAD_BYTES;
use crate::io::http::wire::Wire;

/// Bytes a response may be ahead of its reader, and all responses of a connection together.
const STREAM_WINDOW: u32 = 1 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// How long the preface may take to be written.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// All HTTP/2 connections of a pool and the tasks that drive them.
pub(in crate::io::http) struct Http2Connections {
    streams: usize,
    groups: RefCell<Vec<Rc<Group>>>,
    drivers: RefCell<JoinSet<()>>,
}

/// The places that share a connection.
#[derive(Default)]
struct Group {
    open: Mutex<Option<Open>>,
    /// How often it was tried, and why the last try failed.
    tries: Cell<u64>,
    failure: Cell<Option<ErrorKind>>,
}

#[derive(Clone)]
struct Open {
    live: Rc<Live>,
    sender: SendRequest<Bytes>,
}

impl Http2Connections {
    pub(in crate::io::http) fn new(streams: usize) -> Self {
        Self { streams: streams.max(1), groups: RefCell::default(), drivers: RefCell::default() }
    }

    /// The place of task `id` on its connection, which is made if there is none. Tasks that wait for one another's try
    /// share its failure.
    pub(in crate::io::http) async fn stream(
        &self,
        id: usize,
        url: &TargetUrl,
        dialer: &Dialer,
    ) -> Result<Stream, ErrorKind> {
        let group = self.group(id / self.streams);
        let seen = group.tries.get();
        let mut place = group.open.lock().await;
        let open = match place.as_ref().filter(|open| !open.live.is_closed()) {
            Some(open) => open.clone(),
            None => {
                if group.tries.get() != seen
                    && let Some(kind) = group.failure.get()
                {
                    return Err(kind);
                }
                let opened = match dialer.dial(url).await {
                    Ok(wire) => self.open(wire).await,
                    Err(kind) => Err(kind),
                };
                group.tries.set(group.tries.get() + 1);
                group.failure.set(opened.as_ref().err().copied());
                place.insert(opened?).clone()
            }
        };
        drop(place);
        let stream = Stream::new(open.live, open.sender, scheme(url), id % self.streams);
        poll_fn(|context| {
            stream.watch(context);
            Poll::Ready(())
        })
        .await;
        Ok(stream)
    }

    /// A connection for one request over `wire`, where a redirect leads elsewhere.
    pub(in crate::io::http) async fn stream_over(&self, wire: Wire, url: &TargetUrl) -> Result<Stream, ErrorKind> {
        let Open { live, sender } = self.open(wire).await?;
        Ok(Stream::new(live, sender, scheme(url), 0))
    }

    /// How many connections are open.
    pub(in crate::io::http) fn count(&self) -> usize {
        let open = |group: &&Rc<Group>| {
            group.open.try_lock().is_ok_and(|open| open.as_ref().is_some_and(|open| !open.live.is_closed()))
        };
        self.groups.borrow().iter().filter(open).count()
    }

    /// The ends of drivers since the last call.
    pub(in crate::io::http) fn ended(&self) -> Option<Result<(), JoinError>> {
        self.drivers.borrow_mut().try_join_next()
    }

    /// Cuts every connection off and waits for the drivers.
    pub(in crate::io::http) async fn shut_down(&self) {
        let mut drivers = std::mem::take(&mut *self.drivers.borrow_mut());
        drivers.shutdown().await;
    }

    fn group(&self, index: usize) -> Rc<Group> {
        let mut groups = self.groups.borrow_mut();
        while groups.len() <= index {
            groups.push(Rc::default());
        }
        groups.get(index).map(Rc::clone).unwrap_or_default()
    }

    /// Speaks HTTP/2 over `wire`; its driver is a task of the pool.
    async fn open(&self, wire: Wire) -> Result<Open, ErrorKind> {
        // Only one request until the server has said how many it takes.
        let live = Rc::new(Live::new(1));
        let mut builder = Builder::new();
        builder
            .enable_push(false)
            .initial_max_send_streams(1)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(u32::try_from(MAX_HEAD_BYTES).unwrap_or(u32::MAX));
        let stamped = Stamped { wire, reads: Rc::clone(&live.reads) };
        let (sender, mut connection) = match timeout(HANDSHAKE_TIMEOUT, builder.handshake(stamped)).await {
            Ok(Ok(open)) => open,
            Ok(Err(error)) => {
                tracing::debug!(%error, "no HTTP/2 connection");
                return Err(ErrorKind::Connect);
            }
            Err(_elapsed) => return Err(ErrorKind::Connect),
        };
        let shared = Rc::clone(&live);
        self.drivers.borrow_mut().spawn_local(async move {
            let ended = poll_fn(|context| {
                let ended = pin!(&mut connection).poll(context);
                shared.set_limit(connection.max_concurrent_send_streams());
                ended
            })
            .await;
            if let Err(error) = ended {
                tracing::debug!(%error, "an HTTP/2 connection ended");
            }
            shared.close();
        });
        Ok(Open { live, sender })
    }
}

const fn scheme(url: &TargetUrl) -> UriScheme {
    match url.scheme {
        Scheme::Http => UriScheme::HTTP,
        Scheme::Https => UriScheme::HTTPS,
    }
}
