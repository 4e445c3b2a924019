//! Suricata's EVE JSON, one event a line: `flow` for connections, `alert` for anomalies, `stats` for windows.
//!
//! Written after the EVE format of Suricata's documentation. Bytes of a flow are counted from the IP header on. An
//! alert's signature ids, 1900001 and on, lie in the range that is set aside for local rules. Counters of `stats` run up
//! over the exported windows, with what the window itself added in the members that end in `_delta`.

use std::borrow::Borrow;
use std::io::{Result, Write};

use serde_json::{Map, Value, json};
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, Severity};
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

use super::figures::{ends, rounded};
use super::identity::flow_id;
use super::jsonl::line;
use crate::traffic::render::push_rfc3339;

/// Writes windows as `stats` events.
///
/// # Errors
/// What the writer says.
pub fn windows<W: Borrow<Window>>(mut out: impl Write, windows: impl IntoIterator<Item = (u64, W)>) -> Result<()> {
    let mut totals = Totals::default();
    windows.into_iter().try_for_each(|(id, window)| line(&mut out, &totals.stats(id, window.borrow())))
}

/// Writes anomalies as `alert` events.
///
/// # Errors
/// What the writer says.
pub fn anomalies<A: Borrow<Anomaly>>(mut out: impl Write, anomalies: impl IntoIterator<Item = A>) -> Result<()> {
    anomalies.into_iter().try_for_each(|anomaly| line(&mut out, &alert(anomaly.borrow())))
}

/// Writes connections as `flow` events.
///
/// # Errors
/// What the writer says.
pub fn connections<C: Borrow<Connection>>(mut out: impl Write, connections: impl IntoIterator<Item = C>) -> Result<()> {
    connections.into_iter().try_for_each(|connection| line(&mut out, &flow(connection.borrow())))
}

/// `2016-11-05T11:16:47.123456+0000`.
fn timestamp(ns: i64) -> String {
    let mut text = Vec::new();
    push_rfc3339(&mut text, u64::try_from(ns).unwrap_or(0));
    let text = String::from_utf8(text).unwrap_or_default();
    text.trim_end_matches('Z').to_owned() + "+0000"
}

/// Suricata's names of protocols.
fn proto(protocol: &str) -> String {
    match protocol {
        "icmpv6" => "IPv6-ICMP".to_owned(),
        other => other.to_uppercase(),
    }
}

fn flow(of: &Connection) -> Value {
    let mut event = json!({
        "timestamp": timestamp(of.last_ns),
        "flow_id": flow_id(of),
        "event_type": "flow",
        "src_ip": of.src.to_string(),
        "dest_ip": of.dst.to_string(),
        "proto": proto(&of.protocol),
        "flow": {
            "pkts_toserver": of.sent.packets,
            "pkts_toclient": of.received.packets,
            "bytes_toserver": of.sent.ip_bytes,
            "bytes_toclient": of.received.ip_bytes,
            "start": timestamp(of.first_ns),
            "end": timestamp(of.last_ns),
            "age": of.last_ns.saturating_sub(of.first_ns).max(0) / 1_000_000_000,
            "state": state(of),
            "reason": if state(of) == "closed" { "timeout" } else { "shutdown" },
            "alerted": false,
        },
    });
    if let Some(event) = event.as_object_mut() {
        let icmp = of.protocol.starts_with("icmp");
        let (src, dst) = if icmp { ("icmp_type", "icmp_code") } else { ("src_port", "dest_port") };
        event.insert(src.to_owned(), of.src_port.into());
        event.insert(dst.to_owned(), of.dst_port.into());
        event.extend(of.vlan.map(|vlan| ("vlan".to_owned(), json!([vlan]))));
        event.extend(of.service.as_deref().map(|service| ("app_proto".to_owned(), service.into())));
    }
    event
}

/// `new`, `established` or `closed`, from Zeek's state.
fn state(of: &Connection) -> &'static str {
    let answered = of.received.packets > 0;
    if of.protocol != "tcp" {
        return if answered { "established" } else { "new" };
    }
    match of.state.as_str() {
        "SF" | "REJ" | "RSTO" | "RSTR" | "RSTOS0" | "RSTRH" => "closed",
        "S1" | "S2" | "S3" | "OTH" => "established",
        _ => "new",
    }
}

fn alert(of: &Anomaly) -> Value {
    let mut event = json!({
        "timestamp": timestamp(of.start_ns),
        "event_type": "alert",
        "alert": {
            "action": "allowed",
            "gid": 1,
            "signature_id": signature(of.kind),
            "rev": 1,
            "signature": of.message,
            "category": of.kind.as_str(),
            "severity": match of.severity { Severity::High => 1, Severity::Medium => 2 },
            "metadata": {
                "metric": [of.metric],
                "current_value": [rounded(of.current_value, 6).to_string()],
                "threshold": [rounded(of.threshold, 6).to_string()],
                "baseline": [of.baseline.source],
            },
        },
    });
    if let Some(event) = event.as_object_mut() {
        let names = [("src_ip", "src_port"), ("dest_ip", "dest_port")];
        for ((address, port), name) in ends(of).into_iter().zip(names).filter_map(|(end, name)| Some((end?, name))) {
            event.insert(name.0.to_owned(), address.into());
            event.extend(port.map(|port| (name.1.to_owned(), port.into())));
        }
        event.extend(of.protocol.as_deref().map(|protocol| ("proto".to_owned(), proto(protocol).into())));
    }
    event
}

const fn signature(kind: AnomalyKind) -> u32 {
    match kind {
        AnomalyKind::TrafficSpike => 1_900_001,
        AnomalyKind::PortScan => 1_900_002,
        AnomalyKind::HighLatency => 1_900_003,
        AnomalyKind::PacketLoss => 1_900_004,
        AnomalyKind::ProtocolAnomaly => 1_900_005,
        AnomalyKind::LongLivedConn => 1_900_006,
    }
}

/// Sums over the windows written so far.
#[derive(Debug, Default)]
struct Totals {
    first_ns: Option<i64>,
    decoder: [u64; 8],
    capture: [u64; 2],
}

const DECODER: [&str; 8] = ["pkts", "bytes", "ipv4", "ipv6", "tcp", "udp", "icmpv4", "icmpv6"];
const CAPTURE: [&str; 2] = ["kernel_packets", "kernel_drops"];

impl Totals {
    fn stats(&mut self, id: u64, window: &Window) -> Value {
        let first = *self.first_ns.get_or_insert(window.start_ns);
        let (network, transport) = (&window.network, &window.transport);
        let decoded = [
            window.packets,
            window.bytes,
            network.ipv4,
            network.ipv6,
            transport.tcp,
            transport.udp,
            transport.icmp,
            transport.icmpv6,
        ];
        // What the kernel handed over or dropped: packets seen, those refused later, those dropped.
        let captured = [window.packets + window.app_drops + window.kernel_drops, window.kernel_drops];
        json!({
            "timestamp": timestamp(window.end_ns),
            "event_type": "stats",
            "stats": {
                "uptime": window.end_ns.saturating_sub(first).max(0) / 1_000_000_000,
                "window_id": id,
                "decoder": counters(&DECODER, &mut self.decoder, &decoded),
                "capture": counters(&CAPTURE, &mut self.capture, &captured),
            },
        })
    }
}

fn counters(names: &[&str], totals: &mut [u64], added: &[u64]) -> Value {
    let mut object = Map::new();
    for ((name, total), added) in names.iter().zip(totals).zip(added) {
        *total += added;
        object.insert((*name).to_owned(), (*total).into());
        object.insert(format!("{name}_delta"), (*added).into());
    }
    object.into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;
    use crate::packet::export::samples;

    fn events(write: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Vec<Value> {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn connections_are_flows() {
        let shown = events(|out| connections(out, samples::connections()));
        let whole = &shown[0];
        assert_eq!(whole["timestamp"], "2023-11-14T22:13:21.623456+0000");
        assert_eq!((&whole["event_type"], &whole["proto"]), (&json!("flow"), &json!("TCP")));
        assert_eq!(
            (&whole["src_port"], &whole["dest_port"], &whole["vlan"]),
            (&json!(40_000), &json!(443), &json!([7]))
        );
        let expected = json!({
            "pkts_toserver": 6, "pkts_toclient": 6, "bytes_toserver": 700, "bytes_toclient": 700,
            "start": "2023-11-14T22:13:20.123456+0000", "end": "2023-11-14T22:13:21.623456+0000",
            "age": 1, "state": "closed", "reason": "timeout", "alerted": false,
        });
        assert_eq!(whole["flow"], expected);
        assert_eq!(shown[1]["flow"]["state"], "new");
        assert_eq!((&shown[2]["flow"]["state"], &shown[2]["app_proto"]), (&json!("established"), &json!("domain")));
    }

    #[test]
    fn anomalies_are_alerts() {
        let shown = events(|out| anomalies(out, [samples::anomaly(), samples::plain_anomaly()]));
        assert_eq!((&shown[0]["src_ip"], &shown[0]["dest_port"]), (&json!("10.0.15.35"), &json!(5228)));
        assert_eq!(shown[0]["alert"]["severity"], 1);
        assert_eq!(shown[0]["alert"]["signature"], "High packet loss detected: 83.33% (5 retrans / 6 sent)");
        assert_eq!((shown[1]["alert"]["severity"].as_u64(), shown[1].get("src_ip")), (Some(2), None));
    }

    #[test]
    fn windows_are_counters_that_run_up() {
        let shown = events(|out| windows(out, [(0, samples::window()), (1, samples::window())]));
        let packets = |event: &Value| {
            (event["stats"]["decoder"]["pkts"].clone(), event["stats"]["decoder"]["pkts_delta"].clone())
        };
        assert_eq!(packets(&shown[0]), (json!(362), json!(362)));
        assert_eq!(packets(&shown[1]), (json!(724), json!(362)));
        assert_eq!(shown[0]["stats"]["capture"]["kernel_drops"], 2);
    }
}
