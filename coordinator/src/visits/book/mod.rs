//! What people settle beside a site's settings: goals, funnels, shared figures. And how many questions run at once.

pub mod asking;
pub mod funnels;
pub mod goals;
pub mod shares;
#[cfg(test)]
mod tests;

use crate::store::StoreError;

/// Why a goal, funnel or share cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum BookFault {
    /// The site has as many as it may.
    #[error("a site has at most {0} of these")]
    TooMany(usize),
    /// Another one has the name.
    #[error("`{0}` is there already")]
    Taken(String),
    /// The store fails.
    #[error(transparent)]
    Store(#[from] StoreError),
}

fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}
