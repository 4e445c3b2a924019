//! E-mail addresses: which can be one, and their one spelling.

use unicode_normalization::UnicodeNormalization;

/// Most bytes of an address that can be mailed to (RFC 5321).
const MOST_BYTES: usize = 254;
/// Most bytes before the `@`.
const MOST_LOCAL: usize = 64;
/// Most bytes of a part of the domain.
const MOST_LABEL: usize = 63;

/// The spelling that is compared: NFKC without regard to case. An address belongs to one user, however it is written.
#[must_use]
pub fn fold(email: &str) -> String {
    // Lower case may bring up marks that combine anew, so the form is made again.
    let lower = email.trim().nfkc().collect::<String>().to_lowercase();
    lower.nfkc().collect::<String>().trim().to_owned()
}

/// Whether a text can be an address: no quoted names, no addresses of machines, a domain with a dot.
#[must_use]
pub fn is_valid(email: &str) -> bool {
    // Letters with marks may come in two pieces.
    let email: String = email.nfkc().collect();
    let Some((local, domain)) = email.rsplit_once('@') else { return false };
    email.len() <= MOST_BYTES
        && (1..=MOST_LOCAL).contains(&local.len())
        && local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
        && domain.contains('.')
        && domain.split('.').all(is_label)
        && email.parse::<lettre::Address>().is_ok()
}

fn is_atom(letter: char) -> bool {
    if letter.is_ascii() {
        letter.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter)
    } else {
        letter.is_alphanumeric()
    }
}

fn is_label(label: &str) -> bool {
    (1..=MOST_LABEL).contains(&label.len())
        && label.chars().all(|letter| letter.is_alphanumeric() || letter == '-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_an_address() {
        for good in ["user@example.com", "a.b+c@sub.example.co", "O'Neil@example.org", "jörg@müller.de"] {
            assert!(is_valid(good), "{good}");
        }
        let long = format!("{}@example.com", "a".repeat(65));
        let bad = [
            "",
            "@",
            "user",
            "user@",
            "@example.com",
            "user@localhost",
            "a b@example.com",
            "a@b@example.com",
            "a..b@example.com",
            ".a@example.com",
            "a@-b.com",
            "a@b..com",
            "\"a\"@example.com",
            "a@[10.0.0.1]",
            "a@example.com\r\nBcc: b@example.com",
            "a\u{0}@example.com",
            "<a@example.com>",
            long.as_str(),
        ];
        for bad in bad {
            assert!(!is_valid(bad), "{bad:?}");
        }
    }

    // checklist 32
    #[test]
    fn spellings_of_one_address_are_one() {
        for other in ["USER@Example.COM", " user@example.com ", "ｕｓｅｒ@example.com", "user@ｅxample.com"] {
            assert_eq!(fold(other), "user@example.com", "{other}");
        }
        assert_eq!(fold("J\u{d6}RG@example.com"), fold("jo\u{308}rg@example.com"));
        assert_ne!(fold("user1@example.com"), fold("user@example.com"));
    }

    proptest::proptest! {
        #[test]
        fn folding_twice_changes_nothing(text in "\\PC{0,40}") {
            let once = fold(&text);
            proptest::prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn any_text_is_judged(text in ".{0,300}") {
            if is_valid(&text) {
                proptest::prop_assert!(!text.contains(char::is_whitespace) && text.contains('@'));
            }
        }
    }
}
