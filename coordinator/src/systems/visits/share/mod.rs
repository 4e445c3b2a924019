//! Figures for people outside: what a link permits, and the page it opens.

pub mod gate;
pub mod page;
