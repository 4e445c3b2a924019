//! User agents taken apart before: the same few hundred come again and again.

use std::sync::Arc;

use foldhash::fast::RandomState;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};

use super::{AgentOwned, Agents, AgentsFault, MOST_BYTES, cut};

/// Bytes of an ordinary entry with its key, by which the bound on all of them is reckoned.
const ORDINARY_BYTES: usize = 512;

/// Bytes of an entry.
#[derive(Debug, Clone)]
struct Bytes;

impl Weighter<Box<str>, Arc<AgentOwned>> for Bytes {
    fn weight(&self, key: &Box<str>, agent: &Arc<AgentOwned>) -> u64 {
        let texts = [&agent.browser, &agent.browser_version, &agent.os, &agent.os_version, &agent.bot];
        let bytes = key.len() + size_of::<AgentOwned>() + texts.iter().map(|text| text.capacity()).sum::<usize>();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// Takes user agents apart and remembers the results, in bounded memory. Any number of threads may ask.
pub struct AgentCache {
    agents: Agents,
    known: Cache<Box<str>, Arc<AgentOwned>, Bytes, RandomState>,
}

impl std::fmt::Debug for AgentCache {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("AgentCache").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

impl AgentCache {
    /// Room for `capacity` ordinary user agents of half a KiB; fewer when they are longer.
    ///
    /// # Errors
    /// As `Agents::new`.
    pub fn new(capacity: usize) -> Result<Self, AgentsFault> {
        let agents = Agents::new()?;
        let bytes = u64::try_from(capacity.saturating_mul(ORDINARY_BYTES)).unwrap_or(u64::MAX);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(capacity)
            .weight_capacity(bytes)
            .build()
            .expect("both capacities are given");
        let known = Cache::with_options(options, Bytes, RandomState::default(), DefaultLifecycle::default());
        Ok(Self { agents, known })
    }

    /// The user agent taken apart. What is longer than a KiB is cut there.
    #[must_use]
    pub fn get(&self, user_agent: &str) -> Arc<AgentOwned> {
        let text = cut(user_agent, MOST_BYTES);
        if let Some(agent) = self.known.get(text) {
            return agent;
        }
        let agent = Arc::new(self.agents.classify(text));
        self.known.insert(text.into(), Arc::clone(&agent));
        agent
    }

    /// Number of user agents remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}
