//! Real processes for tests: a broker, a coordinator, workers and a target, each of which can be
//! killed, stopped and started again, and which are gone when the test is over.

mod api;
mod broker;
mod browser;
mod cluster;
mod dev;
mod log;
mod pages;
mod plan;
mod process;
mod programs;
mod raw;
mod skip;
mod small_disk;
mod target;
mod tenant;
mod wait;

pub(crate) use api::{Answer, Api};
pub(crate) use broker::Broker;
pub(crate) use browser::{Browser, browser, plausible_package};
pub(crate) use cluster::Cluster;
pub(crate) use dev::{Dev, descendants};
pub(crate) use log::Logs;
pub(crate) use pages::Pages;
pub(crate) use plan::{Entries, Plan};
pub(crate) use process::{Process, Program, is_gone};
pub(crate) use programs::{coordinator, worker};
pub(crate) use raw::raw;
pub(crate) use skip::skipped;
pub(crate) use small_disk::SmallDisk;
pub(crate) use target::Target;
pub(crate) use tenant::{PASSWORD, Tenant, ads, fresh_email};
pub(crate) use wait::{eventually, soon};
