//! Small stories with figures made by hand.

use std::collections::BTreeMap;

use super::{effort, sets};
use crate::visit::column::Traffic;
use crate::visit::property::Property;
use crate::visit::query::{answer, funnel, retention};
use crate::visit::question::{
    Answer, Bots, Filter, Goal, GoalTarget, Group, LeftOut, Operator, Question, SESSION_GAP_MS, Totals, TrafficSet,
};
use crate::visit::record::{Acquisition, Agent, Page, Visit};

/// A midnight.
const DAY: i64 = 1_792_972_800_000;
const MINUTE: i64 = 60_000;
const ALL_DAY: i64 = 24 * 60 * MINUTE;

/// A page view, so many minutes after midnight.
fn view(visitor: u64, minute: i64, path: &'static str) -> Visit<'static> {
    let page = Page { host: "a.example", path };
    Visit { visitor, time_ms: DAY + minute * MINUTE, page, event: "pageview", ..Visit::default() }
}

fn from(source: &'static str, visit: Visit<'static>) -> Visit<'static> {
    Visit { acquisition: Acquisition { source, ..Acquisition::default() }, ..visit }
}

fn act(name: &'static str, props: &'static str, visit: Visit<'static>) -> Visit<'static> {
    Visit { event: name, props, ..visit }
}

/// A day and a bit: visitor 1 reads three pages and signs up, visitor 2 bounces twice, visitor 3 stays over midnight.
fn story() -> Vec<Vec<Visit<'static>>> {
    let first_day = vec![
        from("Google", view(1, 10, "/")),
        view(1, 20, "/blog/one"),
        view(1, 25, "/pricing"),
        act("Signup", r#"{"plan":"big"}"#, view(1, 25, "/pricing")),
        from("Google", view(2, 30, "/")),
        view(2, 300, "/blog/one"),
        view(3, 1430, "/blog/two"),
    ];
    // The same visitor goes on in the next day's data.
    vec![vec![view(3, 1445, "/")], first_day]
}

fn question(group: Group) -> Question {
    Question { from_ms: DAY, until_ms: DAY + 2 * ALL_DAY, group, ..Question::default() }
}

fn by(name: &str) -> Question {
    question(Group::Property(Property::parse(name).unwrap()))
}

fn ask(visits: &[Vec<Visit<'static>>], question: &Question) -> Answer {
    answer(&sets(visits), question, &effort()).unwrap()
}

/// Visitors, visits, page views, events, bounces, and minutes of duration.
fn figures(totals: &Totals) -> [u64; 6] {
    let minutes = totals.duration_ms / MINUTE.unsigned_abs();
    [totals.visitors, totals.visits, totals.pageviews, totals.events, totals.bounces, minutes]
}

fn groups(answer: &Answer) -> BTreeMap<&str, [u64; 6]> {
    answer.groups.iter().map(|(name, totals)| (name.as_str(), figures(totals))).collect()
}

fn filter(name: &str, operator: Operator, value: &str) -> Filter {
    Filter { property: Property::parse(name).unwrap(), operator, values: vec![value.to_owned()] }
}

#[test]
fn totals_of_a_day() {
    let found = ask(&story(), &question(Group::None));
    // Visits: one of visitor 1 (15 minutes), two of visitor 2, one of visitor 3 (15 minutes).
    assert_eq!(figures(&found.total), [3, 4, 7, 8, 2, 30]);
    assert!(found.groups.is_empty());
}

#[test]
fn a_session_counts_once_on_every_page_that_it_has() {
    let found = ask(&story(), &by("event:page"));
    let expected = BTreeMap::from([
        ("/", [3, 3, 3, 3, 1, 30]),
        ("/blog/one", [2, 2, 2, 2, 1, 15]),
        ("/blog/two", [1, 1, 1, 1, 0, 15]),
        ("/pricing", [1, 1, 1, 2, 0, 15]),
    ]);
    assert_eq!(groups(&found), expected);
}

#[test]
fn a_sessions_source_is_that_of_its_first_event() {
    let found = ask(&story(), &by("visit:source"));
    assert_eq!(groups(&found), BTreeMap::from([("", [2, 2, 3, 3, 1, 15]), ("Google", [2, 2, 4, 5, 1, 15])]));
}

#[test]
fn sessions_have_an_entry_and_an_exit() {
    let entries = ask(&story(), &by("visit:entry_page"));
    let expected = [("/", [2, 2, 4, 5, 1, 15]), ("/blog/one", [1, 1, 1, 1, 1, 0]), ("/blog/two", [1, 1, 2, 2, 0, 15])];
    assert_eq!(groups(&entries), BTreeMap::from(expected));
    let exits = ask(&story(), &by("visit:exit_page"));
    let expected = [("/", [2, 2, 3, 3, 1, 15]), ("/blog/one", [1, 1, 1, 1, 1, 0]), ("/pricing", [1, 1, 3, 4, 0, 15])];
    assert_eq!(groups(&exits), BTreeMap::from(expected));
}

#[test]
fn filters_on_pages_choose_events_and_filters_on_sources_choose_sessions() {
    let mut asked = question(Group::None);
    asked.filters = vec![filter("event:page", Operator::Is, "/blog/**")];
    // The durations are of whole sessions all the same.
    assert_eq!(figures(&ask(&story(), &asked).total), [3, 3, 3, 3, 1, 30]);
    asked.filters = vec![filter("visit:source", Operator::Is, "Google")];
    assert_eq!(figures(&ask(&story(), &asked).total), [2, 2, 4, 5, 1, 15]);
    asked.filters.push(filter("event:page", Operator::Contains, "BLOG"));
    assert_eq!(figures(&ask(&story(), &asked).total), [1, 1, 1, 1, 0, 15]);
    asked.filters = vec![filter("visit:exit_page", Operator::IsNot, "/")];
    assert_eq!(figures(&ask(&story(), &asked).total), [2, 2, 4, 5, 1, 15]);
}

#[test]
fn half_an_hour_is_one_session_and_a_millisecond_more_is_two() {
    for (gap, visits) in [(SESSION_GAP_MS - 1, 1), (SESSION_GAP_MS, 1), (SESSION_GAP_MS + 1, 2)] {
        let first = view(1, 0, "/");
        let second = Visit { time_ms: first.time_ms + gap, ..first };
        let together = ask(&[vec![first, second]], &question(Group::None)).total;
        assert_eq!((together.visitors, together.visits), (1, visits), "gap {gap}");
        assert_eq!(ask(&[vec![second], vec![first]], &question(Group::None)).total, together, "gap {gap}");
    }
}

#[test]
fn times_count_events_where_they_are_and_sessions_where_they_began() {
    let found = ask(&story(), &question(Group::Time(vec![DAY, DAY + ALL_DAY])));
    let days: Vec<_> = found.groups.iter().map(|(name, totals)| (name.as_str(), figures(totals))).collect();
    assert_eq!(days, [("", [3, 4, 6, 7, 2, 30]), ("", [1, 0, 1, 1, 0, 0])]);
}

#[test]
fn what_lies_outside_of_the_question_does_not_exist() {
    let asked = Question { from_ms: DAY + 15 * MINUTE, until_ms: DAY + 25 * MINUTE, ..question(Group::None) };
    assert_eq!(figures(&ask(&story(), &asked).total), [1, 1, 1, 1, 1, 0]);
    let nothing = Question { from_ms: DAY + 10 * ALL_DAY, until_ms: DAY + 11 * ALL_DAY, ..by("event:page") };
    assert_eq!(ask(&story(), &nothing), Answer::default());
}

#[test]
fn goals_have_groups_and_filters() {
    let goal = |name: &str, target| Goal { name: name.to_owned(), target };
    let goals = vec![
        goal("Read", GoalTarget::Path("/blog/*".to_owned())),
        goal("Signup", GoalTarget::Event("Signup".to_owned())),
        goal("Home", GoalTarget::Path("/".to_owned())),
    ];
    let asked = Question { goals: goals.clone(), ..by("event:goal") };
    let found = ask(&story(), &asked);
    let expected = [("Read", [3, 3, 3, 3, 1, 30]), ("Signup", [1, 1, 0, 1, 0, 15]), ("Home", [3, 3, 3, 3, 1, 30])];
    assert_eq!(groups(&found), BTreeMap::from(expected));
    let filtered = |operator, value| {
        let filters = vec![filter("event:goal", operator, value)];
        figures(&ask(&story(), &Question { goals: goals.clone(), filters, ..question(Group::None) }).total)
    };
    assert_eq!(filtered(Operator::Is, "Signup"), [1, 1, 0, 1, 0, 15]);
    assert_eq!(filtered(Operator::IsNot, "Home"), [3, 3, 4, 5, 1, 30]);
    assert_eq!(filtered(Operator::Is, "Unknown"), [0; 6]);
}

#[test]
fn properties_of_events_have_groups_of_those_that_have_them() {
    let found = ask(&story(), &by("event:props:plan"));
    assert_eq!(groups(&found), BTreeMap::from([("big", [1, 1, 0, 1, 0, 15])]));
    assert_eq!(figures(&found.total), [3, 4, 7, 8, 2, 30]);
    let mut asked = question(Group::None);
    asked.filters = vec![filter("event:props:plan", Operator::IsNot, "big")];
    assert_eq!(figures(&ask(&story(), &asked).total), [3, 4, 7, 7, 2, 30]);
}

#[test]
fn revenue_is_summed_by_currency() {
    let pay = |visitor, micros, currency| Visit {
        revenue_micros: micros,
        currency,
        ..act("Purchase", "", view(visitor, 1, "/pay"))
    };
    let data = [vec![pay(1, 5_000_000, "USD"), pay(1, 1, "EUR")], vec![pay(2, -2, "EUR"), view(3, 1, "/")]];
    let found = ask(&data, &by("event:name"));
    let expected = vec![("EUR".to_owned(), -1), ("USD".to_owned(), 5_000_000)];
    assert_eq!(found.total.revenue_micros, expected);
    let names: BTreeMap<_, _> = found.groups.iter().map(|(name, totals)| (name.as_str(), totals)).collect();
    assert_eq!(names["Purchase"].revenue_micros, expected);
    assert_eq!(names["pageview"].revenue_micros, []);
}

#[test]
fn bots_and_load_runs_are_apart_and_told() {
    let of = |traffic, visit| Visit { traffic, ..visit };
    let bot = |visit| Visit { agent: Agent { bot: "library: curl", ..Agent::default() }, ..visit };
    let data = [vec![
        view(1, 0, "/"),
        // In the middle of visitor 1's session: it would not be a bounce with them.
        bot(view(1, 1, "/")),
        of(Traffic::Synthetic, view(1, 2, "/")),
        of(Traffic::Synthetic, bot(view(5, 3, "/"))),
        of(Traffic::Unverified, view(6, 3, "/")),
    ]];
    let people = ask(&data, &question(Group::None));
    assert_eq!(figures(&people.total), [1, 1, 1, 1, 1, 0]);
    assert_eq!(people.left_out, LeftOut { bots: 1, synthetic: 2, unverified: 1 });
    let bots = ask(&data, &Question { bots: Bots::Only, ..question(Group::None) });
    assert_eq!((figures(&bots.total), bots.left_out.bots), ([1, 1, 1, 1, 1, 0], 0));
    let all = TrafficSet { real: true, synthetic: true, unverified: true };
    let all = ask(&data, &Question { bots: Bots::Include, traffic: all, ..question(Group::None) });
    assert_eq!((figures(&all.total), all.left_out), ([3, 3, 5, 5, 2, 2], LeftOut::default()));
}

#[test]
fn funnels_take_steps_in_the_order_of_time() {
    let path = |path: &str| GoalTarget::Path(path.to_owned());
    let steps = [path("/"), path("/blog/*"), GoalTarget::Event("Signup".to_owned())];
    let found = funnel(&sets(&story()), &question(Group::None), &steps, &effort()).unwrap();
    // Visitor 2 does the second step in another session; visitor 3 does the steps the wrong way round.
    assert_eq!(found, [3, 2, 1]);
    let twice = [path("/blog/*"), path("/blog/*")];
    assert_eq!(funnel(&sets(&story()), &question(Group::None), &twice, &effort()).unwrap(), [3, 0]);
}

#[test]
fn cohorts_tell_who_came_back() {
    let day = 24 * 60;
    let data = [vec![
        view(1, 5, "/"),
        view(1, day + 5, "/"),
        view(1, day + 6, "/"),
        view(2, 5, "/"),
        view(2, 2 * day, "/"),
        view(3, day, "/"),
    ]];
    let starts = [DAY, DAY + ALL_DAY, DAY + 2 * ALL_DAY];
    let asked = Question { until_ms: DAY + 3 * ALL_DAY, ..question(Group::None) };
    let found = retention(&sets(&data), &asked, &starts, &effort()).unwrap();
    let found: Vec<_> = found.iter().map(|cohort| (cohort.start_ms, cohort.size, cohort.returned.as_slice())).collect();
    assert_eq!(found, [(starts[0], 2, &[2, 1, 1][..]), (starts[1], 1, &[1, 0][..]), (starts[2], 0, &[0][..])]);
}

#[test]
fn events_of_one_millisecond_keep_the_order_of_the_data() {
    let data = [vec![from("First", view(1, 0, "/one")), view(1, 0, "/two")]];
    assert_eq!(groups(&ask(&data, &by("visit:source"))), BTreeMap::from([("First", [1, 1, 2, 2, 0, 0])]));
    assert_eq!(groups(&ask(&data, &by("visit:exit_page"))), BTreeMap::from([("/two", [1, 1, 2, 2, 0, 0])]));
}
