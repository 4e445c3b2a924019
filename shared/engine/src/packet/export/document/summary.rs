//! A whole capture as an object of the API.

use serde_json::{Value, json};
use trafficlab_shared::model::capture::summary::Summary;

use super::super::figures::{
    epoch_seconds, float, loss_percent, network, percent, rounded, seconds_between, tcp_flags, transport,
};
use super::{count_map, round_trips};

/// A summary. Rates are over the time from the earliest to the latest packet; null where that is nothing.
#[must_use]
pub fn summary(of: &Summary) -> Value {
    let lasted = of.min_ns.zip(of.max_ns).map(|(first, last)| seconds_between(first, last));
    let rate = |amount: f64| lasted.filter(|lasted| *lasted > 0.0).map(|lasted| rounded(amount / lasted, 6));
    json!({
        "format": of.format,
        "link_types": of.link_types,
        "packets": of.packets,
        "wire_bytes": of.wire_bytes,
        "captured_bytes": of.captured_bytes,
        "first_packet": of.first_ns.map(epoch_seconds),
        "min_packet": of.min_ns.map(epoch_seconds),
        "max_packet": of.max_ns.map(epoch_seconds),
        "first_ns": of.first_ns,
        "min_ns": of.min_ns,
        "max_ns": of.max_ns,
        "without_timestamp": of.without_timestamp,
        "duration_s": lasted.map(|lasted| rounded(lasted, 9)),
        "avg_bps": rate(float(of.wire_bytes) * 8.0),
        "avg_pps": rate(float(of.packets)),
        "windows": of.windows,
        "protocol": {
            "network": count_map(&network(&of.network)),
            "transport": count_map(&transport(&of.transport)),
            "distribution": shares(of),
            "services": of.services,
        },
        "top_src_bytes": of.top_src,
        "top_dst_bytes": of.top_dst,
        "tcp": count_map(&tcp_flags(&of.tcp)),
        "loss": {
            "data_segments": of.segments.data,
            "retransmitted": of.segments.retransmitted,
            "loss_percent": loss_percent(&of.segments),
        },
        "latency": round_trips(&of.latency),
        "connections": {
            "total": of.connections.total,
            "opened": of.connections.opened,
            "closed": of.connections.closed,
            "protocols": of.connections.protocols,
            "states": of.connections.states,
            "untold": of.connections_untold,
        },
        "conversations": {"tcp": of.tcp_conversations, "udp": of.udp_conversations, "tcp_streams": of.tcp_streams},
        "evicted_flows": of.evicted_flows,
        "drops": {"kernel": of.kernel_drops, "app": of.app_drops},
        "fault": of.fault,
        "exact": of.approximate.is_none(),
        "approximate": of.approximate,
    })
}

fn shares(of: &Summary) -> Value {
    let counts = transport(&of.transport);
    let present = counts.iter().filter(|(_, count)| *count > 0);
    present
        .map(|(name, count)| ((*name).to_owned(), json!(percent(*count, of.packets))))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trafficlab_shared::model::capture::summary::FileDamage;

    #[test]
    fn nothing_is_null_and_damage_is_told() {
        let empty = summary(&Summary::default());
        let at = |path: &str| empty.pointer(path).cloned();
        for path in ["/first_packet", "/duration_s", "/avg_bps", "/latency/p95_rtt", "/loss/loss_percent", "/fault"] {
            assert_eq!(at(path), Some(Value::Null), "{path}");
        }
        let damage = FileDamage { offset: 70_001, message: "cut short".to_owned() };
        let of = Summary {
            packets: 4,
            wire_bytes: 400,
            min_ns: Some(0),
            max_ns: Some(2_000_000_000),
            fault: Some(damage),
            ..Summary::default()
        };
        let shown = summary(&of);
        assert_eq!(shown.pointer("/fault/offset"), Some(&json!(70_001)));
        assert_eq!((shown.pointer("/avg_bps"), shown.pointer("/avg_pps")), (Some(&json!(1600.0)), Some(&json!(2.0))));
    }
}
