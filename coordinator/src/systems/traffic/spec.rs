//! From a campaign's settings to the plan of a run.

use trafficlab_shared::clock;
use trafficlab_shared::config::GeneratorConfig;
use trafficlab_shared::model::content::ContentSpec;
use trafficlab_shared::model::run::{HttpSpec, Mode, RunSpec, shard_count};

use crate::systems::sessions::settings::Settings;
use crate::systems::{Fault, Outcome, time};

/// Builds the plan; `proven` says that the owner of a public target agreed.
///
/// # Errors
/// When the system gives no random bytes for a seed.
pub fn build(
    generator: &GeneratorConfig,
    campaign: &str,
    job: &str,
    settings: &Settings,
    proven: bool,
) -> Outcome<RunSpec> {
    let catch_up = generator.catch_up.nanoseconds() / 1_000_000;
    let url = settings.target.as_ref().map(ToString::to_string);
    let http = match (settings.mode, &url) {
        (Mode::Http, Some(url)) => Some(http(generator, settings, url, proven)),
        _ => None,
    };
    let shards = shard_count(settings.peak, generator.max_shards);
    Ok(RunSpec {
        job: job.to_owned(),
        campaign: campaign.to_owned(),
        seed: settings.seed.map_or_else(random_seed, Ok)?,
        mode: settings.mode,
        shards,
        arrivals: settings.arrivals.clone(),
        rate: settings.rate,
        duration_ms: settings.duration_ms,
        warm_up_ms: settings.warm_up_ms,
        catch_up_ms: settings.catch_up_ms.unwrap_or(catch_up),
        keep_one_in: keep_one_in(settings.peak, settings.kept_per_second.unwrap_or(generator.entries_per_second_kept)),
        live_entries: settings.live_entries,
        shown_url: url.filter(|_| settings.mode == Mode::Simulate),
        content: content(settings, shards),
        http,
    })
}

/// What of the content is only known when a run starts: how dense arrivals are, and what time it is.
fn content(settings: &Settings, shards: u32) -> ContentSpec {
    let mut content = settings.content.clone();
    if let Some(sessions) = &mut content.sessions {
        sessions.fit(settings.peak / u64::from(shards.max(1)));
    }
    if let Some(daily) = &mut content.daily {
        daily.start_utc_s.get_or_insert(clock::wall_ns() / time::SECOND_NS);
    }
    content
}

fn http(generator: &GeneratorConfig, settings: &Settings, url: &str, proven: bool) -> HttpSpec {
    let exchange = settings.exchange.clone();
    HttpSpec {
        method: exchange.method,
        url: url.to_owned(),
        headers: exchange.headers,
        body: exchange.body,
        connections: exchange.connections,
        timeout_ms: exchange.timeout_ms,
        max_redirects: exchange.max_redirects,
        checks: exchange.checks,
        allow_targets: generator.allow_targets.clone(),
        ownership_proven: proven,
        version: exchange.version,
        close_connections: !exchange.keep_alive,
        streams: exchange.streams,
    }
}

/// 53 bits, so that every JSON reader shows the seed unchanged.
fn random_seed() -> Outcome<u64> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| Fault::internal("seed", &error))?;
    Ok(u64::from_le_bytes(bytes) >> 11)
}

/// One entry in how many is kept so that at the peak `kept` a second remain; 0 keeps all.
fn keep_one_in(peak: u64, kept: u32) -> u32 {
    let per_second = peak / 60_000_000;
    match u64::from(kept) {
        0 => 1,
        kept => u32::try_from(per_second.div_ceil(kept)).unwrap_or(u32::MAX).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::keep_one_in;

    #[test]
    fn the_kept_share_follows_the_peak() {
        let per_second = |rate: u64| rate * 60_000_000;
        assert_eq!(keep_one_in(per_second(100_000), 0), 1);
        assert_eq!(keep_one_in(per_second(100_000), 1_000), 100);
        assert_eq!(keep_one_in(per_second(1_001), 1_000), 2);
        assert_eq!(keep_one_in(per_second(10), 1_000), 1);
    }
}
