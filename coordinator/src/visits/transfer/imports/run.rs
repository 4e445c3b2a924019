//! Running one import, on a thread of its own, and taking one back.

use std::collections::HashMap;
use std::fs::File;
use std::sync::Arc;

use tokio::runtime::Handle;
use trafficlab_engine::visit::enrich::accesslog;
use trafficlab_shared::config::Config;

use super::fault::{ImportFault, RemoveFault};
use super::input::{Line, Lines};
use super::log::LogRun;
use super::place::Place;
use super::visitors;
use super::watch::Watch;
use crate::store::visit_imports::{ImportFormat, ImportTally, VisitImport};
use crate::visits::Visits;
use crate::visits::imported::plausible::{self, Taking};
use crate::visits::imported::table::TableKind;

/// Lines by which an unknown file is told.
const LOOKED_AT: usize = 20;

/// Everything that an import needs.
pub(super) struct Job {
    pub(super) visits: Arc<Visits>,
    pub(super) config: Arc<Config>,
    pub(super) watch: Arc<Watch>,
    pub(super) place: Place,
    pub(super) id: String,
    pub(super) import: VisitImport,
    pub(super) runtime: Handle,
}

/// What a file turned out to be.
enum Kind {
    Log(accesslog::Format),
    Table,
    Archive,
}

impl Job {
    /// Imports the file. Blocks.
    pub(super) fn run(self) -> Result<ImportTally, ImportFault> {
        match self.kind()? {
            Kind::Log(format) => LogRun::new(&self, format)?.run(),
            Kind::Table => self.plausible(false),
            Kind::Archive => self.plausible(true),
        }
    }

    pub(super) fn file(&self) -> std::io::Result<File> {
        File::open(&self.place.upload)
    }

    pub(super) fn most_bytes(&self) -> u64 {
        self.config.captures.max_decompressed_bytes.0
    }

    fn kind(&self) -> Result<Kind, ImportFault> {
        let archive = plausible::is_archive(&mut self.file()?)?;
        let asked = self.import.format;
        if archive && matches!(asked, ImportFormat::Auto | ImportFormat::Plausible) {
            return Ok(Kind::Archive);
        }
        if asked == ImportFormat::Plausible {
            return Ok(Kind::Table);
        }
        let first = self.first_lines()?;
        let lines: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
        let found = accesslog::detect(&lines);
        match (asked, found) {
            (ImportFormat::Caddy, Some(accesslog::Format::Caddy) | None) => Ok(Kind::Log(accesslog::Format::Caddy)),
            (ImportFormat::Nginx | ImportFormat::Apache, Some(format)) if format != accesslog::Format::Caddy => {
                Ok(Kind::Log(format))
            }
            (ImportFormat::Auto, Some(format)) => Ok(Kind::Log(format)),
            (ImportFormat::Auto, None) if is_table(first.first()) => Ok(Kind::Table),
            _ => Err(ImportFault::Unknown(format!(
                "its first {LOOKED_AT} lines are none of an access log of this kind (`{}`)",
                asked.as_str()
            ))),
        }
    }

    fn first_lines(&self) -> Result<Vec<Vec<u8>>, ImportFault> {
        let mut lines = Lines::new(self.file()?, self.most_bytes())?;
        let mut first = Vec::new();
        while first.len() < LOOKED_AT {
            match lines.next()? {
                Some((_, Line::Whole(line))) if !line.trim_ascii().is_empty() => first.push(line.to_owned()),
                Some(_) => {}
                None => break,
            }
            if lines.consumed() > 1 << 20 {
                break;
            }
        }
        Ok(first)
    }

    fn plausible(&self, archive: bool) -> Result<ImportTally, ImportFault> {
        let site = self.import.site.as_deref().ok_or(ImportFault::NoSite)?;
        let imported = &self.visits.imported;
        let mut taking = Taking {
            writer: (!self.import.dry_run).then(|| imported.writer(&self.id, site)).transpose()?,
            until: self.visits.store.days(site).first().and_then(|first| i32::try_from(first.day).ok()),
            covered: if self.import.dry_run { HashMap::new() } else { imported.covered(site) },
            tally: ImportTally::default(),
            go_on: &mut |tally| self.watch.show(tally),
            most_bytes: self.most_bytes(),
        };
        if archive {
            taking.archive(self.file()?)?;
        } else {
            taking.table(&self.import.name, TableKind::of_file(&self.import.name), &mut self.file()?)?;
        }
        let (writer, mut tally) = (taking.writer.take(), taking.tally);
        if !self.watch.show(&tally) {
            return Err(ImportFault::Cancelled);
        }
        if let Some(writer) = writer.filter(|writer| writer.rows() > 0) {
            imported.add(writer)?;
        }
        tally.bytes = self.import.bytes;
        Ok(tally)
    }
}

fn is_table(first: Option<&Vec<u8>>) -> bool {
    let text = first.map(|line| String::from_utf8_lossy(line).replace(['"', '\u{feff}'], "")).unwrap_or_default();
    let columns: Vec<&str> = text.split(',').map(str::trim).collect();
    TableKind::of_columns(&columns).is_some()
}

/// Removes what an import brought, and its files. Blocks.
pub(super) fn take_back(visits: &Visits, place: &Place, id: &str, site: Option<&str>) -> Result<(), RemoveFault> {
    visits.imported.remove(id)?;
    visitors::each::<RemoveFault>(&place.visitors, |some| {
        visits.store.erase(site, some)?;
        Ok(())
    })?;
    Ok(place.remove()?)
}
