//! What the capture holds as a whole.

use std::io::{Result, Write};

use trafficlab_engine::traffic::render::push_rfc3339;
use trafficlab_shared::model::capture::counts::TcpFlags;
use trafficlab_shared::model::capture::summary::Summary;

use super::{Paint, Parts, bits, row};
use crate::generate::figures::{bytes, count, float, ratio, three};

pub(super) fn write(out: &mut dyn Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    let of = parts.summary;
    let kinds = if of.link_types.is_empty() { String::new() } else { format!(", {}", of.link_types.join(", ")) };
    writeln!(out, "  {}  {}", paint.bold(parts.file), paint.faint(&format!("{}{kinds}", of.format)))?;
    if of.packets == 0 {
        row(out, "packets", "no packets")?;
        return notes(out, of);
    }
    row(
        out,
        "packets",
        &format!("{}, {} on the wire, {} stored", count(of.packets), bytes(of.wire_bytes), bytes(of.captured_bytes)),
    )?;
    time(out, of)?;
    row(out, "protocols", &protocols(of))?;
    row(out, "conversations", &conversations(of))?;
    list(out, "states", of.connections.states.iter().map(|(name, n)| (name.as_str(), *n)))?;
    if of.segments.data > 0 {
        let lost = ratio(float(of.segments.retransmitted), float(of.segments.data)) * 100.0;
        row(out, "retransmitted", &format!("{} % of {} data segments", three(lost), count(of.segments.data)))?;
    }
    list(out, "tcp", flags(&of.tcp).into_iter())?;
    round_trips(out, of)?;
    notes(out, of)
}

fn time(out: &mut dyn Write, of: &Summary) -> Result<()> {
    let Some((first, last)) = of.min_ns.zip(of.max_ns) else {
        return row(out, "time", "the packets have no times");
    };
    let lasted = float(last.saturating_sub(first).unsigned_abs()) / 1e9;
    let mut text = format!("{}, {} s", moment(first), three(lasted));
    if lasted > 0.0 {
        let (volume, packets) = (bits(float(of.wire_bytes) * 8.0 / lasted), three(float(of.packets) / lasted));
        text.push_str(&format!(", {volume}, {packets} packets/s"));
    }
    row(out, "time", &text)
}

/// `2023-11-14 22:13:20 UTC`.
pub(super) fn moment(ns: i64) -> String {
    let mut text = Vec::new();
    push_rfc3339(&mut text, u64::try_from(ns).unwrap_or(0));
    let text = String::from_utf8(text).unwrap_or_default();
    let seconds: String = text.chars().take(19).map(|letter| if letter == 'T' { ' ' } else { letter }).collect();
    seconds + " UTC"
}

fn protocols(of: &Summary) -> String {
    let (network, transport) = (&of.network, &of.transport);
    let network = [("ipv4", network.ipv4), ("ipv6", network.ipv6), ("arp", network.arp), ("other", network.other)];
    let transport = [
        ("tcp", transport.tcp),
        ("udp", transport.udp),
        ("icmp", transport.icmp),
        ("icmpv6", transport.icmpv6),
        ("sctp", transport.sctp),
        ("gre", transport.gre),
        ("other", transport.other),
    ];
    [shares(&network, of.packets), shares(&transport, of.packets)].join("; ")
}

fn shares(counts: &[(&str, u64)], all: u64) -> String {
    let mut present: Vec<_> = counts.iter().filter(|(_, count)| *count > 0).collect();
    present.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown =
        present.iter().map(|(name, count)| format!("{name} {} %", three(ratio(float(*count), float(all)) * 100.0)));
    shown.collect::<Vec<_>>().join(", ")
}

fn conversations(of: &Summary) -> String {
    let opened = format!("{} opened, {} closed", count(of.connections.opened), count(of.connections.closed));
    let (tcp, udp, streams) = (count(of.tcp_conversations), count(of.udp_conversations), count(of.tcp_streams));
    format!("{tcp} TCP ({streams} streams), {udp} UDP; {opened}")
}

/// Names with counts, the greatest first.
fn list<'a>(out: &mut dyn Write, name: &str, counts: impl Iterator<Item = (&'a str, u64)>) -> Result<()> {
    let mut present: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
    if present.is_empty() {
        return Ok(());
    }
    present.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<String> = present.iter().map(|(name, n)| format!("{name} {}", count(*n))).collect();
    row(out, name, &shown.join(", "))
}

fn flags(of: &TcpFlags) -> [(&'static str, u64); 13] {
    [
        ("retransmission", of.retransmission),
        ("fast", of.fast_retransmission),
        ("spurious", of.spurious_retransmission),
        ("out of order", of.out_of_order),
        ("duplicate ack", of.duplicate_ack),
        ("lost segment", of.lost_segment),
        ("ack of unseen", of.ack_lost_segment),
        ("zero window", of.zero_window),
        ("window full", of.window_full),
        ("window update", of.window_update),
        ("keep-alive", of.keep_alive),
        ("keep-alive ack", of.keep_alive_ack),
        ("reused ports", of.reused_ports),
    ]
}

fn round_trips(out: &mut dyn Write, of: &Summary) -> Result<()> {
    let latency = &of.latency;
    if latency.count == 0 {
        return Ok(());
    }
    let ms = |ns: u64| three(float(ns) / 1e6);
    let text = format!(
        "mean {}, p50 {}, p95 {}, p99 {}, max {} ms ({} samples)",
        three(latency.mean_ns / 1e6),
        ms(latency.p50_ns),
        ms(latency.p95_ns),
        ms(latency.p99_ns),
        ms(latency.max_ns),
        count(latency.count),
    );
    row(out, "round trips", &text)
}

/// What limits the figures.
fn notes(out: &mut dyn Write, of: &Summary) -> Result<()> {
    if of.without_timestamp > 0 {
        row(out, "note", &format!("{} packets have no time and are in no window", count(of.without_timestamp)))?;
    }
    if of.evicted_flows > 0 {
        let flows = count(of.evicted_flows);
        row(out, "note", &format!("{flows} flows were given up because too many were open; see `--max-flows`"))?;
    }
    if let Some(approximate) = &of.approximate {
        row(out, "approximate", approximate)?;
    }
    if let Some(damage) = &of.fault {
        row(out, "damage", &format!("at byte {}: {}", count(damage.offset), damage.message))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc() {
        assert_eq!(moment(1_700_000_000_123_456_789), "2023-11-14 22:13:20 UTC");
    }
}
