//! The product as its users see it, with every process real.

mod cli;
mod control;
mod data;
mod dev;
mod dump;
mod failures;
mod pages;
mod quick;
mod quota;
mod sessions;
mod shapes;
mod status;
mod subscriber;
mod workers;
mod workflow;
