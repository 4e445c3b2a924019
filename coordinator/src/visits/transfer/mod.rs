//! Visits that come from files and leave as files, and visits that go: imports, a person's data, retention.

pub(crate) mod imports;
pub(crate) mod people;
pub(crate) mod retention;

pub use imports::Imports;
