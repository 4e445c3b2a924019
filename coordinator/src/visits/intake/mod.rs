//! What stands between a request and the store of visits: who asks, for which site, how often, and as whom.
//!
//! `client` finds the sender, `limits` its rate, `marks` whether it is traffic of ours, `salts` and `keys` who the
//! visitor is, `places` where; `admit` puts these together, `drops` counts what was left out.

mod admit;
mod client;
mod drops;
mod hit;
mod keys;
mod limits;
mod marks;
mod places;
mod salts;
mod secret_file;

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use anyhow::Context;
use trafficlab_engine::visit::enrich::agent::{AgentCache, AgentOwned};
use trafficlab_shared::clock;
use trafficlab_shared::config::{Config, UniqueMode};

pub use admit::Refusal;
pub use client::{Sender, sender};
pub use drops::{Drops, Reason};
pub use hit::{Admitted, Asker, Hit, Moment, PAGEVIEW};
pub use marks::Marks;
pub(crate) use places::PlaceOwned;

use self::keys::Keys;
use self::limits::{Limits, Rate};
use self::places::Places;
use self::salts::Salts;
use crate::store::Store;
use crate::visits::sites::Site;

/// User agents that are kept with what they say.
const AGENTS: usize = 16_384;
const TICK: Duration = Duration::from_secs(1);
/// How often the database of places is looked at, in ticks.
const PLACES_EVERY: u32 = 60;

/// Keys, salts, limits and caches of the ingest.
pub struct Intake {
    /// Which marks of synthetic traffic are believed.
    pub marks: Marks,
    /// What was left out.
    pub drops: Drops,
    keys: Keys,
    salts: Salts,
    limits: Limits,
    places: Places,
    agents: AgentCache,
    unique_mode: UniqueMode,
    respect_dnt: bool,
    keep_user_id: bool,
    /// `tracker.cors_origins`, with or without scheme and port.
    origins: Vec<String>,
    /// Whether sites are made at first sight.
    open_sites: bool,
    /// Number of the next visitor that is nobody else.
    random: AtomicU64,
}

impl Intake {
    /// Reads or makes keys and salts in `folder`. Blocks.
    ///
    /// # Errors
    /// When files cannot be read or written, or the store cannot be read.
    pub fn open(folder: &Path, store: &Store, config: &Config) -> anyhow::Result<Self> {
        let limited = !config.is_loopback_only() || config.limits.visit_on_loopback;
        let rate = Rate::new(config.limits.visit_per_second, config.limits.visit_burst);
        let seed = secret_file::random::<8>().context("no random bytes")?;
        Ok(Self {
            marks: Marks::open(store, clock::wall_ns())?,
            drops: Drops::default(),
            keys: Keys::open(&folder.join("keys"))?,
            salts: Salts::open(&folder.join("salts"), now_ms()).context("the salts of visitors cannot be used")?,
            limits: Limits::new(limited.then_some(rate)),
            places: Places::open(config.tracker.mmdb.clone()),
            agents: AgentCache::new(AGENTS).context("the patterns of user agents cannot be used")?,
            unique_mode: config.tracker.unique_mode,
            respect_dnt: config.tracker.respect_dnt,
            keep_user_id: config.tracker.keep_user_id,
            origins: config.tracker.cors_origins.clone(),
            open_sites: config.tracker.sites.is_empty(),
            random: AtomicU64::new(u64::from_le_bytes(seed)),
        })
    }

    /// The numbers that a user id of a site may have been stored under, to find a person's visits.
    #[must_use]
    pub fn visitor_of_user(&self, site: &str, user_id: &str) -> u64 {
        trafficlab_engine::visit::enrich::visitor::of_user(&self.keys.users, site, user_id)
    }

    /// What a user agent says, for visits that no request brings.
    pub(crate) fn agent(&self, user_agent: &str) -> Arc<AgentOwned> {
        self.agents.get(user_agent)
    }

    /// Where an address lies, for visits that no request brings.
    pub(crate) fn place(&self, address: IpAddr) -> Arc<PlaceOwned> {
        self.places.find(address)
    }

    /// How visitors of a site are told apart.
    pub(crate) fn unique_mode(&self, site: &Site) -> UniqueMode {
        site.unique_mode.unwrap_or(self.unique_mode)
    }

    /// Turns salts, follows the campaigns and the database of places by the clock, for ever.
    pub async fn run(self: &Arc<Self>, store: &Store) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        for count in (0..PLACES_EVERY).cycle() {
            ticks.tick().await;
            let (own, store) = (Arc::clone(self), store.clone());
            let work = tokio::task::spawn_blocking(move || own.pass(&store, count == PLACES_EVERY - 1));
            if let Err(error) = work.await {
                tracing::error!(%error, "the upkeep of the visits' intake panicked");
            }
        }
    }

    fn pass(&self, store: &Store, look_at_places: bool) {
        if let Err(error) = self.salts.turn(now_ms()) {
            tracing::error!(%error, "the salts of visitors cannot be written; the old ones are out of use");
        }
        if let Err(error) = self.marks.refresh(store, clock::wall_ns()) {
            tracing::warn!(%error, "the campaigns that generate cannot be read");
        }
        if look_at_places {
            self.places.reload();
        }
    }
}

/// Now, in milliseconds of the Unix epoch.
#[must_use]
pub fn now_ms() -> i64 {
    i64::try_from(clock::wall_ns() / 1_000_000).unwrap_or(i64::MAX)
}
