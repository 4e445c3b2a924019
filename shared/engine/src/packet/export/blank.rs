//! Empty records, whose rows name the columns of a table that may turn out to have no rows.

use std::net::{IpAddr, Ipv4Addr};

use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, BaselineUsed, Severity};
use trafficlab_shared::model::capture::connection::{Connection, Direction};

/// An anomaly without content.
pub(super) const fn anomaly() -> Anomaly {
    Anomaly {
        kind: AnomalyKind::TrafficSpike,
        severity: Severity::Medium,
        window_index: 0,
        start_ns: 0,
        end_ns: 0,
        message: String::new(),
        metric: String::new(),
        current_value: 0.0,
        threshold: 0.0,
        baseline: BaselineUsed { source: String::new(), median: None, mad: None, windows: None },
        flow_src: None,
        flow_dst: None,
        protocol: None,
    }
}

/// A connection without content.
pub(super) fn connection() -> Connection {
    let nobody = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    Connection {
        id: 0,
        protocol: String::new(),
        src: nobody,
        src_port: 0,
        dst: nobody,
        dst_port: 0,
        vlan: None,
        first_ns: 0,
        last_ns: 0,
        service: None,
        state: String::new(),
        history: String::new(),
        sent: Direction::default(),
        received: Direction::default(),
        initial_rtt_ns: None,
    }
}
