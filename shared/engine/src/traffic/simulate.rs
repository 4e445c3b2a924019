//! The simulated exchange: times, errors, status and sizes, and the auction behind it.

use trafficlab_shared::model::content::{AdFormat, SimulateSpec};
use trafficlab_shared::model::error_kind::ErrorKind;

use super::cast;
use super::content::{Content, ContentError, Dims};
use super::pack::{AuctionRecord, EntryMode, PackedEntry};
use super::rng::{Chance, Domain, EntryKey, EntryRng};
use super::sample::Sampler;
use super::weights::Alias;

/// Bytes of a usual response head.
const HEAD_BYTES: u32 = 180;
/// Bytes of a usual request.
const REQUEST_BYTES: u32 = 420;
/// Microseconds in a millisecond.
const MICROS: f64 = 1_000.0;

/// `SimulateSpec` made ready for drawing.
#[derive(Debug, Clone)]
pub(super) struct PreparedExchange {
    latency: Sampler,
    server_time: Sampler,
    error: Chance,
    timeout_us: u32,
    codes: Vec<u16>,
    code_choice: Alias,
    response_bytes: Sampler,
}

impl PreparedExchange {
    pub(super) fn new(spec: &SimulateSpec) -> Result<Self, ContentError> {
        let weights: Vec<f64> = spec.status_codes.iter().map(|pair| pair.1).collect();
        Ok(Self {
            latency: Sampler::new(&spec.latency),
            server_time: Sampler::new(&spec.server_time),
            error: Chance::new(spec.error_rate),
            timeout_us: spec.timeout_ms.saturating_mul(1_000),
            codes: spec.status_codes.iter().map(|pair| pair.0).collect(),
            code_choice: Alias::new(&weights).ok_or(ContentError::Empty { field: "config.status_codes" })?,
            response_bytes: Sampler::new(&spec.response_bytes),
        })
    }

    fn draw(&self, key: EntryKey) -> PackedEntry {
        let mut stream = EntryRng::new(key, Domain::Exchange);
        let network = self.latency.draw(&mut stream);
        let whole = cast::round32((network + self.server_time.draw(&mut stream)) * MICROS);
        if stream.happens(self.error) {
            return match stream.below32(10) {
                0..5 => self.failed(key, ErrorKind::Connect, cast::round32(network * MICROS), 0),
                5..8 => self.failed(key, ErrorKind::Reset, whole, REQUEST_BYTES),
                _ => self.failed(key, ErrorKind::Timeout, self.timeout_us, REQUEST_BYTES),
            };
        }
        if whole >= self.timeout_us {
            return self.failed(key, ErrorKind::Timeout, self.timeout_us, REQUEST_BYTES);
        }
        let code = self.code_choice.pick(stream.word());
        let status = self.codes.get(cast::index(code)).copied().unwrap_or(200);
        let body = cast::round32(self.response_bytes.draw(&mut stream));
        PackedEntry {
            status,
            success: (200..400).contains(&status),
            response_us: whole,
            service_us: whole,
            bytes_in: HEAD_BYTES.saturating_add(body),
            bytes_out: REQUEST_BYTES,
            ..entry(key)
        }
    }

    fn failed(&self, key: EntryKey, error: ErrorKind, response_us: u32, bytes_out: u32) -> PackedEntry {
        // A failure that takes longer than the time-out is one.
        let late = response_us >= self.timeout_us;
        let error = if late { ErrorKind::Timeout } else { error };
        let response_us = response_us.min(self.timeout_us);
        PackedEntry { error, response_us, service_us: response_us, bytes_out, ..entry(key) }
    }
}

fn entry(key: EntryKey) -> PackedEntry {
    PackedEntry { slot: key.slot, k: key.k, mode: EntryMode::Simulate, ..PackedEntry::default() }
}

/// Draws one arrival; the same key always gives the same entry. No response is status 0. The auction is
/// none without `OpenRTB`, and for exchanges that failed, which load no ad. `attempt` is left 0.
#[must_use]
pub fn simulate(content: &Content, key: EntryKey) -> PackedEntry {
    simulate_with_dims(content, key).0
}

/// Draws one arrival together with what it counts under, which saves drawing the visitor twice.
#[must_use]
pub fn simulate_with_dims(content: &Content, key: EntryKey) -> (PackedEntry, Dims) {
    let dims = content.dims(key);
    let mut entry = content.exchange.draw(key);
    if entry.success {
        entry.auction = auction(content, key, &dims);
    }
    (entry, dims)
}

/// The auction behind an exchange that went well; none without `OpenRTB`.
#[must_use]
pub fn auction(content: &Content, key: EntryKey, dims: &Dims) -> Option<AuctionRecord> {
    let rtb = content.rtb.as_ref()?;
    let visitor = content.profiles.get(usize::from(dims.profile_index))?;
    let format = AdFormat::from_code(dims.ad_format).unwrap_or(AdFormat::Banner);
    Some(rtb.auction(key, format, visitor))
}

#[cfg(test)]
mod tests;
