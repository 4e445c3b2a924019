//! Sealing secret values, so that they rest and travel encrypted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

const NONCE: usize = 24;

/// Seals and opens with the installation's key (XChaCha20-Poly1305, draft-irtf-cfrg-xchacha).
#[derive(Clone)]
pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Sealer(***)")
    }
}

/// A value that cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The operating system gave no random bytes.
    #[error("no random bytes: {0}")]
    Random(getrandom::Error),
    /// Another key, another context, or altered bytes.
    #[error("sealed value cannot be opened with this installation's `auth.secrets_key`")]
    Open,
}

impl Sealer {
    /// A sealer whose key is the SHA-256 of `secret`.
    #[must_use]
    pub fn new(secret: &str) -> Self {
        Self { cipher: XChaCha20Poly1305::new(&Sha256::digest(secret.as_bytes())) }
    }

    /// Seals `plain`; it opens only with the same `context`, such as a campaign's id.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn seal(&self, plain: &str, context: &str) -> Result<String, SealError> {
        let mut nonce = [0_u8; NONCE];
        getrandom::fill(&mut nonce).map_err(SealError::Random)?;
        let payload = Payload { msg: plain.as_bytes(), aad: context.as_bytes() };
        let nonce = XNonce::from(nonce);
        let sealed = self.cipher.encrypt(&nonce, payload).map_err(|_ignored| SealError::Open)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what `seal` made.
    ///
    /// # Errors
    /// [`SealError::Open`] when it is not ours.
    pub fn open(&self, sealed: &str, context: &str) -> Result<String, SealError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok().ok_or(SealError::Open)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or(SealError::Open)?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let plain = self.cipher.decrypt(XNonce::from_slice(nonce), payload).ok().ok_or(SealError::Open)?;
        String::from_utf8(plain).ok().ok_or(SealError::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::Sealer;

    #[test]
    fn sealed_values_open_only_at_home() {
        let sealer = Sealer::new("k");
        let sealed = sealer.seal("Bearer abc", "campaign-1").expect("random bytes");
        assert!(!sealed.contains("abc"));
        assert_eq!(sealer.open(&sealed, "campaign-1").expect("ours"), "Bearer abc");
        assert!(sealer.open(&sealed, "campaign-2").is_err());
        assert!(Sealer::new("l").open(&sealed, "campaign-1").is_err());
        assert!(sealer.open("", "campaign-1").is_err());
    }
}
