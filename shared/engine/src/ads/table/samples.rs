//! Files in the form of each platform's export, made for these tests, and files of any bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use csv::ByteRecord;
use proptest::prelude::*;

use super::text::line;
use super::*;
use crate::ads::money::Currency;

/// What is read of a file with all its settings found out: the format, and a line for each row.
fn read(file: &[u8]) -> Result<(Found, Vec<String>), String> {
    let found = sniff(file).map_err(|error| error.to_string())?;
    let mut rows = below(&found, file)?;
    let mut evidence = Evidence::default();
    for (row, line) in &rows {
        evidence.see(&found.layout, row, *line);
    }
    let style = evidence.settle(None, None, found.separator).map_err(|error| error.to_string())?;
    let mut numbers = Numbers::new(&found.layout, style);
    let told = rows.drain(..).map(|(row, line)| told(&found.layout, &row, line, style, &mut numbers)).collect();
    Ok((found, told))
}

fn below(found: &Found, file: &[u8]) -> Result<Vec<(ByteRecord, u64)>, String> {
    let mut table = Table::open(file, found.separator).map_err(|error| error.to_string())?;
    let (mut rows, mut row, mut place) = (Vec::new(), ByteRecord::new(), 0);
    while table.next(&mut row).map_err(|error| error.to_string())? {
        if place > found.layout.header && found.layout.kind(&row) == Kind::Figures {
            rows.push((row.clone(), line(&row)));
        }
        place += 1;
    }
    Ok(rows)
}

fn told(layout: &Layout, row: &ByteRecord, line: u64, style: Style, numbers: &mut Numbers) -> String {
    let mut faults = Vec::new();
    let key = layout.key(row).unwrap_or_default();
    let currency = layout.currency(row).ok().flatten();
    let day = layout.day(row, style).map_or_else(|fault| fault.message, |day| day.to_string());
    let figures = numbers.read(row, currency.unwrap_or(Currency::USD), |fault| faults.push(fault));
    let faults: Vec<_> =
        faults.iter().map(|fault| format!("{}: {}", layout.name(fault.column), fault.message)).collect();
    let id = if key.external_id.is_empty() { key.campaign_id } else { key.external_id };
    let currency = currency.map_or_else(String::new, |currency| currency.to_string());
    format!(
        "{line} {id}/{} {day} {} {} {} {} {} {currency}{}",
        key.name,
        figures.impressions,
        figures.clicks,
        figures.conversions_milli,
        figures.spend,
        figures.revenue,
        faults.join("; ")
    )
}

fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn meta_ads_manager() {
    let file = "\u{FEFF}\"Campaign name\",\"Campaign ID\",Day,Impressions,\"Link clicks\",Results,Purchases,\"Amount spent (EUR)\",\
        \"Purchases conversion value\",\"Purchase ROAS (return on ad spend)\",\"Reporting starts\",\"Reporting ends\"\r\n\
        ,,,3000,90,9,3,30.05,90,2.99,2024-06-01,2024-06-02\r\n\
        \"Sommer, \"\"Früh\"\"\",120210,2024-06-01,1000,40,9,1,10.05,30.5,3.03,2024-06-01,2024-06-01\r\n\
        \"Sommer, \"\"Früh\"\"\",120210,2024-06-02,2000,50,0,2,20,59.5,2.97,2024-06-02,2024-06-02\r\n";
    let (found, rows) = read(file.as_bytes()).unwrap();
    assert_eq!((found.layout.format, found.separator, found.encoding), (Format::Meta, b',', Encoding::Utf8));
    assert_eq!(
        rows,
        [
            "3 120210/Sommer, \"Früh\" 2024-06-01 1000 40 1000 1005 3050 EUR",
            "4 120210/Sommer, \"Früh\" 2024-06-02 2000 50 2000 2000 5950 EUR"
        ]
    );
}

#[test]
fn older_meta_exports_without_a_day_column() {
    let file = "Reporting starts,Reporting ends,Campaign name,Impressions,Clicks (all),Amount spent (JPY),Website purchases,Website purchases conversion value\n\
        2024-06-01,2024-06-01,A,\"1,000\",4,500,1,900\n2024-06-01,2024-06-07,A,1,1,1,1,1\n";
    let (_, rows) = read(file.as_bytes()).unwrap();
    assert_eq!(rows[0], "2 /A 2024-06-01 1000 4 1000 500 900 JPY", "a yen has no digits after the point");
    assert!(rows[1].contains("more than one day"), "{}", rows[1]);
}

#[test]
fn google_ads_as_text_and_as_a_spreadsheet() {
    let lines = [
        "Campaign report",
        "\"June 1, 2024 - June 2, 2024\"",
        "Campaign status,Campaign,Campaign ID,Day,Currency code,Impr.,Clicks,Cost,Conversions,Conv. value,CTR",
        "Enabled,Brand,777,2024-06-01,USD,\"12,345\",321,\"1,033.33\",2.50,\"2,000.1\",2.6%",
        "Paused,Brand,777,2024-06-02,USD,0, --,0.00,--,--, --",
        "Total: Campaigns, --, --, --,USD,\"12,345\",321,\"1,033.33\",2.50,\"2,000.1\",2.6%",
        "Total: Account,,,,,\"12,345\",321,\"1,033.33\",2.50,\"2,000.1\",2.6%",
    ];
    let expected = ["4 777/Brand 2024-06-01 12345 321 2500 103333 200010 USD", "5 777/Brand 2024-06-02 0 0 0 0 0 USD"];
    let (found, rows) = read(lines.join("\r\n").as_bytes()).unwrap();
    assert_eq!((found.layout.format, found.layout.header), (Format::Google, 2));
    assert_eq!(rows, expected);
    let spreadsheet = lines.map(|line| {
        let mut quoted = false;
        let tab = |letter| {
            quoted ^= letter == '"';
            if letter == ',' && !quoted { '\t' } else { letter }
        };
        line.chars().map(tab).collect::<String>()
    });
    let (found, rows) = read(&utf16(&spreadsheet.join("\r\n"))).unwrap();
    assert_eq!((found.separator, found.encoding), (b'\t', Encoding::Utf16Le));
    assert_eq!(rows, expected);
}

#[test]
fn a_plain_header_with_semicolons_and_commas_in_fractions() {
    let file = "campaign_id;platform;date;impressions;clicks;conversions;spend;revenue\n\
        7;meta;31.12.2024;1.000;10;1,5;12,50;1.234,56\n7;meta;01.01.2025;999;10;2;12;1.234\n";
    let (found, rows) = read(file.as_bytes()).unwrap();
    assert_eq!(found.layout.format, Format::Plain);
    assert_eq!(rows, ["2 7/ 2024-12-31 1000 10 1500 1250 123456 ", "3 7/ 2025-01-01 999 10 2000 1200 123400 "]);
}

#[test]
fn dates_are_decided_over_the_whole_file() {
    let file = |dates: &[&str]| {
        let rows: String = dates.iter().map(|date| format!("A,{date},1\n")).collect();
        read(format!("campaign_name,date,spend\n{rows}").as_bytes()).map(|(_, rows)| rows)
    };
    assert!(file(&["6/1/2024", "6/13/2024"]).unwrap()[0].contains(" 2024-06-01 "));
    assert!(file(&["6/1/2024", "13/1/2024"]).unwrap()[0].contains(" 2024-01-06 "));
    assert!(file(&["6/1/2024", "6/2/2024"]).unwrap_err().contains("date_format"));
    assert!(file(&["6/13/2024", "13/6/2024"]).unwrap_err().contains("month comes first"));
    assert!(file(&["6/6/2024"]).unwrap()[0].contains(" 2024-06-06 "), "both ways are the same day");
}

#[test]
fn what_is_no_table_of_ours_says_why() {
    let why = |bytes: &[u8]| sniff(bytes).unwrap_err();
    assert_eq!(why(b" \n\n"), Unrecognised::Empty);
    assert_eq!(why(b"PK\x03\x04rest"), Unrecognised::Packed);
    assert_eq!(why(b"a,b\n1,2\n"), Unrecognised::NoHeader);
    assert!(matches!(why(b"Campaign\tCost\nx\t1\n"), Unrecognised::Missing { format: Format::Google, .. }));
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        drop(read(&bytes));
    }

    #[test]
    fn no_rows_panic(body in "[-0-9a-zA-Z,;\"\r\n\t/.%$\u{e9} ]{0,400}", wide in any::<bool>(), header in 0..3_usize) {
        let headers = [
            "campaign_id,date,spend,clicks\n",
            "Campaign;Day;Impr.;Cost\n",
            "Campaign name\tReporting starts\tReporting ends\tAmount spent (USD)\n",
        ];
        let text = format!("{}{body}", headers[header]);
        let file = if wide { utf16(&text) } else { text.clone().into_bytes() };
        // A quotation mark may swallow the rest, but the header above it stays one.
        prop_assert!(sniff(file.as_slice()).is_ok(), "{text}");
        drop(read(&file));
    }
}
