//! Ad operations: tenants with their people and campaigns, the figures of those, and what is told about them.
//!
//! Invariants: every record belongs to a tenant and is reached with its id only (`table.rs`), which a request gets from
//! its credential; a change and its audit entry are one batch (`change.rs`); nothing here knows HTTP.

pub mod accounts;
pub mod actor;
pub mod analytics;
pub mod audit;
pub mod book;
pub mod campaign;
pub mod campaigns;
pub mod change;
pub mod exports;
pub mod ids;
pub mod imports;
mod input;
pub mod integrations;
pub mod keys;
pub mod linked;
pub mod mail;
pub mod privacy;
pub mod reports;
pub mod table;
pub mod tenant;
pub mod users;
pub mod views;

use trafficlab_shared::config::Config;

use accounts::Accounts;
use analytics::Questions;
use book::Book;
use mail::{Mailer, MailerError};
use privacy::{Privacy, PrivacyError};

use crate::store::{Store, StoreError};

pub use actor::{Actor, Role, Who};
pub use audit::AuditEntry;
pub use change::{Change, change, note};
pub use ids::{CampaignId, KeyId, TenantId, UserId};
pub use table::TenantTable;

/// Everything that ad operations hold in memory.
pub struct Adops {
    /// People and their credentials.
    pub accounts: Accounts,
    /// Campaigns and their figures.
    pub book: Book,
    /// What questions about figures need.
    pub questions: Questions,
    /// Files that are asked for.
    pub exports: exports::Exports,
    /// Files of figures on their way in.
    pub imports: imports::Imports,
    /// Where mails go.
    pub mailer: Mailer,
    /// The rights of persons.
    pub privacy: Privacy,
}

/// Why ad operations cannot start.
#[derive(Debug, thiserror::Error)]
pub enum AdopsError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Mails cannot be sent with this configuration.
    #[error(transparent)]
    Mail(#[from] MailerError),
    /// Erasures of before cannot be made good.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
}

impl Adops {
    /// Opens what is stored. Blocks.
    ///
    /// # Errors
    /// When the store cannot be read, or a part cannot be set up.
    pub fn open(store: &Store, config: &Config) -> Result<Self, AdopsError> {
        let book = Book::open(store)?;
        Ok(Self {
            accounts: Accounts::open(store, config)?,
            exports: exports::Exports::default(),
            imports: imports::Imports::open(&config.data_dir),
            mailer: Mailer::new(config)?,
            questions: Questions::new(config),
            privacy: Privacy::open(store, &book, config)?,
            book,
        })
    }
}
