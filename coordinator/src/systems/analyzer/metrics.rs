//! Stored windows: pages of them, single ones, and their figures together.

use serde::Serialize;
use serde_json::value::RawValue;
use trafficlab_engine::packet::export::document;
use trafficlab_shared::model::capture::window::Window;

use super::filter::Filter;
use super::page::Page;
use super::select;
use crate::http::App;
use crate::store::captures::Capture;
use crate::systems::time::float;
use crate::systems::{Fault, Outcome};
use crate::windows;

/// A page of windows.
#[derive(Debug, Serialize)]
pub struct WindowPage {
    /// Windows in it.
    pub count: usize,
    /// Windows there are.
    pub total: u64,
    /// As asked for.
    pub offset: u64,
    /// As asked for.
    pub limit: u64,
    /// The capture.
    pub capture: Option<String>,
    /// Whether more windows will come.
    pub partial: bool,
    /// In the order of time.
    pub metrics: Vec<Box<RawValue>>,
}

/// A page of a capture's windows, all of them as their JSON. Blocks.
///
/// # Errors
/// 404 for an unknown capture, 409 for a file that is not analysed yet.
pub fn list(app: &App, capture: Option<&str>, filter: &Filter, page: Page) -> Outcome<WindowPage> {
    let capture = select::readable(app.store(), capture)?;
    let (mut total, mut metrics) = (0, Vec::new());
    if let Some(capture) = &capture {
        (total, metrics) =
            if filter.is_empty() { all(app, capture, page)? } else { filtered(app, capture, filter, page)? };
    }
    Ok(WindowPage {
        count: metrics.len(),
        total,
        offset: page.offset,
        limit: page.limit,
        partial: capture.as_ref().is_some_and(select::is_partial),
        capture: capture.map(|capture| capture.id),
        metrics,
    })
}

type Told = (u64, Vec<Box<RawValue>>);

/// How many windows there are, and those of the page.
fn all(app: &App, capture: &Capture, page: Page) -> Outcome<Told> {
    let wanted = page.limit.min(capture.windows.saturating_sub(page.offset));
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut metrics = Vec::new();
    for row in windows::scan(app.store(), &app.dispatch.segments, &capture.id, page.offset).take(wanted) {
        let (id, window) = row?;
        metrics.push(raw(&window, id)?);
    }
    Ok((capture.windows, metrics))
}

/// The same of the windows that pass the filter.
fn filtered(app: &App, capture: &Capture, filter: &Filter, page: Page) -> Outcome<Told> {
    let marked = filter.marked(app.store(), capture)?;
    let (mut total, mut metrics) = (0, Vec::new());
    for row in windows::scan(app.store(), &app.dispatch.segments, &capture.id, 0) {
        let (id, window) = row?;
        if filter.window(&window, &marked) {
            if total >= page.offset && metrics.len() < page.size() {
                metrics.push(raw(&window, id)?);
            }
            total += 1;
        }
    }
    Ok((total, metrics))
}

/// Text takes a tenth of the memory that a tree of values would.
fn raw(window: &Window, id: u64) -> Outcome<Box<RawValue>> {
    serde_json::value::to_raw_value(&document::window(window, id)).map_err(|error| Fault::internal("response", &error))
}

/// One window as its JSON, under the id that the path gives. Blocks.
///
/// # Errors
/// 404 with the document's body.
pub fn one(app: &App, capture: Option<&str>, id: &str) -> Outcome<Box<RawValue>> {
    let capture = select::readable(app.store(), capture)?;
    let (window, id) = window(app, capture.as_ref(), id)?;
    raw(&window, id)
}

/// The window of a capture with the id that a path gives.
///
/// # Errors
/// 404 with the document's body.
pub fn window(app: &App, capture: Option<&Capture>, id: &str) -> Outcome<(Window, u64)> {
    let total = capture.map_or(0, |capture| capture.windows);
    let number = id.parse::<u64>().ok().filter(|number| *number < total);
    if let (Some(capture), Some(number)) = (capture, number)
        && let Some(window) = windows::window(app.store(), &app.dispatch.segments, &capture.id, number)?
    {
        return Ok((window, number));
    }
    let shown =
        id.parse::<i64>().map_or_else(|_| id.chars().take(64).collect::<String>().into(), serde_json::Value::from);
    Err(Fault::not_found("Window not found").with("window_id", shown).with("total_windows", total))
}

/// Figures of all windows of a capture. Null where there is nothing to tell of.
#[derive(Debug, Default, Serialize)]
pub struct MetricsSummary {
    /// Stored windows.
    pub total_windows: u64,
    /// Seconds from the beginning of the first window to the end of the last.
    pub time_span: f64,
    /// Bits a second.
    pub bandwidth: BandwidthSummary,
    /// Milliseconds.
    pub latency: LatencySummary,
    /// Connections.
    pub connections: ConnectionSummary,
    /// Packets in all windows.
    pub packets: u64,
    /// Frame bytes in all windows.
    pub bytes: u64,
    /// The capture.
    pub capture: Option<String>,
    /// Whether more windows will come.
    pub partial: bool,
}

/// Bits a second over the windows.
#[derive(Debug, Default, Serialize)]
pub struct BandwidthSummary {
    /// Mean of the windows.
    pub mean_bps: Option<f64>,
    /// Of the busiest window.
    pub max_bps: Option<f64>,
    /// Of the quietest window.
    pub min_bps: Option<f64>,
}

/// Round trips over the windows that have any.
#[derive(Debug, Default, Serialize)]
pub struct LatencySummary {
    /// Mean of the windows' means.
    pub mean_rtt: Option<f64>,
    /// The longest of all.
    pub max_rtt: Option<f64>,
}

/// Connections over the windows.
#[derive(Debug, Default, Serialize)]
pub struct ConnectionSummary {
    /// Sum of the windows' totals; one that lasts counts in each of its windows.
    pub total_across_windows: u64,
    /// That by the number of windows.
    pub mean_per_window: Option<f64>,
}

/// The figures of a capture's windows together. Blocks.
///
/// # Errors
/// As `list`.
pub fn summary(app: &App, capture: Option<&str>) -> Outcome<MetricsSummary> {
    let Some(capture) = select::readable(app.store(), capture)? else {
        return Ok(MetricsSummary::default());
    };
    let mut sums = Sums::default();
    for row in windows::scan(app.store(), &app.dispatch.segments, &capture.id, 0) {
        sums.add(&row?.1);
    }
    Ok(MetricsSummary { partial: select::is_partial(&capture), capture: Some(capture.id), ..sums.told() })
}

/// Sums over windows.
#[derive(Debug, Default)]
struct Sums {
    windows: u64,
    span_ns: Option<(i64, i64)>,
    bps: f64,
    bps_range: Option<(f64, f64)>,
    rtt_windows: u64,
    rtt: f64,
    rtt_max: u64,
    connections: u64,
    packets: u64,
    bytes: u64,
}

impl Sums {
    fn add(&mut self, window: &Window) {
        self.windows += 1;
        let (first, last) = self.span_ns.unwrap_or((window.start_ns, window.end_ns));
        self.span_ns = Some((first.min(window.start_ns), last.max(window.end_ns)));
        let bps = bits_per_second(window);
        self.bps += bps;
        let (least, most) = self.bps_range.unwrap_or((bps, bps));
        self.bps_range = Some((least.min(bps), most.max(bps)));
        if window.latency.count > 0 {
            self.rtt_windows += 1;
            self.rtt += window.latency.mean_ns / 1e6;
            self.rtt_max = self.rtt_max.max(window.latency.max_ns);
        }
        self.connections += window.connections.total;
        self.packets += window.packets;
        self.bytes += window.bytes;
    }

    fn told(&self) -> MetricsSummary {
        let mean = |sum: f64, of: u64| (of > 0).then(|| rounded(sum / float(of)));
        let span = self.span_ns.map_or(0, |(first, last)| last.saturating_sub(first));
        MetricsSummary {
            total_windows: self.windows,
            time_span: float(u64::try_from(span).unwrap_or(0)) / 1e9,
            bandwidth: BandwidthSummary {
                mean_bps: mean(self.bps, self.windows),
                max_bps: self.bps_range.map(|(_, most)| rounded(most)),
                min_bps: self.bps_range.map(|(least, _)| rounded(least)),
            },
            latency: LatencySummary {
                mean_rtt: mean(self.rtt, self.rtt_windows),
                max_rtt: (self.rtt_windows > 0).then(|| float(self.rtt_max) / 1e6),
            },
            connections: ConnectionSummary {
                total_across_windows: self.connections,
                mean_per_window: mean(float(self.connections), self.windows),
            },
            packets: self.packets,
            bytes: self.bytes,
            ..MetricsSummary::default()
        }
    }
}

/// Over the full window, as in the windows themselves.
fn bits_per_second(window: &Window) -> f64 {
    let length = u64::try_from(window.end_ns.saturating_sub(window.start_ns)).unwrap_or(0);
    if length == 0 { 0.0 } else { float(window.bytes) * 8e9 / float(length) }
}

/// To a millionth, which keeps the noise of sums out of answers.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    #![allow(clippy::float_cmp, reason = "the values are exact")]
    use super::*;
    use trafficlab_shared::model::capture::counts::Distribution;
    use trafficlab_shared::model::capture::window::Connections;

    #[test]
    fn figures_are_of_stored_windows_and_null_without() {
        let nothing = Sums::default().told();
        assert_eq!((nothing.total_windows, nothing.time_span, nothing.bandwidth.mean_bps), (0, 0.0, None));
        let second = 1_000_000_000;
        let window = |at: i64, bytes: u64, rtt: u64| Window {
            start_ns: at * second,
            end_ns: (at + 10) * second,
            bytes,
            packets: 2,
            latency: Distribution { count: rtt.min(1), mean_ns: float(rtt), max_ns: rtt, ..Distribution::default() },
            connections: Connections { total: 3, ..Connections::default() },
            ..Window::default()
        };
        let mut sums = Sums::default();
        for window in [window(0, 1000, 4_000_000), window(10, 3000, 0), window(990, 500, 2_000_000)] {
            sums.add(&window);
        }
        let told = sums.told();
        assert_eq!((told.total_windows, told.time_span), (3, 1000.0));
        assert_eq!(
            (told.bandwidth.mean_bps, told.bandwidth.max_bps, told.bandwidth.min_bps),
            (Some(1200.0), Some(2400.0), Some(400.0))
        );
        assert_eq!((told.latency.mean_rtt, told.latency.max_rtt), (Some(3.0), Some(4.0)));
        assert_eq!((told.connections.total_across_windows, told.connections.mean_per_window), (9, Some(3.0)));
    }
}
