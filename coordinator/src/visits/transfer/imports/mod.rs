//! Imports: one at a time, their queue and their state in the store, their files in a folder.
//!
//! Nothing counts twice: an import that fails, is cancelled or is interrupted by a restart takes back what it brought.
//! For that the visitors of an access log are kept beside it (`visitors`), and figures of Plausible are files of their own.

mod fault;
mod input;
mod log;
mod place;
mod run;
mod visitors;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use trafficlab_shared::clock;
use trafficlab_shared::config::Config;

use self::fault::ImportFault;
use self::run::Job;
use self::watch::{StopOnDrop, Watch};
use super::super::Visits;
use crate::store::visit_imports::{ImportState, ImportTally, VISIT_IMPORTS, VisitImport};
use crate::store::{Batch, Store, StoreError};

pub(crate) use self::fault::RemoveFault;
pub(crate) use self::place::Place;

/// Imports that wait at most.
pub(crate) const MOST_QUEUED: usize = 16;
/// Files that are received at once.
const MOST_RECEIVED: usize = 4;

/// All imports.
pub struct Imports {
    folder: PathBuf,
    store: Store,
    /// Somebody has to look at the queue.
    wake: Notify,
    /// An import is over.
    over: Notify,
    running: Mutex<Option<(String, Arc<Watch>)>>,
    receiving: Semaphore,
}

impl Imports {
    /// Finds the imports in `folder`, which is made; what a broken-off upload left is removed. Blocks.
    ///
    /// # Errors
    /// When the folder or the store cannot be read.
    pub fn open(folder: &Path, store: &Store) -> anyhow::Result<Self> {
        place::sweep(folder, |id| VISIT_IMPORTS.contains(store, &id.to_owned()))?;
        Ok(Self {
            folder: folder.to_owned(),
            store: store.clone(),
            wake: Notify::new(),
            over: Notify::new(),
            running: Mutex::default(),
            receiving: Semaphore::new(MOST_RECEIVED),
        })
    }

    /// A place to receive a file; nothing when too many files come at once.
    pub(crate) fn receive(&self) -> Option<SemaphorePermit<'_>> {
        self.receiving.try_acquire().ok()
    }

    /// Where the files of an import lie.
    pub(crate) fn place(&self, id: &str) -> Place {
        Place::new(&self.folder, id)
    }

    /// All imports, the newest first.
    pub(crate) fn all(&self) -> Result<Vec<(String, VisitImport)>, StoreError> {
        let live = self.live();
        let mut all = VISIT_IMPORTS.scan(&self.store, true).collect::<Result<Vec<_>, _>>()?;
        for (id, import) in &mut all {
            show(live.as_ref(), id, import);
        }
        Ok(all)
    }

    /// One import.
    pub(crate) fn get(&self, id: &str) -> Result<Option<VisitImport>, StoreError> {
        // Looked at before the record: an import that ends in between shows its record.
        let live = self.live();
        let mut import = VISIT_IMPORTS.get(&self.store, &id.to_owned())?;
        if let Some(import) = &mut import {
            show(live.as_ref(), id, import);
        }
        Ok(import)
    }

    fn live(&self) -> Option<(String, ImportTally)> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.as_ref().map(|(id, watch)| (id.clone(), watch.tally()))
    }

    /// Puts an import at the end of the queue unless that is full or `refuse` finds a reason among the others.
    pub(crate) async fn put<R>(
        &self,
        id: &str,
        import: &VisitImport,
        refuse: impl Fn(&str, &VisitImport) -> Option<R> + Send,
    ) -> Result<Result<(), Refusal<R>>, StoreError> {
        {
            let _only_one = self.store.lock();
            let mut queued = 0;
            for row in VISIT_IMPORTS.scan(&self.store, false) {
                let (known, other) = row?;
                queued += usize::from(other.state == ImportState::Queued);
                if let Some(reason) = refuse(&known, &other) {
                    return Ok(Err(Refusal::Other(reason)));
                }
            }
            if queued >= MOST_QUEUED {
                return Ok(Err(Refusal::Full));
            }
            let mut batch = Batch::new();
            VISIT_IMPORTS.put(&mut batch, &id.to_owned(), import)?;
            self.store.apply(batch)?;
        }
        self.store.durable().await?;
        self.wake.notify_one();
        Ok(Ok(()))
    }

    /// Cancels an import, takes back what it brought, and forgets it; nothing when it is not known.
    ///
    /// # Errors
    /// When files or the store fail; then it is still known.
    pub(crate) async fn remove(&self, visits: &Arc<Visits>, id: &str) -> Result<Option<VisitImport>, RemoveFault> {
        let import = loop {
            let over = self.over.notified();
            let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
            match running.filter(|(running, _)| running == id) {
                Some((_, watch)) => watch.stop(),
                None => match self.claim(id)? {
                    Some(import) if import.state == ImportState::Running => {}
                    other => break other,
                },
            }
            over.await;
        };
        let Some(import) = import else {
            return Ok(None);
        };
        let (own, place) = (Arc::clone(visits), self.place(id));
        let (site, key) = (import.site.clone(), id.to_owned());
        let taken = tokio::task::spawn_blocking(move || run::take_back(&own, &place, &key, site.as_deref()));
        taken.await.map_err(RemoveFault::panicked)??;
        let mut batch = Batch::new();
        VISIT_IMPORTS.delete(&mut batch, &id.to_owned());
        self.store.commit(batch).await?;
        self.over.notify_waiters();
        Ok(Some(import))
    }

    /// The record of an import that is to be removed: one that waits is over at once, so that nobody begins it.
    fn claim(&self, id: &str) -> Result<Option<VisitImport>, StoreError> {
        let _only_one = self.store.lock();
        let import = VISIT_IMPORTS.get(&self.store, &id.to_owned())?;
        if let Some(waiting) = import.clone().filter(|import| import.state == ImportState::Queued) {
            let mut batch = Batch::new();
            let ended = VisitImport { state: ImportState::Failed, error: Some("cancelled".to_owned()), ..waiting };
            VISIT_IMPORTS.put(&mut batch, &id.to_owned(), &ended)?;
            self.store.apply(batch)?;
        }
        Ok(import)
    }

    /// Imports one after the other, for ever; begins with what a restart interrupted.
    pub async fn run(&self, visits: &Arc<Visits>, config: &Arc<Config>) {
        if let Err(error) = self.recover(visits).await {
            tracing::error!(%error, "interrupted imports of visits cannot be taken back");
        }
        loop {
            match self.next() {
                Ok(Some((id, import))) => {
                    if let Err(error) = self.one(visits, config, &id, import).await {
                        tracing::error!(import = %id, %error, "the state of an import cannot be stored");
                        // The store is failing; the queue is looked at again when something new comes.
                        self.wake.notified().await;
                    }
                    self.over.notify_waiters();
                }
                Ok(None) => self.wake.notified().await,
                Err(error) => {
                    tracing::error!(%error, "the queue of imports cannot be read");
                    self.wake.notified().await;
                }
            }
        }
    }

    /// Takes the oldest import that waits, and says that it runs.
    fn next(&self) -> Result<Option<(String, VisitImport)>, StoreError> {
        let _only_one = self.store.lock();
        let waiting = |row: &Result<(String, VisitImport), StoreError>| {
            row.as_ref().map_or(true, |(_, import)| import.state == ImportState::Queued)
        };
        let Some((id, import)) = VISIT_IMPORTS.scan(&self.store, false).find(waiting).transpose()? else {
            return Ok(None);
        };
        let import = VisitImport { state: ImportState::Running, ..import };
        let mut batch = Batch::new();
        VISIT_IMPORTS.put(&mut batch, &id, &import)?;
        self.store.apply(batch)?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((id.clone(), Arc::new(Watch::default())));
        Ok(Some((id, import)))
    }

    async fn one(
        &self,
        visits: &Arc<Visits>,
        config: &Arc<Config>,
        id: &str,
        import: VisitImport,
    ) -> Result<(), StoreError> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let watch = running.map(|(_, watch)| watch).unwrap_or_default();
        // What a crash leaves must say that it ran.
        self.store.durable().await?;
        let job = Job {
            visits: Arc::clone(visits),
            config: Arc::clone(config),
            watch: Arc::clone(&watch),
            place: self.place(id),
            id: id.to_owned(),
            import: import.clone(),
            runtime: tokio::runtime::Handle::current(),
        };
        let stop = StopOnDrop(&watch);
        let ended = tokio::task::spawn_blocking(move || job.run()).await;
        drop(stop);
        let (state, error, tally) = match ended {
            Ok(Ok(tally)) => (ImportState::Done, None, tally),
            Ok(Err(fault)) => (ImportState::Failed, Some(fault.to_string()), watch.tally()),
            Err(_panicked) => (ImportState::Failed, Some(ImportFault::Defect.to_string()), watch.tally()),
        };
        match &error {
            None => {
                tracing::info!(import = %id, accepted = tally.accepted, skipped = tally.skipped(), "visits imported")
            }
            Some(error) => tracing::warn!(import = %id, %error, "an import of visits failed"),
        }
        if state == ImportState::Failed {
            self.undo(visits, id, &import).await;
        }
        place::remove_upload(&self.place(id));
        let ended_ns = Some(clock::wall_ns());
        let mut batch = Batch::new();
        VISIT_IMPORTS.put(&mut batch, &id.to_owned(), &VisitImport { state, error, ended_ns, tally, ..import })?;
        let stored = self.store.commit(batch).await;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
        stored
    }

    async fn undo(&self, visits: &Arc<Visits>, id: &str, import: &VisitImport) {
        let (own, place, key, site) = (Arc::clone(visits), self.place(id), id.to_owned(), import.site.clone());
        let taken = tokio::task::spawn_blocking(move || run::take_back(&own, &place, &key, site.as_deref())).await;
        if let Err(error) = taken.map_err(RemoveFault::panicked).and_then(|taken| taken) {
            tracing::error!(import = %id, %error, "what a failed import brought cannot be taken back");
        }
    }

    /// What ran when the server ended did not get to its end.
    async fn recover(&self, visits: &Arc<Visits>) -> Result<(), StoreError> {
        let rows = VISIT_IMPORTS.scan(&self.store, false).collect::<Result<Vec<_>, _>>()?;
        for (id, import) in rows.into_iter().filter(|(_, import)| import.state == ImportState::Running) {
            self.undo(visits, &id, &import).await;
            place::remove_upload(&self.place(&id));
            let error = Some("interrupted by a restart of the server; nothing of it counts".to_owned());
            let ended_ns = Some(clock::wall_ns());
            let mut batch = Batch::new();
            VISIT_IMPORTS.put(
                &mut batch,
                &id,
                &VisitImport { state: ImportState::Failed, error, ended_ns, ..import },
            )?;
            self.store.commit(batch).await?;
            self.over.notify_waiters();
        }
        Ok(())
    }
}

/// Why an import is not queued.
pub(crate) enum Refusal<R> {
    /// Too many wait.
    Full,
    /// The caller's reason.
    Other(R),
}

fn show(live: Option<&(String, ImportTally)>, id: &str, import: &mut VisitImport) {
    if let Some((running, tally)) = live
        && running == id
        && import.state == ImportState::Running
    {
        import.tally.clone_from(tally);
    }
}
