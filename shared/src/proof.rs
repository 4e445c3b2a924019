//! Proof that the owner of a public target agrees: a line in its `/.well-known/trafficlab.txt`.
//!
//! Coordinator and worker make and look for the same line; each fetches the file its own way.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::config::Secret;
use crate::target::TargetUrl;

/// Where the line stands.
pub const PATH: &str = "/.well-known/trafficlab.txt";
/// The longest file that is read, in bytes.
pub const LONGEST: usize = 4096;
/// How long the fetch may take.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// How often the proof is fetched again during a run.
pub const RECHECK: Duration = Duration::from_secs(600);
/// Failures in a row that stop a run.
pub const PATIENCE: u32 = 2;

/// The line that the owner of `target` publishes.
#[must_use]
pub fn line_for(secret: &Secret, target: &TargetUrl) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(target.origin().as_bytes());
    format!("trafficlab-verification={}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// Whether `text`, the file as it was fetched, holds the line.
#[must_use]
pub fn holds(text: &str, line: &str) -> bool {
    text.lines().any(|found| bool::from(found.trim().as_bytes().ct_eq(line.as_bytes())))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn the_line_is_about_scheme_host_and_port() {
        let line = |url: &str| line_for(&Secret::new("secret"), &TargetUrl::parse(url).unwrap());
        assert_eq!(line("http://a.test/x?y"), line("http://A.test:80/"));
        assert_ne!(line("http://a.test/"), line("https://a.test/"));
        assert_ne!(line("http://a.test/"), line("http://a.test:81/"));
        assert!(line("http://a.test/").starts_with("trafficlab-verification="));
    }

    #[test]
    fn only_the_whole_line_counts() {
        assert!(holds("# ours\n  trafficlab-verification=x \n", "trafficlab-verification=x"));
        assert!(!holds("trafficlab-verification=xy\nx", "trafficlab-verification=x"));
        assert!(!holds("", "trafficlab-verification=x"));
    }
}
