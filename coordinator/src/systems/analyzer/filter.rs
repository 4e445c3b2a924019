//! Which windows, anomalies and connections a request is about: time range, host, protocol, severity, type.
//!
//! All conditions given must hold; several words with commas between them are alternatives.

use std::collections::HashSet;
use std::net::IpAddr;

use ipnet::IpNet;
use trafficlab_engine::traffic::replay::parse_moment;
use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::capture::anomaly::{Anomaly, AnomalyKind, Severity};
use trafficlab_shared::model::capture::connection::Connection;
use trafficlab_shared::model::capture::counts::FlowEnds;
use trafficlab_shared::model::capture::window::Window;

use crate::store::Store;
use crate::store::captures::{ANOMALIES, Capture};
use crate::systems::{Fault, Outcome};

/// Names of protocols that windows count, beside those of services.
const PROTOCOLS: [&str; 11] = ["ipv4", "ipv6", "arp", "tcp", "udp", "icmp", "icmpv6", "sctp", "gre", "ip", "other"];

/// The conditions as a query gives them.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// `from=`
    pub from: Option<String>,
    /// `to=`
    pub to: Option<String>,
    /// `host=`
    pub host: Option<String>,
    /// `protocol=`
    pub protocol: Option<String>,
    /// `severity=`
    pub severity: Option<String>,
    /// `type=`
    pub kind: Option<String>,
}

/// The conditions. Empty lists and absent bounds let everything pass.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    from_ns: Option<i64>,
    to_ns: Option<i64>,
    hosts: Vec<IpNet>,
    protocols: Vec<String>,
    severities: Vec<Severity>,
    kinds: Vec<AnomalyKind>,
}

impl Filter {
    /// Reads the conditions.
    ///
    /// # Errors
    /// 400 that names every one that cannot be read.
    pub fn read(asked: &Asked) -> Outcome<Self> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, message: String| faults.push(FieldFault::new(field, message));
        let mut moment = |field: &str, text: &Option<String>| {
            let text = text.as_deref().filter(|text| !text.trim().is_empty())?;
            let read = moment_ns(text);
            if read.is_none() {
                fault(field, "must be epoch seconds or an RFC 3339 time such as `2026-01-31T12:00:00Z`".to_owned());
            }
            read
        };
        let from_ns = moment("from", &asked.from);
        let to_ns = moment("to", &asked.to);
        if from_ns.zip(to_ns).is_some_and(|(from, to)| from >= to) {
            fault("to", "must be later than `from`".to_owned());
        }
        let hosts = words(asked.host.as_ref(), host);
        let severities = words(asked.severity.as_ref(), |word| {
            [Severity::Medium, Severity::High].into_iter().find(|severity| severity.as_str() == word)
        });
        let kinds = words(asked.kind.as_ref(), |word| AnomalyKind::ALL.into_iter().find(|kind| kind.as_str() == word));
        let protocols = words(asked.protocol.as_ref(), |word| Some(word.to_ascii_lowercase()));
        let kind_names = AnomalyKind::ALL.map(AnomalyKind::as_str).join("`, `");
        let mut take = |field: &str, message: &str| fault(field, message.to_owned());
        let hosts = hosts.unwrap_or_else(|()| {
            take("host", "must be an address or a network such as `10.0.0.0/8`");
            Vec::new()
        });
        let severities = severities.unwrap_or_else(|()| {
            take("severity", "must be `medium` or `high`");
            Vec::new()
        });
        let kinds = kinds.unwrap_or_else(|()| {
            take("type", &format!("must be one of `{kind_names}`"));
            Vec::new()
        });
        if !faults.is_empty() {
            return Err(Fault::validation(faults));
        }
        Ok(Self { from_ns, to_ns, hosts, protocols: protocols.unwrap_or_default(), severities, kinds })
    }

    /// Whether everything passes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether windows are told by their anomalies.
    #[must_use]
    pub fn needs_anomalies(&self) -> bool {
        !self.severities.is_empty() || !self.kinds.is_empty()
    }

    /// Places in time of the windows with an anomaly that `marks`; empty when no severity or type is asked for.
    ///
    /// # Errors
    /// When the store fails.
    pub fn marked(&self, store: &Store, capture: &Capture) -> Outcome<HashSet<i64>> {
        let mut marked = HashSet::new();
        if let Some(job) = capture.anomaly_job.as_ref().filter(|_| self.needs_anomalies()) {
            for row in ANOMALIES.scan_prefix(store, job, false) {
                let (_, anomaly) = row?;
                if self.marks(&anomaly) {
                    marked.insert(anomaly.window_index);
                }
            }
        }
        Ok(marked)
    }

    /// Whether an anomaly has the severity and type that are asked for.
    #[must_use]
    pub fn marks(&self, anomaly: &Anomaly) -> bool {
        (self.severities.is_empty() || self.severities.contains(&anomaly.severity))
            && (self.kinds.is_empty() || self.kinds.contains(&anomaly.kind))
    }

    /// Whether an anomaly passes. Its time is the beginning of its window.
    #[must_use]
    pub fn anomaly(&self, anomaly: &Anomaly) -> bool {
        let protocol = anomaly.protocol.as_deref();
        self.marks(anomaly)
            && self.begins_within(anomaly.start_ns)
            && (self.protocols.is_empty() || protocol.is_some_and(|protocol| self.names(protocol)))
            && self.any_host([&anomaly.flow_src, &anomaly.flow_dst].into_iter().flatten().map(String::as_str))
    }

    /// Whether a window passes. Its time is its beginning; a host counts when it is among those the window names.
    /// `marked` is what the method of this name gives.
    #[must_use]
    pub fn window(&self, window: &Window, marked: &HashSet<i64>) -> bool {
        self.begins_within(window.start_ns)
            && (!self.needs_anomalies() || marked.contains(&window.index))
            && (self.protocols.is_empty() || self.protocols.iter().any(|protocol| has_protocol(window, protocol)))
            && (self.hosts.is_empty() || self.any_host(hosts_of(window)))
    }

    /// Whether a connection passes. Its time is from its first to its last packet. Severity and type say nothing of it.
    #[must_use]
    pub fn connection(&self, connection: &Connection) -> bool {
        let service = connection.service.as_deref();
        self.from_ns.is_none_or(|from| connection.last_ns >= from)
            && self.to_ns.is_none_or(|to| connection.first_ns < to)
            && (self.protocols.is_empty()
                || self.names(&connection.protocol)
                || service.is_some_and(|service| self.names(service)))
            && (self.hosts.is_empty() || self.has(connection.src) || self.has(connection.dst))
    }

    /// Whether nothing later than this window can pass, so that reading may end.
    #[must_use]
    pub fn is_past(&self, window: &Window) -> bool {
        self.to_ns.is_some_and(|to| window.start_ns >= to)
    }

    fn begins_within(&self, start_ns: i64) -> bool {
        self.from_ns.is_none_or(|from| start_ns >= from) && self.to_ns.is_none_or(|to| start_ns < to)
    }

    fn names(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|asked| asked.eq_ignore_ascii_case(protocol))
    }

    fn any_host<'a>(&self, mut ends: impl Iterator<Item = &'a str>) -> bool {
        self.hosts.is_empty() || ends.any(|end| address_of(end).is_some_and(|address| self.has(address)))
    }

    fn has(&self, address: IpAddr) -> bool {
        self.hosts.iter().any(|network| network.contains(&address))
    }
}

/// The words of a list; an error when one cannot be read.
fn words<T>(text: Option<&String>, read: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, ()> {
    let words = text.into_iter().flat_map(|text| text.split(',')).map(str::trim).filter(|word| !word.is_empty());
    words.map(|word| read(word).ok_or(())).collect()
}

fn moment_ns(text: &str) -> Option<i64> {
    // In a query a plus sign that nobody encoded arrives as a space.
    let text = text.trim();
    let text = if text.contains('T') { text.replace(' ', "+") } else { text.to_owned() };
    parse_moment(&text)?.checked_mul(1000)
}

fn host(word: &str) -> Option<IpNet> {
    let whole = word.parse::<IpNet>().ok();
    whole.or_else(|| word.trim_matches(['[', ']']).parse::<IpAddr>().ok().map(IpNet::from))
}

/// The address of `address`, `address:port` or `[address]:port`.
fn address_of(end: &str) -> Option<IpAddr> {
    if let Ok(address) = end.parse() {
        return Some(address);
    }
    let (address, _port) = end.rsplit_once(':')?;
    address.trim_matches(['[', ']']).parse().ok()
}

fn has_protocol(window: &Window, protocol: &str) -> bool {
    let (network, transport) = (&window.network, &window.transport);
    if !PROTOCOLS.contains(&protocol) {
        return window.services.iter().any(|service| service.name == protocol);
    }
    let count = match protocol {
        "ipv4" => network.ipv4,
        "ipv6" => network.ipv6,
        "ip" => network.ipv4 + network.ipv6,
        "arp" => network.arp,
        "tcp" => transport.tcp,
        "udp" => transport.udp,
        "icmp" => transport.icmp,
        "icmpv6" => transport.icmpv6,
        "sctp" => transport.sctp,
        "gre" => transport.gre,
        _ => network.other,
    };
    count > 0
}

/// The ends of everything that a window names.
fn hosts_of(window: &Window) -> impl Iterator<Item = &str> {
    fn ends(flow: &FlowEnds) -> [&str; 2] {
        [&flow.src, &flow.dst]
    }
    let talkers = window.top_src.iter().chain(&window.top_dst).map(|talker| talker.addr.as_str());
    let flows = window.top_flows.iter().map(|flow| &flow.flow);
    let flows = flows.chain(window.lossy.iter().map(|flow| &flow.flow));
    let flows = flows.chain(window.slow.iter().map(|flow| &flow.flow));
    let flows = flows.chain(window.long_lived.iter().map(|flow| &flow.flow));
    let scans = window.scans.iter().flat_map(|scan| [Some(scan.src.as_str()), scan.victim.as_deref()]).flatten();
    talkers.chain(flows.flat_map(ends)).chain(scans)
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
