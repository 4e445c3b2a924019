//! Connection attempts: who sent a SYN to which port of whom, and whether a SYN/ACK came from there.

use std::cmp::Reverse;
use std::net::IpAddr;

use super::{HostsTried, PortsTried, Scan};
use crate::packet::flow::{Flow, Roles};
use crate::packet::window::Protocol;

/// Lines of each list.
const TOP: usize = 5;

/// Attempts of flows that are gone, at the most; sources of more are found by the scan detection, not here.
const MOST: usize = 1 << 20;

/// A port of a host that somebody tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    src: IpAddr,
    dst: IpAddr,
    port: u16,
    /// A SYN went there.
    tried: bool,
    /// A SYN/ACK came from there.
    answered: bool,
}

/// Attempts seen in flows.
#[derive(Debug, Default)]
pub(super) struct Attempts {
    all: Vec<Target>,
    /// Length up to which nothing is there twice.
    distinct: usize,
}

impl Attempts {
    /// Takes what a flow knows of attempts.
    pub(super) fn take(&mut self, flow: &Flow) {
        let ends = &flow.ends;
        if ends.protocol != Protocol::Tcp || !flow.roles.has(Roles::CONVERSATION) || self.all.len() >= MOST {
            return;
        }
        let roles = flow.roles;
        let forward = (roles.has(Roles::SYN_FORWARD), roles.has(Roles::SYN_ACK_BACK));
        let back = (roles.has(Roles::SYN_BACK), roles.has(Roles::SYN_ACK_FORWARD));
        for ((tried, answered), src, dst, port) in
            [(forward, ends.src, ends.dst, ends.dst_port), (back, ends.dst, ends.src, ends.src_port)]
        {
            if tried || answered {
                self.all.push(Target { src, dst, port, tried, answered });
            }
        }
        if self.all.len() >= 2 * self.distinct.max(4_096) {
            self.join();
        }
    }

    fn join(&mut self) {
        self.all.sort_unstable();
        self.all.dedup_by(|later, first| {
            let same = (later.src, later.dst, later.port) == (first.src, first.dst, first.port);
            if same {
                first.tried |= later.tried;
                first.answered |= later.answered;
            }
            same
        });
        self.distinct = self.all.len();
    }

    /// The sources that tried most.
    pub(super) fn scan(mut self) -> Scan {
        self.join();
        self.all.retain(|target| target.tried);
        let ports = self.all.chunk_by(|a, b| (a.src, a.dst) == (b.src, b.dst)).filter_map(|group| {
            let answered = group.iter().filter(|target| target.answered).count();
            let first = group.first()?;
            Some((group.len(), first.src, (first.dst, answered)))
        });
        let src_dst_ports = greatest(ports.collect(), |(dst, _)| (dst.to_string(), 0));
        self.all.sort_unstable_by_key(|target| (target.src, target.port, target.dst));
        let hosts = self.all.chunk_by(|a, b| (a.src, a.port) == (b.src, b.port));
        let hosts = hosts.filter_map(|group| group.first().map(|first| (group.len(), first.src, first.port)));
        let src_port_hosts = greatest(hosts.collect(), |port| (String::new(), *port));
        Scan {
            src_dst_ports: src_dst_ports
                .into_iter()
                .map(|(count, src, (dst, answered))| PortsTried {
                    src: src.to_string(),
                    dst: dst.to_string(),
                    syn_ports: number(count),
                    answered: number(answered),
                })
                .collect(),
            src_port_hosts: src_port_hosts
                .into_iter()
                .map(|(count, src, port)| HostsTried { src: src.to_string(), port, hosts: number(count) })
                .collect(),
        }
    }
}

/// The groups with the greatest counts; ties by the source's text, then by the rest.
fn greatest<T>(mut groups: Vec<(usize, IpAddr, T)>, rest: impl Fn(&T) -> (String, u16)) -> Vec<(usize, IpAddr, T)> {
    if groups.len() > TOP {
        groups.select_nth_unstable_by_key(TOP - 1, |(count, ..)| Reverse(*count));
        let least = groups.get(TOP - 1).map_or(0, |(count, ..)| *count);
        groups.retain(|(count, ..)| *count >= least);
    }
    groups.sort_by_cached_key(|(count, src, other)| (Reverse(*count), src.to_string(), rest(other)));
    groups.truncate(TOP);
    groups
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
