//! The summary for people: short, aligned, the percentiles of the three times beside one another.

use std::fmt::Write as _;

use trafficlab_engine::traffic::histogram::Histogram;

use crate::generate::figures::{bytes, count, ms, three};
use crate::generate::summary::Summary;

const ROWS: [(&str, u32); 5] =
    [("p50", 500_000), ("p90", 900_000), ("p95", 950_000), ("p99", 990_000), ("p99.9", 999_000)];

pub(super) fn render(summary: &Summary) -> String {
    let mut out = String::new();
    // Writing into a text cannot fail; a failure would only shorten the table.
    let written = write_all(summary, &mut out);
    debug_assert!(written.is_ok(), "a text takes every letter");
    out
}

fn write_all(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let counts = &summary.counts;
    writeln!(out)?;
    let asked =
        summary.asked_rate.map_or_else(|| "as many as possible".to_owned(), |rate| format!("{}/s", three(rate)));
    row(out, "requests", &format!("{} in {} s", count(counts.sent), three(summary.duration_s)))?;
    row(out, "rate", &format!("{}/s (asked: {asked})", three(summary.per_second())))?;
    row(out, "succeeded", &format!("{} ({:.2} %)", count(counts.succeeded), summary.success() * 100.0))?;
    arrivals(summary, out)?;
    let statuses: Vec<String> = counts.statuses.iter().map(|(code, n)| format!("{code} × {}", count(n))).collect();
    row(out, "statuses", &or_none(&statuses))?;
    let errors: Vec<String> = summary.errors().map(|(kind, n)| format!("{kind} × {}", count(n))).collect();
    row(out, "errors", &or_none(&errors))?;
    let out_name = if summary.mode == "simulate" { "packed" } else { "sent" };
    row(out, "bytes", &format!("{} received, {} {out_name}", bytes(counts.bytes_in), bytes(counts.bytes_out)))?;
    times(summary, out)?;
    notes(summary, out)
}

fn row(out: &mut String, name: &str, value: &str) -> std::fmt::Result {
    writeln!(out, "  {name:<14}{value}")
}

fn or_none(parts: &[String]) -> String {
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

/// What became of every arrival; a closed loop has none of its own.
fn arrivals(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let counts = &summary.counts;
    if summary.mode != "open" {
        return Ok(());
    }
    let text = format!(
        "{} scheduled = {} sent ({} late) + {} dropped + {} missed",
        count(counts.scheduled),
        count(counts.sent),
        count(counts.late),
        count(counts.dropped),
        count(counts.missed),
    );
    row(out, "arrivals", &text)
}

fn times(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let all = [&summary.times.response, summary.service(), &summary.times.lag];
    let line = |out: &mut String, name: &str, of: &dyn Fn(&Histogram) -> String| {
        let [response, service, lag] = all.map(of);
        writeln!(out, "  {name:<14}{response:>12}{service:>12}{lag:>12}")
    };
    writeln!(out, "\n  {:<14}{:>12}{:>12}{:>12}", "ms", "response", "service", "send lag")?;
    line(out, "mean", &|of| three(of.mean() / 1000.0))?;
    for (name, per_million) in ROWS {
        line(out, name, &|of| ms(of.quantile(per_million)))?;
    }
    line(out, "max", &|of| ms(of.max()))?;
    if summary.warm_up_s > 0.0 {
        let left = summary.times.response.count();
        writeln!(out, "  (of {} requests after {} s of warm-up)", count(left), three(summary.warm_up_s))?;
    }
    Ok(())
}

fn notes(summary: &Summary, out: &mut String) -> std::fmt::Result {
    if !summary.verdicts.is_empty() {
        writeln!(out)?;
    }
    for verdict in &summary.verdicts {
        let word = match verdict.holds {
            Some(true) => "passed",
            Some(false) => "CROSSED",
            None => "not measured",
        };
        let value = verdict.value.map_or_else(String::new, |value| format!(" ({})", three(value)));
        writeln!(out, "  {word:<14}{}{value}", verdict.text)?;
    }
    for reason in &summary.limits {
        writeln!(out, "\n  the generator was the limit: {reason}")?;
    }
    if summary.insecure {
        writeln!(out, "\n  certificates were not checked (--insecure)")?;
    }
    if let Some(stopped) = &summary.stopped {
        writeln!(out, "\n  {}", stopped.reason())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::format::tests::sample;

    #[test]
    fn every_figure_has_its_line() {
        let shown = render(&sample());
        for line in [
            "  requests      100 in 10.0 s",
            "  rate          10.0/s (asked: 10.0/s)",
            "  succeeded     97 (97.00 %)",
            "  arrivals      107 scheduled = 100 sent (4 late) + 5 dropped + 2 missed",
            "  statuses      200 × 97, 503 × 2",
            "  errors        timeout × 1",
            "  bytes         20.0 kB received, 15.0 kB sent",
            "  ms                response     service    send lag",
            "  p99                   99.0        89.2        9.90",
            "  CROSSED       error_rate<1% (3.00)",
            "  not measured  rate<0.01",
            "  the generator was the limit: send lag p99 is 12.0 ms",
        ] {
            assert!(shown.lines().any(|shown| shown == line), "{line}\n{shown}");
        }
    }
}
