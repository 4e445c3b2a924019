//! The result for people, at most 100 columns wide: what the capture holds, how it went over time, who talked most,
//! what was slow or lossy, what is strange.

mod anomalies;
mod flows;
mod paint;
#[cfg(test)]
pub(super) mod samples;
mod spark;
mod summary;
mod talkers;
mod windows;

use std::io::{Result, Write};

use trafficlab_shared::model::capture::anomaly::Anomaly;
use trafficlab_shared::model::capture::summary::Summary;
use trafficlab_shared::model::capture::window::Window;

pub(super) use self::paint::Paint;

/// Columns of a line.
const WIDTH: usize = 100;

/// What the table is made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parts<'a> {
    /// The capture as it was named.
    pub(super) file: &'a str,
    /// Length of a window.
    pub(super) window_ns: u64,
    /// Figures of the whole.
    pub(super) summary: &'a Summary,
    /// Windows in the order of time.
    pub(super) windows: &'a [Window],
    /// What is strange in them.
    pub(super) anomalies: &'a [Anomaly],
}

/// Writes the table.
pub(super) fn write(mut out: impl Write, parts: &Parts<'_>, paint: Paint) -> Result<()> {
    let out: &mut dyn Write = &mut out;
    writeln!(out)?;
    summary::write(out, parts, paint)?;
    windows::write(out, parts, paint)?;
    talkers::write(out, parts, paint)?;
    flows::write(out, parts, paint)?;
    anomalies::write(out, parts, paint)
}

/// A part's name above it.
fn heading(out: &mut dyn Write, paint: Paint, text: &str) -> Result<()> {
    writeln!(out, "\n  {}", paint.bold(text))
}

/// A name and what is said of it; what is too long goes on in the next line, under its beginning.
fn row(out: &mut dyn Write, name: &str, value: &str) -> Result<()> {
    const INDENT: usize = 18;
    let mut line = format!("  {name:<16}");
    let mut used = INDENT;
    for word in value.split(' ') {
        let length = word.chars().count();
        if used > INDENT && used + 1 + length > WIDTH {
            writeln!(out, "{line}")?;
            line = " ".repeat(INDENT);
            used = INDENT;
        } else if used > INDENT {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    writeln!(out, "{line}")
}

/// From the capture's first moment, as people say it: `12.3 s`, `1 234 s`.
fn offset(from_ns: i64, to_ns: i64) -> String {
    let seconds = crate::generate::figures::float(to_ns.saturating_sub(from_ns).unsigned_abs()) / 1e9;
    let sign = if to_ns < from_ns { "-" } else { "" };
    let shown = if seconds >= 1000.0 { crate::generate::figures::three(seconds) } else { format!("{seconds:.1}") };
    format!("{sign}{shown}")
}

/// A rate of bits with its unit.
fn bits(per_second: f64) -> String {
    use crate::generate::figures::three;
    match per_second {
        value if value < 1e3 => format!("{} bit/s", three(value)),
        value if value < 1e6 => format!("{} kbit/s", three(value / 1e3)),
        value if value < 1e9 => format!("{} Mbit/s", three(value / 1e6)),
        value => format!("{} Gbit/s", three(value / 1e9)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "test code")]
    use super::*;

    pub(super) fn rendered(report: &samples::Sample, paint: Paint) -> String {
        let parts = Parts {
            file: "capture.pcap",
            window_ns: 10_000_000_000,
            summary: &report.summary,
            windows: &report.windows,
            anomalies: &report.anomalies,
        };
        let mut out = Vec::new();
        write(&mut out, &parts, paint).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_line_is_too_wide_and_colour_is_left_out() {
        let shown = rendered(&samples::report(), Paint::plain());
        for line in shown.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        assert!(!shown.contains('\x1b'));
        assert!(rendered(&samples::report(), Paint::coloured()).contains("\x1b[1m"));
    }

    #[test]
    fn an_empty_capture_is_a_short_table() {
        let shown = rendered(&samples::Sample::default(), Paint::plain());
        assert!(shown.contains("no packets") && !shown.contains("windows  "), "{shown}");
        assert!(shown.contains("nothing strange"), "{shown}");
    }

    #[test]
    fn every_part_has_its_lines() {
        let shown = rendered(&samples::report(), Paint::plain());
        for line in [
            "  packets         40 960, 4 100 kB on the wire, 4 100 kB stored",
            "  protocols       ipv4 99.0 %, arp 0.98 %; tcp 97.7 %, udp 1.95 %, other 0.34 %",
            "  retransmitted   0.59 % of 34 000 data segments",
            "  states          SF 900, S0 80",
            "  damage          at byte 70 001: cut short in the middle of a packet",
            "  30.0       high    packet_loss      High packet loss detected: 83.33% (5 retrans / 6 sent)",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
        }
    }

    #[test]
    fn long_values_go_on_below() {
        let mut out = Vec::new();
        row(&mut out, "states", &"SF 1 000, ".repeat(20)).unwrap();
        let shown = String::from_utf8(out).unwrap();
        assert!(shown.lines().count() > 1 && shown.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(shown.lines().skip(1).all(|line| line.starts_with(&" ".repeat(18))));
    }

    #[test]
    fn rates_have_units() {
        for (rate, shown) in
            [(0.0, "0.00 bit/s"), (9_568.5, "9.57 kbit/s"), (2.5e6, "2.50 Mbit/s"), (4e10, "40.0 Gbit/s")]
        {
            assert_eq!(bits(rate), shown);
        }
    }
}
