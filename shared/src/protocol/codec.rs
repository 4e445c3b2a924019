//! One encoding for every message: named MessagePack, so that fields can be added.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes that are not the message they should be, or a message that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The value could not be encoded.
    #[error("message cannot be encoded: {0}")]
    Encode(#[from] rmp_serde::encode::Error),
    /// The bytes are not this message.
    #[error("message cannot be decoded: {0}")]
    Decode(#[from] rmp_serde::decode::Error),
    /// The sender speaks a newer version.
    #[error("message has version {found}, this process reads up to {known}")]
    Version {
        /// Version in the message.
        found: u16,
        /// Newest version this process reads.
        known: u16,
    },
}

/// A message with a version number inside.
pub trait Versioned {
    /// The newest version this build reads and the one it writes.
    const VERSION: u16;
    /// The version the value came with.
    fn version(&self) -> u16;
}

/// The message as bytes.
///
/// # Errors
/// When a value has no MessagePack form, which none of ours lacks.
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, CodecError> {
    Ok(rmp_serde::to_vec_named(message)?)
}

/// The message these bytes hold.
///
/// # Errors
/// When the bytes are malformed or of a newer version.
pub fn decode<T: DeserializeOwned + Versioned>(bytes: &[u8]) -> Result<T, CodecError> {
    let message: T = rmp_serde::from_slice(bytes)?;
    if message.version() > T::VERSION {
        return Err(CodecError::Version { found: message.version(), known: T::VERSION });
    }
    Ok(message)
}

/// Implements [`Versioned`] for messages with a field `v`.
macro_rules! versioned {
    ($($message:ty => $version:literal),+ $(,)?) => {$(
        impl $crate::protocol::codec::Versioned for $message {
            const VERSION: u16 = $version;
            fn version(&self) -> u16 {
                self.v
            }
        }
    )+};
}
pub(crate) use versioned;
