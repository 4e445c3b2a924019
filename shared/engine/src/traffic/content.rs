//! A content specification made ready for drawing: tables are built once per job, draws allocate nothing.

mod audience;
mod language;

use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::content::{AdFormat, ContentSpec, RtbSpec, UserProfile, country};

use super::auction::rtb::PreparedRtb;
use super::cast;
use super::daily::PreparedDaily;
use super::rng::{Domain, EntryKey, EntryRng};
use super::session::{PreparedSessions, Visit};
use super::simulate::PreparedExchange;
use super::tables::{City, Surface, Tables, device};
use super::weights::Alias;
use audience::Audience;
use language::Languages;

/// Why a specification cannot be drawn from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    /// This build does not have the tables of that version.
    #[error("content version `{0}` is not known to this build")]
    Version(u16),
    /// The restrictions of a profile leave no device.
    #[error("no known device fits the restrictions of the user profile `{name}`")]
    NoDevice {
        /// The field, such as `user_profiles[2]`.
        field: String,
        /// Name of the profile.
        name: String,
    },
    /// A list of weights has nothing to choose from, or names something unknown.
    #[error("`{field}` has nothing to choose from")]
    Empty {
        /// The field.
        field: &'static str,
    },
}

impl ContentError {
    /// The field of the request body that is to blame.
    #[must_use]
    pub fn field(&self) -> &str {
        match self {
            Self::Version(_) => "content_version",
            Self::NoDevice { field, .. } => field,
            Self::Empty { field } => field,
        }
    }

    /// The same as an answer to the caller.
    #[must_use]
    pub fn fault(&self) -> FieldFault {
        FieldFault::new(self.field(), self.to_string())
    }
}

/// What an entry counts under; cheap to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Dims {
    /// Row of the country table.
    pub geo_index: u16,
    /// Row of the device table.
    pub device_index: u16,
    /// [`AdFormat::code`].
    pub ad_format: u8,
    /// Place of the user profile in the specification.
    pub profile_index: u16,
}

/// Prepared tables of one specification.
#[derive(Debug, Clone)]
pub struct Content {
    pub(super) tables: &'static Tables,
    pub(super) profiles: Vec<UserProfile>,
    pub(super) audience: Audience,
    geo_rows: Vec<u16>,
    geo_choice: Alias,
    formats: Alias,
    pub(super) exchange: PreparedExchange,
    pub(super) rtb: Option<PreparedRtb>,
    pub(super) languages: Languages,
    sessions: Option<PreparedSessions>,
    daily: Option<PreparedDaily>,
}

/// The choices that come before all details, in the order they are drawn.
#[derive(Debug)]
pub(super) struct Picks<'a> {
    pub(super) profile: u32,
    /// Place of the country in the specification.
    pub(super) geo_row: u32,
    pub(super) country: u16,
    pub(super) surface: Surface,
    pub(super) client: u32,
    pub(super) ad_format: AdFormat,
    /// The page view of the session, when there are sessions.
    pub(super) visit: Option<Visit<'a>>,
    /// Random word for the ad alone, when the visitor stays the same over several entries.
    pub(super) placement: Option<u64>,
    /// Hour of the day in UTC, when it matters.
    hour: usize,
    /// The visitor's stream, for the details.
    pub(super) stream: EntryRng,
}

impl Content {
    /// Prepares a specification.
    ///
    /// # Errors
    /// When it was made for other tables, or leaves nothing to draw.
    pub fn new(spec: &ContentSpec) -> Result<Self, ContentError> {
        let tables = Tables::of(spec.content_version).ok_or(ContentError::Version(spec.content_version))?;
        let geo = ContentError::Empty { field: "geo_locations" };
        let weights: Vec<f64> = spec.geo.iter().map(|geo| geo.weight).collect();
        let rows: Option<Vec<u16>> =
            spec.geo.iter().map(|geo| country::find(&geo.country).map(|country| country.index)).collect();
        let geo_rows = rows.ok_or_else(|| geo.clone())?;
        let formats = spec.rtb.as_ref().map_or(RtbSpec::default().ad_formats, |rtb| rtb.ad_formats);
        Ok(Self {
            profiles: spec.profiles.clone(),
            audience: Audience::new(spec, tables)?,
            tables,
            languages: Languages::new(&spec.profiles, &geo_rows),
            sessions: spec.sessions.as_ref().map(PreparedSessions::new),
            daily: spec.daily.as_ref().and_then(|daily| PreparedDaily::new(daily, tables, &geo_rows, &weights)),
            geo_rows,
            geo_choice: Alias::new(&weights).ok_or(geo)?,
            formats: Alias::new(&formats).ok_or(ContentError::Empty { field: "rtb_config.ad_formats" })?,
            exchange: PreparedExchange::new(&spec.simulate)?,
            rtb: spec.rtb.as_ref().map(PreparedRtb::new),
        })
    }

    /// Whether entries are auctioned.
    #[must_use]
    pub const fn has_rtb(&self) -> bool {
        self.rtb.is_some()
    }

    /// Whether visitors see pages that the campaign names.
    #[must_use]
    pub fn has_pages(&self) -> bool {
        self.sessions.as_ref().is_some_and(PreparedSessions::has_pages)
    }

    /// What the entry with this key counts under.
    #[must_use]
    pub fn dims(&self, key: EntryKey) -> Dims {
        self.dims_of(&self.picks(key))
    }

    pub(super) fn dims_of(&self, picks: &Picks<'_>) -> Dims {
        Dims {
            geo_index: picks.country,
            device_index: self.tables.device_of(picks.client),
            ad_format: picks.ad_format.code(),
            profile_index: cast::low16(u64::from(picks.profile)),
        }
    }

    pub(super) fn picks(&self, key: EntryKey) -> Picks<'_> {
        let visit = self.sessions.as_ref().map(|sessions| sessions.visit(key));
        let visitor = visit.map_or(key, |visit| visit.visitor());
        let placement = visit.map(|_| key.word(Domain::Placement));
        let hour = self.daily.as_ref().map_or(0, |daily| daily.hour(visitor.slot));
        let mut stream = EntryRng::new(visitor, Domain::Visitor);
        let profile = self.audience.profile(stream.word());
        let countries = self.daily.as_ref().map_or(&self.geo_choice, |daily| daily.countries(hour));
        let row = countries.pick(stream.word());
        let (surface, client) = self.audience.client(profile, stream.word(), stream.word());
        let format = stream.word();
        let format = self.formats.pick(placement.unwrap_or(format));
        Picks {
            profile,
            geo_row: row,
            country: self.geo_rows.get(cast::index(row)).copied().unwrap_or(0),
            surface,
            client,
            ad_format: AdFormat::from_code(cast::low8(u64::from(format))).unwrap_or(AdFormat::Banner),
            visit,
            placement,
            hour,
            stream,
        }
    }

    pub(super) fn city(&self, picks: &Picks<'_>, word: u64) -> Option<&'static City> {
        match &self.daily {
            Some(daily) => daily.city(picks.hour, picks.geo_row, picks.country, word),
            None => self.tables.pick_city(picks.country, word),
        }
    }

    /// Name of a user profile by [`Dims::profile_index`].
    #[must_use]
    pub fn profile_name(&self, index: u16) -> Option<&str> {
        self.profiles.get(usize::from(index)).map(|profile| profile.name.as_str())
    }
}

/// Name of the country with this index, as `geo_location` shows it.
#[must_use]
pub fn geo_name(index: u16) -> &'static str {
    country::by_index(index).map_or("unknown", |country| country.name)
}

/// Name of the device with this index, as `device_model` shows it.
#[must_use]
pub fn device_name(index: u16) -> &'static str {
    device(index).map_or("unknown", |device| device.model)
}

/// Name of the ad format with this code.
#[must_use]
pub fn ad_format_name(code: u8) -> &'static str {
    AdFormat::from_code(code).map_or("unknown", AdFormat::as_str)
}

#[cfg(test)]
mod tests;
