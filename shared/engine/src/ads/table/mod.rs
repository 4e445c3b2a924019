//! Tables of figures a campaign and day: the exports of Meta Ads Manager and Google Ads, and a plain header. What a file
//! is gets recognised from its first rows; its dates and decimals are decided over all of them; then each row is read.
//!
//! Nothing here holds more than one row, and no byte of a file can make it fail otherwise than with a message.

pub mod date;
pub mod header;
pub mod layout;
pub mod number;
pub mod rows;
pub mod sniff;
pub mod style;
pub mod text;

#[cfg(test)]
mod samples;

pub use date::DateOrder;
pub use header::{Field, Format};
pub use layout::{Layout, Unrecognised};
pub use number::Decimal;
pub use rows::{CellFault, Key, Kind, Numbers};
pub use sniff::{Found, sniff};
pub use style::{Evidence, Style, Unclear};
pub use text::{Broken, Encoding, Table};
