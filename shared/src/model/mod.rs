//! Domain values, one file per noun.

pub mod arrivals;
pub mod campaign;
pub mod capture;
pub mod content;
pub mod error_kind;
pub mod export;
pub mod run;
pub mod threshold;
