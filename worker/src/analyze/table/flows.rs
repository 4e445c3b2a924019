//! Flows that were slow or lost much, over all windows.

use std::collections::BTreeMap;
use std::io::{Result, Write};

use trafficlab_shared::model::capture::counts::FlowEnds;

use super::{Paint, Parts, WIDTH, heading};
use crate::generate::figures::{count, float, ratio, three};

const SHOWN: usize = 5;
/// Fewer retransmissions say little of a flow.
const WORTH_TELLING: u64 = 3;

/// Ends that sort and compare as a key.
type Key<'a> = (&'a str, &'a str, &'a str, Option<u16>);

fn key(flow: &FlowEnds) -> Key<'_> {
    (&flow.protocol, &flow.src, &flow.dst, flow.vlan)
}

pub(super) fn write(out: &mut dyn Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    slow(out, parts, paint)?;
    lossy(out, parts, paint)
}

/// By the greatest 95th percentile of a window.
fn slow(out: &mut dyn Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    let mut found: BTreeMap<Key<'_>, (u64, u64)> = BTreeMap::new();
    for of in parts.windows.iter().flat_map(|window| &window.slow) {
        let (p95, samples) = found.entry(key(&of.flow)).or_default();
        *p95 = of.p95_ns.max(*p95);
        *samples += of.count;
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(key, (p95, _))| (std::cmp::Reverse(*p95), *key));
    if found.is_empty() {
        return Ok(());
    }
    heading(out, paint, "slowest flows  by the worst window's rtt p95")?;
    found.iter().take(SHOWN).try_for_each(|(key, (p95, samples))| {
        let figures = format!("{:>9} ms  {:>9} samples", three(float(*p95) / 1e6), count(*samples));
        flow(out, &figures, key)
    })
}

/// By retransmitted data segments.
fn lossy(out: &mut dyn Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    let mut found: BTreeMap<Key<'_>, (u64, u64)> = BTreeMap::new();
    for of in parts.windows.iter().flat_map(|window| &window.lossy) {
        let (sent, again) = found.entry(key(&of.flow)).or_default();
        *sent += of.sent;
        *again += of.retransmitted;
    }
    let mut found: Vec<_> = found.into_iter().filter(|(_, (_, again))| *again >= WORTH_TELLING).collect();
    found.sort_by_key(|(key, (_, again))| (std::cmp::Reverse(*again), *key));
    if found.is_empty() {
        return Ok(());
    }
    heading(out, paint, "lossiest flows  retransmitted of sent data segments, in windows where they stood out")?;
    found.iter().take(SHOWN).try_for_each(|(key, (sent, again))| {
        let share = three(ratio(float(*again), float(*sent)) * 100.0);
        flow(out, &format!("{share:>9} %   {:>6} of {:>7}", count(*again), count(*sent)), key)
    })
}

/// Figures and both ends, the second below where the line would be too long.
fn flow(out: &mut dyn Write, figures: &str, (protocol, src, dst, vlan): &Key<'_>) -> Result<()> {
    let vlan = vlan.map_or_else(String::new, |vlan| format!("  vlan {vlan}"));
    let line = format!("  {figures:<33}{protocol}  {src} → {dst}{vlan}");
    if line.chars().count() <= WIDTH {
        return writeln!(out, "{line}");
    }
    writeln!(out, "  {figures:<33}{protocol}  {src}")?;
    writeln!(out, "{}→ {dst}{vlan}", " ".repeat(35))
}
