//! The forms of a summary, and the files they are written to.

mod html;
mod json;
mod k6;
mod table;
mod vegeta;

use std::path::PathBuf;
use std::str::FromStr;

use clap::ValueEnum;

use super::summary::Summary;

/// The form of a summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    Table,
    /// One object with everything
    Json,
    /// As `k6 run --summary-export` writes it
    K6,
    /// As `vegeta report -type=json` writes it
    Vegeta,
    /// A page that needs nothing else
    Html,
}

impl Format {
    /// The summary in this form, with a line break at its end.
    pub(super) fn render(self, summary: &Summary, series: bool) -> String {
        match self {
            Self::Table => table::render(summary),
            Self::Json => line(&json::render(summary, series)),
            Self::K6 => line(&k6::render(summary)),
            Self::Vegeta => line(&vegeta::render(summary)),
            Self::Html => html::render(summary),
        }
    }
}

fn line(value: &serde_json::Value) -> String {
    format!("{value}\n")
}

/// `--report FORMAT=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    format: Format,
    path: PathBuf,
}

impl FromStr for Report {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (format, path) = text.split_once('=').ok_or_else(|| format!("`{text}` is not `FORMAT=FILE`"))?;
        let format = Format::from_str(format, false).map_err(|_unknown| {
            let known: Vec<String> =
                Format::value_variants().iter().map(|known| format!("{known:?}").to_lowercase()).collect();
            format!("`{format}` is none of `{}`", known.join("`, `"))
        })?;
        if path.is_empty() {
            return Err(format!("`{text}` names no file"));
        }
        Ok(Self { format, path: path.into() })
    }
}

impl Report {
    /// Makes the file, so that a mistake is found before the run and not after it. What it held stays until then.
    pub(super) fn prepare(&self) -> Result<(), String> {
        let made = std::fs::OpenOptions::new().create(true).append(true).open(&self.path);
        made.map(drop).map_err(|error| self.fault(&error))
    }

    fn fault(&self, error: &std::io::Error) -> String {
        format!("`--report`: `{}`: {error}", self.path.display())
    }

    /// Writes the file.
    pub(super) fn write(&self, summary: &Summary, series: bool) -> Result<(), String> {
        let text = self.format.render(summary, series);
        std::fs::write(&self.path, text).map_err(|error| self.fault(&error))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use trafficlab_engine::traffic::histogram::Histogram;
    use trafficlab_engine::traffic::judge::Verdict;
    use trafficlab_shared::model::error_kind::ErrorKind;

    use super::*;
    use crate::generate::counts::{Counts, Times};
    use crate::generate::series::Series;

    /// A small run with something of everything.
    pub(in crate::generate) fn sample() -> Summary {
        let mut counts = Counts {
            scheduled: 107,
            sent: 100,
            succeeded: 97,
            late: 4,
            dropped: 5,
            missed: 2,
            bytes_in: 20_000,
            bytes_out: 15_000,
            ..Counts::default()
        };
        counts.errors.add(u16::from(ErrorKind::Timeout.code()), 1);
        counts.statuses.add(200, 97);
        counts.statuses.add(503, 2);
        let histogram = |step: u64| Histogram::of(&mut (1..=100).map(|value| value * step).collect::<Vec<_>>());
        let times = Times { response: histogram(1_000), service: histogram(900), lag: histogram(100) };
        let mut series = Series::default();
        for second in 0..10 {
            let tenth = Counts { scheduled: 11, sent: 10, succeeded: 10, ..Counts::default() };
            series.add(second, &tenth, &Histogram::of(&mut [1_000 * (second + 1), 50_000]));
        }
        let verdict = |text: &str, value, holds| Verdict { text: text.to_owned(), value, holds };
        Summary {
            run_id: "0190a1b2-0000-7000-8000-000000000001".to_owned(),
            target: Some("http://127.0.0.1:9000/<a>?b=\"c\"&d".to_owned()),
            method: Some("GET".to_owned()),
            mode: "open",
            http_version: Some("1.1"),
            insecure: false,
            seed: 7,
            threads: 1,
            connections: Some(64),
            arrivals: "constant".to_owned(),
            asked_rate: Some(10.0),
            warm_up_s: 0.0,
            started_ns: 1_767_225_599_000_000_000,
            duration_s: 10.0,
            wait_s: 0.5,
            counts,
            times,
            series,
            lane_busy: vec![0.25],
            limits: vec!["send lag p99 is 12.0 ms".to_owned()],
            verdicts: vec![
                verdict("p(95)<500", Some(95.04), Some(true)),
                verdict("error_rate<1%", Some(3.0), Some(false)),
                verdict("rate<0.01", None, None),
            ],
            stopped: None,
        }
    }

    #[test]
    fn reports_name_a_format_and_a_file() {
        let html: Result<Report, String> = "html=a=b.html".parse();
        assert_eq!(html, Ok(Report { format: Format::Html, path: "a=b.html".into() }));
        for (text, word) in [("html", "FORMAT=FILE"), ("pdf=x", "vegeta"), ("json=", "no file")] {
            let refused: Result<Report, String> = text.parse();
            assert!(refused.is_err_and(|fault| fault.contains(word)), "{text}");
        }
    }
}
