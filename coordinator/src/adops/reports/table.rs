//! Tables as plain text and as CSV.

/// Lines of cells in columns: the first on the left, the others on the right.
pub(super) fn text(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        let cells: Vec<String> = cells.collect();
        format!("  {}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// Rows after RFC 4180. Texts that a spreadsheet would take for a formula get a quote in front.
pub(super) fn csv(rows: &[Vec<String>]) -> Vec<u8> {
    let mut out = Vec::new();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
        out.extend_from_slice(cells.join(",").as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err();
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
    }

    #[test]
    fn columns_stand_below_one_another() {
        let shown = text(&rows(&[&["name", "spend"], &["größer", "1.00"], &["b", "100.00"]]));
        assert_eq!(shown, "  name     spend\n  größer    1.00\n  b       100.00\n");
    }

    /// checklist 49
    #[test]
    fn no_cell_is_a_formula_and_all_come_back() {
        let cells = rows(&[&["=1+1", "+x", "-x", "@x", "\tx", "-1.5", "a,b", "say \"hi\"\nagain", ""]]);
        let bytes = csv(&cells);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
        let record = reader.records().next().and_then(Result::ok).unwrap_or_default();
        let found: Vec<&str> = record.iter().collect();
        assert_eq!(found, ["'=1+1", "'+x", "'-x", "'@x", "'\tx", "-1.5", "a,b", "say \"hi\"\nagain", ""]);
    }
}
