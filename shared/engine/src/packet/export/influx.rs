//! `InfluxDB` line protocol: `trafficlab_window`, `trafficlab_anomaly` and `trafficlab_connection`, one point a line,
//! with nanosecond timestamps: the beginning of the window or of the connection.
//!
//! A point is identified by its measurement, tags and time, so the tags hold what tells two records of a moment apart.

use std::borrow::Borrow;
use std::io::{Result, Write};

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

use super::figures::seconds_between;
use super::row::{self, Cell, Row};

/// Tags that every point of an export carries, such as the capture's id.
pub type Tags<'a> = &'a [(&'a str, &'a str)];

/// Writes windows with their ids.
///
/// # Errors
/// What the writer says.
pub fn windows<W: Borrow<Window>>(out: impl Write, windows: impl IntoIterator<Item = (u64, W)>) -> Result<()> {
    windows_tagged(out, &[], windows)
}

/// As `windows`, with further tags.
///
/// # Errors
/// What the writer says.
pub fn windows_tagged<W: Borrow<Window>>(
    mut out: impl Write,
    tags: Tags<'_>,
    windows: impl IntoIterator<Item = (u64, W)>,
) -> Result<()> {
    windows.into_iter().try_for_each(|(id, window)| {
        let window = window.borrow();
        let length = seconds_between(window.start_ns, window.end_ns).to_string();
        let own = [("window_seconds", length.as_str())];
        let row = row::window(id, window);
        point(&mut out, "trafficlab_window", tags.iter().chain(&own), &row, window.start_ns)
    })
}

/// Writes anomalies.
///
/// # Errors
/// What the writer says.
pub fn anomalies<A: Borrow<Anomaly>>(out: impl Write, anomalies: impl IntoIterator<Item = A>) -> Result<()> {
    anomalies_tagged(out, &[], anomalies)
}

/// As `anomalies`, with further tags.
///
/// # Errors
/// What the writer says.
pub fn anomalies_tagged<A: Borrow<Anomaly>>(
    mut out: impl Write,
    tags: Tags<'_>,
    anomalies: impl IntoIterator<Item = A>,
) -> Result<()> {
    anomalies.into_iter().try_for_each(|anomaly| {
        let anomaly = anomaly.borrow();
        let own = [
            ("type", anomaly.kind.as_str()),
            ("severity", anomaly.severity.as_str()),
            ("metric", &anomaly.metric),
            ("src", anomaly.flow_src.as_deref().unwrap_or("")),
            ("dst", anomaly.flow_dst.as_deref().unwrap_or("")),
            ("proto", anomaly.protocol.as_deref().unwrap_or("")),
        ];
        let mut row = row::anomaly(anomaly);
        row.retain(|(name, _)| !matches!(*name, "type" | "severity" | "metric" | "protocol"));
        point(&mut out, "trafficlab_anomaly", tags.iter().chain(&own), &row, anomaly.start_ns)
    })
}

/// Writes connections.
///
/// # Errors
/// What the writer says.
pub fn connections<C: Borrow<Connection>>(out: impl Write, connections: impl IntoIterator<Item = C>) -> Result<()> {
    connections_tagged(out, &[], connections)
}

/// As `connections`, with further tags.
///
/// # Errors
/// What the writer says.
pub fn connections_tagged<C: Borrow<Connection>>(
    mut out: impl Write,
    tags: Tags<'_>,
    connections: impl IntoIterator<Item = C>,
) -> Result<()> {
    const AS_TAGS: [&str; 7] = ["protocol", "src", "src_port", "dst", "dst_port", "service", "state"];
    connections.into_iter().try_for_each(|connection| {
        let of = connection.borrow();
        let [src, dst] = [of.src, of.dst].map(|address| address.to_string());
        let [src_port, dst_port] = [of.src_port, of.dst_port].map(|port| port.to_string());
        let own = [
            ("proto", of.protocol.as_str()),
            ("src", &src),
            ("src_port", &src_port),
            ("dst", &dst),
            ("dst_port", &dst_port),
            ("service", of.service.as_deref().unwrap_or("")),
            ("state", &of.state),
        ];
        let mut row = row::connection(of);
        row.retain(|(name, _)| !AS_TAGS.contains(name));
        point(&mut out, "trafficlab_connection", tags.iter().chain(&own), &row, of.first_ns)
    })
}

/// One line; tags and fields without a value are left out, as the protocol wants it.
fn point<'a>(
    out: &mut impl Write,
    measurement: &str,
    tags: impl Iterator<Item = &'a (&'a str, &'a str)>,
    row: &Row<'_>,
    time_ns: i64,
) -> Result<()> {
    out.write_all(measurement.as_bytes())?;
    for (name, value) in tags.filter(|(_, value)| !value.is_empty()) {
        write!(out, ",{}={}", tag(name), tag(value))?;
    }
    let mut separator = ' ';
    for (name, cell) in row {
        let value = match cell {
            Cell::Whole(Some(value)) => format!("{value}i"),
            Cell::Real(Some(value)) if value.is_finite() => value.to_string(),
            Cell::Text(Some(value)) => format!("\"{}\"", field(value)),
            Cell::Time(ns) => format!("{ns}i"),
            Cell::Whole(None) | Cell::Real(_) | Cell::Text(None) => continue,
        };
        write!(out, "{separator}{name}={value}")?;
        separator = ',';
    }
    writeln!(out, " {time_ns}")
}

/// A tag's name or value: comma, equals sign and space are escaped, a line break cannot be and becomes a space, and a
/// backslash at the end would escape what follows.
fn tag(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.trim_end_matches('\\').chars() {
        match letter {
            ',' | '=' | ' ' => out.extend(['\\', letter]),
            '\n' | '\r' | '\t' => out.push_str("\\ "),
            other => out.push(other),
        }
    }
    out
}

/// A text field between quotes.
fn field(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;
    use crate::packet::export::samples;

    fn lines(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Vec<String> {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_window_is_a_point() {
        let shown = lines(|out| windows_tagged(out, &[("capture", "a b,c=d\\")], [(4, samples::window())]));
        let line = shown.first().unwrap();
        assert!(line.starts_with("trafficlab_window,capture=a\\ b\\,c\\=d,window_seconds=10 window_id=4i,"), "{line}");
        assert!(line.ends_with(" 1700000000123456789"), "{line}");
        for part in [",avg_bps=9568,", ",p95_rtt_ms=90.1,", ",tcp_packets=340i,", ",top_src=\"203.0.113.66\","] {
            assert!(line.contains(part), "{part}: {line}");
        }
        let empty = lines(|out| windows(out, [(0, Window::default())]));
        assert!(!empty.first().unwrap().contains("_rtt_ms"), "what was not measured is no field");
    }

    #[test]
    fn texts_are_escaped() {
        let shown = lines(|out| anomalies(out, [samples::plain_anomaly(), samples::anomaly()]));
        assert_eq!(shown.len(), 2, "a line break in a text makes no new line");
        let (plain, flow) = (shown.first().unwrap(), shown.last().unwrap());
        assert!(plain.contains(",message=\"=3 times \\\"more\\\", or\tso\\\\  than usual\","), "{plain}");
        assert!(plain.starts_with("trafficlab_anomaly,type=traffic_spike,severity=medium,metric=avg_bps window"));
        assert!(flow.contains(",src=10.0.15.35:51148,dst=192.178.223.188:5228,proto=tcp "), "{flow}");
    }

    #[test]
    fn connections_are_told_apart_by_tags() {
        let shown = lines(|out| connections(out, samples::connections()));
        let mut points: Vec<&str> = shown.iter().filter_map(|line| line.split(' ').next()).collect();
        points.sort_unstable();
        points.dedup();
        assert_eq!(points.len(), 3);
        assert!(shown.iter().any(|line| line.contains(",src=2001:db8::1,src_port=40000,dst=2001:db8::2,")));
    }
}
