//! Visits of web pages: what one is, how it is enriched, packed into columns, and asked about.
//!
//! Data flow: a request becomes a `Visit` (`enrich`), a `Visit` becomes a `Row` of codes (`dictionary`), rows become a
//! frame of the day's log (`frame`) and later a sealed part of one site and day (`part`); a `Question` over parts and
//! fresh rows becomes an `Answer` (`query`). Nothing here reads a clock or a socket, and bytes only through
//! `part::ReadAt` and `io::Write` that are handed in.

pub mod column;
pub mod data;
pub mod dictionary;
pub mod enrich;
mod entry;
pub mod frame;
pub mod memory;
mod order;
pub mod pack;
pub mod part;
pub mod property;
pub mod query;
pub mod question;
pub mod record;
#[cfg(test)]
pub(crate) mod samples;
pub mod table;
pub mod view;
mod wire;
