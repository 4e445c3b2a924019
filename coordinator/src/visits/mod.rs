//! Visits on the coordinator's side: their store, their sites, and what people settle about them.

pub mod book;
pub mod imported;
pub mod intake;
pub mod sites;
pub mod store;
pub mod transfer;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use trafficlab_shared::config::Config;

use self::book::asking::Asking;
use self::imported::Imported;
use self::intake::Intake;
use self::sites::Sites;
use self::store::VisitStore;
use self::transfer::Imports;
use crate::store::Store;

/// The folder of imported figures in that of the visits.
const IMPORTED_FOLDER: &str = "imported";
/// The folder of files to be imported in that of the visits.
const IMPORTS_FOLDER: &str = "imports";

/// The tracker's parts.
pub struct Visits {
    /// What is stored.
    pub store: VisitStore,
    /// Whose visits are counted.
    pub sites: Sites,
    /// What stands between requests and the store.
    pub intake: Arc<Intake>,
    /// How many questions run.
    pub asking: Asking,
    /// Daily figures of other programs.
    pub imported: Imported,
    /// Imports of visits.
    pub imports: Imports,
}

impl Visits {
    /// Opens everything in `folder`, which is made when missing. Blocks.
    ///
    /// # Errors
    /// When files cannot be read or written, or are damaged.
    pub fn open(folder: &Path, store: &Store, config: &Config) -> anyhow::Result<Self> {
        // Whom visits belong to is nobody's business on this machine but ours.
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        let visits = VisitStore::open(folder, store.clone())?;
        let sites = Sites::open(store, &config.tracker)?;
        // Their records may be younger than the last commit that a crash left.
        sites.adopt(visits.sites().into_iter().map(|(domain, _)| domain))?;
        let intake = Arc::new(Intake::open(folder, store, config)?);
        let imported = Imported::open(&folder.join(IMPORTED_FOLDER))?;
        let imports = Imports::open(&folder.join(IMPORTS_FOLDER), store)?;
        Ok(Self { store: visits, sites, intake, asking: Asking::default(), imported, imports })
    }
}
