//! The summary as one page without scripts: it needs no other file, and everything from outside is escaped.

mod axis;
mod chart;
mod plots;

use std::fmt::Write as _;

use trafficlab_engine::traffic::histogram::Histogram;

use super::json::rfc3339;
use crate::generate::figures::{bytes, count, ms, three};
use crate::generate::summary::Summary;

const STYLE: &str = include_str!("style.css");
const PERCENTILES: [(&str, u32); 7] = [
    ("p50", 500_000),
    ("p75", 750_000),
    ("p90", 900_000),
    ("p95", 950_000),
    ("p99", 990_000),
    ("p99.9", 999_000),
    ("p99.99", 999_900),
];

pub(super) fn render(summary: &Summary) -> String {
    let mut out = String::with_capacity(32 * 1024);
    let written = page(summary, &mut out);
    debug_assert!(written.is_ok(), "a text takes every letter");
    out
}

/// A text inside an element or a quoted attribute.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn page(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let target = escape(summary.target.as_deref().unwrap_or("simulated, nothing was sent"));
    let method = escape(summary.method.as_deref().unwrap_or_default());
    writeln!(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(out, "<title>{target} · trafficlab</title>\n<style>\n{STYLE}</style></head><body>")?;
    writeln!(out, "<header><h1>{method} {target}</h1>\n<p class=\"soft\">{}</p></header>", circumstances(summary))?;
    tiles(summary, out)?;
    notes(summary, out)?;
    thresholds(summary, out)?;
    if !summary.series.points().is_empty() {
        section(out, "Rate over time", &plots::rates(summary))?;
        section(out, "Response time over time", &plots::percentiles(summary))?;
    }
    if summary.times.response.count() > 0 {
        section(out, "Times by percentile", &plots::distribution(summary))?;
    }
    figures(summary, out)?;
    footer(summary, out)
}

fn section(out: &mut String, title: &str, content: &str) -> std::fmt::Result {
    writeln!(out, "<section><h2>{}</h2>\n{content}</section>", escape(title))
}

fn circumstances(summary: &Summary) -> String {
    let mut parts = vec![rfc3339(summary.started_ns / 1_000_000_000 * 1_000_000_000).replace(".000000", "")];
    parts.push(match summary.mode {
        "closed" => "closed loop".to_owned(),
        "simulate" => "simulation".to_owned(),
        _ => format!("open loop, {}", summary.arrivals),
    });
    parts.extend(summary.http_version.map(|version| format!("HTTP/{version}")));
    parts.extend(summary.connections.map(|connections| format!("{connections} connections")));
    parts.push(format!("{} {}", summary.threads, if summary.threads == 1 { "thread" } else { "threads" }));
    format!("{} · run <code>{}</code>", escape(&parts.join(" · ")), escape(&summary.run_id))
}

fn tiles(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let counts = &summary.counts;
    let response = &summary.times.response;
    let asked = summary
        .asked_rate
        .map_or_else(|| "a second".to_owned(), |rate| format!("a second, {}\u{a0}asked", three(rate)));
    let lost = counts.dropped + counts.missed;
    writeln!(out, "<div class=\"tiles\">")?;
    for (class, value, name) in [
        ("", count(counts.sent), format!("requests in {}\u{a0}s", three(summary.duration_s))),
        ("", three(summary.per_second()), asked),
        ("", format!("{} ms", ms(response.quantile(500_000))), "response time p50".to_owned()),
        ("", format!("{} ms", ms(response.quantile(990_000))), "response time p99".to_owned()),
        (mark(counts.failed()), count(counts.failed()), format!("failed, {:.2} %", (1.0 - summary.success()) * 100.0)),
        (mark(lost), count(lost), "dropped or missed".to_owned()),
    ] {
        writeln!(out, "<div class=\"tile\"><b class=\"{class}\">{value}</b><span>{}</span></div>", escape(&name))?;
    }
    writeln!(out, "</div>")
}

const fn mark(bad: u64) -> &'static str {
    if bad > 0 { "bad" } else { "" }
}

/// What a reader must know before believing the figures.
fn notes(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let mut notes: Vec<String> =
        summary.limits.iter().map(|reason| format!("The generator may have been the limit: {reason}.")).collect();
    if summary.insecure {
        notes.push("Certificates were not checked (--insecure).".to_owned());
    }
    if let Some(stopped) = &summary.stopped {
        notes.push(format!("The run ended before its time: {}.", stopped.reason()));
    }
    if summary.unaccounted() > 0 {
        notes.push(format!("{} arrivals are unaccounted for: a fault of trafficlab.", summary.unaccounted()));
    }
    if notes.is_empty() {
        return Ok(());
    }
    let items: String = notes.iter().map(|note| format!("<li>{}</li>", escape(note))).collect();
    writeln!(out, "<section class=\"note\"><h2>Read this first</h2><ul>{items}</ul></section>")
}

fn thresholds(summary: &Summary, out: &mut String) -> std::fmt::Result {
    if summary.verdicts.is_empty() {
        return Ok(());
    }
    let rows = summary.verdicts.iter().map(|verdict| {
        let (class, word) = match verdict.holds {
            Some(true) => ("good", "passed"),
            Some(false) => ("bad", "crossed"),
            None => ("", "not measured"),
        };
        let value = verdict.value.map_or_else(String::new, three);
        let rule = escape(&verdict.text);
        format!("<tr><td><code>{rule}</code></td><td>{value}</td><td class=\"{class}\">{word}</td></tr>\n")
    });
    let rows: String = rows.collect();
    let head = "<thead><tr><th>rule</th><th>value</th><th></th></tr></thead>";
    section(out, "Thresholds", &format!("<div class=\"scroll\"><table>{head}<tbody>\n{rows}</tbody></table></div>"))
}

fn figures(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let all = [&summary.times.response, &summary.times.service, &summary.times.lag];
    let row = |name: &str, of: &dyn Fn(&Histogram) -> String| {
        let [response, service, lag] = all.map(|times| if times.count() > 0 { of(times) } else { "–".to_owned() });
        format!("<tr><td>{name}</td><td>{response}</td><td>{service}</td><td>{lag}</td></tr>\n")
    };
    let mut times = row("mean", &|of| three(of.mean() / 1000.0));
    for (name, per_million) in PERCENTILES {
        times.push_str(&row(name, &|of| ms(of.quantile(per_million))));
    }
    times.push_str(&row("max", &|of| ms(of.max())));
    let head = "<thead><tr><th>ms</th><th>response</th><th>service</th><th>send lag</th></tr></thead>";
    let times = format!("<div class=\"scroll\"><table>{head}<tbody>\n{times}</tbody></table></div>");
    writeln!(out, "<section><div class=\"columns\"><div><h2>Times</h2>{times}</div><div><h2>Counts</h2>")?;
    writeln!(
        out,
        "<div class=\"scroll\"><table><tbody>\n{}</tbody></table></div></div></div></section>",
        tally(summary)
    )
}

fn tally(summary: &Summary) -> String {
    let counts = &summary.counts;
    let mut rows = vec![("scheduled".to_owned(), count(counts.scheduled))];
    rows.push(("sent".to_owned(), count(counts.sent)));
    rows.push(("of these more than 10 ms late".to_owned(), count(counts.late)));
    rows.push(("dropped, the queue was full".to_owned(), count(counts.dropped)));
    rows.push(("missed, the generator was away".to_owned(), count(counts.missed)));
    rows.extend(counts.statuses.iter().map(|(code, answers)| (format!("status {code}"), count(answers))));
    rows.extend(summary.errors().map(|(kind, failed)| (format!("error {kind}"), count(failed))));
    rows.push(("bytes received".to_owned(), bytes(counts.bytes_in)));
    let out = if summary.mode == "simulate" { "bytes packed" } else { "bytes sent" };
    rows.push((out.to_owned(), bytes(counts.bytes_out)));
    let cells = rows.iter().map(|(name, value)| format!("<tr><td>{}</td><td>{value}</td></tr>\n", escape(name)));
    cells.collect()
}

fn footer(summary: &Summary, out: &mut String) -> std::fmt::Result {
    let closed = "This was a closed loop: each connection sent its next request when the last was answered, so a slow \
                  target was asked less, and a request was due at the moment it was sent.";
    let open = "Response times count from the moment a request was due, not from its real send, so a target that \
                stood still shows in every percentile. Scheduled = sent + dropped + missed.";
    let how = if summary.mode == "open" { open } else { closed };
    let how = if summary.mode == "simulate" { "Everything here was drawn; no packet left the machine." } else { how };
    let version = env!("CARGO_PKG_VERSION");
    writeln!(out, "<footer><p>{how}</p><p>Histogram buckets are 1/1024 wide; values over time are within 1/64. ")?;
    writeln!(out, "Made by trafficlab {version}, seed {}.</p></footer></body></html>", summary.seed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::format::tests::sample;

    #[test]
    fn the_page_needs_nothing_and_escapes_what_comes_from_outside() {
        let page = render(&sample());
        assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
        assert!(page.contains("/&lt;a&gt;?b=&quot;c&quot;&amp;d"), "{page}");
        for forbidden in ["<a>", "<script", "src=", "href=", "@import", "url(", "NaN", "inf,"] {
            assert!(!page.contains(forbidden), "{forbidden}");
        }
        assert_eq!(page.matches("<svg").count(), 3);
        for text in ["crossed", "Read this first", "send lag p99 is 12.0 ms", "status 503", "error timeout"] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn an_empty_run_has_a_page_too() {
        let mut empty = sample();
        empty.counts = crate::generate::counts::Counts::default();
        empty.times = crate::generate::counts::Times::default();
        empty.series = crate::generate::series::Series::default();
        let page = render(&empty);
        assert!(!page.contains("NaN") && !page.contains("<svg"), "{page}");
    }
}
