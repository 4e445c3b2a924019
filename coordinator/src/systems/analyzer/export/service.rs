//! What an export holds and how it is written.

use std::fmt::Display;
use std::io::{self, Write};

use hmac::{Hmac, Mac};
use sha2::Sha256;
use trafficlab_engine::packet::export::anonymise::{Anonymiser, KEY_BYTES};
use trafficlab_engine::packet::export::{Format, What};
use trafficlab_shared::config::Secret;
use trafficlab_shared::model::capture::anomaly::Anomaly;

use crate::http::App;
use crate::store::Store;
use crate::store::captures::{ANOMALIES, Capture};
use crate::store::segment::SegmentDir;
use crate::systems::analyzer::filter::Filter;
use crate::systems::{Fault, Outcome};
use crate::windows;

/// Makes the key of exports; another one than every other use of the installation's secret has.
const KEY_LABEL: &[u8] = b"trafficlab export anonymisation v1";

/// An export that was asked for.
pub(super) struct Export {
    pub(super) capture: Capture,
    pub(super) format: Format,
    pub(super) what: What,
    pub(super) filter: Filter,
    pub(super) anonymiser: Option<Anonymiser>,
}

/// The installation's own mapping of addresses: the same in every export, so that exports can be joined.
///
/// # Errors
/// 400 without `auth.secrets_key`.
pub(super) fn anonymiser(app: &App) -> Outcome<Anonymiser> {
    let message = "addresses are mapped under a key made from `auth.secrets_key`, which is not set";
    let secret = app.config.auth.secrets_key.as_ref().ok_or_else(|| Fault::field("anonymise", message))?;
    Ok(Anonymiser::new(&key(secret)))
}

fn key(secret: &Secret) -> [u8; KEY_BYTES] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(KEY_LABEL);
    mac.finalize().into_bytes().into()
}

impl Export {
    /// A name that says what is inside, without anything the client chose.
    pub(super) fn file_name(&self) -> String {
        let (what, ending) = (self.what.as_str(), self.format.extension());
        let id: String =
            self.capture.id.chars().filter(|letter| letter.is_ascii_alphanumeric() || *letter == '-').collect();
        match (self.format, self.what) {
            (Format::Zeek, What::Connections) => format!("capture-{id}-conn.log"),
            (Format::Zeek, _) => format!("capture-{id}-notice.log"),
            (Format::Eve, _) => format!("capture-{id}-{what}-eve.json"),
            _ => format!("capture-{id}-{what}.{ending}"),
        }
    }

    /// Writes everything; blocks.
    pub(super) fn write(&self, store: &Store, segments: &SegmentDir, out: &mut (impl Write + Send)) -> io::Result<()> {
        match self.what {
            What::Windows => self.windows(store, segments, out),
            What::Anomalies => self.anomalies(store, out),
            What::Connections => self.connections(store, segments, out),
        }
    }

    fn windows(&self, store: &Store, segments: &SegmentDir, out: &mut (impl Write + Send)) -> io::Result<()> {
        let marked = self.filter.marked(store, &self.capture).map_err(io::Error::other)?;
        let mut read = Read::new(windows::scan(store, segments, &self.capture.id, 0).take(count(self.capture.windows)));
        let kept = read.by_ref().filter(|(_, window)| self.filter.window(window, &marked)).map(|(id, mut window)| {
            if let Some(anonymiser) = &self.anonymiser {
                anonymiser.window(&mut window);
            }
            (id, window)
        });
        self.format.windows(&mut *out, kept)?;
        read.end()
    }

    fn anomalies(&self, store: &Store, out: &mut (impl Write + Send)) -> io::Result<()> {
        let job = self.capture.anomaly_job.clone().unwrap_or_default();
        let rows = ANOMALIES.scan_prefix(store, &job, false).map(|row| row.map(|(_, anomaly)| anomaly));
        let mut read = Read::new(rows.take(count(self.capture.anomalies)));
        let kept = read.by_ref().filter(|anomaly: &Anomaly| self.filter.anomaly(anomaly)).map(|mut anomaly| {
            if let Some(anonymiser) = &self.anonymiser {
                anonymiser.anomaly(&mut anomaly);
            }
            anomaly
        });
        self.format.anomalies(&mut *out, kept)?;
        read.end()
    }

    fn connections(&self, store: &Store, segments: &SegmentDir, out: &mut (impl Write + Send)) -> io::Result<()> {
        let rows = windows::connections(store, segments, &self.capture.id, 0).take(count(self.capture.connections));
        let mut read = Read::new(rows.map(|row| row.map(|(_, connection)| connection)));
        let kept = read.by_ref().filter(|connection| self.filter.connection(connection)).map(|mut connection| {
            if let Some(anonymiser) = &self.anonymiser {
                anonymiser.connection(&mut connection);
            }
            connection
        });
        self.format.connections(&mut *out, kept)?;
        read.end()
    }
}

fn count(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Items until one cannot be read; then it remembers why.
struct Read<I, E> {
    rows: I,
    failed: Option<E>,
}

impl<T, E: Display, I: Iterator<Item = Result<T, E>>> Read<I, E> {
    fn new(rows: I) -> Self {
        Self { rows, failed: None }
    }

    fn end(self) -> io::Result<()> {
        self.failed.map_or(Ok(()), |error| Err(io::Error::other(error.to_string())))
    }
}

impl<T, E: Display, I: Iterator<Item = Result<T, E>>> Iterator for Read<I, E> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if self.failed.is_some() {
            return None;
        }
        match self.rows.next()? {
            Ok(item) => Some(item),
            Err(error) => {
                self.failed = Some(error);
                None
            }
        }
    }
}
