//! The stored records of alerts: one value of each, the same in every run.

use coordinator::store::alerts::{Alert, Delivery, DeliveryStatus, Quiet};

use super::stored_captures;

const CREATED: u64 = 1_767_225_601_000_000_000;

pub(super) fn alert() -> Alert {
    Alert {
        capture: "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c23".into(),
        capture_name: "uplink".into(),
        live: true,
        place: "eth0@probe".into(),
        key: "0123456789abcdef0123456789abcdef".into(),
        subject: "fedcba9876543210fedcba9876543210".into(),
        anomaly: stored_captures::anomaly(),
        suppressed: 3,
        created_ns: CREATED,
        attempts: 2,
        not_before_ns: CREATED + 5_000_000_000,
        error: Some("it answered 503".into()),
    }
}

pub(super) fn delivery() -> Delivery {
    Delivery { hook: "ops".into(), status: DeliveryStatus::Failed, at_ns: CREATED + 9, alert: alert() }
}

pub(super) fn quiet() -> Quiet {
    Quiet { told_ns: CREATED, suppressed: 7 }
}
