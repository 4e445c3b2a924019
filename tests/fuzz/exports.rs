//! The messages and stored records of exports: one value of each, the same in every run.

use std::sync::Arc;

use bytes::Bytes;
use coordinator::adops::Who;
use coordinator::adops::exports::{Export, Over};
use coordinator::store::captures::CaptureState;
use coordinator::store::exports::ExportJobRow;
use trafficlab_engine::ads::day::{Day, Days};
use trafficlab_shared::model::export::{ExportColumn, ExportFormat, ExportSpec, ExportTable};
use trafficlab_shared::protocol::export::{ExportEvent, ExportJob, ExportRecord, KnownExport};
use trafficlab_shared::protocol::report::{Delivery, EndReason};

use super::samples;

const JOB: &str = "01976a2e-7c1b-7a55-9d43-5b0d6a4f0c41";
const CREATED: u64 = 1_767_225_601_000_000_000;

fn spec() -> ExportSpec {
    let columns = vec![ExportColumn::Date, ExportColumn::CampaignId, ExportColumn::Spend, ExportColumn::Roas];
    ExportSpec { table: ExportTable::Metrics, format: ExportFormat::Parquet, columns, rows: 450 }
}

pub(super) fn job() -> ExportJob {
    let known = KnownExport { started: true, epoch: 2 };
    ExportJob { v: 1, job: JOB.into(), spec: Arc::new(spec()), attempt: 3, revision: 1, known }
}

pub(super) fn records() -> Vec<(&'static str, ExportRecord)> {
    let record = |event, from, output: &'static [u8]| ExportRecord {
        v: 1,
        job: JOB.into(),
        epoch: 3,
        worker: "w1".into(),
        delivery: Delivery { sequence: 77, count: 2 },
        revision: 1,
        event,
        starts: 2,
        rows: 450,
        from,
        output: Bytes::from_static(output),
    };
    let failed = ExportEvent::Failed { reason: "the rows of the export cannot be read".into(), attempts: 2 };
    vec![
        ("start", record(ExportEvent::Start, 0, b"")),
        ("batch", record(ExportEvent::Batch, 4, b"PAR1")),
        ("yield", record(ExportEvent::Yield, 8, b"")),
        ("end", record(ExportEvent::End { reason: EndReason::Completed }, 8, b"")),
        ("failed", record(failed, 8, b"")),
    ]
}

pub(super) fn export() -> Export {
    Export {
        spec: spec(),
        days: Days { first: Day(19_723), last: Day(20_088) },
        who: Who::System,
        created_ns: CREATED,
        links: vec![[7; 32]],
        over: Some(Over {
            state: CaptureState::Failed,
            bytes: 15_420,
            rows: 450,
            ended_ns: CREATED + 5,
            reason: Some("no worker finished it within a day".into()),
        }),
    }
}

pub(super) fn row() -> ExportJobRow {
    ExportJobRow {
        job: JOB.into(),
        spec: spec(),
        desired: samples::desired(),
        state: CaptureState::Done,
        reason: Some("none".into()),
        worker: "w1".into(),
        epoch: 3,
        bytes: 15_420,
        rows: 450,
        sequence: 99,
        stored_ns: CREATED + 4,
        created_ns: CREATED,
        ended_ns: Some(CREATED + 5),
        cleared: true,
    }
}
