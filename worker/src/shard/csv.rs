//! A table whose rows fill templates: each request takes the next row, and begins anew behind the last.

use std::sync::atomic::{AtomicU64, Ordering};

/// Columns and rows of a file, shared by all threads that send.
#[derive(Debug)]
pub(crate) struct CsvTable {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    taken: AtomicU64,
}

impl CsvTable {
    /// Checks that there is a row and that every row has all columns.
    ///
    /// # Errors
    /// A sentence that names the first row that is wrong, from 1 behind the header.
    pub(crate) fn new(columns: Vec<String>, rows: Vec<Vec<String>>) -> Result<Self, String> {
        if rows.is_empty() {
            return Err("the table has no row".to_owned());
        }
        for (number, row) in (1..).zip(&rows) {
            if row.len() != columns.len() {
                return Err(format!("row {number} has {} cells instead of {}", row.len(), columns.len()));
            }
        }
        for (number, name) in columns.iter().enumerate() {
            if columns.iter().take(number).any(|other| other == name) {
                return Err(format!("the column `{name}` is there twice"));
            }
        }
        Ok(Self { columns, rows, taken: AtomicU64::new(0) })
    }

    /// The place of a column.
    pub(crate) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The names of the columns, for messages.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of the row that the next request takes.
    pub(super) fn next_row(&self) -> usize {
        let count = u64::try_from(self.rows.len()).unwrap_or(1).max(1);
        let number = self.taken.fetch_add(1, Ordering::Relaxed) % count;
        usize::try_from(number).unwrap_or(0)
    }

    /// A cell; empty for a column that is not there.
    pub(super) fn cell(&self, row: usize, column: &str) -> &str {
        let place = self.column(column);
        place.and_then(|place| self.rows.get(row)?.get(place)).map_or("", String::as_str)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn texts(cells: &[&str]) -> Vec<String> {
        cells.iter().map(|cell| (*cell).to_owned()).collect()
    }

    #[test]
    fn rows_are_taken_in_turn() {
        let rows = vec![texts(&["ann", "1"]), texts(&["bob", "2"])];
        let table = CsvTable::new(texts(&["user", "pin"]), rows).unwrap();
        let taken: Vec<usize> = (0..5).map(|_| table.next_row()).collect();
        assert_eq!(taken, [0, 1, 0, 1, 0]);
        assert_eq!((table.cell(1, "pin"), table.cell(1, "mail")), ("2", ""));
        assert_eq!(table.column("pin"), Some(1));
    }

    #[test]
    fn ragged_tables_are_refused() {
        let refused = |columns: &[&str], rows: Vec<Vec<String>>| CsvTable::new(texts(columns), rows).unwrap_err();
        assert!(refused(&["a"], Vec::new()).contains("no row"));
        assert!(refused(&["a"], vec![texts(&["1"]), texts(&["1", "2"])]).contains("row 2"));
        assert!(refused(&["a", "a"], vec![texts(&["1", "2"])]).contains("`a`"));
    }
}
