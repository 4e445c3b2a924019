//! Visits of web pages: what one is, how it is enriched, packed into columns, and asked about.
//!
//! Data flow: a request becomes a `Visit` (`enrich`), a `Visit` becomes a `Row` of codes (`dictionary`), rows become a
//! frame of the day's log (`frame`) and later a sealed part of one site and day (`part`); a `Question` over parts and
//! fresh rows becomes an `Answer` (`query`). Nothing here reads a clock, a file or a socket.

pub mod column;
pub mod data;
pub mod dictionary;
pub mod property;
pub mod question;
pub mod record;
