//! The definitions, spelled out over lists of visits without any regard to speed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::visit::column::Traffic;
use crate::visit::property::Property;
use crate::visit::query::Cohort;
use crate::visit::question::{
    Answer, Bots, Filter, GoalTarget, Group, LeftOut, Operator, Question, SESSION_GAP_MS, Totals,
};
use crate::visit::record::Visit;

type Session = Vec<Visit<'static>>;

/// What is in a group: each event with its session's number, and sessions with their number.
#[derive(Default)]
struct Seen {
    events: Vec<Visit<'static>>,
    visitors: HashSet<u64>,
    sessions: BTreeMap<usize, Session>,
}

pub(super) fn answer(visits: &[Visit<'static>], question: &Question) -> Answer {
    let sessions: Vec<Session> = sessions(visits, question);
    let mut total = Seen::default();
    let mut groups: BTreeMap<String, Seen> = BTreeMap::new();
    if let Group::Time(starts) = &question.group {
        (0..starts.len()).for_each(|number| drop(groups.insert(format!("{number:05}"), Seen::default())));
    }
    for (number, session) in sessions.iter().enumerate() {
        for event in session.iter().filter(|event| chosen(event, question)) {
            see(&mut total, number, session, event);
            for name in groups_of(session, event, question) {
                see(groups.entry(name).or_default(), number, session, event);
            }
        }
    }
    if let Group::Time(starts) = &question.group {
        by_first_event(&mut groups, starts, &total.sessions);
    }
    let bare = |name: String| if matches!(question.group, Group::Time(_)) { String::new() } else { name };
    Answer {
        total: totals(&total),
        groups: groups.into_iter().map(|(name, seen)| (bare(name), totals(&seen))).collect(),
        left_out: left_out(visits, question),
    }
}

pub(super) fn funnel(visits: &[Visit<'static>], question: &Question, steps: &[GoalTarget]) -> Vec<u64> {
    let mut reached = vec![0; steps.len()];
    for events in chosen_by_visitor(visits, question) {
        // Every set of steps that is done after an event, by trying both to take and to leave a step.
        let mut depths = BTreeSet::from([0]);
        for event in &events {
            let further = |depth: &usize| steps.get(*depth).is_some_and(|step| fulfils(event, step));
            let deeper: Vec<usize> = depths.iter().filter(|depth| further(depth)).map(|depth| depth + 1).collect();
            depths.extend(deeper);
        }
        (0..*depths.last().unwrap()).for_each(|step| reached[step] += 1);
    }
    reached
}

pub(super) fn retention(visits: &[Visit<'static>], question: &Question, starts: &[i64]) -> Vec<Cohort> {
    let visitors: Vec<BTreeSet<usize>> = chosen_by_visitor(visits, question)
        .iter()
        .map(|events| events.iter().filter_map(|event| interval(starts, event.time_ms)).collect())
        .collect();
    let with = |first: usize, other: usize| {
        visitors.iter().filter(|seen| seen.first() == Some(&first) && seen.contains(&other)).count() as u64
    };
    let cohort = |first: usize| Cohort {
        start_ms: starts[first],
        size: with(first, first),
        returned: (first..starts.len()).map(|other| with(first, other)).collect(),
    };
    (0..starts.len()).map(cohort).collect()
}

/// Every chosen event of the sessions that count.
pub(super) fn rows(visits: &[Visit<'static>], question: &Question) -> Vec<Visit<'static>> {
    sessions(visits, question).into_iter().flatten().filter(|event| chosen(event, question)).collect()
}

fn chosen_by_visitor(visits: &[Visit<'static>], question: &Question) -> Vec<Session> {
    let mut visitors: BTreeMap<u64, Session> = BTreeMap::new();
    for event in rows(visits, question) {
        visitors.entry(event.visitor).or_default().push(event);
    }
    visitors.into_values().collect()
}

fn interval(starts: &[i64], time_ms: i64) -> Option<usize> {
    starts.iter().rposition(|start| *start <= time_ms)
}

fn inside(visit: &Visit<'_>, question: &Question) -> bool {
    question.from_ms <= visit.time_ms && visit.time_ms < question.until_ms
}

fn exists(visit: &Visit<'_>, question: &Question) -> bool {
    let bot = !visit.agent.bot.is_empty();
    let fits = match question.bots {
        Bots::Exclude => !bot,
        Bots::Include => true,
        Bots::Only => bot,
    };
    inside(visit, question) && fits && question.traffic.has(visit.traffic)
}

fn left_out(visits: &[Visit<'static>], question: &Question) -> LeftOut {
    let count = |wanted: &dyn Fn(&Visit<'_>) -> bool| {
        visits.iter().filter(|visit| inside(visit, question) && wanted(visit)).count() as u64
    };
    let of =
        |traffic: Traffic| if question.traffic.has(traffic) { 0 } else { count(&|visit| visit.traffic == traffic) };
    let bot = |visit: &Visit<'_>| {
        question.bots == Bots::Exclude && question.traffic.has(visit.traffic) && !visit.agent.bot.is_empty()
    };
    LeftOut { bots: count(&bot), synthetic: of(Traffic::Synthetic), unverified: of(Traffic::Unverified) }
}

/// The sessions that count.
fn sessions(visits: &[Visit<'static>], question: &Question) -> Vec<Session> {
    let mut visitors: BTreeMap<u64, Session> = BTreeMap::new();
    for visit in visits.iter().filter(|visit| exists(visit, question)) {
        visitors.entry(visit.visitor).or_default().push(*visit);
    }
    let mut all: Vec<Session> = Vec::new();
    for mut events in visitors.into_values() {
        events.sort_by_key(|event| event.time_ms);
        let mut last = None;
        for event in events {
            if last.is_none_or(|last| event.time_ms - last > SESSION_GAP_MS) {
                all.push(Vec::new());
            }
            last = Some(event.time_ms);
            all.last_mut().unwrap().push(event);
        }
    }
    let of_session = |filter: &&Filter| !filter.property.is_of_event();
    all.retain(|session| {
        question
            .filters
            .iter()
            .filter(of_session)
            .all(|filter| passes(filter, &session_value(session, &filter.property)))
            && session.iter().any(|event| chosen(event, question))
    });
    all
}

fn chosen(event: &Visit<'static>, question: &Question) -> bool {
    question.filters.iter().filter(|filter| filter.property.is_of_event()).all(|filter| {
        if filter.property != Property::Goal {
            return passes(filter, &event_value(event, &filter.property).unwrap_or_default());
        }
        let negated = matches!(filter.operator, Operator::IsNot | Operator::ContainsNot);
        let named = Filter {
            operator: if matches!(filter.operator, Operator::Is | Operator::IsNot) {
                Operator::Is
            } else {
                Operator::Contains
            },
            ..filter.clone()
        };
        let met = question.goals.iter().any(|goal| passes(&named, &goal.name) && fulfils(event, &goal.target));
        met != negated
    })
}

fn fulfils(event: &Visit<'_>, target: &GoalTarget) -> bool {
    match target {
        GoalTarget::Path(path) => event.event == "pageview" && wild(path, event.page.path),
        GoalTarget::Event(name) => event.event == name,
    }
}

fn passes(filter: &Filter, value: &str) -> bool {
    let values = &filter.values;
    match filter.operator {
        Operator::Is => values.iter().any(|wanted| wild(wanted, value)),
        Operator::IsNot => values.iter().all(|wanted| !wild(wanted, value)),
        Operator::Contains => values.iter().any(|wanted| value.to_lowercase().contains(&wanted.to_lowercase())),
        Operator::ContainsNot => values.iter().all(|wanted| !value.to_lowercase().contains(&wanted.to_lowercase())),
    }
}

fn wild(pattern: &str, text: &str) -> bool {
    if let Some(rest) = pattern.strip_prefix("**") {
        return (0..=text.len()).any(|taken| text.is_char_boundary(taken) && wild(rest, &text[taken..]));
    }
    if let Some(rest) = pattern.strip_prefix('*') {
        let most = text.find('/').unwrap_or(text.len());
        return (0..=most).any(|taken| text.is_char_boundary(taken) && wild(rest, &text[taken..]));
    }
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some(wanted), Some(found)) => {
            wanted == found && wild(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..])
        }
        _ => false,
    }
}

/// The values of properties by their public names; none when an event does not have the custom property.
fn event_value(event: &Visit<'_>, property: &Property) -> Option<String> {
    let text = match property.name().as_str() {
        "event:hostname" => event.page.host,
        "event:page" => event.page.path,
        "event:name" => event.event,
        "visit:referrer" => event.acquisition.referrer,
        "visit:source" => event.acquisition.source,
        "visit:channel" => event.acquisition.channel,
        "visit:utm_campaign" => event.acquisition.utm_campaign,
        "visit:click_id" => event.acquisition.click_kind,
        "visit:country" => event.place.country,
        "visit:city" => event.place.city,
        "visit:browser" => event.agent.browser,
        "visit:device" => event.agent.device,
        "visit:bot" => event.agent.bot,
        "visit:campaign" => event.campaign,
        "event:props:plan" => {
            return event.props.split_once("\"plan\":\"")?.1.split_once('"').map(|(plan, _)| plan.to_owned());
        }
        other => panic!("the reference does not know {other}"),
    };
    Some(text.to_owned())
}

fn session_value(session: &Session, property: &Property) -> String {
    let first = &session[0];
    match property {
        Property::EntryPage => first.page.path.to_owned(),
        Property::ExitPage => {
            session.iter().rev().find(|event| event.event == "pageview").unwrap_or(first).page.path.to_owned()
        }
        property => event_value(first, property).unwrap(),
    }
}

fn groups_of(session: &Session, event: &Visit<'static>, question: &Question) -> BTreeSet<String> {
    match &question.group {
        Group::None => BTreeSet::new(),
        Group::Time(starts) => {
            interval(starts, event.time_ms).map(|number| format!("{number:05}")).into_iter().collect()
        }
        Group::Property(Property::Goal) => {
            question.goals.iter().filter(|goal| fulfils(event, &goal.target)).map(|goal| goal.name.clone()).collect()
        }
        Group::Property(property) if property.is_of_event() => event_value(event, property).into_iter().collect(),
        Group::Property(property) => BTreeSet::from([session_value(session, property)]),
    }
}

fn see(seen: &mut Seen, number: usize, session: &Session, event: &Visit<'static>) {
    seen.events.push(*event);
    seen.visitors.insert(event.visitor);
    seen.sessions.insert(number, session.clone());
}

/// Puts the sessions into the intervals of their first events, in place of those of their chosen ones.
fn by_first_event(groups: &mut BTreeMap<String, Seen>, starts: &[i64], sessions: &BTreeMap<usize, Session>) {
    groups.values_mut().for_each(|seen| seen.sessions.clear());
    for (number, session) in sessions {
        if let Some(at) = interval(starts, session[0].time_ms) {
            groups.get_mut(&format!("{at:05}")).unwrap().sessions.insert(*number, session.clone());
        }
    }
}

fn totals(seen: &Seen) -> Totals {
    let mut revenue: BTreeMap<String, i64> = BTreeMap::new();
    for event in seen.events.iter().filter(|event| event.revenue_micros != 0) {
        *revenue.entry(event.currency.to_owned()).or_default() += event.revenue_micros;
    }
    let bounced = |session: &&Session| session.len() == 1 && session[0].event == "pageview";
    let length = |session: &Session| session[session.len() - 1].time_ms.abs_diff(session[0].time_ms);
    Totals {
        visitors: seen.visitors.len() as u64,
        visits: seen.sessions.len() as u64,
        pageviews: seen.events.iter().filter(|event| event.event == "pageview").count() as u64,
        events: seen.events.len() as u64,
        bounces: seen.sessions.values().filter(bounced).count() as u64,
        duration_ms: seen.sessions.values().map(length).sum(),
        revenue_micros: revenue.into_iter().collect(),
    }
}
