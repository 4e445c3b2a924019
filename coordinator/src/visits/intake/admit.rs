//! Whether a visit is counted, and as whose.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use trafficlab_engine::visit::column::Traffic;
use trafficlab_engine::visit::enrich::visitor::{self, Precision};
use trafficlab_engine::visit::query;
use trafficlab_shared::config::UniqueMode;

use super::Intake;
use super::drops::Reason;
use super::hit::{Admitted, Asker, Hit};
use crate::visits::sites::{Admission, Site, Sites};

/// Why a well-formed visit is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is left out, and its sender has done nothing wrong.
    Dropped(Reason),
    /// The client sends too much; seconds until the next one is taken.
    TooMany(u32),
}

impl Intake {
    /// Judges a visit and enriches it. What is left out is counted.
    ///
    /// # Errors
    /// Why it is left out.
    pub fn admit<'a>(&self, sites: &Sites, asker: &Asker<'a>, hit: Hit<'a>) -> Result<Admitted<'a>, Refusal> {
        let admitted = self.judge(sites, asker, hit);
        if let Err(Refusal::Dropped(reason)) = &admitted {
            self.drops.add(*reason);
        }
        admitted
    }

    /// Whether browsers may let the pages of an origin read answers: the pages of any site that is counted.
    #[must_use]
    pub fn welcomes(&self, sites: &Sites, origin: &str) -> bool {
        if self.lists(origin) || self.open_sites && self.origins.is_empty() {
            return true;
        }
        let known = host_of(origin).and_then(|host| sites.find(host));
        known.is_some_and(|site| sites.is_counted(&site))
            || sites.any(|site| site.origins.iter().any(|listed| same_origin(listed, origin)))
    }

    fn judge<'a>(&self, sites: &Sites, asker: &Asker<'a>, hit: Hit<'a>) -> Result<Admitted<'a>, Refusal> {
        use Refusal::Dropped;
        let (now_ns, sender) = (asker.at.boot_ns, asker.sender);
        // Who holds a key sends for many visitors.
        if !sender.trusted {
            self.limits.client(sender.address, now_ns).map_err(Refusal::TooMany)?;
        }
        let host: &str = hit.site.as_deref().unwrap_or(&hit.page.host);
        let (site, is_new) = self.site(sites, host, asker.origin).map_err(Dropped)?;
        if site.respect_dnt.unwrap_or(self.respect_dnt) {
            if asker.gpc {
                return Err(Dropped(Reason::Gpc));
            }
            if asker.dnt {
                return Err(Dropped(Reason::Dnt));
            }
        }
        let address = hit.address.unwrap_or(sender.address);
        let path = if hit.hash_routing || site.hash_routing { hash_path(&hit) } else { hit.page.path.clone() };
        let excluded = |pattern: &String| query::fits(pattern, &path);
        if site.excluded_addresses.iter().any(|network| network.contains(&address.to_canonical()))
            || site.excluded_paths.iter().any(excluded)
        {
            return Err(Dropped(Reason::Excluded));
        }
        if site.visits_per_second.is_some_and(|rate| !self.limits.site(&site.domain, rate, now_ns)) {
            return Err(Dropped(Reason::SiteLimit));
        }
        let (traffic, campaign) = self.traffic(asker.mark, now_ns).map_err(Dropped)?;
        // Only now: somebody who must not be counted must not make a site either.
        let site = if is_new { found(sites.admit(host)).map_err(Dropped)?.0 } else { site };
        let user_agent = hit.user_agent.unwrap_or(asker.user_agent);
        let time_ms = hit.time_ms.unwrap_or(asker.at.wall_ms);
        let event_id = hit.event_id.as_deref();
        Ok(Admitted {
            visitor: self.visitor(&site, &hit, address, user_agent, asker.at.wall_ms),
            event_id: event_id.map_or(0, |id| visitor::event_id(&self.keys.events, &site.domain, id)),
            agent: self.agents.get(user_agent),
            place: self.places.find(address),
            unseen: asker.unseen,
            keep_user: self.keep_user_id,
            path,
            time_ms,
            traffic,
            campaign,
            site,
            hit,
        })
    }

    /// The site of a visit, and whether it is yet to be made; unless a page of another site sent it or it is not counted.
    fn site(&self, sites: &Sites, host: &str, origin: Option<&str>) -> Result<(Arc<Site>, bool), Reason> {
        let known = sites.find(host);
        let fits = origin.is_none_or(|origin| {
            let own = host_of(origin).is_some_and(|from| from.eq_ignore_ascii_case(host));
            let settled = || known.as_ref().is_some_and(|site| site.origins.iter().any(|one| same_origin(one, origin)));
            own || self.lists(origin) || settled()
        });
        if !fits {
            return Err(Reason::OriginMismatch);
        }
        found(sites.look(host))
    }

    fn lists(&self, origin: &str) -> bool {
        self.origins.iter().any(|listed| same_origin(listed, origin))
    }

    /// Whose traffic it is. Marks that nobody vouches for are kept apart, and only a few of them.
    fn traffic<'a>(&self, mark: Option<&'a str>, now_ns: u64) -> Result<(Traffic, &'a str), Reason> {
        match mark {
            None => Ok((Traffic::Real, "")),
            Some(campaign) if self.marks.knows(campaign) => Ok((Traffic::Synthetic, campaign)),
            // What a stranger writes there is not stored.
            Some(_) if self.limits.unverified(now_ns) => Ok((Traffic::Unverified, "")),
            Some(_) => Err(Reason::UnverifiedLimit),
        }
    }

    fn visitor(&self, site: &Site, hit: &Hit<'_>, address: std::net::IpAddr, user_agent: &str, now_ms: i64) -> u64 {
        if let Some(user_id) = &hit.user_id {
            return self.visitor_of_user(&site.domain, user_id);
        }
        let precision = match site.unique_mode.unwrap_or(self.unique_mode) {
            UniqueMode::Random => return visitor::random(self.random.fetch_add(1, Ordering::Relaxed)),
            UniqueMode::Masked => Precision::Masked,
            UniqueMode::Accurate => Precision::Accurate,
        };
        self.salts.visitor(now_ms, |salt| visitor::visitor(salt, &site.domain, address, user_agent, precision))
    }
}

fn found(admission: Admission) -> Result<(Arc<Site>, bool), Reason> {
    match admission {
        Admission::Known(site) => Ok((site, false)),
        Admission::Made(site) => Ok((site, true)),
        Admission::Unknown => Err(Reason::UnknownSite),
        Admission::TooMany => Err(Reason::TooManySites),
    }
}

fn hash_path<'a>(hit: &Hit<'a>) -> Cow<'a, str> {
    Cow::Owned(hit.page.hash_path().into_owned())
}

/// The host of an origin as sites are named: without scheme, port and `www.`.
fn host_of(origin: &str) -> Option<&str> {
    let authority = origin.split_once("://").map(|(_, rest)| rest)?;
    let port = authority.rfind(':').filter(|at| !authority.get(*at..).unwrap_or_default().contains(']'));
    let host = port.and_then(|at| authority.get(..at)).unwrap_or(authority);
    Some(host.strip_prefix("www.").unwrap_or(host))
}

/// Whether an origin is a listed one, which may be written without its scheme and port.
fn same_origin(listed: &str, origin: &str) -> bool {
    let listed = listed.trim_end_matches('/');
    listed == "*"
        || listed.eq_ignore_ascii_case(origin)
        || !listed.contains("://")
            && host_of(origin)
                .is_some_and(|host| listed.strip_prefix("www.").unwrap_or(listed).eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_name_hosts() {
        let table = [
            ("https://www.example.com", Some("example.com")),
            ("http://127.0.0.1:8080", Some("127.0.0.1")),
            ("http://[::1]:3000", Some("[::1]")),
            ("http://[::1]", Some("[::1]")),
            ("null", None),
        ];
        for (origin, host) in table {
            assert_eq!(host_of(origin), host, "{origin}");
        }
        assert!(same_origin("https://shop.example/", "https://shop.example"));
        assert!(same_origin("shop.example", "http://shop.example:81"));
        assert!(!same_origin("https://shop.example", "http://shop.example"));
        assert!(!same_origin("example", "http://shop.example"));
    }
}
