//! Where addresses lie, by the MaxMind database that the operator brings.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use maxminddb::{Reader, geoip2};
use quick_cache::sync::Cache;
use trafficlab_engine::visit::enrich::text;
use trafficlab_engine::visit::record::Place;

/// Decoded records that are kept; a record is a network's, so that no address is remembered.
const CACHED: usize = 8192;

/// A place that owns its texts.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PlaceOwned {
    country: String,
    region: String,
    city: String,
}

impl PlaceOwned {
    /// As a part of a visit.
    pub(crate) fn as_place(&self) -> Place<'_> {
        Place { country: &self.country, region: &self.region, city: &self.city }
    }
}

/// When and how large a file was, by which a new one is told.
type Version = (SystemTime, u64);

/// A database in use.
struct Loaded {
    reader: Reader<Vec<u8>>,
    version: Version,
    /// Tells its records in the cache from those of the one before.
    generation: u64,
}

/// The configured database, or none.
pub(super) struct Places {
    path: Option<PathBuf>,
    loaded: ArcSwapOption<Loaded>,
    generations: AtomicU64,
    records: Cache<(u64, usize), Arc<PlaceOwned>>,
    nowhere: Arc<PlaceOwned>,
}

impl Places {
    /// Reads the database, if one is configured. One that cannot be read is told and looked for again later. Blocks.
    pub(super) fn open(path: Option<PathBuf>) -> Self {
        let places = Self {
            path,
            loaded: ArcSwapOption::empty(),
            generations: AtomicU64::new(0),
            records: Cache::new(CACHED),
            nowhere: Arc::default(),
        };
        places.reload();
        places
    }

    /// Reads the database again if its file has changed. A file that cannot be read leaves the old one in use. Blocks.
    pub(super) fn reload(&self) {
        let Some(path) = &self.path else { return };
        let version = match version(path) {
            Ok(version) => version,
            Err(error) => {
                tracing::warn!(%error, "the file of `tracker.mmdb` cannot be looked at");
                return;
            }
        };
        if self.loaded.load().as_ref().is_some_and(|loaded| loaded.version == version) {
            return;
        }
        match Reader::open_readfile(path) {
            Ok(reader) => {
                let generation = self.generations.fetch_add(1, Ordering::Relaxed);
                tracing::info!(kind = %reader.metadata().database_type, "the database of places is in use");
                self.loaded.store(Some(Arc::new(Loaded { reader, version, generation })));
            }
            Err(error) => {
                tracing::warn!(%error, "the file of `tracker.mmdb` cannot be used; what was read before stays")
            }
        }
    }

    /// Where an address lies so far as the database knows.
    pub(super) fn find(&self, address: IpAddr) -> Arc<PlaceOwned> {
        let loaded = self.loaded.load();
        let Some(loaded) = loaded.as_ref() else { return Arc::clone(&self.nowhere) };
        let Ok(found) = loaded.reader.lookup(address) else { return Arc::clone(&self.nowhere) };
        let Some(offset) = found.offset() else { return Arc::clone(&self.nowhere) };
        let key = (loaded.generation, offset);
        if let Some(known) = self.records.get(&key) {
            return known;
        }
        let place = Arc::new(found.decode::<geoip2::City<'_>>().ok().flatten().as_ref().map(owned).unwrap_or_default());
        self.records.insert(key, Arc::clone(&place));
        place
    }
}

fn version(path: &Path) -> std::io::Result<Version> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.modified()?, metadata.len()))
}

/// A record's English names. A database of countries has the first alone.
fn owned(city: &geoip2::City<'_>) -> PlaceOwned {
    let clean = |name: Option<&str>| text::clean(name.unwrap_or_default()).into_owned();
    let region = city.subdivisions.first().and_then(|region| region.names.english.or(region.iso_code));
    PlaceOwned { country: clean(city.country.iso_code), region: clean(region), city: clean(city.city.names.english) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    /// The smallest database: one node, whose left half (0.0.0.0/1) lies in `country`.
    fn database(country: &str, kind: &str) -> Vec<u8> {
        let text = |text: &str| [vec![0x40 | u8::try_from(text.len()).unwrap()], text.as_bytes().to_vec()].concat();
        let number = |control: u8, value: u8| vec![control, value];
        let mut bytes = vec![0, 0, 17, 0, 0, 1];
        bytes.extend([0; 16]);
        bytes.extend([vec![0xe1], text("country"), vec![0xe1], text("iso_code"), text(country)].concat());
        bytes.extend(b"\xab\xcd\xefMaxMind.com\xe9");
        for (name, value) in [
            ("node_count", number(0xc1, 1)),
            ("record_size", number(0xa1, 24)),
            ("ip_version", number(0xa1, 4)),
            ("binary_format_major_version", number(0xa1, 2)),
            ("binary_format_minor_version", vec![0xa0]),
            ("build_epoch", vec![1, 2, 1]),
            ("database_type", text(kind)),
            ("languages", vec![0, 4]),
            ("description", vec![0xe0]),
        ] {
            bytes.extend([text(name), value].concat());
        }
        bytes
    }

    fn country(places: &Places, address: &str) -> String {
        places.find(address.parse().unwrap()).as_place().country.to_owned()
    }

    #[test]
    fn a_new_file_is_taken_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("places.mmdb");
        let places = Places::open(Some(path.clone()));
        assert_eq!(country(&places, "1.2.3.4"), "", "there is no file yet");
        std::fs::write(&path, database("DE", "Country")).unwrap();
        places.reload();
        assert_eq!((country(&places, "1.2.3.4"), country(&places, "200.2.3.4")), ("DE".to_owned(), String::new()));
        std::fs::write(&path, database("FR", "Countries")).unwrap();
        places.reload();
        assert_eq!(country(&places, "1.2.3.4"), "FR", "and not what the cache knew of the old one");
        std::fs::write(&path, "broken").unwrap();
        places.reload();
        assert_eq!(country(&places, "1.2.3.4"), "FR");
        assert_eq!(country(&Places::open(None), "1.2.3.4"), "");
    }
}
