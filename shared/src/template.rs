//! Templates in a campaign's path, header values and body: `{{slot}}`, `{{random_int:1,6}}` and the like.

mod column;

use thiserror::Error;

pub use self::column::{Column, MAX_COLUMN_BYTES};

/// A value that is made anew for every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Variable {
    /// The second of active time the request belongs to.
    Slot,
    /// The arrival's number within its slot and shard.
    Arrival,
    /// The request's id, as `X-Synthetic-Id` carries it.
    Id,
    /// The campaign's id.
    CampaignId,
    /// The run's id.
    RunId,
    /// A number that no other request of the run has.
    Sequence,
    /// A UUID drawn for this request.
    Uuid,
    /// An integer between both bounds, inclusive.
    RandomInt(u64, u64),
    /// Milliseconds since 1970 of the moment the request is due.
    TimestampMs,
    /// The profile's user agent.
    UserAgent,
    /// The profile's client address, from the documentation ranges.
    Ip,
    /// The profile's country as an ISO code.
    Country,
    /// The profile's city.
    City,
    /// The profile's language.
    Language,
    /// The profile's device model.
    DeviceModel,
    /// The profile's operating system.
    Os,
    /// The profile's browser.
    Browser,
    /// The name of the user profile.
    UserProfile,
    /// The visitor's identity, which lasts as long as the session.
    UserId,
    /// The id of the session; without sessions each request is one of its own.
    SessionId,
    /// The number of the page view within its session, from 1.
    Page,
    /// Path of the page, or the target's own path where the campaign names no pages.
    Path,
    /// URL of the page before; empty on the first one.
    Referer,
    /// Minutes of the profile's clock ahead of UTC, without summer time.
    TimezoneOffset,
    /// Width of the profile's screen in CSS pixels.
    ScreenWidth,
    /// Height of the profile's screen in CSS pixels.
    ScreenHeight,
    /// The manufacturer of the profile's device.
    DeviceMake,
    /// Version of the profile's operating system.
    OsVersion,
    /// The profile's region as an ISO 3166-2 subdivision without the country.
    Region,
    /// A cell of the table's row that the request takes, by the name of its column.
    Csv(Column),
}

/// The names a template may use, for messages and documentation.
pub const VARIABLE_NAMES: [&str; 30] = [
    "slot",
    "arrival",
    "id",
    "campaign_id",
    "run_id",
    "sequence",
    "uuid",
    "random_int",
    "timestamp_ms",
    "user_agent",
    "ip",
    "country",
    "city",
    "language",
    "device_model",
    "os",
    "browser",
    "user_profile",
    "user_id",
    "session_id",
    "page",
    "path",
    "referer",
    "timezone_offset",
    "screen_width",
    "screen_height",
    "device_make",
    "os_version",
    "region",
    "csv:column",
];

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TemplateError {
    /// No variable has this name.
    #[error("unknown template variable `{0}`; known are {names}", names = VARIABLE_NAMES.join(", "))]
    Unknown(String),
    /// Bounds that are no two integers in order.
    #[error("`{0}` needs two integers in order, as in `random_int:1,6`")]
    Bounds(String),
    /// `csv:` without a usable name.
    #[error("`{0}` needs the name of a column, of 1 to {MAX_COLUMN_BYTES} bytes, as in `csv:user`")]
    Column(String),
    /// A cell of a table where there is none.
    #[error("`csv:{0}` needs a table, which only the command line takes")]
    Table(String),
    /// `{{` without `}}`.
    #[error("a `{{{{` has no `}}}}`")]
    Open,
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Text that is always the same.
    Text(String),
    /// A value made for each request.
    Variable(Variable),
}

/// A text with variables, read once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

impl Template {
    /// Reads a text in which `{{name}}` stands for a value.
    ///
    /// # Errors
    /// A [`TemplateError`] naming the variable that is unknown or misused.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, tail) = after.split_once("}}").ok_or(TemplateError::Open)?;
            push_text(&mut parts, before);
            parts.push(Part::Variable(variable(name.trim())?));
            rest = tail;
        }
        push_text(&mut parts, rest);
        Ok(Self { parts })
    }

    /// Like [`Template::parse`] for a campaign, which has no table.
    ///
    /// # Errors
    /// Also for a variable of a table.
    pub fn parse_without_table(text: &str) -> Result<Self, TemplateError> {
        let template = Self::parse(text)?;
        if let Some(column) = template.columns().next() {
            return Err(TemplateError::Table(column.as_str().to_owned()));
        }
        Ok(template)
    }

    /// The columns of a table that it takes cells from.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.parts.iter().filter_map(|part| match part {
            Part::Variable(Variable::Csv(column)) => Some(column),
            _ => None,
        })
    }

    /// The pieces in order.
    #[must_use]
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether it is the same for every request.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
}

fn variable(name: &str) -> Result<Variable, TemplateError> {
    Ok(match name {
        "slot" => Variable::Slot,
        "arrival" => Variable::Arrival,
        "id" => Variable::Id,
        "campaign_id" => Variable::CampaignId,
        "run_id" => Variable::RunId,
        "sequence" => Variable::Sequence,
        "uuid" => Variable::Uuid,
        "random_int" => Variable::RandomInt(0, u64::from(u32::MAX)),
        "timestamp_ms" => Variable::TimestampMs,
        "user_agent" => Variable::UserAgent,
        "ip" => Variable::Ip,
        "country" => Variable::Country,
        "city" => Variable::City,
        "language" => Variable::Language,
        "device_model" => Variable::DeviceModel,
        "os" => Variable::Os,
        "browser" => Variable::Browser,
        "user_profile" => Variable::UserProfile,
        "user_id" => Variable::UserId,
        "session_id" => Variable::SessionId,
        "page" => Variable::Page,
        "path" => Variable::Path,
        "referer" => Variable::Referer,
        "timezone_offset" => Variable::TimezoneOffset,
        "screen_width" => Variable::ScreenWidth,
        "screen_height" => Variable::ScreenHeight,
        "device_make" => Variable::DeviceMake,
        "os_version" => Variable::OsVersion,
        "region" => Variable::Region,
        other => match other.strip_prefix("csv:") {
            Some(name) => return column(name.trim()),
            None => return random_int(other),
        },
    })
}

fn column(name: &str) -> Result<Variable, TemplateError> {
    let found = Column::new(name).map(Variable::Csv);
    found.ok_or_else(|| TemplateError::Column(format!("csv:{}", name.escape_default())))
}

fn random_int(name: &str) -> Result<Variable, TemplateError> {
    let Some(bounds) = name.strip_prefix("random_int:") else {
        return Err(TemplateError::Unknown(name.escape_default().to_string()));
    };
    let parsed =
        bounds.split_once(',').and_then(|(low, high)| Some((low.trim().parse().ok()?, high.trim().parse().ok()?)));
    match parsed {
        Some((low, high)) if low <= high => Ok(Variable::RandomInt(low, high)),
        _ => Err(TemplateError::Bounds(name.escape_default().to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_variables() {
        let template = Template::parse("/a/{{ slot }}?r={{random_int:1,6}}&}}");
        let expected = vec![
            Part::Text("/a/".into()),
            Part::Variable(Variable::Slot),
            Part::Text("?r=".into()),
            Part::Variable(Variable::RandomInt(1, 6)),
            Part::Text("&}}".into()),
        ];
        assert_eq!(template, Ok(Template { parts: expected }));
        assert!(Template::parse("{ \"a\": {} }").is_ok_and(|template| template.is_constant()));
        assert_eq!(Template::parse(""), Ok(Template::default()));
    }

    #[test]
    fn every_listed_name_is_known() {
        for name in VARIABLE_NAMES {
            assert!(Template::parse(&format!("{{{{{name}}}}}")).is_ok(), "{name}");
        }
    }

    #[test]
    fn cells_of_a_table() {
        let template = Template::parse("{{csv:user}}/{{ csv: pass word }}");
        let columns = |template: &Template| template.columns().map(|column| column.as_str().to_owned()).collect();
        assert_eq!(template.as_ref().map(columns), Ok(vec!["user".to_owned(), "pass word".to_owned()]));
        assert_eq!(Template::parse("{{csv:}}"), Err(TemplateError::Column("csv:".into())));
        assert_eq!(Template::parse_without_table("a{{csv:user}}"), Err(TemplateError::Table("user".into())));
        assert!(Template::parse_without_table("{{slot}}").is_ok());
    }

    #[test]
    fn mistakes_are_named() {
        assert_eq!(Template::parse("{{foo}}"), Err(TemplateError::Unknown("foo".into())));
        assert_eq!(Template::parse("a{{slot"), Err(TemplateError::Open));
        for bounds in ["random_int:6,1", "random_int:", "random_int:a,b", "random_int:1"] {
            assert_eq!(Template::parse(&format!("{{{{{bounds}}}}}")), Err(TemplateError::Bounds(bounds.into())));
        }
    }
}
