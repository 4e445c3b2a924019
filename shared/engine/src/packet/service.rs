//! Names of well-known services by port.

use std::sync::OnceLock;

use super::window::Protocol;

/// The table: port, protocols, name; one a line.
const TABLE: &str = include_str!("../../data/services.txt");

/// The name of the service between two ports, if one of them is well known: first of the one who was called, else
/// of the caller, whose port is a service's when the beginning was not captured.
pub(crate) fn of(protocol: Protocol, src_port: u16, dst_port: u16) -> Option<&'static str> {
    by_port(protocol, dst_port).or_else(|| by_port(protocol, src_port))
}

/// Whether a port is a well-known service's.
pub(crate) fn by_port(protocol: Protocol, port: u16) -> Option<&'static str> {
    let names = names();
    let place = names.binary_search_by_key(&(port, protocol), |&(port, protocol, _)| (port, protocol)).ok()?;
    names.get(place).map(|&(_, _, name)| name)
}

fn names() -> &'static [(u16, Protocol, &'static str)] {
    static NAMES: OnceLock<Vec<(u16, Protocol, &'static str)>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names: Vec<_> = TABLE.lines().filter_map(line).flatten().collect();
        names.sort_unstable();
        names
    })
}

fn line(line: &'static str) -> Option<impl Iterator<Item = (u16, Protocol, &'static str)>> {
    let mut words = line.split_ascii_whitespace();
    let port = words.next()?.parse().ok()?;
    let (protocols, name) = (words.next()?, words.next()?);
    let spoken = [('t', Protocol::Tcp), ('u', Protocol::Udp)];
    Some(spoken.into_iter().filter(move |(letter, _)| protocols.contains(*letter)).map(move |(_, p)| (port, p, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_whole_and_has_no_port_twice() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#')).count();
        assert!(lines > 150 && names().len() > lines);
        let twice = names().windows(2).find(|pair| match pair {
            [a, b] => (a.0, a.1) == (b.0, b.1),
            _ => false,
        });
        assert_eq!(twice, None);
    }

    #[test]
    fn the_called_port_names_the_service() {
        assert_eq!(of(Protocol::Tcp, 51_000, 443), Some("https"));
        assert_eq!(of(Protocol::Udp, 443, 51_000), Some("https"));
        assert_eq!(of(Protocol::Udp, 53, 443), Some("https"));
        assert_eq!(of(Protocol::Tcp, 514, 40_000), Some("shell"));
        assert_eq!(of(Protocol::Udp, 514, 40_000), Some("syslog"));
        assert_eq!(of(Protocol::Tcp, 40_000, 40_001), None);
    }
}
