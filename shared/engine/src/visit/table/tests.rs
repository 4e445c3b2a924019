//! Tables hold what visits hold.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use ::parquet::file::reader::{FileReader as _, SerializedFileReader};
use ::parquet::record::RowAccessor as _;
use serde_json::{Value, json};

use super::*;
use crate::visit::column::Traffic;
use crate::visit::record::{Acquisition, Page};

fn visit() -> Visit<'static> {
    Visit {
        time_ms: 1_763_800_000_123,
        site: "a.example",
        visitor: 0xab,
        page: Page { host: "a.example", path: "/a,b \"c\"" },
        acquisition: Acquisition { source: "=1+1", ..Acquisition::default() },
        event: "Buy",
        props: "{\"plan\":\"big\",\"seats\":\"3\"}",
        user: "é",
        traffic: Traffic::Synthetic,
        revenue_micros: -12_340_000,
        currency: "EUR",
        ..Visit::default()
    }
}

fn written(format: Format, visits: &[Visit<'_>]) -> Vec<u8> {
    let mut table = Table::new(format, Vec::new()).unwrap();
    visits.iter().try_for_each(|visit| table.push(visit)).unwrap();
    table.finish().unwrap()
}

#[test]
fn csv_quotes_and_guards() {
    let text = String::from_utf8(written(Format::Csv, &[visit(), Visit::default()])).unwrap();
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines.len(), 4, "a header, two visits, and the end of the last line");
    assert!(lines[0].starts_with("time,site,visitor,event,hostname,page,referrer,source,"), "{}", lines[0]);
    let expected =
        "2025-11-22T08:26:40.123000Z,a.example,00000000000000ab,Buy,a.example,\"/a,b \"\"c\"\"\",,\"'=1+1\",,";
    assert!(lines[1].starts_with(expected), "{}", lines[1]);
    let expected = ",é,,synthetic,-12.34,EUR,\"{\"\"plan\"\":\"\"big\"\",\"\"seats\"\":\"\"3\"\"}\"";
    assert!(lines[1].ends_with(expected), "{}", lines[1]);
    assert!(lines[2].ends_with(",real,,,"), "{}", lines[2]);
}

#[test]
fn ndjson_has_objects_and_nulls() {
    let text =
        String::from_utf8(written(Format::Ndjson, &[visit(), Visit { props: "odd", ..Visit::default() }])).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["time"], "2025-11-22T08:26:40.123000Z");
    assert_eq!((&lines[0]["page"], &lines[0]["source"]), (&json!("/a,b \"c\""), &json!("=1+1")));
    assert_eq!(lines[0]["props"], json!({"plan": "big", "seats": "3"}));
    assert_eq!((&lines[0]["revenue"], &lines[0]["referrer"]), (&json!(-12.34), &Value::Null));
    assert_eq!((&lines[1]["revenue"], &lines[1]["props"]), (&Value::Null, &json!("odd")));
}

#[test]
fn parquet_has_types_and_groups() {
    let many: Vec<Visit<'_>> = std::iter::once(visit()).chain(vec![Visit::default(); parquet::GROUP]).collect();
    let reader = SerializedFileReader::new(bytes::Bytes::from(written(Format::Parquet, &many))).unwrap();
    assert_eq!(reader.num_row_groups(), 2);
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap()).collect();
    assert_eq!(rows.len(), many.len());
    let place = |name: &str| rows[0].get_column_iter().position(|(column, _)| column == name).unwrap();
    assert_eq!(rows[0].get_timestamp_millis(place("time")).unwrap(), 1_763_800_000_123);
    assert_eq!(rows[0].get_string(place("visitor")).unwrap(), "00000000000000ab");
    let money = rows[0].get_decimal(place("revenue")).unwrap();
    assert_eq!((money.scale(), money.precision()), (6, 18));
    assert_eq!(i64::from_be_bytes(money.data().try_into().unwrap()), -12_340_000);
    assert_eq!(rows[0].get_string(place("props")).unwrap(), visit().props);
    assert!(rows[1].get_string(place("page")).is_err(), "absent is null");
    assert_eq!(rows[1].get_string(place("traffic")).unwrap(), "real");
}

#[test]
fn long_texts_make_small_groups() {
    let long = "x".repeat(2048);
    let visits = vec![Visit { props: &long, user: &long, ..Visit::default() }; 3000];
    let reader = SerializedFileReader::new(bytes::Bytes::from(written(Format::Parquet, &visits))).unwrap();
    assert_eq!(reader.num_row_groups(), 2, "12 MB of texts are more than a group takes");
}

#[test]
fn words_name_formats_and_nothing_is_a_table_too() {
    for format in Format::ALL {
        assert_eq!(Format::of(format.as_str()), Some(format));
        assert_eq!(written(format, &[]).is_empty(), format == Format::Ndjson);
    }
    assert_eq!(Format::of("xlsx"), None);
}
