//! What can be read: the parts of the manifest, and the durable rows that are in none yet.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use trafficlab_engine::visit::column::{Dict, Row};
use trafficlab_engine::visit::data::day_of;
use trafficlab_engine::visit::dictionary::Dictionaries;
use trafficlab_engine::visit::memory::Memory;

use super::options::Options;
use super::parts::PartHandle;

/// Rows are shared with readers in chunks of this many; of a chunk that still grows each reader takes a copy.
const CHUNK: usize = 4096;

/// Rows of a log, in the order in which they were written.
#[derive(Clone, Default)]
pub(crate) struct LogRows {
    chunks: Vec<Arc<[Row]>>,
    tail: Vec<Row>,
    /// Rows that follow each other and were received in the same second, by one of its milliseconds; negative for
    /// imported ones.
    runs: Vec<(i64, usize)>,
}

impl LogRows {
    /// Adds rows of a frame. `received_ms` is negative for imported ones.
    pub(crate) fn extend(&mut self, received_ms: i64, rows: &[Row]) {
        let second = |ms: i64| (ms / 1000, ms < 0);
        match self.runs.last_mut() {
            Some((last, length)) if second(*last) == second(received_ms) => *length += rows.len(),
            _ => self.runs.push((received_ms, rows.len())),
        }
        self.tail.extend_from_slice(rows);
        if self.tail.len() >= CHUNK {
            self.chunks.push(std::mem::take(&mut self.tail).into());
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.runs.iter().map(|(_, length)| length).sum()
    }

    /// When the first rows were received, in milliseconds of the Unix epoch.
    pub(crate) fn began(&self) -> Option<i64> {
        self.runs.first().map(|(received_ms, _)| received_ms.abs())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Row> + Clone {
        self.chunks.iter().flat_map(|chunk| chunk.iter()).chain(&self.tail)
    }

    /// The rows by the second they were received in.
    pub(crate) fn runs(&self) -> impl Iterator<Item = (i64, impl Iterator<Item = &Row> + Clone)> {
        let mut begin = 0;
        self.runs.iter().map(move |(received_ms, length)| {
            let rows = self.from(begin).take(*length);
            begin += length;
            (*received_ms, rows)
        })
    }

    /// The rows from a place on.
    fn from(&self, begin: usize) -> impl Iterator<Item = &Row> + Clone {
        let (mut chunks, mut skipped) = (self.chunks.as_slice(), 0);
        while let Some((first, rest)) = chunks.split_first().filter(|(first, _)| skipped + first.len() <= begin) {
            skipped += first.len();
            chunks = rest;
        }
        chunks.iter().flat_map(|chunk| chunk.iter()).chain(&self.tail).skip(begin - skipped)
    }
}

/// A log that gets no more rows.
pub(crate) struct ClosedLog {
    pub(crate) number: u64,
    pub(crate) rows: LogRows,
    pub(crate) dictionaries: Dictionaries,
    /// Sorted rows of sites that were asked about.
    sorted: Mutex<BTreeMap<String, Arc<Memory>>>,
}

impl ClosedLog {
    pub(crate) fn new(number: u64, rows: LogRows, dictionaries: Dictionaries) -> Arc<Self> {
        Arc::new(Self { number, rows, dictionaries, sorted: Mutex::default() })
    }

    /// The rows of a site; none when it has none.
    pub(crate) fn memory(&self, site: &str) -> Option<Arc<Memory>> {
        let mut sorted = super::unpoisoned(&self.sorted);
        if let Some(known) = sorted.get(site) {
            return Some(Arc::clone(known));
        }
        let memory = Arc::new(memory_of(&self.rows, &self.dictionaries, site)?);
        sorted.insert(site.to_owned(), Arc::clone(&memory));
        Some(memory)
    }

    /// Rows by site and UTC day.
    pub(crate) fn days(&self) -> BTreeMap<(&str, i64), u64> {
        let mut codes: HashMap<(u32, i64), u64> = HashMap::new();
        for row in self.rows.iter() {
            *codes.entry(site_and_day(row)).or_default() += 1;
        }
        codes.into_iter().map(|((site, day), rows)| ((self.site(site), day), rows)).collect()
    }

    /// The domain of a code.
    pub(crate) fn site(&self, code: u32) -> &str {
        self.dictionaries.get(Dict::Site.index()).map_or("", |sites| sites.get(code))
    }

    /// The log's part of what closed logs may take, in thousandths of a full log.
    pub(crate) fn size(&self, options: &Options) -> usize {
        let texts: usize = self.dictionaries.iter().map(|dictionary| dictionary.bytes()).sum();
        let part = |found: usize, most: usize| found.saturating_mul(1000) / most.max(1);
        part(self.rows.len(), options.seal_rows).max(part(texts, options.seal_text_bytes))
    }
}

/// The rows of a site as data; none when the dictionaries do not know it.
pub(crate) fn memory_of(rows: &LogRows, dictionaries: &Dictionaries, site: &str) -> Option<Memory> {
    let code = site_code(dictionaries, site)?;
    Some(Memory::new(rows.iter(), code, dictionaries.clone()))
}

fn site_code(dictionaries: &Dictionaries, site: &str) -> Option<u32> {
    let sites = dictionaries.get(Dict::Site.index())?;
    (0..).zip(sites.iter()).find(|(_, text)| *text == site).map(|(code, _)| code)
}

/// The site's code and the UTC day of a row.
pub(crate) fn site_and_day(row: &Row) -> (u32, i64) {
    (row.codes.get(Dict::Site.index()).copied().unwrap_or_default(), day_of(row.time_ms))
}

/// Parts of a site by day.
pub(crate) type Days = BTreeMap<i64, Vec<Arc<PartHandle>>>;

/// Everything that can be read.
#[derive(Default)]
pub(crate) struct View {
    pub(crate) parts: BTreeMap<String, Days>,
    /// Closed logs, the oldest first.
    pub(crate) closed: Vec<Arc<ClosedLog>>,
    pub(crate) open_number: u64,
    pub(crate) open: LogRows,
}

impl View {
    pub(crate) fn add(&mut self, part: Arc<PartHandle>) {
        let days = self.parts.entry(part.stored.site.clone()).or_default();
        days.entry(part.summary().day).or_default().push(part);
    }

    pub(crate) fn remove(&mut self, gone: &[Arc<PartHandle>]) {
        for part in gone {
            let Some(days) = self.parts.get_mut(&part.stored.site) else { continue };
            if let Some(parts) = days.get_mut(&part.summary().day) {
                parts.retain(|other| other.number != part.number);
            }
            days.retain(|_, parts| !parts.is_empty());
            if days.is_empty() {
                self.parts.remove(&part.stored.site);
            }
        }
    }

    /// Whether closed logs take all they may, so that nothing more can be recorded.
    pub(crate) fn is_full(&self, options: &Options) -> bool {
        self.closed.iter().map(|log| log.size(options)).sum::<usize>() >= options.most_closed.saturating_mul(1000)
    }

    /// The parts of a site or of all.
    pub(crate) fn parts_of<'v>(&'v self, site: Option<&'v str>) -> impl Iterator<Item = &'v Arc<PartHandle>> {
        let chosen = self.parts.iter().filter(move |(name, _)| site.is_none_or(|site| site == *name));
        chosen.flat_map(|(_, days)| days.values().flatten())
    }
}
