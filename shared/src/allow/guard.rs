//! All that must agree before a connection is made: every allow-list, and that the target is not ourselves.

use std::net::{IpAddr, SocketAddr};

use super::class::{AddressClass, canonical, classify};
use super::{AllowList, Refusal};

/// The job's list, the worker's own list and our own endpoints together; a target needs the consent of all.
#[derive(Debug, Clone, Default)]
pub struct TargetGuard {
    lists: Vec<AllowList>,
    own_sockets: Vec<SocketAddr>,
    own_ports: Vec<u16>,
    proof: Proof,
}

/// Whether public addresses need their owner's agreement, and whose is there.
#[derive(Debug, Clone, Default)]
enum Proof {
    /// Somebody else asks for it.
    #[default]
    NotAsked,
    /// Only this host and port may be public.
    Given(String, u16),
    /// None may.
    Missing,
}

impl TargetGuard {
    /// A guard that asks every one of `lists`; with no list at all nothing is allowed.
    #[must_use]
    pub const fn new(lists: Vec<AllowList>) -> Self {
        Self { lists, own_sockets: Vec::new(), own_ports: Vec::new(), proof: Proof::NotAsked }
    }

    /// Refuses these listeners of ours (the broker's) always; a loopback or wildcard listener stands for its port on every loopback address.
    #[must_use]
    pub fn forbid_sockets(mut self, sockets: impl IntoIterator<Item = SocketAddr>) -> Self {
        self.own_sockets.extend(sockets);
        self
    }

    /// Refuses these ports on every loopback and private address.
    #[must_use]
    pub fn forbid_ports(mut self, ports: impl IntoIterator<Item = u16>) -> Self {
        self.own_ports.extend(ports);
        self
    }

    /// Refuses public addresses but those of the one host and port whose owner has agreed.
    #[must_use]
    pub fn require_proof(mut self, given: Option<(&str, u16)>) -> Self {
        self.proof = given.map_or(Proof::Missing, |(host, port)| Proof::Given(host.to_owned(), port));
        self
    }

    /// Judges a host without network.
    ///
    /// # Errors
    /// The first refusal, in the order: our own endpoint, then each list.
    pub fn check_name(&self, host: &str, port: u16) -> Result<(), Refusal> {
        if let Some(address) =
            super::literal(host).or_else(|| super::is_localhost(host).then_some(IpAddr::from([127, 0, 0, 1])))
        {
            self.check_own(address, port)?;
        }
        self.ask(|list| list.check_name(host, port))
    }

    /// Judges the address that a connection to `host` has or will have.
    ///
    /// # Errors
    /// The first refusal, in the order: our own endpoint, then each list.
    pub fn check_address(&self, host: &str, port: u16, address: IpAddr) -> Result<(), Refusal> {
        self.check_own(address, port)?;
        self.ask(|list| list.check_address(host, port, address))?;
        let agreed = match &self.proof {
            Proof::NotAsked => true,
            Proof::Given(known, known_port) => known == host && *known_port == port,
            Proof::Missing => false,
        };
        if agreed || !super::needs_ownership_proof(address) {
            return Ok(());
        }
        let reason = format!("the owner of `{host}:{port}` has not agreed to synthetic traffic");
        Err(Refusal { reason, line_to_add: None })
    }

    fn ask(&self, question: impl Fn(&AllowList) -> Result<(), Refusal>) -> Result<(), Refusal> {
        if self.lists.is_empty() {
            return Err(Refusal { reason: "no allow-list is configured".into(), line_to_add: None });
        }
        self.lists.iter().try_for_each(question)
    }

    fn check_own(&self, address: IpAddr, port: u16) -> Result<(), Refusal> {
        let address = canonical(address);
        let class = classify(address);
        let near = matches!(class, AddressClass::Loopback | AddressClass::Private);
        let own_socket = self.own_sockets.iter().any(|own| {
            let own_address = canonical(own.ip());
            let same_machine = own_address.is_unspecified() && near
                || classify(own_address) == AddressClass::Loopback && class == AddressClass::Loopback;
            own.port() == port && (own_address == address || same_machine)
        });
        if own_socket || near && self.own_ports.contains(&port) {
            let reason = format!("`{}` is an endpoint of this system itself", SocketAddr::new(address, port));
            return Err(Refusal { reason, line_to_add: None });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    #[test]
    fn a_public_address_needs_the_agreement_of_just_its_owner() {
        let public: IpAddr = "8.8.8.8".parse().unwrap();
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let lists = || vec![list(&["shop.example.com", "other.example.com", "127.0.0.0/8"])];
        let none = TargetGuard::new(lists()).require_proof(None);
        assert!(none.check_address("shop.example.com", 443, public).is_err());
        assert!(none.check_address("127.0.0.1", 80, local).is_ok());
        let one = TargetGuard::new(lists()).require_proof(Some(("shop.example.com", 443)));
        assert!(one.check_address("shop.example.com", 443, public).is_ok());
        assert!(one.check_address("shop.example.com", 80, public).is_err());
        assert!(one.check_address("other.example.com", 443, public).is_err());
    }

    fn list(entries: &[&str]) -> AllowList {
        let entries: Vec<String> = entries.iter().map(|&entry| entry.to_owned()).collect();
        AllowList::parse(&entries).unwrap()
    }

    #[test]
    fn both_lists_must_agree() {
        let guard = TargetGuard::new(vec![list(&["10.0.0.0/8", "127.0.0.0/8"]), list(&["10.1.0.0/16"])]);
        assert!(guard.check_address("a.test", 80, "10.1.2.3".parse().unwrap()).is_ok());
        let refusal = guard.check_address("a.test", 80, "10.2.0.1".parse().unwrap()).unwrap_err();
        assert_eq!(refusal.line_to_add.as_deref(), Some("10.2.0.1/32:80"));
        assert!(guard.check_name("127.0.0.1", 80).is_err());
        assert!(TargetGuard::new(vec![]).check_name("127.0.0.1", 80).is_err());
    }

    #[test]
    fn our_own_broker_is_never_a_target() {
        let guard = TargetGuard::new(vec![list(&["127.0.0.0/8", "::1", "10.0.0.0/8"])])
            .forbid_sockets(["127.0.0.1:4222".parse().unwrap(), "0.0.0.0:4333".parse().unwrap()])
            .forbid_ports([8222]);
        for (address, port) in [
            ("127.0.0.1", 4222),
            ("127.9.9.9", 4222),
            ("::1", 4222),
            ("::ffff:127.0.0.1", 4222),
            ("127.0.0.1", 4333),
            ("10.0.0.1", 4333),
            ("127.0.0.1", 8222),
            ("10.0.0.1", 8222),
        ] {
            let refusal = guard.check_address("h.test", port, address.parse().unwrap()).unwrap_err();
            assert_eq!(refusal.line_to_add, None, "{address} {port}");
        }
        assert!(guard.check_name("localhost", 4222).is_err());
        assert!(guard.check_name("127.0.0.1", 8222).is_err());
        assert!(guard.check_address("h.test", 4222, "10.0.0.1".parse().unwrap()).is_ok());
        assert!(guard.check_name("127.0.0.1", 80).is_ok());
    }
}
