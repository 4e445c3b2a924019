//! The conversations that lasted longest.

use std::cmp::Reverse;

use super::Lasting;
use crate::packet::flow::{Flow, Roles, Totals};
use crate::packet::window::{Ends, Protocol};

/// Conversations told.
const TOP: usize = 10;

/// Room for candidates: now and then all but the longest are thrown out.
const ROOM: usize = 1_024;

/// The longest conversations so far.
#[derive(Debug, Default)]
pub(super) struct Longest {
    all: Vec<(i64, Ends, Totals)>,
    /// Nothing shorter is wanted any more.
    least_ns: i64,
}

impl Longest {
    /// Takes a flow that is over.
    pub(super) fn take(&mut self, flow: &Flow) {
        let told = matches!(flow.ends.protocol, Protocol::Tcp | Protocol::Udp);
        let Some(duration) = flow.totals.duration_ns().filter(|duration| told && *duration >= self.least_ns) else {
            return;
        };
        if !flow.roles.has(Roles::CONVERSATION) {
            return;
        }
        self.all.push((duration, flow.ends, flow.totals));
        if self.all.len() >= ROOM {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.all.sort_by_cached_key(|(duration, ends, _)| (Reverse(*duration), order(ends)));
        self.all.truncate(TOP);
        self.least_ns = self.all.last().map_or(0, |(duration, ..)| *duration);
    }

    /// The longest, the longest first; ties by protocol and by the text of both ends.
    pub(super) fn list(mut self) -> Vec<Lasting> {
        self.cut();
        self.all.into_iter().map(|(duration, ends, totals)| lasting(duration, &ends, &totals)).collect()
    }
}

type TextEnd = (String, u16);

/// Both ends, the one whose text comes first before the other.
fn order(ends: &Ends) -> (&'static str, TextEnd, TextEnd) {
    let src = (ends.src.to_string(), ends.src_port);
    let dst = (ends.dst.to_string(), ends.dst_port);
    let (a, b) = if src <= dst { (src, dst) } else { (dst, src) };
    (ends.protocol.as_str(), a, b)
}

fn lasting(duration_ns: i64, ends: &Ends, totals: &Totals) -> Lasting {
    let (proto, a, b) = order(ends);
    let text = |(addr, port): TextEnd| format!("{addr}|{port}");
    Lasting { proto, a: text(a), b: text(b), packets: totals.packets, bytes: totals.bytes, duration_ns }
}
