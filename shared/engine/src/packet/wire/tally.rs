//! What is counted for comparison with tshark and for nothing else.

use std::collections::BTreeMap;

use super::attempts::Attempts;
use super::longest::Longest;
use super::rtts::Rtts;
use super::{Conversations, Figures, Lasting, Scan, encap};
use crate::packet::decoded::Decoded;
use crate::packet::flow::Flow;
use crate::packet::raw::{LinkType, RawPacket};
use crate::packet::tcp::Verdict;

/// Counts while packets come.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    truncated: u64,
    backwards: u64,
    last_ns: Option<i64>,
    /// Packets by link type; a capture has few.
    links: Vec<(LinkType, u64)>,
    two_layers: u64,
    initial_rtts: u64,
    pub(crate) conversations: Conversations,
    rtts: Rtts,
    attempts: Attempts,
    longest: Longest,
}

/// What was counted.
pub(super) struct Counted {
    pub(super) truncated: u64,
    pub(super) backwards: u64,
    pub(super) encap_types: BTreeMap<i32, u64>,
    pub(super) two_layers: u64,
    pub(super) initial_rtts: u64,
    pub(super) conversations: Conversations,
    pub(super) ack_rtt: Figures,
    /// Round trips of windows in which time went back.
    pub(super) odd_windows: BTreeMap<i64, Figures>,
    pub(super) scan: Scan,
    pub(super) long_lived: Vec<Lasting>,
}

impl Tally {
    /// Counts a packet.
    #[inline]
    pub(crate) fn packet(&mut self, raw: &RawPacket<'_>, decoded: &Decoded) {
        let captured = u32::try_from(raw.data.len()).unwrap_or(u32::MAX);
        self.truncated += u64::from(captured < raw.wire_len);
        if let Some(time_ns) = raw.time_ns {
            self.backwards += u64::from(self.last_ns.is_some_and(|last| time_ns < last));
            self.last_ns = Some(time_ns);
        }
        self.two_layers += u64::from(decoded.tcp_layers > 1);
        match self.links.iter_mut().find(|(link, _)| *link == raw.link) {
            Some((_, count)) => *count += 1,
            None => self.links.push((raw.link, 1)),
        }
    }

    /// Counts what the sequence analysis says of a segment of a window; `exact` round trips are held one by one.
    #[inline]
    pub(crate) fn verdict(&mut self, verdict: &Verdict, window: i64, exact: u64) {
        self.initial_rtts += u64::from(verdict.first_initial_rtt);
        if let Some(rtt) = verdict.ack_rtt_ns {
            self.rtts.add(rtt, window, exact);
        }
    }

    /// Takes what a flow knows, once, before it goes.
    pub(crate) fn flow(&mut self, flow: &Flow) {
        self.attempts.take(flow);
        self.longest.take(flow);
    }

    /// Round trips that are in no figure.
    pub(crate) const fn rtts_left_out(&self) -> u64 {
        self.rtts.left_out()
    }

    pub(super) fn finish(self) -> Counted {
        let mut encap_types = BTreeMap::new();
        for (link, count) in self.links {
            *encap_types.entry(encap::number(link)).or_default() += count;
        }
        Counted {
            truncated: self.truncated,
            backwards: self.backwards,
            encap_types,
            two_layers: self.two_layers,
            initial_rtts: self.initial_rtts,
            conversations: self.conversations,
            odd_windows: self.rtts.odd_windows(),
            ack_rtt: self.rtts.figures(),
            scan: self.attempts.scan(),
            long_lived: self.longest.list(),
        }
    }
}
