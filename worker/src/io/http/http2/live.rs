//! One open HTTP/2 connection as its streams see it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use h2::client::SendRequest;
use http::uri::Scheme;

use crate::io::http::line::Usable;

/// What the streams of a connection and its driver share.
pub(super) struct Live {
    /// No new request goes over it: it ended, or it is taken for dead.
    closed: Cell<bool>,
    /// How many requests at once the server permits; 1 until it has said so.
    limit: Cell<usize>,
    /// Whether a response came over it.
    answered: Cell<bool>,
    /// How often bytes came.
    pub(super) reads: Rc<Cell<u64>>,
    /// The tasks of its places, to be woken when it ends or the limit rises.
    places: RefCell<Vec<Option<Waker>>>,
}

impl Live {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            closed: Cell::new(false),
            limit: Cell::new(limit),
            answered: Cell::new(false),
            reads: Rc::default(),
            places: RefCell::default(),
        }
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed.get()
    }

    /// Takes it out of use; requests on their way go on.
    pub(super) fn close(&self) {
        self.closed.set(true);
        self.wake_all();
    }

    pub(super) fn set_limit(&self, limit: usize) {
        if self.limit.replace(limit) < limit {
            self.wake_all();
        }
    }

    fn wake_all(&self) {
        self.places.borrow().iter().flatten().for_each(Waker::wake_by_ref);
    }
}

/// One place of a connection: the streams that one task opens, one after the other.
pub(in crate::io::http) struct Stream {
    pub(super) live: Rc<Live>,
    pub(super) sender: SendRequest<Bytes>,
    pub(super) scheme: Scheme,
    place: usize,
}

impl Stream {
    pub(super) const fn new(live: Rc<Live>, sender: SendRequest<Bytes>, scheme: Scheme, place: usize) -> Self {
        Self { live, sender, scheme, place }
    }

    /// Makes the end of the connection wake this task.
    pub(super) fn watch(&self, context: &Context<'_>) {
        let mut places = self.live.places.borrow_mut();
        if places.len() <= self.place {
            places.resize(self.place + 1, None);
        }
        if let Some(waker) = places.get_mut(self.place) {
            *waker = Some(context.waker().clone());
        }
    }

    /// Whether a request may go over it: not after the server said that it goes away, and not beyond as many at once as
    /// it permits.
    pub(in crate::io::http) fn poll_usable(&mut self, context: &mut Context<'_>) -> Usable {
        if !self.is_closed()
            && let Poll::Ready(Err(error)) = self.sender.poll_ready(context)
        {
            tracing::debug!(%error, "an HTTP/2 connection takes no more requests");
            self.retire();
        }
        match self.is_closed() {
            true => Usable::NeverAgain,
            false if self.place >= self.live.limit.get() => Usable::NotNow,
            false => Usable::Yes,
        }
    }

    /// Whether no new request goes over it.
    pub(in crate::io::http) fn is_closed(&self) -> bool {
        self.live.is_closed()
    }

    /// Whether a response came over the connection before.
    pub(in crate::io::http) fn is_used(&self) -> bool {
        self.live.answered.get()
    }

    pub(super) fn note_answer(&self) {
        self.live.answered.set(true);
    }

    /// Lets no further request over the connection.
    pub(in crate::io::http) fn retire(&self) {
        self.live.close();
    }
}
