//! A content specification made ready for drawing: tables are built once per job, draws allocate nothing.

mod audience;

use trafficlab_shared::error::FieldFault;
use trafficlab_shared::model::content::{AdFormat, CONTENT_VERSION, ContentSpec, RtbSpec, UserProfile, country};

use super::auction::rtb::PreparedRtb;
use super::cast;
use super::rng::{Domain, EntryKey, EntryRng};
use super::simulate::PreparedExchange;
use super::tables::{Surface, device};
use super::weights::Alias;
use audience::Audience;

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
    pub(super) profiles: Vec<UserProfile>,
    pub(super) audience: Audience,
    geo_rows: Vec<u16>,
    geo_choice: Alias,
    formats: Alias,
    pub(super) exchange: PreparedExchange,
    pub(super) rtb: Option<PreparedRtb>,
}

/// The choices that come before all details, in the order they are drawn.
#[derive(Debug)]
pub(super) struct Picks {
    pub(super) profile: u32,
    pub(super) country: u16,
    pub(super) surface: Surface,
    pub(super) client: u32,
    pub(super) ad_format: AdFormat,
    /// The visitor's stream, for the details.
    pub(super) stream: EntryRng,
}

impl Content {
    /// Prepares a specification.
    ///
    /// # Errors
    /// When it was made for other tables, or leaves nothing to draw.
    pub fn new(spec: &ContentSpec) -> Result<Self, ContentError> {
        if spec.content_version != CONTENT_VERSION {
            return Err(ContentError::Version(spec.content_version));
        }
        let geo = ContentError::Empty { field: "geo_locations" };
        let weights: Vec<f64> = spec.geo.iter().map(|geo| geo.weight).collect();
        let rows: Option<Vec<u16>> =
            spec.geo.iter().map(|geo| country::find(&geo.country).map(|country| country.index)).collect();
        let formats = spec.rtb.as_ref().map_or(RtbSpec::default().ad_formats, |rtb| rtb.ad_formats);
        Ok(Self {
            profiles: spec.profiles.clone(),
            audience: Audience::new(spec)?,
            geo_rows: rows.ok_or_else(|| geo.clone())?,
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

    /// What the entry with this key counts under.
    #[must_use]
    pub fn dims(&self, key: EntryKey) -> Dims {
        self.dims_of(&self.picks(key))
    }

    pub(super) fn dims_of(&self, picks: &Picks) -> Dims {
        Dims {
            geo_index: picks.country,
            device_index: super::tables::client(picks.client).map_or(0, |client| client.device.index),
            ad_format: picks.ad_format.code(),
            profile_index: cast::low16(u64::from(picks.profile)),
        }
    }

    pub(super) fn picks(&self, key: EntryKey) -> Picks {
        let mut stream = EntryRng::new(key, Domain::Visitor);
        let profile = self.audience.profile(stream.word());
        let row = self.geo_choice.pick(stream.word());
        let (surface, client) = self.audience.client(profile, stream.word(), stream.word());
        let format = self.formats.pick(stream.word());
        Picks {
            profile,
            country: self.geo_rows.get(cast::index(row)).copied().unwrap_or(0),
            surface,
            client,
            ad_format: AdFormat::from_code(cast::low8(u64::from(format))).unwrap_or(AdFormat::Banner),
            stream,
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
