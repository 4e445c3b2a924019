//! What a request asks about: which site, which time, whose visits.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use trafficlab_engine::visit::property::Property;
use trafficlab_engine::visit::question::{Bots, Filter, Group, Question, TrafficSet};
use trafficlab_shared::clock;

use super::period::{Now, Stretch};
use super::{filters, wrong};
use crate::http::App;
use crate::store::visit_settings::Site;
use crate::systems::{Code, Fault, Outcome};
use crate::visits::book::goals;
use crate::visits::sites::domain;

/// The parameters that every question takes, as they came.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// The site; needed unless there is only one.
    pub site_id: Option<String>,
    /// Length of the time.
    pub period: Option<String>,
    /// A date of it, or its first and last.
    pub date: Option<String>,
    /// Conditions.
    pub filters: Option<String>,
    /// What happens to bots.
    pub bots: Option<String>,
    /// Whose traffic counts.
    pub traffic: Option<String>,
    /// Zone, in place of the site's.
    pub timezone: Option<String>,
}

/// What a share link permits: the figures of one site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The site.
    pub site: String,
    /// The link's name.
    pub name: String,
}

/// What a request asks about, checked.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The site.
    pub site: Arc<Site>,
    /// Where days begin.
    pub zone: TimeZone,
    /// Its name.
    pub zone_name: String,
    /// Now.
    pub now: Timestamp,
    /// The time.
    pub stretch: Stretch,
    /// All of it as the engine takes it, in one sum.
    pub question: Question,
}

impl Scope {
    /// Reads and checks the parameters.
    ///
    /// # Errors
    /// 422 naming the parameter, 404 for an unknown site, 403 when `grant` is another site's.
    pub fn read(app: &App, asked: &Asked, grant: Option<&Grant>) -> Outcome<Self> {
        let site = site(app, asked.site_id.as_deref(), grant)?;
        let (zone, zone_name) = zone("timezone", asked.timezone.as_deref().unwrap_or(&site.timezone))?;
        let now = Timestamp::from_nanosecond(i128::from(clock::wall_ns())).unwrap_or(Timestamp::UNIX_EPOCH);
        let first_day = if asked.period.as_deref() == Some("all") { first_day(app, &site.domain) } else { None };
        let reckoned = Now { at: now, zone: &zone, first_day };
        let stretch = reckoned.stretch(asked.period.as_deref(), asked.date.as_deref())?;
        let filters = filters::read(asked.filters.as_deref())?;
        let question = Question {
            from_ms: stretch.from.as_millisecond(),
            until_ms: stretch.until.as_millisecond(),
            filters,
            bots: bots(asked.bots.as_deref())?,
            traffic: traffic(asked.traffic.as_deref())?,
            group: Group::None,
            goals: goals::list(app.store(), &site.domain)?.iter().map(Into::into).collect(),
        };
        known_goals(&question)?;
        Ok(Self { site, zone, zone_name, now, stretch, question })
    }

    /// What periods are reckoned from.
    #[must_use]
    pub fn reckoned(&self) -> Now<'_> {
        Now { at: self.now, zone: &self.zone, first_day: None }
    }

    /// The question split by something.
    #[must_use]
    pub fn by(&self, group: Group) -> Question {
        Question { group, ..self.question.clone() }
    }

    /// Whether the question is about a goal.
    #[must_use]
    pub fn has_goal_filter(&self) -> bool {
        self.question.filters.iter().any(is_goal)
    }
}

fn is_goal(filter: &Filter) -> bool {
    filter.property == Property::Goal
}

/// The question without its conditions on goals: what a conversion rate is reckoned against.
#[must_use]
pub fn without_goals(question: &Question) -> Question {
    let mut all = question.clone();
    all.filters.retain(|filter| !is_goal(filter));
    if matches!(all.group, Group::Property(Property::Goal)) {
        all.group = Group::None;
    }
    all
}

/// The same question about another time.
#[must_use]
pub fn at(question: &Question, stretch: &Stretch) -> Question {
    Question { from_ms: stretch.from.as_millisecond(), until_ms: stretch.until.as_millisecond(), ..question.clone() }
}

/// The site that is meant.
///
/// # Errors
/// 422 when none is named and there is not exactly one, 404 for an unknown one, 403 when `grant` is another's.
pub fn site(app: &App, name: Option<&str>, grant: Option<&Grant>) -> Outcome<Arc<Site>> {
    let sites = &app.visits.sites;
    let Some(name) = name.filter(|name| !name.is_empty()).or_else(|| grant.map(|grant| grant.site.as_str())) else {
        return match sites.all().as_slice() {
            [only] => Ok(Arc::clone(only)),
            [] => Err(Fault::not_found("No site is known yet; the first visit makes one")),
            _ => Err(wrong("site_id", "is needed, since there are several sites")),
        };
    };
    let domain = domain::normal(name).unwrap_or_default();
    if grant.is_some_and(|grant| grant.site != domain) {
        return Err(Fault::new(Code::Forbidden, "The link shows the figures of another site"));
    }
    sites.find(&domain).ok_or_else(|| {
        let shown: String = name.chars().take(100).collect();
        Fault::not_found(format!("Site `{}` not found", shown.escape_default()))
    })
}

/// A time zone and its name.
///
/// # Errors
/// 422 naming `field`.
pub fn zone(field: &str, name: &str) -> Outcome<(TimeZone, String)> {
    let zone = TimeZone::get(name).map_err(|_error| wrong(field, "must be an IANA time zone such as Europe/Berlin"))?;
    let name = zone.iana_name().unwrap_or(name).to_owned();
    Ok((zone, name))
}

/// The first day that has visits.
fn first_day(app: &App, site: &str) -> Option<Date> {
    let first = app.visits.store.days(site).first()?.day;
    let at = Timestamp::from_second(first * 86_400).ok()?;
    Some(at.to_zoned(TimeZone::UTC).date())
}

fn bots(text: Option<&str>) -> Outcome<Bots> {
    match text {
        None | Some("" | "exclude") => Ok(Bots::Exclude),
        Some("include") => Ok(Bots::Include),
        Some("only") => Ok(Bots::Only),
        Some(_) => Err(wrong("bots", "must be `exclude`, `include` or `only`")),
    }
}

fn traffic(text: Option<&str>) -> Outcome<TrafficSet> {
    let none = TrafficSet { real: false, synthetic: false, unverified: false };
    match text {
        None | Some("" | "real") => Ok(TrafficSet::default()),
        Some("synthetic") => Ok(TrafficSet { synthetic: true, ..none }),
        Some("unverified") => Ok(TrafficSet { unverified: true, ..none }),
        Some("all") => Ok(TrafficSet { real: true, synthetic: true, unverified: true }),
        Some(_) => Err(wrong("traffic", "must be `real`, `synthetic`, `unverified` or `all`")),
    }
}

/// A condition on a goal that the site does not have would silently fit nothing.
fn known_goals(question: &Question) -> Outcome<()> {
    let asked = question.filters.iter().filter(|filter| is_goal(filter)).flat_map(|filter| &filter.values);
    for name in asked {
        if !name.contains('*') && !question.goals.iter().any(|goal| goal.name == *name) {
            return Err(wrong(
                "filters",
                format!("names the goal `{}`, which the site does not have", name.escape_debug()),
            ));
        }
    }
    Ok(())
}
