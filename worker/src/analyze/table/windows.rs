//! How the capture went over time: small bars over all windows, and rows of the first, the last and the strangest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Result, Write};

use trafficlab_shared::model::capture::window::Window;

use super::{Paint, Parts, WIDTH, bits, heading, offset, spark};
use crate::generate::figures::{count, float, ratio, three};

/// Windows that are shown each in a row; more are folded.
const ROWS: usize = 32;
/// Of folded windows, those at both ends that are always shown.
const ENDS: usize = 3;
/// Columns of the bars, between a name and the greatest value.
const BARS: usize = WIDTH - 34;

pub(super) fn write(out: &mut dyn Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    let windows = parts.windows;
    let Some(first) = windows.first() else { return Ok(()) };
    let length = three(float(parts.window_ns) / 1e9);
    heading(out, paint, &format!("windows  {} of {length} s with packets", count(number(windows.len()))))?;
    if windows.len() > 2 {
        bars(out, windows)?;
    }
    let title = format!(
        "  {:>7} {:>10} {:>14} {:>11} {:>9} {:>11} {:>8}  anomalies",
        "window", "from s", "rate", "packets/s", "conv.", "rtt p95 ms", "loss %"
    );
    writeln!(out, "{}", paint.faint(&title))?;
    let strange = strangeness(parts);
    let shown = chosen(windows, &strange);
    let mut before = None;
    for place in &shown {
        let Some(window) = windows.get(*place) else { continue };
        let skipped = before.map_or(0, |before: usize| place - before - 1);
        if skipped > 0 {
            writeln!(out, "{}", paint.faint(&format!("  {:>7} {} more", "…", count(number(skipped)))))?;
        }
        before = Some(*place);
        let found = strange.get(&window.index).copied().unwrap_or(0);
        line(out, *place, window, first.start_ns, found)?;
    }
    Ok(())
}

fn number(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Bits a second over the full window.
fn rate(window: &Window) -> f64 {
    per_second(window, float(window.bytes) * 8.0)
}

fn per_second(window: &Window, amount: f64) -> f64 {
    ratio(amount, float(window.end_ns.saturating_sub(window.start_ns).unsigned_abs()) / 1e9)
}

fn loss(window: &Window) -> f64 {
    ratio(float(window.segments.retransmitted), float(window.segments.data)) * 100.0
}

fn bars(out: &mut dyn Write, windows: &[Window]) -> Result<()> {
    let values = |of: &dyn Fn(&Window) -> f64| windows.iter().map(of).collect::<Vec<_>>();
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let rates = values(&rate);
    let rtt = values(&|window| float(window.latency.p95_ns) / 1e6);
    let lost = values(&loss);
    writeln!(out, "  {:<9}{}  max {}", "rate", spark::line(&rates, BARS), bits(most(&rates)))?;
    if most(&rtt) > 0.0 {
        writeln!(out, "  {:<9}{}  max {} ms", "rtt p95", spark::line(&rtt, BARS), three(most(&rtt)))?;
    }
    if most(&lost) > 0.0 {
        writeln!(out, "  {:<9}{}  max {} %", "loss", spark::line(&lost, BARS), three(most(&lost)))?;
    }
    Ok(())
}

/// Anomalies of each window, by its place in time.
fn strangeness(parts: &Parts<'_>) -> BTreeMap<i64, usize> {
    let mut found = BTreeMap::new();
    for anomaly in parts.anomalies {
        *found.entry(anomaly.window_index).or_insert(0) += 1;
    }
    found
}

/// The places to show: all of few; of many the ends, those with most anomalies, and then the busiest.
fn chosen(windows: &[Window], strange: &BTreeMap<i64, usize>) -> Vec<usize> {
    if windows.len() <= ROWS {
        return (0..windows.len()).collect();
    }
    let mut chosen: BTreeSet<usize> = (0..ENDS).chain(windows.len() - ENDS..windows.len()).collect();
    let mut rest: Vec<(usize, &Window)> = windows.iter().enumerate().collect();
    let found = |window: &Window| strange.get(&window.index).copied().unwrap_or(0);
    rest.sort_by_key(|(place, window)| (std::cmp::Reverse((found(window), window.bytes)), *place));
    for (place, _) in rest {
        if chosen.len() >= ROWS {
            break;
        }
        chosen.insert(place);
    }
    chosen.into_iter().collect()
}

fn line(out: &mut dyn Write, place: usize, window: &Window, origin_ns: i64, anomalies: usize) -> Result<()> {
    let rtt = if window.latency.count > 0 { three(float(window.latency.p95_ns) / 1e6) } else { "-".to_owned() };
    let lost = if window.segments.data > 0 { three(loss(window)) } else { "-".to_owned() };
    let found = if anomalies > 0 { anomalies.to_string() } else { String::new() };
    let line = format!(
        "  {:>7} {:>10} {:>14} {:>11} {:>9} {rtt:>11} {lost:>8}  {found}",
        place,
        offset(origin_ns, window.start_ns),
        bits(rate(window)),
        three(per_second(window, float(window.packets))),
        count(window.conversations),
    );
    writeln!(out, "{}", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_windows_fold_to_ends_strange_and_busy_ones() {
        let windows: Vec<Window> = (0..1000_u64)
            .map(|index| Window {
                index: index.cast_signed(),
                bytes: if index == 500 { 9 } else { 1 },
                ..Window::default()
            })
            .collect();
        let places = chosen(&windows, &BTreeMap::from([(700, 2), (800, 1)]));
        assert_eq!(places.len(), ROWS);
        for place in [0, 1, 2, 500, 700, 800, 997, 998, 999] {
            assert!(places.contains(&place), "{place}: {places:?}");
        }
        assert_eq!(chosen(windows.get(..5).unwrap_or_default(), &BTreeMap::new()), [0, 1, 2, 3, 4]);
    }
}
