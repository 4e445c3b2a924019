//! Which campaign a row of a file is of. The same words lead to the same campaign, so they are looked up once.

use std::collections::HashMap;
use std::sync::Arc;

use trafficlab_engine::ads::money::Currency;
use trafficlab_engine::ads::table::{Format, Key};

use super::Wishes;
use super::gather::{Group, Target};
use crate::adops::book::{Book, Entry};
use crate::adops::campaign::Platform;
use crate::adops::ids::{CampaignId, TenantId};

/// Campaigns that one file may name.
const MOST_CAMPAIGNS: usize = 50_000;
/// Letters of a new campaign's name and of its id at the platform, as where one is made by hand.
pub(super) const LONGEST_NAME: usize = 200;
const LONGEST_ID: usize = 100;

/// How a campaign was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Its number here.
    Id,
    /// Its id at the platform.
    ExternalId,
    /// Its name, which is the only one.
    Name,
}

impl By {
    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Id => "campaign_id",
            Self::ExternalId => "external_id",
            Self::Name => "campaign_name",
        }
    }
}

/// What campaigns that are not here are told apart by: the platform, and the id there or else (true) the name.
type Words = (Option<Platform>, bool, String);

/// Finds campaigns and gathers a group for each.
pub(super) struct Finder<'a> {
    book: &'a Book,
    tenant: TenantId,
    /// The tenant's currency, of campaigns that are made from files without one.
    usual: Currency,
    wishes: &'a Wishes,
    /// Where the format's campaigns run.
    home: Option<Platform>,
    names: HashMap<String, Vec<Arc<Entry>>>,
    seen: HashMap<Vec<u8>, usize>,
    room: Vec<u8>,
    by_campaign: HashMap<CampaignId, usize>,
    /// Of campaigns that are not here.
    by_words: HashMap<Words, usize>,
    pub(super) groups: Vec<Group>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(book: &'a Book, tenant: TenantId, usual: Currency, wishes: &'a Wishes, format: Format) -> Self {
        let mut names: HashMap<String, Vec<Arc<Entry>>> = HashMap::new();
        for entry in book.all(tenant) {
            names.entry(entry.campaign.name.clone()).or_default().push(entry);
        }
        let home = match format {
            Format::Meta => Some(Platform::Meta),
            Format::Google => Some(Platform::Google),
            Format::Plain => wishes.platform,
        };
        let (seen, room, groups) = (HashMap::new(), Vec::new(), Vec::new());
        let (by_campaign, by_words) = (HashMap::new(), HashMap::new());
        Self { book, tenant, usual, wishes, home, names, seen, room, by_campaign, by_words, groups }
    }

    /// Whether a file names more campaigns than can be held.
    pub(super) fn too_many(&self) -> bool {
        self.seen.len() > MOST_CAMPAIGNS
    }

    /// The place of the group of a row, whose money is in `currency` if it says so.
    ///
    /// # Errors
    /// What is wrong with the words themselves; that nobody is found is not an error here.
    pub(super) fn group(&mut self, key: &Key<'_>, currency: Option<Currency>, line: u64) -> Result<usize, String> {
        self.room.clear();
        // Where there is an id the name may change from row to row.
        let name = if key.campaign_id.is_empty() && key.external_id.is_empty() { key.name } else { "" };
        for part in [key.platform, key.campaign_id, key.external_id, name] {
            self.room.extend_from_slice(part.as_bytes());
            self.room.push(0xFF);
        }
        if let Some(known) = self.seen.get(&self.room) {
            return Ok(*known);
        }
        let platform = self.platform(key)?;
        let target = self.target(key, platform)?;
        let known = match &target {
            Target::Known(entry, _) => self.by_campaign.get(&entry.campaign.id).copied(),
            // The same words may be written in several ways, such as the platform in capitals.
            Target::New | Target::Missing(_) => self.by_words.get(&words(key, platform)).copied(),
        };
        let place = known.unwrap_or_else(|| self.add(key, platform, target, currency, line));
        self.seen.insert(self.room.clone(), place);
        Ok(place)
    }

    fn add(
        &mut self,
        key: &Key<'_>,
        platform: Option<Platform>,
        target: Target,
        currency: Option<Currency>,
        line: u64,
    ) -> usize {
        let place = self.groups.len();
        let own = match &target {
            Target::Known(entry, _) => {
                self.by_campaign.insert(entry.campaign.id, place);
                entry.campaign.currency
            }
            Target::New | Target::Missing(_) => {
                self.by_words.insert(words(key, platform), place);
                currency.or(self.wishes.currency).unwrap_or(self.usual)
            }
        };
        let external = external(key);
        self.groups.push(Group {
            target,
            platform,
            external_id: (!external.is_empty()).then(|| external.to_owned()),
            name: key.name.to_owned(),
            currency: own,
            first_line: line,
            left_out: 0,
            rows: Vec::new(),
        });
        place
    }

    /// Where the campaign of a row runs, so far as it is said.
    fn platform(&self, key: &Key<'_>) -> Result<Option<Platform>, String> {
        if key.platform.is_empty() {
            return Ok(self.home);
        }
        let words: Vec<&str> = Platform::ALL.iter().map(|platform| platform.as_str()).collect();
        let Some(platform) = Platform::parse(&key.platform.to_ascii_lowercase()) else {
            return Err(format!("the platform must be one of {}", words.join(", ")));
        };
        match self.home {
            Some(home) if home != platform => {
                Err(format!("the row is of {}, not of {}", platform.as_str(), home.as_str()))
            }
            _ => Ok(Some(platform)),
        }
    }

    fn target(&self, key: &Key<'_>, platform: Option<Platform>) -> Result<Target, String> {
        let here = self.here(key.campaign_id, platform);
        let external = external(key);
        let there = self.external(external, platform)?;
        let found = match (here, there) {
            (Some(here), Some(there)) if here.campaign.id != there.campaign.id => {
                return Err(format!(
                    "`{}` is campaign {} here and the id of campaign {} at its platform; call the column `external_id`",
                    key.campaign_id, here.campaign.id, there.campaign.id
                ));
            }
            (_, Some(there)) => Some((there, By::ExternalId)),
            (Some(here), None) => Some((here, By::Id)),
            (None, None) => self.named(key.name, external, platform)?.map(|entry| (entry, By::Name)),
        };
        Ok(match found {
            Some((entry, by)) => Target::Known(entry, by),
            None if !self.wishes.create_missing => Target::Missing(told(key, platform)),
            None if platform.is_none() => {
                return Err("a new campaign needs a platform: a column `platform`, or `?platform=`".to_owned());
            }
            None => {
                can_be_made(key)?;
                Target::New
            }
        })
    }

    fn here(&self, id: &str, platform: Option<Platform>) -> Option<Arc<Entry>> {
        let id = id.parse().ok().map(CampaignId)?;
        let found = self.book.get(self.tenant, id)?;
        platform.is_none_or(|platform| platform == found.campaign.platform).then_some(found)
    }

    fn external(&self, id: &str, platform: Option<Platform>) -> Result<Option<Arc<Entry>>, String> {
        if id.is_empty() {
            return Ok(None);
        }
        let platforms = Platform::ALL.iter().copied().filter(|one| platform.is_none_or(|platform| platform == *one));
        let mut ids = platforms.filter_map(|platform| self.book.by_external(self.tenant, platform, id));
        match (ids.next(), ids.next()) {
            (Some(_), Some(_)) => Err(format!("several platforms have a campaign `{id}`; say which with `?platform=`")),
            (found, _) => Ok(found.and_then(|id| self.book.get(self.tenant, id))),
        }
    }

    /// The one campaign of a name that has no other id at its platform.
    fn named(&self, name: &str, external: &str, platform: Option<Platform>) -> Result<Option<Arc<Entry>>, String> {
        let fits = |entry: &&Arc<Entry>| {
            let other =
                entry.campaign.external_id.as_deref().is_some_and(|own| !external.is_empty() && own != external);
            platform.is_none_or(|platform| platform == entry.campaign.platform) && !other
        };
        let mut found = self.names.get(name).into_iter().flatten().filter(fits);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(format!("several campaigns are called `{name}`; their ids are needed")),
            (found, _) => Ok(found.cloned()),
        }
    }
}

fn external<'k>(key: &Key<'k>) -> &'k str {
    if key.external_id.is_empty() { key.campaign_id } else { key.external_id }
}

fn words(key: &Key<'_>, platform: Option<Platform>) -> Words {
    let external = external(key);
    let named = external.is_empty();
    (platform, named, if named { key.name } else { external }.to_owned())
}

/// Whether a campaign can be made of these words, so that the next file finds it by them.
fn can_be_made(key: &Key<'_>) -> Result<(), String> {
    let external = external(key);
    let (what, word, most) =
        if external.is_empty() { ("name", key.name, LONGEST_NAME) } else { ("id", external, LONGEST_ID) };
    if word.chars().count() <= most && !word.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("the {what} of a new campaign has at most {most} letters and no control characters"))
}

fn told(key: &Key<'_>, platform: Option<Platform>) -> String {
    let place = platform.map_or_else(String::new, |platform| format!(" of {}", platform.as_str()));
    let id = external(key);
    match (id.is_empty(), key.name.is_empty()) {
        (false, _) => format!("there is no campaign{place} with the id `{id}`; `create_missing=true` makes it"),
        (true, _) => format!("there is no campaign{place} called `{}`; `create_missing=true` makes it", key.name),
    }
}
