//! Mails in the outbox folder, which were sent and are nobody's any more.

use std::fs;
use std::io;
use std::path::Path;

use crate::adops::accounts::email;
use crate::adops::ids::TenantId;
use crate::store::sync_folder;

/// Whose mails go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Whose {
    /// Everybody's of the tenant.
    Tenant,
    /// A person's: by their number, also to addresses they had before, and by their address in its one spelling.
    Person { number: u64, address: Option<String> },
}

/// Removes mails of a tenant.
pub(super) fn remove(folder: &Path, tenant: TenantId, whose: &Whose) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    // A mail that is being written has the same name with a dot before it.
    let beginning = format!("{tenant}-");
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let Some(rest) = name.trim_start_matches('.').strip_prefix(&beginning) else { continue };
        let path = entry.path();
        let goes = match whose {
            Whose::Tenant => true,
            Whose::Person { number, .. } if person_of(rest) == Some(*number) => true,
            Whose::Person { address: None, .. } => false,
            Whose::Person { address: Some(address), .. } => is_to(&String::from_utf8_lossy(&fs::read(&path)?), address),
        };
        if goes {
            fs::remove_file(&path)?;
        }
    }
    sync_folder(folder)
}

/// The person that the name of a mail gives after its tenant and key, when it is for one.
fn person_of(rest: &str) -> Option<u64> {
    rest.trim_end_matches(".part").strip_suffix(".eml")?.split_once('-')?.1.parse().ok()
}

/// Whether a mail goes to an address, or speaks of it.
fn is_to(mail: &str, address: &str) -> bool {
    let unfolded = mail.replace("\r\n ", " ").replace("\r\n\t", " ");
    let words = unfolded.split(|letter: char| letter.is_whitespace() || "<>,;:()\"'`".contains(letter));
    words.filter(|word| word.contains('@')).any(|word| email::fold(word) == address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn mails_to_an_address_go_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mail = |to: &str| format!("From: a@b.example\r\nTo: {to}\r\nSubject: x\r\n\r\nHello");
        for (name, to) in [
            ("1-1.eml", "Ada <Ada@Example.com>"),
            ("1-2.eml", "bob@example.com"),
            ("11-1.eml", "ada@example.com"),
            ("2-1.eml", "ada@example.com"),
            (".1-3.eml.part", "\"L, Ada\"\r\n <ada@example.com>"),
            ("1-4.eml", "canada@example.com"),
            ("1-5-7.eml", "ada@former.example"),
            (".1-6-7.eml.part", "ada@former.example"),
            ("1-7-77.eml", "bob@example.com"),
        ] {
            fs::write(folder.path().join(name), mail(to)).unwrap();
        }
        let left = || {
            let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            names
        };
        let ada = Whose::Person { number: 7, address: Some("ada@example.com".to_owned()) };
        remove(folder.path(), TenantId(1), &ada).unwrap();
        assert_eq!(left(), ["1-2.eml", "1-4.eml", "1-7-77.eml", "11-1.eml", "2-1.eml"]);
        remove(folder.path(), TenantId(1), &Whose::Tenant).unwrap();
        assert_eq!(left(), ["11-1.eml", "2-1.eml"]);
        remove(&folder.path().join("missing"), TenantId(1), &Whose::Tenant).unwrap();
    }
}
