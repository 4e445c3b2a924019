//! The endpoints of figures.

use std::sync::Arc;

use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::realtime;
use super::reply::{Format, Question, Sheet};
use super::scope::{Asked, Grant};
use super::service::{self, Wanted};
use super::types::{Aggregate, Realtime, Rows};
use crate::http::App;
use crate::http::error::Refused;
use crate::http::reply::Reply;
use crate::http::tags::Tag;

/// The endpoints of figures.
pub struct StatsApi(pub Arc<App>);

type Text = Query<Option<String>>;

#[allow(clippy::too_many_arguments, reason = "each argument is a parameter of the request")]
#[OpenApi(tag = "Tag::Visits")]
impl StatsApi {
    /// Figures of a site in all
    ///
    /// Parameters and answers are those of Plausible's Stats API v1. Bots and synthetic traffic are left out unless asked
    /// for; `meta.left_out` tells how many events they are. A share link's token in `share` stands for a token of the
    /// server.
    #[oai(path = "/api/visits/aggregate", method = "get", operation_id = "visitsAggregate")]
    async fn aggregate(
        &self,
        request: &Request,
        /// The site's domain; needed unless there is only one site
        Query(site_id): Text,
        /// `30m`, `day`, `24h`, `7d`, `28d`, `30d` (default), `91d`, `month`, `6mo`, `12mo`, `year`, `all`, `custom`, `realtime`
        Query(period): Text,
        /// The day that the period ends with or lies around, today by default; for `custom` two dates with a comma between
        Query(date): Text,
        /// `visitors` (default), `visits`, `pageviews`, `views_per_visit`, `bounce_rate`, `visit_duration`, `events`,
        /// `conversion_rate`, `total_revenue`, `average_revenue`, with commas between
        Query(metrics): Text,
        /// Conditions that must all hold: `visit:browser==Firefox|Chrome;event:page!=/blog/**`, with `==`, `!=`, `~`
        /// (contains) and `!~`; `\|` and `\;` for the signs themselves. Or a JSON list
        Query(filters): Text,
        /// `previous_period` or `year_over_year`
        Query(compare): Text,
        /// `exclude` (default), `include` or `only`
        Query(bots): Text,
        /// `real` (default), `synthetic`, `unverified` or `all`
        Query(traffic): Text,
        /// An IANA time zone in place of the site's
        Query(timezone): Text,
        /// `json` (default) or `csv`
        Query(format): Text,
    ) -> Result<Sheet<Aggregate>, Refused<Question>> {
        let format = Format::read(format.as_deref())?;
        let asked = Asked { site_id, period, date, filters, bots, traffic, timezone };
        let wanted = Wanted { metrics, compare, ..Wanted::default() };
        let view = service::aggregate(&self.0, &asked, &wanted, grant(request)).await?;
        Ok(Sheet::new("aggregate", format, view))
    }

    /// Figures of a site over time; every interval is there
    ///
    /// Events, page views and visitors count when they happen, visits and what is reckoned from them when they begin.
    #[oai(path = "/api/visits/timeseries", method = "get", operation_id = "visitsTimeseries")]
    async fn timeseries(
        &self,
        request: &Request,
        /// The site's domain; needed unless there is only one site
        Query(site_id): Text,
        /// As in `aggregate`
        Query(period): Text,
        /// As in `aggregate`
        Query(date): Text,
        /// As in `aggregate`
        Query(metrics): Text,
        /// `minute`, `hour`, `date`, `week` or `month`; by default what suits the period
        Query(interval): Text,
        /// As in `aggregate`
        Query(filters): Text,
        /// As in `aggregate`: each row has a `comparison`
        Query(compare): Text,
        /// `exclude` (default), `include` or `only`
        Query(bots): Text,
        /// `real` (default), `synthetic`, `unverified` or `all`
        Query(traffic): Text,
        /// An IANA time zone in place of the site's
        Query(timezone): Text,
        /// `json` (default) or `csv`
        Query(format): Text,
    ) -> Result<Sheet<Rows>, Refused<Question>> {
        let format = Format::read(format.as_deref())?;
        let asked = Asked { site_id, period, date, filters, bots, traffic, timezone };
        let wanted = Wanted { metrics, compare, interval, ..Wanted::default() };
        let view = service::timeseries(&self.0, &asked, &wanted, grant(request)).await?;
        Ok(Sheet::new("timeseries", format, view))
    }

    /// Figures of a site by the values of a property
    ///
    /// Rows are sorted by the first metric, the greatest first, ties by name. A goal's row has its conversion rate when
    /// asked for; filtered by a goal, every property's rows have.
    #[oai(path = "/api/visits/breakdown", method = "get", operation_id = "visitsBreakdown")]
    async fn breakdown(
        &self,
        request: &Request,
        /// The site's domain; needed unless there is only one site
        Query(site_id): Text,
        /// `event:page`, `event:hostname`, `event:name`, `event:goal`, `event:props:NAME`, `visit:entry_page`,
        /// `visit:exit_page`, `visit:source`, `visit:referrer`, `visit:channel`, `visit:utm_source` and the other four,
        /// `visit:click_id`, `visit:country`, `visit:region`, `visit:city`, `visit:device`, `visit:browser`,
        /// `visit:browser_version`, `visit:os`, `visit:os_version`, `visit:bot`, `visit:campaign`
        Query(property): Text,
        /// As in `aggregate`
        Query(period): Text,
        /// As in `aggregate`
        Query(date): Text,
        /// As in `aggregate`
        Query(metrics): Text,
        /// As in `aggregate`
        Query(filters): Text,
        /// A metric to sort by, with `:asc` for the smallest first
        Query(sort): Text,
        /// Rows of a page, at most 1000; 100 by default
        Query(limit): Text,
        /// Which page, from 1 on
        Query(page): Text,
        /// As in `aggregate`: each row has a `comparison`
        Query(compare): Text,
        /// `exclude` (default), `include` or `only`
        Query(bots): Text,
        /// `real` (default), `synthetic`, `unverified` or `all`
        Query(traffic): Text,
        /// An IANA time zone in place of the site's
        Query(timezone): Text,
        /// `json` (default) or `csv`
        Query(format): Text,
    ) -> Result<Sheet<Rows>, Refused<Question>> {
        let format = Format::read(format.as_deref())?;
        let asked = Asked { site_id, period, date, filters, bots, traffic, timezone };
        let wanted = Wanted { metrics, compare, property, sort, limit, page, ..Wanted::default() };
        let view = service::breakdown(&self.0, &asked, &wanted, grant(request)).await?;
        Ok(Sheet::new("breakdown", format, view))
    }

    /// What happens on a site right now: visitors of the last five minutes, and the last half hour by the minute
    #[oai(path = "/api/visits/realtime", method = "get", operation_id = "visitsRealtime")]
    async fn realtime(
        &self,
        request: &Request,
        /// The site's domain; needed unless there is only one site
        Query(site_id): Text,
        /// As in `aggregate`
        Query(filters): Text,
        /// `exclude` (default), `include` or `only`
        Query(bots): Text,
        /// `real` (default), `synthetic`, `unverified` or `all`
        Query(traffic): Text,
    ) -> Result<Reply<Realtime>, Refused<Question>> {
        let asked = Asked { site_id, filters, bots, traffic, ..Asked::default() };
        Ok(Reply::new(&realtime::realtime(&self.0, &asked, grant(request)).await?)?)
    }
}

/// What the request's share link permits, when it brought one.
pub(in crate::systems::visits) fn grant(request: &Request) -> Option<&Grant> {
    request.data::<Grant>()
}
