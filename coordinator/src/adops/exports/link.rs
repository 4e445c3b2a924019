//! Links to files: 128 random bits, of which only the hash is kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::systems::{Fault, Outcome};

/// Bytes of a link's secret.
const BYTES: usize = 16;
/// Letters of it.
const LETTERS: usize = 22;

/// A new secret, and its hash.
pub(super) fn make() -> Outcome<(String, [u8; 32])> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|error| Fault::internal("the system has no random bytes", &error))?;
    let secret = URL_SAFE_NO_PAD.encode(bytes);
    let hash = hash(&secret).ok_or_else(|| Fault::internal("link", &"a new link is not a link"))?;
    Ok((secret, hash))
}

/// The hash of what may be a secret; none when it cannot be one.
pub(super) fn hash(secret: &str) -> Option<[u8; 32]> {
    let fits =
        secret.len() == LETTERS && secret.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    fits.then(|| Sha256::digest(secret).into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_link_has_128_bits_and_is_found_by_its_hash() {
        // checklist 39
        let (secret, known) = make().unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(&secret).unwrap().len() * 8, 128);
        assert_eq!(hash(&secret), Some(known));
        assert_ne!(make().unwrap().0, secret);
        for no in ["", "..", "x", &"a".repeat(23), "../../../../etc/passwd"] {
            assert_eq!(hash(no), None, "{no}");
        }
    }
}
