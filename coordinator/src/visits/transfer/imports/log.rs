//! Importing an access log: its page views become visits at their own times.
//!
//! Visitors are told apart as the site wants it, under a random salt for each day of the log that is forgotten when the
//! import is over; so visitors of two imports, or of an import and of the site itself, are never the same.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use trafficlab_engine::visit::column::Traffic;
use trafficlab_engine::visit::enrich::accesslog::{self, LogLine};
use trafficlab_engine::visit::enrich::agent::AgentOwned;
use trafficlab_engine::visit::enrich::page::PageUrl;
use trafficlab_engine::visit::enrich::source::{self, Scratch};
use trafficlab_engine::visit::enrich::visitor::{self, Precision, Salt};
use trafficlab_engine::visit::record::{Page, Visit};
use trafficlab_shared::config::UniqueMode;

use super::fault::ImportFault;
use super::input::{Line, Lines};
use super::run::Job;
use super::visitors::Visitors;
use crate::store::visit_imports::ImportTally;
use crate::visits::intake::{PAGEVIEW, PlaceOwned, now_ms};
use crate::visits::sites::{Admission, Site};
use crate::visits::store::{Arrival, Recorded, VisitsError};

/// Visits that are stored at once.
const BATCH: usize = 2048;
/// Lines between two looks at whether to go on.
const LOOK_EVERY: u64 = 4096;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// How long the store may take to make room.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(20);

pub(super) struct LogRun<'a> {
    job: &'a Job,
    format: accesslog::Format,
    /// The site of every line, when it was named.
    site: Option<Arc<Site>>,
    salts: HashMap<i64, Salt>,
    /// Number of the next visitor that is nobody else.
    random: u64,
    visitors: Option<Visitors>,
    batch: Vec<Ready>,
    tally: ImportTally,
}

/// A visit that owns its texts.
struct Ready {
    time_ms: i64,
    site: Arc<Site>,
    visitor: u64,
    host: String,
    path: String,
    query: String,
    referrer: String,
    agent: Arc<AgentOwned>,
    place: Arc<PlaceOwned>,
}

/// Why a line does not count: a word, and a sentence about this one.
type Skip = (&'static str, String);

impl<'a> LogRun<'a> {
    pub(super) fn new(job: &'a Job, format: accesslog::Format) -> Result<Self, ImportFault> {
        let named = job.import.site.as_deref();
        let site = named.map(|site| {
            let known = job.visits.sites.find(site);
            known.unwrap_or_else(|| Arc::new(Site::new(site, 0)))
        });
        let dry = job.import.dry_run;
        let visitors = (!dry).then(|| Visitors::create(&job.place.visitors)).transpose()?;
        let random = u64::from_le_bytes(random()?);
        Ok(Self {
            job,
            format,
            site,
            salts: HashMap::new(),
            random,
            visitors,
            batch: Vec::new(),
            tally: ImportTally::default(),
        })
    }

    pub(super) fn run(mut self) -> Result<ImportTally, ImportFault> {
        let mut lines = Lines::new(self.job.file()?, self.job.most_bytes())?;
        while let Some((number, line)) = lines.next()? {
            self.tally.lines += 1;
            let ready = match line {
                Line::TooLong => Err(("too_long", "the line is longer than 64 KiB".to_owned())),
                Line::Whole(line) if line.trim_ascii().is_empty() => {
                    self.tally.lines -= 1;
                    continue;
                }
                Line::Whole(line) => self.read(line)?,
            };
            match ready {
                Ok(ready) => self.batch.push(ready),
                Err((reason, message)) => self.tally.skip(reason, "", number, &message),
            }
            if self.batch.len() >= BATCH {
                self.store()?;
            }
            if number.is_multiple_of(LOOK_EVERY) {
                self.tally.bytes = lines.consumed();
                if !self.job.watch.show(&self.tally) {
                    return Err(ImportFault::Cancelled);
                }
            }
        }
        self.store()?;
        self.tally.bytes = self.job.import.bytes;
        if self.job.watch.show(&self.tally) { Ok(self.tally) } else { Err(ImportFault::Cancelled) }
    }

    fn read(&mut self, line: &[u8]) -> Result<Result<Ready, Skip>, ImportFault> {
        let line = match accesslog::parse(line, self.format) {
            Ok(line) => line,
            Err(fault) => return Ok(Err(("unreadable", fault.to_string()))),
        };
        if !line.is_page_view() {
            return Ok(Err(("no_page_view", format!("`{} {}` answered {}", line.method, line.target, line.status))));
        }
        let (url, site) = match self.place_of(&line) {
            Ok(found) => found,
            Err(skip) => return Ok(Err(skip)),
        };
        let page = match PageUrl::parse(&url) {
            Ok(page) => page,
            Err(fault) => return Ok(Err(("bad_url", format!("its address {fault}")))),
        };
        if let Some(skip) = self.untimely(line.time_ms, &site) {
            return Ok(Err(skip));
        }
        let user_agent = line.user_agent.as_ref();
        let visitor = self.visitor(&site, line.time_ms, line.address, user_agent)?;
        let intake = &self.job.visits.intake;
        Ok(Ok(Ready {
            time_ms: line.time_ms,
            visitor,
            host: page.host.into_owned(),
            path: page.path.into_owned(),
            query: page.query.into_owned(),
            referrer: line.referrer.into_owned(),
            agent: intake.agent(user_agent),
            place: intake.place(line.address),
            site,
        }))
    }

    /// The whole address of the page, and its site.
    fn place_of(&self, line: &LogLine<'_>) -> Result<(String, Arc<Site>), Skip> {
        let target = line.target.as_ref();
        let host = line.host.as_deref().or(self.site.as_ref().map(|site| site.domain.as_str()));
        let url = match host {
            _ if target.starts_with("http://") || target.starts_with("https://") => target.to_owned(),
            Some(host) => format!("https://{host}{target}"),
            None => return Err(("no_host", "the log does not say the host: name the site".to_owned())),
        };
        if let Some(site) = &self.site {
            return Ok((url, Arc::clone(site)));
        }
        let host = PageUrl::parse(&url).map_err(|fault| ("bad_url", format!("its address {fault}")))?.host.into_owned();
        let shown = || host.chars().take(80).collect::<String>();
        let sites = &self.job.visits.sites;
        if self.job.import.dry_run {
            let known = sites.find(&host);
            return Ok((url, known.unwrap_or_else(|| Arc::new(Site::new(&host, 0)))));
        }
        match sites.admit(&host) {
            Admission::Known(site) | Admission::Made(site) => Ok((url, site)),
            Admission::Unknown => Err(("unknown_site", format!("`{}` is no site that is counted", shown()))),
            Admission::TooMany => Err(("too_many_sites", format!("`{}` would be one site too many", shown()))),
        }
    }

    /// Visits of days that retention removes at once, or that have not come yet.
    fn untimely(&self, time_ms: i64, site: &Site) -> Option<Skip> {
        let (now, keep) = (now_ms(), site.keep_days.unwrap_or(self.job.config.tracker.keep_days));
        if time_ms > now + DAY_MS {
            return Some(("in_the_future", "its time has not come yet".to_owned()));
        }
        let first = now.div_euclid(DAY_MS) - i64::from(keep);
        let old = keep > 0 && time_ms.div_euclid(DAY_MS) < first;
        old.then(|| ("too_old", format!("visits are kept for {keep} days")))
    }

    fn visitor(&mut self, site: &Site, time_ms: i64, address: IpAddr, agent: &str) -> Result<u64, ImportFault> {
        let precision = match self.job.visits.intake.unique_mode(site) {
            UniqueMode::Random => {
                self.random = self.random.wrapping_add(1);
                return Ok(visitor::random(self.random));
            }
            UniqueMode::Masked => Precision::Masked,
            UniqueMode::Accurate => Precision::Accurate,
        };
        let day = time_ms.div_euclid(DAY_MS);
        let salt = match self.salts.get(&day) {
            Some(salt) => *salt,
            None => *self.salts.entry(day).or_insert(Salt(random()?)),
        };
        Ok(visitor::visitor(&salt, &site.domain, address, agent, precision))
    }

    /// Stores what is ready. The visitors are durable first, so that an import can always be taken back.
    fn store(&mut self) -> Result<(), ImportFault> {
        let ready = std::mem::take(&mut self.batch);
        if let Some(visitors) = &mut self.visitors {
            ready.iter().for_each(|ready| visitors.add(ready.visitor));
            visitors.sync()?;
            let mut scratches: Vec<Scratch<'_>> = ready.iter().map(|_| Scratch::default()).collect();
            let visits: Vec<Visit<'_>> =
                ready.iter().zip(&mut scratches).map(|(ready, scratch)| ready.visit(scratch)).collect();
            record(self.job, visits)?;
        }
        self.tally.accepted += u64::try_from(ready.len()).unwrap_or(0);
        Ok(())
    }
}

/// Records all visits and waits until they are on the disk.
fn record(job: &Job, mut visits: Vec<Visit<'_>>) -> Result<(), VisitsError> {
    let store = &job.visits.store;
    while !visits.is_empty() {
        let recorded = store.record_all(&visits, Arrival::Import);
        let mut left = Vec::new();
        let mut tickets = Vec::new();
        for (visit, recorded) in visits.into_iter().zip(recorded) {
            match recorded {
                Recorded::Accepted(ticket) | Recorded::Duplicate(ticket) => tickets.push(ticket),
                Recorded::Full => left.push(visit),
            }
        }
        job.runtime.block_on(async {
            for ticket in &tickets {
                store.durable(ticket).await?;
            }
            if !left.is_empty() {
                tokio::time::sleep(PATIENCE).await;
            }
            Ok::<(), VisitsError>(())
        })?;
        visits = left;
    }
    Ok(())
}

impl Ready {
    fn visit<'s, 'a: 's>(&'a self, scratch: &'s mut Scratch<'a>) -> Visit<'s> {
        let referrer = Some(self.referrer.as_str()).filter(|referrer| !referrer.is_empty());
        let (acquisition, click) = source::acquisition(referrer, &self.query, &self.site.domain, scratch);
        Visit {
            time_ms: self.time_ms,
            site: &self.site.domain,
            visitor: self.visitor,
            page: Page { host: &self.host, path: &self.path },
            agent: self.agent.as_agent(),
            acquisition,
            place: self.place.as_place(),
            event: PAGEVIEW,
            click,
            traffic: Traffic::Real,
            ..Visit::default()
        }
    }
}

fn random<const N: usize>() -> Result<[u8; N], ImportFault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(ImportFault::Random)?;
    Ok(bytes)
}
