//! Zeek's logs in its tab-separated form: `conn.log` with the `vlan` column of Zeek's own vlan-logging policy, and
//! `notice.log` for anomalies. Written after the Zeek documentation of `Conn::Info`, `Notice::Info` and the ASCII writer.
//!
//! `service` is the name of the well-known port, not the result of Zeek's protocol detection; `local_orig` and
//! `local_resp` are unset, since no local networks are configured. Durations and byte counts of connections without a
//! duration are unset, as Zeek leaves them. `#open` and `#close` are times of the data, so that the same data gives the
//! same bytes.

use std::borrow::Borrow;
use std::fmt::Write as _;
use std::io::{Result, Write};

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind};
use trafficlab_shared::model::capture::connection::Connection;

use super::figures::{decimal_seconds, ends};
use super::identity::uid;
use crate::traffic::render::push_rfc3339;

const UNSET: &str = "-";

/// Columns of `conn.log` with their Zeek types.
const CONN: [(&str, &str); 22] = [
    ("ts", "time"),
    ("uid", "string"),
    ("id.orig_h", "addr"),
    ("id.orig_p", "port"),
    ("id.resp_h", "addr"),
    ("id.resp_p", "port"),
    ("proto", "enum"),
    ("service", "string"),
    ("duration", "interval"),
    ("orig_bytes", "count"),
    ("resp_bytes", "count"),
    ("conn_state", "string"),
    ("local_orig", "bool"),
    ("local_resp", "bool"),
    ("missed_bytes", "count"),
    ("history", "string"),
    ("orig_pkts", "count"),
    ("orig_ip_bytes", "count"),
    ("resp_pkts", "count"),
    ("resp_ip_bytes", "count"),
    ("tunnel_parents", "set[string]"),
    ("vlan", "int"),
];

/// Columns of `notice.log` with their Zeek types.
const NOTICE: [(&str, &str); 10] = [
    ("ts", "time"),
    ("proto", "enum"),
    ("note", "enum"),
    ("msg", "string"),
    ("sub", "string"),
    ("src", "addr"),
    ("dst", "addr"),
    ("p", "port"),
    ("n", "count"),
    ("peer_descr", "string"),
];

/// Writes connections as `conn.log`.
///
/// # Errors
/// What the writer says.
pub fn connections<C: Borrow<Connection>>(mut out: impl Write, connections: impl IntoIterator<Item = C>) -> Result<()> {
    let mut connections = connections.into_iter().peekable();
    header(&mut out, "conn", &CONN, connections.peek().map(|first| first.borrow().first_ns))?;
    let mut latest = None;
    for connection in connections {
        let connection = connection.borrow();
        latest = latest.max(Some(connection.last_ns));
        conn_line(&mut out, connection)?;
    }
    close(&mut out, latest)
}

/// Writes anomalies as `notice.log`; the note is `TrafficLab::Port_Scan` and the like.
///
/// # Errors
/// What the writer says.
pub fn anomalies<A: Borrow<Anomaly>>(mut out: impl Write, anomalies: impl IntoIterator<Item = A>) -> Result<()> {
    let mut anomalies = anomalies.into_iter().peekable();
    header(&mut out, "notice", &NOTICE, anomalies.peek().map(|first| first.borrow().start_ns))?;
    let mut latest = None;
    for anomaly in anomalies {
        let anomaly = anomaly.borrow();
        latest = latest.max(Some(anomaly.end_ns));
        notice_line(&mut out, anomaly)?;
    }
    close(&mut out, latest)
}

fn header(out: &mut impl Write, path: &str, columns: &[(&str, &str)], open_ns: Option<i64>) -> Result<()> {
    write!(out, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t{UNSET}\n#path\t{path}\n")?;
    if let Some(open) = open_ns {
        writeln!(out, "#open\t{}", moment(open))?;
    }
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let types: Vec<&str> = columns.iter().map(|(_, of)| *of).collect();
    writeln!(out, "#fields\t{}\n#types\t{}", names.join("\t"), types.join("\t"))
}

fn close(out: &mut impl Write, latest_ns: Option<i64>) -> Result<()> {
    latest_ns.map_or(Ok(()), |latest| writeln!(out, "#close\t{}", moment(latest)))
}

/// `2026-01-09-17-41-06`, UTC.
fn moment(ns: i64) -> String {
    let mut text = Vec::new();
    push_rfc3339(&mut text, u64::try_from(ns).unwrap_or(0));
    let seconds = text.iter().take(19).map(|letter| if letter.is_ascii_digit() { char::from(*letter) } else { '-' });
    seconds.collect()
}

fn conn_line(out: &mut impl Write, of: &Connection) -> Result<()> {
    let lasted = of.last_ns.saturating_sub(of.first_ns);
    let with_duration = |text: String| if lasted > 0 { text } else { UNSET.to_owned() };
    let line: [String; CONN.len()] = [
        decimal_seconds(of.first_ns, 6),
        uid(of),
        of.src.to_string(),
        of.src_port.to_string(),
        of.dst.to_string(),
        of.dst_port.to_string(),
        escaped(&of.protocol),
        of.service.as_deref().map_or_else(|| UNSET.to_owned(), escaped),
        with_duration(decimal_seconds(lasted, 6)),
        with_duration(of.sent.payload.to_string()),
        with_duration(of.received.payload.to_string()),
        escaped(&of.state),
        UNSET.to_owned(),
        UNSET.to_owned(),
        (of.sent.missed_bytes + of.received.missed_bytes).to_string(),
        if of.history.is_empty() { UNSET.to_owned() } else { escaped(&of.history) },
        of.sent.packets.to_string(),
        of.sent.ip_bytes.to_string(),
        of.received.packets.to_string(),
        of.received.ip_bytes.to_string(),
        UNSET.to_owned(),
        of.vlan.map_or_else(|| UNSET.to_owned(), |vlan| vlan.to_string()),
    ];
    writeln!(out, "{}", line.join("\t"))
}

fn notice_line(out: &mut impl Write, of: &Anomaly) -> Result<()> {
    let [src, dst] = ends(of);
    // A scan may name a port instead of a host as its victim, which is no address.
    let address = |end: Option<(&str, Option<u16>)>| {
        let known = end.filter(|(address, _)| address.parse::<std::net::IpAddr>().is_ok());
        known.map_or_else(|| UNSET.to_owned(), |(address, _)| address.to_owned())
    };
    let port = dst.and_then(|(_, port)| port).map_or_else(|| UNSET.to_owned(), |port| port.to_string());
    let line: [String; NOTICE.len()] = [
        decimal_seconds(of.start_ns, 6),
        of.protocol.as_deref().map_or_else(|| UNSET.to_owned(), escaped),
        format!("TrafficLab::{}", note(of.kind)),
        escaped(&of.message),
        escaped(&format!("{} {} of {} {}", of.metric, of.current_value, of.threshold, of.severity.as_str())),
        address(src),
        address(dst),
        port,
        UNSET.to_owned(),
        UNSET.to_owned(),
    ];
    writeln!(out, "{}", line.join("\t"))
}

const fn note(kind: AnomalyKind) -> &'static str {
    match kind {
        AnomalyKind::TrafficSpike => "Traffic_Spike",
        AnomalyKind::PortScan => "Port_Scan",
        AnomalyKind::HighLatency => "High_Latency",
        AnomalyKind::PacketLoss => "Packet_Loss",
        AnomalyKind::ProtocolAnomaly => "Protocol_Anomaly",
        AnomalyKind::LongLivedConn => "Long_Lived_Connection",
    }
}

/// Text as the ASCII writer has it: control characters as `\xHH`, backslashes doubled, and nothing that would read as
/// unset or empty.
fn escaped(text: &str) -> String {
    match text {
        "" => return "(empty)".to_owned(),
        UNSET => return "\\x2d".to_owned(),
        "(empty)" => return "\\x28empty)".to_owned(),
        _ => {}
    }
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            control if control.is_ascii_control() => {
                // Writing into a text cannot fail.
                let written = write!(out, "\\x{:02x}", u32::from(control));
                debug_assert!(written.is_ok(), "a text takes every letter");
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use std::collections::BTreeMap;

    use super::*;
    use crate::packet::export::samples;

    /// A reader of Zeek's form: metadata, and lines by column.
    fn parse(out: &[u8]) -> (BTreeMap<String, String>, Vec<BTreeMap<String, String>>) {
        let text = std::str::from_utf8(out).unwrap();
        assert!(text.starts_with("#separator \\x09\n"));
        let (mut meta, mut lines) = (BTreeMap::new(), Vec::new());
        for line in text.lines().skip(1) {
            if let Some((name, value)) = line.strip_prefix('#').and_then(|line| line.split_once('\t')) {
                meta.insert(name.to_owned(), value.to_owned());
                continue;
            }
            let columns: Vec<&str> = meta["fields"].split('\t').collect();
            let cells: Vec<&str> = line.split('\t').collect();
            assert_eq!((cells.len(), meta["types"].split('\t').count()), (columns.len(), columns.len()), "{line}");
            lines.push(columns.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect());
        }
        (meta, lines)
    }

    #[test]
    fn connections_are_a_conn_log() {
        let mut out = Vec::new();
        connections(&mut out, samples::connections()).unwrap();
        let (meta, lines) = parse(&out);
        assert_eq!((meta["path"].as_str(), meta["unset_field"].as_str()), ("conn", "-"));
        assert_eq!((meta["open"].as_str(), meta["close"].as_str()), ("2023-11-14-22-13-20", "2023-11-14-22-13-21"));
        let shown =
            |line: usize, names: &[&str]| names.iter().map(|name| lines[line][*name].clone()).collect::<Vec<_>>();
        let names = ["ts", "id.orig_p", "proto", "duration", "orig_bytes", "conn_state", "missed_bytes", "vlan"];
        assert_eq!(shown(0, &names), ["1700000000.123456", "40000", "tcp", "1.500000", "400", "SF", "100", "7"]);
        assert_eq!(shown(1, &names), ["1700000000.123456", "40000", "tcp", "-", "-", "S0", "0", "-"]);
        assert_eq!(shown(2, &["id.orig_h", "service", "tunnel_parents"]), ["2001:db8::1", "domain", "-"]);
    }

    #[test]
    fn anomalies_are_a_notice_log() {
        let mut out = Vec::new();
        anomalies(&mut out, [samples::anomaly(), samples::plain_anomaly()]).unwrap();
        let (_, lines) = parse(&out);
        let flow = &lines[0];
        assert_eq!((flow["note"].as_str(), flow["p"].as_str()), ("TrafficLab::Packet_Loss", "5228"));
        assert_eq!((flow["src"].as_str(), flow["dst"].as_str()), ("10.0.15.35", "192.178.223.188"));
        assert_eq!(lines[1]["msg"], "=3 times \"more\", or\\x09so\\\\\\x0a than usual");
        assert_eq!(lines[1]["src"], "-");
    }

    #[test]
    fn no_text_reads_as_unset_or_empty() {
        assert_eq!(
            [escaped("-"), escaped(""), escaped("(empty)"), escaped("a-b")],
            ["\\x2d", "(empty)", "\\x28empty)", "a-b"]
        );
    }

    #[test]
    fn a_log_without_lines_has_its_columns() {
        let mut out = Vec::new();
        connections(&mut out, Vec::<Connection>::new()).unwrap();
        let (meta, lines) = parse(&out);
        assert!(lines.is_empty() && meta.contains_key("fields") && !meta.contains_key("open"));
    }
}
