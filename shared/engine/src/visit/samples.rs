//! Visits for tests.
#![allow(clippy::unwrap_used, reason = "test code")]

use proptest::prelude::*;

use super::column::{ColumnSet, Dict, Row, Traffic};
use super::data::{Columns, DAY_MS, SLICES, Slices};
use super::pack::Packer;
use super::record::{Acquisition, Agent, Page, Place, Visit};
use super::view::{RowView, dictionaries, for_each_row};

/// The day of all samples.
pub(crate) const DAY: i64 = 20_000;

/// A visit that owns its texts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample {
    pub(crate) time_ms: i64,
    pub(crate) visitor: u64,
    pub(crate) texts: Vec<String>,
    pub(crate) traffic: u8,
    pub(crate) revenue_micros: i64,
    pub(crate) event_id: u64,
}

impl Sample {
    pub(crate) fn visit(&self) -> Visit<'_> {
        let text = |at: usize| self.texts.get(at).map_or("", String::as_str);
        Visit {
            time_ms: self.time_ms,
            site: "a.example",
            visitor: self.visitor,
            page: Page { host: "a.example", path: text(0) },
            agent: Agent { browser: text(1), device: text(2), bot: text(3), ..Agent::default() },
            acquisition: Acquisition { source: text(4), click_kind: text(5), ..Acquisition::default() },
            place: Place { country: text(6), ..Place::default() },
            event: text(7),
            props: text(8),
            user: text(9),
            click: text(10),
            campaign: text(11),
            traffic: Traffic::from_byte(self.traffic).unwrap(),
            revenue_micros: self.revenue_micros,
            currency: text(12),
            event_id: self.event_id,
        }
    }
}

/// Visits of one day, of few visitors in few slices, so that there are equal ones.
pub(crate) fn visits() -> impl Strategy<Value = Vec<Sample>> {
    let time = (0..DAY_MS).prop_map(|time| DAY * DAY_MS + time);
    let near = (0..5_i64).prop_map(|time| DAY * DAY_MS + time);
    let visitor = (0..4_u64, 0..3_u64).prop_map(|(slice, visitor)| slice << 62 | visitor);
    let text = prop_oneof![3 => Just(String::new()), 3 => "[a-c]{1,2}", 1 => "\\PC{0,12}"];
    let texts = prop::collection::vec(text, 13);
    let money = prop_oneof![3 => Just(0), 1 => any::<i64>()];
    let id = prop_oneof![Just(0), any::<u64>()];
    let sample = (prop_oneof![time, near], visitor, texts, 0..3_u8, money, id);
    let sample = sample.prop_map(|(time_ms, visitor, texts, traffic, revenue_micros, event_id)| Sample {
        time_ms,
        visitor,
        texts,
        traffic,
        revenue_micros,
        event_id,
    });
    prop::collection::vec(sample, 0..60)
}

pub(crate) fn pack(samples: &[Sample]) -> (Packer, Vec<Row>) {
    let mut packer = Packer::default();
    let rows = samples.iter().map(|sample| packer.row(&sample.visit()).unwrap()).collect();
    (packer, rows)
}

/// What slices should hold of the samples: texts of the visits in the order of slices, without event ids.
pub(crate) fn expected(samples: &[Sample]) -> Vec<String> {
    let mut samples: Vec<&Sample> = samples.iter().collect();
    samples.sort_by_key(|sample| (sample.visitor, sample.time_ms));
    samples.iter().map(|sample| format!("{:?}", Visit { event_id: 0, ..sample.visit() })).collect()
}

/// What slices hold.
pub(crate) fn held(data: &dyn Slices) -> Vec<String> {
    let mut held = Vec::new();
    for_each_row(data, |row| {
        held.push(format!("{:?}", row.visit("a.example")));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    held
}

/// Every column asked for alone is what it is among all of them, and nothing else comes along.
pub(crate) fn check_columns(data: &dyn Slices) {
    let (mut all, mut some) = (Columns::default(), Columns::default());
    let texts = dictionaries(data).unwrap();
    for slice in (0..SLICES).flat_map(u8::try_from) {
        data.load(slice, ColumnSet::all(), &mut all).unwrap();
        for dict in Dict::ALL {
            data.load(slice, ColumnSet::default().with(dict), &mut some).unwrap();
            let mut expected =
                Columns { visitor: all.visitor.clone(), time_ms: all.time_ms.clone(), ..Columns::default() };
            expected.traffic = all.traffic.clone();
            *expected.codes.get_mut(dict.index()).unwrap() = all.codes.get(dict.index()).unwrap().clone();
            assert_eq!(some, expected);
            let length = texts.get(dict.index()).unwrap().len();
            let view = |at| usize::try_from(RowView::new(&some, at, &texts).code(dict)).unwrap();
            assert!((0..some.len()).all(|at| dict == Dict::Site || view(at) < length));
        }
        data.load(slice, ColumnSet::default().with_revenue(), &mut some).unwrap();
        assert_eq!((&some.revenue_micros, some.codes.iter().all(Vec::is_empty)), (&all.revenue_micros, true));
    }
}
