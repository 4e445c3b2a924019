//! The connections of a pool as it sees them: what each has in hand, who is idle, whom to wake.

use std::task::Waker;

use super::Ticket;

/// What a connection has in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InHand {
    Nothing,
    /// Handed over, not written yet.
    Assigned(Ticket),
    /// Written at this moment, not answered yet.
    Sent(Ticket, u64),
}

struct Place {
    in_hand: InHand,
    /// Of its task, set once: a task is woken by the same waker for its whole life.
    waker: Option<Waker>,
    /// Whether it is in the list of idle connections.
    idle: bool,
}

/// A place for each connection, or for each stream where HTTP/2 is spoken: what serves one request at a time.
#[derive(Default)]
pub(super) struct Places {
    places: Vec<Place>,
    free: Vec<usize>,
    idle: Vec<usize>,
    /// Tickets in hand.
    busy: usize,
}

impl Places {
    /// A place for a new connection task.
    pub(super) fn add(&mut self) -> usize {
        if let Some(free) = self.free.pop() {
            return free;
        }
        self.places.push(Place { in_hand: InHand::Nothing, waker: None, idle: false });
        self.places.len() - 1
    }

    /// The task of a connection has ended.
    pub(super) fn remove(&mut self, connection: usize) {
        if let Some(place) = self.places.get_mut(connection) {
            place.waker = None;
        }
        self.free.push(connection);
    }

    /// How many are taken.
    pub(super) const fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// How many tickets are in hand.
    pub(super) const fn busy(&self) -> usize {
        self.busy
    }

    pub(super) fn in_hand(&self, connection: usize) -> InHand {
        self.places.get(connection).map_or(InHand::Nothing, |place| place.in_hand)
    }

    pub(super) fn set_in_hand(&mut self, connection: usize, in_hand: InHand) {
        if let Some(place) = self.places.get_mut(connection) {
            self.busy -= usize::from(place.in_hand != InHand::Nothing);
            self.busy += usize::from(in_hand != InHand::Nothing);
            place.in_hand = in_hand;
        }
    }

    /// Every ticket in hand.
    pub(super) fn tickets(&self) -> impl Iterator<Item = Ticket> {
        self.places.iter().filter_map(|place| match place.in_hand {
            InHand::Nothing => None,
            InHand::Assigned(ticket) | InHand::Sent(ticket, _) => Some(ticket),
        })
    }

    /// Remembers the task of a connection, so that it can be woken.
    pub(super) fn enter(&mut self, connection: usize, waker: &Waker) {
        if let Some(place) = self.places.get_mut(connection) {
            place.waker = Some(waker.clone());
        }
    }

    pub(super) fn wake(&self, connection: usize) {
        if let Some(waker) = self.places.get(connection).and_then(|place| place.waker.as_ref()) {
            waker.wake_by_ref();
        }
    }

    pub(super) fn wake_all(&self) {
        self.places.iter().filter_map(|place| place.waker.as_ref()).for_each(Waker::wake_by_ref);
    }

    pub(super) fn wake_idle(&self) {
        self.idle.iter().for_each(|&connection| self.wake(connection));
    }

    pub(super) fn become_idle(&mut self, connection: usize) {
        if let Some(place) = self.places.get_mut(connection)
            && !place.idle
        {
            place.idle = true;
            self.idle.push(connection);
        }
    }

    pub(super) fn leave_idle(&mut self, connection: usize) {
        if let Some(place) = self.places.get_mut(connection).filter(|place| place.idle) {
            place.idle = false;
            self.idle.retain(|&other| other != connection);
        }
    }

    /// The connection that became idle last, so that as few as possible stay warm.
    pub(super) fn pop_idle(&mut self) -> Option<usize> {
        let connection = self.idle.pop()?;
        if let Some(place) = self.places.get_mut(connection) {
            place.idle = false;
        }
        Some(connection)
    }
}
