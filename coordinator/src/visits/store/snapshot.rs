//! What is known of all sealed logs together beside their parts: counts, the visits of the last 168 hours by second, and
//! the event ids that are still remembered. Written with every seal as a function of the snapshot before it and of the
//! log that is sealed, so that a start needs the newest one and the logs behind it, and comes to the same state. Written
//! anew when it is old, without the ids that are forgotten by then.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use trafficlab_engine::visit::column::{Dict, Row, Traffic, field};
use trafficlab_engine::visit::dictionary::Dictionaries;

use super::counters::Counts;
use super::error::{Result, VisitsError};
use super::ids::{SeenId, keep_lately};
use super::options::seconds;
use super::recent::Recent;

const MAGIC: &[u8; 8] = b"\xf5TLVSNA\x01";
const SUFFIX: &str = ".state";
/// How the names of files that are being written end.
const DRAFT: &str = ".draft";
/// Counters of the past week shrink well at any level.
const LEVEL: i32 = 1;

/// The state.
#[derive(Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) counts: Counts,
    pub(crate) recent: Recent,
    /// In the order they came.
    pub(crate) ids: Vec<SeenId>,
}

impl Snapshot {
    /// Adds the rows of a frame. `received_ms` is negative for imported ones.
    pub(crate) fn add<'r>(
        &mut self,
        received_ms: i64,
        rows: impl Iterator<Item = &'r Row> + Clone,
        is_bot: impl Fn(u32) -> bool,
    ) {
        let received_s = seconds(received_ms.abs());
        for row in rows.clone() {
            let agent = row.codes.get(Dict::Agent.index()).copied().unwrap_or_default();
            self.counts.add(row.traffic, is_bot(agent));
            if row.event_id != 0 {
                self.ids.push((row.event_id, received_s));
            }
        }
        count_recent(&self.recent, received_ms, rows);
    }

    /// Forgets the ids that are too old at `now_s` or too many.
    pub(crate) fn trim(&mut self, now_s: u32) {
        keep_lately(&mut self.ids, now_s);
    }

    /// When the oldest id came.
    pub(crate) fn oldest_id_s(&self) -> Option<u32> {
        self.ids.iter().map(|(_, received_s)| *received_s).min()
    }

    /// Writes it and makes its bytes durable; one of this number is replaced as a whole. Its name is durable when the
    /// folder was synced.
    ///
    /// # Errors
    /// `Io`, `Full`.
    pub(crate) fn write(&self, folder: &Path, number: u64) -> Result<()> {
        let path = path(folder, number);
        let body =
            zstd::bulk::compress(&self.encode(), LEVEL).map_err(|error| VisitsError::io("pack", &path, &error))?;
        let mut bytes = MAGIC.to_vec();
        bytes.extend(crc32fast::hash(&body).to_le_bytes());
        bytes.extend(body);
        let draft = folder.join(format!("{number:010}{DRAFT}"));
        let written = File::create(&draft).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()?;
            fs::rename(&draft, &path)
        });
        written.map_err(|error| {
            remove(&draft);
            VisitsError::io("write", &path, &error)
        })
    }

    /// Reads it.
    ///
    /// # Errors
    /// `Io`, `Damaged`.
    pub(crate) fn read(folder: &Path, number: u64) -> Result<Self> {
        let path = path(folder, number);
        let failed = |error: std::io::Error| VisitsError::io("read", &path, &error);
        let bytes = fs::read(&path).map_err(failed)?;
        let damaged = || VisitsError::Damaged(format!("`{}` is not what was written", path.display()));
        let (sum, body) = bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk()).ok_or_else(damaged)?;
        if crc32fast::hash(body).to_le_bytes() != *sum {
            return Err(damaged());
        }
        let body = zstd::stream::decode_all(body).map_err(failed)?;
        Self::decode(&body).ok_or_else(damaged)
    }

    fn encode(&self) -> Vec<u8> {
        let Counts { total, bots, synthetic, unverified } = self.counts;
        let reaches = self.recent.reaches().unwrap_or(-1);
        let seconds: Vec<(i64, u64)> = self.recent.seconds().collect();
        let mut out = Vec::new();
        let mut put = |number: u64| out.extend(number.to_le_bytes());
        [total, bots, synthetic, unverified, reaches.cast_unsigned(), length(seconds.len())]
            .into_iter()
            .for_each(&mut put);
        for (second, number) in seconds {
            put(second.cast_unsigned());
            put(number);
        }
        put(length(self.ids.len()));
        for (id, received_s) in &self.ids {
            put(*id);
            put(u64::from(*received_s));
        }
        out
    }

    fn decode(body: &[u8]) -> Option<Self> {
        let (numbers, []) = body.as_chunks() else { return None };
        let mut numbers = numbers.iter().map(|bytes| u64::from_le_bytes(*bytes));
        let mut next = || numbers.next();
        let counts = Counts { total: next()?, bots: next()?, synthetic: next()?, unverified: next()? };
        let reaches = next()?.cast_signed();
        let snapshot = Self { counts, ..Self::default() };
        for _ in 0..next()? {
            snapshot.recent.add(reaches, next()?.cast_signed(), next()?);
        }
        let mut ids = Vec::new();
        for _ in 0..next()? {
            ids.push((next()?, u32::try_from(next()?).ok()?));
        }
        next().is_none().then_some(Self { ids, ..snapshot })
    }
}

/// Counts the real visits of a frame by their own time. Imported ones do not count.
pub(crate) fn count_recent<'r>(recent: &Recent, received_ms: i64, rows: impl Iterator<Item = &'r Row>) {
    if received_ms < 0 {
        return;
    }
    let add = |(second, number): (i64, u64)| {
        if number > 0 {
            recent.add(received_ms.div_euclid(1000), second, number);
        }
    };
    let mut run = (0, 0);
    for row in rows.filter(|row| row.traffic == Traffic::Real) {
        let second = row.time_ms.div_euclid(1000);
        if second != run.0 {
            add(std::mem::take(&mut run));
        }
        run = (second, run.1 + 1);
    }
    add(run);
}

/// Which codes of agents stand for bots.
pub(crate) fn bots(dictionaries: &Dictionaries) -> Vec<bool> {
    let agents = dictionaries.get(Dict::Agent.index()).into_iter().flat_map(|agents| agents.iter());
    agents.map(|agent| !field(agent, 5).is_empty()).collect()
}

/// Where the snapshot of this number lies.
fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}{SUFFIX}"))
}

/// Removes a file that is not needed; one that stays is removed with the next seal.
fn remove(path: &Path) {
    if let Err(error) = fs::remove_file(path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "a snapshot of visits cannot be removed");
    }
}

/// Removes every snapshot but this one, and those that were not finished.
///
/// # Errors
/// `Io`.
pub(crate) fn remove_others(folder: &Path, number: u64) -> Result<()> {
    let failed = |error: std::io::Error| VisitsError::io("list", folder, &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let found = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).and_then(|text| text.parse::<u64>().ok());
        let is_draft = name.to_str().is_some_and(|name| name.ends_with(DRAFT));
        if is_draft || found.is_some_and(|found| found != number) {
            remove(&folder.join(name));
        }
    }
    Ok(())
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    fn filled() -> Snapshot {
        let mut snapshot = Snapshot::default();
        let row = |time_ms, event_id, traffic| Row { time_ms, event_id, traffic, ..Row::default() };
        let rows = [row(1_700_000_000_000, 5, Traffic::Real), row(1_700_000_001_000, 0, Traffic::Synthetic)];
        snapshot.add(1_700_000_000_500, rows.iter(), |_| true);
        snapshot.add(-1_700_000_000_500, [row(1_700_000_000_000, 0, Traffic::Real)].iter(), |_| false);
        snapshot
    }

    #[test]
    fn a_snapshot_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = filled();
        assert_eq!(snapshot.counts, Counts { total: 2, bots: 1, synthetic: 1, unverified: 0 });
        snapshot.write(folder.path(), 7).unwrap();
        let read = Snapshot::read(folder.path(), 7).unwrap();
        assert_eq!((read.counts, &read.ids), (snapshot.counts, &vec![(5, 1_700_000_000)]));
        assert_eq!(
            read.recent.seconds().collect::<Vec<_>>(),
            [(1_700_000_000, 1)],
            "imports and campaigns do not count"
        );
        assert_eq!(read.recent.reaches(), snapshot.recent.reaches());
        remove_others(folder.path(), 8).unwrap();
        assert!(Snapshot::read(folder.path(), 7).is_err());
    }

    #[test]
    fn a_snapshot_whose_bytes_changed_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        filled().write(folder.path(), 7).unwrap();
        let path = path(folder.path(), 7);
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            *bad.get_mut(at).unwrap() ^= 4;
            fs::write(&path, bad).unwrap();
            assert!(matches!(Snapshot::read(folder.path(), 7), Err(VisitsError::Damaged(_))), "byte {at}");
        }
    }
}
