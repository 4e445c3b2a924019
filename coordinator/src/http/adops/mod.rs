//! What surrounds a request of the ad-operations family: its rate, its credential, and the right that its route asks for.

mod front;
pub mod granted;
mod limits;
mod routes;

pub(crate) use front::{Front, PREFIX, Stamp, credential};
pub(crate) use routes::{Adops, apis};
