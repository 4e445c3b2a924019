//! What can go wrong in the key-value store.

/// What can go wrong in the store. Cloned to every waiter of a failed group commit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// An earlier input/output error stopped all writes; reads still answer.
    #[error("the store is read-only: {reason}")]
    ReadOnly {
        /// The error that caused it.
        reason: String,
    },
    /// The files could not be opened.
    #[error("cannot open the store at `{path}`: {message}")]
    Open {
        /// The folder.
        path: String,
        /// What the system said.
        message: String,
    },
    /// The engine failed while doing `what`.
    #[error("the store failed to {what}: {message}")]
    Engine {
        /// The operation.
        what: &'static str,
        /// What the engine said.
        message: String,
    },
    /// A key or value is longer than the store takes; the caller has to split it.
    #[error("{what} of {len} bytes is over the limit of {limit}")]
    TooLarge {
        /// `key` or `value`.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// A stored key or value does not have the expected form.
    #[error("a record of table `{table}` cannot be read: {message}")]
    Decode {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// A value cannot be turned into bytes.
    #[error("a record of table `{table}` cannot be written: {message}")]
    Encode {
        /// The table.
        table: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// The store was closed while a caller waited for durability.
    #[error("the store is closed")]
    Closed,
}

/// Result of store operations.
pub type Result<T> = std::result::Result<T, StoreError>;
