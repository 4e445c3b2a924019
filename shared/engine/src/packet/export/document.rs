//! The objects of the analyzer's API: windows, anomalies, baselines, connections. Their shape is settled here alone.
//!
//! Moments are seconds since 1970 with a fraction, and again as whole nanoseconds (`*_ns`); round trips are
//! milliseconds, null where nothing was measured. Fields are added, never renamed.

mod summary;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use trafficlab_shared::model::capture::anomaly::{Anomaly, BaselineUsed};
use trafficlab_shared::model::capture::baseline::{Baseline, Figures};
use trafficlab_shared::model::capture::connection::{Connection, Direction};
use trafficlab_shared::model::capture::counts::{Distribution, FlowEnds};
use trafficlab_shared::model::capture::window::Window;

use super::figures::{
    bits_per_second, epoch_seconds, loss_percent, millis, network, packets_per_second, percent, rounded,
    seconds_between, tcp_flags, transport,
};

pub use summary::summary;

/// A window under its id, which counts the stored ones from 0.
#[must_use]
pub fn window(window: &Window, id: u64) -> Value {
    let mut object = json!({
        "window_id": id,
        "window_index": window.index,
        "window_start": epoch_seconds(window.start_ns),
        "window_end": epoch_seconds(window.end_ns),
        "start_ns": window.start_ns,
        "end_ns": window.end_ns,
        "record_count": window.packets,
        "bandwidth": bandwidth(window),
        "latency": latency(window),
        "connections": connections(window),
        "protocol": protocol(window),
        "tcp": count_map(&tcp_flags(&window.tcp)),
        "loss": loss(window),
        "scans": window.scans,
        "long_lived": window.long_lived.iter().map(|long| with_ends(&long.flow, json!({
            "milestone_s": rounded(millis(long.milestone_ns) / 1e3, 6),
            "open_s": rounded(millis(long.open_ns) / 1e3, 6),
            "bytes": long.bytes,
        }))).collect::<Vec<_>>(),
        "drops": {"kernel": window.kernel_drops, "app": window.app_drops, "late": window.late_packets},
        "exact": window.approximate.is_none(),
    });
    if let (Some(object), Some(note)) = (object.as_object_mut(), &window.approximate) {
        object.insert("approximate".to_owned(), note.clone().into());
    }
    object
}

fn bandwidth(window: &Window) -> Value {
    json!({
        "avg_bps": bits_per_second(window),
        "avg_pps": packets_per_second(window),
        "duration_s": rounded(seconds_between(window.first_ns, window.last_ns), 6),
        "bytes": window.bytes,
        "captured_bytes": window.captured_bytes,
        "packets": window.packets,
        "first_packet": epoch_seconds(window.first_ns),
        "last_packet": epoch_seconds(window.last_ns),
        "top_src_bytes": window.top_src,
        "top_dst_bytes": window.top_dst,
        "top_flows": window.top_flows,
    })
}

fn latency(window: &Window) -> Value {
    let mut object = round_trips(&window.latency);
    for (name, of) in [
        ("handshake_server", &window.handshake_server),
        ("handshake_client", &window.handshake_client),
        ("wireshark", &window.rtt_wireshark),
    ] {
        object.insert(name.to_owned(), round_trips(of).into());
    }
    let slow = window
        .slow
        .iter()
        .map(|slow| with_ends(&slow.flow, json!({"samples": slow.count, "p95_rtt": rounded(millis(slow.p95_ns), 6)})));
    object.insert("slow_flows".to_owned(), slow.collect::<Vec<_>>().into());
    object.into()
}

/// Round trips in milliseconds, all null without samples.
#[must_use]
pub fn round_trips(of: &Distribution) -> Map<String, Value> {
    let measured = of.count > 0;
    let shown = |ms: f64| if measured { json!(rounded(ms, 6)) } else { Value::Null };
    [
        ("mean_rtt", shown(of.mean_ns / 1e6)),
        ("min_rtt", shown(millis(of.min_ns))),
        ("p50_rtt", shown(millis(of.p50_ns))),
        ("p95_rtt", shown(millis(of.p95_ns))),
        ("p99_rtt", shown(millis(of.p99_ns))),
        ("max_rtt", shown(millis(of.max_ns))),
        ("samples", json!(of.count)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

fn connections(window: &Window) -> Value {
    let seen = &window.connections;
    json!({
        "total": seen.total,
        "protocols": seen.protocols,
        "states": seen.states,
        "opened": seen.opened,
        "closed": seen.closed,
        "conversations": window.conversations,
    })
}

/// Packets and bytes by protocol, and the share of each in percent of the packets.
fn protocol(window: &Window) -> Value {
    let counts = transport(&window.transport);
    let share = |(name, count): &(&str, u64)| Some(((*name).to_owned(), percent(*count, window.packets)?));
    let shares: BTreeMap<String, f64> = counts.iter().filter(|(_, count)| *count > 0).filter_map(share).collect();
    json!({
        "network": count_map(&network(&window.network)),
        "transport": count_map(&counts),
        "transport_bytes": count_map(&transport(&window.transport_bytes)),
        "distribution": shares,
        "services": window.services,
    })
}

fn loss(window: &Window) -> Value {
    let flows = window.lossy.iter().map(|lossy| {
        let share = percent(lossy.retransmitted, lossy.sent);
        with_ends(&lossy.flow, json!({"sent": lossy.sent, "retransmitted": lossy.retransmitted, "loss_percent": share}))
    });
    json!({
        "data_segments": window.segments.data,
        "retransmitted": window.segments.retransmitted,
        "loss_percent": loss_percent(&window.segments),
        "flows": flows.collect::<Vec<_>>(),
    })
}

/// Names with their counts, zeros left out.
fn count_map(counts: &[(&str, u64)]) -> Value {
    let present = counts.iter().filter(|(_, count)| *count > 0);
    present.map(|(name, count)| ((*name).to_owned(), Value::from(*count))).collect::<Map<_, _>>().into()
}

fn with_ends(flow: &FlowEnds, rest: Value) -> Value {
    let mut object = json!({"protocol": flow.protocol, "src": flow.src, "dst": flow.dst});
    if let (Some(object), Value::Object(rest)) = (object.as_object_mut(), rest) {
        if let Some(vlan) = flow.vlan {
            object.insert("vlan".to_owned(), vlan.into());
        }
        object.extend(rest);
    }
    object
}

/// An anomaly.
#[must_use]
pub fn anomaly(anomaly: &Anomaly) -> Value {
    json!({
        "type": anomaly.kind.as_str(),
        "severity": anomaly.severity.as_str(),
        "window_index": anomaly.window_index,
        "window_start": epoch_seconds(anomaly.start_ns),
        "window_end": epoch_seconds(anomaly.end_ns),
        "message": anomaly.message,
        "metric": anomaly.metric,
        "current_value": rounded(anomaly.current_value, 6),
        "threshold": rounded(anomaly.threshold, 6),
        "flow_src": anomaly.flow_src,
        "flow_dst": anomaly.flow_dst,
        "protocol": anomaly.protocol,
        "baseline": baseline_used(&anomaly.baseline),
    })
}

fn baseline_used(used: &BaselineUsed) -> Value {
    let shown = |value: Option<f64>| value.map(|value| rounded(value, 6));
    json!({"source": used.source, "median": shown(used.median), "mad": shown(used.mad), "windows": used.windows})
}

/// A baseline: the figures of its main metric, further metrics, and for `protocol` the share of each.
#[must_use]
pub fn baseline(baseline: &Baseline) -> Value {
    let mut object = figures(&baseline.main);
    let further = baseline.further.iter().map(|(name, of)| (name.clone(), Value::from(figures(of))));
    object.insert("further".to_owned(), further.collect::<Map<_, _>>().into());
    object.into()
}

fn figures(of: &Figures) -> Map<String, Value> {
    let known = of.windows > 0;
    let shown = |value: f64| if known { json!(rounded(value, 6)) } else { Value::Null };
    [
        ("mean", shown(of.mean)),
        ("median", shown(of.median)),
        ("min", shown(of.min)),
        ("max", shown(of.max)),
        ("p95", shown(of.p95)),
        ("p99", shown(of.p99)),
        ("mad", shown(of.mad)),
        ("windows", json!(of.windows)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// A connection.
#[must_use]
pub fn connection(of: &Connection) -> Value {
    json!({
        "connection_id": of.id,
        "protocol": of.protocol,
        "src": of.src.to_string(),
        "src_port": of.src_port,
        "dst": of.dst.to_string(),
        "dst_port": of.dst_port,
        "vlan": of.vlan,
        "service": of.service,
        "start": epoch_seconds(of.first_ns),
        "end": epoch_seconds(of.last_ns),
        "start_ns": of.first_ns,
        "end_ns": of.last_ns,
        "duration_s": rounded(seconds_between(of.first_ns, of.last_ns), 9),
        "state": of.state,
        "history": of.history,
        "sent": direction(&of.sent),
        "received": direction(&of.received),
        "initial_rtt": of.initial_rtt_ns.map(|ns| rounded(millis(ns), 6)),
    })
}

fn direction(of: &Direction) -> Value {
    json!({
        "packets": of.packets,
        "ip_bytes": of.ip_bytes,
        "payload": of.payload,
        "data_segments": of.data_segments,
        "retransmitted": of.retransmitted,
        "missed_bytes": of.missed_bytes,
        "loss_percent": percent(of.retransmitted, of.data_segments),
    })
}

#[cfg(test)]
#[path = "document_tests.rs"]
mod tests;
