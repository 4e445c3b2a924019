//! Packets kept on disk: a ring of pcap files.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use trafficlab_engine::packet::file::PcapWriter;
use trafficlab_engine::packet::raw::LinkType;
use trafficlab_shared::clock;
use trafficlab_shared::model::capture::work::KeepSpec;

use super::{Batch, headers};

const BUFFER: usize = 1024 * 1024;

/// The files of one live capture: `JOB-NUMBER-BEGINNING.pcap` with the beginning in seconds since 1970, the newest with
/// the greatest number. An owner that takes over on the same machine goes on with the next number. A file is synced to the
/// disk when it is full and at the end.
#[derive(Debug)]
pub(crate) struct KeptFiles {
    folder: PathBuf,
    job: String,
    keep: KeepSpec,
    link: LinkType,
    snap_length: u32,
    payload: bool,
    open: Option<PcapWriter<BufWriter<File>>>,
    number: u64,
}

impl KeptFiles {
    /// Files of `job` in `folder`, which is made when it is not there.
    ///
    /// # Errors
    /// What the file system says, or that the job's name is none for a file.
    pub(crate) fn open(
        folder: &Path,
        job: &str,
        keep: KeepSpec,
        (link, snap_length, payload): (LinkType, u32, bool),
    ) -> io::Result<Self> {
        if job.is_empty() || !job.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') {
            return Err(io::Error::other(format!("`{job}` is no name for a file")));
        }
        fs::create_dir_all(folder)?;
        let folder = folder.to_owned();
        let mut kept = Self { folder, job: job.to_owned(), keep, link, snap_length, payload, open: None, number: 0 };
        kept.number = kept.files()?.last().map_or(0, |(last, _)| last + 1);
        kept.next_file()?;
        Ok(kept)
    }

    /// Writes packets; without payload only their headers.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(&mut self, batch: &Batch) -> io::Result<()> {
        for packet in batch.packets(self.link) {
            let length = if self.payload { packet.data.len() } else { headers::length(self.link, packet.data) };
            let data = packet.data.get(..length).unwrap_or_default();
            if self.open.as_ref().is_none_or(|open| open.written() >= self.keep.file_bytes) {
                self.next_file()?;
            }
            if let Some(open) = &mut self.open {
                open.packet(packet.time_ns.unwrap_or_default(), packet.wire_len, data)?;
            }
        }
        Ok(())
    }

    /// Writes what is buffered and syncs it to the disk.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let file = open.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }

    fn next_file(&mut self) -> io::Result<()> {
        self.close()?;
        let files = usize::try_from(self.keep.files.max(1)).unwrap_or(usize::MAX);
        let known = self.files()?;
        let too_many = known.len().saturating_sub(files - 1);
        for (_, path) in known.into_iter().take(too_many) {
            fs::remove_file(path)?;
        }
        let begun = clock::wall_ns() / 1_000_000_000;
        let file = File::create_new(self.folder.join(format!("{}-{:06}-{begun}.pcap", self.job, self.number)))?;
        self.number += 1;
        self.open = Some(PcapWriter::new(BufWriter::with_capacity(BUFFER, file), self.link, self.snap_length)?);
        Ok(())
    }

    /// The job's files, ascending by their numbers.
    fn files(&self) -> io::Result<Vec<(u64, PathBuf)>> {
        let number = |name: &str| {
            let rest = name.strip_prefix(&self.job)?.strip_prefix('-')?.strip_suffix(".pcap")?;
            let (number, begun) = rest.split_once('-')?;
            begun.parse::<u64>().ok()?;
            number.parse::<u64>().ok()
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if let Some(number) = entry.file_name().to_str().and_then(number) {
                files.push((number, entry.path()));
            }
        }
        files.sort_unstable();
        Ok(files)
    }
}

impl Drop for KeptFiles {
    fn drop(&mut self) {
        if let Err(error) = self.close() {
            tracing::error!(job = %self.job, %error, "kept packets may be incomplete");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
    use super::*;

    fn batch(packets: i64) -> Batch {
        let mut batch = Batch::new();
        // Ethernet, IPv4, UDP, then payload.
        let frame = [&[0; 12][..], &[8, 0, 0x45], &[0; 8], &[17], &[0; 10], &[0; 8], b"payload"].concat();
        (0..packets).for_each(|time| batch.push(time, 100, &frame));
        batch
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn the_oldest_file_goes_first_and_the_next_owner_counts_on() {
        let folder = tempfile::tempdir().unwrap();
        let open = |job| {
            let keep = KeepSpec { file_bytes: 24 + 3 * (16 + 42), files: 2 };
            KeptFiles::open(folder.path(), job, keep, (LinkType(1), 192, false)).unwrap()
        };
        let mut kept = open("job-1");
        kept.write(&batch(10)).unwrap();
        drop(kept);
        let left = names(folder.path());
        assert_eq!(left.len(), 2, "{left:?}");
        assert!(left[0].starts_with("job-1-000002-") && left[1].starts_with("job-1-000003-"), "{left:?}");
        let full = fs::metadata(folder.path().join(&left[0])).unwrap().len();
        assert_eq!(full, 24 + 3 * (16 + 42), "headers only, three packets");
        // Another job's files are not counted, and a name that only begins alike is another job's.
        drop(open("job"));
        drop(open("job-1"));
        let left = names(folder.path());
        assert_eq!(left.len(), 3, "{left:?}");
        assert!(left.iter().any(|name| name.starts_with("job-1-000004-")), "{left:?}");
    }

    #[test]
    fn a_job_is_no_path() {
        let keep = KeepSpec { file_bytes: 1000, files: 2 };
        let folder = tempfile::tempdir().unwrap();
        let opened = KeptFiles::open(folder.path(), "../x", keep, (LinkType(1), 192, false));
        assert!(opened.is_err());
    }
}
