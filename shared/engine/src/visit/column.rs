//! The columns of a stored visit, and which texts each dictionary holds.

/// Separates the fields of a dictionary's entry; enrichment lets no control character into a value.
pub const FIELD_SEPARATOR: char = '\u{1f}';

/// A dictionary-coded column. Values that change together share an entry, so that a row stays small and a filter is
/// judged once per distinct entry. The order is part of the stored formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Dict {
    /// The site's domain. Not stored in sealed parts, which belong to one site.
    Site = 0,
    /// Host and path.
    Page = 1,
    /// Browser, its version, operating system, its version, device, and the reason why it is a bot or nothing.
    Agent = 2,
    /// Referrer, source, channel, UTM medium, source, campaign, content, term, and the click id's kind.
    Acquisition = 3,
    /// ISO country code, region, city.
    Place = 4,
    /// `pageview` or the name of a custom event.
    Event = 5,
    /// The event's properties as one flat JSON object with sorted names, or nothing.
    Props = 6,
    /// The sender's `user_id` where the configuration keeps it, else nothing.
    User = 7,
    /// `kind:value` of a click id, or nothing.
    Click = 8,
    /// The traffic campaign that made the visit, or nothing.
    Campaign = 9,
    /// ISO code of the revenue's currency, or nothing.
    Currency = 10,
}

/// Number of dictionaries.
pub const DICTS: usize = 11;

impl Dict {
    /// All, in the order of their codes.
    pub const ALL: [Self; DICTS] = [
        Self::Site,
        Self::Page,
        Self::Agent,
        Self::Acquisition,
        Self::Place,
        Self::Event,
        Self::Props,
        Self::User,
        Self::Click,
        Self::Campaign,
        Self::Currency,
    ];

    /// Position in `Row::codes`.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Number of fields of an entry.
    #[must_use]
    pub const fn fields(self) -> usize {
        match self {
            Self::Page => 2,
            Self::Agent => 6,
            Self::Acquisition => 9,
            Self::Place => 3,
            _ => 1,
        }
    }
}

/// The field `index` of an entry; empty when there is none.
#[must_use]
pub fn field(entry: &str, index: usize) -> &str {
    entry.split(FIELD_SEPARATOR).nth(index).unwrap_or_default()
}

/// Whose traffic a visit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Traffic {
    /// Of people and bots.
    #[default]
    Real = 0,
    /// Of a campaign of ours that is generating or lately was.
    Synthetic = 1,
    /// Marked as synthetic, but no such campaign is known.
    Unverified = 2,
}

impl Traffic {
    /// From its stored byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Real),
            1 => Some(Self::Synthetic),
            2 => Some(Self::Unverified),
            _ => None,
        }
    }
}

/// A visit as codes of the dictionaries it was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Row {
    /// When, in milliseconds of the Unix epoch.
    pub time_ms: i64,
    /// Keyed hash that tells visitors apart.
    pub visitor: u64,
    /// Revenue in millionths of the currency's unit; 0 without.
    pub revenue_micros: i64,
    /// Keyed hash of the client's event id, for idempotency; 0 without. Not stored in sealed parts.
    pub event_id: u64,
    /// Codes by `Dict::index`.
    pub codes: [u32; DICTS],
    /// Whose traffic.
    pub traffic: Traffic,
}

/// A set of columns to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ColumnSet(u16);

impl ColumnSet {
    const REVENUE: u16 = 1 << 14;

    /// With this dictionary's codes.
    #[must_use]
    pub const fn with(self, dict: Dict) -> Self {
        Self(self.0 | 1 << dict as u16)
    }

    /// With the revenue.
    #[must_use]
    pub const fn with_revenue(self) -> Self {
        Self(self.0 | Self::REVENUE)
    }

    /// Whether the codes of `dict` are wanted.
    #[must_use]
    pub const fn has(self, dict: Dict) -> bool {
        self.0 & 1 << dict as u16 != 0
    }

    /// Whether the revenue is wanted.
    #[must_use]
    pub const fn has_revenue(self) -> bool {
        self.0 & Self::REVENUE != 0
    }

    /// Everything.
    #[must_use]
    pub const fn all() -> Self {
        Self(((1 << DICTS) - 1) | Self::REVENUE)
    }
}
