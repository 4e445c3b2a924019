//! Passwords: which are good enough, and their argon2id hashes.
//!
//! A hash takes 19 MiB and tens of milliseconds, so hashes run on the pool for blocking work, few at once: half of the
//! cores stay free for everything else, and what waits is bounded.

use std::sync::{Arc, LazyLock};

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use unicode_normalization::UnicodeNormalization;

use crate::systems::{Code, Fault, Outcome};

/// Fewest characters.
const SHORTEST: usize = 8;
/// Most characters.
const LONGEST: usize = 128;
/// Most bytes: 128 characters of any script fit, with combining ones.
pub(crate) const MOST_BYTES: usize = 1024;

/// KiB of memory, passes, lanes: the first choice of OWASP's password storage cheat sheet for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Callers that may wait for a hash; at 30 ms each the last one waits some seconds.
const WAITING: usize = 200;

static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new((cores / 2).clamp(1, 4)))
});
static QUEUE: Semaphore = Semaphore::const_new(WAITING);

/// What is checked in place of the hash of somebody who does not exist, so that both take the same time. It is a hash
/// of random bytes nobody knows.
static NOBODY: LazyLock<String> = LazyLock::new(|| {
    let mut unknown = [0; 32];
    // Without randomness the bytes are known; the check below refuses them all the same.
    getrandom::fill(&mut unknown).unwrap_or_default();
    derive(&unknown).unwrap_or_default()
});

/// What became of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Whether the password is the one.
    pub right: bool,
    /// Whether its hash has other parameters than new ones have.
    pub old: bool,
}

/// The hash of a new password, as a PHC string. `inputs` are words that must not make it up: names, addresses.
///
/// # Errors
/// `validation_error` of the field `password` for one that is too short, too long or too easy to guess; 503 when too many
/// wait.
pub async fn hash(password: &str, inputs: &[&str]) -> Outcome<String> {
    let password = accepted(password)?;
    let inputs: Vec<String> = inputs.iter().map(|&input| input.to_owned()).collect();
    aside(move || {
        hard_to_guess(&password, &inputs)?;
        derive(password.as_bytes())
    })
    .await?
}

/// The hash with the present parameters of a password that is known to be right.
pub(super) async fn renew(password: &str) -> Outcome<String> {
    let password = accepted(password)?;
    aside(move || derive(password.as_bytes())).await?
}

/// Whether `password` has the hash `stored`. Takes as long when there is none.
///
/// # Errors
/// 503 when too many wait.
pub async fn verify(password: &str, stored: Option<&str>) -> Outcome<Checked> {
    let stored = stored.filter(|hash| !hash.is_empty()).map(str::to_owned);
    let Ok(password) = accepted(password) else {
        // No password of this length was ever taken; that is seen without a hash by everybody alike.
        return Ok(Checked { right: false, old: false });
    };
    aside(move || {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODY.clone());
        let Ok(hash) = PasswordHash::new(&text) else { return Checked { right: false, old: false } };
        let matches = argon2().verify_password(password.as_bytes(), &hash).is_ok();
        Checked { right: matches && known, old: !is_present(&hash) }
    })
    .await
}

/// Makes ready what the first check would have to wait for.
pub(super) async fn warm() {
    if aside(|| LazyLock::force(&NOBODY).len()).await.is_err() {
        tracing::warn!("the first sign-in will take longer");
    }
}

/// One spelling of the same characters (NFC, as RFC 8265 asks), within the limits.
fn accepted(password: &str) -> Outcome<String> {
    if password.len() <= MOST_BYTES {
        let normal: String = password.nfc().collect();
        if (SHORTEST..=LONGEST).contains(&normal.chars().count()) && normal.len() <= MOST_BYTES {
            return Ok(normal);
        }
    }
    let message = format!("must have {SHORTEST} to {LONGEST} characters and at most {MOST_BYTES} bytes");
    Err(Fault::field("password", message))
}

fn hard_to_guess(password: &str, inputs: &[String]) -> Outcome<()> {
    let inputs: Vec<&str> = inputs.iter().flat_map(|input| parts(input)).collect();
    let estimate = zxcvbn::zxcvbn(password, &inputs);
    if estimate.score() >= zxcvbn::Score::Two {
        return Ok(());
    }
    let hints = estimate.feedback().map(ToString::to_string).unwrap_or_default();
    Err(Fault::field("password", format!("is too easy to guess. {hints}").trim_end().to_owned()))
}

/// An input and its words, so that a name is recognised without the rest of it.
fn parts(input: &str) -> impl Iterator<Item = &str> {
    let words = input.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() > 2);
    std::iter::once(input).chain(words)
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).unwrap_or(Params::DEFAULT);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn derive(password: &[u8]) -> Outcome<String> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| Fault::internal("no randomness", &error))?;
    let hash: PasswordHash =
        argon2().hash_password_with_salt(password, &salt).map_err(|error| Fault::internal("password hash", &error))?;
    Ok(hash.to_string())
}

fn is_present(hash: &PasswordHash) -> bool {
    let params = Params::try_from(hash).map(|params| (params.m_cost(), params.t_cost(), params.p_cost()));
    hash.algorithm.as_str() == "argon2id" && params == Ok((MEMORY_KIB, PASSES, LANES))
}

/// Runs `work` on the pool for blocking work, when it is its turn.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
    let _waiting = QUEUE.try_acquire().map_err(|_full| Fault {
        retry_after: Some(2),
        ..Fault::new(Code::Unavailable, "Too many people sign in at once")
    })?;
    let closed = |error: tokio::sync::AcquireError| Fault::internal("password hashes", &error);
    let place = Arc::clone(&PLACES).acquire_owned().await.map_err(closed)?;
    let done = tokio::task::spawn_blocking(move || {
        // The place is held until the work is done, also when nobody waits for it any more.
        let done = work();
        drop(place);
        done
    });
    done.await.map_err(|error| Fault::internal("password hash", &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    const GOOD: &str = "correct horse battery staple";

    // checklist 22
    #[tokio::test]
    async fn hashes_are_argon2id_with_the_figures_of_owasp() {
        let one = hash(GOOD, &[]).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        let parsed = PasswordHash::new(&one).unwrap();
        assert_eq!(parsed.salt.unwrap().as_ref().len(), 16);
        assert_ne!(one, hash(GOOD, &[]).await.unwrap(), "the salt is random");
        assert_eq!(verify(GOOD, Some(&one)).await.unwrap(), Checked { right: true, old: false });
        assert!(!verify("correct horse battery stapl", Some(&one)).await.unwrap().right);
    }

    // checklist 24
    #[tokio::test]
    async fn old_parameters_are_seen() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8192, 1, 1, None).unwrap());
        let hash: PasswordHash = weak.hash_password_with_salt(GOOD.as_bytes(), b"sixteen bytes!!!").unwrap();
        assert_eq!(verify(GOOD, Some(&hash.to_string())).await.unwrap(), Checked { right: true, old: true });
    }

    // checklist 25
    #[tokio::test]
    async fn lengths_are_bounded_and_nothing_is_cut_off() {
        let long: String = "ab1-é中🎉x".chars().cycle().take(128).collect();
        let stored = hash(&long, &[]).await.unwrap();
        let cut: String = long.chars().take(127).collect();
        assert!(!verify(&cut, Some(&stored)).await.unwrap().right, "the 128th character counts");
        let other_end = format!("{cut}q");
        assert!(!verify(&other_end, Some(&stored)).await.unwrap().right);
        assert!(verify(&long, Some(&stored)).await.unwrap().right);
        let wide = "🎉".repeat(129);
        let marked = format!("pässwörterbuch{}", "\u{301}".repeat(600));
        for bad in ["", "seven77", "àéîõü77", &wide, &marked, &"x".repeat(2000)] {
            let fault = hash(bad, &[]).await.unwrap_err();
            assert_eq!(fault.details.first().map(|detail| detail.field.as_str()), Some("password"), "{bad}");
            assert!(!verify(bad, Some(&stored)).await.unwrap().right);
        }
    }

    #[tokio::test]
    async fn two_spellings_of_a_character_are_one() {
        let stored = hash("zwölf Boxkämpfer jagen", &[]).await.unwrap();
        assert!(verify("zwo\u{308}lf Boxka\u{308}mpfer jagen", Some(&stored)).await.unwrap().right);
    }

    // checklist 26
    #[tokio::test]
    async fn what_is_easily_guessed_is_refused_with_a_reason() {
        let own = ["wilhelmina.vandersteen@example.com", "Wilhelmina van der Steen", "Oosterschelde Mosselen"];
        for bad in ["password", "password1", "qwertyui", "12345678", "aaaaaaaaaaaa", "wilhelmina1", "oosterschelde"] {
            let fault = hash(bad, &own).await.unwrap_err();
            let message = &fault.details.first().unwrap().message;
            assert!(message.starts_with("is too easy to guess"), "{bad}: {message}");
        }
        for good in ["securepassword123", "newsecurepassword123", GOOD] {
            assert!(hash(good, &own).await.is_ok(), "{good}");
        }
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        for stored in [None, Some(""), Some("no hash")] {
            assert!(!verify(GOOD, stored).await.unwrap().right);
        }
    }
}
