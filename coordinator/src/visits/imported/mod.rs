//! Daily figures that came out of Plausible: kept in files of their own beside the visits, one for each import, and
//! added to what is counted here.
//!
//! They are sums already, so they can be split by one property at a time. A file is written completely, made durable
//! and then named, so it is either there or not. Its chunks are found when it is opened and read when they are asked for.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::question::Totals;

use self::chunk::{Chunk, HEAD, HEADER_BYTES, Header};
use self::table::{Numbers, TableKind};

mod answer;
mod chunk;
pub(crate) mod plausible;
pub(crate) mod table;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use self::chunk::Damaged;
pub(crate) use self::write::Writer;

const ENDING: &str = "imported";
/// Longest domain of a file's head.
const MAX_SITE: u32 = 1024;

/// Why imported figures cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum ImportedError {
    /// The system refused.
    #[error("imported figures cannot be accessed: {0}")]
    Io(#[from] io::Error),
    /// The bytes are not what was written.
    #[error("{0}")]
    Damaged(#[from] DamagedFigures),
}

/// Stored figures are not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct DamagedFigures(#[from] Damaged);

impl From<Damaged> for ImportedError {
    fn from(damaged: Damaged) -> Self {
        Self::Damaged(DamagedFigures(damaged))
    }
}

/// Days that an import covers, the last one included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Days {
    /// The first one, counted from 1970-01-01.
    pub first: i32,
    /// The last one.
    pub last: i32,
}

impl Days {
    fn with(found: Option<Self>, first: i32, last: i32) -> Self {
        let found = found.unwrap_or(Self { first, last });
        Self { first: found.first.min(first), last: found.last.max(last) }
    }

    const fn has(self, day: i32) -> bool {
        self.first <= day && day <= self.last
    }
}

#[derive(Debug)]
struct ImportFile {
    id: String,
    site: String,
    path: PathBuf,
    file: File,
    chunks: Vec<(Header, u64)>,
}

/// All imported figures.
#[derive(Debug)]
pub struct Imported {
    folder: PathBuf,
    files: RwLock<Vec<Arc<ImportFile>>>,
}

impl Imported {
    /// Finds the files in `folder`, which is made; what an interrupted import left is removed. Blocks.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn open(folder: &Path) -> Result<Self, ImportedError> {
        fs::create_dir_all(folder)?;
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            match path.extension().and_then(|ending| ending.to_str()) {
                Some(ENDING) => files.push(Arc::new(ImportFile::open(path)?)),
                Some(write::DRAFT) => fs::remove_file(path)?,
                _ => {}
            }
        }
        files.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Self { folder: folder.to_owned(), files: RwLock::new(files) })
    }

    /// Begins the file of an import.
    ///
    /// # Errors
    /// `Io`, `Damaged` when the domain is too long.
    pub(crate) fn writer(&self, id: &str, site: &str) -> Result<Writer, ImportedError> {
        Writer::new(&self.folder, id, site)
    }

    /// Makes a written file durable and counts it from now on.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn add(&self, writer: Writer) -> Result<(), ImportedError> {
        let file = ImportFile::open(writer.finish(&self.folder)?)?;
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.retain(|known| known.id != file.id);
        files.push(Arc::new(file));
        Ok(())
    }

    /// Removes what an import brought; answers whether there was something.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn remove(&self, id: &str) -> Result<bool, ImportedError> {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let Some(at) = files.iter().position(|file| file.id == id) else {
            return Ok(false);
        };
        let file = files.swap_remove(at);
        fs::remove_file(&file.path)?;
        crate::store::sync_folder(&self.folder)?;
        Ok(true)
    }

    /// Removes everything of a site; answers how many imports that were.
    ///
    /// # Errors
    /// `Io`.
    pub fn remove_site(&self, site: &str) -> Result<usize, ImportedError> {
        let ids: Vec<String> = self.of(site).iter().map(|file| file.id.clone()).collect();
        ids.iter().try_for_each(|id| self.remove(id).map(drop))?;
        Ok(ids.len())
    }

    /// Removes the days of a site before `before`, or only tells; answers how many bytes that frees. Blocks.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn prune(&self, site: &str, before: i32, dry_run: bool) -> Result<u64, ImportedError> {
        let mut freed = 0;
        for file in self.of(site) {
            let old = file.chunks.iter().filter(|(header, _)| header.first_day < before);
            if old.clone().next().is_none() {
                continue;
            }
            if dry_run {
                freed += old
                    .filter(|(header, _)| header.last_day < before)
                    .map(|(header, _)| u64::from(header.length))
                    .sum::<u64>();
                continue;
            }
            let length = file.file.metadata()?.len();
            let writer = file.without(self.writer(&file.id, site)?, before)?;
            if writer.rows() == 0 {
                drop(writer);
                self.remove(&file.id)?;
                freed += length;
            } else {
                self.add(writer)?;
                let left = fs::metadata(&file.path)?.len();
                freed += length.saturating_sub(left);
            }
        }
        Ok(freed)
    }

    /// The days that imports of a site cover; nothing without imports.
    #[must_use]
    pub fn days(&self, site: &str) -> Option<Days> {
        let files = self.of(site);
        let chunks = files.iter().flat_map(|file| &file.chunks);
        chunks.fold(None, |days, (header, _)| Some(Days::with(days, header.first_day, header.last_day)))
    }

    /// Domains of all sites with imported figures.
    #[must_use]
    pub fn sites(&self) -> Vec<String> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let mut sites: Vec<String> = files.iter().map(|file| file.site.clone()).collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    }

    /// The days of each table that other imports of the site cover.
    pub(crate) fn covered(&self, site: &str) -> HashMap<TableKind, Vec<Days>> {
        let mut covered: HashMap<TableKind, Vec<Days>> = HashMap::new();
        for file in self.of(site) {
            let mut own: HashMap<TableKind, Days> = HashMap::new();
            for (header, _) in &file.chunks {
                let Some(kind) = TableKind::from_byte(header.kind) else { continue };
                let days = Days::with(own.get(&kind).copied(), header.first_day, header.last_day);
                own.insert(kind, days);
            }
            own.into_iter().for_each(|(kind, days)| covered.entry(kind).or_default().push(days));
        }
        covered
    }

    /// Figures of the days in `days`, by the values of a property or in all under the empty name; nothing when the
    /// property is not among what Plausible exports. Pages know no durations; their bounces are those that began there,
    /// which is the same. Reads files.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn figures(
        &self,
        site: &str,
        days: Range<i32>,
        property: Option<&Property>,
    ) -> Result<Option<Vec<(String, Totals)>>, ImportedError> {
        let place = match property {
            None => Some((TableKind::Visitors, None)),
            Some(property) => TableKind::of_property(property).map(|(kind, column)| (kind, Some(column))),
        };
        let Some((kind, column)) = place else {
            return Ok(None);
        };
        let mut found: BTreeMap<String, Totals> = BTreeMap::new();
        self.each(site, kind, &days, column, |_, text, numbers| add(&mut found, text, &numbers))?;
        if kind == TableKind::Pages && column == Some(1) {
            self.each(site, TableKind::EntryPages, &days, Some(0), |_, text, [_, _, _, bounces, ..]| {
                if let Some(page) = found.get_mut(text) {
                    page.bounces = page.bounces.saturating_add(bounces);
                }
            })?;
        }
        Ok(Some(found.into_iter().collect()))
    }

    /// Figures in all by day. Reads files.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub fn by_day(&self, site: &str, days: Range<i32>) -> Result<Vec<(i32, Totals)>, ImportedError> {
        let mut found: BTreeMap<i32, Totals> = BTreeMap::new();
        self.each(site, TableKind::Visitors, &days, None, |day, _, numbers| {
            sum(found.entry(day).or_default(), &numbers);
        })?;
        Ok(found.into_iter().collect())
    }

    fn each(
        &self,
        site: &str,
        kind: TableKind,
        days: &Range<i32>,
        column: Option<usize>,
        mut take: impl FnMut(i32, &str, Numbers),
    ) -> Result<(), ImportedError> {
        for file in self.of(site) {
            for (header, offset) in &file.chunks {
                if header.kind != kind as u8 || header.last_day < days.start || header.first_day >= days.end {
                    continue;
                }
                let chunk = file.chunk(header, *offset)?;
                let rows = chunk.rows(column).filter(|(day, _, _)| days.contains(day));
                rows.for_each(|(day, text, numbers)| take(day, text, numbers));
            }
        }
        Ok(())
    }

    fn of(&self, site: &str) -> Vec<Arc<ImportFile>> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        files.iter().filter(|file| file.site == site).map(Arc::clone).collect()
    }
}

impl ImportFile {
    fn open(path: PathBuf) -> Result<Self, ImportedError> {
        let mut file = File::open(&path)?;
        let length = file.metadata()?.len();
        let id = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut head = [0; HEADER_BYTES];
        file.read_exact(&mut head)?;
        let header = Header::read(&head)?;
        if header.kind != HEAD || header.length > MAX_SITE {
            return Err(Damaged("a file of imported figures has no head").into());
        }
        let mut site = vec![0; usize::try_from(header.length).unwrap_or(0)];
        file.read_exact(&mut site)?;
        header.check(&head, &site)?;
        let site = String::from_utf8(site).or(Err(Damaged("a domain is not UTF-8")))?;
        let mut offset = HEADER_BYTES as u64 + u64::from(header.length);
        let mut chunks = Vec::new();
        while offset < length {
            file.read_exact_at(&mut head, offset)?;
            let header = Header::read(&head)?;
            chunks.push((header, offset));
            offset += HEADER_BYTES as u64 + u64::from(header.length);
        }
        if offset != length {
            return Err(Damaged("a file of imported figures is cut off").into());
        }
        Ok(Self { id, site, path, file, chunks })
    }

    /// Writes the rows from a day on.
    fn without(&self, mut writer: Writer, before: i32) -> Result<Writer, ImportedError> {
        for (header, offset) in self.chunks.iter().filter(|(header, _)| header.last_day >= before) {
            let chunk = self.chunk(header, *offset)?;
            for (row, (day, _, numbers)) in chunk.rows(None).enumerate().filter(|(_, (day, _, _))| *day >= before) {
                writer.row(chunk.kind, day, chunk.texts_of(row), numbers)?;
            }
        }
        Ok(writer)
    }

    fn chunk(&self, header: &Header, offset: u64) -> Result<Chunk, ImportedError> {
        let mut head = [0; HEADER_BYTES];
        self.file.read_exact_at(&mut head, offset)?;
        let mut packed = vec![0; usize::try_from(header.length).unwrap_or(0)];
        self.file.read_exact_at(&mut packed, offset + HEADER_BYTES as u64)?;
        header.check(&head, &packed)?;
        Ok(Chunk::decode(header, &packed)?)
    }
}

fn add(found: &mut BTreeMap<String, Totals>, text: &str, numbers: &Numbers) {
    if let Some(totals) = found.get_mut(text) {
        return sum(totals, numbers);
    }
    sum(found.entry(text.to_owned()).or_default(), numbers);
}

/// Adds a row; a table without events counts its page views as such.
fn sum(totals: &mut Totals, [visitors, visits, pageviews, bounces, seconds, events]: &Numbers) {
    let events = if *events == 0 { pageviews } else { events };
    for (into, number) in [
        (&mut totals.visitors, *visitors),
        (&mut totals.visits, *visits),
        (&mut totals.pageviews, *pageviews),
        (&mut totals.bounces, *bounces),
        (&mut totals.duration_ms, seconds.saturating_mul(1000)),
        (&mut totals.events, *events),
    ] {
        *into = into.saturating_add(number);
    }
}
