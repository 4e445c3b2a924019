//! Rows of figures as CSV (RFC 4180).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::sides;

/// A header line, and a line for each row. Sums of money are numbers, their currency stands in a column of its own.
#[must_use]
pub fn write(columns: &[String], rows: &[Map<String, Value>]) -> String {
    let money = |column: &&String| column.ends_with("_revenue");
    let with_currency = columns.iter().any(|column| money(&column));
    let mut out = String::new();
    let currency = with_currency.then_some("currency");
    line(&mut out, columns.iter().map(|column| Cow::Borrowed(column.as_str())).chain(currency.map(Cow::Borrowed)));
    for row in rows {
        let cells = columns.iter().map(|column| sides::cell(row, column).map_or(Cow::Borrowed(""), cell));
        let currency = columns.iter().find(money).and_then(|column| row.get(column)?.get("currency"));
        let currency = with_currency.then(|| currency.map_or(Cow::Borrowed(""), cell));
        line(&mut out, cells.chain(currency));
    }
    out
}

fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => guarded(text),
        Value::Object(money) => match (money.get("value"), money.get("by_currency")) {
            (_, Some(Value::Array(several))) => {
                let one = |sum: &Value| {
                    let part = |name| sum.get(name).map_or(Cow::Borrowed(""), cell);
                    format!("{} {}", part("value"), part("currency"))
                };
                Cow::Owned(several.iter().map(one).collect::<Vec<_>>().join("; "))
            }
            (Some(value), _) => cell(value),
            _ => Cow::Borrowed(""),
        },
        other => Cow::Owned(other.to_string()),
    }
}

/// A text that a spreadsheet would run as a formula gets an apostrophe in front, as OWASP advises.
fn guarded(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

fn line<'a>(out: &mut String, cells: impl Iterator<Item = Cow<'a, str>>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            out.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_are_quoted_and_no_formulas() {
        let rows = [
            json!({"page": "/a,\"b\"", "visitors": 3, "bounce_rate": null}),
            json!({"page": "=HYPERLINK(1)", "visitors": 1, "bounce_rate": 50}),
        ];
        let rows = rows.map(|row| row.as_object().unwrap().clone());
        let columns = ["page", "visitors", "bounce_rate"].map(str::to_owned);
        let text = "page,visitors,bounce_rate\r\n\"/a,\"\"b\"\"\",3,\r\n'=HYPERLINK(1),1,50\r\n";
        assert_eq!(write(&columns, &rows), text);
    }

    #[test]
    fn money_is_a_number_with_its_currency_beside() {
        let rows = [
            json!({"goal": "Buy", "total_revenue": {"value": 12.5, "currency": "EUR"}}),
            json!({"goal": "Mix", "total_revenue": {"value": null, "currency": null, "by_currency": [
                {"value": 1.0, "currency": "EUR"}, {"value": 2.0, "currency": "USD"}]}}),
        ];
        let rows = rows.map(|row| row.as_object().unwrap().clone());
        let columns = ["goal", "total_revenue"].map(str::to_owned);
        let text = "goal,total_revenue,currency\r\nBuy,12.5,EUR\r\nMix,1.0 EUR; 2.0 USD,\r\n";
        assert_eq!(write(&columns, &rows), text);
    }
}
