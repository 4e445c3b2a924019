//! Which targets real requests may go to: the operator's allow-list and the rules no list can lift.

pub mod class;
mod entry;
mod guard;

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

pub use self::class::AddressClass;
use self::class::{canonical, classify};
use self::entry::{Entry, Pattern};
pub use self::guard::TargetGuard;
use crate::error::FieldFault;

/// Why a target is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong, as a sentence without a full stop.
    pub reason: String,
    /// The entry of `generator.allow_targets` that would permit it; none when nothing can.
    pub line_to_add: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.reason)?;
        match &self.line_to_add {
            Some(line) => write!(formatter, "; add `\"{line}\"` to `generator.allow_targets` to permit it"),
            None => formatter.write_str("; no allow-list entry can permit it"),
        }
    }
}

impl std::error::Error for Refusal {}

/// The operator's list of permitted targets; as data it is its list of texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct AllowList {
    texts: Vec<String>,
    entries: Vec<Entry>,
}

impl Default for AllowList {
    /// This machine alone.
    fn default() -> Self {
        let texts = vec!["127.0.0.0/8".to_owned(), "::1/128".to_owned()];
        let entries = texts.iter().filter_map(|text| text.parse().ok()).collect();
        Self { texts, entries }
    }
}

impl AllowList {
    /// Reads entries `host[:port]`, `*.domain[:port]`, `CIDR[:port]` or an address; IPv6 with a port in brackets.
    ///
    /// # Errors
    /// One fault for each entry that is none of these, with the field `generator.allow_targets[i]`.
    pub fn parse(texts: &[String]) -> Result<Self, Vec<FieldFault>> {
        let mut entries = Vec::with_capacity(texts.len());
        let mut faults = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            match text.parse() {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    faults.push(FieldFault::new(format!("generator.allow_targets[{index}]"), format!("{error}")))
                }
            }
        }
        if faults.is_empty() { Ok(Self { texts: texts.to_vec(), entries }) } else { Err(faults) }
    }

    /// The entries as they were written.
    #[must_use]
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Judges `host` without network. An address is decided for good; a name passes when a name entry covers it
    /// or a network entry may still cover the address it turns out to have.
    ///
    /// A name of the public tree (`example.com`, unlike `build7` or `shop.test`) is not expected to lead to this
    /// machine, so loopback networks alone do not let it pass.
    ///
    /// # Errors
    /// A [`Refusal`] with the line to add.
    pub fn check_name(&self, host: &str, port: u16) -> Result<(), Refusal> {
        if let Some(address) = literal(host) {
            return self.check_address(host, port, address);
        }
        let host = normalized(host);
        let localhost = is_localhost(&host);
        let local = localhost || is_local_name(&host);
        let possible = self.entries.iter().filter(|entry| entry.permits_port(port)).any(|entry| match &entry.pattern {
            Pattern::Network(network) => {
                let loopback = is_loopback_only(network);
                if localhost { loopback || network.prefix_len() == 0 } else { local || !loopback }
            }
            Pattern::Name(_) | Pattern::Below(_) => !localhost && entry.permits_name(&host),
        });
        if possible {
            return Ok(());
        }
        let line = if localhost { "127.0.0.0/8".to_owned() } else { format!("{host}:{port}") };
        Err(Refusal { reason: format!("`{host}:{port}` is not on the allow-list"), line_to_add: Some(line) })
    }

    /// Judges the address a connection to `host` reaches. A network entry permits what it contains; a name entry
    /// permits public addresses only.
    ///
    /// # Errors
    /// A [`Refusal`], with the line to add unless the address is never a target.
    pub fn check_address(&self, host: &str, port: u16, address: IpAddr) -> Result<(), Refusal> {
        let address = canonical(address);
        let class = classify(address);
        if let AddressClass::Never(reason) = class {
            let reason = format!("`{address}` is {reason}");
            return Err(Refusal { reason, line_to_add: None });
        }
        let name = normalized(host);
        let permitted =
            self.entries.iter().filter(|entry| entry.permits_port(port)).any(|entry| {
                entry.permits_address(address) || class == AddressClass::Public && entry.permits_name(&name)
            });
        if permitted { Ok(()) } else { Err(refuse_address(&name, port, address, class)) }
    }
}

impl TryFrom<Vec<String>> for AllowList {
    type Error = String;

    fn try_from(texts: Vec<String>) -> Result<Self, String> {
        Self::parse(&texts).map_err(|faults| {
            let messages: Vec<String> =
                faults.into_iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
            messages.join("; ")
        })
    }
}

impl From<AllowList> for Vec<String> {
    fn from(list: AllowList) -> Self {
        list.texts
    }
}

/// Whether the owner of this address must prove consent: everywhere except on loopback and private addresses.
#[must_use]
pub fn needs_ownership_proof(address: IpAddr) -> bool {
    !matches!(classify(address), AddressClass::Loopback | AddressClass::Private)
}

fn refuse_address(host: &str, port: u16, address: IpAddr, class: AddressClass) -> Refusal {
    let is_literal = literal(host).is_some();
    let subject =
        if is_literal { format!("`{address}` port {port}") } else { format!("`{host}:{port}` at `{address}`") };
    let length = if address.is_ipv4() { 32 } else { 128 };
    let network =
        if address.is_ipv4() { format!("{address}/{length}:{port}") } else { format!("[{address}]/{length}:{port}") };
    let line = if class == AddressClass::Public && !is_literal { format!("{host}:{port}") } else { network };
    Refusal { reason: format!("{subject} is not on the allow-list"), line_to_add: Some(line) }
}

/// The address that `host` is, with or without brackets, or none for a name.
fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse().ok()
}

fn normalized(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// RFC 6761: `localhost` and the names below it are loopback everywhere.
fn is_localhost(host: &str) -> bool {
    let host = normalized(host);
    host == "localhost" || host.ends_with(".localhost")
}

/// Names that no public name server answers for: single labels and the reserved top-level domains.
fn is_local_name(host: &str) -> bool {
    const RESERVED: [&str; 13] = [
        "test",
        "invalid",
        "example",
        "local",
        "internal",
        "lan",
        "home",
        "corp",
        "intranet",
        "localdomain",
        "private",
        "arpa",
        "onion",
    ];
    host.rsplit_once('.').is_none_or(|(_, top)| RESERVED.contains(&top))
}

fn is_loopback_only(network: &ipnet::IpNet) -> bool {
    classify(network.network()) == AddressClass::Loopback && classify(network.broadcast()) == AddressClass::Loopback
}

#[cfg(test)]
mod tests;
