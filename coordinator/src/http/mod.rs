//! The HTTP server: knows poem, knows no system.
//!
//! `frame` surrounds every request (who may call, ids, limits, errors, headers) but those that `hot` answers ahead of it,
//! `body` reads JSON leniently, `error` is the one table from faults to responses, `server` listens.

mod access;
pub mod adops;
pub mod app;
mod auth;
pub mod body;
pub mod capture_metrics;
pub mod docs;
pub mod error;
mod frame;
mod guard;
pub mod health;
mod hot;
pub mod idempotency;
pub mod metrics;
mod process;
pub mod reply;
mod routes;
pub mod server;
mod slow;
pub mod tags;
mod tls;
mod unique;
mod visit_metrics;

pub use app::App;
pub use server::{Listening, bind, serve};
