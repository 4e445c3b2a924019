//! Tables as CSV (RFC 4180): a header row, lines that end in CR LF, quotes where they are needed. Moments are seconds
//! since 1970 with nine decimals, exactly.

use std::borrow::Borrow;
use std::io::{Result, Write};

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

use super::blank;
use super::figures::decimal_seconds;
use super::row::{self, Cell, Row};

/// Writes windows with their ids.
///
/// # Errors
/// What the writer says.
pub fn windows<W: Borrow<Window>>(mut out: impl Write, windows: impl IntoIterator<Item = (u64, W)>) -> Result<()> {
    header(&mut out, &row::window(0, &Window::default()))?;
    windows.into_iter().try_for_each(|(id, window)| line(&mut out, &row::window(id, window.borrow())))
}

/// Writes anomalies.
///
/// # Errors
/// What the writer says.
pub fn anomalies<A: Borrow<Anomaly>>(mut out: impl Write, anomalies: impl IntoIterator<Item = A>) -> Result<()> {
    header(&mut out, &row::anomaly(&blank::anomaly()))?;
    anomalies.into_iter().try_for_each(|anomaly| line(&mut out, &row::anomaly(anomaly.borrow())))
}

/// Writes connections.
///
/// # Errors
/// What the writer says.
pub fn connections<C: Borrow<Connection>>(mut out: impl Write, connections: impl IntoIterator<Item = C>) -> Result<()> {
    header(&mut out, &row::connection(&blank::connection()))?;
    connections.into_iter().try_for_each(|connection| line(&mut out, &row::connection(connection.borrow())))
}

fn header(out: &mut impl Write, row: &Row<'_>) -> Result<()> {
    let names: Vec<&str> = row.iter().map(|(name, _)| *name).collect();
    write!(out, "{}\r\n", names.join(","))
}

fn line(out: &mut impl Write, row: &Row<'_>) -> Result<()> {
    for (place, (_, cell)) in row.iter().enumerate() {
        if place > 0 {
            out.write_all(b",")?;
        }
        match cell {
            Cell::Whole(Some(value)) => write!(out, "{value}")?,
            Cell::Real(Some(value)) => write!(out, "{value}")?,
            Cell::Time(ns) => write!(out, "{}", decimal_seconds(*ns, 9))?,
            Cell::Text(Some(value)) => text(out, value)?,
            Cell::Whole(None) | Cell::Real(None) | Cell::Text(None) => {}
        }
    }
    out.write_all(b"\r\n")
}

/// A cell of text, quoted where RFC 4180 asks for it, and with a `'` before it where a spreadsheet would compute it.
pub(crate) fn text(out: &mut impl Write, value: &str) -> Result<()> {
    // A spreadsheet would run such a cell as a formula.
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if !formula && !value.contains([',', '"', '\r', '\n']) {
        return out.write_all(value.as_bytes());
    }
    let guard = if formula { "'" } else { "" };
    write!(out, "\"{guard}{}\"", value.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::packet::export::samples;

    /// A reader of RFC 4180, for the tests.
    fn parse(bytes: &[u8]) -> Vec<Vec<String>> {
        let (mut rows, mut row, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
        let mut letters = std::str::from_utf8(bytes).unwrap().chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => row.push(std::mem::take(&mut cell)),
                '\r' if !quoted => {
                    assert_eq!(letters.next(), Some('\n'));
                    row.push(std::mem::take(&mut cell));
                    rows.push(std::mem::take(&mut row));
                }
                other => cell.push(other),
            }
        }
        assert!(row.is_empty() && cell.is_empty() && !quoted, "the last line has an end");
        rows
    }

    fn value<'a>(rows: &'a [Vec<String>], line: usize, name: &str) -> &'a str {
        let place = rows[0].iter().position(|header| header == name).unwrap();
        &rows[line][place]
    }

    #[test]
    fn windows_are_rows_under_one_header() {
        let mut out = Vec::new();
        let strange = Window { approximate: Some("=a, \"b\"\r\nc".to_owned()), ..Window::default() };
        windows(&mut out, [(4, samples::window()), (5, strange)]).unwrap();
        let rows = parse(&out);
        assert_eq!(rows.len(), 3);
        assert!(rows.iter().all(|row| row.len() == rows[0].len()));
        for (name, shown) in [
            ("window_id", "4"),
            ("window_index", "-3"),
            ("window_start", "1700000000.123456789"),
            ("avg_bps", "9568"),
            ("p95_rtt_ms", "90.1"),
            ("tcp_packets", "340"),
            ("tcp_retransmission", "5"),
            ("loss_percent", "4.1667"),
            ("top_src", "203.0.113.66"),
            ("top_service", "https"),
        ] {
            assert_eq!(value(&rows, 1, name), shown, "{name}");
        }
        assert_eq!(value(&rows, 2, "approximate"), "'=a, \"b\"\r\nc");
        assert_eq!((value(&rows, 2, "mean_rtt_ms"), value(&rows, 2, "loss_percent")), ("", ""));
    }

    #[test]
    fn anomalies_and_connections_have_their_columns() {
        let mut out = Vec::new();
        anomalies(&mut out, [samples::anomaly(), samples::plain_anomaly()]).unwrap();
        let rows = parse(&out);
        assert_eq!((value(&rows, 1, "flow_src"), value(&rows, 1, "flow_src_port")), ("10.0.15.35", "51148"));
        assert_eq!(value(&rows, 2, "message"), "'=3 times \"more\", or\tso\\\n than usual");
        let mut out = Vec::new();
        connections(&mut out, samples::connections()).unwrap();
        let rows = parse(&out);
        assert_eq!((value(&rows, 3, "src"), value(&rows, 3, "dst_port")), ("2001:db8::1", "53"));
        assert_eq!((value(&rows, 1, "received_missed_bytes"), value(&rows, 2, "service")), ("100", ""));
    }

    #[test]
    fn a_table_without_rows_has_its_header() {
        let mut out = Vec::new();
        connections(&mut out, Vec::<Connection>::new()).unwrap();
        assert_eq!(parse(&out).len(), 1);
    }
}
