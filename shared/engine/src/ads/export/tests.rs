//! Files hold what the input holds.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]

use std::borrow::Cow;

use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::RowAccessor as _;
use proptest::prelude::*;
use serde_json::Value;
use trafficlab_shared::model::export::{ExportColumn as C, ExportTable};

use super::input::{Campaign, ROWS, Writer};
use super::*;
use crate::ads::day::Day;
use crate::ads::figures::Figures;
use crate::ads::money::Currency;

const CREATED: u64 = 1_763_800_000_123_000_000;

fn campaign(id: u64, name: &str) -> Campaign<'_> {
    Campaign {
        id,
        name: name.into(),
        platform: "meta".into(),
        status: "active".into(),
        objective: None,
        external_id: Some("238".into()),
        account_id: None,
        currency: Currency::USD,
        daily_budget: Some(50_000),
        lifetime_budget: None,
        start: Day::parse("2024-06-01"),
        end: None,
        labels: Cow::Owned(vec!["summer".to_owned(), "sale".to_owned()]),
        created_ns: CREATED,
        updated_ns: CREATED,
    }
}

const FIGURES: Figures =
    Figures { impressions: 125_000, clicks: 4500, conversions_milli: 180_500, spend: 325_050, revenue: 980_000 };

type Rows<'a> = Vec<(Campaign<'a>, Vec<(Option<Day>, Figures)>)>;

fn input(rows: &Rows<'_>) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new());
    rows.iter().for_each(|(campaign, days)| writer.push(campaign, days.iter().copied()).unwrap());
    let (bytes, count) = writer.finish().unwrap();
    assert_eq!(count, rows.iter().map(|(_, days)| days.len() as u64).sum::<u64>());
    bytes
}

fn file(table: ExportTable, format: ExportFormat, columns: Vec<C>, input: &[u8]) -> (Vec<u8>, u64) {
    let mut out = Vec::new();
    let rows = write(&ExportSpec { table, format, columns, rows: 0 }, input, &mut out, |_| ()).unwrap();
    (out, rows)
}

fn csv(columns: &[C], rows: &Rows<'_>) -> Vec<Vec<String>> {
    let (bytes, _) = file(ExportTable::Campaigns, ExportFormat::Csv, columns.to_vec(), &input(rows));
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(bytes.as_slice());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn csv_has_the_columns_asked_for_in_their_order() {
    let columns = [C::Roas, C::Name, C::Spend, C::Conversions, C::Labels, C::StartDate, C::EndDate, C::CreatedAt];
    let yen = Campaign { currency: Currency::parse("JPY").unwrap(), ..campaign(2, "b") };
    let rows = vec![
        (campaign(1, "Summer, \"Sale\""), vec![(None, FIGURES)]),
        (yen, vec![(None, Figures { spend: 1200, ..Figures::default() })]),
        (campaign(3, "nothing"), vec![(None, Figures::default())]),
    ];
    let read = csv(&columns, &rows);
    assert_eq!(read[0], ["roas", "name", "spend", "conversions", "labels", "start_date", "end_date", "created_at"]);
    let first = ["3.0149", "Summer, \"Sale\"", "3250.50", "180.5", "summer;sale", "2024-06-01", ""];
    assert_eq!(read[1][..7], first);
    assert!(read[1][7].starts_with("2025-11-22T08:26:40.123"), "{}", read[1][7]);
    assert_eq!(read[2][..4], ["0", "b", "1200", "0"], "yen have no digits after the point");
    assert_eq!(read[3][..4], ["", "nothing", "0.00", "0"], "a ratio that is none is empty");
}

#[test]
fn cells_that_a_spreadsheet_would_compute_are_neutralised() {
    // checklist 49
    for name in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\r=1"] {
        let read = csv(&[C::Name, C::Impressions], &vec![(campaign(1, name), vec![(None, FIGURES)])]);
        assert_eq!(read[1], [format!("'{name}"), "125000".to_owned()]);
    }
    let read = csv(
        &[C::Labels],
        &vec![(Campaign { labels: Cow::Owned(vec!["=cmd".to_owned()]), ..campaign(1, "x") }, vec![(None, FIGURES)])],
    );
    assert_eq!(read[1], ["'=cmd"]);
}

proptest! {
    #[test]
    fn any_name_comes_back_from_csv(name in any::<String>()) {
        // checklist 49
        let read = csv(&[C::Id, C::Name], &vec![(campaign(7, &name), vec![(None, FIGURES)])]);
        prop_assert_eq!(read.len(), 2);
        let formula = name.starts_with(['=', '+', '-', '@', '\t', '\r']);
        prop_assert_eq!(&read[1][1], &if formula { format!("'{name}") } else { name });
    }

    #[test]
    fn damaged_input_is_an_error_and_no_panic(place in any::<prop::sample::Index>(), bit in 0..8_u8, cut in any::<prop::sample::Index>()) {
        let mut bytes = input(&vec![(campaign(1, "a"), vec![(None, FIGURES); 40])]);
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        bytes.truncate(cut.index(bytes.len()));
        let spec = ExportSpec { table: ExportTable::Campaigns, format: ExportFormat::Csv, columns: vec![C::Id], rows: 0 };
        if let Ok(rows) = write(&spec, bytes.as_slice(), std::io::sink(), |_| ()) {
            prop_assert!(rows <= 40);
        }
    }
}

#[test]
fn ndjson_has_exact_numbers_and_nulls() {
    let columns = vec![C::Date, C::CampaignId, C::Spend, C::Conversions, C::Roas, C::Objective, C::Labels];
    let day = Day::parse("2024-02-29");
    let rows = vec![(campaign(5, "a"), vec![(day, FIGURES), (day, Figures::default())])];
    let (bytes, count) = file(ExportTable::Metrics, ExportFormat::Ndjson, columns, &input(&rows));
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((count, lines.len()), (2, 2));
    assert!(text.contains("\"spend\":3250.50,"), "{text}");
    assert_eq!((&lines[0]["date"], &lines[0]["campaign_id"]), (&"2024-02-29".into(), &5.into()));
    assert_eq!((&lines[0]["conversions"], &lines[0]["roas"]), (&180.5.into(), &3.0149.into()));
    assert_eq!((&lines[1]["conversions"], &lines[1]["roas"]), (&0.into(), &Value::Null));
    assert_eq!(lines[0]["labels"], serde_json::json!(["summer", "sale"]));
}

#[test]
fn parquet_has_types_and_groups() {
    let columns = ExportTable::Metrics.usual();
    let days = (0..40_000).map(|day| (Some(Day(day)), FIGURES)).collect();
    let (bytes, count) =
        file(ExportTable::Metrics, ExportFormat::Parquet, columns, &input(&vec![(campaign(9, "n"), days)]));
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    assert_eq!((count, reader.num_row_groups()), (40_000, 2), "a group has {} rows", parquet::GROUP);
    let row = reader.get_row_iter(None).unwrap().nth(39_999).unwrap().unwrap();
    let place = |name: &str| row.get_column_iter().position(|(column, _)| column == name).unwrap();
    assert_eq!(row.get_long(place("campaign_id")).unwrap(), 9);
    let spend = row.get_decimal(place("spend")).unwrap();
    assert_eq!((spend.scale(), spend.precision()), (4, 38));
    assert_eq!(i128::from_be_bytes(spend.data().try_into().unwrap()), 32_505_000);
    let conversions = row.get_decimal(place("conversions")).unwrap();
    assert_eq!(i128::from_be_bytes(conversions.data().try_into().unwrap()), 1_805_000);
    assert!((row.get_double(place("roas")).unwrap() - 3.0149).abs() < 1e-12);
    assert_eq!(row.get_string(place("campaign_name")).unwrap(), "n");
    let shown = row.get_column_iter().find(|(name, _)| *name == "date").unwrap().1.to_string();
    assert_eq!(shown, Day(39_999).to_string());
}

#[test]
fn pieces_are_bounded_whatever_comes() {
    // checklist 49: a million rows pass through pieces of at most so many.
    let count = 1_000_000;
    let mut writer = Writer::new(Vec::new());
    let day = |day| (Some(Day(day % 700)), FIGURES);
    writer.push(&campaign(1, "a"), (0..count).map(day)).unwrap();
    let (bytes, _) = writer.finish().unwrap();
    let pieces = Pieces::new(bytes.as_slice()).map(|piece| piece.unwrap().rows().count());
    let sizes: Vec<usize> = pieces.collect();
    assert_eq!(sizes.iter().sum::<usize>(), usize::try_from(count).unwrap());
    assert!(sizes.iter().all(|size| *size <= ROWS), "{sizes:?}");
    let long = "x".repeat(60_000);
    let rows: Rows<'_> = (0..100).map(|id| (campaign(id, &long), vec![(None, FIGURES)])).collect();
    assert!(Pieces::new(input(&rows).as_slice()).count() >= 5, "long texts make small pieces");
}

#[test]
fn nothing_is_a_file_with_a_header() {
    let empty = input(&Vec::new());
    assert!(empty.is_empty());
    assert_eq!(csv(&[C::Id, C::Spend], &Vec::new()), [["id", "spend"]]);
    let (bytes, rows) = file(ExportTable::Campaigns, ExportFormat::Parquet, vec![C::Id], &empty);
    let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
    assert_eq!((rows, reader.metadata().file_metadata().num_rows()), (0, 0));
    assert_eq!(file(ExportTable::Campaigns, ExportFormat::Ndjson, vec![C::Id], &empty), (Vec::new(), 0));
}

#[test]
fn input_that_is_cut_off_is_an_error() {
    let bytes = input(&vec![(campaign(1, "a"), vec![(None, FIGURES)])]);
    let spec = ExportSpec { table: ExportTable::Campaigns, format: ExportFormat::Csv, columns: vec![C::Id], rows: 1 };
    for length in 1..bytes.len() {
        assert!(write(&spec, &bytes[..length], std::io::sink(), |_| ()).is_err(), "{length}");
    }
}
