//! Access tokens: JSON Web Tokens (RFC 7519) signed by HMAC-SHA-256, and by nothing else.
//!
//! The algorithm is not read from a token to choose a check: a token that names another one is refused. Of its header
//! nothing else is used but `kid`, which is compared with the names of our own keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Who makes the tokens, and for whom.
pub(super) const ISSUER: &str = "trafficlab";
pub(super) const AUDIENCE: &str = "trafficlab-api";
/// Seconds that an access token is good for.
pub const LIFETIME_S: u64 = 1800;
/// Seconds that the clocks of two coordinators may differ by.
pub(super) const LEEWAY_S: u64 = 30;
/// Longest token that is looked at.
const MOST_BYTES: usize = 4096;

/// What a token says. All of it has to be there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    /// The user's id.
    pub(super) sub: String,
    pub(super) tenant_id: u64,
    /// As it was when the token was made; a reader's convenience. What counts is the user's present one.
    pub(super) role: String,
    pub(super) jti: String,
    /// Seconds since 1970.
    pub(super) iat: u64,
    pub(super) nbf: u64,
    pub(super) exp: u64,
    /// `access`.
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// The user's generation.
    #[serde(rename = "gen")]
    pub(super) generation: u32,
    /// The session, in hexadecimal digits.
    pub(super) sid: String,
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the token is not valid")]
    Invalid,
    #[error("the token has expired")]
    Expired,
}

#[derive(Serialize, Deserialize)]
struct Header<'a> {
    alg: &'a str,
    typ: &'a str,
    kid: &'a str,
}

#[derive(Deserialize)]
struct GivenHeader {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
}

/// A secret that signs.
#[derive(Clone)]
pub(super) struct Key {
    /// Its name in headers: the beginning of its hash.
    pub(super) kid: String,
    mac: Hmac<Sha256>,
}

impl Key {
    pub(super) fn new(secret: &[u8]) -> Option<Self> {
        let kid = Sha256::digest(secret).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Some(Self { kid, mac: Hmac::new_from_slice(secret).ok()? })
    }

    /// The token of some claims.
    pub(super) fn sign(&self, claims: &Claims) -> serde_json::Result<String> {
        let header = serde_json::to_vec(&Header { alg: "HS256", typ: "JWT", kid: &self.kid })?;
        let mut token = URL_SAFE_NO_PAD.encode(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::to_vec(claims)?, &mut token);
        let mac = self.mac.clone().chain_update(&token).finalize().into_bytes();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(mac, &mut token);
        Ok(token)
    }
}

/// The claims of a token that one of `keys` signed and that is good at `now_s`, and which key it was.
pub(super) fn read<'k>(keys: &'k [Key], token: &str, now_s: u64) -> Result<(Claims, &'k Key), Refusal> {
    let invalid = Refusal::Invalid;
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= MOST_BYTES).ok_or(invalid)?;
    let (header, payload) = signed.split_once('.').ok_or(invalid)?;
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_encoding| invalid);
    let header: GivenHeader = serde_json::from_slice(&decode(header)?).map_err(|_form| invalid)?;
    if header.alg != "HS256" {
        return Err(invalid);
    }
    let kid = header.kid.as_deref();
    let key = keys.iter().find(|key| Some(key.kid.as_str()) == kid).ok_or(invalid)?;
    let mac = key.mac.clone().chain_update(signed);
    // Compares in a time that says nothing of where the difference is.
    mac.verify_slice(&decode(signature)?).map_err(|_forged| invalid)?;
    let claims: Claims = serde_json::from_slice(&decode(payload)?).map_err(|_form| invalid)?;
    check(&claims, now_s)?;
    Ok((claims, key))
}

fn check(claims: &Claims, now_s: u64) -> Result<(), Refusal> {
    let ours = claims.iss == ISSUER && claims.aud == AUDIENCE && claims.kind == "access" && !claims.jti.is_empty();
    let latest = now_s.saturating_add(LEEWAY_S);
    if !ours || claims.iat > latest || claims.nbf > latest {
        return Err(Refusal::Invalid);
    }
    if claims.exp.saturating_add(LEEWAY_S) <= now_s { Err(Refusal::Expired) } else { Ok(()) }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
