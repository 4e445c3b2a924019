//! What is wrong in a file: the first mistakes in full, all of them counted.

use std::fmt::Display;

use csv::ByteRecord;
use trafficlab_engine::ads::table::rows::CellFault;
use trafficlab_engine::ads::table::{Layout, text};

/// Mistakes that are told in full.
const TOLD: usize = 100;
/// Letters of a wrong cell that are told.
const LONGEST: usize = 80;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowFault {
    /// The line of the file, from 1.
    pub row: u64,
    /// The name of the column; empty when it is the whole row.
    pub column: String,
    /// What stands there, cut.
    pub value: String,
    /// What is wrong.
    pub message: String,
}

/// The mistakes of a file.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    first: Vec<RowFault>,
    total: u64,
}

impl Faults {
    /// A mistake of a cell.
    pub fn cell(&mut self, layout: &Layout, row: &ByteRecord, fault: &CellFault) {
        let value = row.get(fault.column).map(String::from_utf8_lossy).unwrap_or_default();
        self.add(text::line(row), layout.name(fault.column), &value, &fault.message);
    }

    /// Any mistake.
    pub fn add(&mut self, row: u64, column: &str, value: &str, message: &dyn Display) {
        self.total += 1;
        if self.first.len() < TOLD {
            let value = value.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
            self.first.push(RowFault { row, column: column.to_owned(), value, message: message.to_string() });
        }
    }

    /// How many there are.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The first of them, by row.
    #[must_use]
    pub fn sorted(&self) -> Vec<RowFault> {
        let mut sorted = self.first.clone();
        sorted.sort();
        sorted
    }
}
