//! Archives of what is held about a person: files that are fetched once, within an hour.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use trafficlab_shared::clock;

use super::{Privacy, held, may_decide, missing};
use crate::adops::accounts::user::USERS;
use crate::adops::actor::Actor;
use crate::adops::audit::AuditEntry;
use crate::adops::book::Book;
use crate::adops::change::{Change, change};
use crate::adops::ids::{TenantId, UserId};
use crate::adops::table::TenantTable;
use crate::store::kv::Result as Stored;
use crate::store::{FirstVersion, Store, sync_folder};
use crate::systems::{Fault, Outcome};

/// Their folder in the data folder.
pub(super) const FOLDER: &str = "archives";
/// How every link's token begins.
const PREFIX: &str = "tlg_";
/// How long one can be fetched.
const KEPT_NS: u64 = 3600 * 1_000_000_000;
/// Archives of a tenant at once.
const MOST: usize = 10;

/// Archives by their number.
pub const ARCHIVES: TenantTable<u64, Archive> = TenantTable::new("ads_person_archive");

/// An archive that was not fetched yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Whose data it holds.
    pub person: UserId,
    /// Who asked for it.
    pub asked_by: Option<UserId>,
    /// SHA-256 of the link's token.
    pub hash: [u8; 32],
    /// Its size.
    pub bytes: u64,
    /// Nanoseconds since 1970.
    pub created_ns: u64,
    /// Nanoseconds since 1970.
    pub expires_ns: u64,
}

impl FirstVersion for Archive {}

/// An archive that was just made, with its token.
pub struct Made {
    /// What is kept.
    pub archive: Archive,
    /// What the link ends with.
    pub token: String,
}

impl Privacy {
    /// Makes an archive of everything that is held about a person of the actor's tenant.
    ///
    /// # Errors
    /// 403, 404, 409 when too many were not fetched yet.
    pub async fn export(&self, store: &Store, book: &Book, actor: &Actor, person: UserId) -> Outcome<Made> {
        may_decide(actor, person)?;
        USERS.get(store, actor.tenant, person)?.ok_or_else(missing)?;
        let number = change(store, actor, |change| {
            has_place(change)?;
            Ok(change.next_id("archive")?)
        });
        let number = number.await?;
        let path = path(&self.archives, actor.tenant, number);
        let making = path.with_extension("part");
        let (own, book, tenant, to) = (store.clone(), book.clone(), actor.tenant, making.clone());
        let written =
            tokio::task::spawn_blocking(move || write(&to, |out| held::write(out, &own, &book, tenant, person)));
        let failed = |error: &dyn std::fmt::Display| Fault::internal("archive of a person", error);
        let bytes = written.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        let (token, hash) = token(number)?;
        let kept = change(store, actor, |change| {
            // They may have been erased meanwhile, and then nothing of theirs may be kept.
            change.get(&USERS, person)?.filter(|user| user.anonymised_ns.is_none()).ok_or_else(missing)?;
            // Others may have been made beside this one.
            has_place(change)?;
            let (created_ns, expires_ns) = (change.at_ns, change.at_ns.saturating_add(KEPT_NS));
            let archive = Archive { person, asked_by: actor.who.user(), hash, bytes, created_ns, expires_ns };
            change.put(&ARCHIVES, number, &archive)?;
            change.audit(&AuditEntry::new(change.actor, "gdpr.exported", "user", person))?;
            Ok(archive)
        });
        match kept.await {
            Ok(archive) => {
                fs::rename(&making, &path).map_err(|error| failed(&error))?;
                if ARCHIVES.get(store, actor.tenant, number)?.is_none() {
                    remove(&path).map_err(|error| failed(&error))?;
                    return Err(missing());
                }
                Ok(Made { archive, token })
            }
            Err(fault) => {
                remove(&making).map_err(|error| failed(&error))?;
                Err(fault)
            }
        }
    }

    /// Opens the archive of a token, which then is of no use any more.
    ///
    /// # Errors
    /// 404 for a token that was used, has ended, or is another tenant's or person's.
    pub async fn fetch(&self, store: &Store, actor: &Actor, token: &str) -> Outcome<(UserId, File)> {
        let number = number_of(token).ok_or_else(gone)?;
        let hash: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let person = change(store, actor, |change| {
            let archive = change.get(&ARCHIVES, number)?.ok_or_else(gone)?;
            let good = bool::from(archive.hash.ct_eq(&hash)) && change.at_ns < archive.expires_ns;
            if !good || may_decide(actor, archive.person).is_err() {
                return Err(gone());
            }
            change.delete(&ARCHIVES, number);
            change.audit(&AuditEntry::new(change.actor, "gdpr.export_downloaded", "user", archive.person))?;
            Ok(archive.person)
        })
        .await?;
        // An open file can still be read when its name is gone.
        let path = path(&self.archives, actor.tenant, number);
        let opened = tokio::task::spawn_blocking(move || {
            let file = File::open(&path)?;
            remove(&path)?;
            Ok::<_, io::Error>(file)
        });
        let failed = |error: &dyn std::fmt::Display| Fault::internal("archive of a person", error);
        let file = opened.await.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        Ok((person, file))
    }

    /// Removes archives that nobody fetched in time.
    ///
    /// # Errors
    /// When a disk refuses.
    pub async fn forget_archives(&self, store: &Store) -> Outcome<()> {
        let now_ns = clock::wall_ns();
        let all = ARCHIVES.everyone(store).collect::<Stored<Vec<_>>>()?;
        for ((tenant, number), _) in all.into_iter().filter(|(_, archive)| archive.expires_ns <= now_ns) {
            let actor = Actor::system(tenant, "gdpr");
            change(store, &actor, |change| {
                change.delete(&ARCHIVES, number);
                Ok(())
            })
            .await?;
        }
        let (folder, own) = (self.archives.clone(), store.clone());
        let swept = tokio::task::spawn_blocking(move || remove_unknown(&own, &folder)).await;
        let failed = |error: &dyn std::fmt::Display| Fault::internal("archives of persons", error);
        swept.map_err(|error| failed(&error))?.map_err(|error| failed(&error))
    }
}

fn has_place(change: &Change<'_>) -> Outcome<()> {
    if ARCHIVES.scan(change.store, change.actor.tenant, false).take(MOST).count() < MOST {
        return Ok(());
    }
    Err(Fault::conflict("Too many archives wait to be fetched; they end after an hour"))
}

/// Drops the archives of a person of the actor's tenant, and those they asked for; `remove_unknown` removes the files.
pub(super) fn forget(change: &mut Change<'_>, person: UserId) -> Stored<()> {
    for row in ARCHIVES.scan(change.store, change.actor.tenant, false) {
        let (number, archive) = row?;
        if archive.person == person || archive.asked_by == Some(person) {
            change.delete(&ARCHIVES, number);
        }
    }
    Ok(())
}

/// Removes the files that no archive has: of erased persons, and of crashes. One that is being made has
/// another name; it is left alone for an hour, and whoever makes it finds out that the person is gone.
pub(super) fn remove_unknown(store: &Store, folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        let known = match named(&entry.file_name().to_string_lossy()) {
            Some((tenant, number)) => ARCHIVES.get(store, tenant, number).map_err(io::Error::other)?.is_some(),
            None => age.as_nanos() < u128::from(KEPT_NS),
        };
        if !known {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

fn path(folder: &Path, tenant: TenantId, number: u64) -> PathBuf {
    folder.join(format!("{tenant}-{number}.json"))
}

fn named(name: &str) -> Option<(TenantId, u64)> {
    let (tenant, number) = name.strip_suffix(".json")?.split_once('-')?;
    Some((TenantId(tenant.parse().ok()?), number.parse().ok()?))
}

fn write(path: &Path, content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> io::Result<u64> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut out = BufWriter::new(file);
    let written = content(&mut out).and_then(|()| out.flush()).and_then(|()| out.get_ref().sync_all());
    if let Err(error) = written {
        remove(path)?;
        return Err(error);
    }
    sync_folder(folder)?;
    Ok(fs::metadata(path)?.len())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// A token and its hash. It carries the number, so that it is found without looking at others.
fn token(number: u64) -> Outcome<(String, [u8; 32])> {
    let mut random = [0_u8; 32];
    getrandom::fill(&mut random).map_err(|error| Fault::internal("no randomness", &error))?;
    let token = format!("{PREFIX}{number}.{}", URL_SAFE_NO_PAD.encode(random));
    let hash = Sha256::digest(token.as_bytes()).into();
    Ok((token, hash))
}

fn number_of(token: &str) -> Option<u64> {
    token.strip_prefix(PREFIX)?.split_once('.')?.0.parse().ok()
}

/// The one answer to every link that is not good.
fn gone() -> Fault {
    Fault::not_found("There is no such archive, or it was fetched already")
}
