//! Windows, anomalies and connections in the formats of other programs.
//!
//! Every writer takes an iterator and holds one item at a time (Parquet: one row group), so that exports of any length
//! need bounded memory. The same items give the same bytes. `document` and `jsonl` hold the shapes of the API itself.

pub mod anonymise;
mod blank;
pub mod csv;
pub mod document;
pub mod eve;
mod figures;
mod identity;
pub mod influx;
pub mod jsonl;
pub mod parquet;
mod row;
#[cfg(test)]
mod samples;
pub mod zeek;

use std::borrow::Borrow;
use std::io::{Error, ErrorKind, Result, Write};

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::window::Window;

/// A format of exports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// RFC 4180 with a header row.
    Csv,
    /// Typed columns, zstd.
    Parquet,
    /// The API's objects, one a line.
    Jsonl,
    /// `InfluxDB` line protocol.
    Influx,
    /// Zeek's logs: `conn.log` for connections, `notice.log` for anomalies.
    Zeek,
    /// Suricata's EVE JSON: `flow`, `alert` and `stats` events.
    Eve,
}

/// What an export holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Windows.
    Windows,
    /// Anomalies.
    Anomalies,
    /// Connections.
    Connections,
}

impl What {
    /// The word of the API and the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Windows => "windows",
            Self::Anomalies => "anomalies",
            Self::Connections => "connections",
        }
    }

    /// The one of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        [Self::Windows, Self::Anomalies, Self::Connections].into_iter().find(|what| what.as_str() == word)
    }
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Csv, Self::Parquet, Self::Jsonl, Self::Influx, Self::Zeek, Self::Eve];

    /// The word of the API and the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::Influx => "influx",
            Self::Zeek => "zeek",
            Self::Eve => "eve",
        }
    }

    /// The one of a word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == word)
    }

    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
            Self::Jsonl | Self::Eve => "application/x-ndjson",
            Self::Influx => "text/plain; charset=utf-8",
            Self::Zeek => "text/tab-separated-values; charset=utf-8",
        }
    }

    /// How the names of its files end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Jsonl => "jsonl",
            Self::Influx => "lp",
            Self::Zeek => "log",
            Self::Eve => "json",
        }
    }

    /// Whether it has a form for this; Zeek has no windows.
    #[must_use]
    pub const fn holds(self, what: What) -> bool {
        !matches!((self, what), (Self::Zeek, What::Windows))
    }

    /// Writes windows with their ids.
    ///
    /// # Errors
    /// What the writer says; `InvalidInput` where the format has no form for them.
    pub fn windows<W: Borrow<Window>>(
        self,
        out: impl Write + Send,
        windows: impl IntoIterator<Item = (u64, W)>,
    ) -> Result<()> {
        match self {
            Self::Csv => csv::windows(out, windows),
            Self::Parquet => parquet::windows(out, windows),
            Self::Jsonl => jsonl::windows(out, windows),
            Self::Influx => influx::windows(out, windows),
            Self::Zeek => Err(Error::new(ErrorKind::InvalidInput, "`zeek` has no form for windows")),
            Self::Eve => eve::windows(out, windows),
        }
    }

    /// Writes anomalies.
    ///
    /// # Errors
    /// What the writer says.
    pub fn anomalies<A: Borrow<Anomaly>>(
        self,
        out: impl Write + Send,
        anomalies: impl IntoIterator<Item = A>,
    ) -> Result<()> {
        match self {
            Self::Csv => csv::anomalies(out, anomalies),
            Self::Parquet => parquet::anomalies(out, anomalies),
            Self::Jsonl => jsonl::anomalies(out, anomalies),
            Self::Influx => influx::anomalies(out, anomalies),
            Self::Zeek => zeek::anomalies(out, anomalies),
            Self::Eve => eve::anomalies(out, anomalies),
        }
    }

    /// Writes connections.
    ///
    /// # Errors
    /// What the writer says.
    pub fn connections<C: Borrow<Connection>>(
        self,
        out: impl Write + Send,
        connections: impl IntoIterator<Item = C>,
    ) -> Result<()> {
        match self {
            Self::Csv => csv::connections(out, connections),
            Self::Parquet => parquet::connections(out, connections),
            Self::Jsonl => jsonl::connections(out, connections),
            Self::Influx => influx::connections(out, connections),
            Self::Zeek => zeek::connections(out, connections),
            Self::Eve => eve::connections(out, connections),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_formats_and_contents() {
        for format in Format::ALL {
            assert_eq!(Format::of(format.as_str()), Some(format));
            assert!(format.holds(What::Anomalies) && format.holds(What::Connections));
        }
        assert_eq!((Format::of("pdf"), What::of("flows")), (None, None));
        assert_eq!(What::of("windows"), Some(What::Windows));
        assert!(!Format::Zeek.holds(What::Windows));
        let refused = Format::Zeek.windows(Vec::new(), std::iter::empty::<(u64, Window)>());
        assert_eq!(refused.map_err(|fault| fault.kind()), Err(ErrorKind::InvalidInput));
    }
}
