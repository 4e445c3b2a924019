//! The stored records of what is settled about visits: one value of each, the same in every run.

use coordinator::store::visit_imports::{ImportFormat, ImportState, ImportTally, VisitImport};
use coordinator::store::visit_settings::{FunnelRecord, GoalRecord, ShareRecord, Site, StepRecord, Target};
use coordinator::visits::store::{SealState, StoredPart};
use trafficlab_engine::visit::part::PartSummary;
use trafficlab_shared::config::UniqueMode;

const CREATED: u64 = 1_767_225_601_000_000_000;
const GOAL: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c31";

pub(super) fn site() -> Site {
    Site {
        domain: "shop.example".into(),
        timezone: "Europe/Berlin".into(),
        keep_days: Some(90),
        respect_dnt: Some(false),
        unique_mode: Some(UniqueMode::Masked),
        excluded_paths: vec!["/admin/**".into()],
        excluded_addresses: vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::1/128".parse().unwrap()],
        origins: vec!["https://www.shop.example".into()],
        visits_per_second: Some(500),
        hash_routing: true,
        added: true,
        created_ns: CREATED,
    }
}

pub(super) fn goal() -> GoalRecord {
    GoalRecord {
        id: GOAL.into(),
        name: "Purchase".into(),
        target: Target::Event("Purchase".into()),
        currency: Some("EUR".into()),
        created_ns: CREATED,
    }
}

pub(super) fn funnel() -> FunnelRecord {
    let first = StepRecord { name: "Visit /cart/**".into(), target: Target::Path("/cart/**".into()), goal: None };
    let last = StepRecord { name: "Purchase".into(), target: goal().target, goal: Some(GOAL.into()) };
    FunnelRecord {
        id: "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c32".into(),
        name: "Buying".into(),
        steps: vec![first, last],
        created_ns: CREATED,
    }
}

pub(super) fn share() -> ShareRecord {
    ShareRecord {
        id: "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c33".into(),
        site: "shop.example".into(),
        name: "for the board".into(),
        expires_ns: Some(CREATED + 1),
        created_ns: CREATED,
    }
}

pub(super) fn import() -> VisitImport {
    let mut tally = ImportTally { bytes: 1200, lines: 12, accepted: 6, ..ImportTally::default() };
    tally.skip("unreadable", "", 7, &"the time is not readable");
    VisitImport {
        name: "access.log.gz".into(),
        site: Some("shop.example".into()),
        format: ImportFormat::Nginx,
        dry_run: false,
        bytes: 4711,
        sha256: "00".repeat(32),
        state: ImportState::Running,
        error: None,
        created_ns: 1_767_225_601_000_000_000,
        ended_ns: None,
        tally,
    }
}

pub(super) fn part() -> StoredPart {
    let summary = PartSummary {
        day: 20_454,
        rows: 7,
        first_ms: 1_767_225_601_000,
        last_ms: 1_767_311_999_999,
        traffic: [4, 2, 1],
        bots: 3,
        bytes: 12_345,
    };
    StoredPart { site: "shop.example".into(), summary, created_ms: 1_767_312_000_123 }
}

pub(super) fn seal() -> SealState {
    SealState { log: 42, next_part: 1_234 }
}
